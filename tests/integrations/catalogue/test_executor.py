"""Any operation is carried out once. GHL's own log and state judge."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from contacts.models import Note
from integrations import tasks
from integrations.catalogue import executor
from integrations.gateway import client_for
from integrations.ghl.scopes import WANTED
from integrations.models import OperationRun
from rankr_dash.shared_redis import shared_redis
from tests.integrations.delivering import deliver_all, shown_in_ghl, somebody, writes
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)
BUSINESS = {"body": {"name": "Acme Roofs"}}
VALUE = {"body": {"name": "Greeting", "value": "Hello"}}


def fault(method, path, **action):
    return {"match": {"method": method, "path": path, "times": 1}, "action": action}


def done(run, rounds=6):
    """What the worker and the sweeper do, without waiting for the clock."""
    for _ in range(rounds):
        OperationRun.objects.filter(finished_at=None).update(next_at=timezone.now(), lease_until=None)
        executor.run(run.pk)
        run.refresh_from_db()
        if run.is_finished:
            break
    return run


def businesses(connection, name):
    """Those of this name, as GHL has them."""
    with client_for(connection, "interactive") as client:
        return [row for row in client.businesses() if row["name"] == name]


@pytest.fixture
def writer(sandbox, ada, northgate, settings):
    """Connected with leave to write businesses, tags and custom values too."""
    settings.GHL_SCOPES = [
        *WANTED, "businesses.write", "locations/tags.write", "locations/customValues.readonly",
        "locations/customValues.write",
    ]  # fmt: skip
    return consent(ada, northgate, sandbox)


@pytest.fixture
def person(synced):
    return somebody(synced)


def of(person, **body):
    return {"params": {"contactId": person.remote_id}, "body": body}


def test_a_read_is_answered_and_kept_in_short(synced, person, ada):
    values = {"params": {"contactId": person.remote_id}}
    run = done(executor.ask(synced, "contacts.get-contact", values, by=ada))
    assert (run.state, run.sentence) == ("done", "")
    assert run.answer["contact"]["email"] == person.email


def test_a_read_whose_answer_was_lost_is_asked_again(synced, person, sandbox):
    sandbox.faults(
        {"match": {"method": "GET", "path": "/contacts/[^/]+$", "times": 3}, "action": {"drop_before": True}}
    )
    run = done(executor.ask(synced, "contacts.get-contact", {"params": {"contactId": person.remote_id}}))
    assert run.state == "done"


def test_a_creation_arrives_once_and_its_answer_is_kept(writer, sandbox, ada):
    run = done(executor.ask(writer, "businesses.create-business", BUSINESS, by=ada))
    assert run.state == "done" and run.answer["buiseness"]["name"] == "Acme Roofs"
    executor.run(run.pk)
    assert len(businesses(writer, "Acme Roofs")) == 1


@pytest.mark.parametrize("lost", ["drop_after_commit", "drop_before"])
def test_a_creation_whose_answer_was_lost_is_never_sent_a_second_time(lost, writer, sandbox):
    sandbox.faults(fault("POST", "/businesses", **{lost: True}))
    run = done(executor.ask(writer, "businesses.create-business", BUSINESS))
    assert run.state == "unknown" and "not known" in run.sentence
    executor.run(run.pk)
    assert len([e for e in sandbox.log()["entries"] if e["method"] == "POST" and "/businesses" in e["path"]]) == 1


def test_a_worker_killed_after_the_request_left_leaves_it_unknown(writer, sandbox):
    run = executor.ask(writer, "businesses.create-business", BUSINESS)
    OperationRun.objects.filter(pk=run.pk).update(sent_at=timezone.now(), state="sent")
    assert done(run).state == "unknown"
    assert not writes(sandbox, "POST", "/businesses")


def test_what_certainly_was_not_done_is_sent_again(writer, sandbox):
    rule = {"match": {"method": "POST", "path": "/businesses", "times": 3}, "action": {"status": 429, "retry_after": 0}}
    sandbox.faults(rule)
    run = done(executor.ask(writer, "businesses.create-business", BUSINESS))
    assert run.state == "done" and len(businesses(writer, "Acme Roofs")) == 1


def test_where_it_is_known_how_to_look_the_lost_creation_is_found(writer, sandbox):
    sandbox.faults(fault("POST", "/customValues", drop_after_commit=True))
    run = done(executor.ask(writer, "locations.create-custom-value", VALUE))
    assert (run.state, run.answer["name"]) == ("done", "Greeting")
    assert len(writes(sandbox, "POST", "/customValues")) == 1


def test_where_it_is_known_how_to_look_what_never_arrived_is_sent_once_more(writer, sandbox):
    sandbox.faults(fault("POST", "/customValues", drop_before=True))
    run = done(executor.ask(writer, "locations.create-custom-value", VALUE), rounds=2)
    assert run.state == "sent"  # an old reading may not show it yet
    OperationRun.objects.update(sent_at=timezone.now() - timedelta(seconds=60))
    assert done(run).state == "done"
    assert len(writes(sandbox, "POST", "/customValues")) == 1


def test_a_change_and_a_deletion_may_be_sent_again(writer, sandbox):
    made = done(executor.ask(writer, "businesses.create-business", BUSINESS)).answer["buiseness"]
    lost = {"drop_after_commit": True}
    sandbox.faults(fault("PUT", "/businesses", **lost), fault("DELETE", "/businesses", **lost))
    of_it = {"params": {"businessId": made["id"]}}
    changed = done(executor.ask(writer, "businesses.update-business", {**of_it, "body": {"name": "Acme"}}))
    assert changed.state == "done" and businesses(writer, "Acme")
    gone = done(executor.ask(writer, "businesses.delete-business", of_it))
    assert gone.state == "done" and not businesses(writer, "Acme")


def test_tags_are_harmless_twice(synced, person, sandbox):
    sandbox.faults(fault("POST", "/tags", drop_after_commit=True))
    run = done(executor.ask(synced, "contacts.add-tags", of(person, tags="hot")))
    assert run.state == "done"
    assert sandbox.records("contacts", id=person.remote_id)["records"][0]["tags"].count("hot") == 1


def test_a_note_goes_by_our_outbox_and_is_found_after_a_lost_answer(synced, person, ada, sandbox):
    sandbox.faults(fault("POST", "/notes", drop_after_commit=True))
    run = executor.ask(synced, "contacts.create-note", of(person, body="Invoice 8841 was paid"), by=ada)
    executor.run(run.pk)
    assert Note.objects.filter(contact=person, body="Invoice 8841 was paid").exists()  # at once, before GHL has it
    deliver_all()
    assert done(run).state == "done" and run.answer["id"]
    assert shown_in_ghl(sandbox, "notes", person, "body", "Invoice 8841 was paid") == 1


def test_a_task_goes_by_our_outbox_with_its_assignee(synced, person, sandbox):
    mate = synced.location.remote_users.first()
    body = {"title": "Call", "dueDate": "2031-05-05T10:00:00Z", "completed": "no", "assignedTo": mate.remote_id}
    run = executor.ask(synced, "contacts.create-task", of(person, **body))
    executor.run(run.pk)
    deliver_all()
    assert done(run).state == "done"
    (task,) = sandbox.records("tasks", id=run.answer["id"])["records"]
    assert (task["title"], task["assignedTo"]) == ("Call", mate.remote_id)


def test_what_our_outbox_cannot_carry_whole_goes_straight(synced, person, sandbox):
    body = {"title": "Call", "dueDate": "2031-05-05T10:00:00Z", "completed": "no", "assignedTo": "usrUnknown00000000"}
    run = done(executor.ask(synced, "contacts.create-task", of(person, **body)))
    assert run.change_id is None and run.state in ("done", "refused")


def test_the_same_cause_is_one_run(synced, person):
    asked = [executor.ask(synced, "contacts.add-tags", of(person, tags="a"), cause="rule run 7, step 1") for _ in "ab"]
    assert asked[0] == asked[1]


def test_values_that_do_not_fit_and_missing_leave_are_refused_before_anything_is_sent(synced, person, sandbox):
    before = len(sandbox.log()["entries"])
    bad = done(executor.ask(synced, "contacts.create-note", {"params": {"contactId": person.remote_id}}))
    assert (bad.state, bad.sentence) == ("refused", "Body is missing.")
    barred = done(executor.ask(synced, "users.delete-user", {"params": {"userId": "u"}}))
    assert barred.state == "refused" and "users.write" in barred.sentence
    old = done(executor.ask(synced, "gone.operation", {}))
    assert old.sentence == "GHL no longer offers this operation."
    assert len(sandbox.log()["entries"]) == before


def test_ghls_refusal_is_told_in_its_words(synced):
    run = done(executor.ask(synced, "contacts.get-contact", {"params": {"contactId": "conNobody"}}))
    assert run.state == "refused" and "no longer has this record" in run.sentence and run.exchange["status"] == 400


def test_what_the_sandbox_does_not_serve_is_said(connection):
    run = done(executor.ask(connection, "locations.get-recurring-task-by-id", {"params": {"id": "r"}}))
    assert (run.state, run.sentence) == ("refused", "The sandbox does not know this operation.")


def test_while_the_account_is_not_connected_it_waits(writer, sandbox):
    type(writer).objects.update(status="disconnected")
    run = executor.ask(writer, "businesses.create-business", BUSINESS)
    executor.run(run.pk)
    run.refresh_from_db()
    assert run.state == "queued" and run.next_at > timezone.now() and "waits" in run.sentence


def test_a_worker_that_slept_through_its_lease_sends_nothing(writer, sandbox, monkeypatch):
    run = executor.ask(writer, "businesses.create-business", BUSINESS)

    def slept(self, call):  # while it waited for its turn, another worker took over
        OperationRun.objects.filter(pk=run.pk).update(fence=F("fence") + 1)

    monkeypatch.setattr("integrations.ghl.transport.Transport._grant", slept)
    executor.run(run.pk)
    assert not writes(sandbox, "POST", "/businesses")


def test_the_sweeper_rings_for_what_is_due(synced, person):
    shared_redis().delete("people")
    executor.ask(synced, "contacts.add-tags", of(person, tags="a"))
    tasks.sweep()
    assert shared_redis().llen("people") == 1
    shared_redis().delete("people")
