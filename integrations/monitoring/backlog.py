"""Is the background work keeping up? Judged by the rows that are due, not by the processes that should do them."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Min
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from contacts.models import Change
from integrations.models import Delivery, InboundEvent, Incident, SyncRun
from integrations.writing import writeback

KINDS = {
    "edits on their way to GHL": Delivery,
    "webhooks": InboundEvent,
    "reads from GHL": SyncRun,
    "messages about incidents": Incident,
}
EDITS = "edits on their way to GHL"


@dataclass(frozen=True)
class Backlog:
    """`late` are the kinds whose oldest due row has waited for longer than a bell that was not heard explains."""

    seconds: int
    late: list  # (kind, how long), both in words, the longest first

    @property
    def is_behind(self):
        return bool(self.late)

    @property
    def text(self):
        return f"Behind by {in_words(self.seconds)}" if self.is_behind else "On time"


def backlog():
    waits = {kind: _waited(model) for kind, model in KINDS.items()}
    unheard = writeback.without_delivery(Change.objects.all()).aggregate(since=Min("not_before"))["since"]
    waits[EDITS] = max(waits[EDITS], _seconds_since(unheard))
    patience = 2 * settings.SWEEP_EVERY_S + 5
    longest_first = sorted(waits.items(), key=lambda each: -each[1])
    late = [(kind, in_words(seconds)) for kind, seconds in longest_first if seconds > patience]
    return Backlog(max(waits.values()), late)


def in_words(seconds):
    """40 s, 3 min, 2 h, 5 days"""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _waited(model):
    """Seconds since the oldest of these could have been taken up."""
    free_since = Greatest("next_at", Coalesce("lease_until", "next_at"))
    return _seconds_since(model.objects.due().aggregate(since=Min(free_since))["since"])


def _seconds_since(moment):
    return max(0, int((timezone.now() - moment).total_seconds())) if moment else 0
