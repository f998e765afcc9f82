"""The official SDKs as they speak, taken down from the wire: headers, paths, query strings and bodies.

JavaScript: @gohighlevel/api-client 3.1.0, over axios. Python: gohighlevel-api-client 3.0.0, over httpx.
"""

import base64
import json
from urllib.parse import urlencode

import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .test_webhooks import mailbox  # noqa: F401  a fixture

JS = {
    "Accept": "application/json, text/plain, */*",
    "Content-Type": "application/json",
    "Version": "2023-02-21",
    "x-sdk-version": "3.1.0",
    "User-Agent": "axios/1.21.1",
    "Accept-Encoding": "gzip, compress, deflate, br",
    "Connection": "keep-alive",
}
PYTHON = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
    "connection": "keep-alive",
    "user-agent": "python-httpx/0.28.1",
    "content-type": "application/json",
    "ghl-sdk-version": "python/3.0.0",
    "version": "v3",
}
SDKS = {"js": JS, "python": PYTHON}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Sdk:
    """One SDK with one token. Even its GETs carry a Content-Type."""

    def __init__(self, account, headers, token):
        self.account = account
        # Both SDKs are told whose token to take by a header, and send that header along.
        self.headers = headers | {"Authorization": f"Bearer {token}", "locationId": account.location}

    def send(self, method, path, body=None, headers=None):
        data = None if body is None else body if isinstance(body, str) else compact(body)
        headers = self.headers | (headers or {})
        return requests.request(method, self.account.base + path, data=data, headers=headers, timeout=10)

    def __call__(self, method, path, body=None):
        answer = self.send(method, path, body)
        assert answer.ok, answer.text
        return answer.json()


def compact(body):
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.fixture(params=["private_integration_token", "location_access_token"])
def token(request, account):
    return account.known[request.param]


@pytest.fixture(params=list(SDKS))
def sdk(request, account, token):
    return Sdk(account, SDKS[request.param], token)


@pytest.fixture
def js(account):
    return Sdk(account, JS, account.known["private_integration_token"])


@pytest.fixture
def python(account):
    return Sdk(account, PYTHON, account.known["private_integration_token"])


READS = [
    ("/contacts/{contact_id}", "contact"),
    ("/contacts/{contact_id}/notes", "notes"),
    ("/contacts/{contact_id}/tasks", "tasks"),
    ("/contacts/{contact_id}/appointments", "events"),
    ("/calendars/?locationId={location_id}&showDrafted=true", "calendars"),
    ("/calendars/{calendar_id}", "calendar"),
    ("/calendars/groups?locationId={location_id}", "groups"),
    (
        "/calendars/events?locationId={location_id}&calendarId={calendar_id}"
        "&startTime=1600000000000&endTime=1900000000000",
        "events",
    ),
    (
        "/calendars/blocked-slots?locationId={location_id}&calendarId={calendar_id}"
        "&startTime=1600000000000&endTime=1900000000000",
        "events",
    ),
    ("/users/search?companyId={company_id}&query=&skip=0&limit=25&locationId={location_id}&sortDirection=asc", "users"),
    ("/users/search?companyId={company_id}&locationId={location_id}&ids={user_id},x", "users"),
    ("/users/{user_id}", "id"),
    ("/locations/{location_id}", "location"),
    ("/locations/search?companyId={company_id}&skip=0&limit=10&order=asc", "locations"),
    ("/locations/{location_id}/timezones", "timeZones"),
    ("/locations/{location_id}/tags", "tags"),
    ("/locations/{location_id}/customFields?model=all", "customFields"),
    ("/locations/{location_id}/customValues", "customValues"),
    ("/businesses/?locationId={location_id}&limit=100&skip=0", "businesses"),
    ("/opportunities/pipelines?locationId={location_id}", "pipelines"),
]
JS_READS = [
    ("/contacts/?locationId={location_id}&startAfterId={contact_id}&startAfter=1782850984471&query=&limit=5", "meta"),
    ("/users/?locationId={location_id}", "users"),
    ("/opportunities/search?location_id={location_id}&limit=5&getTasks=true&getNotes=true", "opportunities"),
]
PYTHON_READS = [
    ("/opportunities/search?page=1.0&limit=5.0&getNotes=true&locationId={location_id}", "opportunities"),
    (
        "/calendars/events?locationId={location_id}&calendarId={calendar_id}"
        "&startTime=1600000000000.0&endTime=1900000000000.0",
        "events",
    ),
    ("/locations/{location_id}/permissions", "permissions"),
]


