from dataclasses import dataclass, field

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from contacts import access, agenda
from contacts.filters import number, people
from contacts.models import Business, Location, RemoteUser, Task
from contacts.paging import Order, page_of
from contacts.rows import spans_businesses
from rankr_dash.htmx import answer

PAGE = 50  # of a group that is opened by itself
LINES = 20  # of each group when all are shown

BY_DATE = Order("due_at", "Oldest first", is_time=True)
BY_AGE = Order("created_at", "Oldest first", is_time=True)


@dataclass(frozen=True)
class TaskFilter:
    """Whose tasks, of which business. `who` is mine, everyone, or a person's number."""

    who: str = "mine"
    person: object = None
    business: Business | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def from_params(cls, params, request):
        problems = []
        who, person = params.get("who", "") or "mine", None
        if who not in ("mine", "everyone"):
            person = next((p for p in people(request) if number(who) in p.pks), None)
            if person is None:
                who = "mine"
                problems.append("That person is not known here; these are your tasks.")
            else:
                who = person.value
        business = None
        if params.get("business"):
            pk = number(params["business"])
            business = next((b for b in access.businesses_of(request) if b.pk == pk), None)
            if business is None:
                problems.append("That business is not one of yours, so that part was left out.")
        return cls(who, person, business, tuple(problems))

    def apply(self, tasks, user):
        if self.business:
            tasks = tasks.filter(location__business=self.business)
        if self.person:
            return tasks.filter(assignee__in=self.person.pks)
        return tasks.filter(assignee__user=user) if self.who == "mine" else tasks

    def query(self, **changes):
        values = {"who": self.who, "business": self.business.pk if self.business else "", **changes}
        return urlencode({name: value for name, value in values.items() if value and (name, value) != ("who", "mine")})


@require_safe
@login_required
def task_list(request):
    """Open tasks by when they are due; with `group`, one of the groups page by page."""
    now = timezone.now()
    chosen = TaskFilter.from_params(request.GET, request)
    locations = list(access.in_scope(request, Location.objects, "business"))
    tasks = chosen.apply(access.in_scope(request, Task.objects).open(), request.user)
    group = request.GET.get("group", "")
    context = {"chosen": chosen, "several": spans_businesses(request)}
    if group in agenda.GROUPS:
        context |= one_group(request, chosen, tasks, group, locations, now)
        if not context["page"].is_first and request.headers.get("HX-Target") == "task-more":
            return render(request, "contacts/_task_list_lines.html", context)
    else:
        context |= {"groups": all_groups(chosen, tasks, locations, now)}
    context |= around(request, chosen)
    return answer(request, "contacts/tasks.html", context, "contacts/_task_list.html")


@require_safe
@login_required
def task_line(request, pk):
    """One line again, after something was done to its task. A task that is gone leaves its place empty."""
    now = timezone.now()
    task = get_object_or_404(for_lines(access.in_scope(request, Task.objects)), pk=pk)
    if not request.htmx:
        return redirect(task.contact)
    agenda.name_places([task], access.in_scope(request, Location.objects, "business"))
    context = {"task": task, "group": agenda.group_of(task, now), "several": spans_businesses(request)}
    return render(request, "contacts/_task_list_line.html", context | {"is_again": True})


def for_lines(tasks):
    return tasks.select_related("contact", "assignee__user", "location__business").defer("snapshot", "body")


def all_groups(chosen, tasks, locations, now):
    conditions = {name: agenda.due_in(name, locations, now) for name in agenda.GROUPS}
    counts = tasks.aggregate(**{f"n_{name}": Count("pk", filter=where) for name, where in conditions.items()})
    groups = []
    for name, label in agenda.GROUPS.items():
        if not counts[f"n_{name}"]:
            continue
        found = order_of(name).sort(for_lines(tasks.filter(conditions[name])), now)[:LINES]
        found = agenda.name_places(list(found), locations)
        groups.append({
            "name": name,
            "label": label,
            "tasks": found,
            "count": counts[f"n_{name}"],
            "all": chosen.query(group=name) if counts[f"n_{name}"] > len(found) else "",
        })  # fmt: skip
    return groups


def one_group(request, chosen, tasks, group, locations, now):
    due = tasks.filter(agenda.due_in(group, locations, now))
    page = page_of(due, order_of(group), request.GET.get("after", ""), PAGE, now, for_lines)
    return {
        "page": page,
        "group": {"name": group, "label": agenda.GROUPS[group], "tasks": agenda.name_places(page.rows, locations)},
        "more": chosen.query(group=group, after=page.after) if page.after else "",
    }


def order_of(group):
    return BY_AGE if group == "none" else BY_DATE


def around(request, chosen):
    businesses = access.businesses_of(request) if spans_businesses(request) else []
    return {
        "people": [(one.name, chosen.query(who=one.value), one == chosen.person) for one in people(request)],
        "businesses": [(one.name, chosen.query(business=one.pk), one == chosen.business) for one in businesses],
        "everyone": chosen.query(who="everyone"),
        "mine": chosen.query(who="mine"),
        "any_business": chosen.query(business=""),
        "groups_query": chosen.query(),
        "is_linked": access.in_scope(request, RemoteUser.objects).filter(user=request.user).exists(),
    }
