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
from django.utils.translation import get_language, gettext_noop, ngettext
from django.utils.translation import gettext as _

from contacts import localised
from contacts.managers import stats
from contacts.managers.charts import Bar, Columns, Row, side_by_side
from contacts.models import Appointment, Business, Contact, HistoryEvent, Location, Task
from contacts.people.actors import OTHERS, Actors

SPANS = {
    "4": gettext_noop("4 weeks"),
    "8": gettext_noop("8 weeks"),
    "12": gettext_noop("12 weeks"),
    "26": gettext_noop("26 weeks"),
}
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
            problems.append(_("The business in this address is not one you manage, so that part was left out."))
        span = params.get("weeks", "") or USUAL
        if span not in SPANS:
            words = _("Reports are of %(spans)s weeks; these are the last %(usual)s.")
            problems.append(words % {"spans": ", ".join(SPANS), "usual": USUAL})
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
        key = f"report:{get_language()}:{name}:{self.weeks[0]}:{self.span}:{','.join(map(str, self.location_ids))}"
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
    people, labels = [], {kind: _(label) for kind, label in stats.WORK.items()}
    for actor in {actor: None for kind in done.values() for actor in kind}:
        person = Person(actor.name, bool(actor.kind), [])
        for kind, label in labels.items():
            counts = done[kind].get(actor, {})
            bars = []
            for week in weeks:
                count, last = counts.get(week, 0), week + timedelta(days=6)
                words = _("%(person)s, week of %(day)s: %(count)s %(what)s")
                words %= {"person": actor.name, "day": localised.day(week), "count": count, "what": label.lower()}
                bars.append([Bar(count, words, scope.history_url(actor, kind, week, last), kind)])
            url = scope.history_url(actor, kind, weeks[0], weeks[-1] + timedelta(days=6))
            person.work.append(Columns(bars, "" if actor.value == OTHERS else url, label))
        people.append(person)
    for number in range(len(stats.WORK)):
        highest = max((person.work[number].highest for person in people), default=0)
        for person in people:
            person.work[number].laid_out(highest or 1)
    people.sort(key=lambda person: (person.is_machine, -person.total, person.name))
    return {"people": people, "labels": list(labels.values())}


# --- what is overdue --------------------------------------------------------------------------------------------------

AGE_WORDS = {
    "0-2": gettext_noop("0 to 2 days"),
    "3-7": gettext_noop("3 to 7 days"),
    "8-30": gettext_noop("8 to 30 days"),
    "30+": gettext_noop("more than 30 days"),
}


def ageing(scope):
    """Who has how many overdue tasks, and how late they are."""
    found = scope.figures("ageing", lambda: stats.ageing(scope.tasks, scope.locations, scope.now))
    counts, names = {}, {}
    for pk, ages in found.items():
        value, name = assignee_of(scope, pk)
        names[value] = name
        counts.setdefault(value, Counter()).update(ages)
    rows, late = [], _("%(person)s: %(count)s late by %(time)s")
    for value, ages in counts.items():
        bars = [
            Bar(
                ages[age], late % {"person": names[value], "count": ages[age], "time": _(AGE_WORDS[age])},
                scope.rows_url("overdue", who=value, age=age), f"age{number}",
            )
            for number, age in enumerate(stats.AGES)
        ]  # fmt: skip
        rows.append(Row(names[value], bars, scope.rows_url("overdue", who=value)))
    rows.sort(key=lambda row: (-row.total, row.name))
    legend = [(f"age{number}", _(AGE_WORDS[age])) for number, age in enumerate(stats.AGES)]
    return {"rows": side_by_side([row for row in rows if row.total]), "legend": legend}


def assignee_of(scope, pk):
    if pk is None:
        return NOBODY, _("Nobody")
    actor = scope.actors.of_remote_user(pk)
    return (actor.value, actor.name) if actor else (NOBODY, _("Nobody"))


# --- the first touch --------------------------------------------------------------------------------------------------


