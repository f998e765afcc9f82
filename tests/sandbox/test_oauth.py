import re
from urllib.parse import parse_qs, urlsplit

import pytest

BACK = "http://127.0.0.1:8000/oauth/callback"


@pytest.fixture
def consent(account):
    """Ask for consent; answers the page. `choose` presses a button on it."""

    def ask(path="/v2/oauth/chooselocation", **query):
        asked = {
            "response_type": "code",
            "client_id": account.known["client_id"],
            "redirect_uri": BACK,
            "scope": "contacts.readonly contacts.write locations.readonly",
            "state": "st&te",
        } | query
        return account.http.get(account.base + path, params=asked, timeout=10)

    return ask


def choose(account, page, **pressed):
    hidden = dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', page.text.replace("&amp;", "&")))
    return account.http.post(page.url, data=hidden | pressed, allow_redirects=False, timeout=10)


def granted(answer):
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(BACK)
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@pytest.mark.parametrize("path", ["/v2/oauth/chooselocation", "/oauth/chooselocation"])
def test_allowing_a_location_gives_a_code_that_gives_tokens(account, consent, path):
    page = consent(path)
    assert "Sandbox GHL" in page.text
    assert "Northgate Roofing" in page.text and "Brightline Solar" in page.text
    scopes = ["contacts.readonly", "contacts.write", "locations.readonly"]
    back = granted(choose(account, page, location_id=account.location, granted_scope=scopes))
    assert back["state"] == "st&te"
    tokens = account.token(grant_type="authorization_code", code=back["code"], redirect_uri=BACK).json()
    assert (tokens["token_type"], tokens["userType"]) == ("Bearer", "Location")
    assert tokens["locationId"] == account.location and tokens["companyId"] == account.known["company_id"]
    assert 86_390 <= tokens["expires_in"] <= 86_399
    assert sorted(tokens["scope"].split()) == scopes
    assert {"refresh_token", "userId", "refreshTokenId", "traceId", "isBulkInstallation"} <= set(tokens)
    account.use(tokens["access_token"])
    assert account.get(f"/locations/{account.location}")["location"]["name"] == "Northgate Roofing"


def test_a_scope_can_be_unticked(account, consent):
    answer = choose(account, consent(), location_id=account.location, granted_scope="contacts.readonly")
    tokens = account.token(grant_type="authorization_code", code=granted(answer)["code"]).json()
    assert tokens["scope"] == "contacts.readonly"
    account.use(tokens["access_token"])
    assert account.ask("PUT", f"/contacts/{account.contact}", {"city": "X"}).status_code == 401


def test_cancelling_comes_back_with_an_error(account, consent):
    back = granted(choose(account, consent(), decision="cancel"))
    assert back["error"] == "access_denied" and back["state"] == "st&te"


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"client_id": "x"}, "No app with this client_id"),
        ({"redirect_uri": "https://evil.example/cb"}, "not registered"),
        ({"response_type": "token"}, "response_type must be code"),
        ({"scope": ""}, "asks for no scope"),
        ({"scope": "everything"}, "do not exist: everything"),
    ],
)
def test_a_wrong_request_for_consent_is_refused_with_a_sentence(consent, wrong, sentence):
    page = consent(**wrong)
    assert page.status_code == 400 and sentence in page.text


def test_a_redirect_uri_can_be_registered(account, consent):
    account.settings(redirect_uris=["https://app.example/cb"])
    assert consent(redirect_uri="https://app.example/cb").status_code == 200


