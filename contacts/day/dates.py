"""Spans of days, by the clock of each location."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils.dateparse import parse_date

EARLIEST, LATEST = date(1970, 1, 2), date(9998, 12, 30)  # beyond these some clock has no such moment


@dataclass(frozen=True)
class Days:
    """From one day to another, both with; None leaves that side open."""

    first: date | None = None
    last: date | None = None

    def bounds(self, zone):
        """Where it begins and ends as instants, the end without."""
        start = start_of(self.first, zone) if self.first else None
        return start, start_of(self.last + timedelta(days=1), zone) if self.last else None

    def within(self, rows, field, zone):
        start, end = self.bounds(zone)
        if start:
            rows = rows.filter(**{f"{field}__gte": start})
        return rows.filter(**{f"{field}__lt": end}) if end else rows


def start_of(day, zone):
    return datetime.combine(day, time.min, tzinfo=zone)


def monday_of(day):
    return day - timedelta(days=day.weekday())


def day_named(text):
    """The day of a text like 2026-11-23, or None."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and EARLIEST <= day <= LATEST else None
