"""ERP events: stored before they are answered, then taken up customer by customer in the order things happened."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import NotEditable
from contacts.models.leased import LeaseLost
from integrations.matching import acts, onward, strangers, who
from integrations.models import ErpEvent
from integrations.models.erp_event import hold

IN_A_ROW_S = 20  # so long one ring may go on with what waits for the same customer

Outcome = ErpEvent.Outcome


@dataclass(frozen=True)
class Offer:
    """Something an ERP wants to tell, found to be in order. Without an idempotency key it is new every time."""

    kind: str
    type: str
    system: str
    reference: str
    body: dict[str, Any]
    body_hash: str
    occurred_at: datetime | None = None
    record: str = ""
    version: int | None = None
    idempotency_key: str = field(default_factory=lambda: f"-{uuid.uuid4()}")


@dataclass(frozen=True)
class Kept:
    """The row an offer became, or was already. `is_other`: this idempotency key came with another body before."""

    event: ErpEvent
    is_new: bool
    is_other: bool


def keep(key: Any, offers: Iterable[Offer]) -> list[Kept]:
    """One row for one idempotency key, however often and by however many callers it is offered."""
    now = timezone.now()
    rows = [
        ErpEvent(
            business_id=key.business_id, key=key, idempotency_key=one.idempotency_key, body_hash=one.body_hash,
            kind=one.kind, type=one.type, occurred_at=one.occurred_at or now, received_at=now, next_at=now,
            system=one.system, reference=one.reference, record=one.record, version=one.version, body=one.body,
        )
        for one in offers
    ]  # fmt: skip
    # In one order for all, so that two who bring the same ones never wait for one another.
    new = list({row.idempotency_key: row for row in reversed(rows)}.values())
    ErpEvent.objects.bulk_create(sorted(new, key=lambda row: row.idempotency_key), ignore_conflicts=True)
    stored = ErpEvent.objects.of_business(key.business_id).defer("body")
    by_key = {row.idempotency_key: row for row in stored.filter(idempotency_key__in=[r.idempotency_key for r in rows])}
    kept = [(row, by_key[row.idempotency_key]) for row in rows]
    return [Kept(there, row.uid == there.uid, row.body_hash != there.body_hash) for row, there in kept]


def to_ring(kept):
    """The events to ring for: one of each customer will do, for with it all that wait for it are taken up."""
    return list({(one.event.system, one.event.reference): one.event.pk for one in kept if one.is_new}.values())


def waiting():
    """Due events, a few of each business in turn: the backlog of one does not keep the others waiting."""
    turn = Window(RowNumber(), partition_by=F("business"), order_by=F("pk").asc())
    due = ErpEvent.objects.due().annotate(turn=turn).order_by("turn", "pk")
    return list(due.values_list("pk", flat=True)[:500])


def handle(pk):
    """Match and apply this event and all that wait for the same customer, one after another."""
    one = ErpEvent.objects.filter(pk=pk).defer("body").first()
    until = time.monotonic() + IN_A_ROW_S
    while one and time.monotonic() < until:
        event = ErpEvent.objects.claim_next(one)
        if event is None:  # none is left, or somebody is at it and looks at the end for what has come meanwhile
            break
        event.work(partial(_take_up, event), give_up=partial(event.finish, Outcome.FAILED, _OUR_FAULT))


_OUR_FAULT = "Something went wrong on our side. It is kept, and can be tried again."


def _take_up(event):
    try:
        with hold(event):
            if not event.mine().select_for_update().exists():
                raise LeaseLost
            _match(event)
    except NotEditable as refused:
        event.finish(Outcome.FAILED, str(refused))
    except acts.CannotApply as refused:
        event.finish(Outcome.FAILED, str(refused), contact=refused.contact)


def _match(event):
    """All that an event does here is in one transaction with its last word."""
    newest = event.newest_version if event.version is not None else None
    if newest is not None and newest > event.version:
        words = _("Version %(newest)d had been handled before.") % {"newest": newest}
        event.finish(Outcome.SUPERSEDED, words)
        return
    finding, done = who.find(event), None
    if finding.is_nobody and event.kind == ErpEvent.Kind.CUSTOMER:
        finding, done = acts.create_customer(event)
    contact = finding.contact
    if contact is None:
        strangers.wait(event, finding.reason)
        event.finish(Outcome.UNMATCHED, finding.reason)
        return
    done = done or acts.apply(event, contact)
    event.finish(Outcome.HANDLED, done.reason, contact=contact, line=done.line, change=done.change)
    strangers.known(event)
    onward.matched(event, contact, done.line)


def try_again(event):
    """Take a failed event up once more. True for the one call that did."""
    failed = ErpEvent.objects.filter(pk=event.pk, outcome=Outcome.FAILED)
    fresh = {"outcome": "", "reason": "", "finished_at": None, "next_at": timezone.now(), "attempts": 0, "strikes": 0}
    return failed.update(**fresh) == 1
