"""While the database is away, verified webhooks wait on the disk: sealed, bounded, and taken in exactly once."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from django.db import DatabaseError

from integrations import crypto
from integrations.models import InboundEvent
from integrations.news import events, spool
from tests.integrations.posting import no_database, our_key, post  # noqa: F401
from tests.workers import wait_until

pytestmark = pytest.mark.django_db

BODY = b'{"type":"ContactUpdate","locationId":"loc1","id":"con1","email":"zo\xc3\xab@example.com","webhookId":"%d"}'


def files(settings):
    return sorted(Path(settings.WEBHOOK_SPOOL).iterdir())


def test_nobody_else_can_read_it_and_no_personal_data_lies_in_clear(settings):
    spool.append(BODY % 1)
    (file,) = files(settings)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"example.com" not in file.read_bytes()


def test_what_was_put_in_comes_out_with_its_time_and_the_file_is_gone(settings):
    for number in range(3):
        spool.append(BODY % number)
    assert spool.is_waiting()
    assert events.take_in_spool() == 3
    assert bytes(InboundEvent.objects.get(event_id="1").body) == BODY % 1
    assert files(settings) == []
    assert not spool.is_waiting()


def test_any_bytes_survive():
    taken = []
    for body in (b"", b"\x00\xff\n\r", b"\xf0\x9f\x8c\x8a", bytes(range(256)) * 40):
        spool.append(body)
    spool.take_in(lambda body, received_at: taken.append(body))
    assert taken == [b"", b"\x00\xff\n\r", b"\xf0\x9f\x8c\x8a", bytes(range(256)) * 40]


def test_a_crash_between_storing_and_removing_costs_nothing(settings):
    spool.append(BODY % 1)
    spool.append(BODY % 2)
    calls = []

    def dies_at_the_second(body, received_at):
        calls.append(body)
        if len(calls) == 2:
            raise DatabaseError
        events.store(body, received_at)

    with pytest.raises(DatabaseError):
        spool.take_in(dies_at_the_second)
    assert len(files(settings)) == 1
    assert events.take_in_spool() == 2
    assert InboundEvent.objects.count() == 2


def test_while_one_takes_a_file_in_others_write_beside_it_and_nobody_takes_it_twice():
    spool.append(BODY % 1)
    first, second = [], []

    def store(body, received_at):
        first.append(body)
        spool.append(BODY % 2)
        spool.take_in(lambda body, received_at: second.append(body))

    assert spool.take_in(store) == 1
    assert (first, second) == ([BODY % 1], [BODY % 2])


def test_a_torn_line_is_left_out_and_the_others_are_taken(settings, caplog):
    spool.append(BODY % 1)
    (file,) = files(settings)
    with file.open("ab") as out:
        out.write(file.read_bytes()[:40] + b"\n\xff\n")
    spool.append(BODY % 2)
    assert events.take_in_spool() == 2
    assert "torn line" in caplog.text


def test_while_its_key_is_missing_it_waits(settings, caplog):
    spool.append(BODY % 1)
    ours = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["other:" + "A" * 43 + "="]
    assert "other" in crypto.key_ring()
    assert events.take_in_spool() == 0
    assert "not in ENCRYPTION_KEYS" in caplog.text
    settings.ENCRYPTION_KEYS = ours
    assert events.take_in_spool() == 1


def test_it_does_not_fill_the_disk(monkeypatch):
    monkeypatch.setattr(spool, "MOST_BYTES", 2_000)
    with pytest.raises(spool.Full):
        for number in range(100):
            spool.append(BODY % number)
    assert 3 <= events.take_in_spool() < 10


@pytest.mark.django_db(transaction=True)
def test_with_the_spool_full_ghl_is_asked_to_come_again(client, monkeypatch):
    monkeypatch.setattr(spool, "MOST_BYTES", 10)
    with no_database():
        assert post(client, {"type": "ContactUpdate"}).status_code == 429


def write_many(folder, name, number):
    """In a process of its own."""
    from django.conf import settings

    settings.WEBHOOK_SPOOL = folder
    for each in range(number):
        spool.append(b'{"type":"Odd","webhookId":"%s-%d"}' % (name, each))
    os._exit(0)


def test_several_processes_write_while_one_takes_in(settings):
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write_many, args=(settings.WEBHOOK_SPOOL, b"%d" % n, 40)) for n in range(3)]
    taken = []
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        spool.take_in(lambda body, received_at: taken.append(body))
    spool.take_in(lambda body, received_at: taken.append(body))
    assert len(taken) == len(set(taken)) == 120


@pytest.mark.django_db(transaction=True)
def test_once_the_database_is_back_the_spool_is_emptied_though_no_other_webhook_comes(client, monkeypatch):
    monkeypatch.setattr(events, "emptier", events.SpoolEmptier(every_s=0.05))
    with no_database():
        assert post(client, {"type": "Odd", "webhookId": "a"}).status_code == 200
        assert spool.is_waiting()
    wait_until(lambda: InboundEvent.objects.filter(event_id="a").exists())
    wait_until(lambda: not spool.is_waiting())
    with no_database():
        assert post(client, {"type": "Odd", "webhookId": "b"}).status_code == 200
    wait_until(lambda: InboundEvent.objects.filter(event_id="b").exists())


@pytest.mark.django_db(transaction=True)
def test_what_the_process_before_us_has_left_is_taken_in_with_our_first_webhook(client, monkeypatch):
    monkeypatch.setattr(events, "emptier", events.SpoolEmptier(every_s=0.05))
    spool.append(BODY % 1)
    post(client, {"type": "Odd", "webhookId": "a"})
    wait_until(lambda: InboundEvent.objects.filter(event_id="1").exists())
