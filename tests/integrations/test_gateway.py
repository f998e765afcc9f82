"""What a client leaves behind: what it spent, what failed, and peace for a location that does not answer."""

import pytest

from integrations.gateway import breaker_of, client_for
from integrations.ghl import errors
from integrations.models import Trouble, Usage

pytestmark = pytest.mark.django_db


def fails(sandbox, path, times=1, status=500, **action):
    sandbox.faults({"match": {"path": path, "times": times}, "action": {"status": status, **action}})


def test_what_failed_stands_in_the_error_log_once_with_a_count(sandbox, connection):
    fails(sandbox, "/tags$", times=2)
    with client_for(connection, "reconcile") as client:
        client.tags()
    trouble = Trouble.objects.get(connection=connection)
    assert (trouble.method, trouble.path, trouble.error, trouble.times) == (
        "GET",
        "/locations/{}/tags",
        "Unavailable",
        2,
    )
    assert trouble.last["status"] == 500
    assert trouble.last["plain"]
    fails(sandbox, "/tags$")
    with client_for(connection, "reconcile") as client:
        client.tags()
    assert Trouble.objects.get(connection=connection).times == 3


def test_a_read_of_what_is_gone_is_no_trouble(sandbox, connection):
    with client_for(connection, "interactive") as client, pytest.raises(errors.NotFound):
        client.get_contact("conNobody0000000001")
    assert not Trouble.objects.exists()
    assert Usage.objects.get(connection=connection).requests == 1


def test_an_error_in_the_block_stays_what_it_was_and_is_booked(sandbox, connection):
    fails(sandbox, "/tags$", times=9)
    with pytest.raises(errors.Unavailable), client_for(connection, "interactive") as client:
        client.tags()
    assert Trouble.objects.get().times == 3


@pytest.mark.django_db(transaction=True)
def test_a_long_read_books_on_the_way(sandbox, connection, monkeypatch):
    monkeypatch.setattr("integrations.monitoring.troubles.EVERY_S", 0)
    fails(sandbox, "/tags$")
    with client_for(connection, "reconcile") as client:
        client.tags()
        assert Trouble.objects.get().times == 1


def test_a_location_that_does_not_answer_is_left_in_peace(sandbox, connection):
    fails(sandbox, "/tags$", times=9)
    with pytest.raises(errors.Unavailable), client_for(connection, "backfill") as client:
        client.tags()
    assert breaker_of(connection).state().state == "open"
    with pytest.raises(errors.Paused) as paused, client_for(connection, "interactive") as client:
        client.tags()
    assert 0 < paused.value.retry_after <= 30
    assert Trouble.objects.get().times == 5  # what was never sent is no trouble of GHL's
