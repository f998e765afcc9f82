"""Carries out any operation of the catalogue, by the same client, budget and breaker as everything else.

GHL has no idempotency key. `sent_at` is committed before a write leaves. After a lost answer a read, and a change that
leaves GHL the same twice, is sent again; what creates is looked for where read_back.py says how, and otherwise stops at
*unknown*: never a second time by itself.
"""

import logging
import random
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import ActorKind, Change, Machine
from contacts.models.leased import LeaseLost
from contacts.models.undoable import NotEditable
from integrations.access.tokens import ConnectionParked, denied
from integrations.catalogue import entries, read_back
from integrations.catalogue.short import in_short
from integrations.catalogue.values import BadValues, build
from integrations.gateway import client_for
from integrations.ghl import errors, wire
from integrations.models import Connection, OperationRun
from integrations.writing.settling import PATIENCE, wait_before

log = logging.getLogger(__name__)

State = OperationRun.State
PARKED_WAIT = timedelta(seconds=60)
OUTBOX_WAIT = timedelta(seconds=2)
LOOK_WAIT_S = 2.0
AT_ONCE = 200


def ask(connection, key, values, by=None, cause=""):
    """The row that says what is to be done. Asked for twice by the same cause it is the same row. Ring for it after."""
    wanted = {"connection": connection, "key": key, "values": values, "made_by": by}
    if not cause:
        return OperationRun.objects.create(**wanted)
    return OperationRun.objects.get_or_create(cause=cause, defaults=wanted)[0]


def waiting():
    """Primary keys of what is due, oldest first."""
    return list(OperationRun.objects.due().order_by("next_at").values_list("pk", flat=True)[:AT_ONCE])


def run(operation_run_pk):
    """As far as it goes now. Seconds after which to look again, where that is too soon to leave it to the sweeper."""
    claimed = OperationRun.objects.claim(operation_run_pk)
    if claimed is None:
        return None
    errand = Errand(claimed)
    claimed.work(errand.go, give_up=errand.give_up)
    claimed.refresh_from_db()
    wait = (claimed.next_at - timezone.now()).total_seconds()
    return max(wait, 0.05) if claimed.finished_at is None and wait <= settings.GHL_SETTLE_S else None


def is_sandbox():
    """Whether what we send reaches a pretend GHL on this machine and nobody's real account."""
    return wire.is_loopback(settings.GHL_API_BASE)


