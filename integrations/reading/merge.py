"""What GHL says, brought into our rows.

A row is compared with the snapshot of what GHL said last time: only what changed there is taken over, fields with an
open Change of ours are left alone, and each change becomes a line of history. Equal input writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from string import capwords
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from contacts.listing import search
from contacts.models import (
    ActorKind,
    Appointment,
    Calendar,
    Change,
    Company,
    Contact,
    HistoryEvent,
    Location,
    Note,
    RemoteUser,
    Task,
)
from contacts.models.mirrored import Mirrored, plain
from contacts.open_pages import live
from integrations.writing.verdict import CLOCKS_APART, is_old, looks_like, same, without_what_was

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


LATE = timedelta(seconds=60)  # a search may show for so long what was before, deleted rows included


@dataclass
class Surprise:
    """One row that GHL had otherwise than we: "missing" here, "stale" here, or "extra" here."""

    fate: str
    remote_id: str
    contact_remote_id: str
    at: datetime | None = None  # by GHL's own stamp, where it gives one
    keys: set[str] = field(default_factory=set)


@dataclass
class Merged:
    """What one merge did: primary keys by fate, and of the contacts concerned.

    `doubted` are rows of a search that may show what was before: they were left alone, ask about them by id.
    """

    added: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    unchanged: int = 0
    contact_ids: set[int] = field(default_factory=set)
    surprises: list[Surprise] = field(default_factory=list)
    doubted: list[tuple[Mirrored, Row]] = field(default_factory=list)

    @property
    def wrote(self):
        return bool(self.added or self.changed or self.removed)


def merge(location: Location, model: type[Mirrored], rows: list[Row], listed: bool = False) -> "Merged":
    """Take `rows` (payload dicts, our names) of one model into this location. All or nothing; safe to repeat.

    `listed` says that the rows come from a search, which may lag behind what reads by id have told us.
    """
    with transaction.atomic():
        hold(location)
        merged = _Merge(location, model, listed).take(rows)
        live.tell(location.business_id, merged.contact_ids, [model.KIND])
        return merged


def remove(location: Location, model: type[Mirrored], gone: Iterable[Mirrored]) -> "Merged":
    """Put a tombstone on rows that GHL says are gone, unless a person here is still deciding about them."""
    with transaction.atomic():
        hold(location)
        work = _Merge(location, model)
        work.remove(list(gone))
        live.tell(location.business_id, work.merged.contact_ids, [model.KIND])
        return work.merged


def hold(location):
    """Merges into one location go one after another until the transaction ends."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, location.pk])


_LOCK = 7_301  # any number of our own


