"""What the composer, the history and the pinned notes of the contact page show."""

import uuid

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.badges import Badges
from contacts.day import due
from contacts.details.note_text import fingerprint, is_long, loses_formatting, plain_text
from contacts.forms.contact import OUTCOMES
from contacts.history import timeline
from contacts.history.timeline import query, text
from contacts.history.timeline.words import call_of
from contacts.models import ContactView, HistoryEvent, Note
from contacts.open_pages.drafts import Drafts, is_behind, said
from contacts.people import mentions
from contacts.templatetags.ui import safe_html

KINDS = ("note", "task", "call")


def history(contact, badges=None, params=None, viewer=None, drafts=None, coming=None):
    """One page of the history as `viewer` sees it: with their unsent edits, and from where it is new to them.

    `coming` is what `coming_up` finds, where it has been read already.
    """
    params = params or {}
    badges = badges or Badges(contact)
    asked = query.Asked.of(params)
    after = params.get("after", "")
    lines, more, last = timeline.page(contact, asked, after, params.get("until", ""))
    told = [line.note for line in lines if line.note]
    drafts = drafts or Drafts(viewer, contact)
    for note in told:
        dress(note, badges, params.get("note", ""), drafts, asked.q)
    set_off_names(contact, told, asked.q)
    looked_before = ContactView.objects.before(viewer, contact) if viewer and asked.is_everything else None
    if looked_before and not after and not any(_is_news(line, viewer, looked_before) for line in lines):
        looked_before = None
    return {
        "asked": asked,
        "without_q": asked.but(q=""),
        "filters": [
            (name, label, asked.but(kind=name), name == asked.kind) for name, (label, __) in query.FILTERS.items()
        ],
        "days": timeline.days_of(
            lines, contact.location.zone, after, looked_before, shows_noise=bool(asked.cause or asked.q)
        ),
        "looked_before": looked_before,
        "more": more,
        "until": last,
        "upcoming": upcoming(*(coming or coming_up(contact))) if _shows_upcoming(asked, after) else [],
        "not_fetched": contact.remote_id is not None and not lines,
    }


def _is_news(line, viewer, looked_before):
    """What others have done since; one's own doings are none."""
    return line.event.happened_at > looked_before and line.event.user_id != viewer.pk and not line.is_noise


def whole_history(contact, badges=None, params=None, viewer=None, drafts=None, coming=None):
    """With what it can be narrowed down by."""
    shown = history(contact, badges, params, viewer, drafts, coming)
    return {**shown, **menus(contact, shown["asked"])}


def menus(contact, asked):
    """Whom and what the history can be narrowed down to."""
    people, causes = timeline.people_of(contact), query.CAUSES.items()
    return {
        "who_words": dict(people).get(asked.who, _("Anyone")),
        "people_in_history": [(name, asked.but(who=key), key == asked.who) for key, name in people],
        "cause_words": query.CAUSES.get(asked.cause, _("Any cause")),
        "causes": [(name, asked.but(cause=key), key == asked.cause) for key, name in causes],
        "anyone": asked.but(who=""),
        "any_cause": asked.but(cause=""),
    }


def _shows_upcoming(asked, after):
    return (
        not after and not asked.q and not asked.who and not asked.cause and asked.kind in ("", "tasks", "appointments")
    )


def coming_up(contact):
    """(the next appointments, the next task)"""
    now = timezone.now()
    tasks = contact.tasks.open().filter(due_at__gte=now).select_related("assignee").order_by("due_at")
    return contact.appointments.upcoming(now).select_related("assignee").order_by("starts_at"), tasks.first()


def upcoming(appointments, task):
    """[(icon, what, words, when)] of what comes next: three appointments at most and one task."""
    found = []
    for one in appointments[:3]:
        words = timeline.status_words(one).lower()
        if one.assignee:
            words = _("with %(who)s, %(status)s") % {"who": one.assignee, "status": words}
        found.append(("calendar", str(one), words, one.starts_at))
    if task:
        words = _("for %(who)s") % {"who": task.assignee} if task.assignee else ""
        found.append(("square-check", task.title, words, task.due_at))
    return sorted(found, key=lambda row: row[3])


# --- notes ------------------------------------------------------------------------------------------------------------


def dress(note, badges, editing="", drafts=None, q=""):
    """Give a note what its part shows."""
    note.badge = badges.notes.get(note.pk)
    note.is_edited = editing == str(note.pk)
    note.is_gone = note.deleted_at is not None and not (note.badge and note.badge.is_undecided)
    note.text, note.base = plain_text(note.body), fingerprint(note.body)
    note.is_long = is_long(note.body) and not q  # what was found must be seen
    note.loses_formatting = loses_formatting(note.body)
    note.only_says_its_title = bool(note.title) and call_of(note.title) is not None and note.body == note.title
    note.html = text.marked_html(safe_html(note.body), q)
    note.draft = drafts.of_note(note) if drafts else None
    if note.draft:
        note.draft_said, note.is_behind = said(note.draft), is_behind(note.draft, note)
    return note


def set_off_names(contact, notes, q=""):
    """The people after an @ stand out from the text."""
    naming = [note for note in notes if "@" in note.body]
    pattern = mentions.names_in(mentions.people_of(contact)) if naming else None
    if pattern:
        for note in naming:
            note.html = text.marked_html(safe_html(note.body), q, pattern)


def pinned(contact):
    """The pinned notes, each with who pinned it where that was done here."""
    notes = Note.objects.present().filter(contact=contact, pinned=True).select_related("author").order_by("-pk")[:20]
    notes = list(notes)
    events = HistoryEvent.objects.filter(note__in=[note.pk for note in notes], changes__pinned__1=True)
    latest = events.order_by("note", "-happened_at", "-pk").distinct("note").select_related("user")
    pins = {event.note_id: event for event in latest} if notes else {}
    for note in notes:
        note.pin = pins.get(note.pk)
        note.pinned_by = timeline.actor_of(note.pin) if note.pin else ""
    return {"pinned_notes": notes}


# --- composer ---------------------------------------------------------------------------------------------------------


def composer(request, contact, kind="", drafts=None):
    """With the drafts as they are when it is shown. The `kind` in front is given, asked for, or the last one typed."""
    drafts = drafts or Drafts(request.user, contact)
    kind = kind or request.GET.get("compose", "")
    return {
        "drafts": drafts,
        "composing": kind if kind in KINDS else drafts.latest_kind or "note",
        "people": people(contact, contact.owner),
        "me_there": next((one for one in contact.location.remote_users.all() if one.user_id == request.user.pk), None),
        "submission": uuid.uuid4(),
        "default_due": due.next_working_day(contact.location).strftime("%Y-%m-%dT%H:%M"),
        "outcomes": OUTCOMES,
    }


def people(contact, chosen=None):
    """Who works in the location; somebody who left stays on offer where they are chosen."""
    return [one for one in contact.location.remote_users.all() if one.is_active or one == chosen]
