"""Calendar events: listed by calendar, user or group, listed by contact, and written one by one."""

from ..answers import Answer, Created, absent, bad_request, invalid
from ..contact_shapes import full_name
from ..moments import iso, iso_in_zone, local_without_offset, parsed_ms
from ..routing import operation
from ..store import new_id
from ..validation import flag, moment, nullable_text, query_number, query_text, text, validated
from .contacts import READ as CONTACTS_READ
from .contacts import both_spellings, contact_of

READ, WRITE = "calendars/events.readonly", "calendars/events.write"
STATUSES = ("new", "confirmed", "cancelled", "showed", "noshow", "invalid")
V3_STATUSES = (*STATUSES, "completed", "active")
MEETING_KINDS = ("custom", "zoom", "gmeet", "phone", "address", "ms_teams", "google")
LONGEST_NOTE = 5_000


def writable(call):
    return {
        "title": nullable_text(),
        "meetingLocationType": text(choices=MEETING_KINDS),
        "meetingLocationId": text(),
        "overrideLocationConfig": flag(),
        "appointmentStatus": text(choices=V3_STATUSES if call.is_v3 else STATUSES),
        "assignedUserId": nullable_text(),
        "description": nullable_text(),
        "address": nullable_text(),
        "ignoreDateRange": flag(),
        "toNotify": flag(),
        "ignoreFreeSlotValidation": flag(),
        "rrule": text(),
        "calendarId": text(),
        "startTime": moment(),
        "endTime": moment(),
    }


def event(appointment, location):
    """As calendars answer it: times with the offset of the location's zone, the status under both spellings."""
    status = appointment["appointmentStatus"]
    zone = location.timezone
    body = {
        "id": appointment["id"],
        "address": appointment.get("address") or "",
        "title": appointment["title"],
        "calendarId": appointment["calendarId"],
        "locationId": location.id,
        "contactId": appointment["contactId"],
        "groupId": appointment.get("groupId"),
        "appointmentStatus": status,
        "appoinmentStatus": status,
        "assignedUserId": appointment.get("assignedUserId"),
        "users": appointment.get("users") or None,
        "notes": appointment.get("notes"),
        "description": appointment.get("description"),
        "isRecurring": bool(appointment.get("rrule")),
        "rrule": appointment.get("rrule"),
        "startTime": iso_in_zone(appointment["startTime"], zone),
        "endTime": iso_in_zone(appointment["endTime"], zone),
        "dateAdded": iso_in_zone(appointment["dateAdded"], zone),
        "dateUpdated": appointment["dateUpdated"] and iso_in_zone(appointment["dateUpdated"], zone),
        "assignedResources": [],
        "createdBy": {"source": appointment["source"], "userId": appointment.get("createdByUser")},
        "deleted": appointment.get("deleted", False),
    }
    return {name: value for name, value in body.items() if value is not None}


def contact_event(appointment, location):
    """As a contact's list has it: local times that name no zone."""
    zone = location.timezone
    body = event(appointment, location)
    body.update(
        status="booked" if appointment["appointmentStatus"] not in ("cancelled", "invalid") else "cancelled",
        startTime=local_without_offset(appointment["startTime"], zone),
        endTime=local_without_offset(appointment["endTime"], zone),
        dateAdded=local_without_offset(appointment["dateAdded"], zone),
        dateUpdated=appointment["dateUpdated"] and local_without_offset(appointment["dateUpdated"], zone),
    )
    for name in ("deleted", "createdBy", "isRecurring"):
        body.pop(name, None)
    return body


def written(appointment, location):
    """What create and update answer, as recorded: flat, without the times; whoever wants those reads again."""
    body = event(appointment, location)
    for name in ("deleted", "createdBy", "assignedResources", "startTime", "endTime", "users"):
        body.pop(name, None)
    return Answer(body | {"status": "booked"})


def appointment_of(call, name="event_id"):
    appointment_id = call.captured[name]
    location = call.home_of("appointments", appointment_id)
    appointment = location.appointments.get(appointment_id)
    if appointment is None:
        raise absent("Appointment", appointment_id)
    return location, appointment


@operation("GET", "/contacts/{contact_id}/appointments", CONTACTS_READ)
def of_contact(call):
    location, contact = contact_of(call)
    living = [one for one in location.appointments.of(contact["id"]) if not one.get("deleted")]
    return Answer({"events": [contact_event(one, location) for one in living]})


@operation("GET", "/calendars/events", READ)
def events(call):
    location = call.enter(query_text(call.query, "locationId"))
    starts = query_number(call.query, "startTime", None, required=True)
    ends = query_number(call.query, "endTime", None, required=True)
    if not any(call.query.get(name) for name in ("userId", "calendarId", "groupId")):
        raise invalid(["Either of userId, calendarId or groupId is required"])
    found = [
        one
        for one in location.appointments
        if not one.get("deleted") and one["startTime"] < ends and one["endTime"] > starts
        if _matches(one, call.query, location)
    ]
    found.sort(key=lambda one: one["startTime"])
    return Answer({"events": [event(one, location) for one in found]})


@operation("GET", "/calendars/blocked-slots", READ)
def blocked_slots(call):
    call.enter(query_text(call.query, "locationId"))
    query_number(call.query, "startTime", None, required=True)
    query_number(call.query, "endTime", None, required=True)
    return Answer({"events": []})


def _matches(appointment, query, location):
    # A calendar that was deleted no longer lists its events; only their contacts still do.
    calendar = location.calendars.get(appointment["calendarId"])
    if query.get("calendarId"):
        return calendar is not None and appointment["calendarId"] == query["calendarId"]
    if query.get("userId"):
        return appointment.get("assignedUserId") == query["userId"]
    return calendar is not None and calendar.get("groupId") == query["groupId"]


