"""What texts and conditions of a rule can see: event, old, new, contact, task, note, appointment, business, today."""

from collections.abc import Mapping
from typing import Any

from contacts.details.note_text import plain_text
from contacts.models import Business, Contact, CustomField, HistoryEvent, RemoteUser
from integrations import merge_fields
from integrations.automations.triggers import type_in_words
from integrations.ghl.announcement import said
from integrations.models import ErpEvent, InboundEvent

Scope = dict[str, Any]
RECORDS = ("task", "note", "appointment")
LONGEST = 5000  # letters of a note that are kept with a run


def of_erp(event: ErpEvent) -> Scope:
    """What the ERP sent. Its payload's values stand beside its own words: event.number, event.title."""
    body = {name: value for name, value in event.body.items() if value not in (None, "", [], {})}
    payload, fields = body.pop("payload", {}), body.pop("fields", {})
    told = {**fields, **payload, **body, "payload": payload, "type": event.type, "reference": event.reference}
    told["title"] = body.get("title") or type_in_words(event.type)
    told["occurred_at"] = event.occurred_at.isoformat()
    return {"event": told}


def of_webhook(event: InboundEvent) -> Scope:
    """The payload as GHL sent it."""
    told = said(bytes(event.body))
    return {"event": {**told, "type": event.kind}}


def of_line(line: HistoryEvent) -> Scope:
    """A line of history: what it says, the old and new values, and the record it is about."""
    event: Scope = {
        "kind": line.kind, "what": str(line.get_kind_display()), "title": line.title, "detail": line.detail,
        "link": line.link, "by": str(line.user or line.actor_name or line.get_actor_kind_display()),
        "by_kind": line.actor_kind, "at": line.happened_at.isoformat(),
    }  # fmt: skip
    old, new = _sides(line)
    if "tags" in line.changes:
        before, after = ([*(side or [])] for side in line.changes["tags"])
        event["tags_added"] = [tag for tag in after if tag not in before]
        event["tags_removed"] = [tag for tag in before if tag not in after]
    scope: Scope = {"event": event, "old": old, "new": new}
    for name in RECORDS:
        if record := getattr(line, name):
            scope[name] = of_record(record)
    return scope


def of_record(record: Any) -> Scope:
    """A task, a note or an appointment, by our names; `pk` is ours, `id` GHL's."""
    zone = record.location.zone
    told: Scope = {"pk": record.pk, "id": record.remote_id or ""}
    for key in record.VALUES:
        if key.endswith("_remote_id"):
            person = getattr(record, key.removesuffix("_remote_id"))
            told[key.removesuffix("_remote_id")] = str(person) if person else ""
        else:
            told[key] = record.value(key)
    for key, name in (("due_at", "due"), ("starts_at", "start"), ("ends_at", "end")):
        if at := getattr(record, key, None):
            told[name] = at.astimezone(zone).strftime("%Y-%m-%d" if name == "due" else "%Y-%m-%d %H:%M")
    if record.KIND == "note":
        told["body"] = plain_text(record.body)[:LONGEST]
    return told


def complete(seen: Mapping[str, Any], business: Business, contact: Contact | None) -> Scope:
    """What was seen, and what is so now of the contact and the day."""
    location = contact.location if contact else business.locations.first()
    now: Scope = {"business": {"name": business.name}}
    if contact:
        now["contact"] = merge_fields.about(contact)
    if location:
        now["today"] = location.today().isoformat()
    return {**seen, **now}


def _sides(line):
    """({key: old value}, {key: new value}), with people by their names and custom fields by their keys."""
    old: Scope = {}
    new: Scope = {}
    for key, (before, after) in line.changes.items():
        if key == "custom_values":
            keys = _custom_keys(line, {*(before or {}), *(after or {})})
            for part, name in keys.items():
                old[name], new[name] = (before or {}).get(part), (after or {}).get(part)
        else:
            old[key], new[key] = before, after
    ids = {side[key] for side in (old, new) for key in side if key.endswith("_remote_id") and side[key]}
    if ids:
        rows = RemoteUser.objects.filter(location=line.location_id, remote_id__in=ids)
        names: Scope = {one.remote_id: str(one) for one in rows}
        for side in (old, new):
            for key in [key for key in side if key.endswith("_remote_id")]:
                side[key.removesuffix("_remote_id")] = names.get(side[key], side[key] or "")
    return old, new


def _custom_keys(line, parts):
    rows = CustomField.objects.filter(location=line.location_id, remote_id__in=parts)
    names = {one.remote_id: one.key.removeprefix("contact.") or one.name for one in rows}
    return {part: names.get(part, part) for part in parts}
