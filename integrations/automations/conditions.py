"""Conditions over what was seen: {"what": "event.amount", "is": "more_than", "value": "1000"}.

`what` is a way into the scope, as in a merge field. Groups are joined by "or", the conditions of a group by "and".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from integrations import merge_fields

WAY = re.compile(r"[\w-]+(\.[\w-]+)*")
MOST_GROUPS, MOST_IN_A_GROUP = 10, 20


@dataclass(frozen=True)
class Is:
    """One way to compare. `takes_value`: there is something to compare with."""

    key: str
    label: Any
    test: Callable[[Any, str, Callable[[str], Any]], bool]
    takes_value: bool = True


def look(scope: Mapping[str, Any], way: str) -> Any:
    """What stands there, or None."""
    found: Any = scope
    for part in way.split("."):
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def _text(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).strip().casefold()


def _same(one, other):
    """As texts, or as numbers: 1000 is 1,000.00."""
    if isinstance(one, bool):
        return _text(one) == {"true": "yes", "false": "no"}.get(_text(other), _text(other))
    if _text(one) == _text(other):
        return True
    left, right = number(one), number(other)
    return left is not None and left == right


def _is(value, wanted, _look):
    return any(_same(each, wanted) for each in value) if isinstance(value, list) else _same(value, wanted)


def _contains(value, wanted, _look):
    if isinstance(value, list):
        return any(_same(each, wanted) for each in value)
    return bool(_text(wanted)) and _text(wanted) in _text(value)


def _one_of(value, wanted, look_at):
    return any(_is(value, each, look_at) for each in str(wanted).split(",") if each.strip())


def _is_empty(value, _wanted, _look):
    return value in (None, "", [], {}) or not _text(value)


def _by_size(test):
    def compare(value, wanted, _look):
        left, right = number(value), number(wanted)
        return left is not None and right is not None and test(left, right)

    return compare


def _by_time(test):
    def compare(value, wanted, _look):
        left, right = moment(value), moment(wanted)
        if left is None or right is None:
            return False
        if isinstance(left, datetime) != isinstance(right, datetime):
            left, right = (each.date() if isinstance(each, datetime) else each for each in (left, right))
        return test(left, right)

    return compare


def _changed(_value, _wanted, look_at):
    return look_at("old") != look_at("new")


def _not(test):
    return lambda value, wanted, look_at: not test(value, wanted, look_at)


OPERATORS: dict[str, Is] = {
    each.key: each
    for each in (
        Is("is", lazy("is"), _is),
        Is("is_not", lazy("is not"), _not(_is)),
        Is("one_of", lazy("is one of"), _one_of),
        Is("contains", lazy("contains"), _contains),
        Is("contains_not", lazy("does not contain"), _not(_contains)),
        Is("more_than", lazy("is more than"), _by_size(lambda one, other: one > other)),
        Is("less_than", lazy("is less than"), _by_size(lambda one, other: one < other)),
        Is("before", lazy("is before"), _by_time(lambda one, other: one < other)),
        Is("after", lazy("is after"), _by_time(lambda one, other: one > other)),
        Is("empty", lazy("is empty"), _is_empty, takes_value=False),
        Is("filled", lazy("is filled in"), _not(_is_empty), takes_value=False),
        Is("changed", lazy("has changed"), _changed, takes_value=False),
    )
}


def number(value: Any) -> Decimal | None:
    """12400 of 12400, "12,400.00" and "$12,400"."""
    if isinstance(value, bool) or value is None:
        return None
    text = re.sub(r"[\s,$€£]", "", str(value))
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def moment(value: Any) -> date | datetime | None:
    text = str(value or "").strip()
    try:
        return parse_date(text) or parse_datetime(text)
    except ValueError:
        return None


# --- all of them ------------------------------------------------------------------------------------------------------


def groups_of(conditions: Any) -> list[list[dict[str, Any]]]:
    """The groups, without empty ones. Nothing said means: always."""
    listed = conditions.get("any", []) if isinstance(conditions, dict) else []
    groups = [group.get("all", []) for group in listed if isinstance(group, dict)]
    return [group for group in groups if group]


def unmet(conditions: Any, scope: Mapping[str, Any]) -> str:
    """Why the conditions are not met, in words, or "" when they are. merge_fields.BadText where one is no text."""
    groups = groups_of(conditions)
    reasons = []
    for group in groups:
        reason = next((_unmet(one, scope) for one in group if not holds(one, scope)), "")
        if not reason:
            return ""
        reasons.append(reason)
    return _("; and ").join(reasons)


def holds(one: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    operator = OPERATORS[one["is"]]
    wanted = merge_fields.fill_in(str(one.get("value", "")), scope)
    if operator.key == "changed":
        key = one["what"].partition(".")[2]
        return operator.test(None, "", lambda side: look(scope, f"{side}.{key}"))
    return operator.test(look(scope, one["what"]), wanted, lambda way: look(scope, way))


def _unmet(one, scope):
    value = look(scope, one["what"])
    shown = ", ".join(str(each) for each in value) if isinstance(value, list) else value
    found = _("it is %(value)s") % {"value": _short(shown)} if value not in (None, "", []) else _("it is empty")
    return _("not so: %(condition)s (%(found)s)") % {"condition": say(one), "found": found}


def _short(value):
    text = _("yes") if value is True else _("no") if value is False else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def say(one: Mapping[str, Any]) -> str:
    """the event’s amount is more than 1000"""
    operator = OPERATORS.get(one.get("is", ""))
    words = [way_in_words(str(one.get("what") or "…")), str(operator.label if operator else "…")]
    if operator is None or operator.takes_value:
        words.append(str(one.get("value") or "…"))
    return " ".join(words)


WHOSE = {
    "event": lazy("the event’s %(what)s"),
    "contact": lazy("the contact’s %(what)s"),
    "task": lazy("the task’s %(what)s"),
    "note": lazy("the note’s %(what)s"),
    "appointment": lazy("the appointment’s %(what)s"),
    "business": lazy("the business’s %(what)s"),
    "old": lazy("the old %(what)s"),
    "new": lazy("the new %(what)s"),
}


def way_in_words(way: str) -> str:
    """event.due_date → the event’s due date"""
    first, _dot, rest = way.partition(".")
    if first not in WHOSE or not rest:
        return way
    return str(WHOSE[first]) % {"what": rest.replace(".", " ").replace("_", " ")}


def in_words(conditions: Any) -> str:
    """a is b and c is d, or e is empty"""
    groups = [_(" and ").join(say(one) for one in group) for group in groups_of(conditions)]
    return _(", or ").join(groups)


def check(conditions: Any) -> list[tuple[str, str]]:
    """(where, sentence) of what is wrong; where is "conditions.1.2": the second condition of the first group."""
    found = []
    groups = groups_of(conditions)
    if len(groups) > MOST_GROUPS or any(len(group) > MOST_IN_A_GROUP for group in groups):
        return [("conditions", _("These are too many conditions for one rule."))]
    for at, group in enumerate(groups, 1):
        for place, one in enumerate(group, 1):
            if sentence := _wrong(one):
                found.append((f"conditions.{at}.{place}", sentence))
    return found


def _wrong(one):
    if not isinstance(one, dict) or not WAY.fullmatch(str(one.get("what") or "")):
        return _("Say what the condition is about, like event.amount or contact.city.")
    operator = OPERATORS.get(one.get("is", ""))
    if operator is None:
        return _("Say how to compare.")
    if operator.takes_value and not str(one.get("value") or "").strip():
        return _("Say what to compare with.")
    value = str(one.get("value") or "")
    try:
        merge_fields.check(value)
    except merge_fields.BadText as bad:
        return str(bad)
    if operator.key in ("more_than", "less_than") and "{{" not in value and number(value) is None:
        return _("%(value)s is no number.") % {"value": value}
    if operator.key in ("before", "after") and "{{" not in value and moment(value) is None:
        return _("%(value)s is no date: write it like 2026-11-30.") % {"value": value}
    return ""
