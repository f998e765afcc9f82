"""What GHL's answers mean for our edits: what to send, what stands in the way, what it kept, why it failed."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from contacts.models import Change
from integrations.ghl import compare

Values = Mapping[str, Any]
Place = tuple[str, str]  # a key, and of a mapping the entry: ("city", ""), ("custom_values", "fldRoof")

PARTED = "custom_values"
IDENTIFYING = {
    "contact": ("email", "phone", "first_name", "last_name"),
    "task": ("title", "body", "due_at"),
    "note": ("title", "body"),
    "appointment": ("calendar_remote_id", "starts_at"),
}
# Who made it, or for whom: tells two alike ones apart, where both say so.
TELLING = {"note": "author_remote_id", "task": "assignee_remote_id", "appointment": "assignee_remote_id"}

CLOCKS_APART = timedelta(minutes=15)  # the most that GHL's clock is believed to be behind ours
CONTACT_DELETED = "contact deleted"
NO_CONTACT = "contact missing"
OUR_SIDE = "our side"
SO_LONG = "no answer for a day"


# --- updates ----------------------------------------------------------------------------------------------------------


def laid_over(batch) -> dict[str, Any]:
    """The values of several updates as one."""
    values: dict[str, Any] = {}
    for change in batch:
        newer = dict(change.values)
        if PARTED in values and PARTED in newer:
            newer[PARTED] = {**values[PARTED], **newer[PARTED]}
        values |= newer
    return values


def last_words(batch) -> dict[int, dict[Place, Any]]:
    """Of each change what no later one of the batch has something else for."""
    said: set[Place] = set()
    words = {}
    for change in reversed(batch):
        words[change.pk] = {place: value for place, value in flat(change.values) if place not in said}
        said |= set(words[change.pk])
    return words


def to_send(kind: str, batch, fresh: Values) -> tuple[dict[str, Any], dict[Place, Any]]:
    """(what GHL does not have yet, what somebody there has made something else of since it was last seen here)."""
    seen: dict[Place, Any] = {}
    for change in batch:
        for place, _ in flat(change.values):
            if place[0] in change.before:
                seen.setdefault(place, _at(change.before, place))
    missing: dict[str, Any] = {}
    conflicts = {}
    for place, ours in flat(laid_over(batch)):
        key, part = place
        theirs = _at(fresh, place)
        if key in fresh and same(kind, place, ours, theirs):
            continue
        if key in fresh and place in seen and not same(kind, place, seen[place], theirs):
            conflicts[place] = theirs
        elif part:
            missing.setdefault(key, {})[part] = ours
        else:
            missing[key] = ours
    return missing, conflicts


def moved_since(kind: str, seen: Values, fresh: Values) -> dict[str, Any]:
    """{key: what GHL has now} where it is not what was seen."""
    return {
        key: fresh[key]
        for key, value in seen.items()
        if key in fresh and not (same(kind, (key, ""), value, fresh[key]) and same(kind, (key, ""), fresh[key], value))
    }


def differences(change, theirs: Values, words: dict[Place, Any] | None = None) -> dict[str, Any]:
    """{key: what GHL kept} where it is not what the change asked for; of an update only for its `words`."""
    if change.verb == Change.Verb.DELETE:
        return {} if theirs.get("deleted") else {"deleted": False}
    if change.verb == Change.Verb.TAGS:
        tags = {tag.lower() for tag in theirs.get("tags", [])}
        fits = set(change.values["add"]) <= tags and not set(change.values["remove"]) & tags
        return {} if fits else {"tags": theirs.get("tags", [])}
    apart: dict[str, Any] = {}
    for place, ours in (dict(flat(change.values)) if words is None else words).items():
        key, part = place
        kept = _at(theirs, place)
        if key in theirs and not same(change.kind, place, ours, kept):
            if part:
                apart.setdefault(key, {})[part] = kept
            else:
                apart[key] = kept
    return apart


def is_what_was(change, apart: Values) -> bool:
    """Whether GHL shows just what stood there before: then the reading may be from a moment ago."""
    if change.verb != Change.Verb.UPDATE:
        return change.verb != Change.Verb.CREATE
    return all(same(change.kind, place, _at(change.before, place), kept) for place, kept in flat(apart))


def without_what_was(change, incoming: dict[str, Any], snapshot: Values) -> None:
    """Take out of a reading what stood there before a change that GHL has just confirmed: it is from a moment ago."""
    if change.verb == Change.Verb.TAGS:
        if "tags" in incoming and compare.same("contact", "tags", change.before.get("tags"), incoming["tags"]):
            incoming["tags"] = snapshot.get("tags", incoming["tags"])
        return
    for place, ours in flat(change.values):
        key, part = place
        there = _at(incoming, place)
        was = key in incoming and not same(change.kind, place, ours, there)
        if not was or not same(change.kind, place, _at(change.before, place), there):
            continue
        if not part:
            incoming[key] = snapshot.get(key, incoming[key])
        else:
            parts = {**incoming[key], part: (snapshot.get(key) or {}).get(part)}
            incoming[key] = {name: value for name, value in parts.items() if value is not None}


def same(kind: str, place: Place, ours: Any, theirs: Any) -> bool:
    key, part = place
    if key == "company_name":  # the search gives it in lower case
        return str(ours or "").casefold() == str(theirs or "").casefold()
    return compare.same(kind, f"{key}.{part}" if part else key, ours, theirs)


def flat(values: Values) -> Iterator[tuple[Place, Any]]:
    for key, value in values.items():
        if key == PARTED:
            yield from (((key, part), one) for part, one in (value or {}).items())
        else:
            yield (key, ""), value


def _at(values: Values, place: Place) -> Any:
    key, part = place
    return (values.get(key) or {}).get(part) if part else values.get(key)


# --- creations --------------------------------------------------------------------------------------------------------


def looks_like(kind: str, ours: Values, theirs: Values) -> bool:
    """Whether a remote row is the one our creation asked for: same words, same time, and nobody else's."""
    if not all(compare.same(kind, key, ours.get(key, ""), theirs.get(key, "")) for key in IDENTIFYING[kind]):
        return False
    if kind == "appointment" and ours.get("title") and not compare.same(kind, "title", ours["title"], theirs["title"]):
        return False
    teller = TELLING.get(kind, "")
    mine, other = ours.get(teller), theirs.get(teller)
    return not mine or not other or mine == other


def is_old(theirs: Values, since) -> bool:
    """Whether the remote row says that it was there before."""
    added = theirs.get("remote_added_at") or theirs.get("remote_created_at")
    return added is not None and added < since


# --- failures ---------------------------------------------------------------------------------------------------------


def failure_of(trouble) -> str:
    """What went wrong in a word or two, so that alike failures can be decided together."""
    name = type(trouble).__name__
    if name != "Invalid":
        return name
    said = str((trouble.exchange().get("messages") or [""])[0])
    field = re.match(r"(?:property )?([A-Za-z_][\w.]*)\b", said)
    return f"Invalid {field[1]}"[:60] if field else name
