"""History over all contacts: who did what and when, for managers; and the same as a file."""

import csv
import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from contacts.history import all_history
from contacts.models import Business, Location, Membership, Note, RemoteUser, Role
from contacts.views import all_history as view

HTMX = {"HX-Request": "true", "HX-Target": "list-more"}
CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture
def read(as_user, max_):
    client = as_user(max_)
    return lambda query="", headers=None: client.get(f"/history/{query}", headers=headers).content.decode()


@pytest.fixture
def tagged(contact, add_event):
    """Makes an event that can be told from others by its tag."""

    def make(tag, contact=contact, **values):
        return add_event(contact, "tags_changed", changes={"tags": [[], [tag]]}, **values)

    return make


def exported(client, query=""):
    answer = client.get(f"/history/export/{query}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/history/", "/history/export/", "/reports/", "/reports/rows/"])
def test_staff_find_nothing_and_managers_and_admins_do(path, as_user, ana, max_, ada, location):
    assert [as_user(user).get(path).status_code for user in (ana, max_, ada)] == [404, 200, 200]


def test_who_manages_one_business_sees_nothing_of_another_where_they_are_staff(read, max_, tagged, add_event):
    other = Business.objects.create(name="Harbor Dental")
    Membership.objects.create(business=other, user=max_, role=Role.STAFF)
    there = Location.objects.create(business=other, remote_id="locHarbor", time_zone="UTC")
    tagged("ours")
    tagged("theirs", contact=there.contacts.create(business=other, first_name="Otto"))
    shown = read()
    assert "ours" in shown and "theirs" not in shown
    assert "theirs" not in read(f"?business={other.pk}") and "was left out" in read(f"?business={other.pk}")


def test_the_chosen_business_alone_is_shown(as_user, max_, tagged, northgate):
    other = Business.objects.create(name="Harbor Dental")
    Membership.objects.create(business=other, user=max_, role=Role.MANAGER)
    there = Location.objects.create(business=other, remote_id="locHarbor", time_zone="UTC")
    tagged("ours")
    tagged("theirs", contact=there.contacts.create(business=other, first_name="Otto"))
    client = as_user(max_)
    both = client.get("/history/").content.decode()
    assert "ours" in both and "theirs" in both and "Harbor Dental" in both
    client.post("/switch/", {"business": northgate.pk})
    assert "theirs" not in client.get("/history/").content.decode()


# --- filters ----------------------------------------------------------------------------------------------------------


def test_every_event_has_a_line_with_its_contact(read, contact, ana):
    contact.edit(by=ana, city="Gary")
    contact.edit(by=ana, city="Chicago")
    shown = read()
    assert shown.count("changed City") == 2 and "Gary" in shown and contact.get_absolute_url() in shown


def test_by_person_whether_they_worked_here_or_in_ghl(read, tagged, ana, ana_in_ghl, dana, max_):
    tagged("mine-here", user=ana)
    tagged("mine-in-ghl", actor_kind="ghl", actor_name="Ana")
    tagged("danas", actor_kind="ghl", actor_name="Dana Whitlock")
    tagged("nobodys", actor_kind="ghl", actor_name="")
    tagged("rules", actor_kind="rule", actor_name="Paid")
    tagged("erps", actor_kind="erp")
    tagged("left", actor_name="Gone", user=None)

    def tags(who):
        shown = read(f"?who={who}")
        found = ("mine-here", "mine-in-ghl", "danas", "nobodys", "rules", "erps", "left")
        return [tag for tag in found if f"added tag {tag}" in shown]

    assert tags(f"u{ana.pk}") == ["mine-here", "mine-in-ghl"]
    assert tags(f"g{dana.pk}") == ["danas"]
    assert [tags(who) for who in ("ghl", "rule", "erp", "left")] == [["nobodys"], ["rules"], ["erps"], ["left"]]
    assert tags(f"u{max_.pk}") == []


