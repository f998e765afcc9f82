"""What GHL tells us by webhook: verified, stored, answered; then the record is read again by its id.

An event is a hint that something moved. Nothing of its payload but ids is believed: it may come twice, late, or in any
order.
"""

import hashlib
import json
import logging
from datetime import timedelta
from functools import lru_cache, partial

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts.models import Contact, Task
from integrations import sync
from integrations.gateway import client_for
from integrations.ghl import errors, payloads, signature
from integrations.merge import merge, remove
from integrations.models import Connection, InboundEvent
from integrations.tokens import ConnectionParked

log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=1)
OUR_FAULT = "Something went wrong on our side. The next sync reads what it was about."
# What to read again, by the first word of the event's type.
PARTS = {"Contact": ["record"], "Note": ["notes"], "Task": ["tasks"], "Appointment": ["appointments"]}


class Unsigned(Exception):
    """Nobody we know has signed this."""


class Unreadable(Exception):
    """Signed, but not an event."""


def receive(body, signed):
    """Store a webhook. The row, or None when it is stored already. Raises Unsigned, Unreadable or a database error."""
    if not signature.is_signed(known_keys(), body, signed):
        raise Unsigned
    try:
        event = json.loads(body)
    except ValueError:
        raise Unreadable from None
    if not isinstance(event, dict):
        raise Unreadable
    try:
        with transaction.atomic():
            return InboundEvent.objects.create(
                event_id=str(event.get("webhookId") or hashlib.sha256(body).hexdigest())[:100],
                kind=str(event.get("type") or "")[:60],
                remote_location_id=_text(event.get("locationId"))[:64],
                body=body,
            )
    except IntegrityError:
        return None


def handle(pk):
    """Look again at what the event names. The sync runs to ring for, if any; the event is done or due again."""
    event = InboundEvent.objects.claim(pk)
    if event is None:
        return []
    return event.work(partial(_look, event), give_up=partial(_finish, event, "failed", OUR_FAULT)) or []


def _look(event):
    try:
        return _handle(event)
    except ConnectionParked as parked:
        return _finish(event, "failed", parked.plain)
    except errors.GhlError as trouble:
        event.release(next_at=timezone.now() + timedelta(seconds=trouble.retry_after or 10), reason=trouble.plain)
        return []


def waiting_events():
    return InboundEvent.objects.due().order_by("pk").values_list("pk", flat=True)[:500]


def _handle(event):
    parts = next((parts for word, parts in PARTS.items() if event.kind.startswith(word)), None)
    if parts is None:
        return _finish(event, "kept")
    connection = (
        Connection.objects.working()
        .filter(location__remote_id=event.remote_location_id)
        .select_related("location")
        .first()
    )
    if connection is None:
        return _finish(event, "not_ours")
    remote_id = _contact_of(event, connection.location)
    if not remote_id:  # GHL leaves the contact out of some task events: the next walk over all tasks finds it
        run = sync.start(connection)
        return _finish(event, "handled", "read with the location's recent changes") or [run]
    contact = connection.location.contacts.filter(remote_id=remote_id).first()
    if contact is None or "record" in parts:
        contact = _read(connection, remote_id, contact)
        if contact is None or parts == ["record"]:
            return _finish(event, "handled")
    run = sync.start_contact(contact, only=parts)
    if run is None:
        return _finish(event, "handled")
    if run.fence or not set(parts) <= set(run.cursor.get("parts", parts)):
        # Someone reads this person already and may have passed the place: look again when they are done.
        event.release(next_at=timezone.now() + AGAIN)
        return [run]
    _finish(event, "handled")
    return [run]


def _contact_of(event, location):
    """The id of the contact an event is about, from whatever it tells."""
    said = json.loads(bytes(event.body))
    if event.kind.startswith("Contact"):
        return _text(said.get("id"))
    if event.kind.startswith("Appointment"):
        said = said.get("appointment") if isinstance(said.get("appointment"), dict) else said
    if _text(said.get("contactId")):
        return said["contactId"]
    task = Task.objects.filter(location=location, remote_id=_text(said.get("id")) or None).first()
    return task.contact.remote_id if task else ""


def _read(connection, remote_id, known):
    """The contact as GHL has it now, brought in; None when GHL has it no more."""
    with client_for(connection, "webhook") as client:
        try:
            values = payloads.contact_values(client.get_contact(remote_id))
        except errors.NotFound:
            if known:
                remove(connection.location, Contact, [known])
            return None
    merge(connection.location, Contact, [values])
    return connection.location.contacts.filter(remote_id=remote_id).first()


def _finish(event, outcome, reason=""):
    event.release(finished_at=timezone.now(), outcome=outcome, reason=reason)
    return []


def _text(value):
    return value if isinstance(value, str) else ""


def known_keys():
    """The public keys of GHL we accept."""
    return _keys(settings.GHL_WEBHOOK_PUBLIC_KEYS)


@lru_cache(maxsize=4)
def _keys(text):
    try:
        return signature.keys_in(text or signature.PUBLISHED_KEY)
    except ValueError as wrong:
        raise ImproperlyConfigured(f"GHL_WEBHOOK_PUBLIC_KEYS is not usable: {wrong}.") from None
