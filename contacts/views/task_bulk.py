"""Many tasks at once: what would become of them, doing it, and taking it back."""

from collections import Counter
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from contacts import localised
from contacts.day import due
from contacts.listing.filters import number, people
from contacts.models import Change, NotUndoable, RemoteUser, Task
from contacts.views.acts import edits, held, tell
from contacts.views.appointments import own_page
from contacts.views.tasks import DAYS, a_date
from rankr_dash.htmx import wants_part

MOST_AT_ONCE = 200
SHOWN = 5
READ_ONLY = gettext_noop("in a location that can only be read")
GONE = gettext_noop("done or deleted meanwhile")
AS_IT_IS = gettext_noop("as wanted already")
NOT_THERE = gettext_noop("where that person does not work")
LIST_CHANGED = ["task-list-changed"]


class CannotPlan(Exception):
    """The message says what is missing."""


@dataclass
class Plan:
    """What would become of each task, and why some stay as they are."""

    words: str
    steps: list = field(default_factory=list)  # (task, values)
    left_out: Counter = field(default_factory=Counter)

    @property
    def tasks(self):
        return [task for task, __ in self.steps]

    @property
    def shown(self):
        return self.steps[:SHOWN]

    @property
    def more(self):
        return len(self.steps) - SHOWN

    @property
    def staying(self):
        return [(count, _(why)) for why, count in self.left_out.items()]

    def add(self, task, values):
        if task.deleted_at or task.completed or task.contact.deleted_at:
            self.left_out[GONE] += 1
        elif not task.location.is_editable:
            self.left_out[READ_ONLY] += 1
        elif all(getattr(task, name) == value for name, value in values.items()):
            self.left_out[AS_IT_IS] += 1
        else:
            self.steps.append((task, values))


@edits
def bulk(request):
    """With `preview` only what it would do."""
    try:
        plan = plan_of(request)
    except CannotPlan as problem:
        return stopped(request, str(problem))
    if "preview" in request.POST:
        return render(request, "contacts/_task_bulk.html", {"plan": plan, "form": hidden_of(request, plan)})
    if not plan.steps:
        return stopped(request, _("None of these tasks can be changed like that."))
    done = [task.edit(request.user, undo_s=settings.UNDO_S, **values) for task, values in plan.steps]
    said = ngettext("%(n)s task %(what)s", "%(n)s tasks %(what)s", len(done)) % {"n": len(done), "what": plan.words}
    if not wants_part(request):
        messages.success(request, f"{said}.")
        return redirect(own_page(request, request.POST.get("next", "")) or "contacts:tasks")
    context = {"text": said, "changes": ",".join(str(change.pk) for change in done), "seconds": int(settings.UNDO_S)}
    return tell(render(request, "contacts/_task_bulk_done.html", context), LIST_CHANGED)


@edits
def undo(request):
    """Take back what one such act has done, as far as nobody has gone on from it."""
    pks = [number(word) for word in request.POST.get("changes", "").split(",")[:MOST_AT_ONCE]]
    mine = Change.objects.visible_to(request.user).filter(pk__in=[pk for pk in pks if pk], made_by=request.user)
    back = stayed = 0
    for change in mine.filter(kind=Change.Kind.TASK, verb=Change.Verb.UPDATE).select_related("task__contact__location"):
        try:
            with transaction.atomic():
                change.undo(request.user)
            back += 1
        except NotUndoable:
            stayed += 1
    if back:
        messages.success(request, ngettext("%(n)s task put back.", "%(n)s tasks put back.", back) % {"n": back})
    if stayed or not back:
        words = ngettext(
            "%(n)s task could not be put back: somebody has gone on from there.",
            "%(n)s tasks could not be put back: somebody has gone on from there.",
            stayed,
        )
        messages.warning(request, words % {"n": stayed})
    if wants_part(request):
        return tell(HttpResponse(), LIST_CHANGED)
    return redirect("contacts:tasks")


# --- the plan ---------------------------------------------------------------------------------------------------------


def plan_of(request):
    tasks = chosen_tasks(request)
    act = request.POST.get("act", "")
    if act == "assign":
        return reassigned(request, tasks)
    if act in DAYS:
        words = {"tomorrow": _("moved to tomorrow"), "next_week": _("moved to next Monday")}[act]
        return moved(tasks, words, DAYS[act])
    if act == "date":
        day = a_date(request.POST.get("date", ""))
        if day is None:
            raise CannotPlan(_("This is not a date: write it like 2026-11-30."))
        return moved(tasks, _("moved to %(day)s") % {"day": localised.day(day)}, lambda task: due.moved_to(task, day))
    raise CannotPlan(_("Choose what to do with these tasks."))


def chosen_tasks(request):
    """Held in one order, so that two people who choose the same ones wait for one another rather than for ever."""
    pks = {number(value) for value in request.POST.getlist("task")} - {None}
    if not pks:
        raise CannotPlan(_("Choose the tasks first."))
    if len(pks) > MOST_AT_ONCE:
        words = _("At most %(most)s tasks can be changed at once, and these are %(count)s.")
        raise CannotPlan(words % {"most": MOST_AT_ONCE, "count": f"{len(pks):,}"})
    tasks = Task.objects.visible_to(request.user).filter(pk__in=pks).order_by("pk")
    tasks = tasks.select_related("assignee", "location", "contact__location")
    found = list(tasks if "preview" in request.POST else held(tasks))
    if not found:
        raise CannotPlan(_("These tasks are not there any more."))
    return found


def moved(tasks, words, moment_of):
    plan = Plan(words)
    for task in tasks:
        plan.add(task, {"due_at": moment_of(task)})
    return plan


def reassigned(request, tasks):
    """A person is another GHL user in each location; where there is none of them the task stays."""
    value = request.POST.get("person", "")
    if value == "none":
        plan = Plan(_("given to nobody in particular"))
        for task in tasks:
            plan.add(task, {"assignee": None})
        return plan
    person = next((one for one in people(request) if number(value) in one.pks), None)
    if person is None:
        raise CannotPlan(_("That person is not known here. Choose somebody else."))
    there = {one.location_id: one for one in RemoteUser.objects.filter(pk__in=person.pks, is_active=True)}
    plan = Plan(_("given to %(person)s") % {"person": person.name})
    for task in tasks:
        if task.location_id in there:
            plan.add(task, {"assignee": there[task.location_id]})
        else:
            plan.left_out[NOT_THERE] += 1
    return plan


def hidden_of(request, plan):
    """What the button of the preview sends again."""
    kept = [(name, request.POST[name]) for name in ("act", "date", "person", "next") if request.POST.get(name)]
    return [*kept, *(("task", task.pk) for task in plan.tasks)]


def stopped(request, sentence):
    if wants_part(request):
        return render(request, "contacts/_task_bulk.html", {"problem": sentence}, status=422)
    messages.error(request, sentence)
    return redirect(own_page(request, request.POST.get("next", "")) or "contacts:tasks")
