"""A token that works, whoever asks, however many ask at once, and whatever happens to a renewal."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.access import connect, tokens
from integrations.ghl import errors
from integrations.models import Agency, Connection, Incident
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)

REFRESH = {"method": "POST", "path": "/oauth/token"}


def ago(**period):
    return timezone.now() - timedelta(**period)


def let_end(connection):
    """The access token's life is over, and the row knows it."""
    Connection.objects.filter(pk=connection.pk).update(renew_at=ago(seconds=1), expires_at=ago(seconds=1))


def let_be_due(connection):
    Connection.objects.filter(pk=connection.pk).update(renew_at=ago(seconds=1))


def sweep():
    """What the sweeper's rings do, now."""
    for pk in tokens.due_connections():
        tokens.renew_if_due(Connection, pk)


def refreshes(sandbox):
    """What was asked of the token endpoint since the connection was made."""
    return [entry["status"] for entry in sandbox.log()["entries"] if entry["path"] == "/oauth/token"][1:]


def in_the_pause(sandbox, connection):
    """The pause after a failure is over."""
    Connection.objects.filter(pk=connection.pk).update(renew_at=ago(seconds=1))


def at_once(count, act):
    """The answers, or exceptions, of so many callers at the same moment."""

    def ask(number):
        try:
            return act()
        except Exception as trouble:
            return trouble
        finally:
            database.close()

    with ThreadPoolExecutor(count) as callers:
        return list(callers.map(ask, range(count)))


# --- the ordinary way -------------------------------------------------------------------------------------------------


def test_a_token_is_renewed_before_it_ends(connection):
    old = connection.access_token
    let_be_due(connection)
    assert tokens.valid_token(connection.pk) != old


def test_a_renewal_is_planned_at_four_fifths_of_the_life_and_not_for_all_at_once(connection):
    planned = set()
    for _ in range(5):
        let_be_due(connection)
        sweep()
        connection.refresh_from_db()
        life = connection.expires_at - connection.token_obtained_at
        planned.add((connection.renew_at - connection.token_obtained_at) / life)
    assert len(planned) == 5
    assert all(0.74 < part < 0.86 for part in planned)


def test_an_idle_connection_is_renewed_without_anybody_calling(connection):
    old = connection.access_token
    let_be_due(connection)
    sweep()
    connection.refresh_from_db()
    assert connection.access_token != old
    assert tokens.due_connections() == []


def test_what_is_not_due_is_left_alone(connection, sandbox):
    tokens.renew_if_due(Connection, connection.pk)
    assert refreshes(sandbox) == []


def test_a_rejected_token_is_replaced_once(connection):
    old = connection.access_token
    new = tokens.valid_token(connection.pk, rejected=old)
    assert new != old
    assert tokens.valid_token(connection.pk, rejected=old) == new


def test_a_token_that_lives_for_seconds_only_is_used(connection, sandbox):
    sandbox.post("tokens", {"access_token_lifetime": 20})
    let_end(connection)
    assert tokens.valid_token(connection.pk) == tokens.valid_token(connection.pk)
    assert refreshes(sandbox) == [200]


def test_only_so_many_are_renewed_by_one_sweep(connection, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_AT_ONCE", 0)
    let_be_due(connection)
    assert tokens.due_connections() == []


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["expired", "rejected"])
@pytest.mark.parametrize("slow", [{"delay_ms": 900}, {"delay_before_ms": 900}])
def test_twenty_callers_renew_once_and_all_get_the_new_token(how, slow, connection, sandbox):
    sandbox.settings(grace=0)
    sandbox.faults({"match": REFRESH, "action": slow})
    rejected = connection.access_token if how == "rejected" else None
    if how == "expired":
        let_end(connection)
    answers = at_once(20, lambda: tokens.valid_token(connection.pk, rejected=rejected))
    connection.refresh_from_db()
    assert set(answers) == {connection.access_token}
    assert refreshes(sandbox) == [200]


def test_while_one_renews_the_others_use_the_old_token(connection, sandbox):
    old = connection.access_token
    let_be_due(connection)
    Connection.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert tokens.valid_token(connection.pk) == old
    assert refreshes(sandbox) == []


