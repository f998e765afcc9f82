"""Our words in the bodies GHL takes: exactly the given keys, no more, because an unknown property is refused
(422).

Clearing a value: null where GHL calls the field nullable, "" for other texts. On a create, empty values are
left out. A key GHL does not let anyone write raises ValueError rather than being dropped in silence; look at
the UNWRITABLE sets first.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from .moments import date_of, iso, moment_of

CHANNELS = ("Call", "Email", "SMS", "WhatsApp", "GMB", "FB", "RCS")
WRITABLE_CHANNELS = CHANNELS[:-1]  # RCS is seen in answers but no write accepts it

CONTACT_KEYS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "company_name": "companyName",
    "owner_remote_id": "assignedTo",
    "source": "source",
    "address": "address1",
    "city": "city",
    "state": "state",
    "postal_code": "postalCode",
    "country": "country",
    "website": "website",
    "time_zone": "timezone",
    "date_of_birth": "dateOfBirth",
    "dnd": "dnd",
    "dnd_settings": "dndSettings",
    "custom_values": "customFields",
    "tags": "tags",
}
APPOINTMENT_KEYS = {
    "title": "title",
    "status": "appointmentStatus",
    "starts_at": "startTime",
    "ends_at": "endTime",
    "address": "address",
    "notes": "description",
    "calendar_remote_id": "calendarId",
    "assignee_remote_id": "assignedUserId",
    "contact_remote_id": "contactId",
}
NOT_NULLABLE = {"postal_code", "country"}

APPOINTMENT_STATUSES = ("new", "confirmed", "cancelled", "showed", "noshow", "invalid", "active", "completed")

# The company is set by GhlClient.set_company; the type only by GHL itself.
UNWRITABLE_ON_CREATE = frozenset({"type", "company_remote_id"})
UNWRITABLE_ON_UPDATE = UNWRITABLE_ON_CREATE | {"company_name"}


def contact_body(values: Mapping[str, Any], create: bool = False, location_id: str | None = None) -> dict[str, Any]:
    """Body of a create, upsert or update. `tags` replaces the whole list: for single tags use add_tags.

    custom_values is {field id: value}; None or "" clears that field, and fields not named stay as they are.
    """
    _refuse(values, CONTACT_KEYS.keys() - (set() if create else UNWRITABLE_ON_UPDATE), "contact")
    body: dict[str, Any] = {"locationId": location_id} if location_id else {}
    for key, value in values.items():
        if create and _is_empty(value):
            continue
        body[CONTACT_KEYS[key]] = _contact_value(key, value)
    return body


def task_body(values: Mapping[str, Any], create: bool = False) -> dict[str, Any]:
    """Body of a task; due_at is an aware datetime or ISO. A create needs title and due_at, and is open unless
    said otherwise."""
    names = {
        "title": "title",
        "body": "body",
        "due_at": "dueDate",
        "completed": "completed",
        "assignee_remote_id": "assignedTo",
    }
    _refuse(values, names, "task")
    if create:
        values = {"completed": False} | {key: value for key, value in values.items() if not _is_empty(value)}
        if missing := {"title", "due_at"} - values.keys():
            raise ValueError(f"a new task needs {' and '.join(sorted(missing))}")
    body: dict[str, Any] = {}
    for key, value in values.items():
        if key == "due_at":
            moment = moment_of(value) if isinstance(value, str) else value
            if moment is None:
                raise ValueError("GoHighLevel keeps no task without a due time")
            value = iso(moment)
        elif key == "completed":
            value = bool(value)
        body[names[key]] = "" if value is None else value
    return body


def appointment_body(
    values: Mapping[str, Any], create: bool = False, location_id: str | None = None, zone: tzinfo = UTC
) -> dict[str, Any]:
    """Body of an appointment; times are aware datetimes or ISO with an offset, and go out in `zone`, the
    location's. A create needs calendar_remote_id, contact_remote_id and starts_at; without ends_at GHL takes the
    calendar's usual length. When moving one, give both times. Its contact cannot be changed.

    Beside the given keys it says that a person decided: GHL's notice period and date range do not apply, and
    its confirmations and automations run as for a booking made there. A slot that is taken is still refused,
    aloud: nobody is booked twice by accident.
    """
    _refuse(values, APPOINTMENT_KEYS.keys() - (set() if create else {"contact_remote_id"}), "appointment")
    if create:
        values = {key: value for key, value in values.items() if not _is_empty(value)}
        if missing := {"calendar_remote_id", "contact_remote_id", "starts_at"} - values.keys():
            raise ValueError(f"a new appointment needs {' and '.join(sorted(missing))}")
    body: dict[str, Any] = {"locationId": location_id} if create and location_id else {}
    moments = {key: _appointment_time(values[key]) for key in ("starts_at", "ends_at") if key in values}
    if len(moments) == 2 and moments["ends_at"] <= moments["starts_at"]:
        raise ValueError("an appointment ends after it starts")
    for key, value in values.items():
        if key in moments:
            value = moments[key].astimezone(zone).isoformat(timespec="seconds")
        elif key == "status":
            value = status_word(value)
            if value not in APPOINTMENT_STATUSES:
                raise ValueError(f"GoHighLevel knows no appointment status {value!r}")
        elif key == "calendar_remote_id" and _is_empty(value):
            raise ValueError("GoHighLevel keeps no appointment without a calendar")
        body[APPOINTMENT_KEYS[key]] = "" if value is None else value
    return body | {"ignoreDateRange": True, "toNotify": True}


def status_word(value: Any) -> str:
    """GHL's own spelling of an appointment's status: cancelled, noshow."""
    word = "".join(letter for letter in str(value or "").casefold() if letter.isalpha())
    return {"canceled": "cancelled"}.get(word, word)


def note_body(values: Mapping[str, Any], create: bool = False) -> dict[str, Any]:
    names = {
        "title": "title",
        "body": "body",
        "color": "color",
        "pinned": "pinned",
        "author_remote_id": "userId",
    }
    _refuse(values, names, "note")
    if create and _is_empty(values.get("body")):
        raise ValueError("a new note needs a body")
    body = {
        names[key]: "" if value is None else value for key, value in values.items() if not (create and _is_empty(value))
    }
    if "pinned" in body:
        body["pinned"] = bool(body["pinned"])
    return body


def _appointment_time(value: Any) -> datetime:
    moment = moment_of(value) if isinstance(value, str) else value
    if moment is None:
        raise ValueError("GoHighLevel keeps no appointment without its times")
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).replace(microsecond=0)  # compared as UTC: in its zone an hour may happen twice


def _contact_value(key: str, value: Any) -> Any:
    if key == "date_of_birth":
        day = date_of(value)
        if day is None and not _is_empty(value):
            raise ValueError("date_of_birth is not a date")
        return day.isoformat() if day else None
    if key == "dnd":
        return bool(value)
    if key == "dnd_settings":
        return {channel: _setting(value[channel]) for channel in WRITABLE_CHANNELS if channel in (value or {})}
    if key == "custom_values":
        return [{"id": field, "field_value": _custom(each)} for field, each in (value or {}).items()]
    if key == "tags":
        return [tag.strip() for tag in value or [] if tag.strip()]
    if _is_empty(value):
        return "" if key in NOT_NULLABLE else None
    return value


def _setting(value: Mapping[str, Any]) -> dict[str, str]:
    message = str(value.get("message") or "")
    setting = {"status": str(value.get("status") or "inactive")}
    return setting | ({"message": message} if message else {})


def _custom(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {}, ())


def _refuse(values: Mapping[str, Any], known: Iterable[str], kind: str) -> None:
    if strangers := set(values) - set(known):
        raise ValueError(f"GoHighLevel does not let us write {', '.join(sorted(strangers))} of a {kind} this way")
