"""Webhooks are verified, stored and answered at once; what they name is read again by its id."""

import random

import pytest

from contacts.models import Contact, Note, Task
from integrations.access import connect
from integrations.models import InboundEvent
from integrations.news import topics
from rankr_dash.shared_redis import shared_redis
from tests.integrations.posting import about, let_time_pass, our_key, post, ring_for_what_is_due, work_off  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_changed_contact_is_read_again(client, synced, sandbox):
    person = Contact.objects.first()
    sandbox.edit("contact", "update", person.remote_id, firstName="Zoë")
    answer = post(client, about(synced, "ContactUpdate", id=person.remote_id, firstName="A lie in the payload"))
    assert answer.status_code == 200
    work_off()
    person.refresh_from_db()
    assert person.first_name == "Zoë"


def test_a_new_contact_a_new_note_a_new_task_and_a_deletion_arrive(client, synced, sandbox):
    made = sandbox.edit("contact", "create", firstName="Nadia", email="nadia@example.com")["record"]
    sandbox.edit("note", "create", contactId=made["id"], body="Met at the fair.")
    task = sandbox.edit("task", "create", contactId=made["id"], title="Call Nadia", dueDate="2027-01-04T15:00:00Z")
    gone = Contact.objects.first()
    sandbox.edit("contact", "delete", gone.remote_id)
    post(client, about(synced, "NoteCreate", id="x", contactId=made["id"]))
    post(client, about(synced, "TaskCreate", id=task["record"]["id"], contactId=made["id"]))
    post(client, about(synced, "ContactDelete", id=gone.remote_id))
    work_off()
    assert Note.objects.filter(contact__first_name="Nadia", body="Met at the fair.").exists()
    assert Task.objects.filter(contact__first_name="Nadia", title="Call Nadia").exists()
    gone.refresh_from_db()
    assert gone.deleted_at


def test_a_task_event_without_its_contact_is_resolved(client, synced, sandbox):
    person = Contact.objects.first()
    made = sandbox.edit("task", "create", contactId=person.remote_id, title="Thin", dueDate="2027-01-04T15:00:00Z")
    post(client, about(synced, "TaskCreate", id=made["record"]["id"]))
    work_off()
    assert Task.objects.filter(title="Thin", contact=person).exists()


def test_the_same_event_twice_is_one_row(client, synced):
    event = about(synced, "ContactUpdate", id=Contact.objects.first().remote_id)
    assert [post(client, event).status_code for _ in range(3)] == [200, 200, 200]
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize("event, outcome", [
    ({"type": "InvoicePaid", "locationId": "somewhere"}, "kept"),
    ({"type": "ContactUpdate", "locationId": "somewhere", "id": "x"}, "not_ours"),
    ({"type": "ContactUpdate", "locationId": None, "id": 7}, "not_ours"),
    ({"type": "AppointmentUpdate", "appointment": "not an object"}, "not_ours"),
    ({}, "kept"),
])  # fmt: skip
def test_what_we_cannot_use_is_kept_with_a_word(event, outcome, client, db):
    assert post(client, event).status_code == 200
    work_off()
    assert InboundEvent.objects.get().outcome == outcome


# --- settings and the app itself --------------------------------------------------------------------------------------


def test_a_changed_location_and_a_changed_user_are_read_again_and_nothing_else(client, synced, sandbox):
    user = synced.location.remote_users.first()
    sandbox.edit("user", "update", user.remote_id, firstName="Renamed")
    sandbox.edit("location", "update", synced.location.remote_id, name="Northgate Roofs")
    before = sandbox.log()["last"]
    post(client, {"type": "LocationUpdate", "id": synced.location.remote_id, "webhookId": "l"})
    post(client, about(synced, "UserUpdate", id=user.remote_id))
    post(client, about(synced, "UserCreate", id="another"))
    work_off()
    synced.location.refresh_from_db()
    user.refresh_from_db()
    assert synced.location.name == "Northgate Roofs"
    assert user.name.startswith("Renamed")
    assert len(sandbox.log(since=before)["entries"]) == 2, "both events about users cost one read"