def test_strict_takes_only_registered_redirect_uris_and_no_second_refresh(account, consent):
    account.reset(strict=True, redirect_uris=[BACK])
    assert consent(redirect_uri=BACK).status_code == 200
    assert consent(redirect_uri=BACK + "/other").status_code == 400
    first = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    assert account.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).ok
    again = account.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_works_once(account):
    assert account.token(grant_type="authorization_code", code=account.known["code"]).ok
    again = account.token(grant_type="authorization_code", code=account.known["code"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_grows_old(account):
    account.settings(code_lifetime=0)
    code = account.control("GET", "credentials")["code"]
    assert account.token(grant_type="authorization_code", code=code).status_code == 400


def test_refresh_tokens_rotate_and_twins_within_the_grace_get_the_same_pair(account):
    first = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    second = account.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    twin = account.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] == twin["refresh_token"] != first["refresh_token"]
    account.settings(grace=0)
    late = account.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert late.status_code == 400
    assert account.token(grant_type="refresh_token", refresh_token=second["refresh_token"]).ok


def test_two_secrets_are_good_at_once_and_a_third_is_not(account):
    code = account.known["code"]
    bad = account.token(grant_type="authorization_code", code=code, client_secret="no")
    assert bad.status_code == 401
    assert account.token("other_client_secret", grant_type="authorization_code", code=code).ok


@pytest.mark.parametrize(
    "fields, status",
    [
        ({"grant_type": "client_credentials"}, 400),
        ({"grant_type": "password"}, 422),
        ({"grant_type": "authorization_code"}, 422),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400),
        ({"grant_type": "authorization_code", "code": "x"}, 400),
    ],
)
def test_wrong_token_requests_are_refused(account, fields, status):
    answer = account.token(**fields)
    assert answer.status_code == status and "traceId" in answer.json()


def test_version_3_speaks_camel_case_in_json(account):
    body = {
        "clientId": account.known["client_id"],
        "clientSecret": account.known["client_secret"],
        "grantType": "authorization_code",
        "code": account.known["code"],
    }
    answer = account.http.post(f"{account.base}/oauth/token", json=body, headers={"Version": "v3"}, timeout=10).json()
    assert {"accessToken", "refreshToken", "expiresIn", "tokenType", "locationId"} <= set(answer)


def test_a_company_token_makes_location_tokens(account):
    tokens = account.token(grant_type="authorization_code", code=account.known["company_code"]).json()
    assert tokens["userType"] == "Company" and "locationId" not in tokens
    account.use(tokens["access_token"])
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 403
    fields = {"companyId": tokens["companyId"], "locationId": account.location}
    made = account.http.post(f"{account.base}/oauth/locationToken", data=fields, headers=account.headers, timeout=10)
    assert made.json()["locationId"] == account.location and made.json()["refresh_token"]
    query = {"companyId": tokens["companyId"], "appId": account.known["app_id"]}
    assert account.get("/oauth/installedLocations", **query)["count"] == 2
    v3 = account.ask("GET", "/oauth/installed-locations", headers={"Version": "v3"}, params={**query, "pageSize": 1})
    assert v3.json()["pagination"]["hasNextPage"] is True
    account.use(made.json()["access_token"])
    assert account.get(f"/contacts/{account.contact}")
    assert account.ask("GET", "/oauth/installedLocations", params=query).status_code == 401


def test_reconnecting_was_removed(account):
    answer = account.ask("POST", "/oauth/reconnect", {})
    assert (answer.status_code, answer.json()["message"]) == (400, "API endpoint has been removed")


def test_a_private_token_works_with_and_without_bearer(account):
    token = account.known["private_integration_token"]
    assert token.startswith("pit-")
    for written in (token, f"Bearer {token}"):
        assert account.ask("GET", f"/contacts/{account.contact}", headers={"Authorization": written}).ok


def test_tokens_expire_and_are_revoked_on_demand(account):
    first = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    account.use(first["access_token"])
    account.control("POST", "tokens", {"action": "expire", "location_id": account.location, "kind": "location"})
    assert account.ask("GET", f"/contacts/{account.contact}").json()["message"] == "Invalid JWT"
    second = account.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    account.use(second["access_token"])
    assert account.ask("GET", f"/contacts/{account.contact}").ok
    account.control("POST", "tokens", {"action": "revoke", "token": second["access_token"]})
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 401
    assert account.token(grant_type="refresh_token", refresh_token=second["refresh_token"]).status_code == 400


def test_the_life_of_access_tokens_can_be_set(account):
    account.control("POST", "tokens", {"access_token_lifetime": 0})
    tokens = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    account.use(tokens["access_token"])
    assert tokens["expires_in"] == 0
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 401
