"""A contact as it stood at a moment, rebuilt backwards: what stands here today without what the history tells since.

An event counts from when we learned of it, so a state is what stood here, not what GHL may have had already. What was
before the contact was first read, or made here, nobody can tell.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from contacts.models import Appointment, Contact, HistoryEvent, Note, Task

RECORDS = {"task": Task, "note": Note, "appointment": Appointment}
BEGINS = ("added", "booked")  # how the kind of an event ends that made a row, or made it again


@dataclass
class State:
    """Plain values by snapshot key, None and emptiness alike as "". `records` are by kind, {row: its values}."""

    at: datetime
    values: dict
    is_deleted: bool
    records: dict = field(default_factory=dict)


class Past:
    """Everything needed to say how a contact stood at any moment, read once."""

    def __init__(self, contact):
        self.contact = contact
        self.known_since = contact.created_at
        events = HistoryEvent.objects.filter(contact=contact)
        self.events = self._read(events)
        ids = {kind: {getattr(event, f"{kind}_id") for event in self.events} - {None} for kind in RECORDS}
        self.rows = {
            kind: list(model.objects.filter(Q(contact=contact) | Q(pk__in=ids[kind])).select_related(*_names_in(model)))
            for kind, model in RECORDS.items()
        }
        self.of_record = defaultdict(list)
        for event in [*self.events, *self._told_elsewhere()]:
            for kind in RECORDS:
                if pk := getattr(event, f"{kind}_id"):
                    self.of_record[kind, pk].append(event)
        for found in self.of_record.values():
            found.sort(key=lambda event: event.pk)
        self.own = [event for event in self.events if not any(getattr(event, f"{kind}_id") for kind in RECORDS)]
        self.deletions = [event.created_at for event in self.own if event.kind == "contact_deleted"]

    def at(self, moment):
        """The State at this moment, None before anything is known."""
        if moment < self.known_since:
            return None
        records = {
            kind: {row: values_at(row, self.of_record[kind, row.pk], moment) for row in rows if self._had(row, moment)}
            for kind, rows in self.rows.items()
        }
        is_deleted = not is_there(self.contact, self.own, moment)
        return State(moment, values_at(self.contact, self.own, moment), is_deleted, records)

    def unread(self, moment):
        """How many notes, tasks and appointments existed in GHL by then and were read only later."""
        firsts = [next((one for one in events if _begins(one)), None) for events in self.of_record.values()]
        return sum(event is not None and event.happened_at <= moment < event.created_at for event in firsts)

    def _had(self, row, moment):
        events = self.of_record[row.KIND, row.pk]
        return self._contact_of(row, events, moment) == self.contact.pk and is_there(
            row, events, moment, self.deletions
        )

    @staticmethod
    def _contact_of(row, events, moment):
        """GHL hangs rows on another contact when it merges two; each event stays with the contact it happened to."""
        until = [event.contact_id for event in events if event.created_at <= moment]
        return until[-1] if until else events[0].contact_id if events else row.contact_id

    def _told_elsewhere(self):
        """What happened to the rows that were moved between contacts while they hung on another."""
        moved = {
            kind: {row.pk for row in rows if row.contact_id != self.contact.pk} for kind, rows in self.rows.items()
        }
        for event in self.events:
            if "contact" in event.changes:
                for kind in RECORDS:
                    moved[kind] |= {getattr(event, f"{kind}_id")} - {None}
        if not any(moved.values()):
            return []
        condition = Q(pk__in=[])
        for kind, pks in moved.items():
            condition |= Q(**{f"{kind}__in": pks})
        return self._read(HistoryEvent.objects.filter(condition).exclude(contact=self.contact))

    @staticmethod
    def _read(events):
        wanted = ("kind", "changes", "contact_id", "task_id", "note_id", "appointment_id", "happened_at", "created_at")
        return list(events.order_by("pk").only(*wanted))


def values_at(row, events, moment):
    """The row's values with every event after the moment taken back."""
    values = {key: row.value(key) for key in row.VALUES}
    for event in reversed(events):
        if event.created_at <= moment:
            break
        if _begins(event):  # it told what stood there already
            continue
        for key, pair in event.changes.items():
            if key in values and isinstance(pair, list) and len(pair) == 2:
                values[key] = _without(values[key], *pair) if key in row.BY_PART else pair[0]
    return {key: _plain(value) for key, value in values.items()}


def is_there(row, events, moment, contact_deletions=()):
    """Whether the row stood here, neither still to come nor deleted."""
    if moment < row.created_at or (row.deleted_at and row.deleted_at <= moment):
        return False
    turns = [event for event in events if _begins(event) or event.kind.endswith(("_deleted", "_restored"))]
    past = [event for event in turns if event.created_at <= moment]
    if past and past[-1].kind.endswith("_deleted"):
        return False
    ahead = next((event for event in turns if event.created_at > moment), None)
    if ahead and ahead.kind.endswith("_restored"):
        # It was hidden with its contact, which has no event of its own.
        since = past[-1].created_at if past else row.created_at
        return not any(since < at <= moment for at in contact_deletions)
    return True


def _begins(event):
    return event.kind.endswith(BEGINS)


def _without(parts, old, new):
    """A mapping before a change of which each side may hold all the entries or only those that differ."""
    old, new = old or {}, new or {}
    back = {**parts, **{part: old.get(part) for part in {**old, **new}}}
    return {part: value for part, value in back.items() if value is not None}


def _plain(value):
    if isinstance(value, dict):
        value = {part: one for part, one in value.items() if one is not None}
    return "" if value in (None, [], {}) else value


def _names_in(model):
    return [key.removesuffix("_remote_id") for key in model.VALUES if key.endswith("_remote_id")]


def stored(contact):
    """The State as it is in the database now: what rebuilding has to come to."""
    contact = Contact.objects.get(pk=contact.pk)
    records = {
        kind: {
            row: {key: _plain(row.value(key)) for key in row.VALUES}
            for row in model.objects.present().filter(contact=contact)
        }
        for kind, model in RECORDS.items()
    }
    values = {key: _plain(contact.value(key)) for key in contact.VALUES}
    return State(contact.updated_at, values, contact.deleted_at is not None, records)
