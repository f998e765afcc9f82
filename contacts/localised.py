"""How days, clocks and numbers are written: by the customs of the reader's region, in the language of the page.

What the customs are comes from the Unicode locale data in Babel. A Way is chosen once per request, in
frame/middleware.py; outside a request, as in an e-mail, the default rules.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache

from babel import Locale, UnknownLocaleError, localedata
from babel.core import get_global
from babel.dates import parse_pattern
from babel.numbers import NumberFormatError, format_decimal, parse_decimal

DEFAULT_REGION = "GB"
SUNDAY = 6


@dataclass(frozen=True)
class Way:
    """One reader's way of writing. `hours` is "12", "24", or empty for what is usual there."""

    language: str = "en"
    region: str = DEFAULT_REGION
    hours: str = ""
    week_start: str = ""

    @property
    def locale(self):
        return locale_of(self.language, self.region)

    @property
    def first_weekday(self):
        """0 is Monday."""
        return int(self.week_start) if self.week_start else self.locale.first_week_day


_way = ContextVar("way", default=Way())  # noqa: B039 (frozen)


def current():
    return _way.get()


@contextmanager
def using(way):
    before = _way.set(way)
    try:
        yield way
    finally:
        _way.reset(before)


@lru_cache(maxsize=256)
def locale_of(language, region):
    """de in AT; where that pair is not known, the language by the customs of the default region."""
    for name in (f"{language}_{region}", language):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(f"en_{DEFAULT_REGION}")


@lru_cache(maxsize=8)
def regions(language):
    """[(code, name)] of the regions whose customs are known for a language, by name."""
    ids = (name.split("_") for name in localedata.locale_identifiers())
    codes = {parts[1] for parts in ids if len(parts) == 2 and parts[0] == language and len(parts[1]) == 2}
    names = Locale.parse(language).territories
    return sorted(((code, names.get(code, code)) for code in codes), key=lambda row: row[1])


def region_asked_for(accept_language, language="en"):
    """The region of a browser's first language: "en-US" is US, "de" is DE. Of what is not known, the default."""
    first = accept_language.split(",")[0].split(";")[0].strip().replace("-", "_")
    parts = first.split("_")
    region = next((part.upper() for part in parts[1:] if len(part) == 2), "")
    if not region and parts[0] not in ("", "en", "*"):  # plain "en" is anybody's
        region = get_global("likely_subtags").get(parts[0].lower(), "").rpartition("_")[2]
    return region if region in dict(regions(language)) else DEFAULT_REGION


# --- words of a date and a clock --------------------------------------------------------------------------------------


def day(date):
    """Mon 23 Nov"""
    return _written("MMMEd", date)


def day_and_year(date):
    """23 Nov 2026"""
    return _written("yMMMd", date)


def long_day(date):
    """Monday 23 November"""
    return _written("MMMMEEEEd", date)


def day_and_month(date):
    """23 Nov"""
    return _written("MMMd", date)


def long_day_and_year(date):
    """Monday 23 November 2026"""
    return _written("yMMMMEEEEd", date)


def month(date):
    """November 2026"""
    return _written("yMMMM", date)


def clock(moment):
    """14:20, or 2:20 PM"""
    return _written(_clock_skeleton(), time(moment.hour, moment.minute))


def hour(number):
    """14:00, or 2 PM: a line on the face of a day. 24 is midnight again."""
    has_halves = "h" in _pattern(current().language, current().region, _clock_skeleton()).pattern
    return _written("h", time(number % 24)) if has_halves else f"{number:02}:00"


def _clock_skeleton():
    return {"12": "hm", "24": "Hm"}.get(current().hours, "short")


def _written(skeleton, moment):
    return _kept(current(), skeleton, moment.date() if isinstance(moment, datetime) else moment)


@lru_cache(maxsize=8192)  # a page writes the same few days and clocks again and again
def _kept(way, skeleton, moment):
    """`moment` is a date, or a time to the minute: of whole moments there would be too many to keep."""
    return _pattern(way.language, way.region, skeleton).apply(moment, way.locale)


@lru_cache(maxsize=512)
def _pattern(language, region, skeleton):
    locale = locale_of(language, region)
    known = locale.datetime_skeletons
    if skeleton == "short":
        return locale.time_formats["short"]
    if skeleton == "MMMMEEEEd":
        # Few locales spell this one out: it is the short form with whole words.
        found = known.get(skeleton) or known["MMMEd"]
        found = found.pattern
        return parse_pattern(found if "EEEE" in found else found.replace("MMM", "MMMM").replace("E", "EEEE"))
    if skeleton == "yMMMMEEEEd":
        full, near = locale.date_formats["full"].pattern, _pattern(language, region, "MMMMEEEEd").pattern
        # As the line above it on the page: "Monday 23 November" has no comma where the whole date would.
        return parse_pattern(full if "EEEE," in near else full.replace("EEEE,", "EEEE"))
    return parse_pattern(known[skeleton].pattern)


# --- numbers ----------------------------------------------------------------------------------------------------------


def number(value):
    """12,402 or 12.402; at most three places after the point."""
    return format_decimal(value, locale=current().locale)


def plain_number(value):
    """1250.5, without groups of three"""
    return format_decimal(value, format="0.##########", locale=current().locale)


def with_places(value, places):
    """48,200.00"""
    return format_decimal(value, format=f"#,##0.{'0' * places}" if places else "#,##0", locale=current().locale)


def as_number(text):
    """What somebody typed as a Decimal; None when it is no number the way they write them."""
    try:
        return parse_decimal(text.strip(), locale=current().locale, strict=True)
    except NumberFormatError:
        return None
