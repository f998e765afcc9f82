"""Triggers that nothing but the clock can meet. Each rule remembers how far it has looked, so that a tick that was
missed is made up for and one that comes twice finds nothing new."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from contacts.models import Contact, Task
from integrations.automations import feeding, guards, lists, scope, triggers
from integrations.models import Rule

BATCH = 1000
LATEST = timedelta(hours=6)  # a time of day that was missed by more is left out
OVERLAP = timedelta(minutes=5)  # what became visible only after the last look


def tick(now: datetime | None = None) -> None:
    """All rules that go by the clock, each by itself."""
    kinds = [kind.kind for kind in triggers.KINDS.values() if kind.is_by_clock]
    for pk in Rule.objects.working().filter(live__spec__trigger__kind__in=kinds).values_list("pk", flat=True):
        _look(pk, now or timezone.now())


def _look(pk, now):
    """What is found and how far was looked are written together. Another tick finds the rule held, and passes by."""
    with transaction.atomic():
        held = Rule.objects.working().select_for_update(skip_locked=True, no_key=True, of=["self"])
        rule = held.select_related("live", "business").filter(pk=pk).first()
        if rule is None:
            return
        trigger = rule.live.spec["trigger"]
        looks = {"schedule": _on_schedule, "overdue": _overdue, "quiet": _quiet}
        feeding.by_clock(rule, looks[trigger["kind"]](rule, trigger, now))
        Rule.objects.filter(pk=rule.pk).update(clock=rule.clock)


# --- at a time of day -------------------------------------------------------------------------------------------------


def _on_schedule(rule, trigger, now):
    if wrong := lists.check(rule.business, trigger.get("list", "")):  # without what it named, it would mean more people
        guards.pause(rule, wrong)
        return
    hour, minute = (int(part) for part in trigger["at"].split(":"))
    contacts = None
    for location in rule.business.locations.all():
        local = now.astimezone(location.zone)
        at = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        slot = at.strftime("%Y-%m-%d %H:%M")
        is_due = at <= now < at + LATEST and at >= rule.on_since and str(at.weekday()) in trigger["days"]
        if not is_due or rule.clock.get(str(location.pk)) == slot:
            continue
        rule.clock[str(location.pk)] = slot
        contacts = contacts if contacts is not None else lists.contacts_of(rule.business, trigger.get("list", ""), now)
        seen = {"event": {"type": "schedule", "at": slot}}
        for contact_id in _pages(contacts.filter(location=location)):
            yield f"clock {slot} contact {contact_id}", contact_id, seen


def _pages(rows) -> Iterator[int]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield from batch
        last = batch[-1]


# --- so many days after -----------------------------------------------------------------------------------------------


def _window(rule, trigger, now):
    """(after, until): the days are over for what happened in between, since the last look."""
    looked = parse_datetime(rule.clock.get("looked", "")) if rule.clock.get("looked") else None
    since = max(rule.on_since, (looked or rule.on_since) - OVERLAP)
    rule.clock["looked"] = now.astimezone(UTC).isoformat()
    days = timedelta(days=int(trigger["days"]))
    return since - days, now - days


def _overdue(rule, trigger, now):
    after, until = _window(rule, trigger, now)
    for location in rule.business.locations.all():
        rows = Task.objects.open().filter(location=location, due_at__gt=after, due_at__lte=until)
        for task in rows.select_related("location", "assignee").order_by("due_at", "pk"):
            yield f"overdue task {task.pk} {task.due_at:%Y-%m-%d %H:%M}", task.contact_id, of_task(task)


def of_task(task: Task) -> dict[str, Any]:
    return {"event": {"type": "overdue"}, "task": scope.of_record(task)}


def _quiet(rule, trigger, now):
    after, until = _window(rule, trigger, now)
    rows = Contact.objects.present().of_business(rule.business)
    rows = rows.filter(last_activity_at__gt=after, last_activity_at__lte=until).order_by("last_activity_at", "pk")
    for pk, since in rows.values_list("pk", "last_activity_at"):
        seen = {"event": {"type": "quiet", "since": since.isoformat()}}
        yield f"quiet contact {pk} since {since:%Y-%m-%d %H:%M:%S}", pk, seen
