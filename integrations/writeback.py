"""Edits on their way to GHL.

One Delivery per record takes its Changes in order. Before a request leaves, the row says so (`sent_at`); after it, the
record is read back by id and compared. GHL has no idempotency key, so a creation whose answer was lost is looked for
before it is sent again.
"""

import logging
import random
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from contacts.models import Change, Contact, Note, Task
from contacts.models.editable import Editable
from contacts.models.mirrored import plain
from integrations import sync
from integrations.gateway import client_for
from integrations.ghl import bodies, compare, errors, moments, payloads
from integrations.merge import hold, looks_like, merge
from integrations.models import Connection, Delivery, Usage
from integrations.tokens import ConnectionParked

log = logging.getLogger(__name__)

MODELS: dict[str, type[Editable]] = {"contact": Contact, "task": Task, "note": Note}
BASE_WAIT_S, LONGEST_WAIT_S = 2, 60
SETTLING = timedelta(seconds=2)  # GHL may answer a read with what was there a moment ago: ask once more before judging
CLOCKS_APART = timedelta(minutes=2)
CHECKS = 3
OUR_FAULT = "Something went wrong on our side and this was not sent. Retry, or tell whoever runs Rankr."


class LeaseLost(Exception):
    """Another worker has taken this delivery over; our result is not wanted any more."""


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
    for change in Change.objects.due().exclude(deliveries__finished_at=None).order_by("pk")[:500]:
        delivery_for(change)
    return list(Delivery.objects.due().order_by("next_at").values_list("pk", flat=True)[:500])


# --- delivering ---------------------------------------------------------------------------------------------------


def push(delivery_id):
    """Bring one record's edits to GHL, as far as it goes now."""
    while delivery_id and (delivery := Delivery.objects.claim(delivery_id)):
        _deliver(delivery)
        # An edit made while we were finishing rang in vain: the claim was ours.
        newer = _changes_of(delivery.kind, delivery.record_id).due().exclude(deliveries__finished_at=None).first()
        delivery_id = delivery_for(newer).pk if newer else None


