"""GHL's rows in our words. Pure functions, tolerant of v2, v3 and search shapes.

A missing or null string is "". Moments are aware UTC datetimes or None; an unreadable one is None too. A
search row and a by-id body of the same contact give the same dict, except where the search row cannot be
trusted: then the key is left out and the caller leaves that value alone. That is so for
- `company_name`: search lower-cases it (given when it is empty or has no letters);
- `dnd_settings`: some search rows lack it altogether, although search writes empty values out as null.
"""

from datetime import tzinfo
from typing import Any

from .bodies import (
    CHANNELS,
    UNWRITABLE_ON_CREATE,
    UNWRITABLE_ON_UPDATE,
    appointment_body,
    contact_body,
    note_body,
    task_body,
)
from .compare import canonical, same
from .moments import date_of, in_zone, is_ambiguous, moment_of

# The way back (bodies.py) and the comparison (compare.py) are reached from here too.
__all__ = [
    "CHANNELS", "UNWRITABLE_ON_CREATE", "UNWRITABLE_ON_UPDATE", "appointment_body", "appointment_values",
    "business_values", "calendar_values", "canonical", "contact_body", "contact_values", "custom_field_values",
    "is_ambiguous", "location_values", "note_body", "note_values", "same", "tag_values", "task_body", "task_values",
    "user_values",
]  # fmt: skip

Row = dict[str, Any]
Values = dict[str, Any]


def contact_values(row: Row) -> Values:
    from_search = "searchAfter" in row
    values: Values = {
        "remote_id": remote_id(row),
        "first_name": text(row, "firstName"),
        "last_name": text(row, "lastName"),
        "email": text(row, "email"),
        "phone": text(row, "phone"),
        "company_remote_id": text(row, "businessId"),
        "owner_remote_id": text(row, "assignedTo"),
        "type": text(row, "type"),
        "source": text(row, "source"),
        "address": text(row, "address1") or text(row, "address"),
        "city": text(row, "city"),
        "state": text(row, "state"),
        "postal_code": text(row, "postalCode"),
        "country": text(row, "country"),
        "website": text(row, "website"),
        "time_zone": text(row, "timezone"),
        "date_of_birth": date_of(row.get("dateOfBirth")),
        "dnd": flag(row.get("dnd")),
        "custom_values": custom_values(row.get("customFields")),
        "tags": tag_list(row.get("tags")),
        "remote_created_at": moment_of(row.get("dateAdded")),
        "remote_updated_at": moment_of(row.get("dateUpdated")),
    }
    company = text(row, "companyName")
    if not from_search or company.upper() == company.lower():
        values["company_name"] = company
    else:
        # Search lower-cases company names (observed). Good enough to find and show, never to overwrite with.
        values["company_name_folded"] = company
    if not from_search or "dndSettings" in row:
        values["dnd_settings"] = dnd_settings(row.get("dndSettings"))
    return values


def task_values(row: Row) -> Values:
    """`remote_updated_at` only comes with the location-wide search; by contact GHL tells none."""
    return {
        "remote_id": remote_id(row),
        "contact_remote_id": text(row, "contactId"),
        "title": text(row, "title"),
        "body": text(row, "body"),
        "due_at": moment_of(row.get("dueDate")),
        "completed": flag(row.get("completed")),
        "assignee_remote_id": text(row, "assignedTo"),
        "remote_updated_at": moment_of(row.get("dateUpdated") or row.get("updatedAt")),
        "deleted": flag(row.get("deleted")),
    }


def note_values(row: Row) -> Values:
    """`body` is as stored, often HTML and never to be trusted."""
    return {
        "remote_id": remote_id(row),
        "contact_remote_id": text(row, "contactId"),
        "title": text(row, "title"),
        "body": text(row, "body"),
        "color": text(row, "color"),
        "pinned": flag(row.get("pinned")),
        "author_remote_id": text(row, "userId"),
        "remote_added_at": moment_of(row.get("dateAdded")),
    }


def appointment_values(row: Row, zone: tzinfo) -> Values:
    """`zone` is the location's, for times without an offset. When the clocks go back and such a time happens
    twice, the first is meant, unless that would end the appointment before it starts."""
    raw_start, raw_end = row.get("startTime"), row.get("endTime")
    starts_at, ends_at = in_zone(raw_start, raw_end, zone)
    return {
        "remote_id": remote_id(row),
        "contact_remote_id": text(row, "contactId"),
        "calendar_remote_id": text(row, "calendarId"),
        "title": text(row, "title"),
        "status": (text(row, "appointmentStatus") or text(row, "appoinmentStatus") or text(row, "status")).lower(),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "raw_start": _plain(raw_start),
        "raw_end": _plain(raw_end),
        "address": text(row, "address"),
        "notes": text(row, "notes") or text(row, "description"),
        "assignee_remote_id": text(row, "assignedUserId"),
        "remote_added_at": moment_of(row.get("dateAdded"), zone),
        "remote_updated_at": moment_of(row.get("dateUpdated"), zone),
        "deleted": flag(row.get("deleted")),
    }


