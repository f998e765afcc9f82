"""What becomes of a batch of edits, written into its rows for as long as the claim on the delivery holds."""

import logging
import random
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from contacts.models import Change
from contacts.open_pages import live
from integrations.access.tokens import ConnectionParked, denied
from integrations.ghl import errors
from integrations.models import Usage
from integrations.writing import sentences, verdict

log = logging.getLogger(__name__)

BASE_WAIT_S, LONGEST_WAIT_S = 2, 60
LOOKS_S = (1.5, 4.0, 8.0)  # seconds after which we look again, before the last look when GHL_SETTLE_S is over
PATIENCE = timedelta(hours=24)  # GHL has failed for so long: somebody should know, and may retry


class Settling:
    """The half of a courier that writes. Every word is fenced: a worker that lost its claim changes nothing."""

    def __init__(self, delivery, connection):
        self.delivery, self.connection = delivery, connection

    def _settle(self, batch, state, **values):
        final = state not in Change.UNSETTLED
        if state == Change.State.CONFIRMED:
            values = {"sentence": "", "technical": "", "failure": "", "exchange": {}, "theirs": {}, **values}
        with transaction.atomic():
            self.delivery.keep()
            Change.objects.filter(pk__in=[change.pk for change in batch]).update(
                state=state, settled_at=timezone.now() if final else None, **values
            )
            live.tell_of(batch)
        for change in batch:
            change.state = state

    # --- doubt ----------------------------------------------------------------------------------------------------

    def _is_in_doubt(self, batch, state):
        """True when the row has been put off to look again. False when even an old reading would show it by now."""
        now = timezone.now()
        since = self.delivery.doubt_since
        age = (now - since).total_seconds() if since else 0.0
        settle_s = settings.GHL_SETTLE_S
        if since and age >= settle_s:
            return False
        wait = next((at for at in LOOKS_S if age < at < settle_s), settle_s) - age
        with transaction.atomic():
            self._settle(batch, state)
            self.delivery.hand_in(next_at=now + timedelta(seconds=wait), doubt_since=since or now)
        return True

    # --- failures -------------------------------------------------------------------------------------------------

    def _later(self, batch, trouble, state):
        """Try again from the row, unless it is hopeless or has been tried for a day."""
        trouble = self._or_parked(trouble)
        if isinstance(trouble, ConnectionParked):
            raise trouble
        if not trouble.is_temporary and not trouble.maybe_done:
            return self._refuse(batch, trouble)
        if batch[0].not_before < timezone.now() - PATIENCE:
            return self._refuse(batch, trouble, sentences.GIVEN_UP, verdict.SO_LONG)
        wait = trouble.retry_after
        wait = wait_before(self.delivery.attempts) if wait is None else wait + random.random()
        sentence = trouble.plain if "try again" in trouble.plain else f"{trouble.plain} We keep trying."
        with transaction.atomic():
            self._settle(batch, state, sentence=sentence, **self._told(trouble, batch))
            self.delivery.hand_in(next_at=timezone.now() + timedelta(seconds=wait))
        return False

    def _or_parked(self, trouble):
        """Where GHL does not let us into the account at all, the edit waits like all others of this account."""
        if isinstance(trouble, errors.LocationDenied) and denied(self.connection):
            return ConnectionParked(self.connection.status_reason)
        return trouble

    def _refuse(self, batch, trouble, sentence="", failure=""):
        told = self._told(trouble, batch)
        told["failure"] = failure or told["failure"]
        self._settle(batch, Change.State.REFUSED, sentence=sentence or trouble.plain, **told)
        return self._refused(batch)

    def _refused(self, batch):
        Usage.add(self.connection.pk, refused=len(batch))
        if batch[0].state != Change.State.REFUSED:
            self._settle(batch, Change.State.REFUSED)
        log.info("delivery %s: refused %s", self.delivery.pk, batch[0].failure)
        return True

    def _told(self, trouble, batch):
        """What the row keeps of a failure, for whoever decides about it."""
        exchange = {**trouble.exchange(), "tries": max(change.attempts for change in batch)}
        failure = verdict.failure_of(trouble)
        for change in batch:
            change.failure = failure
        return {"technical": str(trouble), "failure": failure, "exchange": exchange}


def wait_before(attempts):
    """Seconds until the next try: exponential with full jitter, never longer than a minute."""
    return random.uniform(BASE_WAIT_S / 2, min(LONGEST_WAIT_S, BASE_WAIT_S * 2 ** min(attempts, 10)))
