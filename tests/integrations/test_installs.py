"""INSTALL and UNINSTALL: twice, late, forged, in any order. GHL is asked before anything is forgotten."""

import json

import pytest

from integrations.access import agencies, connect, installs, tokens
from integrations.ghl import errors
from integrations.models import Agency, Connection, InboundEvent, Incident
from tests.integrations.test_tokens import let_end
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)


def told(sandbox, kind, location_id=None, company=False, **more):
    """The stored event of a verified webhook."""
    said = {"type": kind, "appId": sandbox.credentials["app_id"], **more}
    if location_id:
        said["locationId"] = location_id
    if company or not location_id:
        said["companyId"] = sandbox.credentials["company_id"]
    return InboundEvent(event_id=f"{kind}-{location_id}", kind=kind, body=json.dumps(said).encode())


def status_of(connection):
    connection.refresh_from_db()
    return connection.status


@pytest.fixture
def remove(sandbox, connection):
    """The app is removed in GHL; the webhook that says so."""

    def remove():
        sandbox.tokens("uninstall", location_id=connection.location.remote_id)
        return told(sandbox, "UNINSTALL", connection.location.remote_id)

    return remove


# --- removed ----------------------------------------------------------------------------------------------------------


def test_a_removed_app_costs_the_tokens_and_not_the_data(synced, sandbox, remove):
    event = remove()
    assert installs.uninstalled(event) == ("handled", "tokens wiped")
    assert status_of(synced) == "uninstalled"
    assert (synced.access_token, synced.refresh_token) == ("", "")
    assert synced.location.contacts.count() == 40
    assert Incident.objects.get().connection == synced
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(synced.pk)


def test_a_removal_that_did_not_happen_is_not_believed(connection, sandbox):
    event = told(sandbox, "UNINSTALL", connection.location.remote_id)
    assert installs.uninstalled(event) == ("handled", "GHL still lets us in")
    assert status_of(connection) == "active"
    assert connection.access_token


def test_nor_when_our_access_token_had_just_ended(connection, sandbox):
    sandbox.tokens("expire", location_id=connection.location.remote_id)
    let_end(connection)
    assert installs.uninstalled(told(sandbox, "UNINSTALL", connection.location.remote_id))[1] == "GHL still lets us in"
    assert status_of(connection) == "active"


def test_an_old_removal_replayed_after_a_new_consent_does_nothing(connection, sandbox, remove, ada, northgate):
    event = remove()
    installs.uninstalled(event)
    consent(ada, northgate, sandbox)
    assert installs.uninstalled(event) == ("handled", "GHL still lets us in")
    assert status_of(connection) == "active"
    assert connection.access_token


def test_the_same_removal_twice_does_nothing_more(connection, remove):
    event = remove()
    installs.uninstalled(event)
    since = Connection.objects.get().status_since
    assert installs.uninstalled(event) == ("handled", "forgotten already")
    assert Connection.objects.get().status_since == since
    assert Incident.objects.count() == 1


def test_while_ghl_is_away_a_removal_is_looked_at_again_later(connection, sandbox, remove):
    event = remove()
    sandbox.faults({"match": {"path": "^/locations/|/oauth/token", "times": 0}, "action": {"status": 503}})
    with pytest.raises(errors.GhlError) as trouble:
        installs.uninstalled(event)
    assert trouble.value.is_temporary
    assert status_of(connection) == "active"
    sandbox.no_faults()
    assert installs.uninstalled(event) == ("handled", "tokens wiped")


def test_a_suspended_account_is_not_taken_for_a_removed_one(connection, sandbox):
    sandbox.tokens("suspend", location_id=connection.location.remote_id)
    let_end(connection)
    tokens.renew_if_due(Connection, connection.pk)
    assert status_of(connection) == "suspended"
    installs.uninstalled(told(sandbox, "UNINSTALL", connection.location.remote_id))
    assert status_of(connection) == "suspended"
    assert connection.sealed_refresh_token


def test_one_that_was_found_locked_out_before_the_message_came_is_told_apart(connection, remove):
    event = remove()
    let_end(connection)
    tokens.renew_if_due(Connection, connection.pk)
    assert status_of(connection) == "needs_reauth"
    assert installs.uninstalled(event) == ("handled", "tokens wiped")
    assert status_of(connection) == "uninstalled"
    assert Incident.objects.count() == 1


def test_a_private_token_is_no_part_of_the_app(sandbox, ada, northgate):
    location_id = sandbox.credentials["location_id"]
    pit = sandbox.credentials["private_integration_token"]
    connection = connect.with_token(ada, northgate, pit, location_id)
    assert "no part of the app" in installs.uninstalled(told(sandbox, "UNINSTALL", location_id))[1]
    assert status_of(connection) == "active"


@pytest.mark.parametrize("act", [installs.installed, installs.uninstalled])
def test_what_concerns_another_app_is_not_ours(act, connection, sandbox):
    event = told(sandbox, "UNINSTALL", connection.location.remote_id, appId="0" * 24)
    assert act(event) == ("not_ours", "for another app")


