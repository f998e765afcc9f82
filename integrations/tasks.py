"""Tasks ring the bell: an id goes in, a flow does the work. What is due stands in the rows."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from integrations import events, housekeeping, sync, writeback
from integrations.models import SyncRun

log = logging.getLogger(__name__)


def ring(task, pk):
    """Ask a worker to look at this row now. When the broker is away the sweeper rings again: nothing is lost."""
    try:
        task.delay(pk)
    except (OperationalError, RedisError, OSError) as trouble:
        log.warning("could not ring for %s %s: %s", task.name, pk, type(trouble).__name__)


def ring_run(run):
    """For one contact somebody waits; a whole location has a queue of its own."""
    ring(read_contact if run.kind == SyncRun.Kind.CONTACT else work_sync, run.pk)


@shared_task
def push_delivery(delivery_id):
    writeback.push(delivery_id)


@shared_task
def work_sync(run_id):
    sync.work(run_id)


@shared_task
def read_contact(run_id):
    sync.work(run_id)


@shared_task
def handle_event(event_id):
    for run in events.handle(event_id):
        ring_run(run)


@shared_task
def sweep():
    for pk in writeback.waiting_deliveries():
        ring(push_delivery, pk)
    for run in sync.waiting_runs():
        ring_run(run)
    for pk in events.waiting_events():
        ring(handle_event, pk)


@shared_task
def start_due_syncs():
    for connection in sync.due_connections():
        ring_run(sync.start(connection))


@shared_task
def tidy():
    housekeeping.tidy()
