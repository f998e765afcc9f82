"""When something should be due, as admins write it: "2 working days", "3 days", "today", or a day, like 2026-11-30."""

import re
from datetime import datetime, time, timedelta

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from contacts.day import due
from contacts.models import Location

MOST = 3650
AFTER = re.compile(r"(?:in\s+)?(\d{1,4})\s*(working\s*)?(day|week|hour)s?", re.I)


class NotATime(ValueError):
    """The message says so."""


def moment(text: str, location: Location, now: datetime) -> datetime:
    """A day alone means the end of its working hours there."""
    text = " ".join(text.split())
    if found := AFTER.fullmatch(text):
        return _later(int(found[1]), bool(found[2]), found[3].lower(), location, now)
    word = {"today": 0, "tomorrow": 1}.get(text.lower())
    if word is not None:
        return due.at(now.astimezone(location.zone).date() + timedelta(days=word), location.zone)
    try:
        if len(text) == 10 and (day := parse_date(text)):
            return due.at(day, location.zone)
        told = parse_datetime(text)
    except ValueError:
        told = None
    if told is None:
        raise NotATime(_("“%(text)s” is no time: write “2 working days”, “3 days” or a date like 2026-11-30.") % {
            "text": text})  # fmt: skip
    return told if told.tzinfo else told.replace(tzinfo=location.zone)


def check(text: str) -> str:
    """What is wrong with it, or ""; a text with merge fields is known only when it is filled in."""
    if "{" in text:
        return ""
    try:
        moment(text, Location(time_zone="UTC"), datetime.now().astimezone())
    except NotATime as wrong:
        return str(wrong)
    return ""


def _later(many, is_working, unit, location, now):
    if many > MOST:
        raise NotATime(_("This is too far away."))
    if unit == "hour":
        return now + timedelta(hours=many)
    day = now.astimezone(location.zone).date()
    if not is_working:
        return due.at(day + timedelta(days=many * (7 if unit == "week" else 1)), location.zone)
    while many:
        day += timedelta(days=1)
        many -= day.weekday() < 5
    return due.at(day, location.zone, time(17))
