"""What GHL says, brought into our rows.

A row is compared with the snapshot of what GHL said last time: only what changed there is taken over, fields with an
open Change of ours are left alone, and each change becomes a line of history. Equal input writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from string import capwords
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from contacts.models import (
    ActorKind,
    Calendar,
    Change,
    Company,
    Contact,
    HistoryEvent,
    Location,
    RemoteUser,
)
from contacts.models.mirrored import Mirrored, MirroredQuerySet, plain
from integrations.counterpart import looks_like

Row = dict[str, Any]  # what integrations.ghl.payloads makes of an answer, under our names

REFERENCES: dict[str, Any] = {
    "owner_remote_id": RemoteUser,
    "assignee_remote_id": RemoteUser,
    "author_remote_id": RemoteUser,
    "company_remote_id": Company,
    "calendar_remote_id": Calendar,
}
# Taken over beside the values, without history: GHL's own book-keeping.
STAMPS = ("remote_created_at", "remote_updated_at", "remote_added_at", "raw_start")


@dataclass
class Merged:
    """What one merge did: primary keys by fate, and of the contacts concerned."""

    added: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    unchanged: int = 0
    contact_ids: set[int] = field(default_factory=set)

    @property
    def wrote(self):
        return bool(self.added or self.changed or self.removed)


def merge(location: Location, model: type[Mirrored], rows: list[Row]) -> "Merged":
    """Take `rows` (payload dicts, our names) of one model into this location. All or nothing; safe to repeat."""
    with transaction.atomic():
        hold(location)
        return _Merge(location, model).take(rows)


def merge_whole(location: Location, model: type[Mirrored], rows: list[Row], of: MirroredQuerySet) -> "Merged":
    """Like `merge`, for a listing known to be complete: our rows in the queryset `of` that it lacks are removed."""
    with transaction.atomic():
        hold(location)
        work = _Merge(location, model)
        merged = work.take(rows)
        missing = of.present().filter(remote_id__isnull=False).exclude(remote_id__in=[r["remote_id"] for r in rows])
        work.remove(list(missing))
        return merged


def remove(location: Location, model: type[Mirrored], gone: Iterable[Mirrored]) -> "Merged":
    """Put a tombstone on rows that GHL says are gone, unless a person here is still deciding about them."""
    with transaction.atomic():
        hold(location)
        work = _Merge(location, model)
        work.remove(list(gone))
        return work.merged


def hold(location):
    """Merges into one location go one after another until the transaction ends."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, location.pk])


_LOCK = 7_301  # any number of our own


