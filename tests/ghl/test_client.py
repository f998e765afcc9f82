"""Every operation asks what the contract says, and reads what GHL answers."""

from datetime import UTC, datetime

import pytest

from integrations.ghl import errors, scopes

from .scripted import Answer

WHEN = datetime(2026, 7, 1, tzinfo=UTC)
LATER = datetime(2026, 7, 2, tzinfo=UTC)

C1, ONE = {"contact": {"id": "c1"}}, {"id": "c1"}
T1 = {"task": {"id": "t1"}}

OPERATIONS = [
    (lambda c: c.get_contact("c1"), "GET /contacts/c1", {"contact": {"id": "c1"}}, {"id": "c1"}),
    (lambda c: c.delete_contact("c1"), "DELETE /contacts/c1", {"succeded": True}, None),
    (lambda c: c.update_contact("c1", {"city": "Rome"}), "PUT /contacts/c1", {"succeeded": True}, {}),
    (lambda c: c.upsert_contact({"email": "a@b.co"}), "POST /contacts/upsert", {"new": True} | C1, (ONE, True)),
    (lambda c: c.set_company(["c1"], None), "POST /contacts/bulk/business", {"success": True}, None),
    (lambda c: c.find_duplicate(email="a@b.co"), "GET /contacts/search/duplicate", {"contact": None}, None),
    (lambda c: c.find_duplicate(number="+1"), "GET /contacts/search/duplicate", {"contact": {"id": "c"}}, {"id": "c"}),
    (lambda c: c.add_tags("c1", ["vip"]), "POST /contacts/c1/tags", {"tags": ["a", "vip"]}, ["a", "vip"]),
    (lambda c: c.remove_tags("c1", ["vip"]), "DELETE /contacts/c1/tags", {"tags": ["a"]}, ["a"]),
    (lambda c: c.contact_appointments("c1"), "GET /contacts/c1/appointments", {"events": []}, []),
    (lambda c: c.list_tasks("c1"), "GET /contacts/c1/tasks", {"tasks": [{"id": "t"}]}, [{"id": "t"}]),
    (lambda c: c.get_task("c1", "t1"), "GET /contacts/c1/tasks/t1", {"task": {"id": "t1"}}, {"id": "t1"}),
    (lambda c: c.create_task("c1", {}), "POST /contacts/c1/tasks", {"task": {"id": "t1"}}, {"id": "t1"}),
    (lambda c: c.update_task("c1", "t1", {}), "PUT /contacts/c1/tasks/t1", {"task": {"id": "t1"}}, {"id": "t1"}),
    (lambda c: c.complete_task("c1", "t1", False), "PUT /contacts/c1/tasks/t1/completed", T1, {"id": "t1"}),
    (lambda c: c.delete_task("c1", "t1"), "DELETE /contacts/c1/tasks/t1", {"succeded": True}, None),
    (lambda c: c.list_notes("c1"), "GET /contacts/c1/notes", {"notes": []}, []),
    (lambda c: c.get_note("c1", "n1"), "GET /contacts/c1/notes/n1", {"note": {"id": "n1"}}, {"id": "n1"}),
    (lambda c: c.create_note("c1", {"body": "x"}), "POST /contacts/c1/notes", {"note": {"id": "n1"}}, {"id": "n1"}),
    (lambda c: c.update_note("c1", "n1", {}), "PUT /contacts/c1/notes/n1", {"note": {"id": "n1"}}, {"id": "n1"}),
    (lambda c: c.delete_note("c1", "n1"), "DELETE /contacts/c1/notes/n1", {"succeded": True}, None),
    (lambda c: c.calendars(), "GET /calendars/", {"calendars": []}, []),
    (lambda c: c.calendar_events("k1", WHEN, LATER), "GET /calendars/events", {"events": []}, []),
    (lambda c: c.get_appointment("a"), "GET /calendars/events/appointments/a", {"appointment": ONE}, ONE),
    (lambda c: c.get_appointment("a"), "GET /calendars/events/appointments/a", {"event": {"id": "a"}}, {"id": "a"}),
    (lambda c: c.create_appointment({}), "POST /calendars/events/appointments", {"id": "a", "title": "x"}, "a"),
    (lambda c: c.create_appointment({}), "POST /calendars/events/appointments", {"appointment": {"id": "a"}}, "a"),
    (lambda c: c.update_appointment("a", {}), "PUT /calendars/events/appointments/a", {"id": "a"}, "a"),
    (lambda c: c.delete_event("a"), "DELETE /calendars/events/a", {"succeeded": True}, None),
    (lambda c: c.users(), "GET /users/", {"users": []}, []),
    (lambda c: c.custom_fields(), "GET /locations/loc1/customFields", {"customFields": []}, []),
    (lambda c: c.tags(), "GET /locations/loc1/tags", {"tags": []}, []),
    (lambda c: c.businesses(), "GET /businesses/", {"businesses": []}, []),
    (lambda c: c.location(), "GET /locations/loc1", {"location": {"id": "loc1"}}, {"id": "loc1"}),
]  # fmt: skip


@pytest.mark.parametrize("ask, request_line, body, result", OPERATIONS, ids=[row[1] for row in OPERATIONS])
def test_an_operation(ask, request_line, body, result, server, client):
    server.answers(Answer(body, 201))
    found = ask(client)
    assert (found["id"] if isinstance(result, str) else found) == result
    assert f"{server.asked[0].method} {server.asked[0].path}" == request_line


def test_a_new_contact_goes_to_this_location(server, client):
    server.says({"contact": {"id": "c1"}}, 201)
    client.create_contact({"firstName": "Ana"})
    assert server.asked[0].json == {"locationId": "loc1", "firstName": "Ana"}


