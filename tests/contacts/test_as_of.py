"""A contact as it stood on a day, and what was different by another; and the history as it is printed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts.history import printed
from contacts.history.as_of import Past
from contacts.models import Contact, CustomField, HistoryEvent, Note, RemoteUser, Task

CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture
def at(contact):
    """Lets something happen at a moment by the location's clock; what it returns comes back."""

    def happen(act, year, month, day, hour=12, minute=0, zone=CHICAGO):
        moment = datetime(year, month, day, hour, minute, tzinfo=zone)
        known = set(HistoryEvent.objects.values_list("pk", flat=True))
        found = act()
        HistoryEvent.objects.exclude(pk__in=known).update(created_at=moment, happened_at=moment)
        if isinstance(found, (Task, Note)):
            type(found).objects.filter(pk=found.pk).update(created_at=moment)
        return found

    Contact.objects.filter(pk=contact.pk).update(created_at=datetime(2026, 1, 1, 9, tzinfo=CHICAGO))
    contact.refresh_from_db()
    return happen


@pytest.fixture
def read(as_user, ana, contact):
    client = as_user(ana)
    return lambda query="": client.get(f"/contacts/{contact.pk}/as-of/{query}").content.decode()


@pytest.fixture
def on_paper(as_user, ana, contact):
    client = as_user(ana)
    return lambda query="": client.get(f"/contacts/{contact.pk}/history/print/{query}").content.decode()


def made(row, by):
    row.create(by=by)
    return row


# --- as of a day ------------------------------------------------------------------------------------------------------


def test_the_fields_stand_as_they_did(read, at, contact, ana):
    CustomField.objects.create(location=contact.location, remote_id="cfRoof", name="Roof type", data_type="TEXT")
    at(lambda: contact.edit(by=ana, city="Gary", custom_values={"cfRoof": "Tile"}), 2026, 3, 1)
    at(lambda: contact.edit(by=ana, city="Joliet", custom_values={"cfRoof": "Metal"}), 2026, 4, 1)
    at(lambda: contact.add_tags(["vip"], by=ana), 2026, 5, 1)
    february, march, may = (read(f"?date=2026-{month}-15") for month in ("02", "03", "05"))
    assert "Gary" not in february and "Marisol" in february
    assert "Gary" in march and "Tile" in march and "Joliet" not in march and "vip" not in march
    assert "Joliet" in may and "Metal" in may and "vip" in may


def test_a_day_ends_by_the_clock_of_the_location(read, at, contact, ana):
    at(lambda: contact.edit(by=ana, city="Gary"), 2026, 3, 8, 23, 59)  # the clocks went forward that day
    at(lambda: contact.edit(by=ana, city="Joliet"), 2026, 3, 9, 0, 0)
    assert "Gary" in read("?date=2026-03-08") and "Gary" not in read("?date=2026-03-09")


def test_tasks_notes_and_their_texts_stand_as_they_did(read, at, contact, location, ana, dana):
    of = {"contact": contact, "location": location}
    task = at(lambda: made(Task(**of, title="Call", assignee=dana), ana), 2026, 3, 1)
    note = at(lambda: made(Note(**of, body="First words"), ana), 2026, 3, 2)
    at(lambda: task.edit(by=ana, title="Call again"), 2026, 3, 10)
    at(lambda: task.complete(by=ana), 2026, 3, 12)
    at(lambda: note.edit(by=ana, body="Other words"), 2026, 3, 14)
    early, later = read("?date=2026-03-05"), read("?date=2026-03-20")
    assert "First words" in early and ">Call<" in early and "Dana Whitlock" in early and 'aria-label="Open"' in early
    assert "Other words" in later and "Call again" in later and 'aria-label="Done"' in later
    assert "First words" not in read("?date=2026-03-01")


def test_what_was_before_the_first_reading_is_not_known(read, at, contact):
    shown = read("?date=2025-12-24")
    assert "Not known" in shown and "nobody can tell" in shown and "marisol@" not in shown
    assert "?date=2026-01-01" in shown and "marisol@" in read("?date=2026-01-01")


def test_notes_that_were_read_only_later_are_counted_not_shown(read, at, contact, location, add_event):
    note = Note.objects.create(contact=contact, location=location, body="From long ago")
    event = add_event(contact, "note_added", note=note, happened_at=datetime(2026, 2, 1, tzinfo=CHICAGO))
    assert event.created_at > event.happened_at
    shown = read("?date=2026-02-15")
    assert "From long ago" not in shown and "1 note, task or appointment" in shown and "was read only later" in shown


