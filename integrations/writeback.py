"""Edits on their way to GHL.

One Delivery per record takes its Changes in order. Before a request leaves, the row says so (`sent_at`); after it, the
record is read back by id and compared. GHL has no idempotency key, so a creation whose answer was lost is looked for
before it is sent again.
"""

import logging
import random
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone

from contacts.models import Change, Contact
from contacts.models.mirrored import plain
from integrations import sync
from integrations.counterpart import COUNTERPARTS, differences, looks_like
from integrations.gateway import client_for
from integrations.ghl import errors
from integrations.merge import hold, merge
from integrations.models import Connection, Delivery, Usage
from integrations.models.leased import LeaseLost
from integrations.tokens import ConnectionParked

log = logging.getLogger(__name__)

BASE_WAIT_S, LONGEST_WAIT_S = 2, 60
SETTLING = timedelta(seconds=2)  # GHL may answer a read with what was there a moment ago: ask once more before judging
CLOCKS_APART = timedelta(minutes=2)
CHECKS = 3
OUR_FAULT = "Something went wrong on our side and this was not sent. Retry, or tell whoever runs Rankr."


# --- queueing -----------------------------------------------------------------------------------------------------


def delivery_for(change):
    """The unfinished delivery of the change's record, made now unless there is one."""
    try:
        with transaction.atomic():
            return Delivery.objects.create(
                location_id=change.location_id, kind=change.kind, record_id=change.record_id, next_at=change.not_before
            )
    except IntegrityError:
        open_ = Delivery.objects.filter(kind=change.kind, record_id=change.record_id, finished_at=None)
        open_.filter(lease_until=None, sent_at=None, next_at__gt=change.not_before).update(next_at=change.not_before)
        return open_.first()


def waiting_deliveries():
    """Primary keys of what is due, after giving every due change without a delivery one."""
    for change in without_delivery(Change.objects.all()).order_by("pk")[:500]:
        delivery_for(change)
    return list(Delivery.objects.due().order_by("next_at").values_list("pk", flat=True)[:500])


def without_delivery(changes):
    """Due changes whose record has no unfinished delivery: their bell was never heard."""
    record = Coalesce(OuterRef("task_id"), OuterRef("note_id"), OuterRef("contact_id"))
    under_way = Delivery.objects.filter(finished_at=None, kind=OuterRef("kind"), record_id=record)
    return changes.due().exclude(Exists(under_way))


# --- delivering ---------------------------------------------------------------------------------------------------


def push(delivery_id):
    """Bring one record's edits to GHL, as far as it goes now."""
    while delivery_id and (delivery := Delivery.objects.claim(delivery_id)):
        delivery.work(partial(_deliver, delivery), give_up=partial(_give_up, delivery))
        # An edit made while we were finishing rang in vain: the claim was ours.
        newer = without_delivery(_changes_of(delivery.kind, delivery.record_id)).first()
        delivery_id = delivery_for(newer).pk if newer else None


def _deliver(delivery):
    connection = Connection.objects.working().filter(location_id=delivery.location_id).first()
    if connection is None:
        delivery.release(next_at=timezone.now() + timedelta(seconds=LONGEST_WAIT_S))
        return
    try:
        with client_for(connection, "interactive") as client:
            _Courier(delivery, connection, client).go()
    except ConnectionParked:
        delivery.release(next_at=timezone.now() + timedelta(seconds=LONGEST_WAIT_S))


def _give_up(delivery):
    """Stop trying and tell the person, so that their other edits to this record can go on."""
    under_way = delivery.changes.unsettled()
    stuck = under_way or _changes_of(delivery.kind, delivery.record_id).due().order_by("pk")[:1]
    with transaction.atomic():
        if delivery.release(finished_at=timezone.now()):
            Change.objects.filter(pk__in=[change.pk for change in stuck]).update(
                state=Change.State.REFUSED, settled_at=timezone.now(), sentence=OUR_FAULT
            )