def test_an_endpoint_slower_than_our_patience_is_never_asked_twice_at_the_same_time(connection, sandbox, settings):
    """We stop listening before the lease ends, and then nobody knows. Within GHL's grace the same pair comes again."""
    settings.WORK_LEASE_S = 1.5
    sandbox.faults({"match": REFRESH | {"times": 1}, "action": {"delay_ms": 1300}})
    let_end(connection)
    answers = at_once(8, lambda: tokens.valid_token(connection.pk))
    connection.refresh_from_db()
    assert set(answers) == {connection.access_token}
    assert refreshes(sandbox) == [200, 200]
    assert connection.status == "active"


def test_fifty_callers_without_a_token_do_not_storm_an_endpoint_that_is_away(connection, sandbox):
    sandbox.faults({"match": REFRESH | {"times": 0}, "action": {"status": 503}})
    let_end(connection)
    answers = at_once(20, lambda: tokens.valid_token(connection.pk))
    assert all(isinstance(answer, tokens.AccessPending) for answer in answers)
    assert all(answer.retry_after > 0 and answer.is_temporary and not answer.maybe_done for answer in answers)
    assert len(refreshes(sandbox)) <= 4


# --- nobody knows -----------------------------------------------------------------------------------------------------


LOST = {"cut": {"drop_after_commit": True}, "broken off": {"junk": "half"}, "denied": {"status_but_created": 502}}


@pytest.mark.parametrize("accident", LOST)
def test_a_lost_answer_is_asked_for_once_more_within_the_grace(accident, connection, sandbox):
    sandbox.settings(grace=30)
    sandbox.faults({"match": REFRESH | {"times": 1}, "action": LOST[accident]})
    let_end(connection)
    token = tokens.valid_token(connection.pk)
    assert tokens.knock(token, connection.location.remote_id) is None
    connection.refresh_from_db()
    assert (connection.status, connection.refresh_sent_at, connection.renew_tries) == ("active", None, 0)


@pytest.mark.parametrize("accident", LOST)
def test_a_lost_answer_without_grace_leaves_the_old_token_in_use_until_it_ends(accident, connection, sandbox):
    sandbox.settings(grace=0)
    old = connection.access_token
    sandbox.faults({"match": REFRESH | {"times": 1}, "action": LOST[accident]})
    let_be_due(connection)
    assert tokens.valid_token(connection.pk) == old
    connection.refresh_from_db()
    assert connection.status == "unknown"
    assert connection.refresh_sent_at
    in_the_pause(sandbox, connection)
    assert tokens.valid_token(connection.pk) == old
    connection.refresh_from_db()
    assert (connection.status, connection.refresh_sent_at) == ("unknown", None)
    assert connection.status_reason == tokens.LAST_ONE
    assert timezone.now() < connection.renew_at < connection.expires_at
    assert Incident.objects.open().filter(connection=connection, kind="access").exists()
    let_end(connection)
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(connection.pk)
    connection.refresh_from_db()
    assert connection.status == "needs_reauth"


def test_the_last_token_there_will_be_is_given_up_when_ghl_refuses_it(connection, sandbox):
    sandbox.settings(grace=0)
    old = connection.access_token
    sandbox.faults({"match": REFRESH | {"times": 1}, "action": {"drop_after_commit": True}})
    let_be_due(connection)
    tokens.valid_token(connection.pk)
    in_the_pause(sandbox, connection)
    tokens.valid_token(connection.pk)
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(connection.pk, rejected=old)
    connection.refresh_from_db()
    assert connection.status == "needs_reauth"


