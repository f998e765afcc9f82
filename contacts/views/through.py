"""The queue: Done, Reschedule or Skip, and the next contact opens."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contacts.day import due
from contacts.day.through import Through, bar_of
from contacts.listing.filters import number
from contacts.models import Task
from contacts.views.acts import edits, task_to_edit
from contacts.views.tasks import DAYS, a_date
from rankr_dash.htmx import wants_part

BAR = "contacts/_through.html"


@require_POST
@login_required
def start(request):
    through = Through.start(request, request.POST)
    if through is None:
        messages.info(request, _("Nothing is left to work through here."))
        return redirect("contacts:tasks")
    return redirect(place_of(Task.objects.select_related("contact").get(pk=through.task)))


@require_safe
@login_required
def through(request):
    """The bar again; by itself it leads to where one left off."""
    chosen = Through.of(request)
    if wants_part(request):
        return render(request, BAR, bar_of(request, number(request.GET.get("contact", ""))))
    task = chosen.present(request) if chosen else None
    return redirect(place_of(task) if task else "contacts:tasks")


@edits
def done(request):
    if (task := task_of_bar(request)) is None:
        return onward(request)
    return onward(request, task, task.complete(by=request.user), _("“%(title)s” done"))


@edits
def move(request):
    if (task := task_of_bar(request)) is None:
        return onward(request)
    to = request.POST.get("to", "")
    day = None if to in DAYS else a_date(request.POST.get("date", ""))
    if to not in DAYS and day is None:
        messages.error(request, _("This is not a date: write it like 2026-11-30."))
        return redirect(place_of(task))
    moment = DAYS[to](task) if to in DAYS else due.moved_to(task, day)
    return onward(request, task, task.edit(by=request.user, due_at=moment), _("“%(title)s” moved"))


@require_POST
@login_required
def skip(request):
    chosen = Through.of(request)
    is_here = chosen is not None and str(chosen.task) == request.POST.get("task", "")
    return onward(request, is_over=is_here)


@require_POST
@login_required
def leave(request):
    chosen = Through.of(request)
    Through.leave(request)
    return redirect(f"{reverse('contacts:tasks')}?{chosen.query}" if chosen else "contacts:tasks")


# --- where one is -----------------------------------------------------------------------------------------------------


def task_of_bar(request):
    """The task the bar is about, held. None when another tab has gone on meanwhile: then nothing is done to it."""
    chosen = Through.of(request)
    if chosen is None or str(chosen.task) != request.POST.get("task", ""):
        return None
    return task_to_edit(request, chosen.task)


def onward(request, task=None, change=None, said="", is_over=None):
    """The next contact. Without anything done, where one is already."""
    chosen = Through.of(request)
    if chosen is None:
        messages.info(request, _("This was finished or left already."))
        return redirect("contacts:tasks")
    if task is None and not is_over:
        here = chosen.present(request)
        return redirect(place_of(here) if here else "contacts:tasks")
    chosen.last, chosen.said = (change.pk, said % {"title": task.title[:60]}) if change else (0, "")
    following = chosen.go_on(request)
    if following:
        return redirect(place_of(following))
    Through.leave(request)
    words = _("That was all: %(group)s is worked through.")
    messages.success(request, words % {"group": chosen.label.lower()})
    return redirect(f"{reverse('contacts:tasks')}?{chosen.query}")


def place_of(task):
    return f"{task.contact.get_absolute_url()}?pane=work#task-{task.pk}"
