"""How far an edit has come, and what a person decides about one that GHL did not take."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from contacts import access
from contacts.badges import Badges
from contacts.details.fields import clock_of
from contacts.models import Change, NotEditable, NotUndoable
from contacts.open_pages import drafts
from contacts.views import fields, history_parts, page
from contacts.views.acts import back as back_to
from contacts.views.acts import contact_or_404, edits, tell
from rankr_dash.htmx import wants_part

EVERYTHING = ["name-changed", "work-changed", "notes-changed", "contact-changed"]


@require_safe
@login_required
def change(request, pk):
    """The badge while the edit is on its way; once it is settled, the whole part that it stands in."""
    change = change_or_404(request, pk)
    if not wants_part(request):
        return redirect(change.contact)
    if not change.is_settled:
        return render(request, "contacts/_change_badge.html", {"change": change})
    return part_of(request, change)


@edits
def retry(request, pk):
    change = change_to_send(request, pk)
    return decided(request, change, change.retry(), _("It is on its way to GHL again."))


@edits
def keep_mine(request, pk):
    change = change_to_send(request, pk)
    return decided(request, change, change.keep_mine(), _("Yours is on its way to GHL."))


@edits
def keep_original(request, pk):
    change = change_to_send(request, pk)
    return decided(request, change, change.keep_original(by=request.user), _("The original is on its way to GHL."))


@edits
def make_anew(request, pk):
    """GHL no longer has it: make it there again."""
    change = change_to_send(request, pk)
    return decided(request, change, change.make_anew(request.user) is not None, _("It is being made anew in GHL."))


@edits
def keep_theirs(request, pk):
    """Also "ignore": then with a reason."""
    change = change_or_404(request, pk)
    because = request.POST.get("because", "").strip()
    return decided(request, change, change.keep_theirs(request.user, because), _("It is as GHL has it."))


@edits
def undo(request, pk):
    """Take it back: before it is sent without a trace in GHL, afterwards by a change that does the opposite."""
    change = change_or_404(request, pk)
    if not access.may_undo(request.user, change):
        raise NotEditable(_("Only a manager can take back what a colleague did, or what is older than a day."))
    try:
        with transaction.atomic():
            back = change.undo(request.user)
    except NotUndoable as reason:
        back = None
        messages.error(request, str(reason))
    if change.verb != Change.Verb.DELETE:
        change.refresh_from_db()
        is_draft_again = back is not None and drafts.put_back(request.user, change)
        if not wants_part(request) or "next" in request.POST:
            return back_to(request, change.contact)
        part = part_of(request, back or change, _("Taken back") if back else "")
        return tell(part, [*EVERYTHING, "draft-changed"] if is_draft_again else EVERYTHING)
    if not wants_part(request) or "next" in request.POST:
        return back_to(request, change.contact)
    contact = contact_or_404(request, change.contact_id)
    if change.kind == Change.Kind.CONTACT:
        return redirect(contact)
    if change.kind == Change.Kind.TASK:
        context = {**page.tasks(contact), "said": _("Task is back"), "focus": change.task_id}
        template, events = "contacts/_contact_tasks.html", ["contact-changed", "work-changed"]
    elif change.kind == Change.Kind.APPOINTMENT:
        context = page.appointments(contact)
        template, events = "contacts/_contact_appointments.html", ["contact-changed", "work-changed"]
    else:
        context = {**history_parts.whole_history(contact, viewer=request.user), "said": _("Note is back")}
        template, events = "contacts/_contact_history.html", ["notes-changed"]
    return tell(render(request, template, {"contact": contact, **context}), events)


def decided(request, change, was_first, said):
    change.refresh_from_db()
    if not was_first:
        messages.info(request, _("Somebody has decided about this meanwhile."))
    if not wants_part(request) or "next" in request.POST:
        return back_to(request, change.contact)
    change.contact.refresh_from_db()
    return tell(part_of(request, change, said), EVERYTHING)


def part_of(request, change, said=""):
    """The part of the contact page that shows this change, wherever the question came from."""
    contact = contact_or_404(request, change.contact_id)
    target, template, context = place_of(request, contact, change)
    response = render(request, template, {"contact": contact, "said": said, **context})
    response["HX-Retarget"] = target
    response["HX-Reswap"] = "outerHTML"
    return response


def place_of(request, contact, change):
    if change.kind == Change.Kind.TASK:
        task = change.task
        if task.deleted_at:
            return "#panel-tasks", "contacts/_contact_tasks.html", page.tasks(contact)
        return f"#task-{task.pk}", "contacts/_contact_task.html", {"task": page.dress_task(task)}
    if change.kind == Change.Kind.NOTE:
        note = history_parts.dress(change.note, Badges(contact))
        return f"#note-{note.pk}", "contacts/_contact_note.html", {"note": note}
    if change.kind == Change.Kind.APPOINTMENT:
        return "#panel-appointments", "contacts/_contact_appointments.html", page.appointments(contact)
    if change.verb == Change.Verb.TAGS:
        return "#contact-tags", "contacts/_contact_tags.html", page.tags(contact)
    if change.verb != Change.Verb.UPDATE:
        return "#contact-state", "contacts/_contact_state.html", page.state(contact)
    keys = set(change.values)
    if keys == {"owner_remote_id"}:
        return "#contact-owner", "contacts/_contact_owner.html", page.owner(contact)
    slugs = slugs_of(contact, change)
    if len(slugs) == 1:
        return f"#field-{slugs[0]}", fields.PART, {"field": fields.part(contact, slugs[0]), "clock": clock_of(contact)}
    return "#panel-fields", "contacts/_contact_fields.html", page.fields(request, contact)


def slugs_of(contact, change):
    own = ["dnd" if key == "dnd_settings" else key for key in change.values if key != "custom_values"]
    slugs = list(dict.fromkeys(own))
    remote_ids = change.values.get("custom_values") or {}
    customs = contact.location.custom_fields.filter(remote_id__in=remote_ids)
    return [*slugs, *(f"custom-{pk}" for pk in customs.values_list("pk", flat=True))]


def change_or_404(request, pk):
    changes = Change.objects.visible_to(request.user)
    rows = changes.select_related("contact__location", "location", "task", "note", "appointment", "business")
    return get_object_or_404(rows, pk=pk)


def change_to_send(request, pk):
    """One that may be sent: a question to the location alone, for the change may be this contact's deletion."""
    change = change_or_404(request, pk)
    if not change.location.is_editable:
        raise NotEditable(_(change.location.not_editable_because))
    return change
