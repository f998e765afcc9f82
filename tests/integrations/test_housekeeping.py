from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Reminder, SavedView
from integrations.models import Connection, InboundEvent, Incident, QuarantinedEvent, SyncRun, Trouble
from integrations.monitoring import housekeeping

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    def make(event_id, **values):
        return InboundEvent.objects.create(event_id=event_id, kind="ContactUpdate", body=b"{}", **values)

    return make


@pytest.fixture
def connection(location, ada):
    return Connection.objects.create(location=location, kind="oauth", connected_by=ada, status="disconnected")


def ago(days):
    return timezone.now() - timedelta(days=days)


def test_an_old_webhook_goes_a_recent_and_an_unfinished_one_stay(event):
    event("old", finished_at=ago(31))
    event("recent", finished_at=timezone.now())
    event("unfinished", received_at=ago(31))
    assert housekeeping.tidy()["webhooks"] == 1
    assert set(InboundEvent.objects.values_list("event_id", flat=True)) == {"recent", "unfinished"}


def test_a_great_many_go_in_batches(event, monkeypatch):
    monkeypatch.setattr(housekeeping, "BATCH", 4)
    for number in range(10):
        event(f"old {number}", finished_at=ago(31))
    assert housekeeping.tidy()["webhooks"] == 10
    assert not InboundEvent.objects.exists()


def test_when_the_time_is_over_the_rest_is_left_for_the_next_turn(event, monkeypatch):
    monkeypatch.setattr(housekeeping, "LONGEST_S", 0)
    event("old", finished_at=ago(31))
    assert housekeeping.tidy()["webhooks"] == 0
    assert InboundEvent.objects.count() == 1


def test_checks_that_found_nothing_go_first_and_the_last_complete_one_of_each_kind_stays(connection):
    def run(kind, days, **values):
        at = ago(days)
        values = {"outcome": "complete", "phase": "done", **values}
        return SyncRun.objects.create(connection=connection, kind=kind, started_at=at, finished_at=at, **values)

    full, nightly = run("full", 400), run("nightly", 200)
    older_full = run("full", 401)
    found = run("recent", 5, found={"contacts": {"stale": 1}})
    nothing, last = run("recent", 5), run("recent", 3)
    failed = run("recent", 20, outcome="failed")
    removed = housekeeping.tidy()
    assert set(SyncRun.objects.all()) == {full, nightly, found, last}
    assert (removed["checks that found nothing"], removed["checks"], removed["whole reads"]) == (2, 0, 1)
    assert {older_full.pk, nothing.pk, failed.pk}.isdisjoint(SyncRun.objects.values_list("pk", flat=True))


def test_the_error_log_incidents_and_unverified_webhooks_have_their_time(connection):
    for days in (29, 31):
        Trouble.objects.create(
            connection=connection, hour=ago(days), method="GET", path="/x", error="NoAnswer", last_at=ago(days)
        )
    still_open = Incident.objects.create(connection=connection, kind="gap", opened_at=ago(300))
    Incident.objects.create(connection=connection, kind="guard", opened_at=ago(300), closed_at=ago(181))
    for days in (6, 8):
        QuarantinedEvent.objects.create(body_hash=str(days), body=b"", signature="", received_at=ago(days))
    removed = housekeeping.tidy()
    assert (removed["error log"], removed["incidents"], removed["unverified webhooks"]) == (1, 1, 1)
    assert list(Incident.objects.all()) == [still_open]


def test_a_deleted_view_can_be_taken_back_for_a_week(ana, northgate):
    for name, deleted_at in (("long gone", ago(8)), ("just deleted", ago(6)), ("in use", None)):
        SavedView.objects.create(owner=ana, business=northgate, name=name, deleted_at=deleted_at)
    assert housekeeping.tidy()["deleted views"] == 1
    assert set(SavedView.objects.values_list("name", flat=True)) == {"just deleted", "in use"}


def test_a_reminder_of_last_month_goes_and_one_to_come_stays(ana):
    for at in (ago(31), ago(-1)):
        Reminder.objects.create(user=ana, at=at)
    assert housekeeping.tidy()["reminders"] == 1
    assert Reminder.objects.get().at > timezone.now()
