"""What the parts of the contact page show. A part asked for by itself gets the same as within the page."""

from django.conf import settings
from django.db.models import Count, Q, prefetch_related_objects
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.badges import Badges
from contacts.day import agenda
from contacts.details.fields import MORE_GROUP, clock_of, fields_of
from contacts.duplicates.same_person import elsewhere
from contacts.history import timeline
from contacts.models import Appointment, Change, ContactFreshness, Tag
from contacts.open_pages.drafts import Drafts
from contacts.views.history_parts import composer, people, pinned, whole_history
from rankr_dash.htmx import answer, wants_part

SHOWN_TAGS = 3
SHOWN_DONE = 50
SHOWN_PAST = 8
LINGERS = timezone.timedelta(minutes=2)  # a task that was just done keeps its place


def context(request, contact):
    """Everything of the page."""
    prefetch_related_objects([contact.location], "remote_users", "custom_fields")  # several parts name them
    badges, drafts = Badges(contact), Drafts(request.user, contact)
    work, bookings = tasks(contact, badges, request.GET.get("task", "")), appointments(contact, badges)
    coming = bookings["next_appointments"], work["next_task"]
    return {
        "contact": contact,
        "pane": request.GET.get("pane") if request.GET.get("pane") in ("fields", "work") else "history",
        "next_appointment": next(iter(bookings["next_appointments"]), None),
        "whole_change": badges.whole,
        **work,
        **bookings,
        **owner(contact, badges),
        **tags(contact, badges),
        **fields(request, contact, badges, find=request.GET.get("find", "")),
        **whole_history(contact, badges, request.GET, request.user, drafts, coming),
        **pinned(contact),
        **composer(request, contact, drafts=drafts),
        "undoable": undoable(badges),
        **same_person(request, contact),
    }


def refused(request, contact, part, more):
    """422: the part with what was typed and why it cannot be taken; without htmx within the whole page."""
    if not wants_part(request):
        more = context(request, contact) | more
    return answer(request, "contacts/contact.html", more, part, status=422)


# --- the head ---------------------------------------------------------------------------------------------------------


def state(contact, badges=None):
    badges = badges or Badges(contact)
    return {
        "next_appointment": next_appointment(contact),
        "whole_change": badges.whole,
        **counts(contact),
    }


def next_appointment(contact):
    return contact.appointments.upcoming(timezone.now()).order_by("starts_at").first()


def counts(contact, to_do=None):
    """Of a deleted contact nothing is overdue. `to_do`: its open tasks, where they have been read already."""
    now = timezone.now()
    if to_do is None:
        late = Count("pk", filter=Q(due_at__lt=now, contact__deleted_at=None))
        return contact.tasks.present().filter(completed=False).aggregate(open_tasks=Count("pk"), overdue=late)
    late = sum(task.due_at is not None and task.due_at < now for task in to_do)
    return {"open_tasks": len(to_do), "overdue": 0 if contact.deleted_at else late}


def owner(contact, badges=None):
    badges = badges or Badges(contact)
    return {"people": people(contact, contact.owner), "owner_change": badges.owner}


def tags(contact, badges=None):
    badges = badges or Badges(contact)
    return {
        "shown_tags": contact.tags[:SHOWN_TAGS],
        "more_tags": max(0, len(contact.tags) - SHOWN_TAGS),
        "known_tags": Tag.objects.filter(location=contact.location_id).exclude(name__in=contact.tags)[:500],
        "tags_change": badges.tags,
    }


def same_person(request, contact):
    """The same person in other businesses."""
    linked, suggested = elsewhere(request, contact)
    return {"linked": linked, "suggested": suggested}


def undoable(badges):
    """Deletions that have not been sent yet, newest first."""
    deletions = [one for one in badges.changes if (one.verb, one.state) == (Change.Verb.DELETE, Change.State.QUEUED)]
    found = [change for change in reversed(deletions) if change.not_before > timezone.now()][:5]
    prefetch_related_objects(found, "task")
    return found


# --- fields -----------------------------------------------------------------------------------------------------------


