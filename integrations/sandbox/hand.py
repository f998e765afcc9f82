"""The hand of someone at work inside GHL: one edit of one record, with what the API would not let you write."""

import random
from copy import deepcopy

from . import contacts
from .moments import parsed_ms
from .seed import seeded_location
from .seed_setup import key
from .seed_setup import user as new_user
from .store import new_id

SIGNED = {"source": "WEB_USER", "channel": "APP", "sourceId": "sandbox"}
CHANCE = random.SystemRandom()
# What the API would not let you write: the app inside GHL does.
UNWRITABLE = (
    "additionalEmails",
    "additionalPhones",
    "businessId",
    "followers",
    "type",
    "dateAdded",
    "dateUpdated",
)


def signature(sandbox):
    return {**SIGNED, "timestamp": sandbox.config.now_ms()}


def holder(sandbox, kind, body):
    """The location of the record an edit is about."""
    given = sandbox.company.locations.get(body.get("location_id"))
    if given is not None and getattr(given, kind).get(body["id"]) is not None:
        return given
    location = sandbox.company.location_with(kind, body["id"])
    if location is None:
        raise ValueError(f"no {kind} record {body['id']}")
    return location


def home_of_new(sandbox, body):
    values = body.get("values", {})
    if values.get("contactId"):
        return holder(sandbox, "contacts", {"id": values["contactId"], "location_id": body.get("location_id")})
    location_id = body.get("location_id") or values.get("locationId")
    return sandbox.company.locations[location_id] if location_id else sandbox.company.first


def values_of(body, *moments, zone="UTC"):
    """The values, with these (and the two dates) as epoch ms. A date may be null: GHL has records without."""
    values = dict(body.get("values") or {})
    for name in (*moments, "dateAdded", "dateUpdated"):
        if values.get(name) is not None:
            values[name] = parsed_ms(values[name], zone)
            if values[name] is None:
                raise ValueError(f"{name} is no time")
    return values


def edit_contact(sandbox, body):
    values = values_of(body)
    if body["action"] == "create":
        location = home_of_new(sandbox, body)
        return location, _with_rest(location, contacts.created(location, values, signature(sandbox)), values)
    location = holder(sandbox, "contacts", body)
    if body["action"] == "delete":
        location.forget_contact(body["id"])
        return location, None
    if body["action"] == "merge":
        return location, merged(sandbox, location, body["id"], body["into"])
    contact = contacts.edited(location, location.contacts.get(body["id"]), values, signature(sandbox))
    return location, _with_rest(location, contact, values)


def _with_rest(location, contact, values):
    rest = {name: values[name] for name in UNWRITABLE if name in values}
    return location.contacts.change(contact["id"], **rest) if rest else contact


def merged(sandbox, location, loser_id, winner_id):
    """The winner, with what hung on the loser. Nobody is told of what moved, only that one contact is gone."""
    loser, winner = location.contacts.get(loser_id), location.contacts.get(winner_id)
    if loser is None or winner is None or loser is winner:
        raise ValueError("merge needs two contacts of one location")
    with sandbox.quiet():
        for table in (location.notes, location.tasks, location.appointments, location.opportunities):
            for record in table.of(loser_id):
                table.change(record["id"], contactId=winner_id)
    location.forget_contact(loser_id)
    gaps = {name: value for name, value in loser.items() if winner.get(name) in (None, "", [], {})}
    tags = list(dict.fromkeys([*winner["tags"], *loser["tags"]]))
    signed = signature(sandbox)
    after = {**winner, **gaps, "tags": tags, "dateUpdated": signed["timestamp"], "lastUpdatedBy": signed}
    return location.contacts.put(after)


def edit_note(sandbox, body):
    values = values_of(body)
    if body["action"] == "create":
        location = home_of_new(sandbox, body)
        defaults = {"id": new_id(), "body": "", "pinned": False, "dateAdded": sandbox.config.now_ms()}
        return location, location.notes.put({**defaults, **values})
    location = holder(sandbox, "notes", body)
    if body["action"] == "delete":
        location.notes.remove(body["id"])
        return location, None
    return location, location.notes.change(body["id"], **values)


def edit_task(sandbox, body):
    values, now = values_of(body, "dueDate"), sandbox.config.now_ms()
    if body["action"] == "create":
        location = home_of_new(sandbox, body)
        defaults = {"id": new_id(), "title": "", "completed": False, "dueDate": now, "dateAdded": now}
        return location, location.tasks.put({**defaults, "dateUpdated": now, **values})
    location = holder(sandbox, "tasks", body)
    if body["action"] == "delete":
        location.tasks.remove(body["id"])
        return location, None
    return location, location.tasks.change(body["id"], **{"dateUpdated": now, **values})


