"""Coming back from GHL: forged, late, doubled, from the marketplace, signed in or not."""

import logging
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from django.utils import timezone

from contacts.models import Business, Location, Membership, Role, User
from integrations.access import connect
from integrations.models import Agency, ConnectAttempt, Connection

pytestmark = pytest.mark.django_db(transaction=True)

CALLBACK, INSTALL, PAGE = "/connections/callback/", "/connections/install/", "/connections/"


@pytest.fixture
def code(sandbox):
    return sandbox.get("credentials")["code"]


@pytest.fixture
def hers(ada, as_user):
    return as_user(ada)


def started(hers, business):
    """The state of an attempt that her browser has begun."""
    address = hers.post("/connections/start/", {"business": business.pk})["Location"]
    return dict(parse_qsl(urlsplit(address).query))["state"]


def text(answer):
    return answer.content.decode()


# --- an attempt that began here ---------------------------------------------------------------------------------------


def test_the_way_back_connects_and_leaves_nothing_in_the_address(hers, northgate, code):
    state = started(hers, northgate)
    answer = hers.get(CALLBACK, {"code": code, "state": state})
    assert answer["Location"] == PAGE
    assert "Connected." in text(hers.get(PAGE))
    assert Connection.objects.get().location.business == northgate


def refused_returns(request, hers, northgate, sandbox):
    """name → (browser, parameters) of returns that must connect nothing."""
    new_code = lambda: sandbox.get("credentials")["code"]  # noqa: E731
    other = request.getfixturevalue("as_user")
    yield "invented state", hers, {"code": new_code(), "state": "x" * 43}
    used = started(hers, northgate)
    hers.get(CALLBACK, {"code": "no-such-code", "state": used})
    yield "replayed state", hers, {"code": new_code(), "state": used}
    late = started(hers, northgate)
    ConnectAttempt.objects.filter(used_at=None).update(created_at=timezone.now() - timedelta(minutes=11))
    yield "expired state", hers, {"code": new_code(), "state": late}
    yield "another user's state", other(request.getfixturevalue("max_")), {"code": new_code(), "state": late}
    yield (
        "another tenant's state",
        other(request.getfixturevalue("cy")),
        {"code": new_code(), "state": started(hers, northgate)},
    )
    yield (
        "another session's state",
        other(request.getfixturevalue("ada")),
        {"code": new_code(), "state": started(hers, northgate)},
    )
    yield "no code", hers, {"state": started(hers, northgate)}
    yield "a code of nothing", hers, {"code": "0" * 40, "state": started(hers, northgate)}
    yield "denied", hers, {"error": "access_denied", "state": started(hers, northgate)}
    yield (
        "denied with a code",
        hers,
        {"error": "access_denied", "code": new_code(), "state": started(hers, northgate)},
    )
    yield "nothing at all", hers, {}


def test_every_forged_late_or_empty_return_is_refused_in_a_sentence_and_one_line(
    request, hers, northgate, sandbox, max_, cy, caplog
):
    count = 0
    for name, who, parameters in refused_returns(request, hers, northgate, sandbox):
        caplog.clear()
        with caplog.at_level(logging.INFO, "integrations"):
            answer = who.get(CALLBACK, parameters)
        lines = [record.getMessage() for record in caplog.records if "not connected" in record.getMessage()]
        assert len(lines) == 1, name
        assert answer.status_code == 302, name
        assert urlsplit(answer["Location"]).query == "", name
        for secret in parameters.values():
            assert secret == "access_denied" or secret not in caplog.text, name
        page = who.get(answer["Location"])
        assert page.status_code == 200, name
        assert any(word in text(page) for word in ("Start again", "nothing was connected", "GHL did not finish")), name
        count += 1
    assert count == 11
    assert not Connection.objects.exists()
    assert not Location.objects.exists()


def test_another_location_than_the_one_to_reconnect_is_refused(hers, connection, sandbox):
    old = connection.access_token
    address = hers.post(f"/connections/{connection.pk}/reconnect/")["Location"]
    state = dict(parse_qsl(urlsplit(address).query))["state"]
    other = sandbox.get("credentials", location_id=sandbox.credentials["location_ids"][1])["code"]
    answer = hers.get(CALLBACK, {"code": other, "state": state}, follow=True)
    assert "That was another sub-account" in text(answer)
    connection.refresh_from_db()
    assert connection.access_token == old
    assert Connection.objects.count() == 1


