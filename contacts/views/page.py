"""What the parts of the contact page show. A part asked for by itself gets the same as within the page."""

import uuid

from django.conf import settings
from django.db.models import Q
from django.shortcuts import render
from django.utils import timezone

from contacts import agenda, due, timeline
from contacts.badges import Badges
from contacts.fields import clock_of, do_not_disturb, fields_of
from contacts.models import Appointment, Change, Contact, ContactFreshness, Note, RemoteUser, Tag, Task
from contacts.note_text import is_long, loses_formatting, plain_text
from rankr_dash.htmx import answer, wants_part

SHOWN_TAGS = 3
SHOWN_DONE = 50
SHOWN_PAST = 8
LINGERS = timezone.timedelta(minutes=2)  # a task that was just done keeps its place


def context(request, contact):
    """Everything of the page."""
    badges = Badges(contact)
    return {
        "contact": contact,
        "pane": request.GET.get("pane") if request.GET.get("pane") in ("fields", "work") else "history",
        "composing": "task" if request.GET.get("compose") == "task" else "note",
        **state(contact, badges),
        **owner(contact, badges),
        **tags(contact, badges),
        **fields(contact, badges, find=request.GET.get("find", "")),
        **history(contact, badges, request.GET),
        **tasks(contact, badges, request.GET.get("task", "")),
        **pinned(contact),
        **appointments(contact),
        **composer(request, contact),
        "undoable": undoable(contact),
        "elsewhere": elsewhere(request, contact),
    }


def refused(request, contact, part, more):
    """422: the part with what was typed and why it cannot be taken; without htmx within the whole page."""
    if not wants_part(request):
        more = context(request, contact) | more
    return answer(request, "contacts/contact.html", more, part, status=422)


# --- the head ---------------------------------------------------------------------------------------------------------


def state(contact, badges=None):
    badges = badges or Badges(contact)
    now = timezone.now()
    return {
        "overdue": contact.tasks.overdue(now).count(),
        "next_appointment": contact.appointments.upcoming(now).order_by("starts_at").first(),
        "whole_change": badges.whole,
        **counts(contact),
    }


def counts(contact):
    return {"open_tasks": contact.tasks.present().filter(completed=False).count()}


def owner(contact, badges=None):
    badges = badges or Badges(contact)
    return {"people": people(contact, contact.owner), "owner_change": badges.owner}


def people(contact, chosen=None):
    """Who works in the location; somebody who left stays on offer where they are chosen."""
    everyone = RemoteUser.objects.filter(location=contact.location_id)
    return [one for one in everyone if one.is_active or one == chosen]


def tags(contact, badges=None):
    badges = badges or Badges(contact)
    return {
        "shown_tags": contact.tags[:SHOWN_TAGS],
        "more_tags": max(0, len(contact.tags) - SHOWN_TAGS),
        "known_tags": Tag.objects.filter(location=contact.location_id).exclude(name__in=contact.tags)[:500],
        "tags_change": badges.tags,
    }


def elsewhere(request, contact):
    """The same person in other businesses of mine, by e-mail or phone. Linked, never merged."""
    same = Q()
    if contact.email:
        same |= Q(search_text__contains=contact.email.lower(), email__iexact=contact.email)
    if len(contact.phone) > 6:
        same |= Q(search_text__contains=contact.phone.lower(), phone=contact.phone)
    if not same:
        return []
    others = Contact.objects.visible_to(request.user).present().filter(same).exclude(business=contact.business_id)
    return others.select_related("business").order_by("pk")[:5]


def undoable(contact):
    """Deletions that have not been sent yet, newest first."""
    changes = contact.changes.filter(verb=Change.Verb.DELETE, state=Change.State.QUEUED)
    found = changes.filter(not_before__gt=timezone.now()).select_related("task").order_by("-pk")
    return list(found[:5])


# --- fields -----------------------------------------------------------------------------------------------------------


def fields(contact, badges=None, find="", form_of=None):
    badges = badges or Badges(contact)
    groups, empty = {}, []
    for field in fields_of(contact):
        if find and find.casefold() not in field.label.casefold():
            continue
        field.change = badges.of_field(field)
        field.form = (form_of or {}).get(field.slug)
        if field.is_empty and field.change is None and field.form is None and not find:
            if not field.is_fixed:
                empty.append(field)
        else:
            groups.setdefault(field.group, []).append(field)
    return {
        "groups": list(groups.items()),
        "empty_fields": empty,
        "find": find,
        "disturb": do_not_disturb(contact),
        "clock": clock_of(contact),
    }


# --- history ----------------------------------------------------------------------------------------------------------


def history(contact, badges=None, params=None):
    params = params or {}
    badges = badges or Badges(contact)
    kind = params.get("kind", "") if params.get("kind", "") in timeline.FILTERS else ""
    after, until = params.get("after", ""), params.get("until", "")
    lines, more, last = timeline.page(contact, kind, after, until)
    for line in lines:
        if line.note:
            dress(line.note, badges, editing=params.get("note", ""))
    return {
        "kind": kind,
        "filters": [(name, label, name == kind) for name, (label, _) in timeline.FILTERS.items()],
        "days": timeline.days_of(lines, contact.location.zone, after),
        "more": more,
        "until": last,
        "upcoming": upcoming(contact) if kind in ("", "tasks", "appointments") and not after else [],
        "not_fetched": contact.remote_id is not None and not lines,
    }


