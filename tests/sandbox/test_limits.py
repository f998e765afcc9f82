from concurrent.futures import ThreadPoolExecutor

import pytest


def until_refused(account, path, most=20):
    for number in range(most):
        answer = account.ask("GET", path)
        if answer.status_code == 429:
            return number, answer
    return most, answer


def test_the_limit_is_per_app_and_location(account):
    account.settings(rate=5, window_s=600)
    path = f"/contacts/{account.contact}"
    accepted, answer = until_refused(account, path)
    assert accepted == 5
    body = answer.json()
    assert (body["statusCode"], body["message"]) == (429, "Too Many Requests") and body["traceId"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 600
    assert answer.headers["x-ratelimit-remaining"] == "0"
    account.use(account.known["private_integration_token"])
    assert account.ask("GET", path).ok, "a private token counts as its own app"
    other = account.known["location_ids"][1]
    account.use(account.control("POST", "tokens", {"action": "create_location", "location_id": other})["token"])
    assert account.ask("GET", f"/locations/{other}").ok


def test_a_new_token_of_the_same_app_has_no_new_budget(account):
    account.settings(rate=3, window_s=600)
    until_refused(account, f"/contacts/{account.contact}")
    account.use(account.token(grant_type="authorization_code", code=account.known["code"]).json()["access_token"])
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 429


def test_a_crowd_at_once_gets_exactly_the_limit(account):
    account.settings(rate=20, window_s=600)
    with ThreadPoolExecutor(16) as crowd:
        paths = [f"/contacts/{account.contact}"] * 60
        codes = list(crowd.map(lambda path: account.ask("GET", path).status_code, paths))
    assert (codes.count(200), codes.count(429)) == (20, 40)


def test_the_window_slides(account):
    account.settings(rate=2, window_s=600)
    until_refused(account, f"/contacts/{account.contact}")
    account.settings(window_s=0)
    assert account.ask("GET", f"/contacts/{account.contact}").ok


def test_refused_requests_do_not_count_against_the_day(account):
    account.settings(rate=2, window_s=600, daily=10)
    for _ in range(10):
        answer = account.ask("GET", f"/contacts/{account.contact}")
    assert answer.headers["x-ratelimit-daily-remaining"] == "8"


def test_the_day_has_a_limit_too(account):
    account.settings(rate=100, daily=2)
    accepted, answer = until_refused(account, f"/contacts/{account.contact}")
    assert accepted == 2 and int(answer.headers["Retry-After"]) > 0


def test_retry_after_can_be_left_out(account):
    account.settings(rate=1, window_s=600, retry_after=False)
    _, answer = until_refused(account, f"/contacts/{account.contact}")
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("path, status", [("/contacts/{contact}", 200), ("/nope", 404), ("/contacts/absent", 400)])
def test_every_answer_carries_the_six_headers(account, path, status):
    answer = account.ask("GET", path.format(contact=account.contact))
    assert answer.status_code == status
    names = {name.lower() for name in answer.headers if name.lower().startswith("x-ratelimit")}
    assert names == {
        "x-ratelimit-max",
        "x-ratelimit-interval-milliseconds",
        "x-ratelimit-remaining",
        "x-ratelimit-limit-daily",
        "x-ratelimit-daily-remaining",
        "x-ratelimit-daily-reset",
    }
    assert answer.headers["x-ratelimit-max"] == "100"
    assert 0 < int(answer.headers["x-ratelimit-daily-reset"]) <= 86_400_000


def test_the_control_plane_is_not_counted(account):
    account.settings(rate=1, window_s=600)
    for _ in range(5):
        account.control("GET", "state")
    assert account.ask("GET", f"/contacts/{account.contact}").ok