def test_a_location_of_another_business_is_refused(connection, cy, as_user, code):
    initech = as_user(cy)
    state = started(initech, Business.objects.get(name="Initech"))
    answer = initech.get(CALLBACK, {"code": code, "state": state}, follow=True)
    assert "already connected to another business" in text(answer)
    assert Location.objects.get().business == connection.location.business


def test_two_returns_at_once_connect_once(hers, northgate, code):
    state = started(hers, northgate)
    first = hers.get(CALLBACK, {"code": code, "state": state})
    second = hers.get(CALLBACK, {"code": code, "state": state}, follow=True)
    assert first.status_code == 302
    assert "used already" in text(second)
    assert Connection.objects.get().is_active


def test_a_return_after_the_session_has_ended_leads_to_sign_in_and_on(client, sandbox, db, code):
    answer = client.get(CALLBACK, {"code": code, "state": "x"})
    assert answer["Location"] == "/account/login/?next=/connections/"


def test_a_next_in_the_address_leads_nowhere(hers, northgate, code):
    state = started(hers, northgate)
    answer = hers.get(CALLBACK, {"code": code, "state": state, "next": "https://evil.example/"})
    assert answer["Location"] == PAGE


# --- an installation that began in the marketplace --------------------------------------------------------------------


def test_an_installation_from_the_marketplace_binds_nothing_by_itself(hers, northgate, code):
    answer = hers.get(CALLBACK, {"code": code})
    assert answer["Location"] == INSTALL
    page = hers.get(INSTALL)
    assert page.status_code == 200
    assert "Northgate Roofing" in text(page)
    assert code not in text(page)
    assert not Connection.objects.exists()


def test_the_admin_confirms_it(hers, northgate, code):
    hers.get(CALLBACK, {"code": code})
    answer = hers.post(INSTALL, {"business": northgate.pk}, follow=True)
    assert "Connected." in text(answer)
    connection = Connection.objects.get()
    assert connection.location.business == northgate
    assert hers.get(INSTALL).status_code == 302


def test_what_the_browser_keeps_does_not_show_the_code(hers, code):
    answer = hers.get(CALLBACK, {"code": code})
    cookie = answer.cookies["installation"]
    assert code not in cookie.value
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["max-age"] == 600
    assert code not in str(dict(hers.session))


def test_a_second_click_is_harmless(hers, northgate, code):
    hers.get(CALLBACK, {"code": code})
    kept = hers.cookies["installation"].value
    hers.post(INSTALL, {"business": northgate.pk})
    hers.cookies["installation"] = kept
    answer = hers.post(INSTALL, {"business": northgate.pk}, follow=True)
    assert "confirmed already" in text(answer)
    assert Connection.objects.get().is_active


def test_it_waits_ten_minutes(hers, northgate, code, monkeypatch):
    hers.get(CALLBACK, {"code": code})
    now = connect.time.time()
    monkeypatch.setattr(connect.time, "time", lambda: now + 601)
    answer = hers.post(INSTALL, {"business": northgate.pk}, follow=True)
    assert "No installation is waiting here" in text(answer)
    assert not Connection.objects.exists()


def test_it_can_be_cancelled(hers, code):
    hers.get(CALLBACK, {"code": code})
    assert "Nothing was connected" in text(hers.post(INSTALL, {"cancel": "1"}, follow=True))
    assert hers.get(INSTALL).status_code == 302
    assert not Connection.objects.exists()


def test_it_survives_signing_in(client, ada, northgate, code):
    assert client.get(CALLBACK, {"code": code})["Location"] == INSTALL
    way = client.get(INSTALL)["Location"]
    assert way == f"/account/login/?next={INSTALL}"
    assert code not in way
    answer = client.post(way, {"login": ada.email, "password": "correct horse"})
    assert answer["Location"] == INSTALL
    client.post(INSTALL, {"business": northgate.pk})
    assert Connection.objects.get().connected_by == ada


