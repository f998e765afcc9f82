"""Starting, choosing and working on runs that read from GHL. What a run does stands in pull.py.

A SyncRun is a row before it is work: it is claimed, worked on for a slice of time, and released with what is left.
"""

import logging
from datetime import UTC, datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext_noop

from contacts.models import ContactFreshness
from integrations.access.tokens import ConnectionParked, denied
from integrations.gateway import client_for
from integrations.ghl import errors
from integrations.models import Connection, SyncRun
from integrations.reading.pull import MakeRoom, Pull

log = logging.getLogger(__name__)

STALE_AFTER = timedelta(seconds=60)
NIGHT_BEGINS, NIGHT_LASTS = 1, timedelta(hours=4)  # by the location's clock; each connection at a moment of its own
NIGHTLY_AGAIN = timedelta(hours=1)
RETRY_S = (5, 15, 30, 60)
MOST_TRIES = 20  # without any progress; a first read never gives up, another is followed by the next
OUR_FAULT = gettext_noop("Something went wrong on our side while reading. The log knows more.")
LANES = {"full": "backfill", "recent": "reconcile", "nightly": "reconcile", "contact": "interactive"}


# --- starting -----------------------------------------------------------------------------------------------------


def start(connection, kind=None):
    """An unfinished run of this connection, made now unless there is one. Full until a full one was completed."""
    if kind is None:
        kind = SyncRun.Kind.RECENT if was_read_whole(connection) else SyncRun.Kind.FULL
    try:
        with transaction.atomic():
            return SyncRun.objects.create(connection=connection, kind=kind)
    except IntegrityError:
        running = connection.sync_runs.unfinished().exclude(kind=SyncRun.Kind.CONTACT).first()
        return running or start(connection, kind)


def start_contact(contact, only=None, lane="interactive"):
    """A run that reads one contact again, whole or only some parts, made now unless one is under way.

    `lane` "webhook" when nobody waits for it at a page.
    """
    connection = Connection.objects.working().filter(location_id=contact.location_id).first()
    if connection is None or contact.remote_id is None:
        return None
    cursor = ({"parts": list(only)} if only else {}) | ({"lane": lane} if lane != "interactive" else {})
    try:
        with transaction.atomic():
            return SyncRun.objects.create(connection=connection, kind="contact", contact=contact, cursor=cursor)
    except IntegrityError:
        return _joined(SyncRun.objects.unfinished().filter(contact=contact).first(), only, lane)


def _joined(run, parts, lane):
    """The run, with these parts too if nobody has begun it."""
    if run is None:
        return None
    cursor = dict(run.cursor)
    if "parts" in cursor:
        cursor["parts"] = sorted({*cursor["parts"], *parts}) if parts else None
    if lane == "interactive":
        cursor.pop("lane", None)
    cursor = {key: value for key, value in cursor.items() if value is not None}
    if cursor != run.cursor and SyncRun.objects.filter(pk=run.pk, fence=0).update(cursor=cursor):
        run.cursor = cursor
    return run


def is_stale(contact):
    """Nobody has looked at this contact in GHL for a minute."""
    freshness = ContactFreshness.objects.filter(contact=contact).first()
    return not (freshness and freshness.record_at and freshness.record_at > timezone.now() - STALE_AFTER)


# --- what is due --------------------------------------------------------------------------------------------------


def start_due():
    """Start what is due. The runs, to ring for."""
    free = Connection.objects.working().exclude(pk__in=_busy()).select_related("location")
    return [start(connection, kind) for connection in free if (kind := due(connection))]