@pytest.mark.parametrize("path, key", READS)
def test_both_read(sdk, path, key):
    assert key in sdk("GET", path.format(**sdk.account.known))


@pytest.mark.parametrize("path, key", JS_READS)
def test_javascript_reads_what_version_3_dropped(js, path, key):
    assert key in js("GET", path.format(**js.account.known))


@pytest.mark.parametrize("path, key", PYTHON_READS)
def test_python_reads_with_floats_in_the_query(python, path, key):
    assert key in python("GET", path.format(**python.account.known))


def test_a_contact_from_birth_to_death(sdk):
    known = sdk.account.known
    channel = "email" if sdk.headers.get("version") == "v3" else "Email"
    body = {
        "locationId": known["location_id"],
        "firstName": "Ada",
        "lastName": "Löv & Co",
        "email": "ada@sdk.example",
        "phone": "+1 415-555-0193",
        "tags": ["Sdk One"],
        "dnd": False,
        "dndSettings": {channel: {"status": "active", "message": "m", "code": "101"}},
    }
    contact_id = sdk("POST", "/contacts/", body)["contact"]["id"]
    path = f"/contacts/{contact_id}"
    assert list(sdk("GET", path)["contact"]["dndSettings"]) == [channel]
    assert sdk("PUT", path, {"firstName": "Augusta"})["succeeded"] is True
    upsert = {"locationId": known["location_id"], "email": "ada@sdk.example", "city": "Oslo"}
    assert sdk("POST", "/contacts/upsert", upsert)["new"] is False
    whose = f"/contacts/search/duplicate?locationId={known['location_id']}"
    assert sdk("GET", f"{whose}&number=%2B14155550193")["contact"]["id"] == contact_id
    assert sdk("GET", f"{whose}&email=ada@sdk.example")["matchingField"] == "email"
    search = '{"locationId":"%s","pageLimit":20.0,"page":1.0,"filters":[{"field":"email","operator":"exists"}]}'
    assert any(
        row["id"] == contact_id for row in sdk("POST", "/contacts/search", search % known["location_id"])["contacts"]
    )
    assert sdk("POST", f"{path}/tags", {"tags": ["New Tag"]})["tagsAdded"] == ["new tag"]
    assert sdk("DELETE", f"{path}/tags", {"tags": ["new tag"]})["tagsRemoved"] == ["new tag"]
    assert sdk("POST", f"{path}/followers", {"followers": [known["user_id"]]})["followers"] == [known["user_id"]]
    assert sdk("DELETE", f"{path}/followers", {"followers": [known["user_id"]]})["followers"] == []
    # A DELETE of JavaScript's has a Content-Type and no body at all.
    assert sdk("DELETE", path)["succeeded"] is True
    assert sdk.send("GET", path).status_code == 400


def test_notes_and_tasks(sdk):
    known = sdk.account.known
    path = f"/contacts/{known['contact_id']}"
    note = sdk("POST", f"{path}/notes", {"body": "Hello", "userId": known["user_id"]})["note"]
    assert sdk("PUT", f"{path}/notes/{note['id']}", {"title": "t"})["note"]["body"] == "Hello"
    assert sdk("GET", f"{path}/notes/{note['id']}")["note"]["title"] == "t"
    assert sdk("DELETE", f"{path}/notes/{note['id']}")["succeded"] is True
    body = {"title": "Call", "dueDate": "2026-10-25T11:00:00Z", "completed": False, "assignedTo": known["user_id"]}
    task = sdk("POST", f"{path}/tasks", body)["task"]
    one = f"{path}/tasks/{task['id']}"
    assert sdk("PUT", one, {"dueDate": "2026-10-26T11:00:00+02:00"})["task"]["dueDate"] == "2026-10-26T09:00:00.000Z"
    assert sdk("PUT", f"{one}/completed", {"completed": True})["task"]["completed"] is True
    search = '{"contactId":["%s"],"completed":true,"assignedTo":["%s"],"query":"Call","limit":25.0,"skip":0.0}'
    rows = sdk(
        "POST", f"/locations/{known['location_id']}/tasks/search", search % (known["contact_id"], known["user_id"])
    )
    assert task["id"] in [row["_id"] for row in rows["tasks"]]
    assert sdk("DELETE", one)["succeded"] is True


