"""The values of fields in words: as people read them, and as the box shows them that they are changed in."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote, urlsplit

from babel.numbers import format_currency, format_decimal, get_currency_symbol
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from contacts import localised
from contacts.details import geography
from contacts.templatetags.ui import phone as phone_in_words

MOST_DIGITS = 10**15  # beyond, a number is rather a code, and floats lose its last digits


def in_words(value, control="text", region="US", currency=""):
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if control == "files":
        return ", ".join(name for name, __ in files_in(value))
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(one)}" for name, one in value.items() if one not in (None, ""))
    wording = {
        "tel": lambda: phone_in_words(value, region),
        "date": lambda: date_words(value),
        "time": lambda: time_words(value),
        "number": lambda: number_words(value),
        "money": lambda: number_words(value, is_money=True, currency=currency),
        "country": lambda: geography.country_name(str(value)),
        "zone": lambda: geography.city_of(str(value)),
    }.get(control)
    return wording() if wording else str(value)


# --- dates and times --------------------------------------------------------------------------------------------------


def date_words(value):
    date = as_date(value)
    return localised.day_and_year(date) if date else str(value)


def as_date(value):
    """GHL keeps dates as a day, as a moment, or as milliseconds. The day is the one it has in UTC: never another by
    somebody's clock."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        if isinstance(value, int | float) or str(value).strip().lstrip("-").isdigit():
            return dt.datetime.fromtimestamp(int(value) / 1000, tz=dt.UTC).date()
        text = str(value)
        moment = parse_datetime(text)
        return moment.date() if moment else parse_date(text)
    except (ValueError, OverflowError, OSError):
        return None


def as_date_text(value):
    date = as_date(value) if value not in (None, "") else None
    return date.isoformat() if date else ""


def time_words(value):
    time = as_time(value)
    return localised.clock(time) if time else str(value)


def as_time(value):
    """14:30, 14:30:00, 2:30 PM"""
    for form in ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p"):
        try:
            return dt.datetime.strptime(str(value).strip().upper(), form).time()
        except ValueError:
            continue
    return None


def as_time_text(value):
    time = as_time(value)
    return f"{time:%H:%M}" if time else ""


# --- numbers ----------------------------------------------------------------------------------------------------------


def number_words(value, is_money=False, currency=""):
    """By the customs of the reader, money in the currency of the location; with all its places. What is no number, or
    too long for one, as it stands."""
    number = as_decimal(value)
    if number is None or abs(number) >= MOST_DIGITS:
        return str(value)
    whole = number == number.to_integral_value()
    locale = localised.current().locale
    if not is_money:
        # A year or a house number is no quantity: four digits read better in one piece.
        pattern = "#,##0.###" if abs(number) >= 10_000 else "0.###"
        return format_decimal(number, format=pattern, locale=locale, decimal_quantization=False)
    if not currency:
        return localised.with_places(number, 0 if whole else 2)
    pattern = locale.currency_formats["standard"].pattern
    return format_currency(
        number, currency, format=pattern.replace(".00", "") if whole else pattern, locale=locale, currency_digits=False
    )


def as_decimal(value):
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def as_number(text, currency=""):
    """The number that was typed by the reader's customs, with or without its currency; None if it is none."""
    text = text.strip()
    for sign in {currency, get_currency_symbol(currency, localised.current().locale) if currency else "", *"$€£"}:
        text = text.removeprefix(sign).removesuffix(sign).strip() if sign else text
    number = localised.as_number(text.replace("\N{MINUS SIGN}", "-"))
    return number if number is not None and number.is_finite() and abs(number) < MOST_DIGITS else None


# --- files ------------------------------------------------------------------------------------------------------------


def files_in(value):
    """[(name, address)] of uploaded files and signatures, in whatever way GHL writes them.

    An address that is not one of a page is left out: a name may always be shown, a link must be safe to follow.
    """
    if isinstance(value, list):
        return [file for one in value for file in files_in(one)]
    if isinstance(value, dict):
        if not isinstance(value.get("url"), str):
            return [file for one in value.values() if isinstance(one, list | dict) for file in files_in(one)]
        meta = value.get("meta") if isinstance(value.get("meta"), dict) else {}
        name = meta.get("originalname") or value.get("name")
        return [(str(name or name_in(value["url"])), safe_link(value["url"]))]
    text = str(value or "").strip()
    return [(name_in(text), safe_link(text))] if text else []


def name_in(address):
    try:
        return unquote(urlsplit(address).path.rpartition("/")[2])[:80] or _("File")
    except ValueError:
        return _("File")


def safe_link(address):
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    return address.strip() if parts.scheme in ("http", "https") and parts.netloc else ""
