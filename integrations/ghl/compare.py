"""Does GHL hold what we sent? Equal in meaning, whatever form GHL put the value into.

Phones as E.164, moments to the second, tags whatever their case and order, HTML by its text, e-mail whatever
its case, texts whatever their spacing, an appointment's status in either spelling, 20 as "20.0". Missing, null, ""
and an empty list are all "nothing".
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from html.parser import HTMLParser
from typing import Any

import phonenumbers

from .bodies import CHANNELS, status_word
from .moments import date_of, moment_of

MOMENTS = {"due_at", "starts_at", "ends_at", "remote_created_at", "remote_updated_at", "remote_added_at"}
HTML = {("note", "body"), ("task", "body"), ("appointment", "notes")}
ANY_CASE = {"email", "type", "status", "country", "color"}
FLAGS = {"dnd", "completed", "pinned", "deleted"}


def same(kind: str, field: str, ours: Any, theirs: Any, *, region: str = "US") -> bool:
    """Whether both mean the same. `kind` is contact, task, note or appointment; `field` one of our names.

    `custom_values` compares the fields ours names ("custom_values.<id>" a single value). `region` is where a
    phone number without a country code is taken to be.
    """
    if field == "custom_values":
        theirs = theirs or {}
        return all(_same_custom(value, theirs.get(key)) for key, value in (ours or {}).items())
    if field.startswith("custom_values."):
        return _same_custom(ours, theirs)
    return bool(canonical(kind, field, ours, region=region) == canonical(kind, field, theirs, region=region))


def canonical(kind: str, field: str, value: Any, *, region: str = "US") -> Any:
    """The one form all equal values share; fit for hashing after repr()."""
    if field == "tags":
        return sorted({_spaced(tag).casefold() for tag in value or []} - {""})
    if field == "dnd_settings":
        return _channels(value)
    if field in FLAGS:
        return value.strip().lower() == "true" if isinstance(value, str) else bool(value)
    if _is_nothing(value):
        return None
    if field == "phone":
        return e164(value, region)
    if field == "date_of_birth":
        return date_of(value) or _spaced(value)
    if field in MOMENTS:
        moment = moment_of(value)
        return moment.replace(microsecond=0) if moment else _spaced(value)
    if (kind, field) == ("appointment", "status"):
        return status_word(value) or None
    if (kind, field) in HTML:
        return text_of(str(value)) or None
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _number(value)
    plain = _spaced(value)
    return (plain.casefold() if field in ANY_CASE else plain) or None


def e164(value: Any, region: str = "US") -> str:
    """+15125550100, or the digits (with their plus) when it is no possible number."""
    try:
        number = phonenumbers.parse(str(value), region)
    except phonenumbers.NumberParseException:
        return re.sub(r"[^\d+]", "", str(value))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def text_of(html: str) -> str:
    """What a reader sees: tags away, entities read, every run of white space one space."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return _spaced("".join(reader.parts))


class _Text(HTMLParser):
    BLOCKS = frozenset(
        {"address", "article", "blockquote", "br", "div", "dd", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
        | {"li", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul"}
    )
    UNSEEN = frozenset({"script", "style"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in self.UNSEEN
        if tag in self.BLOCKS:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in self.UNSEEN))
        if tag in self.BLOCKS:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def _same_custom(ours: Any, theirs: Any) -> bool:
    """A custom value has no type here, so every reading under which both are equal counts."""
    if _is_nothing(ours) or _is_nothing(theirs):
        return _is_nothing(ours) and _is_nothing(theirs)
    if isinstance(ours, list | tuple | set) or isinstance(theirs, list | tuple | set):
        return sorted(map(_spaced, _listed(ours))) == sorted(map(_spaced, _listed(theirs)))
    if isinstance(ours, Mapping) or isinstance(theirs, Mapping):
        if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
            return False
        return all(_same_custom(ours.get(key), theirs.get(key)) for key in {**ours, **theirs})
    if _number(ours) is not None and _number(ours) == _number(theirs):
        return True
    if _looks_like_time(ours) and _looks_like_time(theirs):
        mine, other = moment_of(ours), moment_of(theirs)
        if mine and other:
            return mine.replace(microsecond=0) == other.replace(microsecond=0)
    day = date_of(ours) if not _is_number(ours) else None
    if day is not None and (_is_number(theirs) or date_of(theirs)):
        return day == date_of(theirs)
    return _spaced(ours) == _spaced(theirs) or _same_phone(ours, theirs)


def _same_phone(ours: Any, theirs: Any) -> bool:
    """Numbers with a country code, whatever stands between their digits."""
    plain = [re.sub(r"[\s().-]", "", str(each)) for each in (ours, theirs)]
    return plain[0] == plain[1] and bool(re.fullmatch(r"\+\d{7,15}", plain[0]))


def _channels(value: Any) -> dict[str, str]:
    # The message beside a status is GHL's signature ("Updated by 'Dana' at …"), put there with each change, ours too.
    given = {str(key).casefold(): item for key, item in (value or {}).items()}
    found = {}
    for channel in CHANNELS:
        item = given.get(channel.casefold())
        item = item if isinstance(item, Mapping) else {"status": item}
        found[channel] = str(item.get("status") or "inactive").lower()
    return found


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number.normalize() if number.is_finite() else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _looks_like_time(value: Any) -> bool:
    return isinstance(value, datetime) or (
        isinstance(value, str) and bool(re.match(r"\s*\d{4}-\d\d-\d\d[T ]\d\d:", value))
    )


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {}, ()) or (isinstance(value, str) and not value.strip())


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _spaced(value: Any) -> str:
    return " ".join(unicodedata.normalize("NFC", "" if value is None else str(value)).split())
