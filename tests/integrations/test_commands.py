"""The commands of manage.py, as whoever runs the server types them."""

import base64
import io
import json
import os

import pytest
from django.core.management import CommandError, call_command

from contacts.models import Business, Contact
from integrations.models import Connection

pytestmark = pytest.mark.django_db(transaction=True)


def said(*command, **options):
    out = io.StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def keys(sandbox):
    return sandbox.credentials


def connect(keys, token=None, business="Northgate Roofing"):
    token = keys["private_integration_token"] if token is None else token
    return said("connect", business=business, token=token, location=keys["location_id"])


# --- connect ----------------------------------------------------------------------------------------------------------


def test_connect_makes_the_business_it_names(keys):
    answer = connect(keys)
    connection = Connection.objects.get()
    assert connection.location.business.name == "Northgate Roofing"
    assert connection.location.remote_id in answer
    assert connection.access_token == keys["private_integration_token"]
    assert keys["private_integration_token"] not in answer


def test_connect_takes_the_business_that_is_there(keys, northgate):
    connect(keys)
    assert Connection.objects.get().location.business == northgate


def test_connect_reads_the_token_from_its_input(keys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{keys['private_integration_token']}\n"))
    connect(keys, token="-")
    assert Connection.objects.get().access_token == keys["private_integration_token"]


@pytest.mark.parametrize("typed", ["", "\n"])
def test_connect_says_when_no_token_came(typed, keys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with pytest.raises(CommandError, match="token and the location id are needed"):
        connect(keys, token="-")


def test_a_wrong_token_is_refused_in_words_and_leaves_nothing(keys):
    with pytest.raises(CommandError, match="GHL does not accept this token") as refusal:
        connect(keys, token="pit-wrong")
    assert "pit-wrong" not in str(refusal.value)
    assert not Business.objects.exists()
    assert not Connection.objects.exists()


def test_connect_does_not_guess_between_two_businesses_of_one_name(keys, northgate):
    Business.objects.create(name=northgate.name)
    with pytest.raises(CommandError, match="There are 2 businesses named Northgate Roofing"):
        connect(keys)


def test_connect_leaves_a_location_with_the_business_that_has_it(keys):
    connect(keys)
    with pytest.raises(CommandError, match="already connected to another business"):
        connect(keys, business="Initech")
    assert list(Business.objects.values_list("name", flat=True)) == ["Northgate Roofing"]


# --- sync -------------------------------------------------------------------------------------------------------------


def sync(*options, **more):
    return said("sync", *options, business="Northgate Roofing", **more)


def test_sync_reads_everything_in_the_foreground(connection):
    [outcome] = json.loads(sync("--wait", "--json"))
    assert (outcome["kind"], outcome["outcome"], outcome["reason"]) == ("full", "complete", "")
    assert outcome["location"] == connection.location.remote_id
    assert outcome["counts"]["contacts"] == {"done": 40, "total": 40}
    assert outcome["requests"] > 0
    assert Contact.objects.count() == 40


def test_a_second_sync_reads_what_changed_unless_all_is_asked_for(synced):
    assert json.loads(sync("--wait", "--json"))[0]["kind"] == "recent"
    assert json.loads(sync("--wait", "--json", "--full"))[0]["kind"] == "full"


def test_sync_for_people_is_a_sentence(synced):
    answer = sync("--wait")
    assert synced.location.remote_id in answer
    assert "complete" in answer


def test_sync_without_waiting_only_rings(connection):
    [outcome] = json.loads(sync("--json"))
    assert outcome["outcome"] == "started"
    assert connection.sync_runs.unfinished().count() == 1


def test_sync_of_a_business_without_a_connection_says_so(northgate):
    with pytest.raises(CommandError, match="has no connected location"):
        sync("--wait")


def test_sync_of_a_broken_connection_says_why(connection):
    connection.park("needs_reauth", "The app was removed.")
    with pytest.raises(CommandError, match=r"not connected at the moment: The app was removed\."):
        sync("--wait")


def test_a_sync_that_fails_ends_with_an_error(connection, sandbox):
    sandbox.post("tokens", {"action": "revoke", "location_id": connection.location.remote_id})
    with pytest.raises(CommandError, match="did not finish"):
        sync("--wait", "--json")


# --- rotate_keys ------------------------------------------------------------------------------------------------------


ALL_ON_THE_NEWEST = "0 outgoing webhooks sealed anew.\n2 values on key new (the newest).\n"


def a_key(name):
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def test_rotate_keys_seals_everything_with_the_newest_key(connection, settings):
    tokens = connection.access_token, connection.refresh_token
    new = a_key("new")
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    assert f"1 connections sealed anew.\n{ALL_ON_THE_NEWEST}" in said("rotate_keys")
    settings.ENCRYPTION_KEYS = [new]
    again = Connection.objects.get()
    assert (again.access_token, again.refresh_token) == tokens


def test_rotate_keys_may_run_twice(connection, settings):
    settings.ENCRYPTION_KEYS = [a_key("new"), *settings.ENCRYPTION_KEYS]
    said("rotate_keys")
    assert f"0 connections sealed anew.\n{ALL_ON_THE_NEWEST}" in said("rotate_keys")


def test_a_forgotten_connection_needs_no_key(connection, settings):
    """A disconnected location holds no tokens, so it does not keep an old key alive."""
    from integrations.access import connect as connecting

    connecting.disconnect(connection)
    settings.ENCRYPTION_KEYS = [a_key("new")]
    assert said("rotate_keys").endswith("0 connections sealed anew.\n0 outgoing webhooks sealed anew.\n")