def test_a_deleted_contact_says_so(read, at, contact, ana):
    at(lambda: contact.delete_here(by=ana, undo_s=8), 2026, 3, 1)
    Contact.objects.filter(pk=contact.pk).update(deleted_at=datetime(2026, 3, 1, 12, tzinfo=CHICAGO))
    assert "On that day this contact was deleted" in read("?date=2026-03-02")
    assert "this contact was deleted" not in read("?date=2026-02-20")


@pytest.mark.parametrize("shown, who", [(False, "ana"), (True, "max_"), (True, "ada")])
def test_the_text_of_a_deleted_note_is_for_managers(shown, who, request, as_user, at, contact, location, ana):
    note = at(lambda: made(Note(contact=contact, location=location, body="A secret"), ana), 2026, 3, 1)
    note.delete_here(by=ana, undo_s=8)
    client = as_user(request.getfixturevalue(who))
    for query in ("?date=2026-03-05", "?date=2026-02-01&to=2026-03-05"):
        page = client.get(f"/contacts/{contact.pk}/as-of/{query}").content.decode()
        assert ("A secret" in page) is shown and ("This note was deleted since" in page) is not shown


@pytest.mark.parametrize("query", ["?date=x", "?date=2026-99-99", "?to=never", "?date=9998-01-01", "?date=0001-01-01"])
def test_a_broken_day_is_told(query, read, at):
    shown = read(query)
    assert "left out" in shown or "still to come" in shown


def test_strangers_find_neither(as_user, cy, contact):
    for path in ("as-of", "history/print"):
        assert as_user(cy).get(f"/contacts/{contact.pk}/{path}/").status_code == 404


def test_hostile_words_of_the_past_stay_words(read, at, contact, location, ana):
    at(lambda: made(Note(contact=contact, location=location, body="<img src=x onerror=alert(1)>Hi"), ana), 2026, 3, 1)
    at(lambda: contact.edit(by=ana, city="<script>alert(2)</script>"), 2026, 3, 1)
    for query in ("?date=2026-03-05", "?date=2026-02-01&to=2026-03-05"):
        shown = read(query)
        assert "<img" not in shown and "<script>alert(2)" not in shown and "Hi" in shown


# --- two days ---------------------------------------------------------------------------------------------------------


def test_only_what_differs_between_two_days_is_told(read, at, contact, location, ana):
    of = {"contact": contact, "location": location}
    kept = at(lambda: made(Task(**of, title="Kept"), ana), 2026, 2, 1)
    gone = at(lambda: made(Task(**of, title="Gone"), ana), 2026, 2, 1)
    at(lambda: contact.edit(by=ana, city="Gary"), 2026, 3, 5)
    at(lambda: contact.edit(by=ana, city="Joliet"), 2026, 3, 6)
    at(lambda: contact.edit(by=ana, website="x.example"), 2026, 3, 7)
    at(lambda: contact.edit(by=ana, website=""), 2026, 3, 8)
    at(lambda: kept.complete(by=ana), 2026, 3, 9)
    at(lambda: gone.delete_here(by=ana, undo_s=8), 2026, 3, 10)
    Task.objects.filter(pk=gone.pk).update(deleted_at=datetime(2026, 3, 10, 12, tzinfo=CHICAGO))
    at(lambda: made(Note(**of, body="New note"), ana), 2026, 3, 11)
    shown = read("?date=2026-03-01&to=2026-03-20")
    assert "Joliet" in shown and "Gary" not in shown and "x.example" not in shown and "marisol@" not in shown
    assert "Task changed" in shown and "Kept" in shown and "Task deleted" in shown and "Gone" in shown
    assert "Note added" in shown and "New note" in shown
    assert "Nothing was different" in read("?date=2026-03-15&to=2026-03-20")
    other_way_round = read("?date=2026-03-20&to=2026-03-01")
    assert other_way_round.split("<table")[1].split("</table")[0] == shown.split("<table")[1].split("</table")[0]


# --- told by who moved it ---------------------------------------------------------------------------------------------


