"""The calendar: the appointments of a week, by one clock that is named."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from contacts.models import Calendar, Change, RemoteUser
from contacts.views import calendar as page

CHICAGO, NEW_YORK = ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)  # a Monday


@pytest.fixture(autouse=True)
def at_14_20():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def look(as_user, ana):
    client = as_user(ana)
    return lambda query="": client.get(f"/calendar/?{query}").content.decode()


@pytest.fixture
def book(contact, add_appointment):
    """A visit at a time of Chicago's clock."""

    def book(title, month, day, hour, minute=0, **values):
        start = datetime(2026, month, day, hour, minute, tzinfo=CHICAGO)
        values = {"status": "confirmed", "ends_at": start + timedelta(hours=1), **values}
        return add_appointment(values.pop("contact", contact), start, title, **values)

    return book


def titles(words):
    return re.findall(r'day__event-title">.*?<a[^>]*>([^<]*)<', words)


def day_of(words, date):
    return words.split(f'id="day-{date}"')[1].split("</section>")[0]


def test_it_shows_the_week_by_day(look, book):
    book("Last Sunday", 11, 22, 23, 30)
    book("Monday", 11, 23, 9)
    book("Late on Sunday", 11, 29, 23, 30)
    book("Next Monday", 11, 30, 0)
    words = look()
    assert titles(words) == ["Monday", "Late on Sunday"]
    assert titles(day_of(words, "2026-11-29")) == ["Late on Sunday"]
    assert titles(look("week=2026-12-02")) == ["Next Monday"]
    assert "week=2026-11-16" in words and "week=2026-11-30" in words


def test_it_says_by_which_clock_and_another_can_be_chosen(look, book, second_location, add_contact):
    there = add_contact("Ines", location=second_location)
    book("Visit", 11, 23, 23, 30)
    book("Check-up", 11, 24, 9, contact=there)
    words = look("clock=America/Chicago")
    assert "Chicago time" in words and titles(day_of(words, "2026-11-23")) == ["Visit"]
    assert re.search(r"10:00</time> New York", words)
    words = look("clock=America/New_York")
    assert titles(day_of(words, "2026-11-24")) == ["Visit", "Check-up"]
    assert "No location here goes by that clock" in look("clock=Europe/Berlin")


@pytest.mark.parametrize("day, hours", [((11, 1), 25), ((3, 8), 23)])
def test_the_days_the_clocks_change_belong_to_their_week_whole(day, hours, look, book, location):
    month, date = day
    book("First minute", month, date, 0, 0)
    book("Last minute", month, date, 23, 59)
    words = look(f"week=2026-{month:02}-{date:02}")
    assert titles(day_of(words, f"2026-{month:02}-{date:02}")) == ["First minute", "Last minute"]


def test_called_off_ones_are_shown_when_asked_for(look, book):
    book("On", 11, 24, 9)
    book("Off", 11, 24, 10, status="cancelled")
    book("Missed", 11, 23, 9, status="no-show")
    assert titles(look()) == ["Missed", "On"]
    assert titles(look("status=cancelled")) == ["Off"]
    assert titles(look("status=noshow")) == ["Missed"]


def test_whose_and_of_which_calendar(look, book, ana_in_ghl, dana, location):
    visits = Calendar.objects.create(location=location, remote_id="cal1", name="Visits")
    Calendar.objects.create(location=location, remote_id="cal2", name="Calls")
    book("Mine", 11, 24, 9, assignee=ana_in_ghl, calendar=visits)
    book("Dana's", 11, 24, 10, assignee=dana)
    assert titles(look()) == ["Mine"]
    assert titles(look("who=everyone")) == ["Mine", "Dana&#x27;s"]
    assert titles(look(f"who={dana.pk}")) == ["Dana&#x27;s"]
    assert titles(look(f"who=everyone&calendar={visits.pk}")) == ["Mine"]


def test_whoever_ghl_does_not_know_sees_everyones(look, book):
    book("Nobody's", 11, 24, 9)
    assert titles(look()) == ["Nobody&#x27;s"]


def test_businesses_of_mine_stand_side_by_side(look, book, second_business, second_location, add_contact):
    book("Visit", 11, 24, 9)
    book("Check-up", 11, 24, 10, contact=add_contact("Ines", location=second_location))
    assert titles(look()) == ["Visit", "Check-up"]
    assert titles(look(f"business={second_business.pk}")) == ["Check-up"]


@pytest.mark.parametrize(
    "query",
    [
        "week=soon",
        "week=0001-01-01",
        "week=9999-12-31",
        "who=999999",
        "who=%00",
        "calendar=x",
        "business=0",
        "status=<b>",
    ],
)
def test_a_part_of_the_address_that_is_wrong_is_left_out_and_said(query, look, book):
    book("Visit", 11, 24, 9)
    words = look(query)
    assert "banner--warn" in words and titles(words) == ["Visit"]


def test_the_calendar_of_a_stranger_is_empty(as_user, cy, book, location):
    visits = Calendar.objects.create(location=location, remote_id="cal1", name="Secret visits")
    book("Secret", 11, 24, 9, calendar=visits)
    words = as_user(cy).get(f"/calendar/?who=everyone&calendar={visits.pk}").content.decode()
    assert "Secret" not in words and "calendar is not known" in words


def test_a_list_by_day_shows_all_that_meet(look, book):
    for number in range(5):
        book(f"Visit {number}", 11, 24, 9)
    assert len(titles(day_of(look("view=agenda"), "2026-11-24"))) == 5
    words = look()
    tuesday = day_of(words, "2026-11-24")
    assert len(titles(tuesday)) == 3 and ">+2</a>" in tuesday and "2 more on Tuesday 24 November" in tuesday
    assert re.search(r'href="[^"]*view=agenda[^"]*#day-2026-11-24"', tuesday)