class _Merge:
    def __init__(self, location, model):
        self.location, self.model, self.kind = location, model, model.KIND
        self.merged = Merged()
        self.events: list[HistoryEvent] = []
        self.activity: dict[int, datetime] = {}

    def take(self, rows):
        rows = {row["remote_id"]: row for row in rows if row.get("remote_id")}
        rows = self._of_known_contacts(rows)
        self.references = self._references(rows.values())
        known = {
            row.remote_id: row
            for row in self.model.objects.select_for_update().filter(location=self.location, remote_id__in=rows)
        }
        holding = self._holding(known.values())
        new, touched, fields = [], [], set()
        for remote_id, values in rows.items():
            if remote_id in known:
                row = known[remote_id]
                _unfold(values, row.company_name if self.kind == "contact" else "")
                written = self._update(row, values, holding[row.pk])
                if written:
                    touched.append(row)
                    fields |= written
            elif not values.get("deleted"):
                _unfold(values, "")
                new.append(self._adopted(values) or self._new(values))
        self._save(new, touched, fields)
        return self.merged

    def remove(self, rows):
        holding = self._holding(rows)
        gone = [row for row in rows if not holding[row.pk]]
        now = timezone.now()
        self.model.objects.filter(pk__in=[row.pk for row in gone]).update(deleted_at=now)
        for row in gone:
            self._event(row, f"{self.kind}_deleted", {}, now)
        self.merged.removed += [row.pk for row in gone]
        self._save([], [], set())

    # --- one row --------------------------------------------------------------------------------------------------

    def _update(self, row, values, held):
        """Take over what changed in GHL since we last looked. The model fields written, empty if none."""
        if values.get("deleted"):
            if row.deleted_at is None and not held:
                self.remove([row])
            return set()
        incoming = {key: plain(values[key]) for key in self.model.VALUES if key in values}
        moved = {key: value for key, value in incoming.items() if row.snapshot.get(key) != value}
        revived = row.deleted_at is not None and "deleted" not in held
        stamps = {name for name in STAMPS if values.get(name) and getattr(row, name, None) != values[name]}
        stamps = {name for name in stamps if hasattr(row, name)}
        if not moved and not revived and not stamps:
            self.merged.unchanged += 1
            return set()
        written, changes = {"snapshot"}, {}
        for key, value in moved.items():
            value = _with_held(key, value, row, held)
            if key in held and key != "custom_values":
                continue
            old = row.value(key)
            if old != value:
                row.set_value(key, value, self.references)
                written.add(row.attribute(key))
                # What GHL tells us for the first time is news to us, not a change.
                if key in row.snapshot and not (key == "company_name" and old.casefold() == value.casefold()):
                    changes[key] = [old, value]
        row.snapshot = {**row.snapshot, **incoming}
        for name in stamps:
            setattr(row, name, values[name])
            written.add(name)
        if revived:
            row.deleted_at = None
            written.add("deleted_at")
            self._event(row, f"{self.kind}_restored", {}, timezone.now())
        if changes:
            self._event(row, self._kind_of(changes), changes, values.get("remote_updated_at") or timezone.now())
        self.merged.changed.append(row.pk)
        return written

    def _new(self, values):
        incoming = {key: plain(values[key]) for key in self.model.VALUES if key in values}
        row = self.model(location=self.location, remote_id=values["remote_id"], snapshot=incoming)
        if self.kind != "contact":
            row.contact_id = self.contacts[values["contact_remote_id"]]
        for key, value in incoming.items():
            row.set_value(key, value, self.references)
        for name in STAMPS:
            if values.get(name) and hasattr(row, name):
                setattr(row, name, values[name])
        return row

    def _adopted(self, values):
        """Our own row, if this is the answer to a creation of ours that we have not heard back about."""
        for change in self.creations:
            row = change.record
            elsewhere = self.kind != "contact" and change.contact_id != self.contacts[values["contact_remote_id"]]
            if not elsewhere and row.remote_id is None and looks_like(self.kind, change.values, values):
                row.remote_id = values["remote_id"]
                row.snapshot = {key: plain(values[key]) for key in self.model.VALUES if key in values}
                row.save(update_fields=["remote_id", "snapshot"])
                return row
        return None

    @cached_property
    def author_names(self):
        return dict(RemoteUser.objects.filter(location=self.location).values_list("pk", "name"))

    @cached_property
    def creations(self):
        """Creations of ours that may have reached GHL already."""
        if self.kind == "appointment":
            return []
        waiting = Change.objects.unsettled().filter(kind=self.kind, verb="create", location=self.location)
        return list(waiting.exclude(state=Change.State.QUEUED, attempts=0).select_related(self.kind))

    def _kind_of(self, changes):
        if self.kind == "contact" and set(changes) == {"tags"}:
            return "tags_changed"
        if self.kind == "task" and "completed" in changes:
            return "task_done" if changes["completed"][1] else "task_reopened"
        if self.kind == "appointment" and {"starts_at", "ends_at"} & set(changes):
            return "appointment_moved"
        return f"{self.kind}_changed"

    # --- many rows ------------------------------------------------------------------------------------------------

    def _of_known_contacts(self, rows):
        """Only rows whose contact we hold: a row that arrives before its contact comes again with the next read."""
        if self.kind == "contact":
            return rows
        wanted = {row["contact_remote_id"] for row in rows.values()}
        self.contacts = dict(
            Contact.objects.filter(location=self.location, remote_id__in=wanted).values_list("remote_id", "pk")
        )
        return {pk: row for pk, row in rows.items() if row["contact_remote_id"] in self.contacts}

    def _references(self, rows):
        """{key: {remote id: primary key}}; an id we never heard of becomes a nameless row: nothing is dropped."""
        found = {}
        for key in self.model.VALUES:
            if key not in REFERENCES:
                continue
            wanted = {row[key] for row in rows if row.get(key)}
            model = REFERENCES[key]
            known = dict(
                model.objects.filter(location=self.location, remote_id__in=wanted).values_list("remote_id", "pk")
            )
            for remote_id in wanted - known.keys():
                known[remote_id] = model.objects.create(location=self.location, remote_id=remote_id).pk
            found[key] = known
        return found

    def _holding(self, rows):
        """{row pk: keys with an open Change}. An open deletion holds everything, under the name "deleted"."""
        held: dict[int, dict] = defaultdict(dict)
        if self.kind == "appointment":
            return held
        changes = Change.objects.holding().filter(kind=self.kind, **{f"{self.kind}__in": [row.pk for row in rows]})
        for change in changes.order_by("pk"):
            if change.verb == Change.Verb.DELETE:
                held[change.record_id]["deleted"] = True
            for key in change.fields:
                mine = change.values.get(key)
                if key == "custom_values":  # several open changes may each hold other fields
                    mine = {**held[change.record_id].get(key, {}), **(mine or {})}
                held[change.record_id][key] = mine
        return held

    def _event(self, row, kind, changes, happened_at):
        happened_at = happened_at or timezone.now()
        contact_id = row.pk if self.kind == "contact" else row.contact_id
        self.merged.contact_ids.add(contact_id)
        self.events.append(
            HistoryEvent(
                location=self.location,
                contact_id=contact_id,
                kind=kind,
                changes=changes,
                actor_kind=ActorKind.GHL,
                actor_name=self.author_names.get(row.author_id, "") if self.kind == "note" else "",
                happened_at=happened_at,
                **({} if self.kind == "contact" else {self.kind: row}),
            )
        )
        if happened_at <= timezone.now():
            self.activity[contact_id] = max(self.activity.get(contact_id, happened_at), happened_at)

    def _save(self, new, touched, fields):
        adopted = [row for row in new if row.pk]
        new = [row for row in new if not row.pk]
        if self.kind == "contact":
            companies = Company.objects.in_bulk({row.company_id for row in [*new, *touched] if row.company_id})
            for row in [*new, *touched]:
                row.location = self.location  # both at hand, so that indexing asks the database nothing
                row.company = companies.get(row.company_id)
                row.index()
            fields = fields | set(Contact.INDEXED) if touched else fields
            for row in new:
                row.last_activity_at = row.remote_updated_at or row.remote_created_at or timezone.now()
        self.model.objects.bulk_create(new, batch_size=500)
        if touched:
            for row in touched:
                row.updated_at = timezone.now()
            self.model.objects.bulk_update(touched, [*fields, "updated_at"], batch_size=500)
        for row in new:
            self._event(row, _ADDED[self.kind], {}, _when_added(row))
        HistoryEvent.objects.bulk_create(self.events, batch_size=1000)
        self._note_activity()
        self.merged.added += [row.pk for row in new]
        self.merged.changed += [row.pk for row in adopted]
        self.events = []

    def _note_activity(self):
        late = []
        for contact in Contact.objects.filter(pk__in=self.activity).only("pk", "last_activity_at"):
            if self.activity[contact.pk] > contact.last_activity_at:
                contact.last_activity_at = self.activity[contact.pk]
                late.append(contact)
        Contact.objects.bulk_update(late, ["last_activity_at"], batch_size=500)
        self.activity.clear()


_ADDED = {
    "contact": "contact_added", "task": "task_added", "note": "note_added", "appointment": "appointment_booked",
}  # fmt: skip


def _when_added(row):
    for name in ("remote_created_at", "remote_added_at", "remote_updated_at"):
        if getattr(row, name, None):
            return getattr(row, name)
    return timezone.now()


def _with_held(key, value, row, held):
    """Custom values are held one by one: the others are taken over."""
    if key != "custom_values" or key not in held:
        return value
    mine = held[key] or {}
    return {**value, **{field_id: row.custom_values.get(field_id) for field_id in mine}}


def _unfold(values, ours):
    """GHL's search gives company names in lower case. Keep ours if it is the same name, else guess the capitals
    until the contact is read by id."""
    folded = values.get("company_name_folded")
    if folded is not None and "company_name" not in values and ours.casefold() != folded.casefold():
        values["company_name"] = capwords(folded)
