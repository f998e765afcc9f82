"""What is due when. The time zone of each location decides where its days begin."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Case, DateTimeField, OuterRef, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy

from contacts.models import Location, RemoteUser
from contacts.paging import Lanes

GROUPS = {
    "overdue": gettext_lazy("Overdue"),
    "today": gettext_lazy("Today"),
    "tomorrow": gettext_lazy("Tomorrow"),
    "week": gettext_lazy("This week"),
    "later": gettext_lazy("Later"),
    "none": gettext_lazy("No date"),
}
DUE = "due"  # what is overdue or due today, as one queue
DAY = "day"  # the whole of today, its past hours too


@dataclass(frozen=True)
class Bounds:
    """Where today, tomorrow, the day after and next Monday begin in one zone, as instants."""

    now: datetime
    today: datetime
    tomorrow: datetime
    after_tomorrow: datetime
    next_week: datetime

    @classmethod
    def of(cls, zone, now):
        date = now.astimezone(zone).date()

        def start(days):
            return datetime.combine(date + timedelta(days=days), time.min, tzinfo=zone)

        return cls(now, start(0), start(1), start(2), start(max(7 - date.weekday(), 2)))

    def spans(self):
        """Group → (from, to); None leaves that side open."""
        return {
            "overdue": (None, self.now),
            "today": (self.now, self.tomorrow),
            "tomorrow": (self.tomorrow, self.after_tomorrow),
            "week": (self.after_tomorrow, self.next_week),
            "later": (self.next_week, None),
            DUE: (None, self.tomorrow),
            DAY: (self.today, self.tomorrow),
        }


def group_of(task, now):
    """The group a task stands in, by the clock of its location."""
    if task.due_at is None:
        return "none"
    spans = Bounds.of(task.location.zone, now).spans()
    return next(name for name, (_, end) in spans.items() if end is None or task.due_at < end)


def by_zone(locations):
    zones = defaultdict(list)
    for location in locations:
        zones[location.zone].append(location.pk)
    return zones


def place_of(zone):
    """Chicago, for America/Chicago."""
    return str(zone).rsplit("/", 1)[-1].replace("_", " ")


def name_places(tasks, locations):
    """Where clocks differ, also from the reader's own, a time of day needs its place: else `task.place` is empty."""
    now = timezone.now()
    clocks = {now.astimezone(location.zone).utcoffset() for location in locations}
    differ = bool(clocks - {timezone.localtime(now).utcoffset()})
    for task in tasks:
        task.place = place_of(task.location.zone) if differ else ""
    return tasks


def in_lanes(rows, group, locations, now, people=None, at="due_at"):
    """The rows of one group as lanes: one for each location, or for each of these people in GHL who works there.

    Only these locations' rows are found, so the locations have to be those that somebody may see.
    """
    pks = [location.pk for location in locations]
    if people is None:
        lanes, place = Location.objects.filter(pk__in=pks), "pk"
        rows = rows.filter(location=OuterRef("pk"))
    else:
        lanes, place = RemoteUser.objects.filter(pk__in=people, location__in=pks), "location"
        rows = rows.filter(assignee=OuterRef("pk"))
    if group == "none":
        return Lanes(lanes, rows.filter(**{f"{at}__isnull": True}), Q(location__in=pks))
    spans = {tuple(of_zone): Bounds.of(zone, now).spans()[group] for zone, of_zone in by_zone(locations).items()}
    for side, compared in enumerate(("gte", "lt")):
        edges = {of_zone: span[side] for of_zone, span in spans.items() if span[side]}
        edge = next(iter(edges.values()), None)
        if len(set(edges.values())) > 1:
            by_place = (When(**{f"{place}__in": of_zone}, then=moment) for of_zone, moment in edges.items())
            lanes = lanes.annotate(**{compared: Case(*by_place, output_field=DateTimeField())})
            edge = OuterRef(compared)
        if edge:
            rows = rows.filter(**{f"{at}__{compared}": edge})
    return Lanes(lanes, rows, Q(location__in=pks))
