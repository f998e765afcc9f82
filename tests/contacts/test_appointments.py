"""Booking, moving and calling off appointments on the pages."""

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from contacts.forms.appointment import AppointmentForm
from contacts.models import Appointment, Calendar, Change, RemoteUser

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)


@pytest.fixture(autouse=True)
def at_14_20():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def visits(location):
    return Calendar.objects.create(location=location, remote_id="calVisits", name="Site visits")


@pytest.fixture
def typed(visits, dana):
    """What a person fills in, by the clock of Chicago."""
    return {
        "title": "Roof walk", "start": "2026-11-25T10:30", "length": "60", "calendar": visits.pk, "assignee": dana.pk,
    }  # fmt: skip


@pytest.fixture
def booked(contact, visits, dana, add_appointment):
    start = datetime(2026, 11, 25, 10, 30, tzinfo=CHICAGO)
    return add_appointment(
        contact, start, remote_id="aptOne", ends_at=start + timedelta(hours=1), status="confirmed", calendar=visits,
        assignee=dana,
    )  # fmt: skip


def by_htmx(client, url, values, target="panel-appointments"):
    return client.post(url, values, headers={"HX-Request": "true", "HX-Target": target})


def test_a_booking_goes_by_the_clock_of_the_location(client_of_ana, contact, typed, dana):
    answer = client_of_ana.post(f"/contacts/{contact.pk}/appointments/book/", typed)
    assert answer.status_code == 302
    appointment = contact.appointments.get()
    assert appointment.starts_at == datetime(2026, 11, 25, 16, 30, tzinfo=UTC)
    assert appointment.ends_at == appointment.starts_at + timedelta(hours=1)
    change = Change.objects.get()
    assert (change.verb, change.state, change.record) == ("create", "queued", appointment)
    assert change.values["assignee_remote_id"] == dana.remote_id


def test_the_panel_shows_it_with_how_far_it_has_come(client_of_ana, contact, typed):
    answer = by_htmx(client_of_ana, f"/contacts/{contact.pk}/appointments/book/", typed)
    page = answer.content.decode()
    assert "Roof walk" in page and "Queued" in page and 'id="panel-appointments"' in page
    assert "work-changed" in answer["HX-Trigger"]


def test_the_same_form_twice_books_once(client_of_ana, contact, typed):
    typed |= {"submission": str(uuid.uuid4())}
    for _ in range(2):
        client_of_ana.post(f"/contacts/{contact.pk}/appointments/book/", typed)
    assert contact.appointments.count() == 1


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"start": ""}, "Choose a day and a time"),
        ({"start": "soon"}, "not a date and time"),
        ({"start": "2026-11-23T14:19"}, "has passed already"),
        ({"start": "2027-03-14T02:30"}, "clocks go forward"),
        ({"start": "9999-01-01T00:00"}, "year cannot be right"),
        ({"length": "0"}, "from 5 minutes to 24 hours"),
        ({"length": "٣٠"}, "from 5 minutes to 24 hours"),
        ({"length": "99999"}, "from 5 minutes to 24 hours"),
        ({"calendar": ""}, "Choose a calendar"),
        ({"calendar": "999999"}, "calendar is not there any more"),
        ({"calendar": "x"}, "calendar is not there any more"),
        ({"assignee": "999999"}, "does not work here any more"),
        ({"title": "x" * 301}, "300 letters"),
    ],
)
def test_what_cannot_be_taken_is_said_and_kept(wrong, sentence, client_of_ana, contact, typed):
    answer = by_htmx(client_of_ana, f"/contacts/{contact.pk}/appointments/book/", typed | wrong)
    page = answer.content.decode()
    assert answer.status_code == 422 and sentence in page
    assert not contact.appointments.exists() and not Change.objects.exists()
    if "title" not in wrong:
        assert 'value="Roof walk"' in page


def test_calendars_and_people_of_another_location_are_not_on_offer(client_of_ana, contact, typed, second_location, ana):
    theirs = Calendar.objects.create(location=second_location, remote_id="calTeeth", name="Teeth")
    person = RemoteUser.objects.create(location=second_location, remote_id="usrTeeth", name="Ines")
    url = f"/contacts/{contact.pk}/appointments/book/"
    for wrong in ({"calendar": theirs.pk}, {"assignee": person.pk}):
        assert client_of_ana.post(url, typed | wrong).status_code == 422
    page = client_of_ana.get(url).content.decode()
    assert "Teeth" not in page and "Ines" not in page and "Site visits" in page
    assert not Appointment.objects.exists()


