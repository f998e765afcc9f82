"""Faults that strike by chance, lists that lie, and records that move while someone pages."""

import time

import pytest
import requests

NOTES = {"method": "POST", "path": "/notes$"}


def post_notes(account, count, body="note"):
    """The status of each, or None where nothing was heard."""
    statuses = []
    for number in range(count):
        try:
            path = f"/contacts/{account.contact}/notes"
            statuses.append(account.ask("POST", path, {"body": f"{body} {number}"}).status_code)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            statuses.append(None)
    return statuses


def rules(account, *every):
    return account.control("POST", "faults", {"faults": list(every)})["faults"]


def fired(account):
    return [rule["fired"] for rule in account.control("GET", "faults")["faults"]]


def test_three_rules_each_throw_their_own_dice(account):
    rules(
        account,
        {"match": {**NOTES, "chance": 0.3, "seed": 1}, "action": {"drop_after_commit": True}},
        {"match": {**NOTES, "chance": 0.2, "seed": 2}, "action": {"drop_before": True}},
        {"match": {**NOTES, "chance": 0.2, "seed": 3}, "action": {"status_but_created": 422}},
    )
    statuses = post_notes(account, 60)
    after, before, created = fired(account)
    assert 8 < after < 30 and before > 2 and created > 2
    assert statuses.count(None) == after + before and statuses.count(422) == created
    made = [line for line in account.control("GET", "ledger", kind="notes")["records"] if line["made"]]
    assert len(made) == 60 - before
    assert all(len(line["made"]) == 1 for line in made)


def test_the_same_seed_strikes_the_same_requests_whatever_other_rules_there_are(account):
    def struck(*more):
        account.reset()
        rule = {"match": {**NOTES, "chance": 0.4, "seed": 7}, "action": {"status": 503}}
        rules(account, rule, *more)
        return [status == 503 for status in post_notes(account, 20)]

    assert struck() == struck({"match": {**NOTES, "chance": 0.5, "seed": 8}, "action": {"status": 500}})


def test_a_rule_strikes_one_location_only(account):
    other = account.known["location_ids"][1]
    account.fault({"location": other, "times": 0}, status=503)
    assert account.ask("GET", f"/contacts/{account.contact}").ok
    made = account.control("POST", "tokens", {"action": "create_location", "location_id": other})
    account.use(made["token"])
    assert account.ask("GET", f"/locations/{other}").status_code == 503
    assert account.token(grant_type="refresh_token", refresh_token=made["refresh_token"]).status_code == 503
    own = account.token(grant_type="authorization_code", code=account.known["code"])
    assert own.ok
    assert account.token(grant_type="refresh_token", refresh_token=own.json()["refresh_token"]).ok


def test_a_rule_may_look_for_words_in_a_request_for_a_token(account):
    account.fault({"path": "/oauth/token", "body_contains": "grant_type=refresh_token", "times": 0}, status=500)
    tokens = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    assert account.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 500


def test_a_slow_rule_goes_beside_one_that_strikes(account):
    account.fault({"times": 0}, delay_ms=[60, 80])
    account.fault({"times": 0}, status=503)
    started = time.monotonic()
    assert account.ask("GET", f"/contacts/{account.contact}").status_code == 503
    assert time.monotonic() - started >= 0.06


@pytest.mark.parametrize(
    "action, committed", [({"reset": True}, False), ({"reset": True, "drop_after_commit": True}, True)]
)
def test_a_connection_can_be_reset_before_or_after_the_write(account, action, committed):
    account.fault(NOTES, **action)
    with pytest.raises(requests.ConnectionError, match="reset"):
        account.ask("POST", f"/contacts/{account.contact}/notes", {"body": "x"})
    entry = account.log(path="/notes$")[-1]
    assert (entry["committed"], entry["answer"], entry["status"]) == (committed, "cut", None)


def test_a_request_can_hang_and_then_be_cut(account):
    account.fault(NOTES, hang_s=0.2)
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        account.ask("POST", f"/contacts/{account.contact}/notes", {"body": "x"})
    assert time.monotonic() - started >= 0.2
    assert account.log(path="/notes$")[-1]["committed"] is False


def test_a_proxy_can_answer_for_ghl_with_a_page(account):
    account.fault(NOTES, junk="html")
    answer = account.ask("POST", f"/contacts/{account.contact}/notes", {"body": "x"})
    assert answer.status_code == 200 and "text/html" in answer.headers["content-type"]
    assert account.log(path="/notes$")[-1]["committed"] is False


def test_an_answer_can_break_off_half_way(account):
    account.fault(NOTES, junk="half")
    answer = account.ask("POST", f"/contacts/{account.contact}/notes", {"body": "x"})
    assert answer.status_code == 201
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert account.log(path="/notes$")[-1]["committed"] is True