@operation("POST", "/calendars/events/appointments", WRITE)
def create(call):
    location = call.enter(call.body().get("locationId"))
    required = {name: text(required=True) for name in ("calendarId", "locationId", "contactId")}
    values = validated(call.body(), writable(call) | required | {"startTime": moment(required=True)})
    contact = location.contacts.get(values["contactId"])
    if contact is None:
        raise absent("Contact", values["contactId"])
    calendar = _calendar(location, values["calendarId"])
    starts, ends = _times(values, location, calendar, None)
    appointment = {
        "id": new_id(),
        "contactId": contact["id"],
        "calendarId": calendar["id"],
        "title": values.get("title") or full_name(contact) or "Appointment",
        "appointmentStatus": values.get("appointmentStatus") or "confirmed",
        "startTime": starts,
        "endTime": ends,
        "dateAdded": call.now,
        "dateUpdated": call.now,
        "source": "third_party",
    }
    appointment.update(_kept(values))
    return written(location.appointments.put(appointment), location)


@operation("GET", "/calendars/events/appointments/{event_id}", READ)
def read(call):
    location, appointment = appointment_of(call)
    # The file says `event`; the real API answers `appointment`, deleted ones included.
    return Answer({"appointment": event(appointment, location) | {"appointmentMeta": {"slotType": "default"}}})


@operation("PUT", "/calendars/events/appointments/{event_id}", WRITE)
def edit(call):
    location, appointment = appointment_of(call)
    if appointment.get("deleted"):
        raise absent("Appointment", appointment["id"])
    values = validated(call.body(), writable(call))
    changes = _kept(values)
    changes.update({name: values[name] for name in ("title", "appointmentStatus") if values.get(name)})
    if values.get("calendarId"):
        changes["calendarId"] = _calendar(location, values["calendarId"])["id"]
    if values.get("startTime") or values.get("endTime"):
        calendar = location.calendars.get(changes.get("calendarId", appointment["calendarId"])) or {}
        changes["startTime"], changes["endTime"] = _times(values, location, calendar, appointment)
    return written(location.appointments.change(appointment["id"], dateUpdated=call.now, **changes), location)


@operation("DELETE", "/calendars/events/{event_id}", WRITE)
def delete(call):
    location, appointment = appointment_of(call)
    if appointment.get("deleted"):
        raise absent("Appointment", appointment["id"])
    location.appointments.change(appointment["id"], deleted=True, dateUpdated=call.now)
    return Answer({"succeeded": True})


def _calendar(location, calendar_id):
    calendar = location.calendars.get(calendar_id)
    if calendar is None:
        raise bad_request("The calendar does not exist or is not active.")
    return calendar


def _times(values, location, calendar, before):
    """Start and end; a start moved alone takes the length along."""
    zone = location.timezone
    starts = parsed_ms(values["startTime"], zone) if values.get("startTime") else before["startTime"]
    if values.get("endTime"):
        ends = parsed_ms(values["endTime"], zone)
    elif before:
        ends = starts + before["endTime"] - before["startTime"]
    else:
        ends = starts + calendar.get("slotDuration", 30) * 60_000
    if ends <= starts:
        raise bad_request("endTime must be greater than startTime")
    return starts, ends


def _kept(values):
    names = ("assignedUserId", "address", "description", "rrule", "meetingLocationType")
    kept = {name: values[name] for name in names if name in values}
    if "assignedUserId" in kept:
        kept["users"] = [kept["assignedUserId"]] if kept["assignedUserId"] else []
    return kept


@operation("GET", "/calendars/appointments/{event_id}/notes", READ)
def notes(call):
    location, appointment = appointment_of(call)
    limit = query_number(call.query, "limit", None, 1, 20, required=True)
    offset = query_number(call.query, "offset", None, 0, required=True)
    every = location.appointment_notes.of(appointment["id"])
    page = [_note_shape(note) for note in every[offset : offset + limit]]
    return Answer({"notes": page, "hasMore": offset + limit < len(every)})


@operation("POST", "/calendars/appointments/{event_id}/notes", WRITE)
def create_note(call):
    location, appointment = appointment_of(call)
    values = validated(call.body(), {"body": text(required=True, max_length=LONGEST_NOTE), "userId": nullable_text()})
    note = {
        "id": new_id(),
        "appointmentId": appointment["id"],
        "contactId": appointment["contactId"],
        "dateAdded": call.now,
        **values,
    }
    return Created({"note": _note_shape(location.appointment_notes.put(note))})


@operation("PUT", "/calendars/appointments/{event_id}/notes/{note_id}", WRITE)
def edit_note(call):
    location, note = _note_of(call)
    values = validated(call.body(), {"body": text(required=True, max_length=LONGEST_NOTE), "userId": nullable_text()})
    return Answer({"note": _note_shape(location.appointment_notes.change(note["id"], **values))})


@operation("DELETE", "/calendars/appointments/{event_id}/notes/{note_id}", WRITE)
def delete_note(call):
    location, note = _note_of(call)
    location.appointment_notes.remove(note["id"])
    return both_spellings()


def _note_of(call):
    location, appointment = appointment_of(call)
    note = location.appointment_notes.get(call.captured["note_id"])
    if note is None or note["appointmentId"] != appointment["id"]:
        raise absent("Note", call.captured["note_id"])
    return location, note


def _note_shape(note):
    user_id = note.get("userId")
    return {
        "id": note["id"],
        "body": note["body"],
        "userId": user_id,
        "dateAdded": iso(note["dateAdded"]),
        "contactId": note["contactId"],
        "createdBy": {"id": user_id, "name": None},
    }