def test_an_agencys_user_is_looked_for_in_each_of_our_locations(client, synced, sandbox):
    before = sandbox.log()["last"]
    event = {"type": "UserCreate", "companyId": "k", "id": "u", "locations": [synced.location.remote_id, "other", 7]}
    post(client, event)
    post(client, {**event, "locations": ["other"], "webhookId": "2"})
    post(client, {**event, "locations": None, "webhookId": "3"})
    work_off()
    assert [entry["path"] for entry in sandbox.log(since=before)["entries"]] == ["/users/"]
    assert sorted(InboundEvent.objects.values_list("outcome", flat=True)) == ["handled", "not_ours", "not_ours"]


def test_an_install_nobody_has_connected_yet_is_kept_and_an_uninstall_of_it_is_not_ours(client, sandbox):
    app_id = sandbox.credentials["app_id"]
    for kind in ("INSTALL", "UNINSTALL"):
        post(client, {"type": kind, "appId": app_id, "locationId": "stranger", "companyId": "k", "webhookId": kind})
    work_off()
    outcomes = dict(InboundEvent.objects.values_list("kind", "outcome"))
    assert outcomes == {"INSTALL": "kept", "UNINSTALL": "not_ours"}


# --- news and truth ---------------------------------------------------------------------------------------------------


def test_a_deletion_that_is_not_true_removes_nobody_and_is_checked_again(client, synced, sandbox):
    person = Contact.objects.first()
    post(client, about(synced, "ContactDelete", id=person.remote_id))
    ring_for_what_is_due()
    assert InboundEvent.objects.get().finished_at is None
    let_time_pass(21)
    ring_for_what_is_due()
    assert InboundEvent.objects.get().outcome == "handled"
    person.refresh_from_db()
    assert person.deleted_at is None


def test_when_ghl_reads_late_the_second_look_finds_what_the_news_said(client, synced, sandbox):
    gone, edited = Contact.objects.order_by("pk")[:2]
    sandbox.edit("contact", "delete", gone.remote_id)
    note = sandbox.edit("note", "create", contactId=edited.remote_id, body="Late")["record"]
    sandbox.faults({"match": {"method": "GET", "times": 100}, "action": {"stale_read": 60_000}})
    post(client, about(synced, "ContactDelete", id=gone.remote_id))
    post(client, about(synced, "NoteCreate", id=note["id"], contactId=edited.remote_id))
    ring_for_what_is_due()
    assert InboundEvent.objects.filter(finished_at=None).count() == 2
    sandbox.no_faults()
    let_time_pass(21)
    ring_for_what_is_due()
    assert Note.objects.filter(contact=edited, remote_id=note["id"]).exists()
    gone.refresh_from_db()
    assert gone.deleted_at


def test_a_late_update_does_not_bring_back_what_was_deleted(client, synced, sandbox):
    person = Contact.objects.first()
    sandbox.edit("contact", "delete", person.remote_id)
    post(client, about(synced, "ContactDelete", id=person.remote_id))
    work_off()
    post(client, about(synced, "ContactUpdate", id=person.remote_id, firstName="Undead"))
    post(client, about(synced, "NoteUpdate", id="n", contactId=person.remote_id))
    ring_for_what_is_due()
    let_time_pass(21)
    ring_for_what_is_due()
    assert not InboundEvent.objects.filter(finished_at=None).exists()
    person.refresh_from_db()
    assert person.deleted_at