def first_touch(scope):
    found = scope.figures("touch", lambda: stats.first_touch(scope.contacts, scope.locations, scope.weeks))
    rows = [
        Row(words.capitalize(), [Bar(found.took[name], f"{found.took[name]} {words}", url, name)], url)
        for name, words in ((name, _(words)) for name, (words, *__) in stats.TOOK.items())
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
        return _("%(count)s min") % {"count": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        words = _("%(hours)s h %(minutes)s min") if minutes else _("%(hours)s h")
        return words % {"hours": hours, "minutes": minutes}
    days, hours = divmod(hours, 24)
    if hours and days < 10:
        words = ngettext("%(count)s day %(hours)s h", "%(count)s days %(hours)s h", days)
    else:
        words = ngettext("%(count)s day", "%(count)s days", days)
    return words % {"count": days, "hours": hours}


# --- appointments -----------------------------------------------------------------------------------------------------


def appointments(scope):
    found = scope.figures(
        "appointments", lambda: stats.outcomes(scope.appointments, scope.locations, scope.weeks, scope.now)
    )
    outcomes = {name: _(words) for name, (words, __) in stats.OUTCOMES.items()}
    said = _("Week of %(day)s: %(count)s %(what)s")
    columns = Columns([
        [
            Bar(
                found[name][week],
                said % {"day": localised.day(week), "count": found[name][week], "what": words.lower()},
                scope.rows_url("appointments", week=week, outcome=name), name,
            )
            for name, words in outcomes.items()
        ]
        for week in scope.weeks
    ])  # fmt: skip
    return {
        "columns": columns.laid_out(columns.highest or 1),
        "weeks": list(zip(scope.weeks, columns.weeks, strict=True)),
        "legend": list(outcomes.items()),
    }


# --- gone quiet -------------------------------------------------------------------------------------------------------

SILENCE_WORDS = {
    "30-59": gettext_noop("30 to 59 days"),
    "60-89": gettext_noop("60 to 89 days"),
    "90-179": gettext_noop("90 to 179 days"),
    "180+": gettext_noop("180 days or more"),
}


def quiet(scope):
    found = scope.figures("quiet", lambda: stats.quiet(scope.contacts, scope.now))
    rows = [
        Row(words, [Bar(found[name], _contacts(found[name], words), url, name)], url)
        for name, words in ((name, _(words)) for name, words in SILENCE_WORDS.items())
        for url in [scope.rows_url("quiet", days=name)]
    ]
    return {"rows": side_by_side(rows)}


def _contacts(count, words):
    said = ngettext("%(count)s contact, %(time)s", "%(count)s contacts, %(time)s", count)
    return said % {"count": count, "time": words}


# --- the lists behind -------------------------------------------------------------------------------------------------


def rows_behind(scope, report, params):
    """(title, rows) of the list behind a bar."""
    return _BEHIND[report](scope, params)


def _overdue(scope, params):
    tasks = scope.tasks.overdue(scope.now)
    age, who = params.get("age", ""), params.get("who", "")
    title = (
        _("Overdue tasks, late by %(time)s") % {"time": _(AGE_WORDS[age])} if age in stats.AGES else _("Overdue tasks")
    )
    if age in stats.AGES:
        tasks = tasks.filter(stats.overdue_for(age, scope.locations, scope.now))
    if who == NOBODY:
        return _("%(title)s, of nobody") % {"title": title}, tasks.filter(assignee=None)
    if actor := scope.actors.named(who):
        return _("%(title)s, of %(person)s") % {"title": title, "person": actor.name}, tasks.filter(
            assignee__in=actor.remote_pks
        )
    return title, tasks


def _first_touch(scope, params):
    contacts = stats.with_touch(scope.contacts, scope.locations, scope.weeks)
    took = params.get("took", "")
    if took not in stats.TOOK:
        return _("New contacts of the last %(count)s weeks") % {"count": scope.span}, contacts
    if took == "not":
        title = _("New contacts of the last %(count)s weeks, not touched yet")
    else:
        title = _("New contacts of the last %(count)s weeks, first touched %(when)s")
    return title % {"count": scope.span, "when": _(stats.TOOK[took][0])}, contacts.filter(stats.that_took(took))


def _appointments(scope, params):
    rows = stats.took_place(scope.appointments, scope.now)
    title = _("Appointments")
    if params.get("outcome", "") in stats.OUTCOMES:
        rows = rows.filter(stats.with_outcome(params["outcome"]))
        title = _("Appointments, %(outcome)s") % {"outcome": _(stats.OUTCOMES[params["outcome"]][0]).lower()}
    week = next((week for week in scope.weeks if str(week) == params.get("week", "")), None)
    days = stats.span([week] if week else scope.weeks)
    if week:
        title = _("%(title)s, week of %(day)s") % {"title": title, "day": localised.day(week)}
    else:
        title = _("%(title)s, last %(count)s weeks") % {"title": title, "count": scope.span}
    return title, rows.filter(stats.during(days, scope.locations, "starts_at"))


def _quiet(scope, params):
    contacts, days = scope.contacts.present().annotate(seen_at=F("last_activity_at")), params.get("days", "")
    if days not in stats.SILENCES:
        days = next(iter(stats.SILENCES))
    title = _("Nothing has happened for %(time)s") % {"time": _(SILENCE_WORDS[days])}
    return title, contacts.filter(stats.silent_for(days, scope.now))


_BEHIND = {"overdue": _overdue, "first-touch": _first_touch, "appointments": _appointments, "quiet": _quiet}