def test_whoever_lives_by_another_clock_is_told_theirs(client_of_ana, contact, typed, ana):
    url = f"/contacts/{contact.pk}/appointments/book/?start=2026-11-25T10:30"
    ana.time_zone = "Europe/Berlin"
    ana.save()
    page = client_of_ana.get(url).content.decode()
    assert "Chicago time" in page and "for you in Berlin" in page and "17:30" in page
    ana.time_zone = "America/Chicago"
    ana.save()
    assert "for you in" not in client_of_ana.get(url).content.decode()


def test_the_other_clock_follows_what_is_typed(client_of_ana, contact, ana):
    ana.time_zone = "Europe/Berlin"
    ana.save()
    url = f"/contacts/{contact.pk}/appointments/clock/"
    assert "17:30" in client_of_ana.get(url, {"start": "2026-11-25T10:30"}).content.decode()
    # For two weeks in March the clocks are an hour nearer.
    assert "16:30" in client_of_ana.get(url, {"start": "2027-03-17T10:30"}).content.decode()
    for nonsense in ("", "soon", "0001-01-01T00:00", "9999-12-31T23:59"):
        assert "for you in" not in client_of_ana.get(url, {"start": nonsense}).content.decode()


def test_a_moment_from_another_clock_is_put_on_that_of_the_location(client_of_ana, contact, visits):
    page = client_of_ana.get(f"/contacts/{contact.pk}/appointments/book/", {"start": "2026-11-25T17:30+01:00"})
    assert 'value="2026-11-25T10:30"' in page.content.decode()


def test_it_is_moved_and_given_to_somebody_else(client_of_ana, booked, typed):
    url = f"/appointments/{booked.pk}/edit/"
    assert 'value="2026-11-25T10:30"' in client_of_ana.get(url).content.decode()
    client_of_ana.post(url, typed | {"start": "2026-11-26T09:00", "assignee": ""})
    booked.refresh_from_db()
    assert booked.starts_at == datetime(2026, 11, 26, 9, tzinfo=CHICAGO)
    assert booked.ends_at == datetime(2026, 11, 26, 10, tzinfo=CHICAGO)
    assert booked.assignee is None and booked.status == "confirmed"


def test_saved_as_it_was_nothing_is_sent(client_of_ana, booked, typed):
    later = timedelta(seconds=7)  # the boxes show minutes
    Appointment.objects.update(starts_at=booked.starts_at + later, ends_at=booked.ends_at + later)
    client_of_ana.post(f"/appointments/{booked.pk}/edit/", typed)
    assert not Change.objects.exists()


def test_of_the_hour_that_comes_twice_the_second_stays_the_second(location):
    second = datetime(2027, 11, 7, 1, 30, tzinfo=CHICAGO, fold=1)
    appointment = Appointment(location=location, starts_at=second.astimezone(UTC))
    form = AppointmentForm({"start": "2027-11-07T01:30", "length": "30"}, location=location, appointment=appointment)
    form.is_valid()
    assert form.cleaned_data["start"] == second.astimezone(UTC)


def test_an_hour_stays_an_hour_over_the_night_the_clocks_go_back(client_of_ana, contact, typed):
    typed |= {"start": "2027-11-07T00:30", "length": "120"}
    client_of_ana.post(f"/contacts/{contact.pk}/appointments/book/", typed)
    appointment = contact.appointments.get()
    assert appointment.ends_at - appointment.starts_at == timedelta(hours=2)


def test_one_that_was_called_off_is_on_again_with_a_new_time(client_of_ana, booked, typed):
    Appointment.objects.filter(pk=booked.pk).update(status="cancelled")
    client_of_ana.post(f"/appointments/{booked.pk}/edit/", typed | {"start": "2026-11-30T09:00"})
    booked.refresh_from_db()
    assert booked.status == "confirmed"


def test_calling_off_waits_for_undo(client_of_ana, booked, settings):
    answer = by_htmx(client_of_ana, f"/appointments/{booked.pk}/mark/", {"status": "cancelled"})
    change = Change.objects.get()
    assert "Undo" in answer.content.decode() and "Cancelled" in answer.content.decode()
    assert change.not_before == timezone.now() + timedelta(seconds=settings.UNDO_S)
    client_of_ana.post(f"/changes/{change.pk}/undo/")
    booked.refresh_from_db()
    change.refresh_from_db()
    assert (booked.status, change.state) == ("confirmed", "cancelled")
    assert not Change.objects.unsettled().exists()


