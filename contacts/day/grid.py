"""A day's appointments laid out on a clock: quarter hours down, a few side by side; and the days of a week."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts import localised
from contacts.models import Appointment

QUARTER = 15
LANES, WEEK_LANES = 3, 4
MORNING = 10  # o'clock: nobody wants to be visited at the end of the day
WORKDAY = (9, 18)  # shown even when nothing is booked at its ends
HALF_HOUR = timedelta(minutes=30)
STATUS = {"new": gettext_noop("not confirmed"), "showed": gettext_noop("kept"), "noshow": gettext_noop("no-show")}


@dataclass
class Booking:
    appointment: Appointment
    at: int  # quarters since the first hour shown
    length: int
    state: str = ""  # past, next, or later
    lane: int = 0
    of: int = 1  # how many stand side by side here
    folded: int = 0  # it stands for so many that found no lane

    @property
    def end(self):
        return self.at + self.length

    @property
    def status(self):
        return _(STATUS.get(self.appointment.status.lower(), self.appointment.status))

    def meets(self, other):
        return self.at < other.end and other.at < self.end


@dataclass
class Day:
    zone: object
    date: object = None
    is_today: bool = False
    hours: list = field(default_factory=list)  # (quarter, "09:00")
    bookings: list = field(default_factory=list)
    slots: list = field(default_factory=list)  # (quarter, moment, "09:30") of each half hour still to come
    unplaced: list = field(default_factory=list)  # more at once than there are lanes
    now_at: int | None = None
    now_rest: int = 0  # 0, 5 or 10 minutes past that quarter

    @property
    def words(self):
        return localised.day(self.date)

    @property
    def long_words(self):
        return localised.long_day(self.date)

    @property
    def book_at(self):
        """The moment to propose to whoever books on this day; None once it is over."""
        ahead = [moment for _, moment, _ in self.slots]
        return next((moment for moment in ahead if moment.hour >= MORNING), ahead[-1] if ahead else None)

    @classmethod
    def of(cls, appointments, zone, now, date=None, hours=None, lanes=LANES, folds=False):
        """`date` is today's and `hours` what its appointments need, unless they are given.

        What finds no lane is left in `unplaced`, or `folds`: then the last lane says how many more there are.
        """
        local = now.astimezone(zone)
        date = date or local.date()
        day = cls(zone, date, is_today=date == local.date())
        spans = _spans(appointments, zone, date)
        first, last = hours or _hours(spans)
        day.hours = [((hour - first) * 4, localised.hour(hour)) for hour in range(first, last + 1)]
        day.slots = list(_slots(date, zone, now, first, last))
        day._place(spans, first, now, lanes)
        if folds and day.unplaced:
            day.bookings, day.unplaced = [], []
            day._place(spans, first, now, lanes - 1)
            day._fold(lanes - 1)
        _share_the_width(day.bookings)
        if day.is_today:
            _mark_next(day.bookings)
        minutes = (local.hour - first) * 60 + local.minute
        if day.is_today and 0 <= minutes <= (last - first) * 60:
            day.now_at, rest = divmod(minutes, QUARTER)
            day.now_rest = rest // 5 * 5
        return day

    def _place(self, spans, first, now, lanes):
        for appointment, start, end in spans:
            at = (start - first * 60) // QUARTER
            # Two lines of words need half an hour of height.
            length = max(2, -(-(end - start) // QUARTER))
            booking = Booking(appointment, at, min(length, 32), _state(appointment, now))
            taken = {other.lane for other in self.bookings if booking.meets(other)}
            booking.lane = next((lane for lane in range(lanes) if lane not in taken), None)
            (self.unplaced if booking.lane is None else self.bookings).append(booking)

    def _fold(self, lane):
        folded = []
        for booking in sorted(self.unplaced, key=lambda one: one.at):
            if folded and folded[-1].meets(booking):
                folded[-1].length = min(max(folded[-1].end, booking.end) - folded[-1].at, 32)
                folded[-1].folded += 1
            else:
                folded.append(Booking(None, booking.at, booking.length, lane=lane, folded=1))
        self.bookings += folded


@dataclass
class Week:
    """Seven days on one clock, from `first` on. `days` have the same hours, so that they can stand side by side."""

    zone: object
    days: list

    @classmethod
    def of(cls, appointments, zone, now, first, lanes=WEEK_LANES):
        dates = [first + timedelta(days=number) for number in range(7)]
        booked = {date: [] for date in dates}
        for appointment in appointments:
            booked[appointment.starts_at.astimezone(zone).date()].append(appointment)
        hours = _hours([span for date in dates for span in _spans(booked[date], zone, date)])
        return cls(zone, [Day.of(booked[date], zone, now, date, hours, lanes, folds=True) for date in dates])


def _spans(appointments, zone, date):
    return [(appointment, *_minutes(appointment, zone, date)) for appointment in appointments]


def _hours(spans):
    """(first, last) hour to show."""
    first = min([WORKDAY[0], *(start // 60 for _, start, _ in spans)])
    return first, min(max([WORKDAY[1], *(-(-end // 60) for _, _, end in spans)]), 24)


def _slots(date, zone, now, first, last):
    midnight = datetime.combine(date, time.min, tzinfo=zone)
    for half in range(first * 2, last * 2):
        moment = midnight + half * HALF_HOUR  # by the clock on the wall
        if moment > now:
            yield half * 2 - first * 4, moment, localised.clock(moment)


def _minutes(appointment, zone, date):
    """Start and end as minutes of this date's clock; what crosses midnight is cut there."""
    start = appointment.starts_at.astimezone(zone)
    end = (appointment.ends_at or appointment.starts_at + HALF_HOUR).astimezone(zone)
    return _minute(start, date, 23 * 60 + 30), max(_minute(end, date, 24 * 60), _minute(start, date, 23 * 60 + 30))


def _minute(moment, date, latest):
    if moment.date() < date:
        return 0
    return latest if moment.date() > date else min(moment.hour * 60 + moment.minute, latest)


def _state(appointment, now):
    return "past" if (appointment.ends_at or appointment.starts_at + HALF_HOUR) <= now else "later"


def _share_the_width(bookings):
    """Bookings that touch one another, directly or through others, divide the width evenly."""
    together, end = [], 0
    for booking in sorted(bookings, key=lambda one: one.at):
        if together and booking.at >= end:
            together = []
        together.append(booking)
        end = max(one.end for one in together)
        for one in together:
            one.of = max(other.lane for other in together) + 1


def _mark_next(bookings):
    ahead = [booking for booking in bookings if booking.state == "later"]
    if ahead:
        min(ahead, key=lambda booking: booking.appointment.starts_at).state = "next"
