"""What a person chose for themselves, and where the pages follow it."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from contacts import localised

WAS = {"language": "", "time_zone": "", "region": "", "hours": "", "week_start": "", "theme": "", "single_keys": "1"}


@pytest.fixture
def noon(monkeypatch):
    """Monday 23 November 2026, 18:00 in Greenwich, 12:00 in Chicago."""
    moment = datetime(2026, 11, 23, 18, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def choose(client, **values):
    response = client.post("/preferences/", WAS | values)
    assert response.status_code == 302, response.content.decode()


@pytest.fixture
def ana_reads(as_user, ana):
    return as_user(ana)


def test_what_is_chosen_is_kept(ana_reads, ana):
    choose(ana_reads, time_zone="Asia/Tokyo", region="DE", hours="12", week_start="6", theme="dark", single_keys="")
    ana.refresh_from_db()
    assert (ana.time_zone, ana.region, ana.hours, ana.week_start) == ("Asia/Tokyo", "DE", "12", "6")
    assert ana.theme == "dark" and not ana.single_keys
    page = ana_reads.get("/preferences/").content.decode()
    assert 'data-theme-kept="dark"' in page and 'data-keys="off"' in page
    assert "12.402,5" in page and "2:20" in page


@pytest.mark.parametrize(
    "wrong", [{"time_zone": "Nowhere/Atlantis"}, {"region": "XX"}, {"hours": "13"}, {"theme": "x"}]
)
def test_what_there_is_not_is_refused_beside_its_field(wrong, ana_reads, ana):
    response = ana_reads.post("/preferences/", WAS | wrong)
    assert response.status_code == 422 and "form__error" in response.content.decode()
    ana.refresh_from_db()
    assert getattr(ana, next(iter(wrong))) == ""


def test_theme_and_keys_are_kept_from_any_page(ana_reads, ana):
    for address, body in (("theme", {"theme": "light"}), ("keys", {})):
        assert ana_reads.post(f"/preferences/{address}/", body, headers={"HX-Request": "true"}).status_code == 204
    ana.refresh_from_db()
    assert ana.theme == "light" and not ana.single_keys
    assert ana_reads.post("/preferences/theme/", {"theme": "neon"}).status_code == 400
    assert ana_reads.post("/preferences/keys/", {"single_keys": "1"}).status_code == 302
    ana.refresh_from_db()
    assert ana.single_keys


def head(client, **headers):
    return client.get("/", headers=headers).content.decode().split("page-head__title")[1].split("</h1>")[0]


def test_the_browser_decides_until_the_person_does(ana_reads, location, noon):
    assert "Monday 23 November" in head(ana_reads)
    assert "Monday, November 23" in head(ana_reads, **{"Accept-Language": "en-US,en;q=0.9"})
    choose(ana_reads, region="GB")
    assert "Monday 23 November" in head(ana_reads, **{"Accept-Language": "en-US,en;q=0.9"})


def contact_page(client, contact):
    return client.get(contact.get_absolute_url()).content.decode()


def test_the_browsers_clock_is_named_where_the_locations_differs(ana_reads, contact, noon):
    contact.tasks.create(location=contact.location, title="Call", due_at=noon)
    ana_reads.cookies["time_zone"] = "America/Chicago"
    assert "by your clock" not in contact_page(ana_reads, contact)
    ana_reads.cookies["time_zone"] = "Europe/Berlin"
    assert "12:00 CST (Today 19:00 by your clock)" in contact_page(ana_reads, contact)
    choose(ana_reads, time_zone="America/Chicago")
    assert "by your clock" not in contact_page(ana_reads, contact)


@pytest.mark.parametrize("odd", ["Nowhere/Atlantis", "../../etc/passwd", "x" * 4000, "%00", "America"])
def test_an_odd_clock_is_no_clock(odd, ana_reads):
    ana_reads.cookies["time_zone"] = odd
    assert ana_reads.get("/").status_code == 200


def test_nobody_elses_pages_change(ana_reads, as_user, max_, location, noon):
    choose(ana_reads, region="US")
    assert "November 23" in head(ana_reads) and "23 November" in head(as_user(max_))


# --- regions ----------------------------------------------------------------------------------------------------------

MOMENT = datetime(2026, 11, 3, 14, 20)


@pytest.mark.parametrize(
    "language, region, day, clock, number",
    [
        ("en", "GB", "Tue 3 Nov", "14:20", "12,402.5"),
        ("en", "US", "Tue, Nov 3", "2:20 PM", "12,402.5"),
        ("en", "DE", "Tue, 3 Nov", "14:20", "12.402,5"),
        ("en", "FR", "Tue, 3 Nov", "14:20", "12 402,5"),
        ("de", "DE", "Di., 3. Nov.", "14:20", "12.402,5"),
        ("es", "ES", "mar, 3 nov", "14:20", "12.402,5"),
    ],
)
def test_days_clocks_and_numbers(language, region, day, clock, number):
    with localised.using(localised.Way(language, region)):
        said = [localised.day(MOMENT), localised.clock(MOMENT), localised.number(12402.5)]
        assert [words.replace("\u202f", " ").replace("\xa0", " ") for words in said] == [day, clock, number]
        assert float(localised.as_number(localised.number(12402.5))) == 12402.5


@pytest.mark.parametrize(
    "said, region",
    [("en-US,en;q=0.9", "US"), ("de", "DE"), ("de-AT", "AT"), ("en", "GB"), ("", "GB"), ("*", "GB"), ("xx-YY", "GB"),
     ("zh-Hant-TW", "GB"), (";;;,,", "GB")],
)  # fmt: skip
def test_the_region_of_a_browser(said, region):
    assert localised.region_asked_for(said) == region


def test_a_choice_of_hours_beats_the_region():
    with localised.using(localised.Way("en", "US", hours="24")):
        assert localised.clock(MOMENT) == "14:20"
    with localised.using(localised.Way("en", "DE", hours="12")):
        assert localised.clock(MOMENT) == "2:20 pm"


def test_the_first_day_of_the_week():
    assert localised.Way("en", "GB").first_weekday == 0 and localised.Way("en", "US").first_weekday == 6
    assert localised.Way("en", "US", week_start="0").first_weekday == 0


def test_outside_a_request_the_default_rules():
    assert localised.clock(MOMENT) == "14:20" and localised.number(12402) == "12,402"