def test_an_appointment_and_its_notes(sdk):
    known = sdk.account.known
    body = {
        "calendarId": known["calendar_id"],
        "locationId": known["location_id"],
        "contactId": known["contact_id"],
        "startTime": "2027-06-23T03:30:00+05:30",
        "endTime": "2027-06-23T04:30:00+05:30",
        "meetingLocationType": "custom",
        "meetingLocationId": "custom_0",
        "overrideLocationConfig": True,
        "appointmentStatus": "new",
        "assignedUserId": known["user_id"],
        "ignoreDateRange": False,
        "toNotify": False,
        "ignoreFreeSlotValidation": True,
    }
    made = sdk("POST", "/calendars/events/appointments", body)
    path = f"/calendars/events/appointments/{made['id']}"
    assert sdk("PUT", path, {"appointmentStatus": "showed"})["appointmentStatus"] == "showed"
    assert sdk("GET", path)["appointment"]["id"] == made["id"]
    notes = f"/calendars/appointments/{made['id']}/notes"
    sdk("POST", notes, {"body": "x", "userId": known["user_id"]})
    assert len(sdk("GET", f"{notes}?limit=10.0&offset=0.0")["notes"]) == 1
    assert sdk("DELETE", f"/calendars/events/{made['id']}", {})["succeeded"] is True


@pytest.mark.parametrize("removes_all", [{}, {"removeAllTags": False}])
@pytest.mark.parametrize("kind", ["add", "remove"])
def test_tags_of_many_contacts_have_one_body_for_both_kinds(js, kind, removes_all):
    body = {"contacts": [js.account.contact], "tags": ["bulk"], "locationId": js.account.location, **removes_all}
    assert js("POST", f"/contacts/bulk/tags/update/{kind}", body)["responses"] == [js.account.contact]


def test_what_an_sdk_forgets_is_refused_and_breaks_nothing(python):
    """It has no token for some calls, and leaves the placeholders of others as they are."""
    headers = {name: value for name, value in PYTHON.items() if name != "Authorization"}
    body = compact({"contacts": [python.account.contact], "tags": ["b"], "locationId": python.account.location})
    path = python.account.base + "/contacts/bulk/tags/update/%7Btype%7D"
    assert requests.post(path, data=body, headers=headers, timeout=10).status_code == 401
    assert python.send("POST", "/contacts/bulk/tags/update/%7Btype%7D", body.decode()).status_code == 422
    assert python.send("GET", "/locations/%7BlocationId%7D/timezones").status_code == 403
    assert python.send("GET", "/contacts/%7BcontactId%7D").status_code == 400


@pytest.mark.parametrize("path", ["/contacts", "/contacts/"])
def test_a_slash_at_the_end_or_none(js, path):
    body = {"locationId": js.account.location, "email": "slash@sdk.example"}
    contact_id = js("POST", path, body)["contact"]["id"]
    assert js("GET", f"/contacts/{contact_id}/")["contact"]["id"] == contact_id
    assert js("DELETE", f"/contacts/{contact_id}/")["succeeded"] is True


@pytest.mark.parametrize(
    "cursor",
    ["startAfter={name}&startAfter={id}", "startAfter[]={name}&startAfter[]={id}", "startAfter={name},{id}"],
    ids=["httpx", "axios", "commas"],
)
@pytest.mark.parametrize("name", ["Ann", "Sakai, Eleanor"])
def test_the_cursor_of_a_business_is_a_list_or_a_text(python, cursor, name):
    location_id = python.account.location
    business_id = python("POST", "/businesses/", {"name": "Sdk", "locationId": location_id})["buiseness"]["id"]
    names = [name, "Zoe"]
    made = [
        python("POST", "/contacts/", {"locationId": location_id, "firstName": one, "email": f"c{number}@sdk.example"})
        for number, one in enumerate(names)
    ]
    ids = [one["contact"]["id"] for one in made]
    python("POST", "/contacts/bulk/business", {"locationId": location_id, "ids": ids, "businessId": business_id})
    query = cursor.format(name=name.lower().replace(" ", "+"), id=ids[0])
    page = python("GET", f"/contacts/business/{business_id}?limit=25&locationId={location_id}&{query}")
    assert [row["id"] for row in page["contacts"]] == ids[1:]


