"""Consent, codes and refresh tokens; and that none of them is ever seen."""

import logging
import os
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.ghl import errors, oauth
from integrations.ghl.breaker import Breaker, Paused

from .scripted import Answer

PAIR = {
    "access_token": "canary-access",
    "refresh_token": "canary-refresh-2",
    "token_type": "Bearer",
    "expires_in": 86399,
    "scope": "contacts.readonly contacts.write",
    "userType": "Location",
    "companyId": "co1",
    "locationId": "loc1",
    "userId": "u1",
}
CAMEL = {
    "accessToken": "canary-access",
    "refreshToken": "canary-refresh-2",
    "tokenType": "Bearer",
    "expiresIn": "86399",
}


def refresh(server, secrets="canary-secret", **more):
    return oauth.refresh(server.url, "app-1", secrets, "canary-refresh-1", **more)


def test_the_consent_address():
    url = oauth.authorize_url(
        "https://marketplace.test", "app-1", "https://us.test/back", ["a.read", "b/c.write"], "st"
    )
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://marketplace.test/v2/oauth/chooselocation"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["app-1"],
        "redirect_uri": ["https://us.test/back"],
        "scope": ["a.read b/c.write"],
        "state": ["st"],
    }


def test_the_consent_address_of_a_pretend_ghl_on_this_machine_stays_http():
    assert oauth.authorize_url("http://127.0.0.1:9", "a", "http://127.0.0.1:8/b", ["s"], "x").startswith(
        "http://127.0.0.1:9/"
    )


def test_a_code_becomes_tokens(server):
    server.says(PAIR)
    grant = oauth.exchange_code(server.url, "app-1", "canary-secret", "https://us.test/back", "canary-code")
    assert server.asked[0].path == "/oauth/token"
    assert server.asked[0].form == {
        "grant_type": "authorization_code",
        "code": "canary-code",
        "client_id": "app-1",
        "client_secret": "canary-secret",
        "redirect_uri": "https://us.test/back",
        "user_type": "Location",
    }
    assert (grant.access_token, grant.refresh_token, grant.expires_in) == ("canary-access", "canary-refresh-2", 86399)
    assert grant.scopes == ("contacts.readonly", "contacts.write")
    assert (grant.user_type, grant.company_id, grant.location_id, grant.user_id) == ("Location", "co1", "loc1", "u1")


def test_a_refresh_gives_a_new_pair(server):
    server.says(PAIR)
    assert refresh(server).refresh_token == "canary-refresh-2"
    form = server.asked[0].form
    assert (form["grant_type"], form["refresh_token"], form["user_type"]) == (
        "refresh_token",
        "canary-refresh-1",
        "Location",
    )
    assert "authorization" not in server.asked[0].headers


def test_the_names_of_v3_are_understood(server):
    server.says(CAMEL)
    assert refresh(server).expires_in == 86399


def test_during_a_rotation_the_second_secret_is_tried(server):
    server.answers(Answer({"error": "invalid_client"}, 401), Answer(PAIR))
    assert refresh(server, ["old-secret", "canary-secret"]).access_token == "canary-access"
    assert [asked.form["client_secret"] for asked in server.asked] == ["old-secret", "canary-secret"]


@pytest.mark.parametrize(
    "answer, kind, maybe_done",
    [
        (Answer({"error": "invalid_grant", "error_description": "token is invalid"}, 400), oauth.GrantDead, False),
        (Answer({"message": "Invalid refresh token"}, 400), oauth.GrantDead, False),
        (Answer({"message": "This refresh token is invalid"}, 401), oauth.GrantDead, False),
        (Answer({"message": "Unauthorized"}, 401), oauth.GrantDead, False),
        (Answer({"message": "Location is not active"}, 400), oauth.GrantRefused, False),
        (Answer({"message": "Location is not active"}, 401), oauth.GrantRefused, False),
        (Answer(b"<html>who are you?</html>", 401), errors.BadAnswer, True),
        (Answer(b"<html>blocked</html>", 403), errors.BadAnswer, True),
        (Answer(b"", 400), errors.BadAnswer, True),
        (Answer({"error": "invalid_client"}, 401), oauth.GrantRefused, False),
        (Answer({"message": ["x must be a string"]}, 422), oauth.GrantRefused, False),
        (Answer({"message": "slow down"}, 429), errors.RateLimited, False),
        (Answer(b"<html>502</html>", 502), errors.Unavailable, True),
        (Answer(b"<html>canary-refresh-1</html>", 200), errors.BadAnswer, True),
        (Answer({"hello": 1}, 200), errors.BadAnswer, True),
        (Answer([], 200), errors.BadAnswer, True),
        (Answer(hang_up=True), errors.NoAnswer, True),
        (Answer(PAIR, cut=True), errors.NoAnswer, True),
        (Answer(PAIR, 302, {"Location": "/elsewhere"}), errors.Unavailable, True),
    ],
)
def test_what_a_failed_refresh_means(answer, kind, maybe_done, server):
    server.answers(answer)
    with pytest.raises(kind) as caught:
        refresh(server)
    assert caught.value.maybe_done is maybe_done
    assert len(server.asked) == 1


