"""The bells: they may be lost or doubled, never pile up, and one that breaks silences no other."""

import pytest
from celery import current_app
from django.conf import settings
from redis.exceptions import ConnectionError as RedisAway

from integrations import tasks
from integrations.models import InboundEvent
from rankr_dash.celery import app
from rankr_dash.shared_redis import shared_redis

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(tasks, "_away_until", 0.0)
    shared_redis().delete("people", "events", "bulk")
    yield
    shared_redis().delete("people", "events", "bulk")


def rings(queue="events"):
    return shared_redis().llen(queue)


def waiting(count):
    InboundEvent.objects.bulk_create(
        [InboundEvent(event_id=f"e{n}", kind="ContactUpdate", body=b"{}") for n in range(count)]
    )


def test_while_no_worker_listens_bells_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(tasks, "MOST_RINGS", 20)
    waiting(30)
    for _ in range(10):
        tasks.sweep()
    assert rings() == 20
    tasks.ring(tasks.handle_event, 1)
    assert rings() == 20
    tasks.ring(tasks.push_delivery, 1)  # another queue has room of its own
    assert rings("people") == 1


def test_a_sweep_rings_no_row_again_while_many_of_its_last_rings_wait(monkeypatch):
    monkeypatch.setattr(tasks, "FEW_RINGS", 10)
    waiting(30)
    for _ in range(10):
        tasks.sweep()
    assert rings() == 30
    while rings() > 5:
        shared_redis().lpop("events")
    tasks.sweep()
    assert rings() == 35


def test_a_part_of_the_sweep_that_breaks_leaves_the_others_their_bells(monkeypatch):
    def broken():
        raise RuntimeError("out of order")

    monkeypatch.setattr(tasks.writeback, "waiting_deliveries", broken)
    waiting(3)
    tasks.sweep()
    assert rings() == 3


def test_a_broker_that_is_away_stops_nobody(monkeypatch):
    def away(task):
        raise RedisAway

    monkeypatch.setattr(tasks, "rings_waiting", away)
    tasks.ring(tasks.handle_event, 1)
    assert rings() == 0


def test_what_the_clock_rang_while_nobody_listened_is_thrown_away():
    assert all(entry["options"]["expires"] <= 600 for entry in settings.CELERY_BEAT_SCHEDULE.values())


def test_every_task_has_a_queue_that_a_worker_serves_and_an_end():
    current_app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if name.startswith(("contacts.", "integrations."))}
    served = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    assert set(settings.CELERY_TASK_ROUTES) <= set(ours)
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(ours)
    for name, task in ours.items():
        assert app.amqp.router.route({}, name)["queue"].name in served
        soft = task.soft_time_limit or app.conf.task_soft_time_limit
        assert 0 < soft < (task.time_limit or app.conf.task_time_limit)