def test_up_to_four_stand_side_by_side(look, book):
    for number in range(4):
        book(f"Visit {number}", 11, 24, 9)
    words = look()
    assert len(titles(words)) == 4 and ">+" not in words
    assert words.count('data-of="4"') == 4


def test_those_beyond_are_counted_where_they_meet(look, book):
    for hour in (9, 14):
        for number in range(5):
            book(f"Visit {number}", 11, 24, hour)

    def counted():
        return re.findall(r">\+(\d)</a>", day_of(look(), "2026-11-24"))

    assert counted() == ["2", "2"]
    book("Over both", 11, 24, 9, ends_at=datetime(2026, 11, 24, 15, tzinfo=CHICAGO))
    assert counted() == ["5"]


def test_free_half_hours_still_to_come_can_be_booked(look, location):
    words = look()
    monday, tuesday = day_of(words, "2026-11-23"), day_of(words, "2026-11-24")
    assert 'value="2026-11-23T14:30:00-06:00"' in monday and "T14:00" not in monday
    assert 'value="2026-11-24T09:00:00-06:00"' in tuesday and 'aria-label="Book on Tuesday 24 November"' in tuesday
    assert "day__slot" not in look("view=agenda") and "Book on Tuesday" not in look("week=2026-11-10")
    location.is_bookable = False
    location.save()
    assert "Book on" not in look() and "day__slot" not in look()


def test_a_slot_keeps_its_moment_where_the_clocks_change(look, location):
    sunday = day_of(look("week=2027-03-14"), "2027-03-14")
    assert 'value="2027-03-14T09:00:00-05:00"' in sunday


def test_the_start_that_was_clicked_goes_along_to_the_form(as_user, ana, contact, second_location, add_contact):
    client = as_user(ana)
    words = client.get("/appointments/whom/", {"start": "2026-11-24T10:30:00-06:00", "q": "maris"}).content.decode()
    assert "Tuesday 24 November" in words and "start=2026-11-24T10%3A30%3A00-06%3A00" in words
    there = add_contact("Ines", location=second_location)
    words = client.get(f"/contacts/{there.pk}/appointments/book/?start=2026-11-24T10:30:00-06:00").content.decode()
    assert 'value="2026-11-24T11:30"' in words  # by the clock of New York
    assert "start=" not in client.get("/appointments/whom/?q=maris&start=soon").content.decode()


def test_more_than_fit_say_so(look, book, monkeypatch):
    monkeypatch.setattr(page, "MOST", 2)
    for number in range(3):
        book(f"Visit {number}", 11, 24, 9)
    words = look()
    assert len(titles(words)) == 2 and "The first 2 appointments" in words


def test_what_is_on_its_way_or_refused_is_marked(look, book, ana):
    visit = book("Visit", 11, 24, 9)
    visit.edit(by=ana, status="new")
    assert "On its way to GHL" in look()
    Change.objects.update(state="refused", settled_at=NOW, sentence="No.")
    assert "Not taken by GHL" in look()


def test_what_it_says_about_one(as_user, ana, book, location):
    visit = book("Visit", 11, 24, 9)
    url = f"/appointments/{visit.pk}/about/"
    words = as_user(ana).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "in Chicago" in words and f"/appointments/{visit.pk}/mark/" in words and "Marisol" in words
    location.is_bookable = False
    location.save()
    words = as_user(ana).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "/mark/" not in words and "changed in GHL only" in words


def test_calling_off_from_the_calendar_offers_undo_that_leads_back(as_user, ana, book):
    visit = book("Visit", 11, 24, 9)
    values = {"status": "cancelled", "in": "appointment-form", "next": "/calendar/?week=2026-11-23"}
    answer = as_user(ana).post(f"/appointments/{visit.pk}/mark/", values, headers={"HX-Request": "true"})
    assert "calendar-changed" in answer["HX-Trigger"]
    assert 'name="next" value="/calendar/?week=2026-11-23"' in answer.content.decode()


def test_deleting_from_the_calendar_offers_undo_that_leads_back(as_user, ana, book):
    visit, client = book("Visit", 11, 24, 9, remote_id="apt1"), as_user(ana)
    values = {"in": "appointment-form", "next": "/calendar/?week=2026-11-23"}
    answer = client.post(f"/appointments/{visit.pk}/delete/", values, headers={"HX-Request": "true"})
    assert "calendar-changed" in answer["HX-Trigger"] and "Undo" in answer.content.decode()
    change = Change.objects.get()
    answer = client.post(f"/changes/{change.pk}/undo/", {"next": values["next"]}, headers={"HX-Request": "true"})
    visit.refresh_from_db()
    assert visit.deleted_at is None and values["next"] in str(answer.headers)


def test_it_costs_the_same_few_queries_however_full_the_week_is(
    as_user, ana, book, location, dana, add_contact, django_assert_max_num_queries
):
    client = as_user(ana)

    def cost(count):
        for number in range(count):
            calendar = Calendar.objects.create(location=location, remote_id=f"c{count}{number}", name="Visits")
            person = add_contact(f"Person {number}")
            book("Visit", 11, 24, 9, contact=person, assignee=dana, calendar=calendar).edit(by=ana, title="Walk")
        with django_assert_max_num_queries(20) as queries:
            client.get("/calendar/", headers={"HX-Request": "true"})
        return len(queries)

    assert cost(1) == cost(6)


def test_a_person_is_offered_once_for_all_their_locations(look, location, second_location):
    for place in (location, second_location):
        RemoteUser.objects.create(location=place, remote_id=f"u{place.pk}", name="Priya Raman", email="p@example.com")
    assert look().count("Priya Raman") == 1
