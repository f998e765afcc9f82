"""Working through a group of tasks, one contact page after the other.

The session keeps which tasks they are and how far one has come, as a place in their order: never a list of them. What
was finished elsewhere is thus not met again. What counts as due is settled when it begins, or tasks would slip from
"today" to "overdue" behind one's back.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy

from contacts import access
from contacts.day import agenda
from contacts.day.task_filter import TaskFilter, order_of
from contacts.models import Location, Task
from contacts.paging import count_up_to

SESSION_KEY = "working_through"
COUNTED = 1_000
LABELS = {**agenda.GROUPS, agenda.DUE: gettext_lazy("Due by today")}


@dataclass
class Through:
    """`at` is the cursor of the present task, `passed` how many were met before it, `last` what was done there."""

    query: str
    group: str
    since: str
    at: str = ""
    task: int = 0
    passed: int = 0
    last: int = 0  # the change that was made last, for Undo
    said: str = ""

    @classmethod
    def of(cls, request):
        """What this session works through, or None."""
        kept = request.session.get(SESSION_KEY)
        try:
            return cls(**kept) if kept else None
        except TypeError:  # kept by an older version
            return None

    @classmethod
    def start(cls, request, params):
        """At the first task; None when there is none."""
        group = params.get("group", "")
        if group not in LABELS:
            return None
        through = cls(TaskFilter.from_params(params, request).query(), group, timezone.now().isoformat())
        return through if through.go_on(request) else None

    def keep(self, request):
        request.session[SESSION_KEY] = asdict(self)

    @staticmethod
    def leave(request):
        request.session.pop(SESSION_KEY, None)

    def ahead(self, request):
        """The tasks behind the present one, as lanes."""
        now = datetime.fromisoformat(self.since)
        chosen = TaskFilter.from_params(QueryDict(self.query), request)
        locations = access.in_scope(request, Location.objects, "business").filter(is_editable=True)
        tasks = chosen.lanes(self.group, list(locations), request.user, now)
        place = self.order.parse(self.at) if self.at else None
        return tasks.narrowed(self.order.beyond(*place)) if place else tasks

    def go_on(self, request):
        """To the next task, or None at the end."""
        found = next(iter(self.ahead(request).first(1, self.order, with_contact)), None)
        if found is None:
            return None
        self.passed += 1 if self.task else 0
        self.at, self.task = self.order.cursor(found), found.pk
        self.keep(request)
        return found

    def present(self, request):
        """The task in hand, finished or not; None when it is gone or no longer mine to see."""
        tasks = Task.objects.visible_to(request.user).select_related("contact", "location", "assignee")
        return tasks.filter(pk=self.task).first()

    def progress(self, request):
        """(which one this is, of how many)."""
        here = self.passed + 1
        left = count_up_to(self.ahead(request), COUNTED)
        return here, str(here + left) if left <= COUNTED else f"{COUNTED:,}+"

    @property
    def order(self):
        return order_of(self.group)

    @property
    def label(self):
        return LABELS[self.group]


def with_contact(tasks):
    return tasks.select_related("contact")


def bar_of(request, contact_pk):
    """What the bar on a contact's page shows; nothing on the page of somebody else."""
    through = Through.of(request)
    task = through.present(request) if through else None
    if task is None or task.contact_id != contact_pk:
        return {"through": None}
    here, total = through.progress(request)
    return {
        "through": through,
        "task": task,
        "contact": task.contact,
        "here": here,
        "total": total,
        "is_over": task.completed or task.deleted_at is not None,
        "is_last": str(here) == total,
    }
