"""An app is installed, taken away, and its sub-account suspended."""

import http.server
import json
import queue
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

BACK = "http://127.0.0.1:8000/oauth/callback"
SCOPES = "contacts.readonly contacts.write locations.readonly oauth.readonly oauth.write"


@pytest.fixture
def hook(account):
    """What was told to the app, in order."""
    told = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    account.settings(webhook_url=f"http://127.0.0.1:{server.server_port}/")
    yield told
    server.shutdown()


def consent(account, location_id=None, **asked):
    """What comes back in the callback."""
    form = {
        "response_type": "code",
        "client_id": account.known["client_id"],
        "redirect_uri": BACK,
        "scope": SCOPES,
        "location_id": location_id or account.location,
    } | asked
    path = f"{account.base}/v2/oauth/chooselocation"
    answer = account.http.post(path, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return {name: one[0] for name, one in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def exchanged(account, code):
    return account.ok(account.token(grant_type="authorization_code", code=code))


def installed(account, token, **query):
    account.use(token)
    asked = {"companyId": account.known["company_id"], "appId": account.known["app_id"], **query}
    return {one["_id"]: one["isInstalled"] for one in account.get("/oauth/installedLocations", **asked)["locations"]}


def location_token(account, company_token, location_id, headers=None, path="/oauth/locationToken"):
    data = {"companyId": account.known["company_id"], "locationId": location_id}
    headers = {"Authorization": f"Bearer {company_token}", "Version": "2021-07-28", **(headers or {})}
    return account.http.post(account.base + path, data=data, headers=headers, timeout=10)


def test_an_install_begun_on_the_marketplace_brings_no_state(account):
    back = consent(account)
    assert set(back) == {"code"}
    assert exchanged(account, back["code"])["locationId"] == account.location


def test_with_bulk_install_one_chosen_location_yields_a_company_token_that_names_none(account):
    account.settings(bulk_install=True)
    tokens = exchanged(account, consent(account)["code"])
    assert (tokens["userType"], tokens["isBulkInstallation"]) == ("Company", True)
    assert not {"locationId", "approvedLocations"} & set(tokens)
    assert installed(account, tokens["access_token"], isInstalled="true") == {account.location: True}
    minted = location_token(account, tokens["access_token"], account.location).json()
    assert minted["locationId"] == account.location
    account.use(minted["access_token"])
    assert account.get(f"/contacts/{account.contact}")
    assert account.token(grant_type="refresh_token", refresh_token=minted["refresh_token"]).ok


def test_a_company_token_opens_only_locations_that_have_the_app(account):
    account.settings(bulk_install=True)
    tokens = exchanged(account, consent(account)["code"])
    other = account.known["location_ids"][1]
    assert location_token(account, tokens["access_token"], other).status_code == 400
    account.control("POST", "tokens", {"action": "install", "location_id": other})
    v3 = location_token(account, tokens["access_token"], other, {"Version": "v3"}, "/oauth/location-token").json()
    assert v3["accessToken"] and v3["locationId"] == other


@pytest.mark.parametrize("when, before, after", [("before", 1, 0), ("after", 0, 1), ("off", 0, 0)])
def test_the_install_webhook_comes_before_or_after_the_code_is_exchanged(account, hook, when, before, after):
    account.settings(install_webhook=when)
    code = consent(account)["code"]
    account.control("GET", "webhooks", wait=5)
    assert hook.qsize() == before
    exchanged(account, code)
    account.control("GET", "webhooks", wait=5)
    assert hook.qsize() == before + after
    if before or after:
        told = hook.get()
        assert (told["type"], told["locationId"]) == ("INSTALL", account.location)
        assert told["companyId"] == account.known["company_id"] and told["appId"] == account.known["app_id"]


def test_an_uninstall_ends_every_token_of_the_app_there_and_is_told(account, hook):
    account.settings(install_webhook="off")
    tokens = exchanged(account, consent(account)["code"])
    unspent = consent(account)["code"]
    other = exchanged(account, consent(account, account.known["location_ids"][1])["code"])
    done = account.control("POST", "tokens", {"action": "uninstall", "location_id": account.location})
    assert done["installed"] is False
    told = hook.get(timeout=5)
    assert (told["type"], told["locationId"]) == ("UNINSTALL", account.location)
    account.use(tokens["access_token"])
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 401
    assert account.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400
    assert account.token(grant_type="authorization_code", code=unspent).status_code == 400
    account.use(other["access_token"])
    assert account.ask("GET", f"/locations/{other['locationId']}").ok, "the other location keeps the app"
    account.use(account.known["private_integration_token"])
    assert account.ask("GET", f"/contacts/{account.contact}").ok, "a private token is no part of the app"


def test_an_agency_takes_the_app_away_everywhere(account, hook):
    company = exchanged(account, consent(account, account.known["company_id"])["code"])
    minted = location_token(account, company["access_token"], account.location).json()
    account.control("POST", "tokens", {"action": "uninstall", "location_id": account.known["company_id"]})
    told = [hook.get(timeout=5) for _ in range(2)][-1]
    assert told["type"] == "UNINSTALL" and told["companyId"] and "locationId" not in told
    for tokens in (company, minted):
        assert account.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400
    assert location_token(account, company["access_token"], account.location).status_code == 401


def test_after_an_uninstall_it_can_be_installed_again(account):
    exchanged(account, consent(account)["code"])
    account.control("POST", "tokens", {"action": "uninstall", "location_id": account.location})
    account.use(exchanged(account, consent(account)["code"])["access_token"])
    assert account.ask("GET", f"/contacts/{account.contact}").ok


def test_a_suspended_location_is_not_active_until_it_is_resumed(account):
    tokens = exchanged(account, consent(account)["code"])
    account.use(tokens["access_token"])
    account.control("POST", "tokens", {"action": "suspend", "location_id": account.location})
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 403
    refused = account.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (refused.status_code, refused.json()["message"]) == (400, "Location is not active")
    account.control("POST", "tokens", {"action": "resume", "location_id": account.location})
    assert account.ask("GET", f"/contacts/{account.contact}").ok
    assert account.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).ok


def test_a_company_install_is_for_every_location(account, hook):
    tokens = exchanged(account, consent(account, account.known["company_id"])["code"])
    assert all(installed(account, tokens["access_token"]).values())
    told = hook.get(timeout=5)
    assert told["type"] == "INSTALL" and "locationId" not in told and told["installType"] == "Company"
