"""Figures for managers: querysets in, dataclasses out. For each figure there is the condition of the rows behind it.

Weeks and days are those of each location's own clock; weeks begin on Monday.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import (
    Count,
    DateField,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    Subquery,
)
from django.db.models.functions import Coalesce, Extract, Floor, TruncWeek
from django.utils.translation import gettext_noop

from contacts.day import agenda
from contacts.day.dates import Days, monday_of, start_of
from contacts.models import ActorKind, HistoryEvent

# --- the weeks --------------------------------------------------------------------------------------------------------


def weeks_until(now, zone, count):
    """The Mondays of the last weeks, this one among them."""
    this = monday_of(now.astimezone(zone).date())
    return [this - timedelta(weeks=back) for back in range(count - 1, -1, -1)]


def span(weeks):
    return Days(weeks[0], weeks[-1] + timedelta(days=6))


def during(days, locations, name="happened_at"):
    """The condition for rows of these locations within these days."""
    condition = Q(pk__in=[])
    for zone, pks in agenda.by_zone(locations).items():
        start, end = days.bounds(zone)
        condition |= Q(location__in=pks, **{f"{name}__gte": start, f"{name}__lt": end})
    return condition


def _by_week(rows, locations, weeks, name, *keys):
    """Counter of (week, *keys); the clock of each location says where a week begins."""
    counts = Counter()
    for zone, pks in agenda.by_zone(locations).items():
        here = span(weeks).within(rows.filter(location__in=pks), name, zone).order_by()
        week = TruncWeek(name, tzinfo=zone, output_field=DateField())
        for *found, count in here.annotate(week=week).values_list("week", *keys).annotate(Count("pk")):
            counts[tuple(found)] += count
    return counts


# --- what was done ----------------------------------------------------------------------------------------------------

WORK = {"note_added": gettext_noop("Notes"), "task_done": gettext_noop("Tasks done")}


def work_done(events, locations, weeks, actors):
    """{kind: {actor: {week: count}}} of what people and machines wrote and completed."""
    keys = ("kind", "location", "user", "actor_kind", "actor_name")
    done = {kind: {} for kind in WORK}
    for (week, kind, *columns), count in _by_week(
        events.filter(kind__in=WORK), locations, weeks, "happened_at", *keys
    ).items():
        of_actor = done[kind].setdefault(actors.of(*columns), Counter())
        of_actor[week] += count
    return done


# --- what is overdue --------------------------------------------------------------------------------------------------

# name → (days late from, to); a task due today and past its hour is 0 days late.
AGES = {"0-2": (0, 2), "3-7": (3, 7), "8-30": (8, 30), "30+": (31, None)}


def overdue_for(age, locations, now):
    """The condition for tasks that many days late by the clock of their location."""
    youngest, oldest = AGES[age]
    condition = Q(pk__in=[])
    for zone, pks in agenda.by_zone(locations).items():
        today = now.astimezone(zone).date()
        end = now if youngest == 0 else start_of(today - timedelta(days=youngest - 1), zone)
        here = Q(location__in=pks, due_at__lt=end)
        if oldest is not None:
            here &= Q(due_at__gte=start_of(today - timedelta(days=oldest), zone))
        condition |= here
    return condition


def ageing(tasks, locations, now):
    """{assignee's pk or None: {age: count}} of the overdue among these tasks."""
    tasks = tasks.overdue(now).filter(location__in=[location.pk for location in locations]).order_by()
    counts = {f"n{number}": Count("pk", filter=overdue_for(age, locations, now)) for number, age in enumerate(AGES)}
    return {
        assignee: dict(zip(AGES, found, strict=True))
        for assignee, *found in tasks.values_list("assignee").annotate(**counts).values_list("assignee", *counts)
    }


# --- the first touch --------------------------------------------------------------------------------------------------

TOUCHES = ("note_added", "task_done", "appointment_booked")
TOOK = {
    "1h": (gettext_noop("within 1 h"), timedelta(0), timedelta(hours=1)),
    "4h": (gettext_noop("1 to 4 h"), timedelta(hours=1), timedelta(hours=4)),
    "1d": (gettext_noop("4 to 24 h"), timedelta(hours=4), timedelta(days=1)),
    "3d": (gettext_noop("1 to 3 days"), timedelta(days=1), timedelta(days=3)),
    "7d": (gettext_noop("3 to 7 days"), timedelta(days=3), timedelta(days=7)),
    "more": (gettext_noop("later"), timedelta(days=7), None),
    "not": (gettext_noop("not yet"), None, None),
}


@dataclass
class FirstTouch:
    total: int
    median: timedelta | None
    took: dict = field(default_factory=dict)  # name of TOOK → how many


def with_touch(contacts, locations, weeks):
    """The contacts new in these weeks, with `added_at`, `touched_at` and `took`."""
    somebody = Q(actor_kind=ActorKind.PERSON) | Q(actor_kind=ActorKind.GHL) & ~Q(actor_name="")
    touches = HistoryEvent.objects.filter(
        somebody, contact=OuterRef("pk"), kind__in=TOUCHES, happened_at__gte=OuterRef("added_at")
    )
    first = touches.order_by().values("contact").annotate(first=Min("happened_at")).values("first")
    contacts = contacts.present().annotate(added_at=Coalesce("remote_created_at", "created_at"))
    contacts = contacts.filter(during(span(weeks), locations, "added_at")).annotate(touched_at=Subquery(first))
    return contacts.annotate(took=ExpressionWrapper(F("touched_at") - F("added_at"), DurationField()))


def that_took(name):
    """The condition for contacts whose first touch took so long."""
    if name == "not":
        return Q(took=None)
    _, least, most = TOOK[name]
    return Q(took__gte=least, took__lt=most) if most else Q(took__gte=least)


def first_touch(contacts, locations, weeks):
    contacts = with_touch(contacts, locations, weeks).order_by()
    # Asked for once and by whole minutes: the database would look for the first touch anew in each further question.
    minutes = contacts.annotate(minutes=Floor(Extract("took", "epoch") / 60, output_field=IntegerField()))
    counts = dict(minutes.values_list("minutes").annotate(Count("pk")))
    took = dict.fromkeys(TOOK, 0)
    for minute, count in counts.items():
        took[_named(minute)] += count
    return FirstTouch(
        sum(took.values()), _median({minute: n for minute, n in counts.items() if minute is not None}), took
    )


def _named(minute):
    if minute is None:
        return "not"
    time = timedelta(minutes=minute)
    return next(name for name, (_, _, most) in TOOK.items() if most is None or time < most)


def _median(counts):
    """The length at which half of them were touched, in whole minutes."""
    left = (sum(counts.values()) + 1) // 2
    for minute in sorted(counts):
        left -= counts[minute]
        if left <= 0:
            return timedelta(minutes=minute)
    return None


# --- appointments -----------------------------------------------------------------------------------------------------

# outcome → (words, GHL's statuses as they have been seen)
OUTCOMES = {
    "kept": (gettext_noop("Kept"), ("showed",)),
    "missed": (gettext_noop("Missed"), ("noshow", "no-show")),
    "cancelled": (gettext_noop("Cancelled"), ("cancelled", "canceled")),
    "open": (gettext_noop("Nothing said"), ()),
}
NEVER_WERE = ("invalid",)


def with_outcome(name):
    """The condition for appointments that ended so; "open" for those of which GHL says nothing."""
    statuses = OUTCOMES[name][1]
    if statuses:
        return Q(status__in=statuses)
    return ~Q(status__in=[*NEVER_WERE, *(one for _, known in OUTCOMES.values() for one in known)])


def outcome_of(status):
    return next((name for name, (_, statuses) in OUTCOMES.items() if status in statuses), "open")


def outcomes(appointments, locations, weeks, now):
    """{outcome: {week: count}} of the appointments of these weeks that are over or were called off."""
    found = {name: Counter() for name in OUTCOMES}
    counts = _by_week(took_place(appointments, now), locations, weeks, "starts_at", "status")
    for (week, status), count in counts.items():
        if status not in NEVER_WERE:
            found[outcome_of(status)][week] += count
    return found


def took_place(appointments, now):
    """Those whose time has come; one called off before its time counts at once."""
    off = [status for name in ("missed", "cancelled") for status in OUTCOMES[name][1]]
    return appointments.present().filter(Q(starts_at__lt=now) | Q(status__in=off))


# --- gone quiet -------------------------------------------------------------------------------------------------------

SILENCES = {"30-59": (30, 60), "60-89": (60, 90), "90-179": (90, 180), "180+": (180, None)}


def silent_for(name, now):
    """The condition for contacts with which nothing has happened for so many days."""
    least, most = SILENCES[name]
    condition = Q(last_activity_at__lte=now - timedelta(days=least))
    return condition & Q(last_activity_at__gt=now - timedelta(days=most)) if most else condition


def quiet(contacts, now):
    """{silence: how many contacts}"""
    contacts = contacts.present().filter(last_activity_at__lte=now - timedelta(days=30)).order_by()
    counts = {f"n{number}": Count("pk", filter=silent_for(name, now)) for number, name in enumerate(SILENCES)}
    return dict(zip(SILENCES, contacts.aggregate(**counts).values(), strict=True))
