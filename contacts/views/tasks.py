from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contacts.day import due
from contacts.forms.contact import TaskForm
from contacts.models import Task
from contacts.open_pages import drafts
from contacts.people import mentions
from contacts.views import history_parts, page
from contacts.views.acts import back, contact_or_404, contact_to_edit, done, edits, task_to_edit, tell
from contacts.views.submissions import free, submission_of, was_saved
from rankr_dash.htmx import wants_part

PART, PANEL = "contacts/_contact_task.html", "contacts/_contact_tasks.html"
EVENTS = ("contact-changed", "work-changed")


@require_safe
@login_required
def tasks(request, pk):
    """The panel by itself."""
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        return redirect(f"{contact.get_absolute_url()}?pane=work#work")
    return render(request, PANEL, {"contact": contact, **page.tasks(contact)})


@edits
def add_task(request, pk):
    contact = contact_to_edit(request, pk)
    form = TaskForm(request.POST, location=contact.location)
    composer = {"contact": contact, **history_parts.composer(request, contact, "task")}
    if not form.is_valid():
        return page.refused(request, contact, "contacts/_composer.html", composer | {"task_form": form})
    form_id, values = submission_of(request), form.values()
    if not was_saved(request.user, contact, "task", form_id, title=values["title"], body=values["body"]):
        task = Task(contact=contact, location=contact.location, **values)
        task.create(by=request.user, submission=free(form_id, request.user))
        mentions.keep_names(task, by=request.user)
    drafts.clear(request.user, contact, "task")
    saved = composer | {"said": _("Task added"), "is_saved": True}
    return done(request, contact, "contacts/_composer.html", saved, [*EVENTS, "tasks-changed"])


@edits
def complete_task(request, pk):
    """Done, or with `completed=false` open again. The row keeps its place."""
    task = task_to_edit(request, pk)
    if request.POST.get("completed", "true") == "true":
        task.complete(by=request.user)
    else:
        task.reopen(by=request.user)
    said = _("Task done") if task.completed else _("Task is open again")
    context = {"contact": task.contact, "task": page.dress_task(task), **page.counts(task.contact)}
    return done(request, task.contact, PART, context | {"said": said, "with_count": True}, EVENTS)


@edits
def move_task(request, pk):
    """To tomorrow, to next week, or to a date; the time of day stays."""
    task = task_to_edit(request, pk)
    to = request.POST.get("to", "")
    if to in DAYS:
        moment = DAYS[to](task)
    else:
        day = a_date(request.POST.get("date", ""))
        if day is None:
            context = panel(task.contact) | {"task_problem": _("This is not a date: write it like 2026-11-30.")}
            return page.refused(request, task.contact, PANEL, context)
        moment = due.moved_to(task, day)
    task.edit(by=request.user, due_at=moment)
    return done(request, task.contact, PANEL, panel(task.contact) | {"said": _("Task moved"), "focus": task.pk}, EVENTS)


DAYS = {"tomorrow": due.tomorrow, "next_week": due.next_week}


def a_date(text):
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and 1970 <= day.year < 9999 else None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_task(request, pk):
    if request.method == "POST":
        return save_task(request, pk=pk)
    tasks = Task.objects.visible_to(request.user).select_related("assignee", "location", "contact__location")
    task = get_object_or_404(tasks, pk=pk)
    if not wants_part(request):
        return redirect(f"{task.contact.get_absolute_url()}?pane=work&task={task.pk}#task-{task.pk}")
    editing = "" if "cancel" in request.GET else str(task.pk)
    context = {"contact": task.contact, "task": page.dress_task(task, editing=editing)}
    return render(request, PART, context | {"focus": None if editing else task.pk})


@edits
def save_task(request, pk):
    task = task_to_edit(request, pk)
    form = TaskForm(request.POST, location=task.location, task=task)
    if not form.is_valid():
        task = page.dress_task(task, editing=str(task.pk))
        more = panel(task.contact, editing=str(task.pk)) | {"task": task, "task_edit_form": form, "pane": "work"}
        return page.refused(request, task.contact, PART, more)
    task.edit(by=request.user, **form.values())
    mentions.keep_names(task, by=request.user)
    # The date may have changed, and with it the group: the whole panel again.
    response = done(
        request, task.contact, PANEL, panel(task.contact) | {"said": _("Task saved"), "focus": task.pk}, EVENTS
    )
    response["HX-Retarget"] = "#panel-tasks"
    return response


@edits
def delete_task(request, pk):
    """Gone at once; GHL hears of it when the time for Undo is over."""
    task = task_to_edit(request, pk)
    change = task.delete_here(by=request.user, undo_s=settings.UNDO_S)
    if not wants_part(request):
        return back(request, task.contact)
    response = render(request, PANEL, panel(task.contact))
    response.content += page.toast(request, _("Task deleted"), change, "task")
    response["HX-Retarget"] = "#panel-tasks"
    return tell(response, EVENTS)


def panel(contact, editing=""):
    return {"contact": contact, **page.tasks(contact, editing=editing)}
