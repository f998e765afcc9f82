"""Every field the real API was recorded answering is there, of the recorded type.

recorded_fields.json: operation: "field:types …", types being s(tring) n(umber) b(oolean) o(bject) a(rray) -(null).
"""

import json
from pathlib import Path

import pytest

RECORDED = json.loads((Path(__file__).parent / "recorded_fields.json").read_text())
# The recording's own calendar had no team and no hours; its deletion answers a dump of the database row.
TASK = {"title": "t", "dueDate": "2026-12-01T10:00:00Z", "completed": False}


def letter(value):
    kinds = ((bool, "b"), (type(None), "-"), (str, "s"), (dict, "o"), (list, "a"))
    return next((letter for kind, letter in kinds if isinstance(value, kind)), "n")


def fields(value, prefix="", found=None):
    """{"contacts[].email": "s-"} for an answer."""
    found = {} if found is None else found
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{prefix}.{name}" if prefix else name
            found[path] = found.get(path, "") + letter(inner)
            fields(inner, path, found)
    elif isinstance(value, list):
        for inner in value:
            found[f"{prefix}[]"] = found.get(f"{prefix}[]", "") + letter(inner)
            fields(inner, f"{prefix}[]", found)
    return found


def answers(account):
    """(operation, answer) for every recorded operation, in an order that leaves nothing behind."""
    place, calendar = account.location, account.calendar
    person = {"firstName": "A", "lastName": "B", "email": "zz@x.example", "tags": ["q"]}
    yield "POST /contacts/", (made := account.post("/contacts/", {"locationId": place, **person}))
    contact = f"/contacts/{made['contact']['id']}"
    yield "PUT /contacts/{}", account.put(contact, {"phone": "3125550777"})
    yield "GET /contacts/{}", account.get(contact)
    yield "POST /contacts/upsert", account.post("/contacts/upsert", {"locationId": place, "email": person["email"]})
    yield (
        "GET /contacts/search/duplicate",
        account.get("/contacts/search/duplicate", locationId=place, email=person["email"]),
    )
    yield "POST /contacts/search", account.search()
    yield "POST /contacts/{}/notes", account.post(f"{contact}/notes", {"body": "x"})
    yield "GET /contacts/{}/notes", account.get(f"{contact}/notes")
    yield "GET /contacts/{}/tasks", account.get(f"{contact}/tasks")
    yield "POST /contacts/{}/tasks", (task := account.post(f"{contact}/tasks", TASK))
    yield "PUT /contacts/{}/tasks/{}", account.put(f"{contact}/tasks/{task['task']['id']}", {"body": "b"})
    yield "DELETE /contacts/{}/tasks/{}", account.delete(f"{contact}/tasks/{task['task']['id']}")
    yield "POST /contacts/{}/tags", account.post(f"{contact}/tags", {"tags": ["t"]})
    yield "DELETE /contacts/{}/tags", account.delete(f"{contact}/tags", {"tags": ["t"]})
    yield "POST /contacts/{}/workflow/{}", account.post(f"{contact}/workflow/w", {})
    yield "DELETE /contacts/{}/workflow/{}", account.delete(f"{contact}/workflow/w")
    yield "GET /locations/{}", account.get(f"/locations/{place}")
    for noun, one, body in (
        ("customFields", "customField", {"name": "New", "dataType": "TEXT"}),
        ("customValues", "customValue", {"name": "New", "value": "1"}),
    ):
        path = f"/locations/{place}/{noun}"
        yield f"POST /locations/{{}}/{noun}", (made := account.post(path, body))
        own = f"{path}/{made[one]['id']}"
        yield f"GET /locations/{{}}/{noun}", account.get(path)
        yield f"GET /locations/{{}}/{noun}/{{}}", account.get(own)
        body.pop("dataType", None)
        yield f"PUT /locations/{{}}/{noun}/{{}}", account.put(own, body)
        yield f"DELETE /locations/{{}}/{noun}/{{}}", account.delete(own)
    yield "GET /users/", account.get("/users/", locationId=place)
    yield "GET /users/{}", account.get(f"/users/{account.known['user_id']}")
    yield "GET /calendars/", account.get("/calendars/", locationId=place)
    yield "POST /calendars/", (made := account.post("/calendars/", {"locationId": place, "name": "x"}))
    own = f"/calendars/{made['calendar']['id']}"
    yield "GET /calendars/{}", account.get(own)
    yield "PUT /calendars/{}", account.put(own, {"name": "y"})
    booking = {"locationId": place, "calendarId": calendar, "contactId": contact.rsplit("/", 1)[1]}
    booking["startTime"] = "2026-12-01T10:00:00-06:00"
    yield "POST /calendars/events/appointments", (made := account.post("/calendars/events/appointments", booking))
    own = f"/calendars/events/appointments/{made['id']}"
    yield "PUT /calendars/events/appointments/{}", account.put(own, {"title": "y"})
    yield "GET /calendars/events/appointments/{}", account.get(own)
    window = {"startTime": 0, "endTime": 4102444800000}
    yield "GET /calendars/events", account.get("/calendars/events", locationId=place, calendarId=calendar, **window)
    yield "DELETE /calendars/events/{}", account.delete(f"/calendars/events/{made['id']}")
    yield "DELETE /contacts/{}", account.delete(contact)


def test_every_recorded_field_is_answered_with_its_type(account):
    account.reset(contacts=400)
    asked = set()
    for operation, answer in answers(account):
        asked.add(operation)
        ours = fields(answer)
        for field in RECORDED[operation].split():
            name, kinds = field.rsplit(":", 1)
            assert name in ours, f"{operation} lacks {name}"
            assert set(ours[name]) & set(kinds), f"{operation}: {name} is {ours[name][:5]}, recorded {kinds}"
    assert asked == set(RECORDED)


@pytest.mark.parametrize("field", ["startTime", "endTime"])
def test_written_appointments_do_not_tell_their_times(account, field):
    booking = {"locationId": account.location, "calendarId": account.calendar, "contactId": account.contact}
    made = account.post("/calendars/events/appointments", booking | {"startTime": "2026-12-01T10:00:00-06:00"})
    assert field not in made, "as recorded: who wants to know reads again"
