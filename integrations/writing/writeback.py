"""Edits on their way to GHL.

One Delivery per record takes its Changes in order; the courier carries them. What could not be finished now says in
its row when it should be looked at again.
"""

import logging
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone
from django.utils.translation import gettext_noop

from contacts.models import Change
from contacts.open_pages import live
from integrations.access.tokens import ConnectionParked
from integrations.gateway import client_for
from integrations.models import Connection, Delivery
from integrations.writing.courier import Courier, changes_of
from integrations.writing.verdict import OUR_SIDE

log = logging.getLogger(__name__)

PARKED_WAIT = timedelta(seconds=60)
AT_ONCE = 500
FEW = 100
OUR_FAULT = gettext_noop("Something went wrong on our side and this was not sent. Retry, or tell whoever runs Rankr.")
PARKED = gettext_noop("This account is not connected to GHL at the moment. The edit waits here until it is.")


# --- queueing -----------------------------------------------------------------------------------------------------


def delivery_for(change):
    """The unfinished delivery of the change's record, made now unless there is one."""
    try:
        with transaction.atomic():
            return Delivery.objects.create(
                location_id=change.location_id, kind=change.kind, record_id=change.record_id,
                next_at=change.not_before, in_bulk=change.bulk_id is not None,
            )  # fmt: skip
    except IntegrityError:
        open_ = Delivery.objects.filter(kind=change.kind, record_id=change.record_id, finished_at=None)
        open_.filter(lease_until=None, sent_at=None, next_at__gt=change.not_before).update(next_at=change.not_before)
        if not change.bulk_id:
            open_.update(in_bulk=False)  # now somebody waits for it
        return open_.first()


def waiting_deliveries():
    """Primary keys of what is due, after giving every due change without a delivery one. One of each location after
    the other, so that nobody waits behind somebody else's thousands."""
    for change in in_turns(without_delivery(Change.objects.all()), "pk"):
        delivery_for(change)
    return [delivery.pk for delivery in in_turns(Delivery.objects.due().filter(in_bulk=False), "next_at")]


def waiting_in_bulk():
    """Those that nobody waits for: only so many that a sync soon has its turn between them."""
    return [delivery.pk for delivery in in_turns(Delivery.objects.due().filter(in_bulk=True), "next_at")[:FEW]]


def in_turns(rows, order):
    turn = Window(RowNumber(), partition_by=F("location_id"), order_by=F(order).asc())
    return rows.annotate(turn=turn).order_by("turn", order)[:AT_ONCE]


def without_delivery(changes):
    """Due changes whose record has no unfinished delivery: their bell was never heard."""
    record = Coalesce(OuterRef("task_id"), OuterRef("note_id"), OuterRef("appointment_id"), OuterRef("contact_id"))
    under_way = Delivery.objects.filter(finished_at=None, kind=OuterRef("kind"), record_id=record)
    return changes.due().exclude(Exists(under_way))


# --- delivering ---------------------------------------------------------------------------------------------------


def push(delivery_id):
    """Bring one record's edits to GHL, as far as it goes now. [(delivery to ring for, seconds from now)]."""
    bells: list[tuple[int, float]] = []
    while delivery_id and (delivery := Delivery.objects.claim(delivery_id)):
        bells += delivery.work(partial(_deliver, delivery), give_up=partial(_give_up, delivery)) or []
        delivery.refresh_from_db()
        if wait := _short_wait(delivery):
            bells.append((delivery.pk, wait))
        # An edit made while we were finishing rang in vain: the claim was ours.
        newer = without_delivery(changes_of(delivery.kind, delivery.record_id)).first()
        delivery_id = delivery_for(newer).pk if newer else None
    return bells


def _short_wait(delivery):
    """Seconds until it is due, where that is too soon to leave it to the sweeper."""
    wait = (delivery.next_at - timezone.now()).total_seconds()
    is_short = delivery.finished_at is None and delivery.lease_until is None and wait <= settings.GHL_SETTLE_S
    return max(wait, 0.05) if is_short else None


def _deliver(delivery):
    connection = Connection.objects.working().filter(location_id=delivery.location_id).first()
    if connection is None:
        return _wait_for_connection(delivery)
    try:
        with client_for(connection, "backfill" if delivery.in_bulk else "interactive") as client:
            courier = Courier(delivery, connection, client)
            courier.go()
            return [(pk, 0) for pk in courier.freed]
    except ConnectionParked:
        return _wait_for_connection(delivery)


def _wait_for_connection(delivery):
    waiting = changes_of(delivery.kind, delivery.record_id).filter(state=Change.State.QUEUED)
    waiting.exclude(sentence=PARKED).update(sentence=PARKED)
    delivery.release(next_at=timezone.now() + PARKED_WAIT)


def _give_up(delivery):
    """Stop trying and tell the person, so that their other edits to this record can go on."""
    of_record = changes_of(delivery.kind, delivery.record_id)
    stuck = of_record.filter(state__in=Change.UNDER_WAY) or of_record.due().order_by("pk")[:1]
    with transaction.atomic():
        if delivery.release(finished_at=timezone.now()):
            Change.objects.filter(pk__in=[change.pk for change in stuck]).update(
                state=Change.State.REFUSED, settled_at=timezone.now(), sentence=OUR_FAULT, failure=OUR_SIDE
            )
            live.tell_of(stuck)