@pytest.mark.parametrize("body", [{}, {"locationId": None}, {"locationId": 7}, {"companyId": ["x"]}, []])
def test_strange_messages_concern_nobody(body, connection):
    event = InboundEvent(event_id="x", kind="UNINSTALL", body=json.dumps(body).encode())
    assert installs.uninstalled(event)[0] == "not_ours"
    assert installs.installed(event)[0] == "kept"
    assert status_of(connection) == "active"


def test_a_location_nobody_has_connected_is_not_ours(connection, sandbox):
    assert installs.uninstalled(told(sandbox, "UNINSTALL", "locOfSomebody000001"))[0] == "not_ours"


# --- installed --------------------------------------------------------------------------------------------------------


def test_an_installation_before_the_consent_has_come_back_waits(sandbox, db):
    event = told(sandbox, "INSTALL", sandbox.credentials["location_id"])
    for _ in range(2):
        assert installs.installed(event)[0] == "kept"
    assert not Connection.objects.exists()


def test_an_installation_of_what_is_connected_changes_nothing(connection, sandbox):
    before = Connection.objects.values().get()
    assert installs.installed(told(sandbox, "INSTALL", connection.location.remote_id)) == ("handled", "nothing to do")
    assert Connection.objects.values().get() == before


def test_an_installation_after_a_removal_asks_for_a_reconnect(connection, sandbox, remove):
    installs.uninstalled(remove())
    since = Connection.objects.get().status_since
    sandbox.tokens("install", location_id=connection.location.remote_id)
    for _ in range(2):
        answer = installs.installed(told(sandbox, "INSTALL", connection.location.remote_id))
        assert answer == ("handled", "waits for a person to reconnect")
    assert status_of(connection) == "uninstalled"
    assert connection.status_reason == installs.INSTALLED_AGAIN
    assert connection.status_since == since


# --- agencies ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def family(sandbox, ada, northgate):
    """Two locations opened by one agency."""
    for location_id in sandbox.credentials["location_ids"]:
        sandbox.tokens("install", location_id=location_id)
    sandbox.settings(bulk_install=True)
    agency = consent(ada, northgate, sandbox)
    connected, refusals = agencies.connect_places(agency, ada, sandbox.credentials["location_ids"])
    assert len(connected) == 2 and not refusals
    return connected


def test_an_agencys_location_comes_back_by_itself(family, sandbox):
    one, other = family
    sandbox.tokens("uninstall", location_id=one.location.remote_id)
    installs.uninstalled(told(sandbox, "UNINSTALL", one.location.remote_id))
    assert (status_of(one), status_of(other)) == ("uninstalled", "active")
    sandbox.tokens("install", location_id=one.location.remote_id)
    answer = installs.installed(told(sandbox, "INSTALL", one.location.remote_id))
    assert answer == ("handled", "connected again by the agency's access")
    assert status_of(one) == "active"
    assert Incident.objects.get().closed_at
    assert tokens.knock(tokens.valid_token(one.pk), one.location.remote_id) is None


def test_a_replayed_installation_of_a_removed_location_brings_nothing_back(family, sandbox):
    one, _ = family
    sandbox.tokens("uninstall", location_id=one.location.remote_id)
    installs.uninstalled(told(sandbox, "UNINSTALL", one.location.remote_id))
    installs.installed(told(sandbox, "INSTALL", one.location.remote_id))
    assert status_of(one) == "uninstalled"


def test_while_ghl_is_away_an_installation_is_looked_at_again_later(family, sandbox):
    one, _ = family
    one.forget("uninstalled", "x")
    sandbox.faults({"match": {"path": "/oauth/locationToken", "times": 0}, "action": {"status": 503}})
    with pytest.raises(errors.GhlError) as trouble:
        installs.installed(told(sandbox, "INSTALL", one.location.remote_id))
    assert trouble.value.is_temporary


def test_a_removal_from_the_whole_agency_concerns_each_location_by_itself(family, sandbox):
    sandbox.tokens("uninstall", location_id=sandbox.credentials["company_id"])
    event = told(sandbox, "UNINSTALL", company=True)
    assert installs.uninstalled(event)[0] == "handled"
    assert [status_of(one) for one in family] == ["uninstalled", "uninstalled"]
    agency = Agency.objects.get()
    assert (agency.status, agency.sealed_access_token, agency.sealed_refresh_token) == ("uninstalled", "", "")


def test_a_removal_from_the_whole_agency_that_did_not_happen_is_not_believed(family, sandbox):
    installs.uninstalled(told(sandbox, "UNINSTALL", company=True))
    assert [status_of(one) for one in family] == ["active", "active"]
    assert Agency.objects.get().is_active


def test_an_installation_of_the_whole_agency_brings_its_locations_back(family, sandbox):
    for one in family:
        one.forget("uninstalled", "x")
    assert installs.installed(told(sandbox, "INSTALL", company=True))[0] == "handled"
    assert [status_of(one) for one in family] == ["active", "active"]