@pytest.mark.parametrize("grace", [0, 30])
def test_a_renewer_that_died_is_noticed_after_its_lease(grace, connection, sandbox, settings):
    """Killed between GHL's rotation and our commit: the row says that a refresh left us, and the lease ends."""
    sandbox.settings(grace=grace)
    settings.WORK_LEASE_S = 30
    let_end(connection)
    holder = Connection.objects.get(pk=connection.pk)
    assert holder.take_lease()
    tokens._refreshed(holder)  # and then the power went
    row = Connection.objects.get(pk=connection.pk)
    assert row.refresh_sent_at and row.lease_until
    assert tokens.due_connections() == []
    Connection.objects.update(lease_until=ago(seconds=1), renew_at=timezone.now() + timedelta(hours=1))
    assert tokens.due_connections() == [connection.pk]
    sweep()
    row.refresh_from_db()
    assert row.status == ("active" if grace else "needs_reauth")
    assert row.refresh_sent_at is None


def test_a_renewer_that_comes_too_late_changes_nothing(connection):
    late = Connection.objects.get(pk=connection.pk)
    assert late.take_lease()
    grant = tokens._refreshed(late)
    Connection.objects.update(lease_until=None, renew_at=ago(seconds=1))
    new = tokens.valid_token(connection.pk)
    assert not tokens.store(late, grant, late.token_version)
    tokens._lost(late, refused=True)
    tokens._put_off(late, errors.Unavailable())
    connection.refresh_from_db()
    assert connection.access_token == new
    assert connection.status == "active"


def test_the_refusal_of_an_old_refresh_token_is_no_loss_when_a_newer_pair_is_stored(connection, sandbox):
    sandbox.settings(grace=0)
    late = Connection.objects.get(pk=connection.pk)
    late.take_lease()
    late.row().update(lease_until=None, renew_at=ago(seconds=1))
    new = tokens.valid_token(connection.pk)
    tokens.renew(late)
    connection.refresh_from_db()
    assert (connection.status, connection.access_token) == ("active", new)


def test_disconnecting_while_a_renewal_is_under_way_stays_disconnected(connection):
    late = Connection.objects.get(pk=connection.pk)
    late.take_lease()
    grant = tokens._refreshed(late)
    connect.disconnect(Connection.objects.get(pk=connection.pk))
    tokens._arrived(late, grant)
    connection.refresh_from_db()
    assert (connection.status, connection.sealed_access_token) == ("disconnected", "")


def test_a_connection_deleted_while_somebody_waits_is_parked_for_them(connection):
    pk = connection.pk
    connection.delete()
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(pk)


# --- GHL is away ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [
    {"status": 502, "body": "<html><h1>502 Bad Gateway</h1></html>"},
    {"status": 503},
    {"status": 429},
    {"junk": "html"},
    {"status": 200, "body": {"access_token": ""}},
    {"status": 400, "body": "<html>no JSON</html>"},
    {"drop_before": True},
])  # fmt: skip
def test_trouble_of_ghls_is_tried_again_and_costs_nothing_while_the_old_token_lives(answer, connection, sandbox):
    sandbox.faults({"match": REFRESH | {"times": 0}, "action": answer})
    for _ in range(3):
        let_be_due(connection)
        assert tokens.valid_token(connection.pk) == connection.access_token
    row = Connection.objects.get(pk=connection.pk)
    assert row.is_active
    assert row.renew_tries == 3
    assert not Incident.objects.exists()
    sandbox.no_faults()
    in_the_pause(sandbox, row)
    sweep()
    row.refresh_from_db()
    assert (row.status, row.renew_tries) == ("active", 0)
    assert row.access_token != connection.access_token


def test_the_pauses_grow(connection, sandbox):
    sandbox.faults({"match": REFRESH | {"times": 0}, "action": {"status": 503}})
    pauses = []
    for _ in range(4):
        let_be_due(connection)
        sweep()
        connection.refresh_from_db()
        pauses.append((connection.renew_at - timezone.now()).total_seconds())
    assert pauses == sorted(pauses)
    assert pauses[0] < 2 < 15 < pauses[-1]


def test_while_the_token_host_does_not_answer_it_is_left_in_peace(connection, sandbox):
    sandbox.faults({"match": REFRESH | {"times": 0}, "action": {"status": 503}})
    for _ in range(9):
        let_be_due(connection)
        tokens.valid_token(connection.pk)
    assert len(refreshes(sandbox)) == 5
    connection.refresh_from_db()
    assert connection.renew_at > timezone.now() + timedelta(seconds=10)


