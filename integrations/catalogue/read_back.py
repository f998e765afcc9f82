"""What may be done about a creation whose answer was lost, operation by operation. What is not named here stops.

`BY_THE_OUTBOX` are acts our own outbox does, with the row here, the line of history and the looking for what was made.
`HARMLESS_TWICE` leave GHL the second time as the first time did. `LOOK_FOR` finds what was made.
"""

from typing import Any

from contacts.models import Appointment, Contact, Note, Task
from contacts.models.mirrored import plain
from integrations.ghl import payloads

# operation: (our record, what of the body that record can carry)
BY_THE_OUTBOX = {
    "contacts.create-note": (Note, {"body", "userId", "title", "color", "pinned"}),
    "contacts.create-task": (Task, {"title", "body", "dueDate", "completed", "assignedTo"}),
    "contacts.create-contact": (
        Contact,
        {"locationId", "firstName", "lastName", "email", "phone", "companyName", "assignedTo", "source", "address1",
         "city", "state", "postalCode", "country", "website", "timezone", "dateOfBirth", "dnd", "customFields", "tags"},
    ),
    "calendars.create-appointment": (
        Appointment,
        {"locationId", "contactId", "calendarId", "title", "appointmentStatus", "startTime", "endTime", "address",
         "assignedUserId"},
    ),
}  # fmt: skip


def _says_who(body):
    """Without either GHL makes another contact each time."""
    return bool(body.get("email") or body.get("phone"))


HARMLESS_TWICE = {
    "contacts.add-tags": lambda body: True,
    "contacts.add-followers-contact": lambda body: True,
    "contacts.create-association": lambda body: True,  # tags of many contacts
    "contacts.add-remove-contact-from-business": lambda body: True,
    "contacts.upsert-contact": _says_who,
    "opportunities.add-followers-opportunity": lambda body: True,
}


def _named(rows, body, *also):
    """The row of this name, and with the same values under the names in `also`."""
    name = str(body.get("name", "")).strip().casefold()
    for row in rows if isinstance(rows, list) else []:
        same = all(row.get(key) == body.get(key) for key in also)
        if same and str(row.get("name", "")).strip().casefold() == name:
            return row
    return None


def _tag(client, body):
    rows = client.transport.request("GET", f"/locations/{client.location_id}/tags").get("tags")
    return _named(rows, body)


def _custom_value(client, body):
    rows = client.transport.request("GET", f"/locations/{client.location_id}/customValues").get("customValues")
    return _named(rows, body, "value")


LOOK_FOR = {"locations.create-tag": _tag, "locations.create-custom-value": _custom_value}


def is_harmless_twice(operation, body):
    if operation.is_harmless_twice:
        return True
    test = HARMLESS_TWICE.get(operation.key)
    return test is not None and test(body or {})


def record_for(operation, request, values, location):
    """A new record of ours that says just what the request says, or None when ours cannot carry all of it."""
    model, known = BY_THE_OUTBOX.get(operation.key, (None, set()))
    body = request.json or {}
    if model is None or not body.keys() <= known:
        return None
    record: Any = model(location=location)
    if model is not Contact:
        remote_id = (values.get("params") or {}).get("contactId") or body.get("contactId")
        record.contact = location.contacts.filter(remote_id=remote_id, deleted_at=None).first()
        if record.contact is None:
            return None
    for key, value in _in_our_words(model, body, location).items():
        if key in model.VALUES and value not in ("", None, [], {}, False):
            record.set_value(key, plain(value))
            if record.value(key) != plain(value):
                return None  # somebody or something we have not read yet
    return record


def _in_our_words(model, body, location):
    if model is Appointment:
        return payloads.appointment_values(body, location.zone)
    words = {Note: payloads.note_values, Task: payloads.task_values, Contact: payloads.contact_values}[model](body)
    if "dnd" not in body:
        words.pop("dnd_settings", None)
    return words
