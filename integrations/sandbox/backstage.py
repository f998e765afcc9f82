"""Someone at work inside GHL itself: looks at records and changes them without going through the API."""

from . import contacts
from .contact_shapes import by_id, full_name
from .moments import now_ms, parsed_ms
from .routes import appointments, notes, tasks
from .store import new_id

KINDS = {
    "contacts": lambda record, location: by_id(record) | {"name": full_name(record)},
    "notes": lambda record, location: notes.shape(record),
    "tasks": lambda record, location: tasks.row(record, location) | {"id": record["id"]},
    "appointments": appointments.event,
}
HAND = {"source": "WEB_USER", "channel": "APP", "sourceId": "sandbox"}


def records(company, location, query):
    kind = query["kind"].rstrip("s") + "s"
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    places = [location] if location else company.locations.values()
    record_id = query.get("id") or (query.get("contact_id") if kind == "contacts" else None)
    if record_id:
        location = company.location_with(kind, record_id)
        found = [(location, getattr(location, kind).get(record_id))] if location else []
    elif query.get("contact_id"):
        found = [(place, one) for place in places for one in getattr(place, kind).of(query["contact_id"])]
    else:
        found = [(place, one) for place in places for one in getattr(place, kind)]
    return {"kind": kind, "count": len(found), "records": [KINDS[kind](one, place) for place, one in found]}


def signature():
    return {**HAND, "timestamp": now_ms()}


def holder(company, kind, record_id):
    location = company.location_with(kind, record_id)
    if location is None:
        raise ValueError(f"no {kind} record {record_id}")
    return location


def home_of_new(company, body):
    values = body.get("values", {})
    if values.get("contactId"):
        return holder(company, "contacts", values["contactId"])
    location_id = body.get("location_id") or values.get("locationId")
    return company.locations[location_id] if location_id else company.first


def edit_contact(company, body):
    values = dict(body.get("values") or {})
    if body["action"] == "create":
        location = home_of_new(company, body)
        contact = contacts.created(location, values, signature())
        return by_id(_with_rest(location, contact, values))
    location = holder(company, "contacts", body["id"])
    contact = location.contacts.get(body["id"])
    if body["action"] == "delete":
        location.forget_contact(contact["id"])
        return {"id": contact["id"], "deleted": True}
    return by_id(_with_rest(location, contacts.edited(location, contact, values, signature()), values))


def _with_rest(location, contact, values):
    """What the API would not let you write: the app inside GHL does."""
    rest = {
        name: values[name]
        for name in ("additionalEmails", "additionalPhones", "businessId", "followers", "type")
        if name in values
    }
    return location.contacts.change(contact["id"], **rest) if rest else contact


def edit_note(company, body):
    values = dict(body.get("values") or {})
    if body["action"] == "create":
        location = home_of_new(company, body)
        values = {"id": new_id(), "body": "", "pinned": False, "dateAdded": now_ms(), **values}
        return notes.shape(location.notes.put(values))
    location = holder(company, "notes", body["id"])
    if body["action"] == "delete":
        location.notes.remove(body["id"])
        return {"id": body["id"], "deleted": True}
    return notes.shape(location.notes.change(body["id"], **values))


def edit_task(company, body):
    values = dict(body.get("values") or {})
    if "dueDate" in values:
        values["dueDate"] = parsed_ms(values["dueDate"])
    now = now_ms()
    if body["action"] == "create":
        location = home_of_new(company, body)
        defaults = {"id": new_id(), "title": "", "completed": False, "dueDate": now, "dateAdded": now}
        return tasks.shape(location.tasks.put({**defaults, "dateUpdated": now, **values}))
    location = holder(company, "tasks", body["id"])
    if body["action"] == "delete":
        location.tasks.remove(body["id"])
        return {"id": body["id"], "deleted": True}
    return tasks.shape(location.tasks.change(body["id"], dateUpdated=now, **values))


def edit_appointment(company, body):
    values = dict(body.get("values") or {})
    now = now_ms()
    creating = body["action"] == "create"
    location = home_of_new(company, body) if creating else holder(company, "appointments", body["id"])
    for name in ("startTime", "endTime"):
        if name in values:
            values[name] = parsed_ms(values[name], location.timezone)
    if creating:
        starts = values.get("startTime", now)
        defaults = {
            "id": new_id(),
            "calendarId": next(iter(location.calendars.rows)),
            "title": "Appointment",
            "appointmentStatus": "confirmed",
            "startTime": starts,
            "endTime": starts + 30 * 60_000,
            "dateAdded": now,
            "source": "calendar_page",
        }
        return appointments.event(location.appointments.put({**defaults, "dateUpdated": now, **values}), location)
    if body["action"] == "delete":
        values = {"deleted": True}
    return appointments.event(location.appointments.change(body["id"], dateUpdated=now, **values), location)


EDITS = {"contact": edit_contact, "note": edit_note, "task": edit_task, "appointment": edit_appointment}