class _Merge:
    def __init__(self, location, model, listed=False):
        self.location, self.model, self.kind, self.listed = location, model, model.KIND, listed
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
        if self.listed:
            doubtful = [row for row in known.values() if self._is_doubtful(row, rows[row.remote_id])]
            self.merged.doubted = [(row, rows.pop(row.remote_id)) for row in doubtful]
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
        gone = [row for row in rows if row.deleted_at is None and not holding[row.pk]]
        now = timezone.now()
        self.model.objects.filter(pk__in=[row.pk for row in gone]).update(deleted_at=now, updated_at=now)
        if self.kind == "contact":
            _hide_what_hangs_on(gone)
        for row in gone:
            row.deleted_at = now
            self._event(row, f"{self.kind}_deleted", {}, now)
            self.merged.surprises.append(Surprise("extra", row.remote_id, self._contact_remote_id(row)))
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
        for change in self.late[row.pk]:
            without_what_was(change, incoming, row.snapshot)
        moved = {key: value for key, value in incoming.items() if row.snapshot.get(key) != value}
        # What nobody here has edited is GHL's, also where only the base agrees with it, as after a creation of ours.
        adrift = {key: value for key, value in incoming.items() if not self._shows(row, key, value, held)}
        revived = row.deleted_at is not None and "deleted" not in held
        stamps = {name for name in STAMPS if values.get(name) and getattr(row, name, None) != values[name]}
        stamps = {name for name in stamps if hasattr(row, name)}
        transferred = self.kind != "contact" and row.contact_id != self.contacts[values["contact_remote_id"]]
        if not moved and not adrift and not revived and not stamps and not transferred:
            self.merged.unchanged += 1
            return set()
        written, changes = {"snapshot"}, {}
        for key, value in adrift.items():
            old, value = row.value(key), _with_held(key, value, row, held)
            row.set_value(key, value, self.references)
            written.add(row.attribute(key))
            # What GHL tells us for the first time is news to us, not a change.
            if key in moved and key in row.snapshot and not _alike(self.kind, key, old, value):
                changes[key] = [old, value]
        row.snapshot = {**row.snapshot, **incoming}
        for name in stamps:
            setattr(row, name, values[name])
            written.add(name)
        if transferred:
            changes["contact"] = self._transfer(row, self.contacts[values["contact_remote_id"]])
            written.add("contact")
        if revived:
            row.deleted_at = None
            written.add("deleted_at")
            if not transferred:  # it was hidden with the contact it hung on, never deleted
                self._event(row, f"{self.kind}_restored", {}, timezone.now())
        if changes or revived:
            self.merged.surprises.append(_surprise("missing" if revived else "stale", values, set(changes)))
        if changes:
            self._event(row, self._kind_of(changes), changes, values.get("remote_updated_at") or timezone.now())
        self.merged.changed.append(row.pk)
        if adrift or transferred:  # also what comes without a line of history shows on pages
            self.merged.contact_ids.add(row.pk if self.kind == "contact" else row.contact_id)
        return written

    @staticmethod
    def _shows(row, key, value, held):
        """The row shows GHL's value, or a person's in its place."""
        if key in held and key != "custom_values":
            return True
        return row.value(key) == _with_held(key, value, row, held)

    def _is_doubtful(self, row, values):
        """The search may show this row as it was. True where it contradicts what we know from elsewhere."""
        if row.deleted_at is not None:
            return not values.get("deleted")
        if all(row.snapshot.get(key) == plain(values[key]) for key in self.model.VALUES if key in values):
            return False
        theirs, ours = values.get("remote_updated_at"), getattr(row, "remote_updated_at", None)
        if theirs and ours and theirs != ours:
            return theirs < ours
        return row.updated_at > timezone.now() - LATE

    def _transfer(self, row, contact_id):
        """GHL has hung the row on another contact, as it does when two are merged. [old name, new name]."""
        names = {contact.pk: contact.name for contact in Contact.objects.filter(pk__in=[row.contact_id, contact_id])}
        old, row.contact_id = row.contact_id, contact_id
        self.merged.contact_ids.add(old)
        Change.objects.filter(**{self.kind: row}).update(contact=contact_id)
        return [names.get(old, ""), names[contact_id]]

    def _contact_remote_id(self, row):
        return row.remote_id if self.kind == "contact" else row.person.remote_id or ""

    def _new(self, values):
        self.merged.surprises.append(_surprise("missing", values, set()))
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
            if elsewhere or row.remote_id is not None or is_old(values, change.created_at - CLOCKS_APART):
                continue
            if looks_like(self.kind, change.values, values):
                row.remote_id = values["remote_id"]
                row.snapshot = {key: plain(values[key]) for key in self.model.VALUES if key in values}
                row.save(update_fields=["remote_id", "snapshot"])
                if change.is_undecided:  # it has arrived after all
                    Change.objects.filter(pk=change.pk).update(state=Change.State.CONFIRMED, sentence="", failure="")
                    live.tell_of([change])
                return row
        return None

    @cached_property
    def author_names(self):
        return dict(RemoteUser.objects.filter(location=self.location).values_list("pk", "name"))

    @cached_property
    def creations(self):
        """Creations of ours that may have reached GHL already."""
        ours = Change.objects.filter(kind=self.kind, verb="create", location=self.location)
        maybe = ours.filter(state__in=[*Change.UNDER_WAY, Change.State.REFUSED], **{f"{self.kind}__remote_id": None})
        return list(maybe.filter(attempts__gt=0).select_related(self.kind))

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
        self.late: dict[int, list[Change]] = defaultdict(list)
        of_rows = Change.objects.filter(kind=self.kind, **{f"{self.kind}__in": [row.pk for row in rows]})
        now_confirmed = timezone.now() - timedelta(seconds=settings.GHL_SETTLE_S)
        for change in of_rows.filter(state=Change.State.CONFIRMED, settled_at__gt=now_confirmed).order_by("pk"):
            if change.verb in (Change.Verb.DELETE, Change.Verb.CREATE):  # a reading may not show it yet
                held[change.record_id]["deleted" if change.verb == Change.Verb.DELETE else "created"] = True
            else:
                self.late[change.record_id].append(change)
        for change in of_rows.holding().order_by("pk"):
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
            search.learn([*new, *touched])
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


def hide_what_hangs_on_nobody(location):
    """What stayed for an edit of ours when its contact went, and has none any more."""
    _hide_what_hangs_on(Contact.objects.filter(location=location, deleted_at__isnull=False))


def _hide_what_hangs_on(contacts):
    """GHL takes a contact's notes and tasks along. Those with an edit of ours stay until somebody has decided."""
    now = timezone.now()
    for model in (Task, Note, Appointment):
        open_edits = Change.objects.holding().filter(**{f"{model.KIND}": OuterRef("pk")})
        hanging = model.objects.filter(contact__in=contacts, deleted_at=None, remote_id__isnull=False)
        hanging.exclude(Exists(open_edits)).update(deleted_at=now, updated_at=now)


def _surprise(fate, values, keys):
    at = values.get("remote_updated_at") or values.get("remote_added_at") or values.get("remote_created_at")
    return Surprise(fate, values["remote_id"], values.get("contact_remote_id") or values["remote_id"], at, keys)


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


def _alike(kind, key, one, other):
    """Asked both ways: of custom values `same` looks only at those that the first has."""
    return same(kind, (key, ""), one, other) and same(kind, (key, ""), other, one)


def _unfold(values, ours):
    """GHL's search gives company names in lower case. Keep ours if it is the same name, else guess the capitals
    until the contact is read by id."""
    folded = values.get("company_name_folded")
    if folded is not None and "company_name" not in values and ours.casefold() != folded.casefold():
        values["company_name"] = capwords(folded)