def _deliver(delivery):
    connection = Connection.objects.working().filter(location_id=delivery.location_id).first()
    if connection is None:
        delivery.release(next_at=timezone.now() + timedelta(seconds=LONGEST_WAIT_S))
        return
    try:
        with client_for(connection, "interactive") as client:
            _Courier(delivery, connection, client).go()
    except LeaseLost:
        log.warning("delivery %s: lease lost", delivery.pk)
    except ConnectionParked:
        delivery.release(next_at=timezone.now() + timedelta(seconds=LONGEST_WAIT_S))
    except Exception:
        log.exception("delivery %s: failed in a way nobody foresaw (try %s)", delivery.pk, delivery.attempts)
        _give_up(delivery) if delivery.is_poison else delivery.release(
            next_at=timezone.now() + timedelta(seconds=wait_before(delivery.attempts))
        )


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
        self.record = MODELS[delivery.kind].objects.select_related("location").get(pk=delivery.record_id)
        self.kind = delivery.kind

    def go(self):
        while True:
            under_way = list(self.delivery.changes.filter(state__in=["sending", "unknown", "sent"]).order_by("pk"))
            if under_way:
                going_on = self.go_on(under_way)
            elif batch := self.next_batch():
                going_on = self.send(batch)
            else:
                return self.finish()
            if not going_on:
                return None

    def finish(self):
        """Nothing is left to send now. A change that is not due yet keeps the delivery for later."""
        later = self._changes().filter(state=Change.State.QUEUED).order_by("not_before").first()
        if later:
            self._release(next_at=later.not_before, sent_at=None, attempts=0)
        else:
            self._release(finished_at=timezone.now())

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
        if obstacle := self._obstacle(batch[0]):
            return obstacle
        with transaction.atomic():
            moved = Change.objects.filter(pk__in=[change.pk for change in batch], state=Change.State.QUEUED).update(
                state=Change.State.SENDING, attempts=F("attempts") + 1
            )
            if moved != len(batch):  # one was cancelled meanwhile: look again
                transaction.set_rollback(True)
                return True
            self.delivery.changes.add(*batch)
            self._keep(sent_at=timezone.now(), known_ids=self._known_ids(batch[0]))
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

    # --- talking to GHL -------------------------------------------------------------------------------------------

    def _call(self, batch):
        verb = batch[0].verb
        values: dict = {}
        for change in batch:
            values = _laid_over(values, change.values)
        call = getattr(self, f"_{verb}_{self.kind}", None) or getattr(self, f"_{verb}")
        return call(self.record.typed(values)) or {}

    def _create_contact(self, values):
        mine = {key: value for key, value in values.items() if key not in bodies.UNWRITABLE_ON_CREATE}
        body = bodies.contact_body(mine, create=True, location_id=self.connection.location.remote_id)
        return payloads.contact_values(self.client.create_contact(body))

    def _create_task(self, values):
        return payloads.task_values(self.client.create_task(self._person, bodies.task_body(values, create=True)))

    def _create_note(self, values):
        return payloads.note_values(self.client.create_note(self._person, bodies.note_body(values, create=True)))

    def _update_contact(self, values):
        mine = {key: value for key, value in values.items() if key != "company_remote_id"}
        if mine:
            self.client.update_contact(self.record.remote_id, bodies.contact_body(mine))
        if "company_remote_id" in values:  # GHL moves people between companies by a call of its own
            self.client.set_company([self.record.remote_id], values["company_remote_id"] or None)

    def _update_task(self, values):
        if set(values) == {"completed"}:
            self.client.complete_task(self._person, self.record.remote_id, values["completed"])
        else:
            self.client.update_task(self._person, self.record.remote_id, bodies.task_body(values))

    def _update_note(self, values):
        # GHL wants the whole note: what is not sent may be lost.
        whole = {key: self.record.value(key) for key in Note.VALUES if self.record.value(key) not in ("", None)}
        self.client.update_note(self._person, self.record.remote_id, bodies.note_body({**whole, **values}))

    def _tags(self, values):
        if values.get("add"):
            self.client.add_tags(self.record.remote_id, values["add"])
        if values.get("remove"):
            self.client.remove_tags(self.record.remote_id, values["remove"])

    def _delete_contact(self, values):
        self.client.delete_contact(self.record.remote_id)

    def _delete_task(self, values):
        self.client.delete_task(self._person, self.record.remote_id)

    def _delete_note(self, values):
        self.client.delete_note(self._person, self.record.remote_id)

    @property
    def _person(self):
        return self.record.person.remote_id

    def _read_back(self):
        if self.kind == "contact":
            return payloads.contact_values(self.client.get_contact(self.record.remote_id))
        if self.kind == "task":
            return payloads.task_values(self.client.get_task(self._person, self.record.remote_id))
        return payloads.note_values(self.client.get_note(self._person, self.record.remote_id))

    def _look_for(self, change):
        """The remote row that a creation of ours has made already, if GHL shows one."""
        if self.kind == "contact":
            rows = self._contacts_alike(change.values)
        elif self.kind == "task":
            rows = [payloads.task_values(row) for row in self.client.list_tasks(self._person)]
        else:
            rows = [payloads.note_values(row) for row in self.client.list_notes(self._person)]
        known = set(self.delivery.known_ids) | self._ids_here()
        since = self.delivery.sent_at - CLOCKS_APART
        for row in rows:
            added = row.get("remote_added_at") or row.get("remote_created_at")
            fresh = added is None or added >= since
            if row["remote_id"] not in known and fresh and looks_like(self.kind, change.values, row):
                return row
        return None

    def _contacts_alike(self, values):
        for key in ("email", "phone"):
            if values.get(key):
                found = self.client.find_duplicate(**{"number" if key == "phone" else key: values[key]})
                return [payloads.contact_values(found)] if found else []
        since = moments.iso(self.delivery.sent_at - CLOCKS_APART)
        filters = [{"field": "dateAdded", "operator": "range", "value": {"gte": since}}]
        page = self.client.search_contacts(filters=filters, sort=[{"field": "dateAdded", "direction": "desc"}])
        return [payloads.contact_values(row) for row in page.rows]

    def _ids_here(self):
        if self.kind == "contact":
            return set()
        rows = self.record.person.tasks if self.kind == "task" else self.record.person.notes
        return set(rows.filter(remote_id__isnull=False).values_list("remote_id", flat=True))

    def _known_ids(self, change):
        return sorted(self._ids_here()) if change.verb == Change.Verb.CREATE else []

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
            theirs = self._read_back()
        except errors.NotFound as gone:
            if batch[0].verb == Change.Verb.DELETE:
                self._settle(batch, Change.State.CONFIRMED)
                return True
            return self._refuse(batch, gone, "It was deleted in GHL meanwhile.")
        except errors.GhlError as trouble:
            return self._later(batch, trouble, state=Change.State.SENT)
        apart = {change.pk: self._differences(change, theirs) for change in batch}
        checks = self.delivery.last_exchange.get("checks", 0) + 1
        if any(apart.values()) and checks < CHECKS:
            self._keep(last_exchange={"checks": checks})
            self._release(next_at=timezone.now() + SETTLING)
            return False
        with transaction.atomic():
            for change in batch:
                self._judge(change, apart[change.pk])
            if batch[0].verb != Change.Verb.DELETE:
                row = theirs if self.kind == "contact" else {**theirs, "contact_remote_id": self._person}
                merge(self.record.location, MODELS[self.kind], [row])
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

    def _differences(self, change, theirs):
        """{key: what GHL kept} where it is not what we asked for."""
        if change.verb == Change.Verb.DELETE:
            return {"deleted": False} if not theirs.get("deleted") else {}
        if change.verb == Change.Verb.TAGS:
            tags = {tag.lower() for tag in theirs.get("tags", [])}
            fits = set(change.values["add"]) <= tags and not set(change.values["remove"]) & tags
            return {} if fits else {"tags": theirs.get("tags", [])}
        apart = {}
        for key, ours in change.values.items():
            if key == "custom_values":
                kept = theirs.get(key) or {}
                other = {pk: kept.get(pk) for pk in ours if not compare.same(self.kind, key, ours[pk], kept.get(pk))}
                if other:
                    apart[key] = other
            elif key in theirs and not compare.same(self.kind, key, ours, plain(theirs[key])):
                apart[key] = theirs[key]
        return apart

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
        if self.kind != "contact" and self._person is None:
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