def test_reads_can_be_stale_by_chance_and_by_a_different_time_each(account):
    account.put(f"/contacts/{account.contact}", {"city": "Newtown"})
    account.fault({"method": "GET", "chance": 0.5, "seed": 1}, stale_read=[0.001, 3600])
    cities = {account.get(f"/contacts/{account.contact}")["contact"].get("city") for _ in range(20)}
    assert "Newtown" in cities and len(cities) == 2


def test_a_stale_list_knows_no_new_note_and_still_an_old_one(account):
    path = f"/contacts/{account.contact}/notes"
    old = account.post(path, {"body": "old"})["note"]["id"]
    time.sleep(0.3)
    account.delete(f"{path}/{old}")
    account.post(path, {"body": "new"})
    account.fault({"method": "GET"}, stale_read=0.2)
    bodies = [note["body"] for note in account.get(path)["notes"]]
    assert "old" in bodies and "new" not in bodies


def test_an_empty_list_has_no_rows_and_says_so(account):
    account.fault({"path": "/contacts/search"}, lie="empty")
    found = account.search()
    assert (found["contacts"], found["total"]) == ([], 0)
    assert account.search()["total"] == 60
    account.fault({"path": "/notes$"}, lie="empty")
    assert account.get(f"/contacts/{account.contact}/notes")["notes"] == []


def test_a_truncated_list_has_a_total_to_match(account):
    account.fault({"path": "/contacts/search"}, lie="truncated", share=0.1)
    found = account.search()
    assert (len(found["contacts"]), found["total"]) == (6, 6)


def test_a_list_can_be_of_another_location(account):
    other = account.known["location_ids"][1]
    account.fault({"path": "/contacts/search"}, lie="foreign")
    assert {row["locationId"] for row in account.search()["contacts"]} == {other}
    foreign = {note["id"] for note in account.control("GET", "state", kind="notes", location_id=other)["records"]}
    account.fault({"path": "/notes$"}, lie="foreign")
    notes = account.get(f"/contacts/{account.contact}/notes")["notes"]
    assert notes and {note["id"] for note in notes} <= foreign
    span = {"locationId": account.location, "startTime": 0, "endTime": 4 * 10**12}
    account.fault({"path": "/calendars/events"}, lie="foreign")
    events = account.get("/calendars/events", calendarId=account.calendar, **span)["events"]
    assert {one["locationId"] for one in events} == {other}
    account.fault({"path": "/tasks/search"}, lie="foreign")
    tasks = account.post(f"/locations/{account.location}/tasks/search", {"limit": 500})["tasks"]
    assert {task["locationId"] for task in tasks} == {other}


def test_a_page_can_come_twice(account):
    account.fault({"path": "/contacts/search", "nth": 2}, lie="repeat")
    first = account.search(pageLimit=20)["contacts"]
    again = account.search(pageLimit=20, searchAfter=first[-1]["searchAfter"])["contacts"]
    assert again == first
    third = account.search(pageLimit=20, searchAfter=first[-1]["searchAfter"])["contacts"]
    assert not {row["id"] for row in third} & {row["id"] for row in first}


def test_a_total_can_be_wrong(account):
    account.fault({"path": "/contacts/search"}, lie="wrong_total", total=7)
    found = account.search()
    assert (len(found["contacts"]), found["total"]) == (60, 7)


def test_a_lie_leaves_single_records_and_writes_alone(account):
    account.fault({"times": 0}, lie="empty")
    assert account.get(f"/contacts/{account.contact}")["contact"]["id"] == account.contact
    assert account.post(f"/contacts/{account.contact}/tags", {"tags": ["a"]})["tags"]


def test_contacts_move_while_someone_pages(account):
    account.fault({"path": "/contacts/search", "times": 0}, move=10)
    account.search(pageLimit=20)
    moved = account.log(path="/contacts/search")[-1]["moved"]
    assert len(moved) == 10 and {one["act"] for one in moved} <= {"made", "updated", "deleted"}
    account.control("DELETE", "faults")
    ids = {row["id"] for row in account.search()["contacts"]}
    for one in moved:
        last = [other for other in moved if other["id"] == one["id"]][-1]
        assert (one["id"] in ids) == (last["act"] != "deleted")


@pytest.mark.parametrize("action", [{"lie": "white"}, {"junk": "mail"}, {"explode": True}])
def test_an_unknown_fault_is_refused(account, action):
    answer = requests.post(f"{account.base}/__sandbox__/faults", json={"action": action}, timeout=10)
    assert answer.status_code == 400
