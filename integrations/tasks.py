"""Tasks ring the bell: an id goes in, a flow does the work. What is due stands in the rows."""

import logging
import threading
import time

from celery import current_app, shared_task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from contacts.listing import bulk
from contacts.tasks import work_bulk
from integrations.access import incidents, tokens
from integrations.automations import clock, feeding, offered, running
from integrations.catalogue import executor
from integrations.matching import arrivals, newcomers
from integrations.models import Agency, Connection, SyncRun
from integrations.monitoring import housekeeping
from integrations.news import events
from integrations.outgoing import replay, sending, telling
from integrations.reading import sync
from integrations.writing import writeback
from rankr_dash.shared_redis import shared_redis

log = logging.getLogger(__name__)

# Rings that may wait in one queue. With the workers away every sweep would add the same ones again.
MOST_RINGS = 1000
FEW_RINGS = 100  # with more of them waiting, a sweep adds none: they may well be for the same rows
AWAY_S = 3.0  # after the broker could not be reached nobody waits for it again for so long
_away_until = 0.0


def ring(task, pk, after=0.0):
    """Ask a worker to look at this row now, or some seconds from now. When the broker is away, or this process by
    then, the sweeper rings again: nothing is lost."""
    if after:
        timer = threading.Timer(after, ring, (task, pk))
        timer.daemon = True
        timer.start()
        return
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        if rings_waiting(task) < MOST_RINGS:
            task.delay(pk)
    except (OperationalError, RedisError, OSError) as trouble:
        _away_until = time.monotonic() + AWAY_S
        log.warning("could not ring for %s %s: %s", task.name, pk, type(trouble).__name__)


def rings_waiting(task):
    """How many messages wait in the queue of this task."""
    queue = current_app.amqp.router.route({}, task.name)["queue"]
    return shared_redis().llen(queue.name)


def ring_run(run):
    """For one contact somebody waits; a whole location has a queue of its own."""
    ring(read_contact if run.kind == SyncRun.Kind.CONTACT else work_sync, run.pk)


def ring_delivery(delivery):
    """A person's edit at once. Of a bulk action only so many wait in line as leave room for a sync between them."""
    if not delivery.in_bulk:
        ring(push_delivery, delivery.pk)
    elif is_short(push_in_bulk):
        ring(push_in_bulk, delivery.pk)


@shared_task
def push_delivery(delivery_id):
    for pk, seconds in writeback.push(delivery_id):
        ring(push_delivery, pk, after=seconds)


@shared_task
def push_in_bulk(delivery_id):
    """The same for edits that nobody waits for, from a queue that nobody waits for."""
    for pk, seconds in writeback.push(delivery_id):
        ring(push_in_bulk, pk, after=seconds)


@shared_task
def run_operation(operation_run_id):
    if (seconds := executor.run(operation_run_id)) is not None:
        ring(run_operation, operation_run_id, after=seconds)
    for pk in running.woken_by(operation_run_id) if seconds is None else ():
        ring(run_rule, pk)


@shared_task(soft_time_limit=300, time_limit=360)
def work_sync(run_id):
    run = sync.work(run_id)
    if run and run.is_ready:
        ring_run(run)


@shared_task
def read_contact(run_id):
    sync.work(run_id)


@shared_task
def handle_event(event_id):
    for run in events.handle(event_id):
        ring_run(run)


@shared_task
def handle_erp_event(event_id):
    arrivals.handle(event_id)


@shared_task
def tell_outgoing(_change_id=None):
    """Whatever rings for it: all that has happened since is told, and every address is looked at."""
    telling.follow()
    replay.go_on()
    for pk in sending.waiting():
        ring(deliver_outgoing, pk)


@shared_task
def deliver_outgoing(hook_id):
    if sending.deliver(hook_id):
        ring(deliver_outgoing, hook_id)


@shared_task
def follow_contacts():
    """Who has come or changed may be somebody whose ERP events wait."""
    for pk in newcomers.follow():
        ring(handle_erp_event, pk)


@shared_task
def follow_rules():
    """Take up for the rules what has happened since, and ring for the runs that are due."""
    feeding.feed()
    _ring_all(run_rule, running.waiting)


@shared_task
def tick_rules():
    clock.tick()


@shared_task
def run_rule(run_id):
    if (seconds := running.work(run_id)) is not None:
        ring(run_rule, run_id, after=seconds)


@shared_task
def read_offers(connection_id):
    offered.read(connection_id)


@shared_task
def renew_connection(connection_id):
    tokens.renew_if_due(Connection, connection_id)


@shared_task
def renew_agency(agency_id):
    tokens.renew_if_due(Agency, agency_id)


@shared_task
def tell_incident(incident_id):
    incidents.tell(incident_id)


@shared_task
def sweep():
    """Ring for all that is due. What breaks in one part must not keep the bells of the others from ringing."""
    for part in (_ring_for_edits, _ring_for_runs, _ring_for_events, _ring_for_tokens, _ring_for_incidents):
        try:
            part()
        except Exception:
            log.exception("the sweep was broken off in %s", part.__name__)


@shared_task
def catch_up():
    events.catch_up()


@shared_task
def start_due_syncs():
    for run in sync.start_due():
        ring_run(run)


@shared_task(soft_time_limit=1800, time_limit=1860)
def tidy():
    housekeeping.tidy()


def _ring_for_edits():
    _ring_all(push_delivery, writeback.waiting_deliveries)
    _ring_all(push_in_bulk, writeback.waiting_in_bulk)
    _ring_all(work_bulk, bulk.waiting)
    _ring_all(run_operation, executor.waiting)


def _ring_for_runs():
    if is_short(read_contact) or is_short(work_sync):
        for run in sync.waiting_runs():
            ring_run(run)


def _ring_for_events():
    _ring_all(handle_event, events.waiting_events)
    _ring_all(handle_erp_event, arrivals.waiting)


def _ring_for_tokens():
    _ring_all(renew_connection, tokens.due_connections)
    _ring_all(renew_agency, tokens.due_agencies)


def _ring_for_incidents():
    incidents.watch_access()
    _ring_all(tell_incident, incidents.waiting_incidents)


def _ring_all(task, due):
    if is_short(task):
        for pk in due():
            ring(task, pk)


def is_short(task):
    """Whether few rings wait in the queue of this task. So also while nobody can look."""
    try:
        return rings_waiting(task) < FEW_RINGS
    except (RedisError, OSError):
        return True