def test_whole_numbers_lose_their_point_zero(python, mailbox):  # noqa: F811
    """JavaScript knows no 20.0. An SDK that checks a webhook by writing its body again would find another body."""
    fields = python("GET", f"/locations/{python.account.location}/customFields")["customFields"]
    field = next(one for one in fields if one["dataType"] in ("NUMERICAL", "MONETORY", "FLOAT"))
    python.account.settings(webhook_url=mailbox.url)
    body = (
        '{"locationId":"%s","firstName":"Löv","email":"n@sdk.example","customFields":[{"id":"%s","fieldValue":20.0}]}'
    )
    answer = python.send(
        "POST", "/contacts/", (body % (python.account.location, field["id"])).encode().decode("latin-1")
    )
    assert '"value":20}' in answer.text
    signature, told = mailbox.get(timeout=5)
    key = load_pem_public_key(python.account.control("GET", "webhooks")["public_key"].encode())
    key.verify(base64.b64decode(signature), told)
    assert b'"value":20}' in told


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know_are_broken_json(python, number):
    body = f'{{"locationId":"{python.account.location}","pageLimit":{number}}}'
    assert python.send("POST", "/contacts/search", body).status_code == 400


def token_request(account, headers, fields):
    data = urlencode(fields)
    return requests.post(f"{account.base}/oauth/token", data=data, headers=headers | FORM, timeout=10)


def js_fields(account, **fields):
    return {"client_id": account.known["client_id"], "client_secret": account.known["client_secret"], **fields}


def python_fields(account, **fields):
    return {"clientId": account.known["client_id"], "clientSecret": account.known["client_secret"], **fields}


def without(headers, *names):
    return {name: value for name, value in headers.items() if name.lower() not in names}


def test_javascript_signs_in(account):
    headers = without(JS, "content-type")
    fields = {
        "grant_type": "authorization_code",
        "code": account.known["code"],
        "user_type": "Location",
        "redirect_uri": "http://localhost:3000/cb",
    }
    first = token_request(account, headers, js_fields(account, **fields)).json()
    assert (first["userType"], first["locationId"]) == ("Location", account.location)
    fields = {"refresh_token": first["refresh_token"], "grant_type": "refresh_token", "user_type": "Location"}
    second = token_request(account, headers, js_fields(account, **fields)).json()
    assert second["refresh_token"] != first["refresh_token"] and second["expires_in"] > 0
    account.control("POST", "tokens", {"action": "expire", "token": second["access_token"]})
    path = f"/users/?locationId={account.location}"
    assert Sdk(account, JS, second["access_token"]).send("GET", path).status_code == 401
    fields["refresh_token"] = second["refresh_token"]
    third = token_request(account, headers, js_fields(account, **fields)).json()
    assert Sdk(account, JS, third["access_token"])("GET", path)["users"]


def test_javascript_works_for_a_company(account):
    fields = {"grant_type": "authorization_code", "code": account.known["company_code"], "user_type": "Company"}
    company = token_request(account, without(JS, "content-type"), js_fields(account, **fields)).json()
    agency = Sdk(account, JS, company["access_token"])
    wanted = urlencode({"companyId": account.known["company_id"], "locationId": account.location})
    answer = agency.send("POST", "/oauth/locationToken", wanted, headers=FORM)
    assert answer.json()["locationId"] == account.location and answer.json()["refresh_token"]
    query = f"skip=0&limit=20&isInstalled=true&companyId={company['companyId']}&appId={account.known['app_id']}"
    assert "locations" in agency("GET", f"/oauth/installedLocations?{query}")


