"""Taking back what has been sent already: by a change that does the opposite, so that the other side hears of it."""

from django.db import transaction
from django.utils.translation import gettext as _

from contacts import localised
from contacts.models.change import Change
from contacts.models.history import HistoryEvent
from contacts.models.mirrored import Mirrored


class NotEditable(Exception):
    """The location does not allow edits; the message says why."""


class NotUndoable(Exception):
    """What has happened since does not allow to take this back; the message says what."""


class Undoable(Mirrored):
    """The opposite of each verb of an Editable. All of them raise NotUndoable when somebody has gone on from there."""

    class Meta:
        abstract = True

    def undo(self, change, by):
        """The change that takes this one back."""
        held = type(self).objects.select_for_update(of=("self",), no_key=True).get(pk=self.pk)
        change = Change.objects.select_for_update().get(pk=change.pk)
        if change.state == Change.State.CANCELLED and not change.undoes_id:
            raise NotUndoable(_("This was taken back already."))
        back = {
            Change.Verb.UPDATE: held._undo_update,
            Change.Verb.CREATE: held._undo_create,
            Change.Verb.TAGS: held._undo_tags,
            Change.Verb.DELETE: held._undo_deletion,
        }[change.verb](change, by)
        self.refresh_from_db()
        return back

    def take(self, values):
        """Take plain values into the row; of a mapping only the entries named, None for one that is gone."""
        for key, value in values.items():
            if key in self.BY_PART:
                parts = {**self.value(key), **(value or {})}
                setattr(self, key, {part: kept for part, kept in parts.items() if kept is not None})
            else:
                self.set_value(key, value)
        self.save(update_fields=[self.attribute(key) for key in values])

    def _undo_update(self, change, by):
        if self.deleted_at:
            raise NotUndoable(_("It was deleted since, so there is nothing to put back."))
        if moved := [key for key in change.values if not self._is_still(key, change)]:
            raise NotUndoable(self._who_went_on(moved, change))
        was_sent = not change.cancel()
        before = {key: change.before.get(key) for key in change.values}
        self.take(before)
        return self._write(by, Change.Verb.UPDATE, before, change.values, fields=(), undoes=change, is_sent=was_sent)

    def _undo_create(self, change, by):
        if self.deleted_at:
            raise NotUndoable(_("It was deleted since."))
        if self.KIND == "contact" and self._later_events(change).exists():
            raise NotUndoable(
                _("More has happened with this contact since. Delete the contact if that is what you mean.")
            )
        return self.delete_here(by, undo_s=0, undoes=change)

    def _undo_tags(self, change, by):
        add = [tag for tag in change.values["remove"] if tag not in self.tags]
        remove = [tag for tag in change.values["add"] if tag in self.tags]
        if not add and not remove:
            raise NotUndoable(_("The tags are as they were already."))
        was_sent = not change.cancel()
        return self._retag(by, add=add, remove=remove, undoes=change, is_sent=was_sent)

    def _undo_deletion(self, change, by):
        if not self.deleted_at:
            raise NotUndoable(_("It is here already."))
        if self.undo_delete(change, by):
            change.refresh_from_db()
            return change
        if not change.is_settled:
            raise NotUndoable(_("The deletion is on its way to GHL right now. Try again in a few seconds."))
        return self.make_anew(by, undoes=change)

    def make_anew(self, by, undoes=None):
        """GHL gives nothing back: what was deleted there is made again, under a new id."""
        with transaction.atomic():
            went_along = {"deleted_at": self.deleted_at}
            self.remote_id, self.snapshot, self.deleted_at = None, {}, None
            change = self._write(by, Change.Verb.CREATE, self._filled(), {}, fields=None, undoes=undoes)
            if self.KIND == "contact":  # GHL deletes these with their contact
                for rows in (self.notes, self.tasks):
                    for row in [*rows.present(), *rows.filter(**went_along)]:
                        row.make_anew(by)
        return change

    # --- is it still as this change left it? --------------------------------------------------------------------------

    def _is_still(self, key, change):
        mine, now = change.values[key], self.value(key)
        if key in self.BY_PART:
            return all(now.get(part) == value for part, value in mine.items()) or not self._later_about(key, change)
        return now == mine or not self._later_about(key, change)

    def _later_about(self, key, change):
        parts = set(change.values[key] or {}) if key in self.BY_PART else set()
        for event in self._later_events(change).order_by("-pk"):
            if key not in event.changes:
                continue
            touched = {part for side in event.changes[key] for part in side or {}} if parts else set()
            if not parts or parts & touched:
                return event
        return None

    def _later_events(self, change):
        events = HistoryEvent.objects.filter(contact=self.person)
        if self.KIND != "contact":
            events = events.filter(**{self.KIND: self})
        own = change.history.order_by("pk").values_list("pk", flat=True).first() or 0
        return events.filter(pk__gt=own).exclude(change=change)

    def _who_went_on(self, keys, change):
        event = next(found for key in keys if (found := self._later_about(key, change)))
        who = str(event.user) if event.user else event.actor_name or event.get_actor_kind_display()
        at = event.happened_at.astimezone(self.location.zone)
        at = f"{localised.day(at)}, {localised.clock(at)}"
        words = _("%(who)s changed it since (%(at)s), and undoing would take that back too.")
        return words % {"who": who, "at": at}
