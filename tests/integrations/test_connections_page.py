import pytest
from django.urls import reverse

from contacts.models import Membership
from integrations.models import Connection, InboundEvent
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/connections/"


@pytest.fixture
def broken(connection):
    connection.park("needs_reauth", "GHL no longer accepts our access.")
    return connection


def test_an_admin_sees_the_connection_with_its_scopes(ada, as_user, synced):
    page = as_user(ada).get(PAGE).content.decode()
    assert "Northgate Roofing" in page
    assert "contacts.readonly" in page
    assert "11 of 11 scopes" in page


def test_what_a_missing_scope_disables_is_said(ada, as_user, sandbox, northgate):
    consent(ada, northgate, sandbox, without={"users.readonly"})
    page = as_user(ada).get(PAGE).content.decode()
    assert "users.readonly" in page
    assert "without their names" in page


def test_before_anything_is_connected_the_page_says_what_to_do(ada, as_user):
    assert "No GHL location is connected yet" in as_user(ada).get(PAGE).content.decode()


def test_connect_leads_to_the_consent_page(ada, as_user, northgate, sandbox):
    answer = as_user(ada).post("/connections/start/", {"business": northgate.pk})
    assert answer.status_code == 302
    assert answer["Location"].startswith(sandbox.url + "/v2/oauth/chooselocation?")


def test_a_forged_return_connects_nothing(ada, as_user, sandbox):
    code = sandbox.credentials["code"]
    answer = as_user(ada).get("/connections/callback/", {"code": code, "state": "forged"}, follow=True)
    assert "does not belong to a connection you started" in answer.content.decode()
    assert not Connection.objects.exists()


def test_a_token_that_fails_keeps_what_was_typed_and_says_why(ada, as_user, northgate, sandbox):
    form = {"business": northgate.pk, "token": "pit-wrong", "location_id": sandbox.credentials["location_id"]}
    answer = as_user(ada).post("/connections/token/", form)
    assert answer.status_code == 422
    assert "does not accept this token" in answer.content.decode()
    assert form["location_id"] in answer.content.decode()


def test_a_token_connects(ada, as_user, northgate, sandbox):
    form = {
        "business": northgate.pk,
        "token": sandbox.credentials["private_integration_token"],
        "location_id": sandbox.credentials["location_id"],
    }
    answer = as_user(ada).post("/connections/token/", form, follow=True)
    assert "Connected with the token" in answer.content.decode()
    assert form["token"] not in answer.content.decode()


def test_a_broken_connection_is_a_banner_with_reconnect_for_admins(ada, as_user, broken):
    banner = as_user(ada).get("/status/banner/").content.decode()
    assert "GHL no longer accepts our access." in banner
    assert "Reconnect" in banner


def test_others_are_told_to_ask_an_admin(ana, as_user, broken):
    assert "Ask an admin" in as_user(ana).get("/status/banner/").content.decode()


def test_the_cached_contacts_stay_readable_while_it_is_broken(ana, as_user, synced):
    synced.park("needs_reauth", "GHL no longer accepts our access.")
    contact = synced.location.contacts.first()
    assert as_user(ana).get(contact.get_absolute_url()).status_code == 200


def test_disconnecting_keeps_the_data(ada, as_user, synced):
    as_user(ada).post(f"/connections/{synced.pk}/disconnect/")
    synced.refresh_from_db()
    assert synced.status == "disconnected"
    assert synced.location.contacts.count() == 40


@pytest.mark.parametrize("name", ["sync_now", "reconnect", "disconnect"])
@pytest.mark.parametrize("who", ["ana", "max_", "cy"])
def test_only_an_admin_of_the_business_finds_these(who, name, request, as_user, connection):
    client = as_user(request.getfixturevalue(who))
    assert client.post(reverse(f"integrations:{name}", args=[connection.pk])).status_code == 404
    connection.refresh_from_db()
    assert connection.is_active


@pytest.mark.parametrize("who", ["ana", "max_"])
def test_staff_and_managers_find_no_connections_page(who, request, as_user, northgate):
    client = as_user(request.getfixturevalue(who))
    assert client.get(PAGE).status_code == 404
    assert client.get("/connections/token/").status_code == 404
    assert client.post("/connections/start/", {"business": northgate.pk}).status_code == 404


def test_a_stranger_cannot_connect_into_our_business(cy, as_user, northgate):
    assert as_user(cy).post("/connections/start/", {"business": northgate.pk}).status_code == 404
    answer = as_user(cy).post("/connections/token/", {"business": northgate.pk, "token": "x", "location_id": "y"})
    assert answer.status_code == 422
    assert not Connection.objects.exists()


def test_a_stranger_finds_no_freshness_and_no_refresh(cy, as_user, synced):
    contact = synced.location.contacts.first()
    assert as_user(cy).get(f"/contacts/{contact.pk}/freshness/tasks/").status_code == 404
    assert as_user(cy).post(f"/contacts/{contact.pk}/refresh/").status_code == 404


def test_somebody_signed_out_is_sent_to_sign_in(client, db):
    for path in (PAGE, "/connections/token/", "/status/", "/status/banner/"):
        assert client.get(path)["Location"].startswith("/account/login/")


def test_a_member_elsewhere_who_loses_membership_loses_sight(ada, as_user, connection):
    client = as_user(ada)
    Membership.objects.filter(user=ada).delete()
    assert client.get(PAGE).status_code == 404


def test_healthz_answers(client, db):
    assert client.get("/healthz").status_code == 200


def test_the_page_says_when_the_last_webhook_came(ada, as_user, connection):
    client = as_user(ada)
    assert "No webhook yet" in client.get(PAGE).content.decode()
    InboundEvent.objects.create(event_id="1", kind="X", body=b"{}", remote_location_id=connection.location.remote_id)
    assert "Webhook " in client.get(PAGE).content.decode()
