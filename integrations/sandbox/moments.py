"""Times as GHL writes them. Inside, every time is epoch milliseconds."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_MS = 86_400_000


def now_ms():
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=65_536)
def iso(ms):
    """2026-07-01T09:30:00.000Z"""
    if ms is None:
        return None
    return (EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def iso_in_zone(ms, zone):
    """2026-07-01T04:30:00-05:00, as calendar events have it."""
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def local_without_offset(ms, zone):
    """2026-07-01 04:30:00, as the appointments of a contact have it."""
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def parsed_ms(value, zone="UTC"):
    """Epoch ms of an ISO time (no offset: in the zone), or None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return int(value)
    text = str(value).strip()
    if text.lstrip("-").isdigit() and len(text) > 8:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return int((moment - EPOCH) / timedelta(milliseconds=1))


def birthday(value):
    """YYYY-MM-DD from Y-M-D or M-D-Y with any of GHL's separators, or None."""
    text = str(value).strip().split("T")[0]
    for separator in "/._":
        text = text.replace(separator, "-")
    for form in ("%Y-%m-%d", "%m-%d-%Y"):
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    return None
