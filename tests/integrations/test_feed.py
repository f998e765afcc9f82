"""Whoever follows a table that only grows is given every row of it, whenever its transaction ends."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from contacts.models import ActorKind, HistoryEvent
from integrations.models import Feed

pytestmark = pytest.mark.django_db(transaction=True)


def line(contact, title="", **values):
    return HistoryEvent.objects.create(
        location_id=contact.location_id,
        contact=contact,
        kind="erp_event",
        actor_kind=ActorKind.ERP,
        title=title,
        **values,
    )


def read(rows=None, **options):
    taken: list[int] = []
    is_more = Feed.read("test", HistoryEvent.objects.all() if rows is None else rows, taken.extend, **options)
    return taken, is_more


def let_time_pass():
    Feed.objects.update(marked_at=timezone.now() - timedelta(minutes=1))


def test_it_begins_with_what_comes_after_the_first_reading(contact):
    line(contact)
    assert read() == ([], False)
    new = line(contact)
    assert read() == ([new.pk], False)
    assert read() == ([], False)


def test_a_row_that_becomes_visible_after_a_higher_one_is_not_missed(contact):
    read()
    written, end = threading.Event(), threading.Event()
    early = []

    def write_slowly():
        with transaction.atomic():
            early.append(line(contact, "early number, late to be seen").pk)
            written.set()
            end.wait(20)
        connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert written.wait(20)
    later = line(contact)
    assert later.pk > early[0]
    for _ in range(3):  # as long as it is open, nothing after it is held to be sure
        let_time_pass()
        taken, _is_more = read()
        assert early[0] not in taken
    end.set()
    slow.join()
    let_time_pass()
    assert early[0] in read()[0]


def test_what_is_sure_is_not_given_again(contact):
    read()
    line(contact)
    for _ in range(3):
        let_time_pass()
        read()
    let_time_pass()
    assert read() == ([], False)
    feed = Feed.objects.get()
    assert feed.sure == feed.mark == feed.seen


def test_it_reads_so_many_at_a_time_and_only_the_rows_asked_for(contact):
    read()
    wanted = [line(contact, "wanted" if number % 2 else "other").pk for number in range(10)][1::2]
    rows, taken, is_more = HistoryEvent.objects.filter(title="wanted"), [], True
    while is_more:
        some, is_more = read(rows, at_once=4)
        taken += some
    assert taken == wanted


def test_what_could_not_be_taken_is_given_again(contact):
    read()
    new = line(contact)

    def fail(_pks):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Feed.read("test", HistoryEvent.objects.all(), fail)
    assert read() == ([new.pk], False)