def user_values(row: Row) -> Values:
    roles = row.get("roles")
    name = " ".join(part for part in (text(row, "firstName"), text(row, "lastName")) if part)
    return {
        "remote_id": remote_id(row),
        "name": text(row, "name") or name,
        "email": text(row, "email"),
        "phone": text(row, "phone"),
        "role": text(roles, "role") if isinstance(roles, dict) else text(row, "role"),
        "deleted": flag(row.get("deleted")),
    }


def calendar_values(row: Row) -> Values:
    return {
        "remote_id": remote_id(row),
        "name": text(row, "name"),
        "is_active": flag(row.get("isActive", True)),
    }


def custom_field_values(row: Row) -> Values:
    """`key` is GHL's name for it in templates, such as contact.birthday; `group` the id of its folder."""
    return {
        "remote_id": remote_id(row),
        "name": text(row, "name"),
        "key": text(row, "fieldKey"),
        "data_type": text(row, "dataType"),
        "options": _options(row),
        "position": _whole(row.get("position")),
        "group": text(row, "parentId"),
        "is_folder": text(row, "documentType").lower() == "folder",
    }


def tag_values(row: Row) -> Values:
    return {"remote_id": remote_id(row), "name": text(row, "name").strip()}


def business_values(row: Row) -> Values:
    return {
        "remote_id": remote_id(row),
        **{key: text(row, key) for key in ("name", "phone", "email", "website", "address", "city", "state")},
        "postal_code": text(row, "postalCode"),
        "country": text(row, "country"),
        "description": text(row, "description"),
    }


def location_values(row: Row) -> Values:
    """`duplicate_order`: what makes a contact a duplicate, first match first, such as ["email", "phone"]."""
    settings = row.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    business = row.get("business")
    business = business if isinstance(business, dict) else {}
    order = settings.get("contactUniqueIdentifiers")
    return {
        "remote_id": remote_id(row),
        "name": text(row, "name") or text(business, "name"),
        "time_zone": text(row, "timezone") or text(business, "timezone"),
        "currency": text(row, "currency").upper(),
        "email": text(row, "email") or text(business, "email"),
        "phone": text(row, "phone"),
        "allow_duplicates": flag(settings.get("allowDuplicateContact")),
        "duplicate_order": [str(each).lower() for each in order] if isinstance(order, list) else [],
    }


def remote_id(row: Row) -> str:
    return text(row, "id") or text(row, "_id")


def text(row: Row, key: str) -> str:
    return _plain(row.get(key))


def flag(value: Any) -> bool:
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)


def tag_list(value: Any) -> list[str]:
    """Trimmed, without blanks, each once whatever its case, in order."""
    found = [tag.strip() for tag in value if isinstance(tag, str) and tag.strip()] if isinstance(value, list) else []
    return sorted({tag.casefold(): tag for tag in reversed(found)}.values(), key=lambda tag: (tag.casefold(), tag))


def custom_values(value: Any) -> Values:
    """{field id: value}, without empty ones: by id GHL leaves them out, in a search they are null."""
    found: Values = {}
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict) or not (field := text(item, "id")):
            continue
        given = next((item[key] for key in ("value", "fieldValue", "field_value") if item.get(key) is not None), None)
        if given not in (None, "", [], {}):
            found[field] = given
    return found


def dnd_settings(value: Any) -> dict[str, dict[str, str]]:
    """Every channel, whatever GHL left out or however v3 writes its name; "inactive" is the silent
    default."""
    given = {str(key).lower(): item for key, item in value.items()} if isinstance(value, dict) else {}
    settings = {}
    for channel in CHANNELS:
        item = given.get(channel.lower())
        item = item if isinstance(item, dict) else {"status": item}
        settings[channel] = {
            "status": text(item, "status").lower() or "inactive",
            "message": text(item, "message"),
        }
    return settings


def _options(row: Row) -> list[Any]:
    """What can be chosen, by name. Of a list of text boxes its boxes, with their ids where GHL gives them one."""
    for key in ("picklistOptions", "options", "textBoxListOptions", "picklistImageOptions"):
        given = row.get(key)
        if isinstance(given, list) and given:
            named = [
                next(
                    (text(each, name) for name in ("name", "label", "value", "key", "id") if text(each, name)),
                    "",
                )
                if isinstance(each, dict)
                else _plain(each)
                for each in given
            ]
            if text(row, "dataType") == "TEXTBOX_LIST":
                ids = [text(each, "id") if isinstance(each, dict) else "" for each in given]
                return [
                    {"id": id_, "label": name} if id_ else name for id_, name in zip(ids, named, strict=True) if name
                ]
            return [name for name in named if name]
    return []


def _plain(value: Any) -> str:
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return value if isinstance(value, str) else str(value)


def _whole(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0
