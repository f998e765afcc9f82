"""Tokens at rest: sealed for one row of one tenant, and sealed anew when a key is replaced."""

import base64
import os

import pytest
from django.core.management import CommandError, call_command

from contacts.models import Business, Location
from integrations import crypto
from integrations.access import connect, tokens
from integrations.management.commands import rotate_keys
from integrations.models import Agency, Connection, Incident
from tests.integrations.test_tokens import at_once, let_be_due
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)


def new_key(name):
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


@pytest.fixture
def agency(sandbox, ada, northgate):
    sandbox.settings(bulk_install=True)
    return consent(ada, northgate, sandbox)


@pytest.fixture
def stranger(connection, cy):
    """The connection of another tenant, with tokens of its own."""
    location = Location.objects.create(business=Business.objects.get(name="Initech"), remote_id="locInitech000000001")
    other = Connection(location=location, kind="oauth", expires_at=connection.expires_at, renew_at=connection.renew_at)
    for column, sealed in other.sealed("their access", "their refresh").items():
        setattr(other, column, sealed)
    other.save()
    return other


# --- bound to its row -------------------------------------------------------------------------------------------------


def test_a_value_moved_to_another_tenants_row_does_not_open(connection, stranger):
    for column in Connection.SEALED:
        Connection.objects.filter(pk=stranger.pk).update(**{column: getattr(connection, column)})
    row = Connection.objects.get(pk=stranger.pk)
    for name in ("access_token", "refresh_token"):
        with pytest.raises(crypto.CannotOpen):
            getattr(row, name)


def test_not_even_together_with_what_names_the_row(connection, stranger):
    seal_id, columns = connection.seal_id, {column: getattr(connection, column) for column in Connection.SEALED}
    connection.delete()
    Connection.objects.filter(pk=stranger.pk).update(seal_id=seal_id, **columns)
    with pytest.raises(crypto.CannotOpen):
        Connection.objects.get(pk=stranger.pk).access_token  # noqa: B018


def test_an_access_token_is_no_refresh_token(connection):
    connection.sealed_refresh_token = connection.sealed_access_token
    with pytest.raises(crypto.CannotOpen):
        connection.refresh_token  # noqa: B018


def test_an_agencys_access_opens_for_its_business_only(agency, cy):
    Agency.objects.update(business=Business.objects.get(name="Initech"))
    with pytest.raises(crypto.CannotOpen):
        Agency.objects.get().access_token  # noqa: B018


@pytest.mark.parametrize("damage", ["dev:", "dev:AAAA", "dev:%%%", lambda sealed: sealed[:-8] + "AAAAAAA="])
def test_what_was_altered_does_not_open(damage, connection):
    key = connection.sealed_access_token.partition(":")[0]
    altered = damage(connection.sealed_access_token) if callable(damage) else damage.replace("dev", key)
    connection.sealed_access_token = altered
    with pytest.raises(crypto.CannotOpen):
        connection.access_token  # noqa: B018


def test_what_cannot_be_opened_parks_the_connection_in_words(connection, stranger):
    Connection.objects.filter(pk=connection.pk).update(sealed_access_token=stranger.sealed_access_token)
    with pytest.raises(tokens.ConnectionParked, match="cannot be opened on this server"):
        tokens.valid_token(connection.pk)
    connection.refresh_from_db()
    assert (connection.status, connection.status_reason) == ("needs_reauth", tokens.CANNOT_OPEN)


def test_a_refresh_token_that_cannot_be_opened_does_too(connection, stranger):
    Connection.objects.filter(pk=connection.pk).update(sealed_refresh_token=stranger.sealed_refresh_token)
    let_be_due(connection)
    tokens.renew_if_due(Connection, connection.pk)
    connection.refresh_from_db()
    assert connection.status == "needs_reauth"


def test_a_key_the_server_lacks_parks_nobody_and_is_told_once(connection, settings):
    from integrations.access import incidents

    kept, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, [new_key("other")]
    for _ in range(2):
        with pytest.raises(tokens.AccessPending):
            tokens.valid_token(connection.pk)
    incidents.watch_access()
    connection.refresh_from_db()
    assert connection.status == "active"
    incident = Incident.objects.get()
    assert (incident.connection, incident.reason, incident.closed_at) == (None, tokens.KEY_MISSING, None)
    settings.ENCRYPTION_KEYS = kept
    assert tokens.valid_token(connection.pk)
    incidents.watch_access()
    assert Incident.objects.get().closed_at


# --- a new key --------------------------------------------------------------------------------------------------------


def test_the_key_ring_rotates_without_losing_a_token(connection, agency, settings, capsys):
    access, company = connection.access_token, agency.access_token
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    call_command("rotate_keys")
    said = capsys.readouterr().out
    assert "1 connections sealed anew." in said and "1 agencies sealed anew." in said
    assert "4 values on key new (the newest)." in said
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    assert Connection.objects.get().access_token == access
    assert Agency.objects.get().access_token == company


def test_rotating_twice_does_nothing_more(connection, settings, capsys):
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    call_command("rotate_keys")
    sealed = Connection.objects.get().sealed_access_token
    capsys.readouterr()
    call_command("rotate_keys")
    assert "0 connections sealed anew." in capsys.readouterr().out
    assert Connection.objects.get().sealed_access_token == sealed


def test_a_renewal_that_comes_between_is_not_overwritten(connection, settings):
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    stale = Connection.objects.get()
    let_be_due(connection)
    token = tokens.valid_token(connection.pk)
    assert not rotate_keys.reseal(stale), "the renewal has sealed it with the newest key already"
    assert Connection.objects.get().access_token == token


def test_rotating_while_renewals_go_on_loses_no_call(connection, settings, sandbox):
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    acts = iter([*["renew", "rotate", "call"] * 6])

    def one():
        act = next(acts)
        if act == "renew":
            let_be_due(connection)
        if act == "rotate":
            return call_command("rotate_keys", verbosity=0) or "rotated"
        return tokens.knock(tokens.valid_token(connection.pk), connection.location.remote_id) or "let in"

    assert set(at_once(18, one)) == {"rotated", "let in"}
    call_command("rotate_keys")
    assert set(rotate_keys.keys_in_use()) == {"new"}


def test_rows_that_cannot_be_opened_are_named_and_the_rest_is_done(connection, stranger, settings):
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    Connection.objects.filter(pk=stranger.pk).update(sealed_access_token=connection.sealed_access_token)
    with pytest.raises(CommandError, match=rf"1 rows cannot be opened with the keys given: connection {stranger.pk}\."):
        call_command("rotate_keys")
    connection.refresh_from_db()
    assert crypto.is_current(connection.sealed_access_token)


def test_a_row_that_was_disconnected_holds_nothing_to_seal(connection, settings):
    connect.disconnect(connection)
    settings.ENCRYPTION_KEYS = [new_key("new")]
    call_command("rotate_keys")
    assert rotate_keys.keys_in_use() == {}


def test_many_rows_are_done_in_batches(connection, northgate, settings, monkeypatch):
    monkeypatch.setattr(rotate_keys, "BATCH", 7)
    for number in range(30):
        location = Location.objects.create(business=northgate, remote_id=f"locMany{number:012}")
        row = Connection(location=location, kind="oauth")
        for column, sealed in row.sealed(f"access {number}", f"refresh {number}").items():
            setattr(row, column, sealed)
        row.save()
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    call_command("rotate_keys")
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    assert {row.access_token for row in Connection.objects.exclude(pk=connection.pk)} == {
        f"access {number}" for number in range(30)
    }
