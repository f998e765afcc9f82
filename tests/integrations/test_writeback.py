"""Edits reach GHL exactly once and say how they fared, judged by the sandbox's own state and log."""

import pytest
from django.utils import timezone

from contacts.models import Contact, Task
from integrations.access import tokens
from integrations.models import Connection, Delivery
from integrations.writing import writeback
from tests.integrations.delivering import deliver, new_note, new_task, remote, somebody, writes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ghl_shows_at_once(settings):
    settings.GHL_SETTLE_S = 0.0


@pytest.fixture
def person(synced):
    return somebody(synced)


def test_an_edited_field_arrives_and_is_confirmed(person, ana, sandbox):
    change = deliver(person.edit(by=ana, city="Evanston"))
    assert change.state == "confirmed"
    assert remote(sandbox, "contacts", person.remote_id)["city"] == "Evanston"


def test_a_phone_typed_in_another_format_is_confirmed_and_taken_as_ghl_writes_it(person, ana, sandbox):
    change = deliver(person.edit(by=ana, phone="(312) 555-0177"))
    assert change.state == "confirmed"
    person.refresh_from_db()
    assert person.phone == "+13125550177"


def test_two_edits_made_in_a_row_travel_in_one_request(person, ana, sandbox):
    before = len(writes(sandbox, "PUT"))
    person.edit(by=ana, city="Evanston")
    change = deliver(person.edit(by=ana, state="IL"))
    assert change.state == "confirmed"
    assert len(writes(sandbox, "PUT")) - before == 1


def test_a_note_is_written_once_and_confirmed(person, ana, sandbox):
    change = deliver(new_note(person, ana))
    assert change.state == "confirmed"
    note = change.note
    note.refresh_from_db()
    assert remote(sandbox, "notes", note.remote_id)["body"] == "Called back, wants a quote."


def test_a_task_is_made_edited_completed_and_deleted(person, ana, sandbox):
    assert deliver(new_task(person, ana)).state == "confirmed"
    task = Task.objects.get(title="Send the quote")
    assert deliver(task.edit(by=ana, title="Send the long quote")).state == "confirmed"
    assert deliver(task.edit(by=ana, completed=True)).state == "confirmed"
    there = remote(sandbox, "tasks", task.remote_id)
    assert (there["title"], there["completed"]) == ("Send the long quote", True)
    assert deliver(task.delete_here(by=ana, undo_s=0)).state == "confirmed"
    assert (remote(sandbox, "tasks", task.remote_id) or {"deleted": True})["deleted"]


def test_tags_travel_as_deltas(person, ana, sandbox):
    sandbox.edit("contact", "update", person.remote_id, tags=[*person.tags, "from-ghl"])
    change = deliver(person.add_tags(["VIP client"], by=ana))
    assert change.state == "confirmed"
    assert {"vip client", "from-ghl"} <= set(remote(sandbox, "contacts", person.remote_id)["tags"])


def test_a_deletion_can_be_undone_before_it_is_sent(person, ana, sandbox):
    note = person.notes.present().first() or deliver(new_note(person, ana)).note
    change = note.delete_here(by=ana, undo_s=60)
    for pk in writeback.waiting_deliveries():
        writeback.push(pk)
    assert note.undo_delete(change, by=ana)
    assert not writes(sandbox, "DELETE")
    note.refresh_from_db()
    assert note.deleted_at is None


def test_a_new_contact_is_created_in_ghl(synced, ana, sandbox):
    person = Contact(location=synced.location, first_name="Nadia", email="nadia@example.com")
    change = deliver(person.create(by=ana))
    assert change.state == "confirmed"
    person.refresh_from_db()
    assert remote(sandbox, "contacts", person.remote_id)["email"] == "nadia@example.com"


def test_a_note_for_a_contact_that_ghl_does_not_have_yet_waits_for_it(synced, ana, sandbox):
    person = Contact(location=synced.location, first_name="Nadia", email="nadia@example.com")
    person.create(by=ana)
    assert deliver(new_note(person, ana)).state == "confirmed"


def test_a_duplicate_is_refused_in_plain_words(synced, person, ana):
    twin = Contact(location=synced.location, first_name="Twin", email=person.email)
    change = deliver(twin.create(by=ana))
    assert change.state == "refused"
    assert person.name in change.sentence


@pytest.mark.parametrize("status, state", [(429, "queued"), (500, "unknown"), (503, "unknown")])
def test_an_edit_made_while_ghl_is_troubled_waits_and_arrives_once(status, state, person, ana, sandbox):
    retry = {"retry_after": 0} if status == 429 else {}
    sandbox.faults({"match": {"method": "PUT", "times": 0}, "action": {"status": status, **retry}})
    change = person.edit(by=ana, city="Evanston")
    assert deliver(change, rounds=1).state == state  # a 5xx may have been taken all the same
    assert change.attempts == 1
    assert "try again" in change.sentence
    sandbox.no_faults()
    assert deliver(change).state == "confirmed"


def test_a_refused_edit_says_so_and_can_be_given_up(person, ana, sandbox):
    old = person.city
    sandbox.faults(
        {"match": {"method": "PUT"}, "action": {"status": 422, "body": {"statusCode": 422, "message": ["city is odd"]}}}
    )
    change = deliver(person.edit(by=ana, city="Evanston"))
    assert change.state == "refused"
    assert "city is odd" in change.sentence + change.technical
    person.refresh_from_db()
    assert person.city == "Evanston"
    assert change.keep_theirs()
    person.refresh_from_db()
    assert person.city == old


