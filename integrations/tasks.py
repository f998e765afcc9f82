"""Tasks ring the bell: an id goes in, a flow does the work. What is due stands in the rows."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from integrations import events, housekeeping, sync, writeback

log = logging.getLogger(__name__)


def ring(task, pk):
    """Ask a worker to look at this row now. When the broker is away the sweeper rings again: nothing is lost."""
    try:
        task.delay(pk)
    except (OperationalError, RedisError, OSError) as trouble:
        log.warning("could not ring for %s %s: %s", task.name, pk, type(trouble).__name__)


@shared_task
def push_delivery(delivery_id):
    writeback.push(delivery_id)


@shared_task
def work_sync(run_id):
    sync.work(run_id)


@shared_task
def handle_event(event_id):
    for run_id in events.handle(event_id):
        ring(work_sync, run_id)


@shared_task
def sweep():
    for pk in writeback.waiting_deliveries():
        ring(push_delivery, pk)
    for pk in sync.waiting_runs():
        ring(work_sync, pk)
    for pk in events.waiting_events():
        ring(handle_event, pk)


@shared_task
def start_due_syncs():
    for connection in sync.due_connections():
        ring(work_sync, sync.start(connection).pk)


@shared_task
def tidy():
    housekeeping.tidy()
