"""The verbs of a record that people change here: each writes the row, a Change and a line of history together."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import machine
from contacts.models.change import Change
from contacts.models.history import HistoryEvent
from contacts.models.mirrored import plain
from contacts.models.undoable import NotEditable, Undoable
from contacts.open_pages import live


class Editable(Undoable):
    """Mixed into Contact, Task, Note and Appointment. `KIND` names the record in Change and HistoryEvent.

    `BY_PART` are the keys whose value is a mapping of which a Change carries only the entries that differ; an entry
    that is gone is carried as None.
    """

    BY_PART: tuple[str, ...] = ()

    class Meta:
        abstract = True

    def edit(self, by, undo_s=0, **values):
        """Save what differs and queue it for GHL, for when the time for Undo is over. Values by field name.

        None if nothing differs.
        """
        keys = {self._key(name): name for name in values}
        before = {key: self.value(key) for key in keys}
        for name, value in values.items():
            setattr(self, name, value)
        changed = {key for key in keys if self.value(key) != before[key]}
        if not changed:
            return None
        new, old = {}, {}
        for key in changed:
            new[key], old[key] = self.value(key), before[key]
            if key in self.BY_PART:
                new[key], old[key] = _parts_apart(new[key], old[key])
        after = timedelta(seconds=undo_s)
        return self._write(by, Change.Verb.UPDATE, new, old, fields=[keys[key] for key in changed], after=after)

    def create(self, by, submission=None):
        """Save a new row and queue its creation in GHL. `submission` names the form it came with."""
        return self._write(by, Change.Verb.CREATE, self._filled(), {}, fields=None, submission=submission)

    def delete_here(self, by, undo_s, undoes=None):
        """Hide the row now and queue the deletion for when the time for Undo is over.

        A row that GHL never got is simply withdrawn: its queued creation is cancelled.
        """
        with transaction.atomic():
            self.deleted_at = timezone.now()
            if self.remote_id is None:
                for change in self.changes.filter(state=Change.State.QUEUED):
                    change.cancel()
            after = timedelta(seconds=undo_s)
            # What was seen when it was deleted: what GHL has made of it since shall not go down with it.
            before = type(self).objects.values_list("snapshot", flat=True).get(pk=self.pk)
            change = self._write(by, Change.Verb.DELETE, {}, before, fields=["deleted_at"], after=after, undoes=undoes)
        return change

    def undo_delete(self, change, by):
        """True when the deletion had not been sent yet; then the row is back."""
        with transaction.atomic():
            if change.verb != Change.Verb.DELETE or not change.cancel():
                return False
            self.deleted_at = None
            self.save(update_fields=["deleted_at"])
            self._remember(by, f"{self.KIND}_restored", {}, change)
            if self.remote_id is None:  # its creation was withdrawn with it: queue that again
                self._queue(by, Change.Verb.CREATE, self._filled(), {})
        return True

    def restore(self, change, by=None):
        """Take back what an undecided change did here: the row shows GHL's values again, and the history says so."""
        is_gone = change.verb == Change.Verb.CREATE or change.is_about_something_gone
        if is_gone or change.verb == Change.Verb.DELETE:
            self.deleted_at = timezone.now() if is_gone else None
            self.save(update_fields=["deleted_at"])
            kind = "deleted" if is_gone else "restored"
            self._remember(by, f"{self.KIND}_{kind}", {}, change, reason=change.decided_because)
            return
        fields, stood = [], {key: self.value(key) for key in change.fields & set(self.VALUES)}
        for key in stood:
            if key in self.BY_PART:
                setattr(self, key, self._with_theirs(key, change))
            else:
                self.set_value(key, change.theirs.get(key, self.snapshot.get(key, change.before.get(key))))
            fields.append(self.attribute(key))
        self.save(update_fields=fields)
        self._remember_moved(by, stood, change, reason=change.decided_because)

    def go_back(self, values, by, change):
        """Take values that stood here before, as was decided about a change, and say so in the history."""
        stood = {key: self.value(key) for key in values}
        self.take(values)
        self._remember_moved(by, stood, change)

    def _remember_moved(self, by, stood, change, reason=""):
        """One line of history for the keys whose values are no longer those that stood here."""
        moved = {}
        for key, old in stood.items():
            new = self.value(key)
            if new != old:
                moved[key] = list(_parts_apart(old, new)) if key in self.BY_PART else [old, new]
        if moved:
            kind = self._history_kind(change.verb, {key: new for key, (_, new) in moved.items()})
            self._remember(by, kind, moved, change, reason=reason)

    def _with_theirs(self, key, change):
        """The mapping with the entries of this change as GHL has them."""
        theirs = {**(self.snapshot.get(key, change.before.get(key)) or {}), **(change.theirs.get(key) or {})}
        parts = {**self.value(key), **{part: theirs.get(part) for part in change.values[key]}}
        return {part: value for part, value in parts.items() if value is not None}

    @classmethod
    def _key(cls, name):
        return name if name in cls.VALUES else f"{name}_remote_id"

    def _filled(self):
        return {key: self.value(key) for key in self.VALUES if self.value(key) not in ("", None, [], {}, False)}

    def _write(self, by, verb, values, before, fields, after=None, undoes=None, submission=None, is_sent=True):
        """Save the row, the change and the line of history together. Not `is_sent`: GHL need not hear of it."""
        self.check_editable()
        with transaction.atomic():
            if fields is None:
                self.save()
            elif fields:
                self.save(update_fields=fields)
            values = {key: plain(value) for key, value in values.items()}
            changes = _old_and_new(self, verb, values, before)
            if verb == Change.Verb.UPDATE:
                before = self._last_seen(by, values, before)
            change = self._queue(by, verb, values, before, after, undoes, submission, is_sent)
            self._remember(by, self._history_kind(verb, values), changes, change)
        return change

    def check_editable(self):
        """NotEditable says why not."""
        if not self.location.is_editable:
            raise NotEditable(_(self.location.not_editable_because) or _("This connection is read-only."))

    def _last_seen(self, by, values, before):
        """`before` with what the person saw of GHL where an earlier edit of theirs is still undecided.

        An undecided edit that this one says all about gives way to it.
        """
        seen = dict(before)
        for older in self.changes.undecided().filter(kind=self.KIND, verb=Change.Verb.UPDATE).order_by("pk"):
            for key in set(older.values) & set(values):
                there = {**older.before, **older.theirs}
                if key in self.BY_PART:
                    known = {
                        part: (there.get(key) or {}).get(part) for part in values[key] if part in older.values[key]
                    }
                    seen[key] = {**(seen.get(key) or {}), **known}
                else:
                    seen[key] = there.get(key)
            if _covers(values, older.values, self.BY_PART):
                older.give_way(machine.person(by))
        return seen

    def _queue(self, by, verb, values, before, after=None, undoes=None, submission=None, is_sent=True):
        contact = self.person
        now = timezone.now()
        change = Change.objects.create(
            business_id=contact.business_id,
            location_id=contact.location_id,
            contact=contact,
            kind=self.KIND,
            verb=verb,
            values=values,
            before=before,
            made_by=machine.person(by),
            actor_kind=machine.kind(by),
            not_before=now + (after or timedelta()),
            state=Change.State.QUEUED if is_sent else Change.State.CANCELLED,
            settled_at=None if is_sent else now,
            undoes=undoes,
            submission=submission,
            **({} if self.KIND == "contact" else {self.KIND: self}),
        )
        if is_sent:
            change.announce()
            live.tell_of([change])
        return change

    def _remember(self, by, kind, changes, change=None, reason=""):
        contact = self.person
        now = timezone.now()
        HistoryEvent.objects.create(
            location_id=contact.location_id,
            contact=contact,
            kind=kind,
            changes=changes,
            actor_kind=machine.kind(by),
            user=machine.person(by),
            actor_name=str(by) if by else "",
            cause=machine.cause(by),
            change=change,
            reason=reason,
            happened_at=now,
            **({} if self.KIND == "contact" else {self.KIND: self}),
        )
        type(contact).objects.filter(pk=contact.pk).update(last_activity_at=now)
        live.tell(contact.business_id, [contact.pk], [kind.split("_")[0]])

    def _history_kind(self, verb, values):
        if verb == Change.Verb.TAGS:
            return "tags_changed"
        if self.KIND == "task" and verb == Change.Verb.UPDATE and set(values) == {"completed"}:
            return "task_done" if values["completed"] else "task_reopened"
        return f"{self.KIND}_" + {"create": "added", "update": "changed", "delete": "deleted"}[verb]

    @property
    def person(self):
        """The contact this record belongs to."""
        return self if self.KIND == "contact" else self.contact


def _covers(values, older, by_part):
    """Whether the newer values say all that the older ones say."""
    return all(
        key in values and (key not in by_part or set(older[key] or {}) <= set(values[key] or {})) for key in older
    )


def _parts_apart(new, old):
    parts = [part for part in {**old, **new} if new.get(part) != old.get(part)]
    return {part: new.get(part) for part in parts}, {part: old.get(part) for part in parts}


def _old_and_new(record, verb, values, before):
    if verb == Change.Verb.TAGS:
        return {"tags": [before["tags"], list(record.tags)]}
    return {key: [before.get(key), plain(value)] for key, value in values.items()}
