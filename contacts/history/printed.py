"""The history of one contact as it is put before others: every line, oldest first, each value and note in full."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts import localised
from contacts.details.note_text import plain_text
from contacts.history import timeline
from contacts.history.timeline.words import LONG, MOMENTS, tag_words
from contacts.models import ActorKind, Calendar, HistoryEvent

MOST = 5000  # lines of one print: some hundred pages
MUCH_LATER = timedelta(hours=1)
ACTORS = {
    ActorKind.GHL: gettext_noop("in GHL"),
    ActorKind.RULE: gettext_noop("rule"),
    ActorKind.ERP: "ERP",
    ActorKind.SYSTEM: "Rankr",
}


@dataclass
class Entry:
    line: timeline.Line
    at: str
    learned: str  # when we heard of it, if that was much later
    by: str  # of a machine, what kind it is
    changes: list  # (label, old, new) in full
    note: str  # the text as it was written then
    is_gone: bool  # the note was deleted since, and its text with it
    is_new: bool  # there is no old value of anything


def entries_of(contact, days):
    """(the entries of these days, whether older ones had to be left out)."""
    events = HistoryEvent.objects.filter(contact=contact)
    events = days.within(events, "happened_at", contact.location.zone)
    events = events.select_related("user", "task", "note__author", "appointment", "change")
    newest = list(events.order_by("-happened_at", "-pk")[: MOST + 1])
    shown = newest[:MOST]
    names = FullNames(contact.location, shown)
    written = _texts_at_first(contact, shown)
    lines = reversed(timeline.lines_of(shown, contact.location, folds=False))
    return [_entry(line, names, written) for line in lines], len(newest) > MOST


def _entry(line, names, written):
    event, note = line.event, line.event.note
    is_new_note = event.kind == "note_added"
    is_gone = bool(note and note.deleted_at)
    changes = [] if is_new_note else names.changes(event)
    if event.kind == "tags_changed":
        changes = []  # its words name them all
        line.words = tag_words(*event.changes.get("tags", ([], [])), most=None)
    elif event.kind == "contact_changed":
        line.detail = ""  # they follow, one by one
    elif changes and event.kind in ("task_added", "appointment_booked"):
        line.detail = ""
        changes = [change for change in changes if change[0] != names.label("title")]
    if is_gone:
        changes = [change for change in changes if change[0] != names.label("body")]
    return Entry(
        line,
        at=stamp(event.happened_at, names.zone),
        learned=stamp(event.created_at, names.zone) if event.created_at - event.happened_at > MUCH_LATER else "",
        by=_(ACTORS.get(event.actor_kind, "")),
        changes=changes,
        note=plain_text(written[event.note_id]) if is_new_note and note and not is_gone else "",
        is_gone=is_new_note and is_gone,
        is_new=event.kind.endswith(("_added", "_booked")),
    )


def stamp(moment, zone):
    """23 Nov 2026, 14:20:05 CST"""
    local = moment.astimezone(zone)
    return f"{localised.day_and_year(local)}, {local:%H:%M:%S %Z}"


def _texts_at_first(contact, events):
    """{note: what it said when it was written}: its text today, with the edits since taken back."""
    notes = {event.note_id: event.note.body for event in events if event.kind == "note_added" and event.note}
    edits = HistoryEvent.objects.filter(contact=contact, note__in=notes, kind="note_changed", changes__has_key="body")
    for pk, changes in edits.order_by("-pk").values_list("note", "changes"):
        notes[pk] = changes["body"][0] or ""
    return notes


class FullNames(timeline.Names):
    """Old and new values without an end cut off."""

    def __init__(self, location, events):
        super().__init__(location, events)
        self.calendars = dict(Calendar.objects.filter(location=location).values_list("remote_id", "name"))

    def words(self, key, value):
        if key == "calendar_remote_id":
            return self.calendars.get(value, "")
        if key in MOMENTS and value and (moment := parse_datetime(value)):
            return stamp(moment, self.zone)
        if isinstance(value, str) and key in ("body", "notes"):
            return plain_text(value)
        return value if isinstance(value, str) and len(value) > LONG else super().words(key, value)

    def _custom(self, old, new):
        parts = [part for part in {**old, **new} if old.get(part) != new.get(part)]
        for part, (label, before, after) in zip(parts, super()._custom(old, new), strict=True):
            yield label, _whole(old.get(part), before), _whole(new.get(part), after)


def _whole(value, words):
    return value if isinstance(value, str) and len(value) > LONG else words
