"""What GHL tells us by webhook: verified, stored, answered; then what it is about is read again by its id.

An event is a hint that something moved. Nothing of its payload but ids is believed: it may come twice, late, or in any
order.
"""

import contextlib
import logging
import threading
import time
from datetime import timedelta
from functools import lru_cache, partial

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db import connection as database
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext_noop

from contacts.models.leased import MOST_STRIKES, STRUCK_WAIT, LeaseLost
from integrations.access.tokens import ConnectionParked
from integrations.ghl import announcement, errors, signature
from integrations.models import Connection, InboundEvent, SyncRun
from integrations.news import quarantine, spool, topics

log = logging.getLogger(__name__)

STORING_MS = 5_000  # GHL waits for our answer; what cannot be stored in this time goes to the spool
AWAY_S = 1.0  # after the database could not be reached, so long nobody tries again
WAITS_S = (10, 30, 60, 120, 300, 900)
PARKED_WAIT = timedelta(minutes=5)
KEPT_TRYING = timedelta(days=3)
IN_A_ROW_S = 20  # so long one ring may go on with what has come meanwhile
OUR_FAULT = gettext_noop("Something went wrong on our side. The next sync reads what it was about.")

Outcome = InboundEvent.Outcome
said = announcement.said


class Unsigned(Exception):
    """Nobody we know has signed this."""


# --- taking in --------------------------------------------------------------------------------------------------------


def receive(body, signed):
    """Keep a webhook for good. Its row's id if somebody is to look at it, else None.

    Raises Unsigned; anything else means that it is kept nowhere and GHL must send it again.
    """
    keys = known_keys()
    if not signature.is_signed(keys, body, signed):
        quarantine.keep(body, signed, keys)
        raise Unsigned
    if time.monotonic() >= _away.until:
        try:
            pk = store(body)
        except Exception as trouble:
            log.warning("a webhook goes to the spool: %s", type(trouble).__name__)
            if isinstance(trouble, OperationalError | InterfaceError):
                _away.until = time.monotonic() + AWAY_S
        else:
            if not emptier.has_begun:
                emptier.ask()
            return pk
    spool.append(body)
    emptier.ask()
    return None


def store(body, received_at=None):
    """One row for one event, however often it comes. Its id; None when it is known already, or of no use to us."""
    told = announcement.announcement(body)
    now, is_used = timezone.now(), topics.knows(told.kind)
    row = {
        "event_id": told.event_id,
        "kind": told.kind,
        "remote_location_id": told.location_id,
        "record_id": told.record_id,
        "remote_contact_id": told.contact_id,
        "told_at": told.told_at,
        "body": body,
        "received_at": received_at or now,
        "next_at": now,
        "finished_at": None if is_used else now,
        "outcome": "" if is_used else Outcome.KEPT,
    }
    row |= {"reason": "", "fence": 0, "attempts": 0, "strikes": 0}
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(STORING_MS)])
        cursor.execute(
            f"INSERT INTO {InboundEvent._meta.db_table} ({names}) VALUES ({places})"  # noqa: S608 (names of ours)
            " ON CONFLICT (event_id) DO NOTHING RETURNING id",
            list(row.values()),
        )
        new = cursor.fetchone()
    return new[0] if new and is_used else None


def catch_up():
    """Take in what waits on this machine's disk, and what fits a key that we know only now. Every sweep does this."""
    for act in (take_in_spool, verify_quarantine):
        try:
            act()
        except Exception as trouble:  # neither may keep the sweeper from its other work
            log.warning("%s did not end: %s", act.__name__, type(trouble).__name__)


def take_in_spool():
    """How many events there were."""
    return spool.take_in(store)


def verify_quarantine():
    fitting = quarantine.verify_again(known_keys(), store)
    quarantine.tidy()
    return fitting


class SpoolEmptier:
    """Takes in what this process has spooled as soon as the database is back.

    It waits neither for another webhook nor for the sweeper, whose machine may be another one and whose Redis may be
    away. A thread of its own, begun with the first webhook of the process: the one before it may have left something.
    """

    def __init__(self, every_s=AWAY_S):
        self.every_s, self._asked, self._thread, self._beginning = every_s, threading.Event(), None, threading.Lock()

    def ask(self):
        """What is on the disk by now will be taken in."""
        self._asked.set()
        with self._beginning:
            if not self.has_begun:
                self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
                self._thread.start()

    @property
    def has_begun(self):
        return self._thread is not None and self._thread.is_alive()

    def _work(self):
        while True:
            self._asked.wait()
            self._asked.clear()
            while spool.is_waiting():
                time.sleep(self.every_s)
                try:
                    take_in_spool()
                except Exception as trouble:  # whatever it is, what waits must not wait for a restart
                    log.warning("the spool is not empty yet: %s", type(trouble).__name__)
                finally:
                    database.close()


