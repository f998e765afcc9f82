"""Rules that feed each other come to an end, and everybody can see why."""

import pytest
from django.utils import timezone

from contacts.models import Contact, Note
from integrations.automations import guards
from integrations.gateway import client_for
from integrations.management.commands.sync import wait_for
from integrations.models import Rule, RuleRun
from integrations.reading import sync
from tests.integrations.automations.conftest import CHASE, erp_says, line, switched_on, work
from tests.integrations.delivering import somebody, writes
from tests.integrations.erp.conftest import event

pytestmark = pytest.mark.django_db

BY_ANYBODY = ["person", "rule", "ghl", "erp", "system"]


def note(text):
    return {"do": "create_note", "values": {"body": text}}


def tag(text):
    return {"do": "add_tags", "values": {"tags": [text]}}


def write(contact, by=None):
    Note(contact=contact, location=contact.location, body="Called.").create(by=by)


def test_two_rules_that_feed_each_other_are_stopped_at_the_first_turn(contact, northgate, runs):
    back = {"do": "link_to_history", "values": {"title": "x"}}
    ping = switched_on(northgate, line("note_added", by=BY_ANYBODY), tag("{{ today }} {{ event.at }}"), name="Ping")
    pong = switched_on(northgate, line("tags_changed", by=BY_ANYBODY), note("Again"), back, name="Pong")
    write(contact)
    work()
    assert [(run.rule, run.state) for run in runs.all()] == [(ping, "done"), (pong, "done"), (ping, "stopped")]
    assert runs.last().sentence == (
        "Stopped: “Ping” itself has led to this, by way of Pong. It would go round in circles."
    )
    assert not Rule.objects.exclude(state="on").exists()


def test_a_rule_that_feeds_itself_runs_once(contact, northgate, runs):
    switched_on(northgate, line("note_added", by=BY_ANYBODY), note("And another"))
    write(contact)
    work()
    assert [run.state for run in runs.all()] == ["done", "stopped"]
    assert Note.objects.count() == 2


def test_without_being_asked_to_a_rule_does_not_begin_with_what_a_rule_did(contact, northgate, runs):
    switched_on(northgate, line("note_added"), note("And another"))
    write(contact)
    work()
    assert [run.state for run in runs.all()] == ["done"]


def test_a_chain_of_different_rules_ends_after_five(contact, northgate, runs):
    for number in range(8):
        only = [{"what": "event.tags_added", "is": "contains", "value": f"t{number}"}]
        trigger = line("tags_changed", by=BY_ANYBODY)
        switched_on(northgate, trigger, tag(f"t{number + 1}"), any_of=[only], name=f"Rule {number}")
    contact.add_tags(["t0"], by=None)
    work(rounds=40)
    assert [run.state for run in runs.exclude(state="skipped")] == ["done"] * 5 + ["stopped"]
    assert "5 rules have led to one another" in runs.get(state="stopped").sentence


def test_a_circle_outside_of_us_carries_no_cause_and_is_stopped_all_the_same(contact, northgate, ada, runs):
    rule = switched_on(northgate, line("note_added"), note("Thanks"))
    for _ in range(8):
        write(contact)
        work()
    rule.refresh_from_db()
    assert rule.state == "paused"
    assert "more than 5 times in an hour on one contact" in rule.paused_because
    assert [run.state for run in runs.all()] == ["done"] * 5 + ["stopped"]
    assert ada.reminders.get().text.startswith("The rule “Chase” was paused")


def invoice(erp, key, **payload):
    told = event(str(key), type="invoice.overdue", title=None, detail=None, payload=payload)
    erp.send("/events", told)
    work()


def test_six_invoices_of_one_customer_are_honest_work(erp, contact, northgate, runs):
    rule = switched_on(northgate, erp_says(), CHASE)
    for number in range(6):
        invoice(erp, number, invoice=f"88{number}")
    rule.refresh_from_db()
    assert rule.state == "on"
    assert [run.state for run in runs.all()] == ["done"] * 6
    assert contact.tasks.count() == 6


