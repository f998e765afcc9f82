"""The ways GHL writes a moment or a day: ISO with and without offset, epoch milliseconds, and a few more."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(value: Any, zone: tzinfo = UTC, fold: int = 0) -> datetime | None:
    """An aware UTC moment, or None when there is none or it cannot be read. Epochs are milliseconds.

    `zone` is for times without an offset; `fold` says which of two is meant when the clocks go back.
    """
    milliseconds = _milliseconds(value)
    try:
        if milliseconds is not None:
            return EPOCH + timedelta(milliseconds=milliseconds)
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, str) and value.strip():
            moment = datetime.fromisoformat(_tidy(value))
        else:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone, fold=fold)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def in_zone(raw_start: Any, raw_end: Any, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Start and end of an appointment. An end that would come before the start is taken an hour later, if the
    clocks going back allow it."""
    start, end = moment_of(raw_start, zone), moment_of(raw_end, zone)
    if start and end and end <= start:
        later = moment_of(raw_end, zone, fold=1)
        end = later if later and later > start else end
    return start, end


def is_ambiguous(raw: Any, zone: tzinfo) -> bool:
    """The time has no offset and happens twice, because the clocks go back."""
    first, second = moment_of(raw, zone), moment_of(raw, zone, fold=1)
    return first is not None and second is not None and first < second


def date_of(value: Any) -> date | None:
    """A day: from epoch milliseconds, from ISO with a time, or as Y-M-D or M-D-Y with any of / - . _"""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if _milliseconds(value) is not None:
        moment = moment_of(value)
        return moment.date() if moment else None
    if not isinstance(value, str):
        return None
    parts = re.match(
        r"\s*(\d{4})[/\-._](\d{1,2})[/\-._](\d{1,2})(?!\d)|\s*(\d{1,2})[/\-._](\d{1,2})[/\-._](\d{4})\b",
        value,
    )
    if not parts:
        return None
    year, month, day = (parts[1], parts[2], parts[3]) if parts[1] else (parts[6], parts[4], parts[5])
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def iso(moment: datetime) -> str:
    """As GHL reads it: 2026-03-01T09:30:00Z."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _milliseconds(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{9,}(\.\d+)?\s*", value):
        return float(value)
    return None


def _tidy(value: str) -> str:
    """What fromisoformat refuses on Python 3.11 although GHL or its users send it: " +0200", a trailing zone
    name."""
    value = re.sub(r"\s+([+-]\d{2}:?\d{2})$", r"\1", value.strip())
    return re.sub(r"\s*(?:Z|UTC|GMT)$", "+00:00", value, flags=re.IGNORECASE)