def test_a_refused_edit_can_be_tried_again(person, ana, sandbox):
    sandbox.faults({"match": {"method": "PUT", "times": 1}, "action": {"status": 422}})
    change = deliver(person.edit(by=ana, city="Evanston"))
    assert change.state == "refused"
    sandbox.no_faults()
    assert change.retry()
    assert deliver(change).state == "confirmed"


def test_what_ghl_kept_differently_is_shown(person, ana, sandbox):
    sandbox.faults({"match": {"method": "PUT"}, "action": {"status": 200, "body": {"succeded": True}}})
    change = deliver(person.edit(by=ana, city="Evanston"))
    assert change.state == "differs"
    assert change.theirs == {"city": person.snapshot["city"]}


@pytest.mark.parametrize("make", [new_note, new_task])
@pytest.mark.parametrize(
    "action", [{"drop_after_commit": True}, {"status_but_created": 422}, {"status_but_created": 500}]
)
def test_a_creation_whose_answer_was_lost_is_not_sent_twice(action, make, person, ana, sandbox):
    sandbox.faults({"match": {"method": "POST", "path": "/(notes|tasks)$", "times": 1}, "action": action})
    change = deliver(make(person, ana))
    assert change.state == "confirmed"
    kind = change.kind + "s"
    assert len(writes(sandbox, "POST", f"/{kind}")) == 1
    words = {"notes": ("body", "Called back, wants a quote."), "tasks": ("title", "Send the quote")}[kind]
    records = sandbox.records(kind, contact_id=person.remote_id)["records"]
    assert [r[words[0]] for r in records].count(words[1]) == 1


def test_a_creation_that_never_arrived_is_sent_again(person, ana, sandbox):
    sandbox.faults({"match": {"method": "POST", "path": "/notes$", "times": 1}, "action": {"drop_before": True}})
    assert deliver(new_note(person, ana)).state == "confirmed"
    assert len(writes(sandbox, "POST", "/notes")) == 1


def test_a_worker_that_lost_its_claim_changes_nothing(person, ana):
    change = person.edit(by=ana, city="Evanston")
    stale = Delivery.objects.claim(writeback.delivery_for(change).pk)
    Delivery.objects.filter(pk=stale.pk).update(lease_until=None)
    Delivery.objects.claim(stale.pk)
    assert not stale.release(finished_at=timezone.now())
    assert Delivery.objects.get(pk=stale.pk).finished_at is None


def test_edits_wait_while_the_connection_is_parked_and_arrive_after_a_reconnect(
    synced, person, ana, ada, sandbox, northgate
):
    from tests.sandbox_control import consent

    synced.park("needs_reauth", "GHL no longer accepts our access.")
    change = person.edit(by=ana, city="Evanston")
    assert deliver(change, rounds=2).state == "queued"
    consent(ada, northgate, sandbox)
    assert deliver(change).state == "confirmed"


def test_an_edit_of_a_suspended_account_waits_until_ghl_lets_us_in_again(person, ana, sandbox, synced):
    sandbox.tokens("suspend", location_id=synced.location.remote_id)
    change = deliver(person.edit(by=ana, city="Evanston"), rounds=2)
    synced.refresh_from_db()
    assert (change.state, synced.status) == ("queued", "suspended")
    sandbox.tokens("resume", location_id=synced.location.remote_id)
    Connection.objects.update(renew_at=timezone.now(), lease_until=None)
    tokens.renew_if_due(Connection, synced.pk)
    assert deliver(change).state == "confirmed"


def test_after_a_new_note_the_tasks_of_that_contact_are_read_again(person, ana, sandbox):
    from integrations.models import SyncRun

    deliver(new_note(person, ana))
    assert SyncRun.objects.filter(contact=person, cursor={"parts": ["tasks"]}).exists()


def test_a_contact_deleted_in_ghl_refuses_the_edit_with_a_reason(person, ana, sandbox):
    sandbox.edit("contact", "delete", person.remote_id)
    change = deliver(person.edit(by=ana, city="Evanston"))
    assert change.state == "refused"
    assert "deleted in GHL" in change.sentence


def test_an_edit_that_breaks_our_own_code_is_given_up_with_a_sentence_and_holds_nothing_up(person, ana, sandbox):
    broken = person.edit(by=ana, company_name="GHL's update call does not take this one")
    for _ in range(8):
        deliver(broken, rounds=1)
    assert broken.state == "refused"
    assert "our side" in broken.sentence
    assert deliver(person.edit(by=ana, city="Evanston")).state == "confirmed"


def test_an_edit_whose_bell_nobody_heard_is_found_by_the_sweeper(person, ana, sandbox):
    change = person.edit(by=ana, city="Evanston")
    Delivery.objects.all().delete()
    assert deliver(change).state == "confirmed"


def test_a_note_waits_while_its_contact_is_on_the_way(synced, ana, sandbox):
    person = Contact(location=synced.location, first_name="Nadia", email="nadia@example.com")
    person.create(by=ana)
    change = new_note(person, ana)
    writeback.push(Delivery.objects.get(kind="note").pk)
    change.refresh_from_db()
    assert (change.state, change.attempts) == ("queued", 0)
    assert not writes(sandbox, "POST", "/notes")
    assert deliver(change).state == "confirmed"


def test_a_note_of_a_contact_that_was_refused_is_refused_with_the_reason(synced, person, ana):
    twin = Contact(location=synced.location, first_name="Twin", email=person.email)
    change = new_note_of(twin, ana)
    assert change.state == "refused"
    assert "contact was not created" in change.sentence


def new_note_of(twin, by):
    creation = deliver(twin.create(by=by))
    assert creation.state == "refused"
    return deliver(new_note(twin, by))