def due(connection, now=None):
    """The kind of run this idle connection needs now, or None.

    Full until one was completed; nightly once a night has begun that no whole run has seen, even if the day has come
    since; else recent, every SYNC_EVERY_S.
    """
    now = now or timezone.now()
    if not was_read_whole(connection):
        return SyncRun.Kind.FULL
    night = night_of(connection, now)
    whole = connection.sync_runs.filter(kind__in=[SyncRun.Kind.FULL, SyncRun.Kind.NIGHTLY])
    seen = whole.filter(started_at__gte=night, outcome=SyncRun.Outcome.COMPLETE).exists()
    if not seen and not whole.filter(started_at__gt=now - NIGHTLY_AGAIN, finished_at__isnull=False).exists():
        return SyncRun.Kind.NIGHTLY
    return SyncRun.Kind.RECENT


def night_of(connection, now):
    """When the latest night of this connection began: an early hour at the location, spread over all connections."""
    zone = connection.location.zone
    spread = NIGHT_LASTS * ((connection.pk * 2_654_435_761 % 2**32) / 2**32)
    for days in (0, 1):
        day = (now - timedelta(days=days)).astimezone(zone)
        night = day.replace(hour=NIGHT_BEGINS, minute=0, second=0, microsecond=0).astimezone(UTC) + spread
        if night <= now:
            return night
    return datetime.min.replace(tzinfo=UTC)


def was_read_whole(connection):
    return connection.sync_runs.filter(kind=SyncRun.Kind.FULL, outcome=SyncRun.Outcome.COMPLETE).exists()


def _busy():
    since = timezone.now() - timedelta(seconds=settings.SYNC_EVERY_S)
    runs = SyncRun.objects.exclude(kind=SyncRun.Kind.CONTACT)
    return runs.filter(Q(finished_at=None) | Q(started_at__gt=since)).values("connection")


def waiting_runs():
    """Runs that nobody works on and that are due: single contacts first, then each Business in turn, the one that has
    waited longest first."""
    of_business = F("connection__location__business")
    turn = Window(RowNumber(), partition_by=of_business, order_by=[F("next_at"), F("pk")])
    contacts = SyncRun.objects.due().filter(kind=SyncRun.Kind.CONTACT).order_by("pk")[:500]
    others = SyncRun.objects.due().exclude(kind=SyncRun.Kind.CONTACT).annotate(turn=turn).order_by("turn", "next_at")
    return [*contacts, *others[:500]]


# --- working ------------------------------------------------------------------------------------------------------


def work(run_id):
    """Take up a run and bring it as far as a slice of time goes. The run, or None when it was not ours to do.

    A run that `is_ready` afterwards has only made room for others: ring for it again.
    """
    if (run := SyncRun.objects.claim(run_id)) is None:
        return None
    run.work(partial(_pull, run), give_up=partial(_fail, run, OUR_FAULT))
    run.refresh_from_db()
    return run


def _pull(run):
    try:
        with client_for(run.connection, run.cursor.get("lane", LANES[run.kind])) as client:
            Pull(run, client).go()
    except MakeRoom:
        run.release(next_at=timezone.now())
    except ConnectionParked as parked:
        _fail(run, str(parked) or parked.plain)
    except errors.ScopeMissing as refused:
        run.connection.park(Connection.Status.NEEDS_REAUTH, refused.plain)
        _fail(run, refused.plain)
    except errors.LocationDenied as refused:
        denied(run.connection)  # a suspended account comes back by itself, any other needs a person
        _fail(run, refused.plain)
    except errors.GhlError as trouble:
        _put_off(run, trouble)


def _put_off(run, trouble):
    tries = max(run.attempts, 1)
    if run.kind != SyncRun.Kind.FULL and tries >= MOST_TRIES:
        return _fail(run, trouble.plain)
    wait = trouble.retry_after or RETRY_S[min(tries, len(RETRY_S)) - 1]
    log.warning("sync %s: stopped for %s s: %s", run.pk, wait, type(trouble).__name__)
    run.release(next_at=timezone.now() + timedelta(seconds=wait), stop_reason=trouble.plain, attempts=tries)


def _fail(run, reason):
    run.release(finished_at=timezone.now(), outcome=SyncRun.Outcome.FAILED, stop_reason=reason)