def test_in_any_order_and_twice_the_end_is_ghls(client, synced, sandbox):
    dice = random.Random(12)
    people = list(Contact.objects.order_by("pk")[:8])
    told = []
    for number, person in enumerate(people):
        note = sandbox.edit("note", "create", contactId=person.remote_id, body=f"Note {number}")["record"]
        told.append(about(synced, "NoteCreate", id=note["id"], contactId=person.remote_id))
        sandbox.edit("contact", "update", person.remote_id, lastName=f"Last {number}")
        told.append(about(synced, "ContactUpdate", id=person.remote_id))
        if number % 2:
            sandbox.edit("note", "delete", note["id"], contactId=person.remote_id)
            told.append(about(synced, "NoteDelete", id=note["id"], contactId=person.remote_id))
        if number % 4 == 3:
            sandbox.edit("contact", "delete", person.remote_id)
            told.append(about(synced, "ContactDelete", id=person.remote_id))
    told *= 2
    dice.shuffle(told)
    for event in told:
        assert post(client, event).status_code == 200
        if dice.random() < 0.2:
            ring_for_what_is_due()
    for _ in range(3):
        ring_for_what_is_due()
        let_time_pass(21)
    assert not InboundEvent.objects.filter(finished_at=None).exists()
    for number, person in enumerate(people):
        person.refresh_from_db()
        assert bool(person.deleted_at) == (number % 4 == 3)
        if person.deleted_at is None:
            assert person.last_name == f"Last {number}"
            assert person.notes.filter(body=f"Note {number}", deleted_at=None).exists() == (number % 2 == 0)


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_while_ghl_is_in_trouble_events_wait_longer_and_longer(client, synced, sandbox):
    person = Contact.objects.first()
    sandbox.faults({"match": {"path": "/contacts/.*", "times": 100}, "action": {"status": 500}})
    post(client, about(synced, "ContactUpdate", id=person.remote_id))
    ring_for_what_is_due()
    event = InboundEvent.objects.get()
    assert (event.finished_at, event.lease_until) == (None, None)
    assert event.next_at > event.received_at
    assert event.reason
    sandbox.no_faults()
    shared_redis().flushdb()  # the breaker's memory
    work_off()
    event.refresh_from_db()
    assert event.outcome == "handled"


def test_while_the_connection_does_not_work_events_wait_for_days(client, synced, sandbox):
    person = Contact.objects.first()
    sandbox.edit("contact", "update", person.remote_id, firstName="Zoë")
    synced.park("suspended", "The bill was not paid.")
    post(client, about(synced, "ContactUpdate", id=person.remote_id))
    work_off()
    assert InboundEvent.objects.get().finished_at is None
    type(synced).objects.filter(pk=synced.pk).update(status="active")
    work_off()
    person.refresh_from_db()
    assert person.first_name == "Zoë"


def test_after_days_it_is_given_up_with_the_reason(client, synced):
    synced.park("suspended", "The bill was not paid.")
    post(client, about(synced, "ContactUpdate", id="x"))
    let_time_pass(4 * 86_400)
    ring_for_what_is_due()
    event = InboundEvent.objects.get()
    assert (event.outcome, event.reason) == ("failed", "The bill was not paid.")


def test_a_connection_that_was_ended_here_takes_no_events(client, synced):
    connect.disconnect(synced)
    post(client, about(synced, "ContactUpdate", id="x"))
    work_off()
    assert InboundEvent.objects.get().outcome == "not_ours"


def test_what_nobody_foresaw_is_tried_again_and_at_last_given_up(client, synced, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(topics.reread, "parts_of", broken)
    person = Contact.objects.first()
    for number in range(3):
        post(client, about(synced, "NoteUpdate", id=f"n{number}", contactId=person.remote_id))
    work_off(rounds=10)
    assert set(InboundEvent.objects.values_list("outcome", flat=True)) == {"failed"}


def test_a_worker_that_is_told_to_end_gives_back_what_it_held(client, synced, monkeypatch):
    def stopped(*_):
        raise SystemExit

    monkeypatch.setattr(topics.reread, "parts_of", stopped)
    person = Contact.objects.first()
    for number in range(3):
        post(client, about(synced, "NoteUpdate", id=f"n{number}", contactId=person.remote_id))
    with pytest.raises(SystemExit):
        ring_for_what_is_due()
    assert InboundEvent.objects.due().count() == 3
