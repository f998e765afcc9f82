"""The appointments of a week, as columns on one clock or as a list by day."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from contacts import access, localised
from contacts.day import agenda
from contacts.day.grid import WEEK_LANES, Week
from contacts.history.timeline import status_words
from contacts.listing.filters import number, people
from contacts.models import Appointment, Business, Change, Location, RemoteUser
from contacts.models import Calendar as GhlCalendar
from contacts.rows import spans_businesses
from contacts.views.today import main_zone
from rankr_dash.htmx import answer

MOST = 300  # of one week; more is a question for a filter
CALENDARS = 200
STATUSES = {
    "": gettext_lazy("All but cancelled"),
    "new": gettext_lazy("Not confirmed"),
    "confirmed": gettext_lazy("Confirmed"),
    "showed": gettext_lazy("Kept"),
    "noshow": gettext_lazy("No-show"),
    "cancelled": gettext_lazy("Cancelled"),
}
SPELT = {"cancelled": Appointment.OFF, "noshow": ("noshow", "no-show")}


@dataclass(frozen=True)
class CalendarFilter:
    """Which week, by which clock, and whose appointments of which calendar and status."""

    first: date
    zone: ZoneInfo
    view: str = "week"
    who: str = ""
    person: object = None
    business: Business | None = None
    calendar: GhlCalendar | None = None
    status: str = ""
    clock: str = ""  # a zone somebody chose; empty is the one most locations go by
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_mine(self):
        return self.who == "mine"

    @property
    def last(self):
        return self.first + timedelta(days=6)

    @property
    def span(self):
        """From the first midnight to the one after the last day, as instants."""
        return tuple(
            datetime.combine(day, time.min, tzinfo=self.zone) for day in (self.first, self.first + timedelta(days=7))
        )

    @property
    def words(self):
        return f"{localised.day(self.first)} – {localised.day(self.last)} {self.last.year}"

    def apply(self, appointments, user):
        start, end = self.span
        appointments = appointments.filter(starts_at__gte=start, starts_at__lt=end)
        if self.person:
            appointments = appointments.filter(assignee__in=self.person.pks)
        elif self.is_mine:
            appointments = appointments.filter(assignee__user=user)
        if self.calendar:
            appointments = appointments.filter(calendar=self.calendar)
        if self.status:
            return appointments.filter(status__in=SPELT.get(self.status, (self.status,)))
        return appointments.exclude(status__in=Appointment.OFF)

    def query(self, **changes):
        values = {
            "week": self.first.isoformat(),
            "view": "" if self.view == "week" else self.view,
            "who": self.who,
            "business": self.business.pk if self.business else "",
            "calendar": self.calendar.pk if self.calendar else "",
            "status": self.status,
            "clock": self.clock,
            **changes,
        }
        return urlencode({name: value for name, value in values.items() if value})


@require_safe
@login_required
def calendar(request):
    now = timezone.now()
    locations = list(access.in_scope(request, Location.objects, "business"))
    is_linked = access.in_scope(request, RemoteUser.objects).filter(user=request.user).exists()
    chosen = _Reader(request, locations, now, "mine" if is_linked else "everyone").read()
    if chosen.business:
        locations = [location for location in locations if location.business_id == chosen.business.pk]
    found = appointments_of(request, chosen, locations, now)
    lanes = WEEK_LANES if chosen.view == "week" else MOST  # a list has room for all
    week = Week.of(found[:MOST], chosen.zone, now, chosen.first, lanes)
    context = {
        "now": now,
        "chosen": chosen,
        "week": week,
        "days": week.days if chosen.view == "week" else [day for day in week.days if day.bookings or day.is_today],
        "has_more": len(found) > MOST,
        "most": MOST,
        "is_empty": not found,
        "is_unsettled": any(one.change and not one.change.is_settled for one in found[:MOST]),
        "has_location": bool(locations),
        "is_linked": is_linked,
        "can_book": any(location.is_editable and location.is_bookable for location in locations),
        "several": spans_businesses(request) and not chosen.business,
        "place": agenda.place_of(chosen.zone),
        **around(request, chosen, locations, now),
    }
    return answer(request, "contacts/calendar.html", context, "contacts/_calendar.html")


def appointments_of(request, chosen, locations, now):
    rows = access.in_scope(request, Appointment.objects).present().filter(contact__deleted_at=None)
    # Named one by one, so that the index on place and start is entered for each.
    rows = rows.filter(location__in=[location.pk for location in locations])
    rows = chosen.apply(rows, request.user).select_related("contact", "location__business", "assignee", "calendar")
    rows = rows.defer("snapshot", *(f"contact__{name}" for name in ("snapshot", "custom_values", "search_text")))
    found = list(rows.order_by("starts_at", "pk")[: MOST + 1])
    changes = Change.objects.holding().filter(appointment__in=[one.pk for one in found]).order_by("pk")
    by_appointment = {change.appointment_id: change for change in changes}
    for one in found:
        dress(one, chosen.zone, now)
        one.change = by_appointment.get(one.pk)
    return found


def dress(appointment, zone, now):
    """Give an appointment what its place on the calendar shows."""
    appointment.words = status_words(appointment)
    appointment.is_off = appointment.status.lower() in Appointment.OFF
    appointment.has_begun = appointment.starts_at is None or appointment.starts_at <= now
    there = appointment.location.zone
    is_other = appointment.starts_at and (
        appointment.starts_at.astimezone(there).utcoffset() != appointment.starts_at.astimezone(zone).utcoffset()
    )
    appointment.place = agenda.place_of(there) if is_other else ""
    return appointment


def around(request, chosen, locations, now):
    """The links that lead to other weeks and to less."""
    week = timedelta(days=7)
    zones = dict.fromkeys(location.zone for location in locations)
    calendars = GhlCalendar.objects.filter(location__in=locations, is_active=True).select_related("location")
    businesses = access.businesses_of(request) if spans_businesses(request) else []
    return {
        "here": chosen.query(),
        "previous": chosen.query(week=chosen.first - week),
        "following": chosen.query(week=chosen.first + week),
        "this_week": chosen.query(week=""),
        "is_this_week": chosen.first <= now.astimezone(chosen.zone).date() <= chosen.last,
        "as_week": chosen.query(view=""),
        "as_agenda": chosen.query(view="agenda"),
        "mine": chosen.query(who="mine"),
        "everyone": chosen.query(who="everyone"),
        "people": [(one.name, chosen.query(who=one.value), one == chosen.person) for one in people(request)],
        "businesses": [(one.name, chosen.query(business=one.pk), one == chosen.business) for one in businesses],
        "any_business": chosen.query(business=""),
        "calendars": [
            (
                one.name or _("Unnamed calendar"),
                str(one.location),
                chosen.query(calendar=one.pk),
                one == chosen.calendar,
            )
            for one in calendars[:CALENDARS]
        ],
        "any_calendar": chosen.query(calendar=""),
        "statuses": [(words, chosen.query(status=name), name == chosen.status) for name, words in STATUSES.items()],
        "status_words": STATUSES[chosen.status],
        "clocks": [(agenda.place_of(zone), chosen.query(clock=zone.key), zone == chosen.zone) for zone in zones],
        "calendars_differ": len({one.location_id for one in calendars[:CALENDARS]}) > 1,
    }


class _Reader:
    """One reading of the address: what is usable, and a sentence for each part that is not."""

    def __init__(self, request, locations, now, whose):
        self.request, self.params = request, request.GET
        self.locations, self.now, self.whose = locations, now, whose
        self.problems = []

    def read(self):
        business = self.business()
        locations = [one for one in self.locations if not business or one.business_id == business.pk]
        clock, zone = self.clock(locations)
        who, person = self.who()
        return CalendarFilter(
            first=self.first(zone),
            zone=zone,
            view="agenda" if self.params.get("view") == "agenda" else "week",
            who=who,
            person=person,
            business=business,
            calendar=self.calendar(locations),
            status=self.status(),
            clock=clock,
            problems=tuple(self.problems),
        )

    def first(self, zone):
        """The first day of the week that was asked for, by the reader's custom."""
        day = None
        if text := self.params.get("week", ""):
            try:
                day = parse_date(text)
            except ValueError:
                day = None
            if day is None or not 1971 <= day.year < 9998:
                self.problems.append(_("This is not a date, so this week is shown."))
                day = None
        day = day or self.now.astimezone(zone).date()
        return day - timedelta(days=(day.weekday() - localised.current().first_weekday) % 7)

    def clock(self, locations):
        asked = self.params.get("clock", "")
        known = {location.zone.key: location.zone for location in locations}
        if asked and asked not in known:
            self.problems.append(_("No location here goes by that clock, so that part was left out."))
        return (asked, known[asked]) if asked in known else ("", main_zone(locations))

    def who(self):
        who = self.params.get("who", "") or self.whose
        if who in ("mine", "everyone"):
            return who, None
        person = next((one for one in people(self.request) if number(who) in one.pks), None)
        if person is None:
            self.problems.append(_("That person is not known here, so that part was left out."))
            return self.whose, None
        return person.value, person

    def business(self):
        return self.one_of(
            "business",
            access.businesses_of(self.request),
            _("That business is not one of yours, so that part was left out."),
        )

    def calendar(self, locations):
        if not self.params.get("calendar"):
            return None
        calendars = GhlCalendar.objects.filter(location__in=locations)
        problem = _("That calendar is not known here, so that part was left out.")
        return self.one_of("calendar", calendars, problem)

    def one_of(self, name, rows, problem):
        value = self.params.get(name, "")
        found = next((row for row in rows if row.pk == number(value)), None) if value else None
        if value and found is None:
            self.problems.append(problem)
        return found

    def status(self):
        status = self.params.get("status", "")
        if status not in STATUSES:
            self.problems.append(_("No appointment has that status, so that part was left out."))
        return status if status in STATUSES else ""
