"""The reports of a manager: figures of stats.py as pictures, every bar with the list behind it."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode

from contacts import localised
from contacts.managers import stats
from contacts.managers.charts import Bar, Columns, Row, side_by_side
from contacts.models import Appointment, Business, Contact, HistoryEvent, Location, Task
from contacts.people.actors import OTHERS, Actors

SPANS = {"4": "4 weeks", "8": "8 weeks", "12": "12 weeks", "26": "26 weeks"}
USUAL = "8"
SLOW_S = 0.3  # figures that took longer are kept for a while
KEPT_S = 300
NOBODY = "none"


@dataclass
class Scope:
    """Whose figures, and of which weeks."""

    businesses: list
    business: Business | None
    span: str
    now: datetime
    problems: list = field(default_factory=list)
    kept_since: datetime | None = None  # when the oldest of the figures was reckoned, where they were not reckoned now

    @classmethod
    def from_params(cls, params, businesses):
        problems = []
        chosen = params.get("business", "")
        business = next((one for one in businesses if str(one.pk) == chosen), None)
        if chosen and business is None:
            problems.append("The business in this address is not one you manage, so that part was left out.")
        span = params.get("weeks", "") or USUAL
        if span not in SPANS:
            problems.append(f"Reports are of {', '.join(SPANS)} weeks; these are the last {USUAL}.")
            span = USUAL
        return cls(businesses, business, span, timezone.now(), problems)

    @cached_property
    def locations(self):
        found = Location.objects.filter(business__in=[self.business] if self.business else self.businesses)
        return list(found.select_related("business"))

    @cached_property
    def location_ids(self):
        return [location.pk for location in self.locations]

    @cached_property
    def actors(self):
        return Actors(self.locations)

    @cached_property
    def zone(self):
        """The clock that says which week this is: the one most locations go by."""
        zones = Counter(location.zone for location in self.locations)
        return zones.most_common(1)[0][0] if zones else timezone.get_default_timezone()

    @cached_property
    def weeks(self):
        return stats.weeks_until(self.now, self.zone, int(self.span))

    @property
    def contacts(self):
        businesses = {location.business_id for location in self.locations}
        return Contact.objects.filter(business__in=businesses)

    @property
    def events(self):
        return HistoryEvent.objects.filter(location__in=self.location_ids)

    @property
    def tasks(self):
        return Task.objects.filter(location__in=self.location_ids)

    @property
    def appointments(self):
        return Appointment.objects.filter(location__in=self.location_ids, contact__deleted_at=None)

    def query(self, **changes):
        values = {"business": self.business.pk if self.business else "", "weeks": self.span, **changes}
        return urlencode({k: v for k, v in values.items() if v and (k, v) != ("weeks", USUAL)})

    def rows_url(self, report, **words):
        return f"{reverse('contacts:report_rows')}?{self.query(report=report, **words)}"

    def history_url(self, actor, kind, first, last):
        words = {"who": actor.value, "kind": kind, "from": first, "to": last}
        return f"{reverse('contacts:all_history')}?{self.query(weeks='', **words)}"

    def figures(self, name, reckon):
        """What `reckon` finds; what takes long is kept for some minutes."""
        key = f"report:{name}:{self.weeks[0]}:{self.span}:{','.join(map(str, self.location_ids))}"
        if kept := cache.get(key):
            at, found = kept
            self.kept_since = min(at, self.kept_since or at)
            return found
        began = time.monotonic()
        found = reckon()
        if time.monotonic() - began > SLOW_S:
            cache.set(key, (self.now, found), KEPT_S)
        return found


# --- notes and tasks per person and week ------------------------------------------------------------------------------


@dataclass
class Person:
    name: str
    is_machine: bool
    work: list[Columns]  # in the order of stats.WORK

    @property
    def total(self):
        return sum(columns.total for columns in self.work)


def work(scope):
    """One line of columns for each person, those who did most first."""
    weeks = scope.weeks
    done = scope.figures("work", lambda: stats.work_done(scope.events, scope.locations, weeks, scope.actors))
    people = []
    for actor in {actor: None for kind in done.values() for actor in kind}:
        person = Person(actor.name, bool(actor.kind), [])
        for kind, label in stats.WORK.items():
            counts = done[kind].get(actor, {})
            bars = []
            for week in weeks:
                count, last = counts.get(week, 0), week + timedelta(days=6)
                words = f"{actor.name}, week of {localised.day(week)}: {count} {label.lower()}"
                bars.append([Bar(count, words, scope.history_url(actor, kind, week, last), kind)])
            url = scope.history_url(actor, kind, weeks[0], weeks[-1] + timedelta(days=6))
            person.work.append(Columns(bars, "" if actor.value == OTHERS else url, label))
        people.append(person)
    for number in range(len(stats.WORK)):
        highest = max((person.work[number].highest for person in people), default=0)
        for person in people:
            person.work[number].laid_out(highest or 1)
    people.sort(key=lambda person: (person.is_machine, -person.total, person.name))
    return {"people": people, "labels": list(stats.WORK.values())}


# --- what is overdue --------------------------------------------------------------------------------------------------

AGE_WORDS = {"0-2": "0 to 2 days", "3-7": "3 to 7 days", "8-30": "8 to 30 days", "30+": "more than 30 days"}


def ageing(scope):
    """Who has how many overdue tasks, and how late they are."""
    found = scope.figures("ageing", lambda: stats.ageing(scope.tasks, scope.locations, scope.now))
    counts, names = {}, {}
    for pk, ages in found.items():
        value, name = assignee_of(scope, pk)
        names[value] = name
        counts.setdefault(value, Counter()).update(ages)
    rows = []
    for value, ages in counts.items():
        bars = [
            Bar(
                ages[age], f"{names[value]}: {ages[age]} late by {AGE_WORDS[age]}",
                scope.rows_url("overdue", who=value, age=age), f"age{number}",
            )
            for number, age in enumerate(stats.AGES)
        ]  # fmt: skip
        rows.append(Row(names[value], bars, scope.rows_url("overdue", who=value)))
    rows.sort(key=lambda row: (-row.total, row.name))
    legend = [(f"age{number}", AGE_WORDS[age]) for number, age in enumerate(stats.AGES)]
    return {"rows": side_by_side([row for row in rows if row.total]), "legend": legend}


def assignee_of(scope, pk):
    if pk is None:
        return NOBODY, "Nobody"
    actor = scope.actors.of_remote_user(pk)
    return (actor.value, actor.name) if actor else (NOBODY, "Nobody")


# --- the first touch --------------------------------------------------------------------------------------------------


def first_touch(scope):
    found = scope.figures("touch", lambda: stats.first_touch(scope.contacts, scope.locations, scope.weeks))
    rows = [
        Row(words.capitalize(), [Bar(found.took[name], f"{found.took[name]} {words}", url, name)], url)
        for name, (words, *_) in stats.TOOK.items()
        for url in [scope.rows_url("first-touch", took=name)]
    ]
    return {
        "rows": side_by_side(rows),
        "median": length_of(found.median),
        "total": found.total,
        "url": scope.rows_url("first-touch"),
    }


def length_of(time):
    """45 min; 3 h 20 min; 2 days 4 h."""
    if time is None:
        return ""
    minutes = round(time.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    words = f"{days} day{'' if days == 1 else 's'}"
    return f"{words} {hours} h" if hours and days < 10 else words


# --- appointments -----------------------------------------------------------------------------------------------------


def appointments(scope):
    found = scope.figures(
        "appointments", lambda: stats.outcomes(scope.appointments, scope.locations, scope.weeks, scope.now)
    )
    columns = Columns([
        [
            Bar(
                found[name][week], f"Week of {localised.day(week)}: {found[name][week]} {words.lower()}",
                scope.rows_url("appointments", week=week, outcome=name), name,
            )
            for name, (words, _) in stats.OUTCOMES.items()
        ]
        for week in scope.weeks
    ])  # fmt: skip
    return {
        "columns": columns.laid_out(columns.highest or 1),
        "weeks": list(zip(scope.weeks, columns.weeks, strict=True)),
        "legend": [(name, words) for name, (words, _) in stats.OUTCOMES.items()],
    }


# --- gone quiet -------------------------------------------------------------------------------------------------------

SILENCE_WORDS = {
    "30-59": "30 to 59 days", "60-89": "60 to 89 days", "90-179": "90 to 179 days", "180+": "180 days or more",
}  # fmt: skip


def quiet(scope):
    found = scope.figures("quiet", lambda: stats.quiet(scope.contacts, scope.now))
    rows = [
        Row(words, [Bar(found[name], f"{found[name]} contacts, {words}", url, name)], url)
        for name, words in SILENCE_WORDS.items()
        for url in [scope.rows_url("quiet", days=name)]
    ]
    return {"rows": side_by_side(rows)}


# --- the lists behind -------------------------------------------------------------------------------------------------


def rows_behind(scope, report, params):
    """(title, rows) of the list behind a bar."""
    return _BEHIND[report](scope, params)


def _overdue(scope, params):
    tasks = scope.tasks.overdue(scope.now)
    age, who = params.get("age", ""), params.get("who", "")
    title = f"Overdue tasks, late by {AGE_WORDS[age]}" if age in stats.AGES else "Overdue tasks"
    if age in stats.AGES:
        tasks = tasks.filter(stats.overdue_for(age, scope.locations, scope.now))
    if who == NOBODY:
        return f"{title}, of nobody", tasks.filter(assignee=None)
    if actor := scope.actors.named(who):
        return f"{title}, of {actor.name}", tasks.filter(assignee__in=actor.remote_pks)
    return title, tasks


def _first_touch(scope, params):
    contacts = stats.with_touch(scope.contacts, scope.locations, scope.weeks)
    took = params.get("took", "")
    if took not in stats.TOOK:
        return f"New contacts of the last {scope.span} weeks", contacts
    words = stats.TOOK[took][0]
    said = "not touched yet" if took == "not" else f"first touched {words}"
    return f"New contacts of the last {scope.span} weeks, {said}", contacts.filter(stats.that_took(took))


def _appointments(scope, params):
    rows = stats.took_place(scope.appointments, scope.now)
    title = "Appointments"
    if params.get("outcome", "") in stats.OUTCOMES:
        rows = rows.filter(stats.with_outcome(params["outcome"]))
        title = f"Appointments, {stats.OUTCOMES[params['outcome']][0].lower()}"
    week = next((week for week in scope.weeks if str(week) == params.get("week", "")), None)
    days = stats.span([week] if week else scope.weeks)
    title += f", week of {localised.day(week)}" if week else f", last {scope.span} weeks"
    return title, rows.filter(stats.during(days, scope.locations, "starts_at"))


def _quiet(scope, params):
    contacts, days = scope.contacts.present().annotate(seen_at=F("last_activity_at")), params.get("days", "")
    if days not in stats.SILENCES:
        days = next(iter(stats.SILENCES))
    return f"Nothing has happened for {SILENCE_WORDS[days]}", contacts.filter(stats.silent_for(days, scope.now))


_BEHIND = {"overdue": _overdue, "first-touch": _first_touch, "appointments": _appointments, "quiet": _quiet}