def test_it_survives_signing_up(client, code):
    client.get(CALLBACK, {"code": code})
    way = client.get(INSTALL)["Location"]
    assert f"/account/signup/?next={INSTALL}" in unquote(text(client.get(way)))
    form = {"email": "new@example.com", "password1": "a long enough pass phrase", "name": "New", "business": "New Ltd"}
    answer = client.post("/account/signup/", form | {"next": INSTALL})
    assert answer["Location"] == INSTALL
    assert "New Ltd" in text(client.get(INSTALL))
    client.post(INSTALL, {"business": Business.objects.get().pk})
    assert Connection.objects.get().connected_by == User.objects.get(email="new@example.com")


def test_it_survives_setting_up_a_business(ana, as_user, code):
    client = as_user(ana)
    client.get(CALLBACK, {"code": code})
    client.post("/businesses/new/", {"name": "Her own"})
    assert "has sent you here to connect an account" in text(client.get(PAGE))
    client.post(INSTALL, {"business": Business.objects.get(name="Her own").pk})
    assert Connection.objects.get().connected_by == ana


@pytest.mark.parametrize("who", ["ana", "max_"])
def test_who_administers_nothing_is_told_so_and_binds_nothing(who, request, as_user, northgate, code):
    client = as_user(request.getfixturevalue(who))
    client.get(CALLBACK, {"code": code})
    page = client.get(INSTALL)
    assert page.status_code == 200
    assert "you must be an admin" in text(page)
    assert client.post(INSTALL, {"business": northgate.pk}).status_code == 404
    assert not Connection.objects.exists()


def test_nobody_binds_to_a_business_of_others(cy, as_user, northgate, code):
    client = as_user(cy)
    client.get(CALLBACK, {"code": code})
    for business in (northgate.pk, "", "x", 999_999):
        assert client.post(INSTALL, {"business": business}).status_code == 404
    assert not Connection.objects.exists()


def test_an_admin_of_several_businesses_chooses(ada, hers, northgate, code):
    second = Business.objects.create(name="Second Street")
    Membership.objects.create(user=ada, business=second, role=Role.ADMIN)
    hers.get(CALLBACK, {"code": code})
    page = text(hers.get(INSTALL))
    assert "Second Street" in page and 'type="radio"' in page
    hers.post(INSTALL, {"business": second.pk})
    assert Connection.objects.get().location.business == second


def test_a_form_of_another_site_binds_nothing(ada, northgate, code):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    client.get(CALLBACK, {"code": code})
    assert client.post(INSTALL, {"business": northgate.pk}).status_code == 403
    assert not Connection.objects.exists()


@pytest.mark.parametrize("code", ["", "x" * 2000])
def test_an_empty_or_endless_code_is_not_kept(code, hers):
    answer = hers.get(CALLBACK, {"code": code})
    assert "installation" not in answer.cookies
    assert answer["Location"] == PAGE


def test_a_made_up_cookie_is_no_installation(hers):
    for value in ("nonsense", "dev:AAAA", "no:key", "[]"):
        hers.cookies["installation"] = value
        assert hers.get(INSTALL).status_code == 302
        assert hers.get(PAGE).status_code == 200


# --- an agency gives access as a whole --------------------------------------------------------------------------------


@pytest.fixture
def company_code(sandbox):
    return sandbox.get("credentials")["company_code"]


def test_an_agencys_consent_leads_to_the_choice_of_locations(hers, northgate, company_code, sandbox):
    state = started(hers, northgate)
    answer = hers.get(CALLBACK, {"code": company_code, "state": state})
    agency = Agency.objects.get()
    assert answer["Location"] == f"/connections/agencies/{agency.pk}/"
    assert (agency.business, agency.company_id) == (northgate, sandbox.credentials["company_id"])
    assert not Connection.objects.exists()
    assert agency.sealed_access_token and agency.access_token not in str(Agency.objects.values()[0])


def test_the_same_for_an_agencys_installation_from_the_marketplace(hers, northgate, company_code):
    hers.get(CALLBACK, {"code": company_code})
    answer = hers.post(INSTALL, {"business": northgate.pk})
    assert answer["Location"] == f"/connections/agencies/{Agency.objects.get().pk}/"