def fields(request, contact, badges=None, find="", form_of=None):
    """Fields without a value are hidden, until the person wants to see them or looks for one."""
    badges = badges or Badges(contact)
    shows_empty = request.user.shows_empty_fields
    shown, hidden = {}, {}
    for field in fields_of(contact):
        field.change = badges.of_field(field)
        field.form = (form_of or {}).get(field.slug)
        is_bare = field.is_empty and field.change is None and field.form is None
        if is_bare and not field.can_be_filled(contact):
            continue
        if find and not field.answers_to(find):
            continue
        is_hidden = is_bare and not field.is_always_shown and not shows_empty and not find
        (hidden if is_hidden else shown).setdefault(field.group, []).append(field)
    return {
        "groups": in_order(shown),
        "hidden_groups": in_order(hidden),
        "hidden_count": sum(map(len, hidden.values())),
        "shows_empty": shows_empty,
        "find": find,
        "clock": clock_of(contact),
    }


def in_order(groups):
    """Fields whose folder has no name come last."""
    last = _(MORE_GROUP)
    return sorted(groups.items(), key=lambda group: group[0] == last)


# --- work -------------------------------------------------------------------------------------------------------------


def tasks(contact, badges=None, editing=""):
    badges = badges or Badges(contact)
    now = timezone.now()
    rows = contact.tasks.filter(Q(deleted_at=None) | Q(pk__in=badges.undecided_deletions("task")))
    rows = rows.select_related("assignee")
    lingering = Q(completed_at__gt=now - LINGERS) | Q(pk__in=[p for p, c in badges.tasks.items() if c.is_undecided])
    groups = {name: [] for name in agenda.GROUPS}
    shown = list(rows.filter(Q(completed=False) | lingering).order_by("due_at", "pk"))
    done = rows.filter(completed=True).exclude(lingering)
    done = done.order_by("-completed_at", "-due_at", "-pk")
    shown_done = list(done[:SHOWN_DONE])
    for task in [*shown, *shown_done]:
        task.location = contact.location
    for task in shown:
        groups[agenda.group_of(task, now)].append(dress_task(task, badges, editing))
    to_do = [task for task in shown if not (task.completed or task.deleted_at)]
    return {
        **counts(contact, to_do),
        "next_task": next(
            (task for task in to_do if task.due_at and task.due_at >= now and not contact.deleted_at), None
        ),
        "task_groups": [
            (name, label, groups[name], sum(not task.completed for task in groups[name]))
            for name, label in agenda.GROUPS.items()
            if groups[name]
        ],
        "done_tasks": [dress_task(task, badges) for task in shown_done],
        "done_count": len(shown_done) if len(shown_done) < SHOWN_DONE else done.count(),
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


def appointments(contact, badges=None):
    now = timezone.now()
    badges = badges or Badges(contact)
    rows = contact.appointments.present().select_related("assignee", "calendar").order_by("-starts_at", "-pk")
    ahead, past = [], []
    for one in rows:
        (ahead if one.starts_at and one.starts_at >= now else past).append(dress_appointment(one, now, badges))
    ahead.reverse()
    return {
        "ahead": ahead,
        "next_appointments": [one for one in ahead if one.status not in Appointment.CALLED_OFF],
        "past": past[:SHOWN_PAST],
        "older": past[SHOWN_PAST:],
        "appointments_known": is_known(contact, "appointments"),
    }


def dress_appointment(appointment, now, badges=None):
    """Give an appointment what its part shows."""
    badges = badges or Badges(appointment.contact)
    appointment.words = timeline.status_words(appointment)
    appointment.is_off = appointment.status.lower() in Appointment.OFF
    appointment.has_begun = appointment.starts_at is None or appointment.starts_at <= now
    appointment.badge = badges.appointments.get(appointment.pk)
    return appointment


def is_known(contact, kind):
    """Whether these have ever been read from GHL; before that, none here means nothing."""
    if contact.remote_id is None or getattr(contact.location, f"{kind}_checked_at"):
        return True
    freshness = ContactFreshness.objects.filter(contact=contact).first()
    return bool(freshness and getattr(freshness, f"{kind}_at"))


def local(moment, of):
    """For a datetime-local box, by the clock of the location."""
    return moment.astimezone(of.location.zone).strftime("%Y-%m-%dT%H:%M") if moment else ""


def toast(request, text, change, kind, next_page=""):
    """The HTML of a toast with Undo, to go along with an answer. Undo swaps the panel, or leads to `next_page`."""
    target = {"task": "#panel-tasks", "note": "#history-list", "appointment": "#panel-appointments"}[kind]
    target = "this" if next_page else target
    row = {"text": text, "change": change, "seconds": int(settings.UNDO_S), "target": target, "undo_next": next_page}
    return render(request, "contacts/_undo_toast.html", row).content