def test_the_same_invoice_again_and_again_is_a_circle(erp, contact, northgate, runs):
    rule = switched_on(northgate, erp_says(), CHASE)
    for number in range(8):
        invoice(erp, number, invoice="8841")
    rule.refresh_from_db()
    assert (rule.state, contact.tasks.count()) == ("paused", guards.MOST_ON_ONE)


def test_a_record_is_the_same_whatever_else_is_said_of_it(erp, contact, northgate, runs):
    rule = switched_on(northgate, erp_says(), CHASE)
    for number in range(8):
        told = event(str(number), type="invoice.overdue", record="INV-1", payload={"invoice": "1", "reminder": number})
        erp.send("/events", told)
        work()
    rule.refresh_from_db()
    assert (rule.state, contact.tasks.count()) == ("paused", guards.MOST_ON_ONE)


def test_a_circle_that_says_something_new_each_time_ends_too(erp, contact, northgate, runs, monkeypatch):
    monkeypatch.setattr(guards, "MOST_AT_ALL", 8)
    rule = switched_on(northgate, erp_says(), CHASE)
    for number in range(12):
        invoice(erp, number, invoice=f"turn {number}")
    rule.refresh_from_db()
    assert (rule.state, contact.tasks.count()) == ("paused", 8)
    assert "more than 8 times in an hour on one contact" in rule.paused_because


def test_what_people_do_by_hand_is_no_turn_of_a_circle(contact, northgate, max_, runs):
    rule = switched_on(northgate, line("note_added"), tag("noted {{ event.at }}"))
    for _ in range(7):
        write(contact, by=max_)
        work()
    rule.refresh_from_db()
    assert rule.state == "on"
    assert [run.state for run in runs.all()] == ["done"] * 7


@pytest.mark.parametrize(
    ("action", "most"),
    [
        (note("Paid {{ event._id }}"), 0),
        ({"do": "operation", "values": {"key": "contacts.add-tags", "body.tags": "paid"}}, guards.MOST_ON_ONE),
    ],
)
def test_what_ghl_tells_may_be_many_things_unless_the_rule_writes_there(action, most, contact, northgate):
    rule = switched_on(northgate, {"kind": "webhook", "type": "InvoicePaid"}, action)
    of = {"rule": rule, "version": rule.live, "business": northgate, "contact": contact}
    told = [RuleRun(**of, cause=f"webhook {n}", scope={"event": {"_id": f"inv{n}"}}) for n in range(6)]
    for run in told[:5]:
        run.started_at = timezone.now()
        run.save()
    assert guards.too_often(told[5]) == most


def test_many_contacts_at_once_are_no_circle(contact, northgate, location, runs):
    switched_on(northgate, line("note_added"), tag("noted"))
    others = [Contact.objects.create(location=location, first_name=f"C{n}") for n in range(9)]
    for one in [contact, *others]:
        write(one)
    work()
    assert [run.state for run in runs.all()] == ["done"] * 10


def test_a_stopped_run_can_be_let_go_by_a_person(contact, northgate, runs):
    switched_on(northgate, line("note_added", by=BY_ANYBODY), tag("noted"), note("Again"))
    write(contact)
    work()
    stopped = runs.get(state="stopped")
    assert guards.why_stop(stopped)
    assert stopped.replay()
    work()
    assert runs.get(pk=stopped.pk).state == "done"


@pytest.mark.django_db(transaction=True)
def test_a_circle_through_ghl_itself_is_stopped(synced, sandbox, northgate, ada, runs):
    """Each turn is a real one: the rule tags in GHL, the contact is read again, and that begins the rule anew."""
    person = somebody(synced)
    more = {"do": "operation", "values": {"key": "contacts.add-tags", "body.tags": "round {{ event.at }}"}}
    rule = switched_on(northgate, line("tags_changed", by=["ghl"]), more, name="Carousel")
    with client_for(synced, "interactive") as client:
        client.transport.request("POST", f"/contacts/{person.remote_id}/tags", json={"tags": ["begin"]})
    for _ in range(9):
        wait_for(sync.start_contact(person))
        work()
    rule.refresh_from_db()
    assert [run.state for run in runs.all()] == ["done"] * 5 + ["stopped"]
    assert (rule.state, "in an hour on one contact" in rule.paused_because) == ("paused", True)
    assert len(writes(sandbox, "POST", "/tags")) == 1 + 5
