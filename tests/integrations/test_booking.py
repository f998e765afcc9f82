"""What is booked, moved and called off on the pages arrives in GHL, and what GHL says against it comes back."""

from datetime import datetime

import pytest

from contacts.models import Appointment, Change
from tests.integrations.delivering import deliver, remote, somebody, writes

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true", "HX-Target": "panel-appointments"}
TAKEN = "The slot you have selected is no longer available."


@pytest.fixture(autouse=True)
def ghl_shows_at_once(settings):
    settings.GHL_SETTLE_S = 0.0
    settings.UNDO_S = 0.0


@pytest.fixture
def person(synced):
    return somebody(synced)


@pytest.fixture
def client_of_ada(as_user, ada):
    return as_user(ada)


@pytest.fixture
def typed(person):
    calendar = person.location.calendars.filter(is_active=True).first()
    return {"title": "Roof walk", "start": "2031-03-03T09:00", "length": "60", "calendar": calendar.pk, "assignee": ""}


def test_booked_moved_and_called_off_on_the_page_it_is_so_in_ghl(client_of_ada, person, typed, sandbox):
    client_of_ada.post(f"/contacts/{person.pk}/appointments/book/", typed)
    appointment = Appointment.objects.get(title="Roof walk")
    assert deliver(Change.objects.latest("pk")).state == "confirmed"
    appointment.refresh_from_db()
    there = remote(sandbox, "appointments", appointment.remote_id)
    assert there["contactId"] == person.remote_id
    assert appointment.starts_at == datetime(2031, 3, 3, 9, tzinfo=person.location.zone)

    # The end stays where it was, and GHL hears both times.
    client_of_ada.post(f"/appointments/{appointment.pk}/edit/", typed | {"start": "2031-03-03T08:00", "length": "120"})
    assert deliver(Change.objects.latest("pk")).state == "confirmed"
    there = remote(sandbox, "appointments", appointment.remote_id)
    hours = [
        datetime.fromisoformat(there[key]).astimezone(person.location.zone).hour for key in ("startTime", "endTime")
    ]
    assert hours == [8, 10]

    client_of_ada.post(f"/appointments/{appointment.pk}/mark/", {"status": "cancelled"})
    assert deliver(Change.objects.latest("pk")).state == "confirmed"
    assert remote(sandbox, "appointments", appointment.remote_id)["appointmentStatus"] == "cancelled"


def test_called_off_and_undone_ghl_hears_of_neither(client_of_ada, person, typed, sandbox, settings):
    client_of_ada.post(f"/contacts/{person.pk}/appointments/book/", typed)
    deliver(Change.objects.latest("pk"))
    settings.UNDO_S = 60.0
    appointment = Appointment.objects.get(title="Roof walk")
    client_of_ada.post(f"/appointments/{appointment.pk}/mark/", {"status": "cancelled"})
    client_of_ada.post(f"/changes/{Change.objects.latest('pk').pk}/undo/")
    appointment.refresh_from_db()
    assert appointment.status == "confirmed"
    assert not Change.objects.unsettled().exists()
    assert writes(sandbox, "PUT", "/appointments") == []


def test_a_slot_that_is_taken_says_so_and_can_be_tried_again_or_discarded(client_of_ada, person, typed, sandbox):
    refusal = {"status": 400, "body": {"statusCode": 400, "message": TAKEN}}
    sandbox.faults({"match": {"method": "POST", "path": "/appointments$", "times": 0}, "action": refusal})
    client_of_ada.post(f"/contacts/{person.pk}/appointments/book/", typed)
    change = deliver(Change.objects.latest("pk"))
    assert change.state == "refused"
    panel = client_of_ada.get(f"/contacts/{person.pk}/appointments/", headers=HTMX).content.decode()
    assert TAKEN.rstrip(".") in panel and "It exists only here." in panel
    assert f"/changes/{change.pk}/retry/" in panel and "Discard" in panel

    sandbox.no_faults()
    client_of_ada.post(f"/changes/{change.pk}/retry/", headers=HTMX)
    assert deliver(change).state == "confirmed"


def test_one_that_was_discarded_is_gone_here_and_never_was_there(client_of_ada, person, typed, sandbox):
    refusal = {"status": 400, "body": {"statusCode": 400, "message": TAKEN}}
    sandbox.faults({"match": {"method": "POST", "path": "/appointments$", "times": 0}, "action": refusal})
    client_of_ada.post(f"/contacts/{person.pk}/appointments/book/", typed)
    change = deliver(Change.objects.latest("pk"))
    client_of_ada.post(f"/changes/{change.pk}/keep-theirs/", headers=HTMX)
    assert not person.appointments.present().filter(title="Roof walk").exists()
    assert writes(sandbox, "POST", "/appointments") == []
