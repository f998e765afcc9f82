"""Tasks."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from contacts.models import Task
from integrations.automations import due
from integrations.automations.actions import people
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, contact_of, short
from integrations.automations.inputs import OWNER, Input
from integrations.automations.inputs import people as who_works_there

GROUP = lazy("Tasks")
WHICH = [("event", lazy("The task of the event")), ("newest", lazy("The newest open one with a title like"))]


def which(business):
    return WHICH


class OfTask(Action):
    group = GROUP

    def say_which(self, values):
        if values.get("which") == "newest":
            return _("the newest open task like “%(title)s”") % {"title": short(values.get("like"))}
        return _("the task of the event")

    def task(self, values, scene):
        contact = contact_of(scene)
        rows = Task.objects.present().filter(contact=contact).select_related("contact__location", "location")
        if values.get("which") == "newest":
            like = (values.get("like") or "").strip()
            found = rows.filter(completed=False, title__icontains=like).order_by("-pk").first() if like else None
        else:
            pk = (scene.scope.get("task") or {}).get("pk")
            found = rows.filter(pk=pk).first() if pk else None
        if found is None:
            raise CannotDo(_("There is no such task: %(which)s.") % {"which": self.say_which(values)})
        return found

    def check(self, values, business):
        found = super().check(values, business)
        if values.get("which") == "newest" and not str(values.get("like") or "").strip():
            found.append(("like", _("Say what the title of the task is like.")))
        return found


WHICH_INPUTS = (
    Input("which", lazy("Which task"), "choice", default="event", takes_fields=False, choices=which),
    Input("like", lazy("Title like")),
)


def due_at(text, scene):
    try:
        return due.moment(text, scene.contact.location, timezone.now())
    except due.NotATime as wrong:
        raise CannotDo(str(wrong)) from None


class CreateTask(Action):
    key = "create_task"
    label = lazy("Create a task")
    group = GROUP
    inputs = (
        Input("title", lazy("Title"), required=True),
        Input("body", lazy("Text"), "long"),
        Input("due", lazy("Due"), default="1 working day", help=lazy("2 working days, 3 days, or a date")),
        Input("assignee", lazy("For"), "choice", default=OWNER, choices=who_works_there),
    )

    def check(self, values, business):
        found = super().check(values, business)
        wrong = due.check(values.get("due") or "1 working day")
        return [*found, ("due", wrong)] if wrong else found

    def say(self, values, business=None):
        return _("create the task “%(title)s” for %(who)s, due: %(due)s") % {
            "title": short(values.get("title")),
            "who": self.word("assignee", values, business),
            "due": values.get("due") or "1 working day",
        }

    def plan(self, values, scene):
        contact = contact_of(scene)
        title = (values.get("title") or "").strip()
        if not title:
            raise CannotDo(_("The title is empty once it is filled in: GHL keeps no task without."))
        at = due_at(values.get("due") or "1 working day", scene)
        task = Task(
            contact=contact,
            location=contact.location,
            title=title[:1000],
            body=values.get("body") or "",
            due_at=at,
            assignee=people.in_ghl(values.get("assignee") or OWNER, contact),
        )
        day = at.astimezone(contact.location.zone).date().isoformat()
        says = _("create the task “%(title)s” for %(who)s, due: %(due)s") % {
            "title": short(title), "who": task.assignee or _("nobody"), "due": day}  # fmt: skip
        return Plan(says, self.calls, lambda by: Done(task.create(by=by)))


class UpdateTask(OfTask):
    key = "update_task"
    label = lazy("Change a task")
    inputs = (
        *WHICH_INPUTS,
        Input("title", lazy("New title")),
        Input("body", lazy("New text"), "long"),
        Input("due", lazy("New due date"), help=lazy("2 working days, 3 days, or a date")),
        Input("assignee", lazy("Now for"), "choice", choices=who_works_there),
    )

    def check(self, values, business):
        found = super().check(values, business)
        if wrong := due.check(values["due"]) if values.get("due") else "":
            found.append(("due", wrong))
        if not any(values.get(name) for name in ("title", "body", "due", "assignee")):
            found.append(("title", _("Say what is to change.")))
        return found

    def say(self, values, business=None):
        parts = []
        for name, words in (("title", _("title")), ("body", _("text")), ("due", _("due date")), ("assignee", _("for"))):
            if values.get(name):
                parts.append(f"{words}: {short(self.word(name, values, business))}")
        return _("change %(task)s (%(what)s)") % {"task": self.say_which(values), "what": ", ".join(parts) or "…"}

    def plan(self, values, scene):
        task = self.task(values, scene)
        new: dict[str, Any] = {name: values[name] for name in ("title", "body") if values.get(name)}
        if values.get("due"):
            new["due_at"] = due_at(values["due"], scene)
        if values.get("assignee"):
            new["assignee"] = people.in_ghl(values["assignee"], scene.contact)
        says = _("change the task “%(title)s”") % {"title": short(task.title)}
        return Plan(says, self.calls, lambda by: Done(task.edit(by=by, **new)))


class CompleteTask(OfTask):
    key = "complete_task"
    label = lazy("Complete a task")
    inputs = WHICH_INPUTS

    def say(self, values, business=None):
        return _("complete %(task)s") % {"task": self.say_which(values)}

    def plan(self, values, scene):
        task = self.task(values, scene)
        says = _("complete the task “%(title)s”") % {"title": short(task.title)}
        return Plan(says, self.calls, lambda by: Done(task.complete(by)))


class DeleteTask(OfTask):
    key = "delete_task"
    label = lazy("Delete a task")
    inputs = WHICH_INPUTS

    def say(self, values, business=None):
        return _("delete %(task)s") % {"task": self.say_which(values)}

    def plan(self, values, scene):
        task = self.task(values, scene)
        says = _("delete the task “%(title)s”") % {"title": short(task.title)}
        return Plan(says, self.calls, lambda by: Done(task.delete_here(by, undo_s=0)))
