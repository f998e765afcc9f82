"""The judge's figures: how fast requests came, and what each of them wrote."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from integrations.sandbox.log import highest


@pytest.mark.parametrize(
    "times, most",
    [
        ([], 0),
        ([5], 1),
        ([0, 1, 2, 9.999], 4),
        ([0, 10], 1),
        ([0, 9, 10, 18, 19], 3),
        ([0] * 100 + [9.9] * 100, 200),
    ],
)
def test_the_highest_count_in_any_window(times, most):
    assert highest(times, 10) == most


def test_a_burst_over_the_border_of_two_fixed_windows_is_seen(account):
    account.settings(rate=0, window_s=600)
    for _ in range(7):
        account.get(f"/contacts/{account.contact}")
    account.use(account.known["private_integration_token"])
    account.get(f"/contacts/{account.contact}")
    told = account.control("GET", "rate")
    assert (told["highest"], told["requests"], told["window_s"]) == (7, 8, 600)
    oauth, private = told["keys"]
    assert (oauth["location"], oauth["requests"], oauth["refused"]) == (account.location, 7, 0)
    assert private["highest"] == 1 and private["app"] != oauth["app"]
    assert oauth["first"] < oauth["last"]


def test_refused_requests_are_counted_as_sent_and_as_refused(account):
    account.settings(rate=5, window_s=600)
    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda _: account.ask("GET", f"/contacts/{account.contact}"), range(9)))
    account.settings(rate=0)
    account.fault(status=429)
    account.ask("GET", f"/contacts/{account.contact}")
    key = account.control("GET", "rate")["keys"][0]
    assert (key["requests"], key["refused"], key["refused_by_rule"]) == (10, 4, 1)
    assert (key["highest"], key["highest_accepted"]) == (10, 5)


def test_the_figures_can_begin_later_and_be_about_one_location(account):
    account.get(f"/contacts/{account.contact}")
    last = account.log()[-1]["index"]
    account.get(f"/contacts/{account.contact}")
    assert account.control("GET", "rate", since=last)["requests"] == 1
    assert account.control("GET", "rate", location="elsewhere")["requests"] == 0


def test_requests_for_tokens_count_against_nobody(account):
    account.token(grant_type="authorization_code", code=account.known["code"])
    assert account.control("GET", "rate")["keys"] == []


def test_the_log_says_what_each_write_made_changed_and_deleted(account):
    made = account.create(firstName="Ana", tags=["brand new"])
    path = f"/contacts/{made['id']}"
    note = account.post(f"{path}/notes", {"body": "n"})["note"]
    account.put(path, {"city": "Lund"})
    account.get(path)
    account.delete(path)
    created, noted, put, read, deleted = (entry["wrote"] for entry in account.log())
    assert {"kind": "contacts", "act": "made", "id": made["id"]} in created
    assert [one["kind"] for one in created] == ["tags", "contacts"], "a new tag enters the dictionary"
    assert noted == [{"kind": "notes", "act": "made", "id": note["id"]}]
    assert put == [{"kind": "contacts", "act": "changed", "id": made["id"]}] and read == []
    assert {(one["kind"], one["act"]) for one in deleted} == {("notes", "deleted"), ("contacts", "deleted")}


def test_a_cancelled_appointment_counts_as_deleted(account):
    body = {
        "calendarId": account.calendar,
        "locationId": account.location,
        "contactId": account.contact,
        "startTime": "2027-03-01T10:00:00Z",
    }
    booked = account.post("/calendars/events/appointments", body)
    account.delete(f"/calendars/events/{booked['id']}", {})
    assert account.control("GET", "ledger", record=booked["id"])["records"][0]["deleted"] == [2]


def test_the_ledger_shows_a_note_that_was_made_twice(account):
    path = f"/contacts/{account.contact}/notes"
    first, second = (account.post(path, {"body": "twice"})["note"]["id"] for _ in range(2))
    account.delete(f"{path}/{first}")
    told = account.control("GET", "ledger", kind="notes")
    lines = {line["id"]: line for line in told["records"]}
    assert told["made"] == 2 and lines[first]["made"] == [1] and lines[first]["deleted"] == [3]
    assert lines[second]["location"] == account.location
    assert len({entry["key"] for entry in account.log(method="POST")}) == 1


def test_the_log_can_be_asked_for_less(account):
    path = f"/contacts/{account.contact}"
    note = account.post(f"{path}/notes", {"body": "n"})["note"]["id"]
    account.get(path)
    account.ask("GET", "/contacts/absent")
    assert [entry["status"] for entry in account.log(writes=1)] == [201]
    assert [entry["status"] for entry in account.log(kind="notes", act="made", record=note)] == [201]
    assert account.log(kind="tasks") == []
    assert [entry["path"] for entry in account.log(status=400)] == ["/contacts/absent"]
    assert len(account.log(location=account.location)) == 3 and account.log(location="x") == []
    assert account.log(limit=1, fields="index,method") == [{"index": 3, "method": "GET"}]


def test_the_log_knows_whether_the_answer_arrived(account):
    path = f"/contacts/{account.contact}/notes"
    account.post(path, {"body": "n"})
    account.fault({"method": "POST"}, drop_after_commit=True)
    with pytest.raises(requests.ConnectionError):
        account.ask("POST", path, {"body": "m"})
    account.fault({"method": "POST"}, delay_ms=200)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{account.base}{path}", json={"body": "l"}, headers=account.headers, timeout=0.05)
    account.fault({"method": "GET"}, delay_ms=300)
    account.get(path)
    assert [entry["answer"] for entry in account.log(path="/notes$")] == ["delivered", "cut", "gone", "delivered"]
    assert [bool(entry["rules"]) for entry in account.log(path="/notes$")] == [False, True, True, True]


def test_the_log_keeps_no_more_than_it_was_told_to(account):
    account.reset(log_keep=3)
    for _ in range(5):
        account.get(f"/contacts/{account.contact}")
    assert [entry["index"] for entry in account.log()] == [3, 4, 5]
