"""What is due when. The time zone of each location decides where its days begin."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

GROUPS = {
    "overdue": gettext_lazy("Overdue"),
    "today": gettext_lazy("Today"),
    "tomorrow": gettext_lazy("Tomorrow"),
    "week": gettext_lazy("This week"),
    "later": gettext_lazy("Later"),
    "none": gettext_lazy("No date"),
}
DUE = "due"  # what is overdue or due today, as one queue


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


def due_in(group, locations, now, field="due_at"):
    """The condition for one group over locations in several zones."""
    if group == "none":
        return Q(**{f"{field}__isnull": True})
    condition = Q(pk__in=[])
    for zone, pks in by_zone(locations).items():
        start, end = Bounds.of(zone, now).spans()[group]
        condition |= Q(location__in=pks) & _between(field, start, end)
    return condition


def on_today(locations, now, field="starts_at"):
    """The condition for the whole of today, its past hours too."""
    condition = Q(pk__in=[])
    for zone, pks in by_zone(locations).items():
        bounds = Bounds.of(zone, now)
        condition |= Q(location__in=pks) & _between(field, bounds.today, bounds.tomorrow)
    return condition


def _between(field, start, end):
    condition = Q(**{f"{field}__isnull": False})
    if start:
        condition &= Q(**{f"{field}__gte": start})
    if end:
        condition &= Q(**{f"{field}__lt": end})
    return condition
