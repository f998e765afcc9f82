"""Is the background work keeping up? Judged by the rows that are due, not by the processes that should do them."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Min
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from contacts.models import Change
from integrations.automations import running
from integrations.models import Delivery, ErpEvent, InboundEvent, Incident, OperationRun, OutgoingDelivery, SyncRun
from integrations.writing import writeback

KINDS = {
    gettext_noop("edits on their way to GHL"): Delivery,
    gettext_noop("webhooks"): InboundEvent,
    gettext_noop("events of an ERP"): ErpEvent,
    gettext_noop("operations of the catalogue"): OperationRun,
    gettext_noop("reads from GHL"): SyncRun,
    gettext_noop("messages about incidents"): Incident,
}
EDITS = "edits on their way to GHL"
RULES = gettext_noop("runs of rules")
TO_ERP = gettext_noop("messages to the ERP")


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
        return _("Behind by %(time)s") % {"time": in_words(self.seconds)} if self.is_behind else _("On time")


def backlog():
    waits = {kind: _waited(model.objects.due()) for kind, model in KINDS.items()}
    waits[RULES] = _waited(running.ready())
    waits[TO_ERP] = _waited(OutgoingDelivery.objects.ready(), "hook__rests_until")
    unheard = writeback.without_delivery(Change.objects.all()).aggregate(since=Min("not_before"))["since"]
    waits[EDITS] = max(waits[EDITS], _seconds_since(unheard))
    patience = 2 * settings.SWEEP_EVERY_S + 5
    longest_first = sorted(waits.items(), key=lambda each: -each[1])
    late = [(_(kind), in_words(seconds)) for kind, seconds in longest_first if seconds > patience]
    return Backlog(max(waits.values()), late)


def in_words(seconds):
    """40 s, 3 min, 2 h, 5 days"""
    if seconds >= 2 * 86400:
        days = seconds // 86400
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
    if seconds >= 2 * 3600:
        return _("%(count)s h") % {"count": seconds // 3600}
    if seconds >= 2 * 60:
        return _("%(count)s min") % {"count": seconds // 60}
    return _("%(count)s s") % {"count": seconds}


def _waited(due, *not_before):
    """Seconds since the oldest of these could have been taken up."""
    free_since = Greatest("next_at", Coalesce("lease_until", "next_at"), *not_before)
    return _seconds_since(due.aggregate(since=Min(free_since))["since"])


def _seconds_since(moment):
    return max(0, int((timezone.now() - moment).total_seconds())) if moment else 0