def edit_appointment(sandbox, body):
    now, creating = sandbox.config.now_ms(), body["action"] == "create"
    location = home_of_new(sandbox, body) if creating else holder(sandbox, "appointments", body)
    values = values_of(body, "startTime", "endTime", zone=location.timezone)
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
            "dateUpdated": now,
            "source": "calendar_page",
        }
        return location, location.appointments.put({**defaults, **values})
    if body["action"] == "delete":
        values = {"deleted": True}
    return location, location.appointments.change(body["id"], **{"dateUpdated": now, **values})


def edit_user(sandbox, body):
    values = dict(body.get("values") or {})
    if body["action"] == "create":
        location = home_of_new(sandbox, body)
        made = new_user(location, values.get("firstName", "New"), values.get("lastName", "User"), "user", CHANCE)
        return location, location.users.put(_with_role(made, values))
    location = holder(sandbox, "users", body)
    user = location.users.get(body["id"])
    if body["action"] == "delete":
        location.users.remove(user["id"])
        return location, None
    return location, location.users.put(_with_role(user, values))


def _with_role(user, values):
    role = values.pop("role", user["roles"]["role"])
    after = {**user, **values, "roles": {**user["roles"], "role": role}}
    return after | {"name": values.get("name") or f"{after['firstName']} {after['lastName']}"}


def edit_tag(sandbox, body):
    """Renamed or taken away, a tag changes on all its contacts."""
    name = ((body.get("values") or {}).get("name") or "").strip().lower()
    if body["action"] == "create":
        location = home_of_new(sandbox, body)
        return location, location.tags.put({"id": new_id(), "name": name, "locationId": location.id})
    location = holder(sandbox, "tags", body)
    old = location.tags.get(body["id"])["name"]
    gone = body["action"] == "delete"
    for contact in list(location.contacts):
        if old in contact["tags"]:
            tags = [name if tag == old else tag for tag in contact["tags"] if not (gone and tag == old)]
            location.contacts.change(contact["id"], tags=tags, dateUpdated=sandbox.config.now_ms())
    if gone:
        location.tags.remove(body["id"])
        return location, None
    return location, location.tags.change(body["id"], name=name)


def edit_custom_field(sandbox, body):
    values = dict(body.get("values") or {})
    if body["action"] == "create":
        location = home_of_new(sandbox, body)
        defaults = {
            "id": new_id(),
            "name": "Field",
            "model": "contact",
            "fieldKey": f"contact.{key(values.get('name', 'Field'))}",
            "placeholder": "",
            "dataType": "TEXT",
            "position": 50 * len(location.custom_fields),
            "documentType": "field",
            "parentId": next(iter(location.custom_fields), {}).get("parentId"),
            "locationId": location.id,
            "dateAdded": sandbox.config.now_ms(),
            "standard": False,
        }
        return location, location.custom_fields.put({**defaults, **values})
    location = holder(sandbox, "custom_fields", body)
    if body["action"] == "delete":
        for contact in list(location.contacts):
            kept = [one for one in contact["customFields"] if one["id"] != body["id"]]
            if len(kept) != len(contact["customFields"]):
                location.contacts.change(contact["id"], customFields=kept)
        location.custom_fields.remove(body["id"])
        return location, None
    return location, location.custom_fields.change(body["id"], **values)


def edit_location(sandbox, body):
    values = dict(body.get("values") or {})
    if body["action"] == "create":
        return _new_location(sandbox, values)
    location = sandbox.company.locations[body.get("id") or body["location_id"]]
    if body["action"] != "update":
        raise ValueError("a location can be created and updated")
    before = deepcopy(location.record)
    settings = values.pop("settings", {})
    # In place: everybody who holds the location holds this record.
    location.record.update(values)
    location.record["settings"].update(settings)
    sandbox.changed(location, "location", before, location.record)
    return location, location.record


def _new_location(sandbox, values):
    zone, size = values.pop("timezone", "America/Chicago"), values.pop("contacts", 0)
    place = (values.pop("name", "New Place"), "1 First Street", "Chicago", "IL", "60642", zone)
    location = seeded_location(sandbox.config, sandbox.company, place, CHANCE, sandbox.config.now_ms(), size)
    location.record.update(values)
    location.watcher = sandbox.changed
    sandbox.credentials.welcome(location.id)
    sandbox.changed(location, "location", None, location.record)
    return location, location.record