def test_a_refused_client_is_not_the_fault_of_the_connection(server):
    server.says({"error": "invalid_client"}, 401)
    with pytest.raises(oauth.GrantRefused) as caught:
        refresh(server)
    assert (caught.value.is_client, caught.value.is_suspended) == (True, False)


@pytest.mark.parametrize("said", ["Location is not active", "The location is suspended", "Sub-account is paused"])
def test_a_sleeping_location_is_told_from_a_dead_grant(said, server):
    server.says({"message": said}, 400)
    with pytest.raises(oauth.GrantRefused) as caught:
        refresh(server)
    assert (caught.value.is_client, caught.value.is_suspended) == (False, True)


def test_a_host_that_refuses_the_connection_has_rotated_nothing():
    with pytest.raises(errors.NotSent) as caught:
        oauth.refresh("http://127.0.0.1:1", "app-1", "canary-secret", "canary-refresh-1")
    assert not caught.value.maybe_done


COMPANY = {key: value for key, value in PAIR.items() if key != "locationId"} | {"userType": "Company"}


@pytest.mark.parametrize("body", [COMPANY, {key: value for key, value in COMPANY.items() if key != "userType"}])
def test_a_company_is_connected_and_renewed_without_a_location(body, server):
    server.answers(Answer(body), Answer(body))
    code = oauth.exchange_code(server.url, "app-1", "canary-secret", "https://us.test/b", "canary-code", "Company")
    for grant in (code, refresh(server, user_type="Company")):
        assert (grant.user_type, grant.company_id, grant.location_id) == ("Company", "co1", "")
    assert [asked.form["user_type"] for asked in server.asked] == ["Company", "Company"]


def installed(server):
    return oauth.installed_locations(server.url, "canary-company", "co1", "app")


def locations(first, last):
    return [{"_id": f"loc{number}", "name": f"L{number}", "isInstalled": True} for number in range(first, last)]


def test_the_locations_of_a_company_are_read_page_by_page(server):
    sleepy = {"_id": "last", "name": "Last", "address": "1 Main St", "isInstalled": False}
    server.answers(Answer({"locations": locations(0, 100)}), Answer({"locations": [*locations(100, 120), sleepy]}))
    found = installed(server)
    assert len(found) == 121
    assert found[0] == oauth.InstalledLocation("loc0", "L0", "", True)
    assert found[-1] == oauth.InstalledLocation("last", "Last", "1 Main St", False)
    assert [asked.query["skip"] for asked in server.asked] == [["0"], ["100"]]
    assert server.asked[0].query["appId"] == ["app"]
    assert server.asked[0].headers["authorization"] == "Bearer canary-company"


def test_shorter_pages_than_asked_for_do_not_hide_the_rest(server):
    pages = [locations(0, 20), locations(20, 30)]
    server.answers(*[Answer({"locations": page, "count": 30}) for page in pages])
    assert len(installed(server)) == 30


@pytest.mark.parametrize("body", [{}, {"locations": None}, {"locations": ["loc1"]}, {"locations": [{"name": "x"}]}])
def test_no_list_is_not_an_empty_list(body, server):
    server.says(body)
    with pytest.raises(errors.BadAnswer):
        installed(server)


def test_a_list_that_repeats_itself_is_refused(server):
    server.answers(*[Answer({"locations": locations(0, 100)})] * 2)
    with pytest.raises(errors.BadAnswer, match="move on"):
        installed(server)


