"""What a rule says, as JSON, whether it is in order, and how it is read aloud.

{"trigger": {"kind": "erp", "type": "invoice.overdue"},
 "conditions": {"any": [{"all": [{"what": "event.amount", "is": "more_than", "value": "1000"}]}]},
 "actions": [{"do": "create_task", "values": {"title": "Chase {{ event.number }}", "due": "2 working days"}}]}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Business
from integrations.automations import actions, conditions, triggers

MOST_ACTIONS = 20
EMPTY: dict[str, Any] = {"trigger": {}, "conditions": {"any": []}, "actions": []}


@dataclass(frozen=True)
class Problem:
    """`where` is "trigger.type", "conditions.1.2" or "actions.1.title", counted from 1."""

    where: str
    sentence: str


def problems(spec: Mapping[str, Any], business: Business) -> list[Problem]:
    """All that keeps a rule of this business from being tried and switched on."""
    found = [*_of_trigger(spec.get("trigger"), business)]
    found += [Problem(where, sentence) for where, sentence in conditions.check(spec.get("conditions"))]
    listed = spec.get("actions")
    if not isinstance(listed, list) or not listed:
        found.append(Problem("actions", _("Say what is to be done.")))
    elif len(listed) > MOST_ACTIONS:
        found.append(Problem("actions", _("These are too many actions for one rule.")))
    else:
        for at, action in enumerate(listed, 1):
            found += _of_action(at, action, business)
    return found


def _of_trigger(trigger, business):
    kind = triggers.of(trigger)
    if kind is None:
        yield Problem("trigger", _("Say when it is to begin."))
        return
    for name, sentence in kind.check(trigger, business):
        yield Problem(f"trigger.{name}", sentence)


def _of_action(at, action, business):
    known = actions.of(action)
    if known is None:
        yield Problem(f"actions.{at}", _("Choose what is to be done."))
        return
    values = action.get("values")
    if not isinstance(values, dict):
        values = {}
    for name, sentence in known.check(values, business):
        yield Problem(f"actions.{at}.{name}", sentence)


def in_words(spec: Mapping[str, Any], business: Business | None = None) -> str:
    """The whole rule as one sentence: When the ERP says “invoice.overdue”, if event amount is more than 1000, then …"""
    trigger = spec.get("trigger") or {}
    kind = triggers.of(trigger)
    words = _("When %(trigger)s") % {"trigger": kind.say(trigger, business) if kind else "…"}
    if said := conditions.in_words(spec.get("conditions")):
        words = _("%(when)s, if %(conditions)s") % {"when": words, "conditions": said}
    listed = [action for action in spec.get("actions") or [] if isinstance(action, dict)]
    done = [known.say(one.get("values") or {}, business) for one in listed if (known := actions.of(one))]
    return _("%(when)s, then %(actions)s.") % {"when": words, "actions": _(", then ").join(done) or "…"}


def lines(spec: Mapping[str, Any], business: Business | None = None) -> list[str]:
    """The rule in single lines, to see what differs between two versions."""
    trigger = spec.get("trigger") or {}
    kind = triggers.of(trigger)
    said = [_("When %(trigger)s") % {"trigger": kind.say(trigger, business)}] if kind else []
    for at, group in enumerate(conditions.groups_of(spec.get("conditions"))):
        for place, one in enumerate(group):
            word = _("and") if place else _("or if") if at else _("if")
            said.append(f"{word} {conditions.say(one)}")
    for action in spec.get("actions") or []:
        if isinstance(action, dict) and (known := actions.of(action)):
            said.append(_("then %(action)s") % {"action": known.say(action.get("values") or {}, business)})
    return said