# The second is what Python makes of its own UserType.LOCATION.
@pytest.mark.parametrize("user_type", ["Location", "UserType.LOCATION"])
def test_python_signs_in(account, user_type):
    headers = without(PYTHON, "content-type")
    fields = {
        "grantType": "authorization_code",
        "code": account.known["code"],
        "userType": "Location",
        "redirectUri": "http://localhost:3000/cb",
    }
    first = token_request(account, headers, python_fields(account, **fields)).json()
    assert (first["userType"], first["locationId"]) == ("Location", account.location)
    fields = {"refreshToken": first["refreshToken"], "grantType": "refresh_token", "userType": user_type}
    second = token_request(account, headers, python_fields(account, **fields)).json()
    # It goes on with the refresh token it began with, and lives off the grace.
    again = token_request(account, headers, python_fields(account, **fields)).json()
    assert again["accessToken"] == second["accessToken"] != first["accessToken"]
    assert Sdk(account, PYTHON, second["accessToken"])("GET", f"/locations/{account.location}/tags")["tags"]


def test_python_works_for_a_company(account):
    fields = {"grantType": "authorization_code", "code": account.known["company_code"], "userType": "Company"}
    company = token_request(account, without(PYTHON, "content-type"), python_fields(account, **fields)).json()
    agency = Sdk(account, without(PYTHON, "content-type"), company["accessToken"])
    wanted = urlencode({"companyId": account.known["company_id"], "locationId": account.location})
    answer = agency.send("POST", "/oauth/location-token", wanted, headers=FORM)
    assert answer.json()["locationId"] == account.location and answer.json()["refreshToken"]
    query = f"pageSize=1.0&isInstalled=true&companyId={company['companyId']}&appId={account.known['app_id']}"
    assert agency("GET", f"/oauth/installed-locations?{query}")["pagination"]["currentPageSize"] == 1


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"clientId": "", "grantType": "refresh_token", "refreshToken": "x"}, "Missing parameter: clientId"),
        ({}, "Missing parameter: grantType"),
        ({"grantType": "authorization_code"}, "Missing parameter: code"),
        ({"grantType": "refresh_token"}, "Missing parameter: refreshToken"),
        ({"grantType": "password"}, "Invalid parameter: grantType"),
        ({"grantType": "refresh_token", "refreshToken": "x"}, "Invalid grant: refresh token is invalid"),
    ],
)
def test_version_3_has_its_own_words_for_a_wrong_token_request(account, fields, sentence):
    answer = token_request(account, without(PYTHON, "content-type"), python_fields(account) | fields)
    assert (answer.status_code, answer.json()["message"]) == (400, sentence)


@pytest.mark.parametrize("body", ["[]", "7", "null", '"x"'])
def test_a_token_request_that_is_no_object_is_refused(account, body):
    answer = requests.post(f"{account.base}/oauth/token", data=body, headers=PYTHON, timeout=10)
    assert answer.status_code == 400


def test_a_file_goes_up_as_a_form(js):
    """With the Content-Type the SDK has to be told to send; left alone it makes JSON of the form."""
    path = f"/locations/{js.account.location}/customFields/upload"
    headers = without(js.headers, "content-type")
    files = {"93tuTSJIOgMhCvPnFCn8_x": ("a.txt", b"hello", "text/plain")}
    answer = requests.post(js.account.base + path, files=files, headers=headers, timeout=10)
    assert list(answer.json()["uploadedFiles"]) == ["a.txt"]
    assert js.send("POST", path, {"93tuTSJIOgMhCvPnFCn8_x": {}}).status_code == 400


@pytest.mark.parametrize("sdk_name", list(SDKS))
def test_both_read_the_rate_from_the_headers(account, sdk_name):
    account.settings(rate=1, window_s=1)
    sdk = Sdk(account, SDKS[sdk_name], account.known["private_integration_token"])
    answers = [sdk.send("GET", f"/users/{account.known['user_id']}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    for name in ("interval-milliseconds", "max", "remaining", "limit-daily", "daily-remaining", "daily-reset"):
        assert float(answers[1].headers[f"x-ratelimit-{name}"]) >= 0
