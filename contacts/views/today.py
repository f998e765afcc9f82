from collections import Counter

from django.contrib.auth.decorators import login_required
from django.utils import timezone
from django.views.decorators.http import require_safe

from contacts import access, agenda
from contacts.day import Day
from contacts.filters import ME, ContactFilter
from contacts.models import Appointment, Change, Location, RemoteUser, Task
from contacts.paging import about, count_up_to
from contacts.rows import contacts_of, for_rows, rows_of, spans_businesses
from contacts.views.task_list import for_lines
from contacts.wording import what_of
from rankr_dash.htmx import answer

LINES = 15
CONTACTS = 6
CHANGES = 5
CLOCKS = 3
APPOINTMENTS = 60
CALLED_OFF = ("cancelled", "canceled", "invalid")  # a no-show did take an hour of somebody's day


@require_safe
@login_required
def today(request):
    """What needs me: late and today's tasks, today's appointments, contacts without a next step, my refused edits."""
    now = timezone.now()
    is_mine = request.GET.get("who") != "everyone"
    locations = list(access.in_scope(request, Location.objects, "business"))
    zone = main_zone(locations)
    context = {
        "now": now,
        "zone": zone,
        "clocks": clocks(locations, zone),
        "is_mine": is_mine,
        "is_linked": not is_mine or access.in_scope(request, RemoteUser.objects).filter(user=request.user).exists(),
        "has_location": bool(locations),
        "several": spans_businesses(request),
        "groups": task_groups(request, locations, is_mine, now),
        **without_next_step(request, is_mine, now),
        **undecided(request),
        **bookings(request, locations, zone, is_mine, now),
    }
    return answer(request, "contacts/today.html", context, "contacts/_today.html")


def main_zone(locations):
    """The clock of the page: the one most of the locations go by."""
    zones = Counter(location.zone for location in locations)
    return zones.most_common(1)[0][0] if zones else timezone.get_default_timezone()


def clocks(locations, first):
    """(zone, place) of every location's clock, the page's own first."""
    zones = dict.fromkeys([first, *(location.zone for location in locations)])
    return [(zone, agenda.place_of(zone)) for zone in zones][:CLOCKS]


def task_groups(request, locations, is_mine, now):
    tasks = access.in_scope(request, Task.objects).open()
    if is_mine:
        tasks = tasks.filter(assignee__user=request.user)
    groups = []
    for name in ("overdue", "today"):
        due = tasks.filter(agenda.due_in(name, locations, now))
        found = list(for_lines(due).order_by("due_at", "pk")[: LINES + 1])
        groups.append({
            "name": name,
            "label": agenda.GROUPS[name],
            "tasks": agenda.name_places(found[:LINES], locations),
            "count": about(count_up_to(due), is_whole=True) if len(found) > LINES else len(found),
            "has_more": len(found) > LINES,
        })  # fmt: skip
    return groups


def without_next_step(request, is_mine, now):
    """The contacts that have waited longest without a task or an appointment."""
    chosen = ContactFilter(owners=(ME,) if is_mine else (), no_next_step=True, sort="quietest", user=request.user)
    contacts = chosen.apply(contacts_of(request), now)
    found = list(chosen.order.sort(for_rows(contacts), now)[: CONTACTS + 1])
    count = about(count_up_to(contacts), is_whole=True) if len(found) > CONTACTS else len(found)
    return {"quiet": rows_of(found[:CONTACTS], now), "quiet_count": count, "quiet_query": chosen.params()}


def undecided(request):
    """My edits that GHL refused or kept differently."""
    changes = access.in_scope(request, Change.objects, "business").filter(made_by=request.user).undecided()
    found = list(
        changes.select_related("contact", "task", "note", "location").order_by("-settled_at", "-pk")[: CHANGES + 1]
    )
    for change in found:
        change.what = what_of(change)
    return {"undecided": found[:CHANGES], "has_more_undecided": len(found) > CHANGES}


def bookings(request, locations, zone, is_mine, now):
    appointments = access.in_scope(request, Appointment.objects).present().filter(contact__deleted_at=None)
    appointments = appointments.filter(agenda.on_today(locations, now)).exclude(status__in=CALLED_OFF)
    if is_mine:
        appointments = appointments.filter(assignee__user=request.user)
    found = list(appointments.select_related("contact", "location").order_by("starts_at", "pk")[: APPOINTMENTS + 1])
    checked = [location.appointments_checked_at for location in locations]
    return {
        "day": Day.of(found[:APPOINTMENTS], zone, now),
        "booked": len(found),
        "booked_checked_at": min((at for at in checked if at), default=None),
    }