def test_a_user_who_was_never_here_is_not_named(read, cy, tagged):
    cy.name = "Cyprian Ålund"  # shorter, it may stand in the page's random marks
    cy.save()
    shown = read(f"?who=u{cy.pk}")
    assert "is not known here" in shown and "Cyprian" not in shown


def test_one_who_left_is_still_found_by_what_they_did(read, ana, tagged, northgate):
    tagged("before", user=ana)
    northgate.memberships.get(user=ana).end()
    assert "added tag before" in read(f"?who=u{ana.pk}")


@pytest.mark.parametrize("kind, there", [
    ("notes", ["note_added"]), ("tags", ["tags_changed"]), ("tags_changed", ["tags_changed"]), ("task_done", []),
])  # fmt: skip
def test_by_kind_or_group_of_kinds(kind, there, read, contact, add_event):
    found = {kind: add_event(contact, kind).pk for kind in ("note_added", "tags_changed", "task_added")}
    shown = read(f"?kind={kind}")
    assert [kind for kind, pk in found.items() if f'id="line-{pk}"' in shown] == there


def test_days_are_those_of_the_location_and_survive_a_change_of_the_clock(read, tagged):
    # On 8 March 2026 Chicago's clocks go forward: that day has 23 hours.
    for name, moment in {
        "late-7": datetime(2026, 3, 7, 23, 59, tzinfo=CHICAGO),
        "first-8": datetime(2026, 3, 8, 0, 0, tzinfo=CHICAGO),
        "last-8": datetime(2026, 3, 8, 23, 59, tzinfo=CHICAGO),
        "first-9": datetime(2026, 3, 9, 0, 0, tzinfo=CHICAGO),
    }.items():
        tagged(name, happened_at=moment)
    shown = read("?from=2026-03-08&to=2026-03-08")
    assert [n for n in ("late-7", "first-8", "last-8", "first-9") if f"added tag {n}" in shown] == ["first-8", "last-8"]


def test_periods_count_whole_days(read, tagged, location):
    midnight = datetime.combine(location.today(), datetime.min.time(), tzinfo=location.zone)
    for name, moment in {
        "today": midnight,
        "six": midnight - timedelta(days=6),
        "seven": midnight - timedelta(days=7),
    }.items():
        tagged(name, happened_at=moment)
    assert "tag today" in read("?period=today") and "tag six" not in read("?period=today")
    assert "tag six" in read("?period=7") and "tag seven" not in read("?period=7") and "tag seven" in read("?period=30")


@pytest.mark.parametrize("query", [
    "?who=u0", "?who=x", "?who=u99999999999999999999", "?kind=nonsense", "?from=yesterday", "?from=0000-00-00",
    "?to=9999-12-31", "?business=abc", "?period=9", "?after=nonsense", "?who=others", "?who=u%00",
])  # fmt: skip
def test_a_broken_address_still_shows_the_history(query, read, tagged):
    tagged("there")
    shown = read(query)
    assert "added tag there" in shown
    assert query.startswith("?after") or "left out" in shown


