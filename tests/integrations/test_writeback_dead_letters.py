"""What GHL does not take: it says why, holds nobody else up, and can be sent again, made anew or given up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Change, Contact
from tests.integrations.delivering import deliver, deliver_all, new_note, new_task, remote, somebody, writes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ghl_shows_at_once(settings):
    settings.GHL_SETTLE_S = 0.0


@pytest.fixture
def person(synced):
    return somebody(synced)


def test_a_refusal_keeps_the_exchange_and_a_word_for_its_kind(person, ana, sandbox):
    refusal = {"status": 422, "body": {"statusCode": 422, "message": ["city must be a real city"], "traceId": "t-1"}}
    sandbox.faults({"match": {"method": "PUT"}, "action": refusal})
    change = deliver(person.edit(by=ana, city="Evanston"))
    assert (change.state, change.failure) == ("refused", "Invalid city")
    told = change.exchange
    assert (told["method"], told["path"], told["status"], told["tries"]) == ("PUT", "/contacts/{}", 422, 1)
    assert "Evanston" not in str(told)


def test_a_missing_scope_is_one_kind_of_failure(person, ana, sandbox):
    denied = {"status": 401, "body": {"statusCode": 401, "message": "The token is not authorized for this scope."}}
    sandbox.faults({"match": {"method": "PUT", "times": 0}, "action": denied})
    assert deliver(person.edit(by=ana, city="Evanston")).failure == "ScopeMissing"


def test_after_a_day_of_errors_it_is_refused_and_can_be_sent_again(person, ana, sandbox):
    sandbox.faults({"match": {"method": "PUT", "times": 0}, "action": {"status": 503}})
    change = deliver(person.edit(by=ana, city="Evanston"), rounds=2)
    assert change.state == "unknown"
    Change.objects.update(not_before=timezone.now() - timedelta(hours=25))
    deliver(change, rounds=1)
    assert (change.state, change.failure) == ("refused", "no answer for a day")
    sandbox.no_faults()
    assert change.retry()
    assert deliver(change).state == "confirmed"


def test_one_that_fails_for_ever_holds_no_other_record_up(synced, person, ana, sandbox):
    path = f"/contacts/{person.remote_id}$"
    sandbox.faults({"match": {"method": "PUT", "path": path, "times": 0}, "action": {"status": 500}})
    stuck = person.edit(by=ana, city="Evanston")
    other = synced.location.contacts.exclude(pk=person.pk).first().edit(by=ana, city="Evanston")
    deliver_all(rounds=2)
    stuck.refresh_from_db(), other.refresh_from_db()
    assert (stuck.state, other.state) == ("unknown", "confirmed")


@pytest.mark.parametrize("make, key", [(new_note, "body"), (new_task, "title")])
def test_what_was_deleted_in_ghl_can_be_made_anew(make, key, person, ana, sandbox):
    row = deliver(make(person, ana)).record
    row.refresh_from_db()
    old_id = row.remote_id
    sandbox.edit(row.KIND, "delete", old_id)
    change = deliver(row.edit(by=ana, **{key: "Other words"}))
    assert (change.state, change.failure) == ("refused", "NotFound")
    assert deliver(change.make_anew(ana)).state == "confirmed"
    row.refresh_from_db()
    assert row.remote_id != old_id and remote(sandbox, f"{row.KIND}s", row.remote_id)[key] == "Other words"


def test_what_was_deleted_in_ghl_can_be_given_up(person, ana, sandbox):
    note = deliver(new_note(person, ana)).note
    note.refresh_from_db()
    sandbox.edit("note", "delete", note.remote_id)
    change = deliver(note.edit(by=ana, body="Other words"))
    assert change.keep_theirs(ana)
    note.refresh_from_db()
    assert note.deleted_at


def test_deleting_what_is_deleted_there_already_is_done(person, ana, sandbox):
    note = deliver(new_note(person, ana)).note
    note.refresh_from_db()
    sandbox.edit("note", "delete", note.remote_id)
    assert deliver(note.delete_here(by=ana, undo_s=0)).state == "confirmed"
    assert not writes(sandbox, "DELETE")


def test_a_note_for_a_contact_deleted_in_ghl_says_so(person, ana, sandbox):
    sandbox.edit("contact", "delete", person.remote_id)
    change = deliver(new_note(person, ana))
    assert (change.state, change.failure) == ("refused", "contact deleted")
    assert "contact was deleted" in change.sentence


def test_what_was_queued_for_a_contact_deleted_here_is_not_sent(person, ana, sandbox):
    change = new_note(person, ana)
    Change.objects.filter(pk=change.pk).update(not_before=timezone.now() + timedelta(hours=1))
    assert deliver(person.delete_here(by=ana, undo_s=0)).state == "confirmed"
    Change.objects.filter(pk=change.pk).update(not_before=timezone.now())
    assert deliver(change).state == "refused"
    assert not writes(sandbox, "POST", "/notes")


def test_children_of_a_refused_contact_go_when_it_goes(synced, person, ana, sandbox):
    refusal = {"status": 422, "body": {"statusCode": 422, "message": ["firstName is odd"]}}
    sandbox.faults({"match": {"method": "POST", "path": "/contacts/?$", "times": 1}, "action": refusal})
    nadia = Contact(location=synced.location, first_name="Nadia", email="nadia@example.com")
    creation = nadia.create(by=ana)
    note = new_note(nadia, ana)
    deliver_all()
    creation.refresh_from_db(), note.refresh_from_db()
    assert (creation.state, note.state, note.failure) == ("refused", "refused", "contact missing")
    assert note.retry()  # takes its contact along
    deliver_all()
    creation.refresh_from_db(), note.refresh_from_db()
    assert (creation.state, note.state) == ("confirmed", "confirmed")


def test_an_edit_that_waits_for_a_connection_says_so(synced, person, ana):
    synced.park("needs_reauth", "GHL no longer accepts our access.")
    change = deliver(person.edit(by=ana, city="Evanston"), rounds=1)
    assert change.state == "queued" and "not connected" in change.sentence
