"""What an event of GHL's is about, whatever shape it comes in. Only ids are taken, and only such as can be ids."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
EVENT_ID = re.compile(r"[!-~]{1,100}")
KIND = re.compile(r"[A-Za-z0-9_.:-]{1,60}")


@dataclass(frozen=True)
class Announcement:
    event_id: str
    kind: str
    location_id: str
    record_id: str
    contact_id: str
    app_id: str
    told_at: datetime | None


def said(body: bytes) -> dict[str, Any]:
    """The object in a body; {} when there is none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def announcement(body: bytes) -> Announcement:
    event = said(body)
    kind = _matching(KIND, event.get("type"))
    subject = event
    if kind.startswith("Appointment") and isinstance(event.get("appointment"), dict):
        subject = event["appointment"]
    record_id, location_id = _id(subject.get("id")), _id(event.get("locationId"))
    if kind.startswith("Location"):  # `id` is the location, and there is no locationId
        location_id = record_id = record_id or location_id
    if kind in ("INSTALL", "UNINSTALL"):
        record_id = location_id or _id(event.get("companyId"))
    return Announcement(
        # The sender's id stays the same when it sends again; where there is none, so do the bytes.
        event_id=_matching(EVENT_ID, event.get("webhookId")) or hashlib.sha256(body).hexdigest(),
        kind=kind,
        location_id=location_id,
        record_id=record_id,
        contact_id=record_id if kind.startswith("Contact") else _id(subject.get("contactId")),
        app_id=_id(event.get("appId")),
        told_at=_moment(event.get("timestamp")),
    )


def location_ids(event: dict[str, Any]) -> list[str]:
    """The locations an agency's user works in."""
    listed = event.get("locations")
    return [each for each in listed if _id(each)] if isinstance(listed, list) else []


def _id(value: Any) -> str:
    return _matching(ID, value)


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
