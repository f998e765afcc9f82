"""Notes of a contact. They are not paged, have no time of change, and keep whatever HTML was typed."""

import html
import re

from ..answers import Answer, Created, absent
from ..moments import iso
from ..routing import operation
from ..store import new_id
from ..validation import flag, nullable_text, text, validated
from .contacts import READ, WRITE, both_spellings, contact_of

WRITABLE = {
    "body": text(),
    "userId": nullable_text(),
    "title": nullable_text(),
    "color": nullable_text(),
    "pinned": flag(),
}


def shape(note):
    body = {
        "id": note["id"],
        "body": note["body"],
        "bodyText": plain_text(note["body"]),
        "userId": note.get("userId"),
        "dateAdded": iso(note["dateAdded"]),
        "contactId": note["contactId"],
        "pinned": note.get("pinned", False),
        "relations": [{"objectKey": "contact", "recordId": note["contactId"]}] if note.get("related") else [],
    }
    return body | {name: note[name] for name in ("title", "color") if note.get(name)}


def plain_text(body):
    """The words of a note. GHL drops tags, not what stood between them."""
    return html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?i)<br\s*/?>|</p>|</li>", "\n", body))).strip()


def note_of(call):
    location, contact = contact_of(call)
    note = location.notes.get(call.captured["note_id"])
    if note is None or note["contactId"] != contact["id"]:
        raise absent("Note", call.captured["note_id"])
    return location, note


@operation("GET", "/contacts/{contact_id}/notes", READ)
def listed(call):
    location, contact = contact_of(call)
    newest_first = reversed(location.notes.of(contact["id"]))
    return Answer({"notes": [shape(note) for note in newest_first]})


@operation("POST", "/contacts/{contact_id}/notes", WRITE)
def create(call):
    location, contact = contact_of(call)
    values = validated(call.body(), WRITABLE | {"body": text(required=True)})
    note = location.notes.put(
        {"id": new_id(), "contactId": contact["id"], "pinned": False, "dateAdded": call.now, **values}
    )
    return Created({"note": shape(note)})


@operation("GET", "/contacts/{contact_id}/notes/{note_id}", READ)
def read(call):
    _, note = note_of(call)
    return Answer({"note": shape(note)})


@operation("PUT", "/contacts/{contact_id}/notes/{note_id}", WRITE)
def edit(call):
    location, note = note_of(call)
    values = validated(call.body(), WRITABLE)
    return Answer({"note": shape(location.notes.change(note["id"], **values))})


@operation("DELETE", "/contacts/{contact_id}/notes/{note_id}", WRITE)
def delete(call):
    location, note = note_of(call)
    location.notes.remove(note["id"])
    return both_spellings()
