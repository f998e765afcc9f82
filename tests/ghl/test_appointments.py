"""Bookings on their way to GHL and back, and what of it GHL refuses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from integrations.ghl.payloads import appointment_body, appointment_values, same

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
NEW = {"calendar_remote_id": "k1", "contact_remote_id": "c1", "starts_at": NINE}
BY_A_PERSON = {"ignoreDateRange": True, "toNotify": True}


def test_a_booking_says_exactly_what_was_chosen():
    values = NEW | {
        "ends_at": NINE + timedelta(minutes=30),
        "title": "Roof",
        "status": "confirmed",
        "notes": "",
        "address": None,
    }
    assert appointment_body(values, create=True, location_id="loc1", zone=BERLIN) == BY_A_PERSON | {
        "locationId": "loc1",
        "calendarId": "k1",
        "contactId": "c1",
        "startTime": "2026-07-01T11:00:00+02:00",
        "endTime": "2026-07-01T11:30:00+02:00",
        "title": "Roof",
        "appointmentStatus": "confirmed",
    }


def test_an_edit_says_only_what_changed_and_may_empty_a_text():
    assert appointment_body({"notes": None, "title": "Later"}) == BY_A_PERSON | {"description": "", "title": "Later"}
    assert appointment_body({"assignee_remote_id": "u1"})["assignedUserId"] == "u1"
    assert "locationId" not in appointment_body({"title": "x"}, location_id="loc1")


@pytest.mark.parametrize("word", ["cancelled", "canceled", "Cancelled"])
def test_a_cancellation_is_spelt_as_ghl_spells_it(word):
    assert appointment_body({"status": word})["appointmentStatus"] == "cancelled"


@pytest.mark.parametrize(
    "values, create, sentence",
    [
        ({"title": "x"}, True, "needs calendar_remote_id and contact_remote_id and starts_at"),
        (NEW | {"ends_at": NINE}, True, "ends after"),
        ({"starts_at": None}, False, "times"),
        ({"starts_at": "soon"}, False, "times"),
        ({"starts_at": datetime(2026, 7, 1)}, False, "time zone"),
        ({"status": "maybe"}, False, "no appointment status"),
        ({"status": ""}, False, "no appointment status"),
        ({"calendar_remote_id": ""}, False, "calendar"),
        ({"contact_remote_id": "c2"}, False, "contact_remote_id"),
        ({"raw_start": "x"}, False, "raw_start"),
    ],
)
def test_what_ghl_would_refuse_is_not_sent(values, create, sentence):
    with pytest.raises(ValueError, match=sentence):
        appointment_body(values, create=create)


def test_a_night_with_an_hour_that_happens_twice():
    start, end = datetime(2026, 10, 25, 0, 45, tzinfo=UTC), datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    body = appointment_body({"starts_at": start, "ends_at": end}, zone=BERLIN)
    assert (body["startTime"], body["endTime"]) == ("2026-10-25T02:45:00+02:00", "2026-10-25T02:15:00+01:00")
    back = appointment_values({"id": "a", **body}, BERLIN)
    assert (back["starts_at"], back["ends_at"]) == (start, end)


def test_what_we_send_comes_back_the_same():
    values = NEW | {"ends_at": NINE + timedelta(hours=1), "title": "Roof", "status": "showed", "notes": "a & b"}
    values |= {"assignee_remote_id": "u1", "address": "1 Main St"}
    back = appointment_values({"id": "a1", **appointment_body(values, create=True, zone=BERLIN)}, BERLIN)
    assert all(same("appointment", key, value, back[key]) for key, value in values.items())


@pytest.mark.parametrize(
    "field, ours, theirs, equal",
    [
        ("starts_at", NINE, "2026-07-01T11:00:00+02:00", True),
        ("starts_at", NINE, "2026-07-01T09:00:00.400Z", True),
        ("starts_at", NINE, "2026-07-01T09:00:01Z", False),
        ("ends_at", NINE, None, False),
        ("status", "cancelled", "canceled", True),
        ("status", "noshow", "No-Show", True),
        ("status", "confirmed", "new", False),
        ("status", "", None, True),
        ("title", " Roof  check", "Roof check ", True),
        ("title", "Roof", "roof", False),
        ("notes", "Tom & Ana\nbring keys", "<p>Tom &amp; Ana</p><p>bring <b>keys</b></p>", True),
        ("notes", "a", "<p>b</p>", False),
        ("address", None, "", True),
        ("assignee_remote_id", "u1", "u2", False),
    ],
)
def test_when_a_booking_is_as_we_sent_it(field, ours, theirs, equal):
    assert same("appointment", field, ours, theirs) is equal