class Errand:
    """One claim on one row."""

    def __init__(self, row):
        self.row = row
        self.operation = entries.operation(row.key)
        self.connection = Connection.objects.select_related("location__business").get(pk=row.connection_id)

    def go(self):
        if self.row.change_id:
            return self._follow_outbox()
        if self.operation is None:
            return self._end(State.REFUSED, _("GHL no longer offers this operation."))
        if self.connection.status not in Connection.USABLE:
            return self._wait_for_connection()
        if reason := entries.why_not(self.operation, self.connection):
            return self._end(State.REFUSED, reason)
        try:
            self.request = build(self.operation, self.row.values, self.connection.location.remote_id)
        except BadValues as bad:
            return self._end(State.REFUSED, str(bad))
        if self.row.sent_at is None and self._given_to_outbox():
            return None
        return self._at_ghl()

    def give_up(self):
        if self.row.sent_at and self.operation and not self._may_go_twice():
            return self._end(State.UNKNOWN, self._not_known())
        return self._end(State.REFUSED, _("Something went wrong on our side, and we have stopped trying."))

    # --- at GHL -------------------------------------------------------------------------------------------------------

    def _at_ghl(self):
        try:
            with client_for(self.connection, "interactive" if self.row.made_by_id else "webhook") as client:
                if self.row.sent_at and not self._may_go_twice():
                    return self._after_lost_answer(client)
                return self._send(client)
        except ConnectionParked:
            return self._wait_for_connection()

    def _send(self, client):
        before = self.row.sent_at
        client.transport.before_write = self._it_leaves
        request = self.request
        try:
            answer = client.transport.request(
                request.method, request.path, params=request.params or None, json=request.json,
                safe=self.operation.kind == "read", template=request.template, version=request.version or None,
            )  # fmt: skip
        except errors.GhlError as trouble:
            return self._trouble(trouble, before, client)
        return self._end(State.DONE, answer=in_short(answer))

    def _it_leaves(self):
        """Right before a write leaves: only while the claim is ours, and never without having said so."""
        if not self.row.renew():
            raise LeaseLost
        self.row.keep(sent_at=timezone.now(), state=State.SENT)

    def _trouble(self, trouble, before, client):
        if isinstance(trouble, ConnectionParked):
            self.row.keep(sent_at=before)  # GHL did nothing with it
            raise trouble
        told = {"exchange": trouble.exchange()}
        if isinstance(trouble, errors.LocationDenied) and denied(self.connection):
            self.row.keep(sent_at=before)
            return self._wait_for_connection()
        if isinstance(trouble, errors.NotFound) and self.operation.kind == "delete" and before:
            return self._end(State.DONE, _("It was gone already when we asked again."), **told)
        if isinstance(trouble, errors.BadAnswer) and trouble.status and 200 <= trouble.status < 300:
            return self._end(State.DONE, _("GHL has done it; what it answered cannot be shown here."), **told)
        if trouble.is_temporary and trouble.maybe_done and not self._may_go_twice():
            self.row.keep(**told)
            return self._after_lost_answer(client, trouble)
        if trouble.is_temporary:
            if not trouble.maybe_done:
                told["sent_at"] = before  # GHL certainly did nothing with this one
            return self._again(trouble, told)
        return self._end(State.REFUSED, self._why_refused(trouble), **told)

    def _after_lost_answer(self, client, trouble=None):
        """A creation that GHL may have: looked for where we know how."""
        look = read_back.LOOK_FOR.get(self.operation.key)
        if look is None:
            return self._end(State.UNKNOWN, self._not_known())
        try:
            found = look(client, self.request.json or {})
        except errors.GhlError as again:
            if not again.is_temporary:
                return self._end(State.UNKNOWN, self._not_known())
            return self._again(again, {})
        if found is not None:
            return self._end(State.DONE, _("The answer was lost; it was found in GHL."), answer=in_short(found))
        if (timezone.now() - self.row.sent_at).total_seconds() < settings.GHL_SETTLE_S:
            said = _("GHL’s answer was lost. We look whether it arrived.")
            return self._put_off(timedelta(seconds=LOOK_WAIT_S), state=State.SENT, sentence=said)
        self.row.keep(sent_at=None)
        return self._send(client)  # even an old reading would show it by now

    def _again(self, trouble, told):
        if self.row.created_at < timezone.now() - PATIENCE:
            if self.row.sent_at and not self._may_go_twice():
                return self._end(State.UNKNOWN, self._not_known(), **told)
            return self._end(State.REFUSED, _("GHL has failed for a day, so we have stopped trying."), **told)
        seconds = trouble.retry_after
        seconds = wait_before(self.row.attempts) if seconds is None else seconds + random.random()
        state = State.SENT if told.get("sent_at", self.row.sent_at) else State.QUEUED
        return self._put_off(timedelta(seconds=seconds), state=state, sentence=trouble.plain, **told)

    def _may_go_twice(self):
        body = self.row.values.get("body")
        return read_back.is_harmless_twice(self.operation, body if isinstance(body, dict) else {})

    def _why_refused(self, trouble):
        said = " ".join(trouble.exchange()["messages"] or trouble.messages)
        if trouble.status == 404 and said.lower().startswith("cannot "):
            who = _("The sandbox") if is_sandbox() else "GHL"
            return _("%(who)s does not know this operation.") % {"who": who}
        return f"{trouble.plain} {said}".strip()

    def _not_known(self):
        return _(
            "GHL’s answer was lost, so it is not known whether this was done. It is not sent again by itself: look in "
            "GHL, and ask for it anew if it is not there."
        )

    # --- by our own outbox --------------------------------------------------------------------------------------------

    def _given_to_outbox(self):
        """True when our outbox does it: there the record is shown at once, and its creation is looked for."""
        location = self.connection.location
        record = read_back.record_for(self.operation, self.request, self.row.values, location)
        if record is None:
            return False
        try:
            with transaction.atomic():
                change = record.create(by=self._who())
                now = timezone.now()
                said = _("It was given to the outbox.")
                self.row.keep(change=change, state=State.SENT, sent_at=now, sentence=said, next_at=now + OUTBOX_WAIT)
                self.row.hand_in()
        except NotEditable as error:
            self._end(State.REFUSED, str(error))
        return True

    def _who(self):
        line = self.row.line
        return Machine(ActorKind.RULE, line.actor_name, cause=line) if line else self.row.made_by

    def _follow_outbox(self):
        change = Change.objects.get(pk=self.row.change_id)
        if change.state == Change.State.CONFIRMED:
            return self._end(State.DONE, answer={"id": change.record.remote_id})
        if not change.is_settled:
            age = timezone.now() - self.row.created_at
            return self._put_off(max(OUTBOX_WAIT, age / 4), sentence=change.sentence)
        if change.state == Change.State.DIFFERS and change.record.remote_id:
            return self._end(State.DONE, change.sentence, answer={"id": change.record.remote_id})
        return self._end(State.REFUSED, change.sentence or _("It was taken back in the outbox."))

    # --- the row ------------------------------------------------------------------------------------------------------

    def _wait_for_connection(self):
        said = _("This account is not connected to GHL at the moment. It waits until it is.")
        return self._put_off(PARKED_WAIT, sentence=said)

    def _put_off(self, wait, **values):
        self.row.hand_in(next_at=timezone.now() + wait, **values)

    def _end(self, state, sentence="", **values):
        self.row.hand_in(state=state, sentence=sentence, finished_at=timezone.now(), **values)
