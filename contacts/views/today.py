from collections import Counter

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.day import agenda, due
from contacts.day.grid import Day
from contacts.day.task_filter import BY_DATE
from contacts.history import looked
from contacts.listing.conditions import NoNextStep, Owned
from contacts.listing.filters import ME, ContactFilter
from contacts.models import Appointment, Change, ContactView, Location, Task
from contacts.paging import Order, about, count_up_to, page_along, page_of
from contacts.people import mentions
from contacts.rows import UNREAD, among, contacts_of, for_rows, rows_of, spans_businesses
from contacts.views.task_list import COUNTED, count_words, for_lines
from contacts.wording import what_of
from rankr_dash.htmx import answer

LINES = 15
CONTACTS = 6
CHANGES = 5
CLOCKS = 3
APPOINTMENTS = 60
BY_START = Order("starts_at", "", is_time=True)


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
        "is_linked": not is_mine or bool(access.me_in_ghl(request)),
        "has_location": bool(locations),
        "several": spans_businesses(request),
        **task_groups(request, locations, is_mine, now),
        **without_next_step(request, is_mine, now),
        "changed": looked.changed_since_looked(request),
        "mentions": mentions.waiting_for(request),
        **undecided(request),
        **bookings(request, locations, zone, is_mine, now),
    }
    return answer(request, "contacts/today.html", context, "contacts/_today.html")


@require_POST
@login_required
def seen(request):
    """What others changed counts as looked at, without opening each."""
    for one in looked.changed_since_looked(request):
        ContactView.look(request.user, one.contact)
    return redirect("contacts:today")


def main_zone(locations):
    """The clock of the page: the one most of the locations go by."""
    zones = Counter(location.zone for location in locations)
    return zones.most_common(1)[0][0] if zones else timezone.get_default_timezone()


def clocks(locations, first):
    """(zone, place) of every location's clock, the page's own first."""
    zones = dict.fromkeys([first, *(location.zone for location in locations)])
    return [(zone, agenda.place_of(zone)) for zone in zones][:CLOCKS]


def task_groups(request, locations, is_mine, now):
    people = access.me_in_ghl(request) if is_mine else None
    groups, to_do = [], 0
    for name in ("overdue", "today"):
        due = agenda.in_lanes(Task.objects.open(), name, locations, now, people)
        page = page_along(due, BY_DATE, "", LINES, for_lines)
        count = count_up_to(due, COUNTED) if page.after else len(page.rows)
        to_do += count
        groups.append({
            "name": name,
            "label": agenda.GROUPS[name],
            "tasks": agenda.name_places(page.rows, locations),
            "count": count_words(count),
            "has_more": bool(page.after),
        })  # fmt: skip
    return {"groups": groups, "to_do": count_words(to_do)}


def without_next_step(request, is_mine, now):
    """The contacts that have waited longest without a task or an appointment."""
    conditions = [*([Owned((ME,))] if is_mine else []), NoNextStep()]
    chosen = ContactFilter.of(*conditions, sort="quietest", user=request.user)
    contacts = chosen.apply(contacts_of(request), now)
    found = page_of(contacts, chosen.order, "", CONTACTS + 1, now, for_rows, among(request)).rows
    count = about(count_up_to(contacts), is_whole=True) if len(found) > CONTACTS else len(found)
    rows = rows_of(found[:CONTACTS], now)
    me_there = access.me_by_location(request)
    for row in rows:
        place = row.contact.location
        row.me_there = me_there.get(place.pk, "")
        row.due_text = due.next_working_day(place).strftime("%Y-%m-%dT%H:%M") if place.is_editable else ""
    return {"quiet": rows, "quiet_count": count, "quiet_query": chosen.params()}


def undecided(request):
    """My edits that GHL refused or kept differently."""
    changes = access.in_scope(request, Change.objects, "business").filter(made_by=request.user).undecided()
    changes = changes.prefetch_related("contact", "task", "note", "appointment", "location")  # mostly there are none
    found = list(changes.order_by("-settled_at", "-pk")[: CHANGES + 1])
    for change in found:
        change.what = what_of(change)
    return {"undecided": found[:CHANGES], "has_more_undecided": len(found) > CHANGES}


def bookings(request, locations, zone, is_mine, now):
    there = Appointment.objects.present().filter(contact__deleted_at=None).exclude(status__in=Appointment.OFF)
    people = access.me_in_ghl(request) if is_mine else None
    booked = agenda.in_lanes(there, agenda.DAY, locations, now, people, at="starts_at")
    found = booked.first(APPOINTMENTS + 1, BY_START, for_day)
    checked = [location.appointments_checked_at for location in locations]
    return {
        "day": Day.of(found[:APPOINTMENTS], zone, now),
        "booked": f"{APPOINTMENTS}+" if len(found) > APPOINTMENTS else len(found),
        "booked_checked_at": min((at for at in checked if at), default=None),
    }


def for_day(appointments):
    return appointments.select_related("contact", "location").defer(
        "snapshot", *(f"contact__{name}" for name in UNREAD)
    )