def test_a_booking_goes_to_this_location_and_is_not_sent_twice(server, client):
    server.answers(Answer(hang_up=True), Answer({"id": "a1"}))
    with pytest.raises(errors.NoAnswer) as caught:
        client.create_appointment({"calendarId": "k1"})
    assert caught.value.maybe_done
    assert [asked.json for asked in server.asked] == [{"locationId": "loc1", "calendarId": "k1"}]
    assert server.asked[0].headers["version"] == "2021-04-15"


def test_an_answer_without_the_appointment_is_refused(server, client):
    server.says({"traceId": "t-1"})
    with pytest.raises(errors.BadAnswer):
        client.update_appointment("a1", {})


def test_a_taken_slot_is_told_in_ghls_words(server, client):
    server.says({"message": "The slot you have selected is no longer available."}, 400)
    with pytest.raises(errors.Invalid) as caught:
        client.create_appointment({"calendarId": "k1"})
    assert caught.value.messages == ["The slot you have selected is no longer available."]


def test_letters_of_every_script_arrive(server, client):
    server.says({"note": {"id": "n1"}})
    client.create_note("c1", {"body": "Grüße, Łukasz – 你好 🎉"})
    assert server.asked[0].json == {"body": "Grüße, Łukasz – 你好 🎉"}


def test_events_are_asked_for_in_milliseconds(server, client):
    server.says({"events": []})
    client.calendar_events("k1", WHEN, LATER)
    assert server.asked[0].query == {
        "locationId": ["loc1"],
        "calendarId": ["k1"],
        "startTime": ["1782864000000"],
        "endTime": ["1782950400000"],
    }


def test_a_moment_without_zone_is_not_sent(client):
    with pytest.raises(ValueError, match="time zone"):
        client.calendar_events("k1", WHEN.replace(tzinfo=None), LATER)


@pytest.mark.parametrize("bad", ["", "  ", ".", "..", None])
def test_an_empty_id_reaches_nothing(bad, client, server):
    with pytest.raises(ValueError, match="not an id"):
        client.delete_contact(bad)
    assert server.asked == []


def test_an_id_cannot_reach_another_path(client, server):
    server.says({"succeded": True})
    client.delete_note("c1", "../../c2?x=1#y")
    assert server.asked[0].path == "/contacts/c1/notes/..%2F..%2Fc2%3Fx%3D1%23y"


def rows(first, last):
    return [{"id": str(number), "searchAfter": [number, str(number)]} for number in range(first, last)]


def test_all_pages_of_contacts(server, client):
    server.says({"contacts": rows(0, 2), "total": 3})
    server.says({"contacts": rows(2, 3), "total": 3})
    pages = list(client.contact_pages(page_limit=2))
    assert [row["id"] for page in pages for row in page.rows] == ["0", "1", "2"]
    assert server.asked[0].json == {"locationId": "loc1", "pageLimit": 2}
    assert server.asked[1].json["searchAfter"] == [1, "1"]


def test_a_short_page_before_the_total_is_not_the_end(server, client):
    server.says({"contacts": rows(0, 1), "total": 2})
    server.says({"contacts": rows(1, 2), "total": 2})
    assert len(list(client.contact_pages(page_limit=2))) == 2


def test_a_resumed_search_ends_on_an_empty_page(server, client):
    server.says({"contacts": rows(5, 6), "total": 9})
    server.says({"contacts": [], "total": 9})
    assert len(list(client.contact_pages(page_limit=2, search_after=[4, "4"]))) == 1


def test_a_list_that_does_not_move_on_fails_rather_than_ends(server, client):
    for _ in range(2):
        server.says({"contacts": rows(0, 2), "total": 9})
    with pytest.raises(errors.BadAnswer):
        list(client.contact_pages(page_limit=2))


def test_tasks_end_with_a_short_page(server, client):
    server.says({"tasks": rows(0, 2)}, 201)
    server.says({"tasks": rows(2, 3)}, 201)
    assert [len(page.rows) for page in client.task_pages(limit=2)] == [2, 1]
    assert server.asked[1].path == "/locations/loc1/tasks/search"
    assert server.asked[1].json == {"limit": 2, "searchAfter": [1, "1"]}


def test_the_legacy_list_needs_both_halves_of_its_cursor(server, client):
    meta = {"total": 5, "startAfter": 99, "startAfterId": "c9", "nextPageUrl": "http://evil.test/"}
    server.says({"contacts": [{"id": "c9"}], "count": 1, "meta": meta})
    page = client.list_contacts(limit=1)
    assert (page.total, page.search_after) == (5, [99, "c9"])
    server.says({"contacts": [], "meta": {}})
    client.list_contacts(1, *page.search_after)
    assert server.asked[1].query["startAfterId"] == ["c9"]
    with pytest.raises(ValueError, match="together"):
        client.list_contacts(start_after=99)


@pytest.mark.parametrize("body", [{}, {"contacts": None}, {"contacts": {}}, {"contacts": ["x"]}])
def test_an_absent_list_is_not_an_empty_one(body, server, client):
    server.answers(*[Answer(body)] * 2)
    with pytest.raises(errors.BadAnswer):
        client.search_contacts()


def test_what_is_lost_without_a_scope():
    assert scopes.missing(scopes.WANTED) == {}
    lost = scopes.missing(set(scopes.WANTED) - {"users.readonly"})
    assert list(lost) == ["users.readonly"]
    assert all(sentence.endswith(".") for sentence in scopes.WANTED.values())