def test_nobody_is_told_before_five_minutes_without_any_token_have_passed(connection, sandbox):
    from integrations.access import incidents

    sandbox.faults({"match": REFRESH | {"times": 0}, "action": {"status": 503}})
    let_end(connection)
    sweep()
    incidents.watch_access()
    assert not Incident.objects.exists()
    Connection.objects.update(expires_at=ago(minutes=6))
    incidents.watch_access()
    assert Incident.objects.get().closed_at is None
    sandbox.no_faults()
    in_the_pause(sandbox, connection)
    sweep()
    assert Incident.objects.get().closed_at


# --- our own fault ----------------------------------------------------------------------------------------------------


def test_a_wrong_client_secret_parks_no_connection_and_tells_whoever_runs_the_server(connection, sandbox, settings):
    right, settings.GHL_CLIENT_SECRETS = settings.GHL_CLIENT_SECRETS, ["wrong"]
    let_be_due(connection)
    assert tokens.valid_token(connection.pk) == connection.access_token
    let_end(connection)
    with pytest.raises(tokens.AccessPending):
        tokens.valid_token(connection.pk)
    connection.refresh_from_db()
    assert (connection.status, connection.refresh_sent_at) == ("active", None)
    incident = Incident.objects.get()
    assert (incident.connection, incident.reason) == (None, tokens.BAD_CLIENT)
    settings.GHL_CLIENT_SECRETS = right
    in_the_pause(sandbox, connection)
    assert tokens.valid_token(connection.pk)
    assert Incident.objects.get().closed_at


def test_a_server_without_a_secret_loses_nothing(connection, settings):
    settings.GHL_CLIENT_SECRETS = []
    let_be_due(connection)
    assert tokens.valid_token(connection.pk) == connection.access_token


# --- refused, suspended -----------------------------------------------------------------------------------------------


def test_a_dead_refresh_token_parks_the_connection_with_a_reason(connection, sandbox):
    sandbox.tokens("revoke", location_id=connection.location.remote_id)
    let_end(connection)
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(connection.pk)
    connection.refresh_from_db()
    assert connection.status == "needs_reauth"
    assert "removed the app" in connection.status_reason


def test_a_suspended_account_comes_back_without_a_person(connection, sandbox):
    sandbox.tokens("suspend", location_id=connection.location.remote_id)
    let_end(connection)
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(connection.pk)
    pauses = []
    for _ in range(3):
        row = Connection.objects.get(pk=connection.pk)
        assert row.status == "suspended"
        pauses.append((row.renew_at - timezone.now()).total_seconds())
        in_the_pause(sandbox, row)
        sweep()
    assert pauses == sorted(pauses)
    assert 30 < pauses[0] < 100 < pauses[-1]
    assert Incident.objects.filter(connection=connection).count() == 1
    sandbox.tokens("resume", location_id=connection.location.remote_id)
    in_the_pause(sandbox, connection)
    sweep()
    row.refresh_from_db()
    assert (row.status, row.status_reason, row.renew_tries) == ("active", "", 0)
    assert tokens.knock(tokens.valid_token(row.pk), row.location.remote_id) is None
    assert Incident.objects.get().closed_at


def test_a_call_denied_to_a_suspended_account_suspends_it(connection, sandbox):
    sandbox.tokens("suspend", location_id=connection.location.remote_id)
    assert tokens.denied(connection)
    connection.refresh_from_db()
    assert connection.status == "suspended"
    sandbox.tokens("resume", location_id=connection.location.remote_id)
    in_the_pause(sandbox, connection)
    sweep()
    connection.refresh_from_db()
    assert connection.status == "active"


def test_a_denial_of_one_call_only_parks_nothing(connection, sandbox):
    assert not tokens.denied(connection)
    connection.refresh_from_db()
    assert connection.status == "active"
    assert refreshes(sandbox) == []


def test_a_location_that_denies_a_fresh_token_too_needs_a_person(connection, sandbox):
    sandbox.faults(
        {"match": {"path": "^/locations/", "times": 0}, "action": {"status": 403, "body": {"message": "Forbidden"}}}
    )
    assert tokens.denied(connection)
    connection.refresh_from_db()
    assert (connection.status, connection.status_reason) == ("needs_reauth", tokens.DENIED)


