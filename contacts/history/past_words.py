"""The state of a contact at a moment, and what came between two moments, in words."""

from copy import copy
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.details import disturb
from contacts.details.fields import fields_of
from contacts.details.note_text import plain_text
from contacts.history import timeline
from contacts.history.as_of import RECORDS
from contacts.models import Calendar, CustomField

SHOWN = {  # what of a record is compared, in this order
    "task": ("title", "body", "due_at", "completed", "assignee_remote_id"),
    "note": ("title", "body", "pinned", "author_remote_id"),
    "appointment": (
        "title", "status", "starts_at", "ends_at", "address", "notes", "calendar_remote_id", "assignee_remote_id",
    ),
}  # fmt: skip
BECAME = {
    ("task", "added"): gettext_noop("Task added"),
    ("task", "deleted"): gettext_noop("Task deleted"),
    ("task", "changed"): gettext_noop("Task changed"),
    ("note", "added"): gettext_noop("Note added"),
    ("note", "deleted"): gettext_noop("Note deleted"),
    ("note", "changed"): gettext_noop("Note changed"),
    ("appointment", "added"): gettext_noop("Appointment added"),
    ("appointment", "deleted"): gettext_noop("Appointment deleted"),
    ("appointment", "changed"): gettext_noop("Appointment changed"),
}


@dataclass
class Shown:
    """One task, note or appointment as it stood."""

    row: object
    title: str
    body: str = ""
    is_done: bool = False
    due_at: object = None
    starts_at: object = None
    status: str = ""
    whom: str = ""


@dataclass
class Apart:
    """What became of one task, note or appointment between two moments."""

    words: str  # Task added
    name: str
    changes: list = field(default_factory=list)  # (label, old, new)


class Words:
    """Names for the ids in the states of one contact, read once."""

    def __init__(self, past, shows_deleted):
        self.past, self.shows_deleted = past, shows_deleted
        self.location = past.contact.location
        self.calendars = dict(Calendar.objects.filter(location=self.location).values_list("remote_id", "name"))
        self.customs = list(CustomField.objects.filter(location=self.location))
        keys = {key: [] for kind in RECORDS.values() for key in kind.VALUES} | {"company_remote_id": []}
        self.names = timeline.Names(self.location, [_Told(keys)])

    def groups(self, state):
        """[(group, [(label, words)])] of the fields that were filled."""
        groups = {}
        for __, group, label, words in self._fields(state):
            groups.setdefault(group, []).append((label, words))
        return list(groups.items())

    def shown(self, state, kind):
        """The tasks, notes or appointments of a state, open and newest first."""
        found = [self._shown(row, values) for row, values in state.records[kind].items()]
        return sorted(found, key=lambda one: (one.is_done, str(one.due_at or one.starts_at or "~"), one.row.pk))

    def fields_apart(self, one, two):
        """[(label, then, later)] of the fields that are not the same."""
        then, later = ({slug: (label, words) for slug, _, label, words in self._fields(state)} for state in (one, two))
        pairs = [
            ((then.get(slug) or later[slug])[0], then.get(slug, ("", ""))[1], later.get(slug, ("", ""))[1])
            for slug in dict.fromkeys([*then, *later])
        ]
        return [pair for pair in pairs if pair[1] != pair[2]]

    def records_apart(self, one, two):
        """What was added, what went, and what of the others changed."""
        found = []
        for kind in RECORDS:
            then = {row.pk: (row, values) for row, values in one.records[kind].items()}
            later = {row.pk: (row, values) for row, values in two.records[kind].items()}
            for pk in dict.fromkeys([*then, *later]):
                row, values = later.get(pk) or then[pk]
                name = self._name(row, values)
                if pk not in then:
                    found.append(Apart(_(BECAME[kind, "added"]), name))
                elif pk not in later:
                    found.append(Apart(_(BECAME[kind, "deleted"]), name))
                elif changes := self._changes(row, then[pk][1], values):
                    found.append(Apart(_(BECAME[kind, "changed"]), name, changes))
        return found

    def _fields(self, state):
        """(slug, group, label, words) of what was filled."""
        contact = copy(self.past.contact)
        for key, value in state.values.items():
            if not key.endswith("_remote_id"):
                contact.set_value(key, _typed(contact, key, value))
        for one in fields_of(contact):
            words = "" if one.is_empty else _channels(contact) if one.control == "channels" else one.words
            if words:
                yield one.slug, one.group, one.label, words
        known = {custom.remote_id for custom in self.customs}
        for part, value in (state.values["custom_values"] or {}).items():
            if part not in known:
                yield part, _("Custom fields"), _("A field that GHL no longer has"), str(value)
        for key, label in (("owner_remote_id", _("Owner")), ("company_remote_id", _("Company in GHL"))):
            if words := self.names.words(key, state.values[key]):
                yield key, _("Contact"), label, words
        if state.values["tags"]:
            yield "tags", _("Contact"), _("Tags"), ", ".join(sorted(state.values["tags"]))

    def _shown(self, row, values):
        typed = row.typed(values)
        whom = values.get("assignee_remote_id") or values.get("author_remote_id")
        return Shown(
            row,
            title=values["title"],
            body=self._text(row, values),
            is_done=bool(values.get("completed")),
            due_at=typed.get("due_at"),
            starts_at=typed.get("starts_at"),
            status=self.names.words("status", values.get("status", "")),
            whom=self.names.words("assignee_remote_id", whom),
        )

    def _text(self, row, values):
        """What stood in it. The text of a note that was deleted since is not for everybody any more."""
        if row.KIND == "note" and row.deleted_at and not self.shows_deleted:
            return _("This note was deleted since.")
        return values["notes"] if row.KIND == "appointment" else values["body"]

    def _name(self, row, values):
        if row.KIND != "note":
            return values["title"] or _(row.KIND)
        return " ".join(plain_text(self._text(row, values)).split())[:120]

    def _changes(self, row, then, later):
        is_hidden = row.KIND == "note" and row.deleted_at and not self.shows_deleted
        return [
            (self.names.label(key), self._words(key, then[key]), self._words(key, later[key]))
            for key in SHOWN[row.KIND]
            if then[key] != later[key] and not (is_hidden and key in ("title", "body"))
        ]

    def _words(self, key, value):
        if key in ("body", "notes"):  # whole, for two long texts may differ at their ends only
            return plain_text(value)
        return self.calendars.get(value, value) if key == "calendar_remote_id" else self.names.words(key, value)


def _channels(contact):
    """As they were, without since when: that is reckoned from the present."""
    closed = disturb.off(contact)
    return disturb.closed_words(closed)


@dataclass
class _Told:
    """Stands for a history that speaks of these keys."""

    changes: dict


def _typed(contact, key, value):
    """Emptiness as the column has it."""
    if value != "":
        return value
    empty = contact._meta.get_field(key).get_default()
    return empty if empty is not None else None
