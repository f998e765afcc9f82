import time

import pytest
import requests


def notes(account):
    return [note["body"] for note in account.get(f"/contacts/{account.contact}/notes")["notes"]]


def post_note(account, body="lost?"):
    return account.ask("POST", f"/contacts/{account.contact}/notes", {"body": body})


def test_an_answer_can_be_lost_after_the_write(account):
    account.fault({"method": "POST", "path": "/notes$"}, drop_after_commit=True)
    with pytest.raises(requests.ConnectionError):
        post_note(account)
    assert "lost?" in notes(account)
    entry = account.log(path="/notes$", method="POST")[-1]
    assert (entry["committed"], entry["status"], entry["dropped"]) == (True, None, "after_commit")
    assert post_note(account, "second").ok, "a rule strikes once unless told otherwise"


def test_a_request_can_be_lost_before_it_did_anything(account):
    account.fault({"body_contains": "lost?"}, drop_before=True)
    with pytest.raises(requests.ConnectionError):
        post_note(account)
    assert "lost?" not in notes(account)
    assert account.log(path="/notes$", method="POST")[-1]["committed"] is False


def test_an_error_can_hide_a_write_that_took_effect(account):
    account.fault({"method": "POST"}, status_but_created=422, body={"message": ["no"], "statusCode": 422})
    assert post_note(account).status_code == 422
    assert "lost?" in notes(account)
    assert account.log()[-2]["committed"] is True


def test_an_error_can_be_just_an_error(account):
    account.fault({"method": "POST"}, status=503)
    answer = post_note(account)
    assert (answer.status_code, answer.json()["statusCode"]) == (503, 503)
    assert "lost?" not in notes(account)


@pytest.mark.parametrize("retry_after", [7, None])
def test_too_many_requests_with_and_without_a_hint(account, retry_after):
    account.fault(status=429, retry_after=retry_after)
    answer = post_note(account)
    assert answer.status_code == 429 and answer.json()["message"] == "Too Many Requests"
    assert answer.headers.get("Retry-After") == (str(retry_after) if retry_after else None)


def test_a_rule_counts(account):
    account.fault({"path": "/notes", "method": "GET", "nth": 2, "times": 2}, status=500)
    codes = [account.ask("GET", f"/contacts/{account.contact}/notes").status_code for _ in range(5)]
    assert codes == [200, 500, 500, 200, 200]
    assert account.control("GET", "faults")["faults"][0]["fired"] == 2


def test_a_rule_without_end_lasts_until_it_is_taken_away(account):
    account.fault({"times": 0}, status=500)
    assert {account.ask("GET", "/contacts/x").status_code for _ in range(4)} == {500}
    account.control("DELETE", "faults")
    assert account.ask("GET", f"/contacts/{account.contact}").ok


def test_an_answer_can_be_late_while_the_write_is_not(account):
    account.fault({"method": "POST"}, delay_ms=300)
    with pytest.raises(requests.ReadTimeout):
        account.http.post(
            f"{account.base}/contacts/{account.contact}/notes",
            json={"body": "late"},
            headers=account.headers,
            timeout=0.1,
        )
    assert "late" in notes(account)


def test_latency_holds_every_answer(account):
    account.settings(latency_ms=60)
    started = time.monotonic()
    account.get(f"/contacts/{account.contact}")
    assert time.monotonic() - started >= 0.06


def test_reads_can_be_stale(account):
    account.put(f"/contacts/{account.contact}", {"city": "Newtown"})
    account.fault({"method": "GET", "times": 1}, stale_read=3600)
    path = f"/contacts/{account.contact}"
    assert account.get(path)["contact"].get("city") != "Newtown"
    assert account.get(path)["contact"]["city"] == "Newtown"
    account.fault({"path": "/contacts/search"}, stale_read=3600)
    assert "Newtown" not in {row["city"] for row in account.search()["contacts"]}
    assert "Newtown" in {row["city"] for row in account.search()["contacts"]}


def test_a_token_can_die_under_a_request(account):
    tokens = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    account.use(tokens["access_token"])
    account.fault({"path": "/contacts/"}, expire_token=True)
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 401
    assert account.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).ok


def test_a_revoked_token_can_not_be_renewed(account):
    tokens = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    account.use(tokens["access_token"])
    account.fault(revoke_token=True)
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 401
    assert account.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400


def test_a_misspelt_rule_is_refused(account):
    rule = {"match": {"pth": "x"}, "action": {"status": 500}}
    answer = requests.post(f"{account.base}/__sandbox__/faults", json=rule, timeout=10)
    assert answer.status_code == 400 and "pth" in answer.json()["error"]