def test_a_suspended_account_that_was_removed_meanwhile_needs_a_person(connection, sandbox):
    sandbox.tokens("suspend", location_id=connection.location.remote_id)
    let_end(connection)
    sweep()
    sandbox.tokens("revoke", location_id=connection.location.remote_id)
    in_the_pause(sandbox, connection)
    sweep()
    connection.refresh_from_db()
    assert connection.status == "needs_reauth"


def test_a_refusal_in_words_we_do_not_know_is_tried_again(connection, sandbox):
    body = {"statusCode": 422, "message": "the moon is full"}
    sandbox.faults({"match": REFRESH | {"times": 0}, "action": {"status": 422, "body": body}})
    let_be_due(connection)
    assert tokens.valid_token(connection.pk) == connection.access_token
    connection.refresh_from_db()
    assert connection.status == "active"
    assert connection.renew_at > timezone.now()


def test_a_refused_private_token_needs_a_person(sandbox, ada, northgate):
    pit = sandbox.credentials["private_integration_token"]
    connection = connect.with_token(ada, northgate, pit, sandbox.credentials["location_id"])
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(connection.pk, rejected=pit)
    connection.refresh_from_db()
    assert (connection.status, connection.status_reason) == ("needs_reauth", tokens.STATIC_REFUSED)
    assert tokens.due_connections() == []


# --- with an agency ---------------------------------------------------------------------------------------------------


@pytest.fixture
def by_agency(sandbox, ada, northgate):
    """A location connected with an agency's access."""
    sandbox.settings(bulk_install=True)
    agency = consent(ada, northgate, sandbox)
    return connect.connect_by_agency(agency, ada, sandbox.credentials["location_id"])


def test_with_an_agency_a_lost_refresh_token_costs_nobody_anything(by_agency, sandbox):
    sandbox.settings(grace=0)
    sandbox.faults({"match": REFRESH | {"times": 1}, "action": {"drop_after_commit": True}})
    let_end(by_agency)
    token = tokens.valid_token(by_agency.pk)
    assert tokens.knock(token, by_agency.location.remote_id) is None
    by_agency.refresh_from_db()
    assert by_agency.status == "active"
    assert not Incident.objects.exists()


def test_the_agency_being_away_for_a_moment_is_no_reason_to_ask_a_person(by_agency, sandbox):
    sandbox.tokens("revoke", location_id=by_agency.location.remote_id)
    sandbox.faults({"match": {"path": "/oauth/locationToken", "times": 0}, "action": {"status": 503}})
    let_end(by_agency)
    with pytest.raises(tokens.AccessPending):
        tokens.valid_token(by_agency.pk)
    by_agency.refresh_from_db()
    assert by_agency.status == "unknown"
    assert not by_agency.is_losing_access
    sandbox.no_faults()
    in_the_pause(sandbox, by_agency)
    sweep()
    by_agency.refresh_from_db()
    assert by_agency.status == "active"


def test_an_agency_that_has_lost_its_access_cannot_help(by_agency, sandbox):
    company = sandbox.credentials["company_id"]
    agency = by_agency.agency
    Agency.objects.update(status="needs_reauth")
    sandbox.tokens("revoke", location_id=by_agency.location.remote_id)
    let_end(by_agency)
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(by_agency.pk)
    by_agency.refresh_from_db()
    assert by_agency.status == "needs_reauth"
    assert agency.company_id == company


def test_an_agencys_pair_is_renewed_by_the_same_rules(by_agency, sandbox):
    old = by_agency.agency.access_token
    Agency.objects.update(renew_at=ago(seconds=1))
    assert tokens.due_agencies() == [by_agency.agency_id]
    tokens.renew_if_due(Agency, by_agency.agency_id)
    agency = Agency.objects.get()
    assert agency.access_token != old
    assert tokens.company_token(agency.pk, rejected=agency.access_token) not in (old, agency.access_token)