def test_a_task_that_ghl_hung_on_another_contact_was_here_before(contact, location, ana, add_contact):
    task = made(Task(contact=contact, location=location, title="Moves"), ana)
    before = timezone.now()
    other = add_contact("Otto")
    task.contact = other
    task.save()
    HistoryEvent.objects.create(
        location=location, contact=other, task=task, kind="task_changed", actor_kind="ghl",
        changes={"contact": ["Marisol", "Otto"], "title": ["Moves", "Moved"]},
    )  # fmt: skip
    Task.objects.filter(pk=task.pk).update(title="Moved")
    after = timezone.now()
    here, there = Past(contact), Past(other)
    assert [one["title"] for one in here.at(before).records["task"].values()] == ["Moves"]
    assert here.at(after).records["task"] == {}
    assert [one["title"] for one in there.at(after).records["task"].values()] == ["Moved"]


# --- printed ----------------------------------------------------------------------------------------------------------


def test_every_line_is_printed_with_who_when_and_from_what_to_what(on_paper, at, contact, location, ana):
    at(lambda: contact.edit(by=ana, city="Gary"), 2026, 3, 1, 9, 5)
    at(lambda: contact.edit(by=ana, city="Joliet"), 2026, 3, 1, 9, 6)
    at(lambda: contact.add_tags([f"tag{n}" for n in range(8)], by=ana), 2026, 7, 1)
    shown = on_paper()
    assert shown.count("changed City") == 2 and "Gary" in shown and "09:05:00 CST" in shown and "CDT" in shown
    assert "tag7" in shown and shown.index("09:05:00") < shown.index("09:06:00")
    assert "by <bdi>Ana</bdi> at" in shown and "Northgate Roofing" in shown and "America/Chicago" in shown


def test_notes_are_printed_whole_and_as_they_were_written(on_paper, at, contact, location, ana):
    long = "\n".join(f"Line {number} of what was said." for number in range(300))
    note = at(lambda: made(Note(contact=contact, location=location, body=long), ana), 2026, 3, 1)
    at(lambda: note.edit(by=ana, body="Nothing was said."), 2026, 3, 2)
    shown = on_paper()
    assert shown.count("Line 299 of what was said.") == 2  # as written, and as what it was before the edit
    assert shown.count("Nothing was said.") == 1 and "…" not in shown.split("printed__lines")[1]


def test_a_period_alone_can_be_printed(on_paper, at, contact, ana):
    at(lambda: contact.edit(by=ana, city="Gary"), 2026, 3, 7, 23, 59)
    at(lambda: contact.edit(by=ana, city="Joliet"), 2026, 3, 8, 0, 0)
    shown = on_paper("?from=2026-03-08&to=2026-03-08")
    assert "1 line," in shown and "Joliet" in shown and "from 8 March 2026 to 8 March 2026" in shown
    assert "Nothing is known of these days" in on_paper("?from=2026-04-01")


def test_a_long_history_is_printed_to_the_end_and_says_where_that_is(on_paper, contact, add_event, monkeypatch):
    now = timezone.now()
    for number in range(60):
        changes = {"tags": [[], [f"n{number}x"]]}
        add_event(contact, "tags_changed", changes=changes, happened_at=now - timedelta(minutes=number))
    shown = on_paper()
    assert all(f"n{number}x" in shown for number in range(60)) and "are printed here" not in shown
    monkeypatch.setattr(printed, "MOST", 50)
    shown = on_paper()
    assert "Only the newest 50 lines" in shown and "n49x" in shown and "n50x" not in shown


def test_what_is_printed_runs_nothing_and_tells_no_deleted_note(on_paper, contact, location, ana):
    gone = made(Note(contact=contact, location=location, body="A secret"), ana)
    gone.edit(by=ana, body="Another secret")
    gone.delete_here(by=ana, undo_s=8)
    made(Note(contact=contact, location=location, body="<script>alert(1)</script><b>Loud</b>"), ana)
    contact.edit(by=ana, city="<svg onload=x>")
    shown = on_paper()
    assert "secret" not in shown and "deleted later" in shown
    assert "alert(1)" not in shown and "<svg onload" not in shown and "Loud" in shown


def test_what_ghl_told_much_later_says_when_it_was_read(on_paper, contact, add_event):
    add_event(contact, "contact_changed", changes={"city": ["", "Gary"]}, actor_kind="ghl", actor_name="",
              happened_at=timezone.now() - timedelta(days=3))  # fmt: skip
    shown = on_paper()
    assert "<small>read " in shown and "GHL" in shown


def test_the_menu_of_a_contact_leads_to_both(as_user, ana, contact):
    RemoteUser.objects.all().delete()
    page = as_user(ana).get(contact.get_absolute_url()).content.decode()
    assert f"/contacts/{contact.pk}/as-of/" in page and f"/contacts/{contact.pk}/history/print/" in page