def _changes_of(kind, record_id):
    return Change.objects.filter(kind=kind, **{f"{kind}_id": record_id})


class _Courier:
    def __init__(self, delivery, connection, client):
        self.delivery, self.connection, self.client = delivery, connection, client
        counterpart = COUNTERPARTS[delivery.kind]
        self.record = counterpart.model.objects.select_related("location").get(pk=delivery.record_id)
        self.counterpart = counterpart(client, self.record)
        self.kind = delivery.kind

    def go(self):
        while True:
            under_way = list(self.delivery.changes.filter(state__in=["sending", "unknown", "sent"]).order_by("pk"))
            if under_way:
                going_on = self.go_on(under_way)
            elif batch := self.next_batch():
                going_on = self.send(batch)
            else:
                going_on = not self.finish()
            if not going_on:
                return

    def finish(self):
        """Nothing is left to send now. A change that is not due yet keeps the delivery for later.

        False when a change has come in at the last moment.
        """
        later = self._changes().filter(state=Change.State.QUEUED).order_by("not_before").first()
        if later and later.not_before <= timezone.now():
            return False
        if later:
            self._release(next_at=later.not_before, sent_at=None, attempts=0)
        else:
            self._release(finished_at=timezone.now())
        return True

    def next_batch(self):
        """The next changes that fit into one request: a run of updates, or a single creation, tagging or deletion."""
        queued = list(self._changes().filter(state=Change.State.QUEUED).order_by("pk"))
        if not queued:
            return []
        first = queued[0]
        if first.not_before > timezone.now():
            return []
        batch = [first]
        if first.verb == Change.Verb.UPDATE:
            for change in queued[1:]:
                if change.verb != Change.Verb.UPDATE:
                    break
                batch.append(change)
        return batch

    def send(self, batch):
        """Claim the batch, send it, take the answer. True when the delivery can go on at once."""
        obstacle = self._obstacle(batch[0])
        if obstacle is not None:
            return obstacle
        with transaction.atomic():
            moved = Change.objects.filter(pk__in=[change.pk for change in batch], state=Change.State.QUEUED).update(
                state=Change.State.SENDING, attempts=F("attempts") + 1
            )
            if moved != len(batch):  # one was cancelled meanwhile: look again
                transaction.set_rollback(True)
                return True
            self.delivery.changes.add(*batch)
            known = self.counterpart.known_ids() if batch[0].verb == Change.Verb.CREATE else ()
            self._keep(sent_at=timezone.now(), known_ids=sorted(known))
        return self._request(batch)

    def go_on(self, under_way):
        """A batch that an earlier claim has sent, perhaps. Only what is known to be safe is repeated."""
        first = under_way[0]
        if first.state == Change.State.SENT:
            return self.confirm(under_way)
        if first.verb != Change.Verb.CREATE:
            return self._request(under_way)  # updates, tags and deletions have the same effect twice
        if self.record.remote_id:
            return self._arrived(under_way, {})
        try:
            found = self._look_for(first)
        except errors.GhlError as trouble:
            return self._later(under_way, trouble)
        if found:
            return self._arrived(under_way, found)
        if first.state == Change.State.SENDING:
            # A worker died in mid-request and GHL may still be at it: look once more before sending anew.
            self._settle(under_way, Change.State.UNKNOWN)
            self._release(next_at=timezone.now() + SETTLING)
            return False
        with transaction.atomic():
            self._settle(under_way, Change.State.SENDING)
            self._keep(sent_at=timezone.now())
        return self._request(under_way)

    def _request(self, batch):
        try:
            answer = self._call(batch)
        except errors.NotFound as gone:
            if batch[0].verb == Change.Verb.DELETE:
                return self._arrived(batch, {})
            return self._refuse(batch, gone, "It was deleted in GHL meanwhile.")
        except errors.Duplicate as duplicate:
            return self._refuse(batch, duplicate, self._duplicate_sentence(duplicate))
        except errors.GhlError as trouble:
            return self._trouble(batch, trouble)
        return self._arrived(batch, answer)

    def _trouble(self, batch, trouble):
        if isinstance(trouble, ConnectionParked):
            self._back_to_queue(batch, trouble)
            raise trouble
        if batch[0].verb == Change.Verb.CREATE and (trouble.maybe_done or isinstance(trouble, errors.Invalid)):
            # An error does not mean that nothing happened: look first, even after a 422.
            return self._lost_answer(batch, trouble)
        if trouble.is_temporary:
            return self._later(batch, trouble)
        return self._refuse(batch, trouble)

    def _lost_answer(self, batch, trouble):
        try:
            found = self._look_for(batch[0])
        except errors.GhlError as again:
            return self._later(batch, again, state=Change.State.UNKNOWN)
        if found:
            return self._arrived(batch, found)
        if isinstance(trouble, errors.Invalid):
            return self._refuse(batch, trouble)
        return self._later(batch, trouble, state=Change.State.UNKNOWN, wait=SETTLING.total_seconds())

    def _call(self, batch):
        values: dict = {}
        for change in batch:
            values = _laid_over(values, change.values)
        return self.counterpart.send(batch[0].verb, values)

    def _look_for(self, change):
        """The remote row that a creation of ours has made already, if GHL shows one."""
        since = self.delivery.sent_at - CLOCKS_APART
        known = set(self.delivery.known_ids) | self.counterpart.known_ids()
        for row in self.counterpart.alike(change.values, since):
            added = row.get("remote_added_at") or row.get("remote_created_at")
            fresh = added is None or added >= since
            if row["remote_id"] not in known and fresh and looks_like(self.kind, change.values, row):
                return row
        return None

    # --- taking answers -------------------------------------------------------------------------------------------

    def _arrived(self, batch, answer):
        """GHL has it. Remember the id before anything else, then read back."""
        with transaction.atomic():
            hold(self.record.location)
            if answer.get("remote_id") and not self.record.remote_id:
                self.record.remote_id = answer["remote_id"]
                self.record.snapshot = {key: plain(answer[key]) for key in self.record.VALUES if key in answer}
                self.record.save(update_fields=["remote_id", "snapshot"])
            self._settle(batch, Change.State.SENT)
            self._keep(last_exchange={"checks": 0})
        return self.confirm(batch)

    def confirm(self, batch):
        """Read the record by id and say what GHL kept."""
        try:
            theirs = self.counterpart.read()
        except errors.NotFound as gone:
            if batch[0].verb == Change.Verb.DELETE:
                self._settle(batch, Change.State.CONFIRMED)
                return True
            return self._refuse(batch, gone, "It was deleted in GHL meanwhile.")
        except errors.GhlError as trouble:
            return self._later(batch, trouble, state=Change.State.SENT)
        apart = {change.pk: differences(change, theirs) for change in batch}
        checks = self.delivery.last_exchange.get("checks", 0) + 1
        if any(apart.values()) and checks < CHECKS:
            self._keep(last_exchange={"checks": checks})
            self._release(next_at=timezone.now() + SETTLING)
            return False
        with transaction.atomic():
            for change in batch:
                self._judge(change, apart[change.pk])
            if batch[0].verb != Change.Verb.DELETE:
                row = theirs if self.kind == "contact" else {**theirs, "contact_remote_id": self.counterpart.person}
                merge(self.record.location, self.counterpart.model, [row])
        self.record.refresh_from_db()
        self._afterwards(batch)
        return True

    def _judge(self, change, apart):
        if not apart:
            self._settle([change], Change.State.CONFIRMED)
            return
        kept = {key: plain(theirs) for key, theirs in apart.items()}
        sentence = "GHL still shows it." if change.verb == Change.Verb.DELETE else "GHL kept another value."
        self._settle([change], Change.State.DIFFERS, sentence=sentence, theirs=kept)

    def _afterwards(self, batch):
        # GHL workflows often make a task when a note arrives, and no webhook tells us about every task.
        if self.kind == "note" and batch[0].verb == Change.Verb.CREATE:
            sync.start_contact(self.record.person, only=["tasks"])

    # --- what can stand in the way --------------------------------------------------------------------------------

    def _obstacle(self, change):
        """None when the change can be sent. Else it has been dealt with: True to go on with the next, False to wait."""
        if change.verb != Change.Verb.CREATE and self.record.remote_id is None:
            if change.verb == Change.Verb.DELETE:
                self._settle([change], Change.State.CONFIRMED)
            else:
                self._settle([change], Change.State.REFUSED, sentence="It was never created in GHL.")
            return True
        if self.kind != "contact" and self.counterpart.person is None:
            if self.record.person.changes.unsettled().filter(kind="contact", verb="create").exists():
                self._release(next_at=timezone.now() + SETTLING)
                return False
            self._settle([change], Change.State.REFUSED, sentence="Its contact was not created in GHL.")
            return True
        return None

    def _duplicate_sentence(self, duplicate):
        field = {"email": "e-mail address", "phone": "phone number"}.get(duplicate.matching_field, "details")
        other = Contact.objects.filter(location=self.record.location, remote_id=duplicate.contact_id).first()
        return f"GHL already has {other.name if other else 'another contact'} with this {field}."

    def _refuse(self, batch, trouble, sentence=""):
        Usage.add(self.connection.pk, refused=len(batch))
        self._settle(batch, Change.State.REFUSED, sentence=sentence or trouble.plain, technical=str(trouble))
        log.info("delivery %s: refused: %s", self.delivery.pk, type(trouble).__name__)
        return True

    def _later(self, batch, trouble, state=None, wait=None):
        """Try again from the row. A creation that may have arrived stays unknown, everything else goes back in line."""
        if isinstance(trouble, ConnectionParked):
            raise trouble
        if not trouble.is_temporary and not trouble.maybe_done:
            return self._refuse(batch, trouble)
        if wait is None:
            wait = trouble.retry_after or wait_before(self.delivery.attempts)
        sentence = f"{trouble.plain} We keep trying."
        with transaction.atomic():
            if state is None and batch[0].state in (Change.State.UNKNOWN, Change.State.SENT):
                state = batch[0].state
            self._settle(batch, state or Change.State.QUEUED, sentence=sentence, technical=str(trouble))
            self._release(next_at=timezone.now() + timedelta(seconds=wait))
        return False

    def _back_to_queue(self, batch, trouble):
        self._settle(batch, Change.State.QUEUED, sentence=trouble.plain)

    # --- rows, fenced ---------------------------------------------------------------------------------------------

    def _changes(self):
        return _changes_of(self.kind, self.delivery.record_id)

    def _settle(self, batch, state, **values):
        final = state not in Change.UNSETTLED
        if final and state == Change.State.CONFIRMED:
            values.setdefault("sentence", "")
            values.setdefault("technical", "")
        with transaction.atomic():
            self._keep()
            Change.objects.filter(pk__in=[change.pk for change in batch]).update(
                state=state, settled_at=timezone.now() if final else None, **values
            )
        for change in batch:
            change.state = state

    def _keep(self, **values):
        """Write to the delivery while the claim is ours; a transaction around it falls with it."""
        values = values or {"fence": F("fence")}
        if not self.delivery.mine().update(**values):
            raise LeaseLost
        for name, value in values.items():
            if name != "fence":
                setattr(self.delivery, name, value)

    def _release(self, **values):
        if not self.delivery.release(**values):
            raise LeaseLost


def wait_before(attempts):
    """Seconds until the next try: exponential with full jitter, never longer than a minute."""
    return random.uniform(BASE_WAIT_S / 2, min(LONGEST_WAIT_S, BASE_WAIT_S * 2 ** min(attempts, 10)))


def _laid_over(values, newer):
    merged = {**values, **newer}
    if "custom_values" in values and "custom_values" in newer:
        merged["custom_values"] = {**values["custom_values"], **newer["custom_values"]}
    return merged
