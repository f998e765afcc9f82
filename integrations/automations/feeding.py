"""From what happens to runs of the rules that wait for it: a row for each, before anything is done."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.db import transaction

from contacts.models import ActorKind, Contact, HistoryEvent, Location
from integrations.automations import bell, scope, triggers
from integrations.models import ErpEvent, Feed, InboundEvent, Rule, RuleRun

LONG_BEFORE = timedelta(days=1)  # what GHL tells of older things is a first look at them, not news

BATCH = 1000


def feed() -> bool:
    """Take up what has happened since. True when more is waiting."""
    return any([_follow_lines(), _follow_webhooks()])


def erp_event(event: ErpEvent, contact: Contact, line: HistoryEvent | None) -> None:
    """Within the transaction of the event."""
    rules = Rule.objects.working().filter(
        business=event.business_id,
        on_since__lte=event.received_at,
        live__spec__trigger__kind="erp",
        live__spec__trigger__type=event.type,
    )
    wanted = list(rules.select_related("live"))
    if wanted:
        seen = scope.of_erp(event)
        _make([_run(rule, f"erp {event.pk}", contact.pk, seen, line) for rule in wanted])


def buttons_for(contact: Contact) -> list[Rule]:
    """The rules that somebody can start from this contact's page."""
    rules = Rule.objects.working().filter(business=contact.business_id, live__spec__trigger__kind="button")
    return list(rules.select_related("live"))


def press(rule: Rule, contact: Contact, by: Any) -> RuleRun:
    """Somebody starts a rule by its button. Ring for the run after."""
    label = rule.live.spec["trigger"].get("label", "") if rule.live else ""
    seen = {"event": {"type": "button", "label": label, "by": str(by)}}
    run = _run(rule, f"button {uuid.uuid4()}", contact.pk, seen)
    run.save()
    bell.announce([run.pk])
    return run


# --- lines of history -------------------------------------------------------------------------------------------------


def _follow_lines():
    waiting = _waiting_for_lines()
    kinds = {kind for found in waiting.values() for _rule, lines in found for kind in lines.kinds}
    rows = HistoryEvent.objects.filter(kind__in=kinds, location__business__in=waiting)
    return Feed.read("rules", rows if waiting else HistoryEvent.objects.none(), partial(_take_lines, waiting))


def _waiting_for_lines():
    """{business pk: [(rule, lines it waits for)]}"""
    waiting: dict[int, list[tuple[Rule, triggers.Lines]]] = defaultdict(list)
    for rule, trigger, kind in _working():
        if lines := kind.lines(trigger):
            waiting[rule.business_id].append((rule, lines))
    return waiting


def _working():
    for rule in Rule.objects.working().exclude(live__spec__trigger__kind="erp").select_related("live"):
        trigger = rule.live.spec["trigger"]
        if kind := triggers.of(trigger):
            yield rule, trigger, kind


def _take_lines(waiting, pks):
    lines = HistoryEvent.objects.filter(pk__in=pks).select_related("location", "user").order_by("pk")
    records = ("task__assignee", "note__author", "appointment__assignee", "appointment__calendar")
    runs = []
    for line in lines.select_related(*records, *(f"{name}__location" for name in scope.RECORDS)):
        fitting = [rule for rule, lines in waiting[line.location.business_id] if fits(rule, lines, line)]
        seen = scope.of_line(line) if fitting else {}
        runs += [_run(rule, f"line {line.pk}", line.contact_id, seen, line) for rule in fitting]
    _make(runs)


def fits(rule: Rule, lines: triggers.Lines, line: HistoryEvent) -> bool:
    return rule.on_since is not None and line.created_at >= rule.on_since and lines.fits(line) and not is_old(line)


def is_old(line: HistoryEvent) -> bool:
    """Found by reading a location for the first time, or long after it happened."""
    if line.actor_kind != ActorKind.GHL:
        return False
    return line.location.contacts_checked_at is None or line.created_at - line.happened_at > LONG_BEFORE


# --- webhooks ---------------------------------------------------------------------------------------------------------


def _follow_webhooks():
    """Those about what we do not mirror. They are believed as they are, so nobody has to read them first."""
    waiting: dict[str, list[Rule]] = defaultdict(list)
    for rule, trigger, kind in _working():
        if kind.kind == "webhook" and kind.lines(trigger) is None:
            waiting[trigger["type"]].append(rule)
    rows = InboundEvent.objects.filter(kind__in=waiting)
    return Feed.read("rule webhooks", rows if waiting else InboundEvent.objects.none(), partial(_take_events, waiting))


def _take_events(waiting, pks):
    runs = []
    for event in InboundEvent.objects.filter(pk__in=pks).order_by("pk"):
        seen = scope.of_webhook(event)
        location = location_of(event, seen["event"])
        for rule in waiting[event.kind]:
            if location and rule.business_id == location.business_id and rule.on_since <= event.received_at:
                contact = contact_of(event, seen["event"], location)
                seen_here = {**seen, "location": location.remote_id, "remote_contact_id": contact_id_of(event, seen)}
                runs.append(_run(rule, f"webhook {event.pk}", contact.pk if contact else None, seen_here))
    _make(runs)


def location_of(event: InboundEvent, told: dict[str, Any]) -> Location | None:
    """Of invoices and orders GHL tells it under another name."""
    remote_id = event.remote_location_id or (told.get("altId") if told.get("altType") == "location" else "")
    return Location.objects.filter(remote_id=remote_id).first() if remote_id else None


def contact_id_of(event: InboundEvent, seen: dict[str, Any]) -> str:
    told = seen["event"]
    nested = [told.get(name) for name in ("contactDetails", "contactSnapshot")]
    named = (one.get("id") or one.get("_id") for one in nested if isinstance(one, dict))
    return event.remote_contact_id or told.get("contactId") or next((one for one in named if one), "") or ""


def contact_of(event: InboundEvent, told: dict[str, Any], location: Location) -> Contact | None:
    remote_id = contact_id_of(event, {"event": told})
    return location.contacts.filter(remote_id=remote_id, deleted_at=None).first() if remote_id else None


# --- rows -------------------------------------------------------------------------------------------------------------


def _run(rule: Rule, cause: str, contact_id: int | None, seen: dict[str, Any], line: HistoryEvent | None = None):
    return RuleRun(
        rule=rule, version=rule.live, business_id=rule.business_id, contact_id=contact_id, cause=cause,
        trigger_line=line, scope=seen,
    )  # fmt: skip


def _make(runs: Sequence[RuleRun]) -> None:
    """Those that are not there yet: of one cause a rule has one run."""
    if not runs:
        return
    with transaction.atomic():
        RuleRun.objects.bulk_create(runs, ignore_conflicts=True, batch_size=500)
        made = RuleRun.objects.queued().filter(
            rule__in={run.rule_id for run in runs}, cause__in={run.cause for run in runs}, started_at=None
        )
        bell.announce(list(made.order_by("pk").values_list("pk", flat=True)[:100]))


def by_clock(rule: Rule, found: Iterable[tuple[str, int, dict[str, Any]]]) -> None:
    """Runs for what a clock trigger has found: (cause, contact, what was seen)."""
    each = iter(found)
    while batch := list(islice(each, BATCH)):
        _make([_run(rule, cause, contact_id, seen) for cause, contact_id, seen in batch])