def test_deleting_waits_for_undo_and_stands_in_the_history(client_of_ana, booked, contact, settings):
    answer = by_htmx(client_of_ana, f"/appointments/{booked.pk}/delete/", {})
    page, change = answer.content.decode(), Change.objects.get()
    assert "Appointment deleted" in page and "Undo" in page and f'id="appointment-{booked.pk}"' not in page
    assert (change.verb, change.not_before) == ("delete", timezone.now() + timedelta(seconds=settings.UNDO_S))
    assert contact.history.get(appointment=booked).kind == "appointment_deleted"
    panel = by_htmx(client_of_ana, f"/changes/{change.pk}/undo/", {}).content.decode()
    assert f'id="appointment-{booked.pk}"' in panel
    booked.refresh_from_db()
    assert booked.deleted_at is None and not Change.objects.unsettled().exists()


def test_one_that_is_deleted_already_cannot_be_deleted_again(client_of_ana, booked):
    by_htmx(client_of_ana, f"/appointments/{booked.pk}/delete/", {})
    assert by_htmx(client_of_ana, f"/appointments/{booked.pk}/delete/", {}).status_code == 403
    assert Change.objects.count() == 1


@pytest.mark.parametrize("status, words", [("showed", "Kept"), ("noshow", "No-show")])
def test_what_has_been_is_marked_as_kept_or_missed(status, words, client_of_ana, contact, add_appointment):
    past = add_appointment(contact, NOW - timedelta(hours=3), status="confirmed")
    answer = by_htmx(client_of_ana, f"/appointments/{past.pk}/mark/", {"status": status})
    past.refresh_from_db()
    assert past.status == status and words in answer.content.decode()


@pytest.mark.parametrize("status", ["showed", "noshow", "", "postponed", "<b>"])
def test_a_mark_that_makes_no_sense_changes_nothing(status, client_of_ana, booked):
    answer = by_htmx(client_of_ana, f"/appointments/{booked.pk}/mark/", {"status": status})
    assert answer.status_code == 422 and answer["HX-Reswap"] == "none" and b"toast--error" in answer.content
    assert not Change.objects.exists()


def test_without_permission_to_book_nothing_is_on_offer(client_of_ana, contact, booked, typed, location):
    location.is_bookable = False
    location.save()
    page = client_of_ana.get(f"{contact.get_absolute_url()}?pane=work").content.decode()
    assert "appointments/book/" not in page and f"/appointments/{booked.pk}/" not in page
    assert "booked and changed in GHL" in page
    for url, values in (
        (f"/contacts/{contact.pk}/appointments/book/", typed),
        (f"/appointments/{booked.pk}/edit/", typed),
        (f"/appointments/{booked.pk}/mark/", {"status": "cancelled"}),
        (f"/appointments/{booked.pk}/delete/", {}),
    ):
        answer = client_of_ana.post(url, values)
        assert answer.status_code == 403 and "permission to change appointments" in answer.content.decode()
    assert "permission to change" in client_of_ana.get(f"/contacts/{contact.pk}/appointments/book/").content.decode()


def test_one_that_is_gone_is_not_changed(client_of_ana, booked, typed):
    Appointment.objects.filter(pk=booked.pk).update(deleted_at=NOW)
    assert client_of_ana.get(f"/appointments/{booked.pk}/edit/").status_code == 404
    assert client_of_ana.post(f"/appointments/{booked.pk}/edit/", typed).status_code == 403


def test_what_ghl_refuses_says_why_and_what_can_be_done(client_of_ana, contact, booked, ana):
    Change.objects.create(
        business=contact.business, location=contact.location, contact=contact, kind="appointment", verb="update",
        appointment=booked, values={"starts_at": "2026-11-26T15:00:00.000+00:00"}, state="refused", made_by=ana,
        before={}, sentence="The slot you have selected is no longer available.", settled_at=NOW,
    )  # fmt: skip
    page = client_of_ana.get(f"/contacts/{contact.pk}/appointments/", headers={"HX-Request": "true"}).content.decode()
    assert "no longer available" in page and "Retry" in page and "keep-theirs" in page


# --- whom -------------------------------------------------------------------------------------------------------------


def test_a_new_appointment_starts_with_whom_it_is(client_of_ana, contact, second_location, add_contact):
    there = add_contact("Marisa Teeth", location=second_location)
    found = client_of_ana.get("/appointments/whom/?q=maris&start=2026-11-25T10:00").content.decode()
    assert f"/contacts/{contact.pk}/appointments/book/?start=2026-11-25T10" in found and "Marisa" in found
    second_location.is_bookable = False
    second_location.save()
    assert f"/contacts/{there.pk}/" not in client_of_ana.get("/appointments/whom/?q=maris").content.decode()


def test_strangers_are_not_found(as_user, cy, contact):
    assert "Marisol" not in as_user(cy).get("/appointments/whom/?q=marisol").content.decode()
