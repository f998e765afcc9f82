"""What a reconciliation had to put right is counted, and what no webhook had announced is noticed."""

import json
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from contacts.models import Contact, Task
from integrations.management.commands.sync import wait_for
from integrations.models import InboundEvent, Incident, SyncRun
from integrations.news import events
from integrations.reading import drift, sync

pytestmark = pytest.mark.django_db(transaction=True)

YESTERDAY = "2026-01-05T12:00:00Z"


def read(connection, kind="nightly"):
    run = wait_for(sync.start(connection, kind))
    assert run.outcome == "complete", run.stop_reason
    return run


def tell(connection, kind, remote_id, contact_id=""):
    body = {"type": kind, "locationId": connection.location.remote_id, "webhookId": f"{kind} {remote_id}"}
    events.store(json.dumps(body | {"id": remote_id} | ({"contactId": contact_id} if contact_id else {})).encode())
    InboundEvent.objects.update(finished_at=timezone.now())


def edited(sandbox, contacts, **stamp):
    for number, contact in enumerate(contacts):
        sandbox.edit("contact", "update", contact.remote_id, city=f"Elgin {number}", **stamp)


def test_a_run_says_what_it_found_missing_stale_and_extra(synced, sandbox, settings):
    settings.GHL_SETTLE_S = 0.0
    one, other = Contact.objects.order_by("pk")[:2]
    edited(sandbox, [one], dateUpdated="2099-01-01T00:00:00Z")
    Contact.objects.filter(pk=one.pk).update(remote_updated_at=None)
    sandbox.edit("contact", "delete", other.remote_id)
    sandbox.edit("contact", "create", firstName="New", dateAdded=YESTERDAY, dateUpdated=YESTERDAY)
    run = read(synced)
    assert run.found["contacts"]["extra"] == 1
    assert run.found["contacts"]["missing"] == 1
    assert "stale" not in run.found["contacts"]  # so young that its webhook may be on the way


def test_a_first_read_counts_nothing(connection):
    assert read(connection, "full").found == {}


def test_changes_that_webhooks_announced_are_no_gap(synced, sandbox):
    people = list(Contact.objects.order_by("pk")[:4])
    edited(sandbox, people)
    for person in people:
        tell(synced, "ContactUpdate", person.remote_id)
    read(synced, "recent")
    run = read(synced, "recent")
    assert "unannounced" not in run.found.get("contacts", {})


def test_changes_that_no_webhook_announced_open_a_gap_and_calm_closes_it(synced, sandbox):
    tell(synced, "ContactUpdate", "somebody")  # webhooks do come
    people = list(Contact.objects.order_by("pk")[:6])
    edited(sandbox, people[:3])
    read(synced, "recent")
    edited(sandbox, people[3:])
    run = read(synced, "recent")
    assert run.found["contacts"]["unannounced"] == 3
    assert not Incident.objects.filter(kind="gap").exists()  # one run may be an accident
    read(synced, "recent")
    incident = Incident.objects.get(kind="gap", closed_at=None)
    assert "6 changes" in incident.reason
    seen = drift.announcements(synced)
    assert (seen.announced, seen.unannounced, seen.runs) == (1, 6, 2)
    SyncRun.objects.update(started_at=F("started_at") - timedelta(hours=25))
    read(synced, "recent")
    incident.refresh_from_db()
    assert incident.closed_at is not None


def test_a_few_unannounced_ones_among_many_announced_are_no_gap(synced, sandbox):
    for number in range(40):
        tell(synced, "ContactUpdate", f"somebody{number}")
    people = list(Contact.objects.order_by("pk")[:4])
    for half in (people[:2], people[2:]):
        edited(sandbox, half)
        read(synced, "recent")
    read(synced, "recent")
    assert drift.announcements(synced).unannounced == 4
    assert not Incident.objects.filter(kind="gap").exists()


def test_a_task_that_was_only_edited_has_no_webhook_to_miss(synced, sandbox):
    tell(synced, "ContactUpdate", "somebody")
    task = Task.objects.present().filter(completed=False).first()
    sandbox.edit("task", "update", task.remote_id, title="Another title", dateUpdated="2099-01-01T00:00:00Z")
    read(synced, "recent")
    assert read(synced, "recent").found.get("tasks", {}).get("unannounced") is None
    task.refresh_from_db()
    assert task.title == "Another title"


def test_a_note_is_announced_by_its_contact_too(synced, sandbox):
    tell(synced, "ContactUpdate", "somebody")
    person = Contact.objects.first()
    sandbox.edit("note", "create", contactId=person.remote_id, body="News")
    sandbox.edit("contact", "update", person.remote_id, city="Elgin")
    tell(synced, "ContactUpdate", person.remote_id)
    read(synced, "recent")
    assert "unannounced" not in read(synced, "recent").found.get("notes", {})


def test_without_any_webhook_ever_there_is_no_gap_to_speak_of(synced, sandbox):
    for people in (Contact.objects.order_by("pk")[:4], Contact.objects.order_by("pk")[4:8]):
        edited(sandbox, people)
        read(synced, "recent")
    read(synced, "recent")
    assert not Incident.objects.filter(kind="gap").exists()
    assert drift.announcements(synced).last_webhook is None