emptier = SpoolEmptier()


class _Away:
    """Until when this process does not try the database."""

    until = 0.0


_away = _Away()


# --- looking ----------------------------------------------------------------------------------------------------------


def handle(pk):
    """Look again at what the event is about, together with all that are about the same. The sync runs to ring for."""
    event = InboundEvent.objects.due().filter(pk=pk).defer("body").first()
    runs: list[SyncRun] = []
    until = time.monotonic() + IN_A_ROW_S
    while event is not None and time.monotonic() < until:
        topic = topics.of(event)
        if topic is None:
            InboundEvent.objects.due().filter(pk=event.pk).update(finished_at=timezone.now(), outcome=Outcome.KEPT)
            break
        mine = topic.claim()
        if not mine:  # somebody is at it, and looks at the end for what has come meanwhile
            break
        runs += (
            mine[0].work(partial(_look, topic, mine), give_up=partial(topics.finish, mine, "failed", OUR_FAULT)) or []
        )
        event = topic.events.due().order_by("pk").defer("body").first()
    return runs


def waiting_events():
    """Due events, a few of each location in turn: the backlog of one does not keep the others waiting."""
    turn = Window(RowNumber(), partition_by=F("remote_location_id"), order_by=F("pk").asc())
    due = InboundEvent.objects.due().annotate(turn=turn).order_by("turn", "pk")
    return list(due.values_list("pk", flat=True)[:500])


def _look(topic, events):
    try:
        if not topic.needs_connection:
            return topic.look(None, events)
        found = Connection.objects.filter(location__remote_id=events[0].remote_location_id)
        connection = found.select_related("location").first()
        if connection is None or connection.status in _GIVEN_UP:
            return topics.finish(events, Outcome.NOT_OURS)
        if not connection.is_active:
            return _later(events, PARKED_WAIT, connection.status_reason)
        return topic.look(connection, events)
    except ConnectionParked as parked:
        _later(events, PARKED_WAIT, parked.plain)
    except errors.ScopeMissing as refused:
        topics.finish(events, Outcome.FAILED, refused.plain)
    except errors.GhlError as trouble:
        wait = trouble.retry_after or WAITS_S[min(max(event.attempts for event in events), len(WAITS_S)) - 1]
        _later(events, timedelta(seconds=wait), trouble.plain)
    except LeaseLost:
        raise
    except Exception:
        _strike(events[1:])  # of the first the row's own work takes care
        raise
    except BaseException:  # this process is told to end
        _hand_back(events[1:])
        raise
    return None


_GIVEN_UP = (Connection.Status.DISCONNECTED, Connection.Status.UNINSTALLED)


def _later(events, wait, reason):
    oldest = timezone.now() - KEPT_TRYING
    topics.finish([event for event in events if event.received_at < oldest], Outcome.FAILED, reason)
    topics.again([event for event in events if event.received_at >= oldest], wait, reason)


def _strike(events):
    """Their strikes stand: what kills its worker must not do so for ever."""
    topics.finish([event for event in events if event.strikes >= MOST_STRIKES], Outcome.FAILED, OUR_FAULT)
    held = InboundEvent.objects.filter(pk__in=[event.pk for event in events], finished_at=None)
    held.update(lease_until=None, next_at=timezone.now() + STRUCK_WAIT)


def _hand_back(events):
    held = InboundEvent.objects.filter(pk__in=[event.pk for event in events], finished_at=None)
    with contextlib.suppress(DatabaseError):  # stopped in the middle of a query: then their leases run out
        held.update(lease_until=None, fence=F("fence") + 1, strikes=0)


# --- keys -------------------------------------------------------------------------------------------------------------


def known_keys():
    """The public keys of GHL we accept."""
    return _keys(settings.GHL_WEBHOOK_PUBLIC_KEYS)


@lru_cache(maxsize=4)
def _keys(text):
    try:
        return signature.keys_in(signature.PUBLISHED_KEY if text is None else text)
    except ValueError as wrong:
        raise ImproperlyConfigured(f"GHL_WEBHOOK_PUBLIC_KEYS is not usable: {wrong}.") from None
