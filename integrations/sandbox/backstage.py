"""Someone at work inside GHL itself: looks at records and changes them without going through the API."""

from . import contacts, hand
from .contact_shapes import by_id, full_name
from .routes import appointments, notes, tasks
from .routes.users import shape as user_shape

KINDS = {
    "contacts": lambda record, location: by_id(record) | {"name": full_name(record)},
    "notes": lambda record, location: notes.shape(record),
    "tasks": lambda record, location: tasks.row(record, location) | {"id": record["id"]},
    "appointments": appointments.event,
    "users": lambda record, location: user_shape(record),
    "tags": lambda record, location: record,
    "custom_fields": lambda record, location: record,
    "calendars": lambda record, location: record,
    "locations": lambda record, location: record,
}
EDITS = {
    "contact": hand.edit_contact,
    "note": hand.edit_note,
    "task": hand.edit_task,
    "appointment": hand.edit_appointment,
    "user": hand.edit_user,
    "tag": hand.edit_tag,
    "custom_field": hand.edit_custom_field,
    "location": hand.edit_location,
}


def records(company, location, query):
    kind = query["kind"].rstrip("s") + "s"
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    places = [location] if location else company.locations.values()
    if kind == "locations":
        found = [(place, place.record) for place in places if query.get("id", place.id) == place.id]
        return {"kind": kind, "count": len(found), "records": [record for _, record in found]}
    record_id = query.get("id") or (query.get("contact_id") if kind == "contacts" else None)
    if record_id:
        location = company.location_with(kind, record_id)
        found = [(location, getattr(location, kind).get(record_id))] if location else []
    elif query.get("contact_id"):
        found = [(place, one) for place in places for one in getattr(place, kind).of(query["contact_id"])]
    else:
        found = [(place, one) for place in places for one in getattr(place, kind)]
    return {"kind": kind, "count": len(found), "records": [KINDS[kind](one, place) for place, one in found]}


def edited(sandbox, body):
    """(location, record) after one edit; the record is None when it is gone."""
    edit = EDITS.get(body.get("kind", "").rstrip("s"))
    if edit is None:
        raise ValueError(f"kind must be one of {', '.join(EDITS)}")
    if body.get("action") not in ("create", "update", "delete", "merge"):
        raise ValueError("action must be create, update, delete or merge")
    with sandbox.quiet(bool(body.get("silent"))):
        return edit(sandbox, body)


def shown(kind, location, record):
    return KINDS[kind.rstrip("s") + "s"](record, location)


def stir(sandbox, location_id, count, dice):
    """So many edits of the location's contacts, one in five a creation and one in five a deletion; their ids."""
    location = sandbox.company.locations[location_id]
    every = list(location.contacts.rows)
    done = []
    for _ in range(count):
        act = dice.choices(["update", "create", "delete"], [3, 1, 1])[0] if every else "create"
        if act == "create":
            number = dice.randrange(10**9)
            made = contacts.created(
                location, {"firstName": "Moving", "email": f"moving.{number}@example.com"}, hand.signature(sandbox)
            )
            done.append({"act": "made", "id": made["id"]})
            continue
        place = dice.randrange(len(every))
        contact_id = every[place]
        if act == "delete":
            every[place] = every[-1]
            every.pop()
            location.forget_contact(contact_id)
        else:
            city = f"Moved {dice.randrange(1000)}"
            contacts.edited(location, location.contacts.get(contact_id), {"city": city}, hand.signature(sandbox))
        done.append({"act": act + "d", "id": contact_id})
    return done
