"""One page of a history: which events are asked for, and how they lie in days."""

import re
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.db.models import Prefetch, Q
from django.utils.translation import gettext_lazy

from contacts.history.timeline import chain, text
from contacts.history.timeline.lines import lines_of
from contacts.history.timeline.words import actor_of
from contacts.models import ActorKind, Change, HistoryEvent, RemoteUser
from contacts.paging import Order, page_of

PAGE = 40
MOST = 400  # lines shown again when the list is read anew
RECENT = 1000  # events whose people are offered to filter by
LONGEST_SEARCH = 200
NEWEST = Order("happened_at", gettext_lazy("Newest first"), descending=True, is_time=True)

FILTERS = {
    "": (gettext_lazy("All"), ()),
    "notes": (gettext_lazy("Notes"), ("note_",)),
    "tasks": (gettext_lazy("Tasks"), ("task_",)),
    "appointments": (gettext_lazy("Appointments"), ("appointment_",)),
    "changes": (gettext_lazy("Changes"), ("contact_", "tags_")),
}
CAUSES = {
    ActorKind.PERSON: gettext_lazy("People"),
    ActorKind.GHL: "GHL",
    ActorKind.RULE: gettext_lazy("Rules"),
    ActorKind.ERP: "ERP",
    ActorKind.SYSTEM: "Rankr",
}


@dataclass(frozen=True)
class Asked:
    """What of a history somebody wants to see. `who` is u and the number of a user, or g and that of a GHL user."""

    kind: str = ""
    who: str = ""
    cause: str = ""
    q: str = ""

    @classmethod
    def of(cls, params):
        """Whatever does not make sense asks for nothing in particular."""
        kind, who, cause = (params.get(name, "") for name in ("kind", "who", "cause"))
        return cls(
            kind if kind in FILTERS else "",
            who if re.fullmatch(r"[ug][1-9][0-9]{0,15}", who) else "",
            cause if cause in CAUSES else "",
            params.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        )

    @property
    def is_everything(self):
        return self == Asked()

    def but(self, **changes):
        """The query string of the same with some of it changed, beginning with "?" where there is any."""
        asked = replace(self, **changes)
        named = {name: value for name in ("kind", "who", "cause", "q") if (value := getattr(asked, name))}
        return f"?{urlencode(named)}" if named else ""

    @property
    def query(self):
        return self.but()

    @property
    def hidden(self):
        """[(name, value)] of all but the words, for the form that asks for those."""
        return [(name, value) for name in ("kind", "who", "cause") if (value := getattr(self, name))]

    def choose(self, events, location):
        if prefixes := FILTERS[self.kind][1]:
            events = events.filter(kind__in=[one for one in HistoryEvent.Kind.values if one.startswith(prefixes)])
        if self.who:
            events = events.filter(_done_by(self.who, location))
        if self.cause:
            events = events.filter(Q(actor_kind=self.cause) | Q(cause__actor_kind=self.cause))
        if self.q:
            events = text.holding(events, location, self.q)
        return events.filter(chain.apart()) if self.is_everything else events


def page(contact, asked=None, after="", until=""):
    """(lines, cursor of the next page, cursor of the last event). With `until` everything down to that place again."""
    asked = asked or Asked()
    events = HistoryEvent.objects.filter(contact=contact).select_related("user", "task", "note__author", "appointment")
    # Apart: Postgres would think longer about ten joins in one query than it takes to run two.
    events = events.prefetch_related(Prefetch("change", Change.objects.select_related("business", "made_by", "bulk")))
    events = asked.choose(events, contact.location)
    size = PAGE
    place = NEWEST.parse(until) if until else None
    if place:
        shown = events.exclude(NEWEST.beyond(*place)).order_by().values("pk")[:MOST].count()
        size = max(PAGE, shown)
    found = page_of(events, NEWEST, after, size, None)
    for event in found.rows:
        if event.note:
            event.note.location = contact.location
    last = NEWEST.cursor(found.rows[-1]) if found.rows else ""
    return lines_of(found.rows, contact.location), found.after, last


@dataclass
class Day:
    date: object  # None where the page before has shown the day's head already
    lines: list = field(default_factory=list)
    noise: list = field(default_factory=list)
    was_seen: bool = False  # the last look was between this day and the next

    @property
    def noise_count(self):
        return sum(1 + len(line.folded) for line in self.noise)


def days_of(lines, zone, after="", looked_before=None, shows_noise=False):
    """The lines by day of that clock, what nobody has to read apart, and the place of the last look marked."""
    place = NEWEST.parse(after) if after else None
    days = []
    for line in lines:
        date = line.event.happened_at.astimezone(zone).date()
        if not days or days[-1].date != date:
            days.append(Day(date))
        (days[-1].noise if line.is_noise and not shows_noise else days[-1].lines).append(line)
    _mark_last_look(days, looked_before, place)
    if days and place and days[0].date == place[0].astimezone(zone).date():
        days[0].date = None
    return days


def _mark_last_look(days, looked_before, place):
    if looked_before is None or (place and place[0] <= looked_before):
        return
    is_new = place is not None
    for day in days:
        for line in day.lines:
            if line.event.happened_at > looked_before:
                is_new = True
            elif is_new:
                if line is day.lines[0]:
                    day.was_seen = True
                else:
                    line.was_seen = True
                return


def people_of(contact):
    """[(key, name)] of those who appear in the recent history, for `who`."""
    recent = HistoryEvent.objects.filter(contact=contact).order_by("-happened_at", "-pk").values("pk")[:RECENT]
    events = HistoryEvent.objects.filter(pk__in=recent, actor_kind__in=[ActorKind.PERSON, ActorKind.GHL])
    events = events.order_by("user", "actor_name").distinct("user", "actor_name").select_related("user")
    in_ghl = {one.name: one for one in contact.location.remote_users.all() if one.name}
    found = {}
    for event in events:
        remote = in_ghl.get(event.actor_name)
        if event.user_id:
            found[f"u{event.user_id}"] = actor_of(event)
        elif remote:
            found[f"u{remote.user_id}" if remote.user_id else f"g{remote.pk}"] = remote.name
    return sorted(found.items(), key=lambda one: one[1].casefold())


def _done_by(who, location):
    pk = int(who[1:])
    in_ghl = RemoteUser.objects.filter(location=location, **{"user" if who[0] == "u" else "pk": pk})
    by_name = Q(user=None, actor_name__in=in_ghl.exclude(name="").values("name"))
    return by_name | Q(user=pk) if who[0] == "u" else by_name
