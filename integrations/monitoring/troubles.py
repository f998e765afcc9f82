"""What went wrong between us and GHL, one line for the same failure of an hour, so that a storm stays readable."""

import logging
import threading
import time
from dataclasses import dataclass

from django.db import DatabaseError, IntegrityError, transaction
from django.db import connection as database
from django.db.models import F
from django.utils import timezone

from integrations.models import Trouble

log = logging.getLogger(__name__)

EVERY_S = 5.0


@dataclass
class Line:
    times: int
    last: dict


class TroubleBook:
    """Collects the failed exchanges of one client. Threads may share it; the one that opened it writes, on the way if
    it is in no transaction, else at the end."""

    def __init__(self, connection_id):
        self.connection_id = connection_id
        self._lines = {}
        self._lock = threading.Lock()
        self._owner, self._written_at = threading.get_ident(), time.monotonic()

    def note(self, exchange):
        """Listens to a Transport. That GHL has no such record is an answer to a read, and no trouble."""
        if exchange.error and (exchange.method, exchange.outcome) != ("GET", "NotFound"):
            key = (exchange.method, exchange.path, exchange.outcome)
            last = {**exchange.error.exchange(), "plain": exchange.error.plain}
            with self._lock:
                line = self._lines.setdefault(key, Line(0, last))
                line.times, line.last = line.times + 1, last
        self._write_now_and_then()

    def write(self):
        """One query for each kind of failure; the same one of this hour counts up."""
        with self._lock:
            lines, self._lines = self._lines, {}
        self._written_at = time.monotonic()
        now = timezone.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        for (method, path, error), line in sorted(lines.items()):
            which = {"connection_id": self.connection_id, "hour": hour, "method": method, "path": path, "error": error}
            values = {"last": line.last, "last_at": now}
            if not _count_up(which, line.times, values):
                try:
                    with transaction.atomic():
                        Trouble.objects.create(**which, **values, times=line.times)
                except IntegrityError:  # another process was first, or the connection is gone
                    _count_up(which, line.times, values)

    def _write_now_and_then(self):
        if (
            not self._lines
            or time.monotonic() - self._written_at < EVERY_S
            or threading.get_ident() != self._owner
            or database.in_atomic_block
        ):
            return
        try:
            self.write()
        except DatabaseError as trouble:
            log.warning("connection %s: troubles not booked: %s", self.connection_id, type(trouble).__name__)


def _count_up(which, times, values):
    return Trouble.objects.filter(**which).update(times=F("times") + times, **values)