def test_earlier_lines_come_without_a_gap_over_several_locations(read, tagged, northgate, contact, monkeypatch):
    monkeypatch.setattr(all_history, "PAGE", 3)
    monkeypatch.setattr(all_history.page, "__defaults__", ("", 3))
    second = Location.objects.create(business=northgate, remote_id="locSecond", time_zone="Asia/Tokyo")
    elsewhere = second.contacts.create(business=northgate, first_name="Kenji")
    now = timezone.now()
    for number in range(8):
        tagged(f"n{number}x", (contact, elsewhere)[number % 2], happened_at=now - timedelta(minutes=number // 2))
    seen, query = [], ""
    while query is not None:
        shown = read(query, headers=HTMX if query else None)
        seen += sorted((shown.index(f"n{n}x"), n) for n in range(8) if f"added tag n{n}x" in shown)
        query = f"?after={shown.split('after=')[1].split(chr(34))[0]}" if "after=" in shown else None
    assert sorted(n for _, n in seen) == list(range(8)) and len(seen) == 8


def test_the_page_asks_as_much_for_many_lines_as_for_few(read, add_contact, add_event, django_assert_max_num_queries):
    def fill(count):
        for number in range(count):
            contact = add_contact(f"Person {number}")
            note = Note.objects.create(location=contact.location, contact=contact, body="Called")
            add_event(contact, "note_added", note=note)
            add_event(contact, "contact_changed", changes={"owner_remote_id": ["", "x"]})

    fill(3)
    read()
    with django_assert_max_num_queries(60) as few:
        read()
    fill(20)
    with django_assert_max_num_queries(60) as many:
        read()
    assert len(many) == len(few)


def test_hostile_words_stay_words(read, contact, location, add_event):
    note = Note.objects.create(location=location, contact=contact, body="<script>alert(1)</script><b onclick=x>Hi</b>")
    add_event(contact, "note_added", note=note, actor_name="<img src=x>")
    add_event(contact, "contact_changed", changes={"city": ["", "<svg onload=x>"]})
    shown = read()
    assert "alert(1)" not in shown and "<img src=x>" not in shown and "<svg onload" not in shown and "Hi" in shown


def test_a_deleted_note_keeps_its_line_not_its_text(read, as_user, max_, contact, ana, location):
    note = Note(contact=contact, location=location, body="A secret")
    note.create(by=ana)
    note.edit(by=ana, body="Another secret")
    note.delete_here(by=ana, undo_s=8)
    shown = read()
    assert "This note was deleted" in shown and "changed a note" in shown and "secret" not in shown
    assert not any("secret" in cell for row in exported(as_user(max_)) for cell in row.values())


def test_nothing_yet_and_nothing_like_it_are_different(read, tagged, location):
    assert "Nothing has happened yet" in read()
    tagged("there")
    assert "Nothing like this" in read("?kind=notes")


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_holds_what_is_filtered_newest_first(as_user, max_, contact, ana, tagged):
    tagged("unwanted")
    contact.edit(by=ana, city="Gary")
    contact.edit(by=ana, city="Chicago")
    rows = exported(as_user(max_), f"?who=u{ana.pk}")
    assert [row["Old and new"] for row in rows] == ["City: Gary → Chicago", "City: nothing → Gary"]
    assert rows[0]["Who"] == "Ana" and rows[0]["Contact"] == contact.name and rows[0]["Business"] == "Northgate Roofing"


def test_the_file_runs_nothing(as_user, max_, contact, location, add_event, add_task):
    contact.first_name, contact.last_name = "=HYPERLINK(1)", ""
    contact.save()
    note = Note.objects.create(location=location, contact=contact, body="+cmd|' /C calc'!A0")
    add_event(contact, "note_added", note=note, actor_name="@SUM(A1)")
    add_event(contact, "contact_changed", changes={"city": ["", "=1+1"]})
    add_event(contact, "task_added", task=add_task(contact, "-2+3"))
    cells = [cell for row in exported(as_user(max_)) for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "-", "\t")]
    assert "'=HYPERLINK(1)" in cells and "'+cmd|' /C calc'!A0" in cells and "'@SUM(A1)" in cells


def test_the_file_comes_in_pieces_and_says_where_it_ends(as_user, max_, tagged, monkeypatch):
    monkeypatch.setattr(view, "AT_ONCE", 2)
    monkeypatch.setattr(view, "EXPORTED", 4)
    for number in range(5):
        tagged(f"n{number}")
    rows = exported(as_user(max_))
    assert [row["Details"] for row in rows[:4]] == [f"added tag n{number}" for number in (4, 3, 2, 1)]
    assert "Only the newest 4 lines" in rows[4]["Happened at (UTC)"] and len(rows) == 5


def test_nobody_s_file_holds_anything_of_strangers(as_user, cy, tagged):
    tagged("ours")
    RemoteUser.objects.all().delete()
    assert exported(as_user(cy)) == []


def test_no_query_string_names_an_e_mail_address(read, tagged, ana):
    tagged("there", user=ana)
    assert get_user_model().objects.filter(email="ana@example.com").exists() and "ana@" not in read()
