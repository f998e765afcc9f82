"""One reader for whatever tells that something has happened in GHL, whichever of its shapes it comes in."""

import json
from dataclasses import dataclass, field
from typing import Any

from integrations.ghl.announcement import announcement


@dataclass(frozen=True)
class TriggerEvent:
    """`fields` holds every value by the way to it: "appointment.startTime", "tags" with its list."""

    kind: str
    location_id: str
    contact_id: str
    record_id: str
    fields: dict[str, Any] = field(hash=False)


def read(payload):
    """The event in a payload of GHL's. ValueError when it does not say what it is."""
    told = announcement(json.dumps(payload).encode())
    if not told.kind:
        raise ValueError("the payload names no type")
    return TriggerEvent(told.kind, told.location_id, told.contact_id, told.record_id, dict(flat(payload)))


def flat(payload, before=""):
    """(way, value) of every value. A list stays whole, under the way to it."""
    for name, value in payload.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
