from functools import partial

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from contacts import access
from contacts.day import agenda
from contacts.day.task_filter import TaskFilter, order_of
from contacts.listing.filters import people
from contacts.models import Location, RemoteUser, Task
from contacts.paging import about, count_up_to, page_along
from contacts.rows import UNREAD, spans_businesses
from contacts.views.task_bulk import MOST_AT_ONCE
from rankr_dash.htmx import answer

PAGE = 50  # of a group that is opened by itself
LINES = 20  # of each group when all are shown
LATER = 10  # of the groups that can wait
URGENT = ("overdue", "today")
COUNTED = 1_000


@require_safe
@login_required
def task_list(request):
    """Open tasks by when they are due; with `group`, one of the groups page by page."""
    now = timezone.now()
    chosen = TaskFilter.from_params(request.GET, request)
    locations = list(access.in_scope(request, Location.objects, "business"))
    group = request.GET.get("group", "")
    context = {"chosen": chosen, "several": spans_businesses(request), "can_pick": True}
    if group in agenda.GROUPS:
        context |= one_group(request, chosen, group, locations, now)
        if not context["page"].is_first and request.headers.get("HX-Target") == "task-more":
            return render(request, "contacts/_task_list_lines.html", context)
    else:
        context |= {"groups": all_groups(request, chosen, locations, now)}
    context |= around(request, chosen, group)
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
    context = {
        "task": task,
        "group": agenda.group_of(task, now),
        "several": spans_businesses(request),
        "can_pick": "pick" in request.GET,
        "is_again": True,
    }
    return render(request, "contacts/_task_list_line.html", context)


def for_lines(tasks):
    rows = tasks.select_related("contact", "assignee", "location__business")
    return rows.defer("snapshot", "body", *(f"contact__{name}" for name in UNREAD))


def all_groups(request, chosen, locations, now):
    groups = []
    for name, label in agenda.GROUPS.items():
        tasks = chosen.lanes(name, locations, request.user, now)
        lines = LINES if name in URGENT else min(LINES, LATER)
        page = page_along(tasks, order_of(name), "", lines, for_lines)
        if page.rows:
            groups.append({
                "name": name,
                "label": label,
                "tasks": agenda.name_places(page.rows, locations),
                "count": count_words(count_up_to(tasks, COUNTED)) if page.after else len(page.rows),
                "all": chosen.query(group=name) if page.after else "",
            })  # fmt: skip
    return groups


def count_words(count):
    """How many, exactly up to a thousand: no page waits for more."""
    return about(count, is_whole=True, limit=COUNTED)


def one_group(request, chosen, group, locations, now):
    tasks = chosen.lanes(group, locations, request.user, now)
    page = page_along(tasks, order_of(group), request.GET.get("after", ""), PAGE, for_lines)
    return {
        "page": page,
        "group": {
            "name": group,
            "label": agenda.GROUPS[group],
            "tasks": agenda.name_places(page.rows, locations),
            "count": count_words(count_up_to(tasks, COUNTED)) if page.is_first and page.rows else "",
        },
        "more": chosen.query(group=group, after=page.after) if page.after else "",
    }


def around(request, chosen, group=""):
    group = group if group in agenda.GROUPS else ""
    businesses = access.businesses_of(request) if spans_businesses(request) else []
    query = partial(chosen.query, group=group)
    return {
        "people": [(one.name, query(who=one.value), one == chosen.person) for one in people(request)],
        "businesses": [(one.name, query(business=one.pk), one == chosen.business) for one in businesses],
        "everyone": query(who="everyone"),
        "mine": query(who="mine"),
        "any_business": query(business=""),
        "groups_query": chosen.query(),
        "here": query(),
        "group_chosen": group,
        "group_links": [(label, chosen.query(group=name), name == group) for name, label in agenda.GROUPS.items()],
        "without_words": query(q=""),
        "most_at_once": MOST_AT_ONCE,
        "assignees": [(one.value, one.name) for one in people(request)],
        "is_linked": access.in_scope(request, RemoteUser.objects).filter(user=request.user).exists(),
    }