def upcoming(contact):
    """[(icon, what, words, when)] of what comes next: three appointments at most and one task."""
    now = timezone.now()
    found = []
    for one in contact.appointments.upcoming(now).select_related("assignee").order_by("starts_at")[:3]:
        with_whom = f"with {one.assignee}, " if one.assignee else ""
        found.append(("calendar", str(one), f"{with_whom}{timeline.status_words(one).lower()}", one.starts_at))
    task = contact.tasks.open().filter(due_at__gte=now).select_related("assignee").order_by("due_at").first()
    if task:
        found.append(("square", task.title, f"for {task.assignee}" if task.assignee else "", task.due_at))
    return sorted(found, key=lambda row: row[3])


def dress(note, badges, editing=""):
    """Give a note what its part shows."""
    note.badge = badges.notes.get(note.pk)
    note.is_long = is_long(note.body)
    note.is_edited = editing == str(note.pk)
    note.text = plain_text(note.body)
    note.loses_formatting = loses_formatting(note.body)
    note.is_gone = note.deleted_at is not None and not (note.badge and note.badge.is_undecided)
    return note


def pinned(contact):
    notes = Note.objects.present().filter(contact=contact, pinned=True).select_related("author").order_by("-pk")
    return {"pinned_notes": notes[:20]}


def composer(request, contact):
    return {
        "people": people(contact, contact.owner),
        "me_there": RemoteUser.objects.filter(location=contact.location_id, user=request.user).first(),
        "submission": uuid.uuid4(),
        "default_due": local(due.next_working_day(contact.location), contact),
    }


# --- work -------------------------------------------------------------------------------------------------------------


def tasks(contact, badges=None, editing=""):
    badges = badges or Badges(contact)
    now = timezone.now()
    rows = Task.objects.filter(contact=contact).select_related("assignee", "location", "contact__location")
    rows = rows.filter(Q(deleted_at=None) | Q(pk__in=badges.undecided_deletions("task")))
    lingering = Q(completed_at__gt=now - LINGERS) | Q(pk__in=[p for p, c in badges.tasks.items() if c.is_undecided])
    groups = {name: [] for name in agenda.GROUPS}
    for task in rows.filter(Q(completed=False) | lingering).order_by("due_at", "pk"):
        groups[agenda.group_of(task, now)].append(dress_task(task, badges, editing))
    done = rows.filter(completed=True).exclude(lingering)
    done = done.order_by("-completed_at", "-due_at", "-pk")
    return {
        **counts(contact),
        "task_groups": [
            (name, label, groups[name], sum(not task.completed for task in groups[name]))
            for name, label in agenda.GROUPS.items()
            if groups[name]
        ],
        "done_tasks": [dress_task(task, badges) for task in done[:SHOWN_DONE]],
        "done_count": done.count(),
        "tasks_known": is_known(contact, "tasks"),
    }


def dress_task(task, badges=None, editing=""):
    """Give a task what its part shows."""
    badges = badges or Badges(task.contact)
    task.badge = badges.tasks.get(task.pk)
    task.group = agenda.group_of(task, timezone.now())
    task.is_edited = editing == str(task.pk)
    task.due_text = local(task.due_at, task)
    task.people = people(task.contact, task.assignee) if task.is_edited else []
    return task


def appointments(contact):
    now = timezone.now()
    rows = Appointment.objects.present().filter(contact=contact).select_related("assignee")
    ahead = list(rows.filter(starts_at__gte=now).order_by("starts_at"))
    past = list(rows.filter(Q(starts_at__lt=now) | Q(starts_at=None)).order_by("-starts_at", "-pk"))
    for one in [*ahead, *past]:
        one.words = timeline.status_words(one)
        one.is_off = one.status.lower() in Appointment.CALLED_OFF
    return {
        "ahead": ahead,
        "past": past[:SHOWN_PAST],
        "older": past[SHOWN_PAST:],
        "appointments_known": is_known(contact, "appointments"),
    }


def is_known(contact, kind):
    """Whether these have ever been read from GHL; before that, none here means nothing."""
    if contact.remote_id is None or getattr(contact.location, f"{kind}_checked_at"):
        return True
    freshness = ContactFreshness.objects.filter(contact=contact).first()
    return bool(freshness and getattr(freshness, f"{kind}_at"))


def local(moment, of):
    """For a datetime-local box, by the clock of the location."""
    return moment.astimezone(of.location.zone).strftime("%Y-%m-%dT%H:%M") if moment else ""


def toast(request, text, change, kind):
    """The HTML of a toast with Undo, to go along with an answer."""
    target = {"task": "#panel-tasks", "note": "#history-list"}[kind]
    row = {"text": text, "change": change, "seconds": int(settings.UNDO_S), "target": target}
    return render(request, "contacts/_undo_toast.html", row).content
