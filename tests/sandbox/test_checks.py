"""Version, then token, then scope, then location, then whether the thing is there."""

import pytest


def private_token(account, *scopes, location=None):
    body = {"action": "create_pit", "scopes": scopes, "location_id": location or account.location}
    return account.control("POST", "tokens", body)["token"]


def refusal(answer):
    body = answer.json()
    assert body.pop("traceId")
    return answer.status_code, body["message"]


def test_everything_wrong_is_refused_for_the_first_reason_first(account):
    other = account.known["location_ids"][1]
    path = f"/locations/{other}/tags/absent"
    headers = {"Version": None, "Authorization": "Bearer no"}
    assert refusal(account.ask("GET", path, headers=headers)) == (401, "version header was not found.")
    headers["Version"] = "2020-01-01"
    assert refusal(account.ask("GET", path, headers=headers)) == (401, "version header is invalid")
    headers["Version"] = "2021-07-28"
    assert refusal(account.ask("GET", path, headers=headers)) == (401, "Invalid JWT")
    headers["Authorization"] = private_token(account, "contacts.readonly")
    assert refusal(account.ask("GET", path, headers=headers)) == (401, "The token is not authorized for this scope.")
    headers["Authorization"] = private_token(account, "locations/tags.readonly")
    message = "The token does not have access to this location."
    assert refusal(account.ask("GET", path, headers=headers)) == (403, message)
    headers["Authorization"] = private_token(account, "locations/tags.readonly", location=other)
    assert refusal(account.ask("GET", path, headers=headers)) == (400, "Tag not found for id:absent")


def test_no_token_at_all_is_an_invalid_one(account):
    assert refusal(account.ask("GET", "/contacts/x", headers={"Authorization": None})) == (401, "Invalid JWT")


@pytest.mark.parametrize("version", ["2021-04-15", "2021-07-28", "2023-02-21", "v3"])
@pytest.mark.parametrize(
    "path", ["/calendars/?locationId={location}", "/locations/{location}", "/contacts/{contact}/notes"]
)
def test_every_published_version_opens_existing_paths(account, version, path):
    path = path.format(location=account.location, contact=account.contact)
    assert account.ask("GET", path, headers={"Version": version}).ok


def test_unknown_paths_are_named(account):
    assert refusal(account.ask("GET", "/tasks/search")) == (404, "Cannot GET /tasks/search")
    assert refusal(account.ask("POST", "/contacts/tasks/search", {})) == (404, "Cannot POST /contacts/tasks/search")


def test_an_unknown_word_is_taken_for_a_contact(account):
    assert refusal(account.ask("GET", "/contacts/tasks")) == (400, "Contact with id tasks not found")


def test_a_slash_at_the_end_does_no_harm(account):
    with_slash, without = account.get(f"/contacts/{account.contact}/"), account.get(f"/contacts/{account.contact}")
    assert with_slash["contact"] == without["contact"]
    assert account.ask("GET", f"/contacts/{account.contact}/notes/").ok
    assert account.ask("POST", "/contacts/search/", {"locationId": account.location, "pageLimit": 1}).ok
    assert account.ask("POST", "/contacts", {"locationId": account.location, "firstName": "S"}).ok


def test_a_contact_of_another_location_is_forbidden_not_absent(account):
    other = account.known["location_ids"][1]
    theirs = account.control("GET", "credentials", location_id=other)["contact_id"]
    assert account.ask("GET", f"/contacts/{theirs}").status_code == 403
    body = {"locationId": other, "pageLimit": 5}
    assert account.ask("POST", "/contacts/search", body).status_code == 403


def test_a_missing_location_is_forbidden(account):
    assert account.ask("POST", "/contacts/", {"firstName": "X"}).status_code == 403


def test_broken_json_is_a_bad_request(account):
    headers = {**account.headers, "Content-Type": "application/json"}
    answer = account.http.post(f"{account.base}/contacts/search", data="{", headers=headers, timeout=10)
    assert answer.status_code == 400
