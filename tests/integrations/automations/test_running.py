"""A run: begun when its conditions are met, done step by step, once, and taken up again where it failed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Location, Note, Reminder, Task
from integrations.automations import feeding, running
from integrations.models import Automations, Rule, RuleRun
from tests.integrations.automations.conftest import erp_says, hurry, kinds, switched_on, work
from tests.integrations.erp.conftest import event

pytestmark = pytest.mark.django_db

TAG = {"do": "add_tags", "values": {"tags": ["late"]}}
NOTE = {"do": "create_note", "values": {"body": "Invoice {{ event.invoice }} is overdue."}}
LINE = {"do": "link_to_history", "values": {"title": "{{ event.title }}"}}
IMPOSSIBLE = {"do": "complete_task", "values": {"which": "newest", "like": "no such thing"}}


def tell(erp, contact, key="evt-1", **more):
    erp.send("/events", event(key, type="invoice.overdue", subject={"contact_id": contact.pk}, **more))


def test_all_steps_are_done_in_their_order_with_what_went_in_and_what_came_out(erp, contact, northgate, runs):
    switched_on(northgate, erp_says(), TAG, NOTE, LINE)
    tell(erp, contact)
    work()
    run = runs.get()
    assert [(step["do"], step["state"]) for step in run.steps] == [
        ("add_tags", "done"), ("create_note", "done"), ("link_to_history", "done"),
    ]  # fmt: skip
    assert run.steps[1]["values"] == {"body": "Invoice 8841 is overdue."}
    assert run.steps[1]["change"] == Note.objects.get().changes.get().pk
    assert kinds(contact) == ["erp_event", "rule_run", "tags_changed", "note_added", "erp_event"]


def test_conditions_that_are_not_met_say_which(erp, contact, northgate, runs):
    more = {"what": "event.amount", "is": "more_than", "value": "20,000"}
    switched_on(northgate, erp_says(), TAG, any_of=[[more]])
    tell(erp, contact)
    work()
    assert (runs.get().state, kinds(contact)) == ("skipped", ["erp_event"])
    assert "the event’s amount is more than 20,000 (it is 12400)" in runs.get().sentence


def test_one_of_several_groups_is_enough(erp, contact, northgate, runs):
    vip, big = ({"what": "contact.tags", "is": "contains", "value": "VIP"},
                {"what": "event.amount", "is": "more_than", "value": "1000"})  # fmt: skip
    switched_on(northgate, erp_says(), TAG, any_of=[[vip], [big]])
    tell(erp, contact)
    work()
    assert runs.get().state == "done"


def test_the_same_event_is_one_run_however_often_it_is_taken_up(erp, contact, northgate, runs):
    rule = switched_on(northgate, erp_says(), NOTE)
    tell(erp, contact)
    told = northgate.erp_events.get()
    feeding.erp_event(told, contact, None)
    work()
    feeding.erp_event(told, contact, None)
    work()
    assert (rule.runs.count(), Note.objects.count()) == (1, 1)


# --- failing, and again -----------------------------------------------------------------------------------------------


def test_a_failed_step_stops_the_run_and_says_why(erp, contact, northgate, runs):
    switched_on(northgate, erp_says(), NOTE, IMPOSSIBLE, TAG)
    tell(erp, contact)
    work()
    run = runs.get()
    assert (run.state, [step["state"] for step in run.steps]) == ("failed", ["done", "failed"])
    assert "no such thing" in run.sentence
    contact.refresh_from_db()
    assert "late" not in contact.tags


def test_replayed_it_goes_on_from_the_step_that_failed(erp, contact, northgate, runs):
    switched_on(northgate, erp_says(), NOTE, IMPOSSIBLE, TAG)
    tell(erp, contact)
    work()
    task = Task(contact=contact, location=contact.location, title="There is no such thing now", due_at=timezone.now())
    task.create(by=None)
    assert runs.get().replay()
    work()
    assert (runs.get().state, Note.objects.count()) == ("done", 1)
    task.refresh_from_db()
    assert task.completed


def test_only_what_failed_or_was_stopped_can_be_replayed(erp, contact, northgate, runs):
    switched_on(northgate, erp_says(), NOTE)
    tell(erp, contact)
    work()
    assert not runs.get().replay()
    assert runs.get().state == "done"


def test_a_location_that_takes_no_edits_is_a_failure_in_words(erp, contact, northgate, runs):
    Location.objects.update(is_editable=False, not_editable_because="This connection is read-only.")
    switched_on(northgate, erp_says(), NOTE)
    tell(erp, contact)
    work()
    assert (runs.get().state, runs.get().sentence) == ("failed", "This connection is read-only.")


def test_a_worker_that_dies_within_a_step_leaves_nothing_of_it(erp, contact, northgate, runs, monkeypatch):
    switched_on(northgate, erp_says(), TAG, NOTE)
    tell(erp, contact)

    def killed(*_):
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(running.Errand, "_record", killed)  # after the effect, before its record
        with pytest.raises(SystemExit):
            running.work(runs.get().pk)
    contact.refresh_from_db()
    assert "late" not in contact.tags
    hurry()
    work()
    assert (runs.get().state, Note.objects.count(), kinds(contact).count("rule_run")) == ("done", 1, 1)


def test_a_worker_whose_lease_was_lost_does_nothing_more(erp, contact, northgate, runs):
    switched_on(northgate, erp_says(), NOTE)
    tell(erp, contact)
    mine = RuleRun.objects.claim(runs.get().pk)
    RuleRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work()
    mine.work(running.Errand(mine).go, give_up=lambda: None)
    assert (runs.get().state, Note.objects.count()) == ("done", 1)


# --- staging, caps, pausing -------------------------------------------------------------------------------------------


def test_the_first_runs_wait_until_somebody_approves(erp, contact, northgate, ada, runs):
    switched_on(northgate, erp_says(), NOTE, staged=2)
    for number in range(3):
        tell(erp, contact, f"evt-{number}")
    work()
    first, second, _third = runs
    assert [run.state for run in runs.all()] == ["staged", "staged", "done"]
    assert Note.objects.count() == 1
    assert [one.user for one in Reminder.objects.all()] == [ada]  # told once, not for each
    assert first.approve() and not first.approve()
    assert second.decline(ada)
    work()
    assert [run.state for run in runs.all()] == ["done", "skipped", "done"]
    assert runs.get(pk=second.pk).sentence == "Ada declined it."
    assert (Note.objects.count(), kinds(contact).count("rule_run")) == (2, 2)


def test_above_the_hourly_cap_the_rest_waits_and_is_not_lost(erp, contact, northgate, runs):
    switched_on(northgate, erp_says(), NOTE, most_an_hour=2)
    for number in range(4):
        tell(erp, contact, f"evt-{number}")
    work()
    assert [run.state for run in runs.all()] == ["done", "done", "queued", "queued"]
    assert runs.last().sentence == "Waits: enough for this hour."
    assert runs.last().next_at > timezone.now() + timedelta(minutes=50)
    RuleRun.objects.exclude(started_at=None).update(started_at=timezone.now() - timedelta(minutes=61))
    hurry()
    work()
    assert [run.state for run in runs.all()] == ["done"] * 4


def test_what_is_queued_waits_while_the_rule_is_paused_and_nothing_new_is_taken_up(erp, contact, northgate, runs):
    rule = switched_on(northgate, erp_says(), NOTE)
    tell(erp, contact)
    assert rule.pause("For a look") and not rule.pause()
    tell(erp, contact, "evt-2")
    work()
    running.work(runs.get().pk)  # though somebody rings for it
    assert (runs.get().state, Note.objects.count()) == ("queued", 0)
    rule.switch_on()
    work()
    assert (runs.get().state, Note.objects.count()) == ("done", 1)


def test_while_all_is_paused_what_happens_waits(erp, contact, northgate, ada, runs):
    switched_on(northgate, erp_says(), NOTE)
    Automations.pause(northgate, ada, "Looking into something")
    tell(erp, contact)
    work()
    running.work(runs.get().pk)
    assert (runs.get().state, Note.objects.count()) == ("queued", 0)
    Automations.resume(northgate)
    work()
    assert Note.objects.count() == 1


def test_another_business_goes_on_meanwhile(erp, contact, northgate, cy, runs):
    switched_on(northgate, erp_says(), NOTE)
    Automations.pause(cy.businesses.get())
    tell(erp, contact)
    work()
    assert runs.get().state == "done"


def test_a_deleted_rule_does_nothing_of_what_waits(erp, contact, northgate, runs):
    rule = switched_on(northgate, erp_says(), NOTE)
    tell(erp, contact)
    rule.delete_here()
    work()
    assert (runs.get().state, runs.get().sentence, Note.objects.count()) == ("skipped", "The rule was deleted.", 0)


def test_when_half_of_the_last_runs_failed_the_rule_is_paused_and_the_admins_are_told_once(
    erp, contact, northgate, ada, ana, runs
):
    rule = switched_on(northgate, erp_says(), IMPOSSIBLE)
    for number in range(7):
        tell(erp, contact, f"evt-{number}")
        work()
    rule.refresh_from_db()
    assert (rule.state, rule.paused_because) == (Rule.State.PAUSED, "5 of its last 10 runs have failed.")
    assert [run.state for run in runs.all()] == ["failed"] * 5
    assert [(one.user, "Chase" in one.text) for one in Reminder.objects.all()] == [(ada, True)]
