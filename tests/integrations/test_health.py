"""The Health pages: what came in, what had to be put right, what it costs, what failed, and what to do about it."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Change, Location
from integrations.gateway import breaker_of
from integrations.ghl import errors
from integrations.models import Connection, Delivery, InboundEvent, Incident, SyncRun, Trouble, Usage
from integrations.monitoring import backlog, checkup
from integrations.monitoring.operations import WORDS
from rankr_dash.shared_redis import shared_redis

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_redis(settings):
    settings.GHL_API_BASE = settings.GHL_MARKETPLACE_BASE = "http://127.0.0.1:9"
    settings.GHL_CLIENT_ID = "app"
    shared_redis().flushdb()


@pytest.fixture
def connected(location, ada):
    """A connection as it stands after a while, without GHL."""
    return connect(location, ada)


def connect(location, by):
    connection = Connection(location=location, kind="oauth", connected_by=by)
    for column, value in connection.sealed("access", "refresh").items():
        setattr(connection, column, value)
    connection.expires_at = timezone.now() + timedelta(hours=20)
    connection.renew_at = timezone.now() + timedelta(hours=16)
    connection.save()
    return connection


def page(client, connection):
    answer = client.get(f"/connections/{connection.pk}/health/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def whole(client):
    answer = client.get("/health/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def checked(connection, found=None, ago=timedelta(minutes=1), **values):
    at = timezone.now() - ago
    return SyncRun.objects.create(
        connection=connection, kind="recent", outcome="complete", found=found or {}, started_at=at, finished_at=at,
        phase="done", **values,
    )  # fmt: skip


def event(connection, event_id, outcome="failed", **values):
    values.setdefault("finished_at", timezone.now() if outcome else None)
    return InboundEvent.objects.create(
        event_id=event_id, kind="ContactUpdate", body=b"{}", outcome=outcome,
        remote_location_id=connection.location.remote_id, **values,
    )  # fmt: skip


# --- who ----------------------------------------------------------------------------------------------------------


def test_only_admins_have_these_pages(as_user, ana, max_, cy, connected):
    for user in (ana, max_):
        assert as_user(user).get("/health/").status_code == 404
    for user in (ana, max_, cy):
        assert as_user(user).get(f"/connections/{connected.pk}/health/").status_code == 404
        assert as_user(user).post(f"/connections/{connected.pk}/health/again/").status_code == 404
    assert str(connected.location) not in whole(as_user(cy))


# --- what they say ----------------------------------------------------------------------------------------------------


def test_without_a_connection_the_page_says_what_it_is_for(as_user, ada):
    assert "No GHL location is connected yet" in whole(as_user(ada))


def test_a_quiet_connection_has_nothing_to_tell(as_user, ada, connected):
    checked(connected)
    text = page(as_user(ada), connected)
    assert "nothing to put right" in text
    assert "No request to GHL has failed in the last 30 days." in text
    assert "Every edit has arrived." in text
    assert "Healthy" in text


def test_what_checks_found_is_summed_by_period(as_user, ada, connected):
    checked(connected, {"contacts": {"missing": 1, "stale": 2, "extra": 0, "unannounced": 2}})
    checked(connected, {"contacts": {"missing": 0, "stale": 4}, "notes": {"extra": 1}}, ago=timedelta(days=3))
    checked(connected, {"contacts": {"missing": 50}}, ago=timedelta(days=8))
    checked(connected, {"odd": 3, "tasks": {"waiting": ["x"]}}, ago=timedelta(days=2))
    (row,) = checkup.of(Connection.objects.all())
    assert (row.day.put_right, row.day.unannounced) == (3, 2)
    assert row.week.put_right == 8
    assert row.last_found.put_right == 3
    text = page(as_user(ada), connected)
    assert "3 put right, 2 of them never announced" in text
    assert "3 of these in the last 24 hours, 2 without a webhook." in text


def test_webhooks_are_counted_by_what_became_of_them(as_user, ada, connected):
    event(connected, "done", "handled")
    event(connected, "kept", "kept")
    event(connected, "waiting", "")
    event(connected, "broken", reason="It broke.")
    event(connected, "old", "handled", received_at=timezone.now() - timedelta(days=2))
    (row,) = checkup.of(Connection.objects.all())
    assert (row.received, row.events_waiting, row.events_failed) == (4, 1, 1)
    assert "It broke." in page(as_user(ada), connected)


def test_the_error_log_speaks_plainly_and_folds_the_rest(as_user, ada, connected):
    Trouble.objects.create(
        connection=connected, hour=timezone.now(), method="GET", path="/contacts/{}/notes", error="Unavailable",
        times=4, last={"status": 502, "plain": errors.Unavailable.plain, "messages": ["Bad gateway"], "trace_id": "t1"},
    )  # fmt: skip
    text = page(as_user(ada), connected)
    assert "Reading notes of a contact" in text
    assert errors.Unavailable.plain in text
    assert "4 times in the hour" in text
    assert "GET /contacts/{}/notes → 502 Unavailable" in text
    assert "Reading notes of a contact" in whole(as_user(ada))


def test_a_refused_edit_can_be_sent_again_from_here(as_user, ada, contact, connected):
    Change.objects.create(
        business=contact.location.business, location=contact.location, contact=contact, kind="contact", verb="update",
        made_by=ada, values={"city": "Elgin"}, state="refused", settled_at=timezone.now(), sentence="GHL said no.",
    )  # fmt: skip
    text = page(as_user(ada), connected)
    assert "GHL said no." in text
    assert "/outbox/?who=everyone&amp;only=undecided" in text
    assert "1 to decide" in whole(as_user(ada))


def test_an_incident_says_what_it_costs_and_needs_somebody(as_user, ada, connected):
    Incident.objects.create(connection=connected, kind="gap", reason="Nothing came in since noon.")
    text = whole(as_user(ada))
    assert "Needs attention" in text
    assert "1 needs you" in text
    assert "within minutes instead of seconds" in page(as_user(ada), connected)


def test_an_admin_says_that_lost_records_are_really_gone(as_user, ada, max_, connected):
    incident = Incident.objects.create(connection=connected, kind="guard", reason="812 contacts are missing.")
    assert "They are really gone" in page(as_user(ada), connected)
    assert as_user(max_).post(f"/connections/{connected.pk}/health/gone/").status_code == 404
    as_user(ada).post(f"/connections/{connected.pk}/health/gone/")
    incident.refresh_from_db()
    assert incident.closed_by == ada
    assert "They are really gone" not in page(as_user(ada), connected)


def test_a_lost_access_is_told_with_one_action(as_user, ada, connected):
    connected.park(Connection.Status.NEEDS_REAUTH, "GHL no longer accepts our access.")
    text = page(as_user(ada), connected)
    assert "GHL no longer accepts our access." in text
    assert "Reconnect" in text
    assert "Needs reconnecting" in whole(as_user(ada))


def test_a_pause_is_told_until_when(as_user, ada, connected):
    breaker = breaker_of(connected)
    for _ in range(breaker.failures):
        breaker.after(errors.Unavailable("away", status=503))
    assert "GHL does not answer for this account. Nothing is sent until" in page(as_user(ada), connected)


def test_the_budget_says_where_the_day_leads(as_user, ada, connected):
    Usage.objects.create(connection=connected, day=timezone.now().date(), requests=199_000, retries=12)
    text = page(as_user(ada), connected)
    assert "199,000 spent" in text
    assert "At this pace" in text
    assert "12 today" in text


def test_htmx_gets_the_part_alone(as_user, ada, connected):
    for url in ("/health/", f"/connections/{connected.pk}/health/"):
        part = as_user(ada).get(url, headers={"HX-Request": "true"}).content.decode()
        assert part.lstrip().startswith('<div class="live" id="health"')
        assert "<html" not in part


def test_the_number_of_connections_costs_no_queries(as_user, ada, northgate, connected):
    client = as_user(ada)

    def queries():
        with CaptureQueriesContext(database) as asked:
            whole(client)
        return len(asked)

    def fill(connection):
        checked(connection, {"contacts": {"stale": 1}})
        event(connection, f"of {connection.pk}")
        Incident.objects.create(connection=connection, kind="gap")
        Trouble.objects.create(connection=connection, hour=timezone.now(), method="GET", path="/x", error="NoAnswer")

    fill(connected)
    queries()
    before = queries()
    for number in range(4):
        other = Location.objects.create(business=northgate, remote_id=f"locOther{number}", name=f"Other {number}")
        fill(connect(other, ada))
    assert queries() == before


# --- background work --------------------------------------------------------------------------------------------------


def test_background_work_that_waits_is_told_by_kind(as_user, ada, connected):
    assert backlog.backlog().text == "On time"
    long_ago = timezone.now() - timedelta(minutes=5)
    event(connected, "waiting", "", next_at=long_ago)
    Delivery.objects.create(location=connected.location, kind="note", record_id=1, next_at=timezone.now())
    behind = backlog.backlog()
    assert behind.late == [("webhooks", "5 min")]
    assert "Behind by 5 min" in whole(as_user(ada))


def test_work_whose_worker_died_counts_from_the_end_of_the_lease(connected):
    now = timezone.now()
    ended = now - timedelta(seconds=100)
    event(connected, "dropped", "", next_at=now - timedelta(hours=1), lease_until=ended)
    event(connected, "held", "", next_at=now - timedelta(hours=1), lease_until=now + timedelta(seconds=30))
    assert 99 <= backlog.backlog().seconds <= 110


def test_an_edit_whose_bell_was_never_heard_counts_too(connected, contact, ada):
    contact.edit(by=ada, city="Elgin")
    Delivery.objects.all().delete()
    Change.objects.update(not_before=timezone.now() - timedelta(minutes=3))
    assert backlog.backlog().late == [("edits on their way to GHL", "3 min")]


# --- looking again ----------------------------------------------------------------------------------------------------


def test_failed_webhooks_are_looked_at_again_and_a_second_press_does_no_harm(as_user, ada, connected):
    failed = [event(connected, f"f{n}", attempts=3, strikes=2, reason="It broke.") for n in range(3)]
    old = event(connected, "old", received_at=timezone.now() - timedelta(days=2))
    done = event(connected, "done", "handled")
    client = as_user(ada)
    for _ in range(2):
        answer = client.post(f"/connections/{connected.pk}/health/again/", {"hours": "24"}, follow=True)
        assert answer.status_code == 200
    due = InboundEvent.objects.due()
    assert set(due) == set(failed)
    assert {(one.attempts, one.strikes, one.outcome, one.reason) for one in due} == {(0, 0, "", "")}
    old.refresh_from_db()
    done.refresh_from_db()
    assert (old.outcome, done.outcome) == ("failed", "handled")
    client.post(f"/connections/{connected.pk}/health/again/{old.pk}/")
    assert InboundEvent.objects.due().filter(pk=old.pk).exists()


def test_a_webhook_of_another_location_is_not_touched(as_user, ada, cy, connected):
    from contacts.models import Business

    elsewhere = Location.objects.create(business=Business.objects.get(name="Initech"), remote_id="locI", name="Initech")
    theirs = event(connect(elsewhere, cy), "theirs")
    as_user(ada).post(f"/connections/{connected.pk}/health/again/{theirs.pk}/")
    theirs.refresh_from_db()
    assert theirs.outcome == "failed"
    assert as_user(ada).post(f"/connections/{connected.pk}/health/again/", {"hours": "9"}).status_code == 404
    assert as_user(ada).get(f"/connections/{connected.pk}/health/again/").status_code == 405


def test_every_operation_of_the_client_has_words():
    from pathlib import Path
    from re import findall

    from integrations.ghl import client

    source = Path(client.__file__).read_text()
    used = {("GET", path) for path in findall(r'_get\(\s*"([^"]+)"', source)}
    used |= {("POST", path) for path in findall(r'_search\(\s*"([^"]+)"', source)}
    used |= set(findall(r'_write\(\s*"(\w+)",\s*"([^"]+)"', source))
    assert len(used) > 20
    assert used - set(WORDS) == set()


def test_whoever_runs_the_server_can_ask_whether_work_keeps_up(connected, capsys):
    call_command("behind")
    assert "On time" in capsys.readouterr().out
    event(connected, "waiting", "", next_at=timezone.now() - timedelta(minutes=5))
    call_command("behind", by=3600)
    with pytest.raises(CommandError, match="webhooks for 5 min"):
        call_command("behind")
