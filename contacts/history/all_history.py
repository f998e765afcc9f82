"""The history over all contacts: URL parameters ⇄ the events they ask for, newest first, and as lines."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.day import agenda
from contacts.day.dates import Days, day_named
from contacts.details.note_text import plain_text
from contacts.history import timeline
from contacts.models import Business, HistoryEvent, Location
from contacts.paging import page_over
from contacts.people.actors import MACHINES, OTHERS, Actor

PAGE = 50
MOST_PARTS = 200  # of one query
SHOWN_LETTERS = 160
# What a line does not show, and what may be large.
UNREAD = ("snapshot", "custom_values", "dnd_settings", "search_text")

GROUPS = {
    "notes": (gettext_noop("Notes"), "note_"),
    "tasks": (gettext_noop("Tasks"), "task_"),
    "appointments": (gettext_noop("Appointments"), "appointment_"),
    "fields": (gettext_noop("Contacts and fields"), "contact_"),
    "tags": (gettext_noop("Tags"), "tags_"),
    "erp": (gettext_noop("ERP events"), "erp_"),
    "rules": (gettext_noop("Rules"), "rule_"),
}
PERIODS = {
    "": gettext_noop("Any time"),
    "today": gettext_noop("Today"),
    "7": gettext_noop("7 days"),
    "30": gettext_noop("30 days"),
}

UNKNOWN = {
    "business": gettext_noop("The business in this address is not known here, so that part was left out."),
    "period": gettext_noop("The period in this address is not known here, so that part was left out."),
    "kind": gettext_noop("The kind in this address is not known here, so that part was left out."),
}


def kinds_of(kind):
    """The kinds of event behind a group or a single kind; empty for all."""
    if kind in GROUPS:
        return [one for one in HistoryEvent.Kind.values if one.startswith(GROUPS[kind][1])]
    return [kind] if kind else []


@dataclass(frozen=True)
class HistoryFilter:
    """Who, what, where and when. What an address asks for and is not known here is dropped and told in `problems`.

    Days are those of each location's own clock.
    """

    actor: Actor | None = None
    kind: str = ""
    business: Business | None = None
    period: str = ""
    first: date | None = None
    last: date | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def from_params(cls, params, businesses, actors):
        problems = []

        def known(name, values, problem):
            value = params.get(name, "")
            if value and value not in values:
                problems.append(_(problem))
            return values.get(value)

        actor = params.get("who", "")
        if actor and (actor := actors.named(actor)) is None:
            problems.append(_("The person in this address is not known here, so that part was left out."))
        kinds = {name: name for name in [*GROUPS, *HistoryEvent.Kind.values]}
        business = known("business", {str(business.pk): business for business in businesses}, UNKNOWN["business"])
        period = known("period", {name: name for name in PERIODS if name}, UNKNOWN["period"]) or ""
        first, last = (_day(params.get(name, ""), problems) for name in ("from", "to"))
        if first and last and first > last:
            first, last = last, first
        kind = known("kind", kinds, UNKNOWN["kind"]) or ""
        if actor and actor.value == OTHERS and not (first and last and last - first <= timedelta(days=31)):
            words = _("%(people)s can be shown for a month at a time, so that part was left out.")
            problems.append(words % {"people": actor.name})
            actor = None
        return cls(actor or None, kind, business, "" if first or last else period, first, last, tuple(problems))

    def params(self, **more):
        return urlencode([*self.pairs(), *((name, value) for name, value in more.items() if value)])

    def pairs(self):
        pairs = [("who", self.actor.value if self.actor else ""), ("kind", self.kind)]
        pairs += [("business", self.business.pk if self.business else "")]
        pairs += [("period", self.period), ("from", self.first or ""), ("to", self.last or "")]
        return [(name, value) for name, value in pairs if value]

    def with_(self, **values):
        return replace(self, **values)

    @property
    def is_empty(self):
        return not self.pairs()

    def days(self, zone, now):
        today = now.astimezone(zone).date()
        if self.period:
            return Days(today - timedelta(days=0 if self.period == "today" else int(self.period) - 1), today)
        return Days(self.first, self.last)

    def parts(self, locations, now=None):
        """The events as querysets, each of which one index leads through in order."""
        now = now or timezone.now()
        if self.business:
            locations = [one for one in locations if one.business_id == self.business.pk]
        kinds = kinds_of(self.kind)
        parts = []
        for zone, pks in agenda.by_zone(locations).items():
            events = self.days(zone, now).within(HistoryEvent.objects.order_by(), "happened_at", zone)
            if self.actor:
                events = events.filter(kind__in=kinds) if kinds else events
                parts += self.actor.parts(events, pks)
            elif not kinds:
                parts += [events.filter(location=pk) for pk in pks]
            elif len(locations) * len(kinds) > MOST_PARTS:
                parts += [events.filter(location=pk, kind__in=kinds) for pk in pks]
            else:
                parts += [events.filter(location=pk, kind=kind) for pk in pks for kind in kinds]
        return parts


def _day(text, problems):
    if not text:
        return None
    day = day_named(text)
    if day is None:
        words = _("“%(text)s” is not a day such as 2026-11-23, so it was left out.")
        problems.append(words % {"text": Truncator(text).chars(20)})
    return day


def locations_of(businesses):
    return list(Location.objects.filter(business__in=businesses).select_related("business"))


# --- lines ------------------------------------------------------------------------------------------------------------


def page(chosen, locations, after="", size=PAGE):
    return page_over(chosen.parts(locations), timeline.NEWEST, after, size, for_lines)


def for_lines(events):
    events = events.select_related("contact", "task", "note", "appointment", "user", "change__bulk")
    return events.defer(*(f"contact__{name}" for name in UNREAD), "task__snapshot", "note__snapshot")


def lines_of(events, locations):
    """One line for each event, in the same order, each with its `contact`, `location`, `text` and `place`."""
    where = {location.pk: location for location in locations}
    differ = len({location.zone for location in locations}) > 1
    found = {}
    for pk in dict.fromkeys(event.location_id for event in events):
        here = [event for event in events if event.location_id == pk]
        for line in apart(here, where[pk]):
            line.location, line.contact = where[pk], line.event.contact
            line.place = agenda.place_of(where[pk].zone) if differ else ""
            line.text = text_of(line)
            if line.event.note and line.event.note.deleted_at:
                line.changes = []
            found[line.event.pk] = line
    return [found[event.pk] for event in events]


def apart(events, location):
    """The lines of events without folding: what a report has counted can be counted here."""
    return timeline.lines_of(events, location, folds=False)


def text_of(line):
    """The beginning of the note a line tells of. What was deleted is not told again."""
    if line.note is None or line.note.deleted_at:
        return ""
    return Truncator(" ".join(plain_text(line.note.body).split())).chars(SHOWN_LETTERS)


def choices(actors, businesses, chosen):
    """What the page offers: [(group, [(value, name, is chosen)])] for people and kinds, links for periods."""

    def options(pairs, current):
        return [(value, name, value == current) for value, name in pairs]

    who = chosen.actor.value if chosen.actor else ""
    has_days = bool(chosen.first or chosen.last)
    people = [
        (_("People here"), options([(one.value, one.name) for one in actors.users.values()], who)),
        (_("In GHL"), options([(one.value, one.name) for one in actors.in_ghl], who)),
        (_("Machines"), options([(one.value, one.name) for one in MACHINES], who)),
    ]
    if who and not any(is_chosen for __, rows in people for *__, is_chosen in rows):
        people[0][1].append((who, chosen.actor.name, True))
    kinds = [
        (words, options([(name, _("%(group)s, all") % {"group": words}), *_kinds_in(prefix)], chosen.kind))
        for name, words, prefix in ((name, _(words), prefix) for name, (words, prefix) in GROUPS.items())
    ]
    return {
        "people": [group for group in people if group[1]],
        "kinds": kinds,
        "periods": [
            (
                _(words),
                chosen.with_(period=name, first=None, last=None).params(),
                name == chosen.period and not has_days,
            )
            for name, words in PERIODS.items()
        ],
        "businesses": options([(one.pk, one.name) for one in businesses], chosen.business and chosen.business.pk),
    }


def _kinds_in(prefix):
    kinds = [(value, label) for value, label in HistoryEvent.Kind.choices if value.startswith(prefix)]
    return kinds if len(kinds) > 1 else []
