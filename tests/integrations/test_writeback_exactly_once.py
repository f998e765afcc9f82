"""A creation exists once in GHL, whatever happens to its answer. GHL has no idempotency key; its own state judges."""

import pytest
from django.db.models import F
from django.utils import timezone

from contacts.models import Change, Contact, Note, Task
from contacts.models.leased import LeaseLost
from integrations.models import Delivery
from integrations.reading.merge import merge
from integrations.writing import writeback
from tests.integrations.delivering import (
    deliver,
    deliver_all,
    later,
    new_note,
    new_task,
    remote,
    shown_in_ghl,
    somebody,
    writes,
)

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "Called back, wants a quote."
LOST = {"match": {"method": "POST", "path": "/(notes|tasks)/?$", "times": 1}, "action": {"drop_after_commit": True}}
NEVER = {"match": {"method": "POST", "path": "/(notes|tasks)/?$", "times": 1}, "action": {"drop_before": True}}
OLD_READS = {"match": {"method": "GET", "path": "/(notes|tasks)", "times": 0}, "action": {"stale_read": 3600}}


@pytest.fixture
def person(synced):
    return somebody(synced)


@pytest.mark.parametrize("make", [new_note, new_task])
def test_while_reads_may_be_old_nothing_is_sent_again(make, person, ana, sandbox):
    sandbox.faults(LOST, OLD_READS)
    change = deliver(make(person, ana), rounds=4)
    assert change.state == "unknown"
    assert len(writes(sandbox, "POST", f"/{change.kind}s")) == 1
    sandbox.no_faults()
    assert deliver(change).state == "confirmed"
    assert len(writes(sandbox, "POST", f"/{change.kind}s")) == 1


@pytest.mark.parametrize("seconds", [-600, 600])
@pytest.mark.parametrize("make", [new_note, new_task])
def test_a_lost_answer_is_found_though_ghls_clock_differs_by_ten_minutes(make, seconds, person, ana, sandbox):
    sandbox.settings(clock_skew_s=seconds)
    sandbox.faults(LOST)
    change = deliver(make(person, ana), rounds=4)
    assert change.state == "confirmed"
    assert len(writes(sandbox, "POST", f"/{change.kind}s")) == 1


def test_when_even_an_old_read_would_show_it_the_creation_is_sent_again(person, ana, sandbox):
    sandbox.faults(NEVER)
    change = deliver(new_note(person, ana), rounds=3)
    assert (change.state, writes(sandbox, "POST", "/notes")) == ("unknown", [])
    later(13)
    assert deliver(change).state == "confirmed"
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 1


def test_what_certainly_was_not_sent_is_sent_again_without_a_look(person, ana, sandbox):
    sandbox.faults(
        {"match": {"method": "POST", "path": "/notes", "times": 3}, "action": {"status": 429, "retry_after": 0}}
    )
    change = deliver(new_note(person, ana), rounds=1)
    assert change.state == "queued"
    assert deliver(change).state == "confirmed"
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 1


def test_a_creation_that_ghl_shows_late_is_not_taken_for_deleted(person, ana, sandbox):
    sandbox.faults(OLD_READS)
    change = deliver(new_note(person, ana), rounds=2)
    assert change.state == "sent"
    sandbox.no_faults()
    assert deliver(change).state == "confirmed"


def test_a_422_that_was_the_truth_is_refused_after_the_looks(person, ana, sandbox):
    refusal = {"status": 422, "body": {"statusCode": 422, "message": ["body must be shorter"]}}
    sandbox.faults({"match": {"method": "POST", "path": "/notes", "times": 1}, "action": refusal})
    change = deliver(new_note(person, ana), rounds=3)
    assert change.state == "unknown"
    later(13)
    deliver(change)
    assert (change.state, change.failure) == ("refused", "Invalid body")
    assert change.exchange["status"] == 422 and change.exchange["messages"] == ["body must be shorter"]
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 0


def test_two_alike_notes_of_two_people_become_two(person, ana, ada, sandbox):
    sandbox.faults({**LOST, "match": {**LOST["match"], "times": 2}})
    new_note(person, ana), new_note(person, ada), new_note(person, ana)
    deliver_all()
    assert set(Change.objects.values_list("state", flat=True)) == {"confirmed"}
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 3
    ids = set(Note.objects.filter(body=WORDS).values_list("remote_id", flat=True))
    assert len(ids) == 3


def test_the_second_of_two_alike_waits_until_it_is_known_what_became_of_the_first(person, ana, sandbox):
    sandbox.faults(NEVER, OLD_READS)
    first, second = new_note(person, ana), new_note(person, ana)
    deliver_all(rounds=2)
    for change in (first, second):
        change.refresh_from_db()
    assert (first.state, second.state, second.attempts) == ("unknown", "queued", 0)


def test_the_same_note_typed_in_ghl_at_that_moment_is_not_ours(person, ana, sandbox):
    mine, other = person.location.remote_users.order_by("pk")[:2]
    note = Note(location=person.location, contact=person, body=WORDS, author=mine)
    sandbox.faults(NEVER)
    change = note.create(by=ana)
    sandbox.edit("note", "create", contactId=person.remote_id, body=WORDS, userId=other.remote_id)
    deliver(change, rounds=1)
    later(13)
    assert deliver(change).state == "confirmed"
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 2


def test_two_in_ghl_that_may_be_ours_are_a_persons_decision(person, ana, sandbox):
    sandbox.faults(LOST, OLD_READS)
    change = deliver(new_note(person, ana), rounds=1)
    sandbox.no_faults()
    sandbox.edit("note", "create", contactId=person.remote_id, body=WORDS)
    deliver(change)
    assert (change.state, change.failure) == ("differs", "two alike")
    assert not writes(sandbox, "DELETE")
    assert change.retry()  # "send it anyway"
    assert deliver(change).state == "confirmed"
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 3


