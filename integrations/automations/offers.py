"""What can be put into the texts and conditions of a rule, with examples of what has really happened last."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Business, Contact
from integrations.automations import backtest, conditions, scope, triggers
from integrations.catalogue import entries

MOST = 200
DEEPEST = 4
LONGEST = 80
USUAL: dict[str, dict[str, Any]] = {
    "erp": {"event": {"type": "invoice.paid", "title": "Invoice 8841 paid", "detail": "$12,400.00", "link": "",
                      "reference": "CUST-1042", "number": "8841", "amount": 12400, "currency": "USD",
                      "due_date": "2026-11-30"}},
    "line": {"event": {"what": "Task done", "by": "Ana", "by_kind": "person", "at": "2026-11-30T14:00:00+00:00"}},
    "schedule": {"event": {"at": "2026-11-30 09:00"}},
    "quiet": {"event": {"since": "2026-10-30T09:00:00+00:00"}},
    "overdue": {"task": {"title": "Call back", "body": "", "due": "2026-11-30", "assignee": "Ana"}},
    "button": {"event": {"label": "Send the welcome pack", "by": "Ana"}},
}  # fmt: skip
RECORDS: dict[str, dict[str, Any]] = {
    "task": {"title": "Call back", "body": "", "due": "2026-11-30", "completed": False, "assignee": "Ana"},
    "note": {"title": "", "body": "Wants a quote.", "author": "Ana"},
    "appointment": {"title": "Inspection", "status": "confirmed", "start": "2026-11-30 09:00", "assignee": "Ana"},
}


@dataclass(frozen=True)
class Offer:
    """`way` is what stands in texts, as {{ event.amount }}, and in conditions. `is_real`: the example has happened."""

    way: str
    example: str
    is_real: bool = True

    @property
    def group(self) -> str:
        return self.way.partition(".")[0]

    @property
    def label(self) -> str:
        return conditions.way_in_words(self.way)


def offers(spec: Mapping[str, Any], business: Business) -> list[Offer]:
    """Everything that this rule's trigger has to offer."""
    trigger = spec.get("trigger") or {}
    kind = triggers.of(trigger)
    last = backtest.last_seen(trigger, business, 1) if kind and not kind.check(trigger, business) else []
    contact = last[0].contact if last else None
    contact = contact or Contact.objects.present().of_business(business).order_by("-last_activity_at", "-pk").first()
    real = list(_flat(last[0].scope, ())) if last else []
    known = {offer.way for offer in real}
    usual = [one for one in _flat(_usual(kind, trigger), (), is_real=False) if one.way not in known]
    now = scope.complete({}, business, contact)
    return [*real, *usual, *_flat(now, ())][:MOST]


def _usual(kind, trigger):
    if kind is None:
        return {}
    if kind.kind == "webhook" and kind.lines(trigger) is None:
        known = entries.trigger(trigger.get("type", ""))
        return {"event": known.sample if known else {}}
    told = dict(USUAL.get(kind.kind, USUAL["line"] if "old" in kind.gives_with(trigger) else {}))
    return told | {name: RECORDS[name] for name in kind.gives_with(trigger) if name in RECORDS}


def _flat(value: Any, way: tuple[str, ...], is_real: bool = True) -> Iterator[Offer]:
    if isinstance(value, Mapping) and len(way) < DEEPEST:
        for name, each in value.items():
            if name not in ("pk", "payload", "location", "remote_contact_id"):
                yield from _flat(each, (*way, str(name)), is_real)
    elif len(way) > 1 or way == ("today",):
        yield Offer(".".join(way), _short(value), is_real)


def _short(value):
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = ", ".join(str(each) for each in value) if isinstance(value, list) else "" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
