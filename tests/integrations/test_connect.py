from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from contacts.models import Business, Contact, Location, Membership
from integrations.access import connect, tokens
from integrations.management.commands.sync import wait_for
from integrations.models import ConnectAttempt, Connection
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(address):
    return dict(parse_qsl(urlsplit(address).query))["state"]


def test_an_admin_connects_through_the_consent_page(connection, sandbox, northgate):
    assert connection.location.business == northgate
    assert connection.location.remote_id == sandbox.credentials["location_id"]
    assert connection.is_active
    assert connection.sync_runs.count() == 1


def test_tokens_are_sealed_at_rest(connection):
    row = Connection.objects.filter(pk=connection.pk).values()[0]
    assert connection.access_token not in str(row)
    assert connection.refresh_token not in str(row)


def test_a_state_works_once(sandbox, ada, northgate):
    state = state_of(connect.begin(ada, northgate, "session"))
    with pytest.raises(connect.CannotConnect):
        connect.finish(ada, "session", state, "no-such-code")
    with pytest.raises(connect.CannotConnect, match="used already"):
        connect.finish(ada, "session", state, sandbox.get("credentials")["code"])
    assert not Connection.objects.exists()


def test_a_state_lasts_ten_minutes(sandbox, ada, northgate):
    state = state_of(connect.begin(ada, northgate, "session"))
    ConnectAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(connect.CannotConnect, match="ten minutes"):
        connect.finish(ada, "session", state, sandbox.get("credentials")["code"])


@pytest.mark.parametrize("thief", ["another session", "another user", "no state", "invented state"])
def test_a_state_of_somebody_else_is_refused(thief, sandbox, ada, max_, northgate):
    state = state_of(connect.begin(ada, northgate, "session"))
    user = max_ if thief == "another user" else ada
    session = "stolen" if thief == "another session" else "session"
    state = {"no state": None, "invented state": "x" * 43}.get(thief, state)
    with pytest.raises(connect.CannotConnect, match="does not belong"):
        connect.finish(user, session, state, sandbox.get("credentials")["code"])
    assert not Connection.objects.exists()


def test_someone_who_lost_the_admin_role_meanwhile_cannot_finish(sandbox, ada, northgate):
    state = state_of(connect.begin(ada, northgate, "session"))
    Membership.objects.filter(user=ada).update(role="staff")
    with pytest.raises(connect.CannotConnect):
        connect.finish(ada, "session", state, sandbox.get("credentials")["code"])


def test_a_location_belongs_to_one_business(connection, sandbox, cy):
    with pytest.raises(connect.CannotConnect, match="another business"):
        consent(cy, Business.objects.get(name="Initech"), sandbox)
    assert Location.objects.get().business == connection.location.business


def test_reconnecting_replaces_the_tokens_and_keeps_the_data(synced, sandbox, ada, northgate):
    contacts = Contact.objects.count()
    old = synced.access_token
    again = consent(ada, northgate, sandbox)
    assert again.pk == synced.pk
    assert again.access_token != old
    assert Contact.objects.count() == contacts


def test_disconnecting_forgets_the_tokens_and_keeps_the_data(synced):
    contacts = Contact.objects.count()
    connect.disconnect(synced)
    assert (synced.status, synced.access_token, synced.refresh_token) == ("disconnected", "", "")
    assert Contact.objects.count() == contacts
    with pytest.raises(tokens.ConnectionParked):
        tokens.valid_token(synced.pk)


def test_a_private_integration_token_connects_and_syncs(sandbox, ada, northgate):
    pit = sandbox.credentials["private_integration_token"]
    connection = connect.with_token(ada, northgate, pit, sandbox.credentials["location_id"])
    assert connection.kind == "pit"
    assert connection.has_scope("contacts.write")
    assert wait_for(connection.sync_runs.get()).outcome == "complete"
    assert Contact.objects.count() == 40


def test_a_token_that_may_only_read_contacts_is_found_out_by_asking(sandbox, ada, northgate):
    made = sandbox.post("tokens", {"action": "create_pit", "scopes": ["contacts.readonly"]})
    connection = connect.with_token(ada, northgate, made["token"], sandbox.credentials["location_id"])
    assert connection.scopes == ["contacts.readonly"]
    assert not connection.location.is_editable


@pytest.mark.parametrize("token, location, sentence", [
    ("pit-nonsense", None, "does not accept this token"),
    (None, "another-location-00", "another location"),
    ("", None, "needed"),
])  # fmt: skip
def test_a_token_that_does_not_work_is_refused_in_words(token, location, sentence, sandbox, ada, northgate):
    token = sandbox.credentials["private_integration_token"] if token is None else token
    with pytest.raises(connect.CannotConnect, match=sentence):
        connect.with_token(ada, northgate, token, location or sandbox.credentials["location_id"])
    assert not Connection.objects.exists()


def test_a_token_asks_to_be_replaced_after_eighty_days(sandbox, ada, northgate):
    pit = sandbox.credentials["private_integration_token"]
    connection = connect.with_token(ada, northgate, pit, sandbox.credentials["location_id"])
    assert not connection.wants_new_token
    connection.token_obtained_at = timezone.now() - timedelta(days=80)
    assert connection.wants_new_token


# --- who is who -------------------------------------------------------------------------------------------------------


def test_a_member_whose_email_ghl_knows_is_linked_once_and_an_admin_may_say_no(synced, ada, sandbox):
    from contacts.models import RemoteUser
    from integrations.reading import reference

    remote = synced.location.remote_users.exclude(email="").first()
    ada.email = remote.email
    ada.save()
    reference.link_users(synced.location)
    remote.refresh_from_db()
    assert remote.user == ada
    assert RemoteUser.objects.belong_to(ada, synced.location, None)
    reference.link_users(synced.location)
    remote.refresh_from_db()
    assert remote.user is None