def test_an_older_note_with_the_same_words_is_not_the_one_that_was_lost(person, ana, sandbox):
    long_ago = {"dateAdded": 1_600_000_000_000}
    sandbox.edit("note", "create", contactId=person.remote_id, body=WORDS, **long_ago)
    sandbox.faults(NEVER)
    change = deliver(new_note(person, ana), rounds=1)
    later(13)
    assert deliver(change).state == "confirmed"
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 2


@pytest.mark.parametrize("is_there", [True, False])
def test_a_worker_killed_in_the_middle_is_followed_by_one_that_looks(is_there, person, ana, sandbox):
    change = new_note(person, ana)
    delivery = Delivery.objects.claim(writeback.delivery_for(change).pk)
    Delivery.objects.filter(pk=delivery.pk).update(sent_at=timezone.now())
    Change.objects.filter(pk=change.pk).update(state="sending", attempts=1)
    if is_there:
        sandbox.edit("note", "create", contactId=person.remote_id, body=WORDS)
    deliver(change, rounds=2)
    assert change.state == ("confirmed" if is_there else "unknown")
    later(13)
    assert deliver(change).state == "confirmed"
    assert shown_in_ghl(sandbox, "notes", person, "body", WORDS) == 1


def test_a_worker_that_slept_through_its_lease_sends_nothing(person, ana, sandbox, monkeypatch):
    change = new_note(person, ana)
    delivery = writeback.delivery_for(change)

    def slept(self, call):  # while it waited for its turn, another worker took over
        Delivery.objects.filter(pk=delivery.pk).update(fence=F("fence") + 1)

    monkeypatch.setattr("integrations.ghl.transport.Transport._grant", slept)
    writeback.push(delivery.pk)
    assert not writes(sandbox, "POST", "/notes")
    with pytest.raises(LeaseLost):
        stale = Delivery.objects.get(pk=delivery.pk)
        stale.fence -= 1
        if not stale.renew():
            raise LeaseLost


def test_a_sync_that_sees_it_first_gives_it_to_our_row(person, ana, sandbox):
    sandbox.faults(LOST, OLD_READS)
    change = deliver(new_note(person, ana), rounds=1)
    there = next(
        row for row in sandbox.records("notes", contact_id=person.remote_id)["records"] if row["body"] == WORDS
    )
    merge(person.location, Note, [{"remote_id": there["id"], "contact_remote_id": person.remote_id, "body": WORDS}])
    assert deliver(change, rounds=2).state == "sent"
    sandbox.no_faults()
    assert deliver(change).state == "confirmed"
    assert Note.objects.filter(body=WORDS).count() == 1


def test_one_refused_that_turns_up_after_all_is_confirmed(person, ana):
    change = new_note(person, ana)
    Change.objects.update(state="refused", settled_at=timezone.now(), attempts=3, sentence="GHL has failed for a day.")
    merge(person.location, Note, [{"remote_id": "notLate", "contact_remote_id": person.remote_id, "body": WORDS}])
    change.refresh_from_db()
    assert change.state == "confirmed"
    assert Note.objects.get(body=WORDS).remote_id == "notLate"


def test_a_listing_from_a_moment_ago_takes_nothing_away(person, ana):
    from integrations.reading.merge import remove

    change = deliver(new_note(person, ana))
    remove(person.location, Note, [change.note])
    change.note.refresh_from_db()
    assert change.note.deleted_at is None


@pytest.mark.parametrize("values", [{"email": "nadia@example.com"}, {"phone": "+13125550199"}, {}])
def test_a_contact_whose_answer_was_lost_exists_once(values, synced, ana, sandbox):
    sandbox.faults(
        {"match": {"method": "POST", "path": "/contacts/?$", "times": 1}, "action": {"drop_after_commit": True}}
    )
    person = Contact(location=synced.location, first_name="Nadia", last_name="Zell", **values)
    assert deliver(person.create(by=ana)).state == "confirmed"
    found = [row for row in sandbox.records("contacts")["records"] if row.get("lastName") == "Zell"]
    assert len(found) == 1
    person.refresh_from_db()
    assert person.remote_id == found[0]["id"]


def test_where_duplicates_are_allowed_an_older_namesake_is_left_alone(synced, ana, sandbox):
    old = somebody(synced)
    sandbox.faults({"match": {"method": "POST", "path": "/contacts/?$", "times": 1}, "action": {"drop_before": True}})
    sandbox.edit("location", "update", synced.location.remote_id, allowDuplicateContact=True)
    twin = Contact(location=synced.location, first_name=old.first_name, last_name=old.last_name, email=old.email)
    change = deliver(twin.create(by=ana), rounds=2)
    twin.refresh_from_db()
    assert (change.state, twin.remote_id) == ("unknown", None)


def test_an_ordinary_creation_costs_two_requests(person, ana, sandbox):
    before = len(sandbox.log()["entries"])
    deliver(new_task(person, ana))
    asked = [(entry["method"], entry["path"].split("/")[3]) for entry in sandbox.log()["entries"][before:]]
    assert asked == [("POST", "tasks"), ("GET", "tasks")]
    assert Task.objects.filter(title="Send the quote").count() == 1
    assert remote(sandbox, "tasks", Task.objects.get(title="Send the quote").remote_id)


def test_nobody_waits_behind_somebody_elses_thousands(location):
    from contacts.models import Business, Location

    other = Location.objects.create(business=Business.objects.create(name="Small"), remote_id="locSmall")
    for number in range(5):
        Delivery.objects.create(location=location, kind="note", record_id=number)
    late = Delivery.objects.create(location=other, kind="note", record_id=99)
    assert writeback.waiting_deliveries().index(late.pk) == 1
