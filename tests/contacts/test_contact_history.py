"""The history of a contact: who did what, old and new values, by day of the location's clock, page by page."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts.history import timeline
from contacts.history.timeline import query
from contacts.models import CustomField, Note

HTMX = {"HX-Request": "true"}


@pytest.fixture
def read(as_user, ana, contact):
    client = as_user(ana)

    def get(query="", headers=HTMX):
        response = client.get(f"/contacts/{contact.pk}/history/{query}", headers=headers)
        return response.content.decode() if response.status_code == 200 else response

    return get


def test_a_line_says_who_what_and_from_what_to_what(read, contact, ana):
    contact.edit(by=ana, city="Chicago")
    shown = read()
    assert "Ana" in shown and "changed City" in shown and "Chicago" in shown


def test_ids_are_told_by_name(read, contact, dana, add_event):
    CustomField.objects.create(location=contact.location, remote_id="cfRoof", name="Roof type", data_type="TEXT")
    whole = [{"cfRoof": "Tile", "cfOther": 1}, {"cfRoof": "Metal", "cfOther": 1}]
    add_event(contact, "contact_changed", changes={"custom_values": whole}, actor_kind="ghl", actor_name="")
    add_event(contact, "contact_changed", changes={"owner_remote_id": ["", dana.remote_id]}, actor_kind="person")
    shown = read()
    assert "Roof type" in shown and "Tile" in shown and "Metal" in shown and "cfOther" not in shown
    assert "Dana Whitlock" in shown and dana.remote_id not in shown


def test_small_edits_of_one_person_read_as_one(read, contact, ana):
    contact.edit(by=ana, city="Gary")
    contact.edit(by=ana, city="Chicago")
    contact.edit(by=ana, state="IL")
    shown = read()
    assert "changed 2 fields" in shown and shown.count('id="event-') == 1 and "Gary" not in shown


def test_done_and_undone_is_not_told(read, contact, ana, add_task):
    task = add_task(contact, "X", timezone.now() + timedelta(days=1))
    task.complete(by=ana)
    task.reopen(by=ana)
    assert "completed" not in read("?kind=tasks")


def test_days_begin_by_the_clock_of_the_location(read, contact, add_event):
    late = datetime(2026, 3, 5, 23, 30, tzinfo=ZoneInfo("America/Chicago"))
    add_event(contact, "tags_changed", happened_at=late, changes={"tags": [[], ["vip"]]})
    shown = read()
    assert "Thursday 5 March" in shown and "23:30" in shown


@pytest.mark.parametrize("kind, there", [("notes", "note_added"), ("tasks", "task_added"), ("changes", "tags_changed")])
def test_one_kind_at_a_time(read, contact, location, add_event, add_task, kind, there):
    note = Note.objects.create(contact=contact, location=location, body="The note")
    add_event(contact, "note_added", note=note)
    add_event(contact, "task_added", task=add_task(contact, "The task", None))
    add_event(contact, "tags_changed", changes={"tags": [[], ["thetag"]]})
    shown = read(f"?kind={kind}")
    words = {"note_added": "The note", "task_added": "The task", "tags_changed": "thetag"}
    assert [key for key, word in words.items() if word in shown] == [there]


def test_earlier_lines_come_page_by_page_without_a_gap(read, contact, add_event, monkeypatch):
    monkeypatch.setattr(query, "PAGE", 3)
    now = timezone.now()
    for number in range(8):
        changes = {"tags": [[], [f"tag-{number}"]]}
        add_event(contact, "tags_changed", changes=changes, happened_at=now - timedelta(hours=number))
    seen, address = [], ""
    for _ in range(3):
        shown = read(address, headers={**HTMX, "HX-Target": "history-more"})
        seen += [number for number in range(8) if f"tag-{number}" in shown]
        address = f"?after={shown.split('after=')[1].split(chr(34))[0]}" if "after=" in shown else None
    assert seen == list(range(8)) and address is None
    assert "tag-7" not in read() and "tag-3" not in read()


def test_what_was_read_stays_when_the_list_is_read_anew(read, contact, add_event, monkeypatch):
    monkeypatch.setattr(query, "PAGE", 2)
    now = timezone.now()
    events = [add_event(contact, "tags_changed", happened_at=now - timedelta(hours=n)) for n in range(6)]
    shown = read(f"?until={timeline.NEWEST.cursor(events[3])}")
    assert [event.pk for event in events if f"event-{event.pk}" in shown] == [event.pk for event in events[:4]]


@pytest.mark.parametrize("query", ["?after=nonsense", "?until=%00", "?kind=nonsense", "?note=abc", "?after=WzEsMl0"])
def test_a_broken_address_shows_the_beginning(read, contact, ana, query):
    contact.edit(by=ana, city="Chicago")
    assert "changed City" in read(query)


def test_what_comes_next_stands_on_top(read, contact, add_task, add_appointment):
    now = timezone.now()
    add_appointment(contact, now + timedelta(days=2), "Site visit", status="confirmed")
    add_appointment(contact, now + timedelta(days=3), "Called off", status="cancelled")
    add_task(contact, "Confirm crew", now + timedelta(days=1))
    shown = read()
    assert shown.index("Upcoming") < shown.index("Confirm crew") < shown.index("Site visit")
    assert "Called off" not in shown


def test_a_note_that_was_deleted_keeps_its_line_not_its_text(read, contact, ana, location):
    note = Note(contact=contact, location=location, body="A secret")
    note.create(by=ana)
    note.delete_here(by=ana, undo_s=8)
    shown = read()
    assert "wrote a note" in shown and "This note was deleted" in shown and "A secret" not in shown


def test_every_kind_of_event_has_its_words(contact, add_event):
    from contacts.models import HistoryEvent

    events = [add_event(contact, kind) for kind in HistoryEvent.Kind.values]
    assert all(kind in timeline.DONE for kind in HistoryEvent.Kind.values)
    assert timeline.lines_of(events, contact.location)


def test_without_scripts_the_filters_lead_to_the_page(read, contact):
    assert read("?kind=notes", headers={})["Location"] == f"{contact.get_absolute_url()}?kind=notes"


def test_nothing_yet_says_so(read):
    assert "No history yet" in read()
    assert "Nothing of this kind" in read("?kind=notes")
