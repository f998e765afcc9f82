"""What we ask GHL to allow, and what a person loses without it."""

from collections.abc import Iterable

WANTED: dict[str, str] = {
    "contacts.readonly": "Without it no contacts, notes or tasks can be shown, and GoHighLevel reports no changes.",
    "contacts.write": "Without it contacts, notes, tasks and tags can be read here but not changed.",
    "locations.readonly": "Without it the location's time zone is unknown, so appointment times may be off.",
    "locations/tasks.readonly": "Without it tasks can only be read contact by contact, which is slow.",
    "locations/customFields.readonly": "Without it custom fields have no names and cannot be mapped.",
    "locations/tags.readonly": "Without it tags can only be typed, not picked from the list GoHighLevel keeps.",
    "calendars.readonly": "Without it calendars have no names and appointments cannot be read by calendar.",
    "calendars/events.readonly": "Without it appointments cannot be kept up to date.",
    "calendars/events.write": "Without it appointments can be read here but not booked, moved or cancelled.",
    "users.readonly": "Without it owners and assignees appear without their names.",
    "businesses.readonly": "Without it companies cannot be shown beside their contacts.",
}


def missing(granted: Iterable[str]) -> dict[str, str]:
    """The wanted scopes that were not granted, each with what is lost without it."""
    have = set(granted)
    return {scope: loss for scope, loss in WANTED.items() if scope not in have}
