"""What has served its purpose is removed, people's data in raw webhooks above all."""

import time
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from contacts.models import Reminder, SavedView
from integrations.models import (
    ConnectAttempt,
    Delivery,
    InboundEvent,
    Incident,
    OperationRun,
    OutgoingDelivery,
    OutgoingHook,
    QuarantinedEvent,
    RuleRun,
    SyncRun,
    Trouble,
)
from integrations.models.erp_event import settled_long_ago

BATCH = 2000  # rows a statement: nobody waits for a lock on a million
LONGEST_S = 1500  # what is left then is the next turn's

SHORT = Q(kind=SyncRun.Kind.CONTACT)
RECENT = Q(kind=SyncRun.Kind.RECENT)
FOUND_NOTHING = Q(found={})


def old():
    """{what: rows that may go}. Nothing unfinished or open is among them."""
    now = timezone.now()

    def ago(days):
        return now - timedelta(days=days)

    runs, events = SyncRun.objects, InboundEvent.objects
    return {
        "reads of one contact": runs.filter(SHORT, finished_at__lt=ago(2)),
        # One every few minutes. Those that put something right are what "in the last 7 days" is counted from.
        "checks that found nothing": runs.filter(RECENT & FOUND_NOTHING, finished_at__lt=ago(2)),
        "checks": runs.filter(RECENT, finished_at__lt=ago(14)),
        "whole reads": runs.exclude(SHORT | RECENT).filter(finished_at__lt=ago(180)),
        "connect attempts": ConnectAttempt.objects.filter(created_at__lt=ago(1)),
        # Long enough to answer "did GHL tell us?", and GHL repeats one within hours.
        "webhooks": events.filter(finished_at__lt=ago(30)),
        "unverified webhooks": QuarantinedEvent.objects.filter(received_at__lt=ago(7)),
        "events of an ERP": settled_long_ago(180),
        "deliveries": Delivery.objects.filter(finished_at__lt=ago(90)),
        "operations carried out": OperationRun.objects.filter(finished_at__lt=ago(90)),
        "messages to an ERP": OutgoingDelivery.objects.filter(finished_at__lt=ago(30)),
        "messages to a removed webhook": OutgoingDelivery.objects.filter(hook__removed_at__lt=ago(30)),
        "removed webhooks to an ERP": OutgoingHook.objects.filter(removed_at__lt=ago(30), deliveries=None),
        # What waits for approval or failed is kept as long: somebody may still want to look at it.
        "runs of rules": RuleRun.objects.filter(finished_at__lt=ago(90)),
        "runs of rules that came to nothing": RuleRun.objects.filter(state="skipped", finished_at__lt=ago(14)),
        "error log": Trouble.objects.filter(last_at__lt=ago(30)),
        "incidents": Incident.objects.filter(closed_at__lt=ago(180)),
        "deleted views": SavedView.objects.filter(deleted_at__lt=ago(7)),
        "reminders": Reminder.objects.filter(at__lt=ago(30)),
    }


def tidy():
    """{what: rows removed}."""
    end = time.monotonic() + LONGEST_S
    return {what: _remove(rows, end) for what, rows in old().items()}


def _remove(rows, end):
    """In batches, each in a transaction of its own."""
    if rows.model is SyncRun:
        rows = rows.exclude(pk__in=_last_runs())
    removed = 0
    while time.monotonic() < end:
        batch = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if batch:
            rows.model.objects.filter(pk__in=batch).delete()
            removed += len(batch)
        if len(batch) < BATCH:
            break
    return removed


def _last_runs():
    """The last complete one of each kind for each connection: from them the next sync knows where to begin."""
    complete = SyncRun.objects.exclude(SHORT).filter(outcome=SyncRun.Outcome.COMPLETE)
    newest = complete.order_by("connection", "kind", "-started_at").distinct("connection", "kind")
    return list(newest.values_list("pk", flat=True))
