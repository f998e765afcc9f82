"""Appointments are booked, moved, called off and read back like everything else."""

from datetime import UTC, datetime, timedelta

import pytest

from contacts.models import Appointment, NotEditable
from tests.integrations.delivering import deliver, remote, somebody, writes

pytestmark = pytest.mark.django_db(transaction=True)
NINE = datetime(2027, 3, 1, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ghl_shows_at_once(settings):
    settings.GHL_SETTLE_S = 0.0


@pytest.fixture
def person(synced):
    return somebody(synced)


@pytest.fixture
def book(person, ana):
    def make(**values):
        whose = {"location": person.location, "contact": person, "calendar": person.location.calendars.first()}
        times = {"starts_at": NINE, "ends_at": NINE + timedelta(hours=1)}
        return Appointment(**whose, **times, **{"title": "Roof walk", **values}).create(by=ana)

    return make


def test_it_is_booked_once_and_confirmed(book, person, sandbox):
    change = deliver(book())
    assert change.state == "confirmed", change.sentence
    appointment = Appointment.objects.get(title="Roof walk")
    there = remote(sandbox, "appointments", appointment.remote_id)
    assert (there["title"], there["contactId"]) == ("Roof walk", person.remote_id)
    assert appointment.starts_at == NINE
    assert person.history.filter(kind="appointment_booked", appointment=appointment).exists()


@pytest.mark.parametrize("action", [{"drop_after_commit": True}, {"status_but_created": 422}])
def test_a_lost_answer_does_not_book_twice(action, book, person, sandbox):
    sandbox.faults({"match": {"method": "POST", "path": "/appointments$", "times": 1}, "action": action})
    assert deliver(book()).state == "confirmed"
    assert len(writes(sandbox, "POST", "/appointments")) == 1


def test_it_is_moved_renamed_and_called_off(book, person, ana, sandbox):
    appointment = deliver(book()).appointment
    appointment.refresh_from_db()
    later = NINE + timedelta(days=1)
    change = deliver(appointment.edit(by=ana, starts_at=later, ends_at=later + timedelta(minutes=30)))
    assert change.state == "confirmed", change.sentence
    assert deliver(appointment.edit(by=ana, title="Second walk")).state == "confirmed"
    assert deliver(appointment.edit(by=ana, status="cancelled")).state == "confirmed"
    there = remote(sandbox, "appointments", appointment.remote_id)
    assert (there["title"], there["appointmentStatus"]) == ("Second walk", "cancelled")
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.ends_at) == (later, later + timedelta(minutes=30))
    kinds = set(person.history.filter(appointment=appointment).values_list("kind", flat=True))
    assert kinds == {"appointment_booked", "appointment_moved", "appointment_changed"}


def test_a_deleted_one_is_deleted_in_ghl_and_can_be_booked_anew(book, person, ana, sandbox):
    appointment = deliver(book()).appointment
    appointment.refresh_from_db()
    old_id = appointment.remote_id
    deletion = deliver(appointment.delete_here(by=ana, undo_s=0))
    assert deletion.state == "confirmed"
    assert remote(sandbox, "appointments", old_id)["deleted"]
    assert deliver(deletion.undo(ana)).state == "confirmed"
    appointment.refresh_from_db()
    assert appointment.remote_id != old_id and appointment.deleted_at is None
    assert not remote(sandbox, "appointments", appointment.remote_id).get("deleted")


def test_one_that_ghl_has_deleted_already_counts_as_deleted(book, ana, sandbox):
    appointment = deliver(book()).appointment
    appointment.refresh_from_db()
    sandbox.edit("appointment", "delete", appointment.remote_id)
    assert deliver(appointment.delete_here(by=ana, undo_s=0)).state == "confirmed"


def test_one_moved_on_both_sides_is_a_conflict(book, ana, sandbox):
    appointment = deliver(book()).appointment
    appointment.refresh_from_db()
    sandbox.edit("appointment", "update", appointment.remote_id, title="Theirs")
    assert deliver(appointment.edit(by=ana, title="Ours")).state == "conflict"


def test_a_sync_leaves_an_open_move_alone(book, person, ana):
    from integrations.reading.merge import merge

    appointment = deliver(book()).appointment
    appointment.refresh_from_db()
    later = NINE + timedelta(days=1)
    appointment.edit(by=ana, starts_at=later, ends_at=later + timedelta(hours=1))
    row = {"remote_id": appointment.remote_id, "contact_remote_id": person.remote_id, "starts_at": NINE, "title": "X"}
    merge(person.location, Appointment, [row])
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.title) == (later, "X")


def test_without_the_permission_it_says_why(synced, book):
    synced.location.is_bookable = False
    synced.location.save()
    with pytest.raises(NotEditable, match="permission to change appointments"):
        book()
