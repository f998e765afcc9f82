"""Brings messages to the addresses they are for, until each is heard or has been tried for three days."""

import logging
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations import crypto
from integrations.erp import webhook_signature
from integrations.models import OutgoingDelivery, OutgoingHook
from integrations.outgoing import post_office

log = logging.getLogger(__name__)

IN_A_ROW_S = 10  # so long one ring may go on with what waits for the same address
# As Standard Webhooks advises: a little more than three days together.
WAITS = [
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
]  # fmt: skip
PATIENCE = timedelta(days=3)
SHORTEST_REST, LONGEST_REST, LONGEST_ASKED = timedelta(seconds=10), timedelta(minutes=30), timedelta(days=1)
AWAY = (429, 502, 503, 504)  # said of the address, not of this message

State = OutgoingDelivery.State


def waiting():
    """Primary keys of hooks that something can be sent to."""
    return list(OutgoingHook.objects.with_work().order_by("rests_until").values_list("pk", flat=True)[:200])


def deliver(hook_pk):
    """Send what waits for this address, one after another. True when there was no time for all of it."""
    until = time.monotonic() + IN_A_ROW_S
    hook = OutgoingHook.objects.filter(pk=hook_pk).first()
    if hook is None:
        return False
    with post_office.session_for(hook.url) as session:
        while time.monotonic() < until:
            delivery = OutgoingDelivery.objects.claim_next(hook_pk)
            if delivery is None:
                return False
            errand = Errand(delivery, session)
            delivery.work(errand.go, give_up=partial(errand.end, State.DEAD, _OUR_FAULT))
    return True


_OUR_FAULT = "Something went wrong on our side, and we have stopped trying."


class Errand:
    """One try to bring one message."""

    def __init__(self, row, session):
        self.row = row
        self.session = session
        self.hook = OutgoingHook.objects.get(pk=row.hook_id)

    def go(self):
        try:
            answer = post_office.send(self.session, self.hook.url, self.row.body.encode(), self._headers())
        except crypto.CannotOpen:
            return self._again(_("Our server can no longer read the secret of this webhook. Rotate it."), is_away=True)
        except post_office.NotAllowed as refusal:
            return self._again(str(refusal), is_away=True)
        except post_office.NoAnswer as trouble:
            return self._again(str(trouble), is_away=True)
        told = {"status": answer.status, "answer": answer.excerpt}
        if 200 <= answer.status < 300:
            return self._heard(told)
        if answer.status == 410:
            return self._gone(told)
        return self._again(_in_words(answer), answer.status in AWAY, _asked_to_wait(answer.retry_after), **told)

    def _headers(self):
        signed = webhook_signature.headers(self.hook.secrets, self.row.uid, int(time.time()), self.row.body.encode())
        return {"Content-Type": "application/json", "User-Agent": "Rankr-Dashboard", **signed}

    def _heard(self, told):
        now = timezone.now()
        with transaction.atomic():
            self.end(State.DELIVERED, "", tries=self.row.tries + 1, tried_at=now, **told)
            well = {"failures": 0, "failing_since": None, "sentence": "", "heard_at": now}
            OutgoingHook.objects.filter(pk=self.hook.pk).update(**well)

    def _gone(self, told):
        said = _("It answered 410: it no longer wants to be told.")
        with transaction.atomic():
            self.end(State.DEAD, said, tries=self.row.tries + 1, tried_at=timezone.now(), **told)
            self.hook.switch_off(because=said)

    def _again(self, sentence, is_away, asked=None, **told):
        """`is_away`: the others need not try either for a while."""
        now, tries = timezone.now(), self.row.tries + 1
        told = {"tries": tries, "tried_at": now, "status": None, "answer": "", **told}
        is_over = tries > len(WAITS) or self.row.since < now - PATIENCE
        with transaction.atomic():
            if is_over:
                self.end(State.DEAD, sentence, **told)
            else:
                next_at = now + max(WAITS[tries - 1], asked or timedelta())
                self.row.hand_in(state=State.RETRYING, sentence=sentence, next_at=next_at, **told)
            failing = {"sentence": sentence, "failing_since": Coalesce(F("failing_since"), now)}
            if is_away:
                rest = asked or min(SHORTEST_REST * 2 ** min(self.hook.failures, 10), LONGEST_REST)
                failing |= {"failures": F("failures") + 1, "rests_until": now + rest}
            OutgoingHook.objects.filter(pk=self.hook.pk).update(**failing)
            if is_away:
                self._give_up_the_old(now, sentence)
        log.info("outgoing webhook %s: message %s not heard, try %s", self.hook.pk, self.row.pk, tries)

    def _give_up_the_old(self, now, sentence):
        """What has waited behind others as long as any message may."""
        if self.hook.failing_since and self.hook.failing_since < now - PATIENCE:
            old = OutgoingDelivery.objects.filter(hook=self.hook, finished_at=None, since__lt=now - PATIENCE)
            old.filter(lease_until=None).update(state=State.DEAD, sentence=sentence, finished_at=now)

    def end(self, state, sentence, **told):
        self.row.hand_in(state=state, sentence=sentence, finished_at=timezone.now(), **told)


def _in_words(answer):
    words = {"status": answer.status}
    if 300 <= answer.status < 400:
        return _("It answered with a redirect (%(status)s), which is not followed. Enter the final address.") % words
    if answer.status in (401, 403):
        return _("It answered %(status)s: it does not accept our signature.") % words
    if answer.status == 404:
        return _("It answered 404: nothing listens at this address.")
    if answer.status == 429:
        return _("It answered 429: it is told too much at once.")
    if answer.status >= 500:
        return _("It answered %(status)s: something is wrong over there.") % words
    return _("It answered %(status)s: it does not accept this message.") % words


def _asked_to_wait(retry_after):
    """The wait that was asked for, in seconds or until a date; None when that makes no sense."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(timedelta(seconds=max(1, int(retry_after[:9]))), LONGEST_ASKED)
    try:
        wait = parsedate_to_datetime(retry_after) - timezone.now()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(seconds=1)), LONGEST_ASKED)
