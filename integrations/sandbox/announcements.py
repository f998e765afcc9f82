"""What GHL tells an app about a change: the events of a record, thin as GHL makes them."""

from .contact_shapes import full_name
from .moments import iso

CONTACT_FIELDS = """address1 city companyName country source dnd email firstName lastName phone postalCode state tags
website assignedTo customFields dateOfBirth""".split()  # noqa: SIM905  a list of words reads better as words
# No page of GHL's names these two; they are sent only when `undocumented_webhooks` is set.
UNDOCUMENTED = {"UserUpdate", "UserDelete"}


def contact_events(location, old, new):
    contact = new or old
    payload = {name: contact[name] for name in CONTACT_FIELDS if name in contact}
    payload |= {"id": contact["id"], "name": full_name(contact), "dateAdded": iso(contact["dateAdded"])}
    if old is None or new is None:
        yield {"type": "ContactCreate" if old is None else "ContactDelete", **payload}
        return
    tags, dnd = old["tags"] != new["tags"], ("dnd", "dndSettings")
    if tags:
        yield {"type": "ContactTagUpdate", **payload}
    if any(old.get(name) != new.get(name) for name in dnd):
        yield {"type": "ContactDndUpdate", **payload, "dndSettings": new.get("dndSettings") or {}}
    if any(old.get(name) != new.get(name) for name in CONTACT_FIELDS if name not in ("tags", "dnd")):
        yield {"type": "ContactUpdate", **payload}


def note_events(location, old, new):
    """No author, title, colour or pin: whoever needs them reads the note."""
    note = new or old
    payload = {name: note[name] for name in ("id", "body", "contactId")}
    yield {"type": _verb("Note", old, new), **payload, "dateAdded": iso(note["dateAdded"])}


def task_events(location, old, new):
    """There is no TaskUpdate: edits of a task, and its reopening, are told to nobody."""
    task = new or old
    completed = old is not None and new is not None and new["completed"] and not old["completed"]
    if old is not None and new is not None and not completed:
        return
    payload = {name: task.get(name) for name in ("id", "assignedTo", "body", "contactId", "title")}
    kind = "TaskComplete" if completed else _verb("Task", old, new)
    yield {"type": kind, **payload, "dateAdded": iso(task["dateAdded"]), "dueDate": iso(task["dueDate"])}


def appointment_events(location, old, new):
    one = new or old
    names = (
        "id",
        "title",
        "calendarId",
        "contactId",
        "groupId",
        "appointmentStatus",
        "assignedUserId",
        "users",
        "source",
    )
    appointment = {name: one.get(name) for name in names} | {"address": one.get("address") or ""}
    appointment |= {name: iso(one[name]) for name in ("startTime", "endTime", "dateAdded", "dateUpdated")}
    gone = new is not None and new.get("deleted")
    kind = "AppointmentDelete" if gone else _verb("Appointment", old, new)
    yield {"type": kind, "appointment": appointment}


def user_events(location, old, new):
    user = new or old
    names = ("id", "firstName", "lastName", "email", "phone", "extension", "permissions")
    payload = {name: user.get(name) for name in names} | {"role": user["roles"]["role"]}
    yield {"type": _verb("User", old, new), **payload}


def location_events(location, old, new):
    names = ("id", "companyId", "name", "email", "stripeProductId")
    payload = {name: new.get(name, "") for name in names}
    yield {"type": _verb("Location", old, new), **payload}


def _verb(noun, old, new):
    return noun + ("Create" if old is None else "Delete" if new is None else "Update")


EVENTS = {
    "contacts": contact_events,
    "notes": note_events,
    "tasks": task_events,
    "appointments": appointment_events,
    "users": user_events,
    "location": location_events,
}