@pytest.mark.parametrize("status, kind", [(401, errors.TokenRejected), (403, errors.LocationDenied)])
def test_a_refused_company_token_is_told(status, kind, server):
    server.says({"message": "Invalid JWT"}, status)
    with pytest.raises(kind):
        installed(server)


def test_a_sleeping_location_gets_no_token_from_its_company(server):
    server.says({"message": "Location is not active"}, 400)
    with pytest.raises(oauth.GrantRefused) as caught:
        oauth.location_token(server.url, "canary-company", "co1", "loc1")
    assert caught.value.is_suspended


def test_a_location_token_may_bring_its_own_refresh_token(server):
    server.says({"access_token": "canary-access", "expires_in": 86399, "refresh_token": "canary-refresh-9"})
    grant = oauth.location_token(server.url, "canary-company", "co1", "loc1")
    assert (grant.refresh_token, grant.user_type) == ("canary-refresh-9", "Location")


def test_a_token_host_that_does_not_answer_is_left_in_peace(server, redis_client, key):
    breaker = Breaker(redis_client, key)
    server.answers(*[Answer(b"<html>502</html>", 502)] * 3, Answer(b"junk"), Answer(hang_up=True), Answer(PAIR))
    for _ in range(5):
        with pytest.raises(errors.GhlError) as caught:
            refresh(server, breaker=breaker)
        assert caught.value.maybe_done
    for ask in (
        lambda: refresh(server, breaker=breaker),
        lambda: oauth.exchange_code(server.url, "a", "s", "https://us.test/b", "c", breaker=breaker),
        lambda: oauth.location_token(server.url, "t", "co1", "loc1", breaker=breaker),
        lambda: oauth.installed_locations(server.url, "t", "co1", "a", breaker=breaker),
    ):
        with pytest.raises(Paused) as caught:
            ask()
        assert not caught.value.maybe_done
    assert len(server.asked) == 5


def test_a_refused_grant_is_an_answer_of_the_token_host(server, redis_client, key):
    breaker = Breaker(redis_client, key)
    server.answers(*[Answer({"error": "invalid_grant"}, 400)] * 6)
    for _ in range(6):
        with pytest.raises(oauth.GrantDead):
            refresh(server, breaker=breaker)
    assert breaker.state().failures == 0


def test_a_slow_token_endpoint_meets_the_deadline(server):
    server.answers(Answer(PAIR, drip=0.05))
    with pytest.raises(errors.NoAnswer):
        refresh(server, timeout=0.3)


def test_a_company_token_gives_a_locations_token(server):
    server.says({"access_token": "canary-access", "expires_in": 86399, "scope": "a", "locationId": "loc1"}, 201)
    grant = oauth.location_token(server.url, "canary-company", "co1", "loc1")
    assert server.asked[0].path == "/oauth/locationToken"
    assert server.asked[0].headers["authorization"] == "Bearer canary-company"
    assert server.asked[0].form == {"companyId": "co1", "locationId": "loc1"}
    assert (grant.location_id, grant.company_id, grant.refresh_token) == ("loc1", "co1", "")


def test_http_is_only_for_this_machine():
    with pytest.raises(ValueError, match="https only") as caught:
        oauth.refresh("http://ghl.example.com", "app-1", "canary-secret", "canary-refresh-1")
    assert "canary" not in str(caught.value)
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ


@pytest.mark.parametrize(
    "answer",
    [
        Answer(PAIR),
        Answer({"error": "invalid_grant", "error_description": "canary-refresh-1 of canary-secret"}, 400),
        Answer({"message": "canary-refresh-1 canary-secret", "access_token": "canary-access"}, 500),
        Answer(b"canary-refresh-1 canary-access", 200),
        Answer(PAIR, cut=True),
    ],
)
def test_no_token_is_seen_anywhere(answer, server, caplog):
    logging.getLogger().setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="requests_oauthlib.oauth2_session")
    server.answers(answer)
    seen = []
    try:
        seen.append(repr(refresh(server)))
    except errors.GhlError as error:
        seen += [str(error), repr(error), error.body, str(error.messages), str(error.args), str(error.__dict__)]
        assert error.__context__ is None or "canary" not in repr(vars(error.__context__))
    assert "canary" not in caplog.text + "".join(seen)
