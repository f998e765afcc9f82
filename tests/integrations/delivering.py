"""What the worker and the sweeper do, and what GHL has of it."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from contacts.models import Change, Contact, Note, Task
from integrations.models import Delivery
from integrations.writing import writeback


def somebody(connection):
    people = Contact.objects.filter(location=connection.location).exclude(email="").exclude(phone="").exclude(city="")
    return people.order_by("pk").first()


def deliver(change, rounds=6):
    """What the worker and the sweeper do, without waiting for the clock."""
    for _ in range(rounds):
        Delivery.objects.filter(finished_at=None).update(next_at=timezone.now(), lease_until=None)
        for pk in writeback.waiting_deliveries():
            writeback.push(pk)
        change.refresh_from_db()
        if change.is_settled:
            break
    return change


def writes(sandbox, method="POST", path=""):
    return [e for e in sandbox.log()["entries"] if e["method"] == method and path in e["path"] and e["committed"]]


def remote(sandbox, kind, pk):
    records = sandbox.records(kind, id=pk)["records"]
    return records[0] if records else None


def new_note(person, by, body="Called back, wants a quote."):
    return Note(location=person.location, contact=person, body=body).create(by=by)


def new_task(person, by, title="Send the quote"):
    due = datetime(2027, 3, 1, 17, tzinfo=UTC)
    return Task(location=person.location, contact=person, title=title, due_at=due).create(by=by)


def deliver_all(rounds=8):
    for _ in range(rounds):
        Delivery.objects.filter(finished_at=None).update(next_at=timezone.now(), lease_until=None)
        for pk in writeback.waiting_deliveries():
            writeback.push(pk)
        if not Change.objects.unsettled().exists():
            break


def later(seconds):
    """So many seconds pass for whoever is in doubt whether GHL has what was sent, and before the next look."""
    for delivery in Delivery.objects.filter(finished_at=None).exclude(doubt_since=None):
        Delivery.objects.filter(pk=delivery.pk).update(doubt_since=delivery.doubt_since - timedelta(seconds=seconds))


def shown_in_ghl(sandbox, kind, person, key, words):
    """How many of the person's notes or tasks say just this in GHL."""
    return [row[key] for row in sandbox.records(kind, contact_id=person.remote_id)["records"]].count(words)
