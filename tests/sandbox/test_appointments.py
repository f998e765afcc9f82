import pytest


def book(account, contact=None, **values):
    body = {
        "calendarId": account.calendar,
        "locationId": account.location,
        "contactId": contact or account.contact,
        "startTime": "2026-07-01T15:00:00Z",
    }
    return account.post("/calendars/events/appointments", body | values)


def events(account, **query):
    query = {"locationId": account.location, "startTime": "0", "endTime": "4102444800000", **query}
    return account.get("/calendars/events", **query)["events"]


def test_times_come_back_in_the_location_s_zone(account):
    made = account.create(firstName="Tina")
    booked = book(account, made["id"], title="Look", assignedUserId=account.known["user_id"])
    assert (booked["appointmentStatus"], booked["appoinmentStatus"]) == ("confirmed", "confirmed")
    read = account.get(f"/calendars/events/appointments/{booked['id']}")["appointment"]
    assert (read["startTime"], read["endTime"]) == ("2026-07-01T10:00:00-05:00", "2026-07-01T11:00:00-05:00")
    listed = account.get(f"/contacts/{made['id']}/appointments")["events"]
    assert [(one["startTime"], one["title"]) for one in listed] == [("2026-07-01 10:00:00", "Look")]


def test_an_appointment_can_be_moved_and_cancelled(account):
    booked = book(account)
    path = f"/calendars/events/appointments/{booked['id']}"
    account.put(path, {"startTime": "2026-07-02T09:00:00-05:00", "appointmentStatus": "cancelled"})
    read = account.get(path)["appointment"]
    assert (read["startTime"], read["endTime"]) == ("2026-07-02T09:00:00-05:00", "2026-07-02T10:00:00-05:00")
    assert read["appointmentStatus"] == "cancelled"
    answer = account.ask("PUT", path, {"appointmentStatus": "maybe"})
    assert "must be one of the following values: new, confirmed" in answer.json()["message"][0]
    assert account.ask("PUT", path, {"appointmentStatus": "completed"}, {"Version": "v3"}).ok


def test_a_deleted_appointment_stays_readable_and_leaves_the_lists(account):
    booked = book(account)
    deleted = account.ask("DELETE", f"/calendars/events/{booked['id']}", {})
    assert (deleted.status_code, deleted.json()["succeeded"]) == (200, True)
    assert account.get(f"/calendars/events/appointments/{booked['id']}")["appointment"]["deleted"] is True
    assert booked["id"] not in {one["id"] for one in events(account, calendarId=account.calendar)}
    contact = account.get(f"/contacts/{account.contact}/appointments")["events"]
    assert booked["id"] not in {one["id"] for one in contact}


def test_events_are_listed_by_calendar_user_or_group(account):
    calendars = account.get("/calendars/", locationId=account.location)["calendars"]
    every = [one for calendar in calendars for one in events(account, calendarId=calendar["id"])]
    assert len(every) == 30
    by_user = events(account, userId=account.known["user_id"])
    assert by_user and {one["assignedUserId"] for one in by_user} == {account.known["user_id"]}
    group = next(calendar["groupId"] for calendar in calendars if "groupId" in calendar)
    assert {one["groupId"] for one in events(account, groupId=group)} == {group}
    assert events(account, calendarId=account.calendar, endTime="1.0") == []


@pytest.mark.parametrize("missing", ["startTime", "endTime", "calendarId"])
def test_a_listing_needs_a_window_and_a_whom(account, missing):
    query = {"locationId": account.location, "startTime": "0", "endTime": "1", "calendarId": "x"}
    del query[missing]
    assert account.ask("GET", "/calendars/events", params=query).status_code == 422


def test_events_of_a_deleted_calendar_are_only_at_their_contacts(account):
    booked = book(account)
    account.delete(f"/calendars/{account.calendar}")
    assert events(account, calendarId=account.calendar) == []
    assert booked["id"] in {one["id"] for one in account.get(f"/contacts/{account.contact}/appointments")["events"]}


def test_appointments_have_notes_of_their_own(account):
    path = f"/calendars/appointments/{book(account)['id']}/notes"
    made = account.post(path, {"body": "Bring the ladder"})["note"]
    assert account.get(path, limit=20, offset=0) | {"traceId": 0} == {"notes": [made], "hasMore": False, "traceId": 0}
    assert account.ask("GET", path).status_code == 422
    assert account.ask("POST", path, {"body": "x" * 5001}).status_code == 422
    assert account.put(f"{path}/{made['id']}", {"body": "Two"})["note"]["body"] == "Two"
    assert account.delete(f"{path}/{made['id']}")


def test_an_appointment_needs_a_contact_that_exists(account):
    body = {"calendarId": account.calendar, "locationId": account.location, "contactId": "absent0000000000000"}
    answer = account.ask("POST", "/calendars/events/appointments", body | {"startTime": "2026-07-01T15:00:00Z"})
    assert answer.json()["message"] == "Contact not found for id:absent0000000000000"
