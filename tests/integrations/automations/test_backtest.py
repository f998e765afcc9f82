"""Trying a rule on what has really happened: what it would have done, and that it has done nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Change, Contact, HistoryEvent, Note, Task
from integrations.automations import backtest, offers
from integrations.models import NotReady, OperationRun, Rule
from tests.integrations.automations.conftest import CHASE, erp_says, line, spec, switched_on, work
from tests.integrations.erp.conftest import event

pytestmark = pytest.mark.django_db

NOTE = {"do": "create_note", "values": {"body": "Invoice {{ event.invoice }} is overdue."}}


@pytest.fixture
def draft(northgate):
    def draft(trigger, *actions, any_of=()):
        return Rule.objects.make(northgate, "Chase", spec(trigger, *actions, any_of=any_of))

    return draft


def tell(erp, contact, key, **more):
    erp.send("/events", event(key, type="invoice.overdue", subject={"contact_id": contact.pk}, **more))


def test_what_would_have_come_of_the_last_events(erp, contact, draft):
    tell(erp, contact, "evt-1", payload={"invoice": "8841", "amount": 50})
    tell(erp, contact, "evt-2", payload={"invoice": "8842", "amount": 5000})
    before = (Change.objects.count(), HistoryEvent.objects.count())
    rule = draft(erp_says(), CHASE, NOTE, any_of=[[{"what": "event.amount", "is": "more_than", "value": "1000"}]])
    report = backtest.try_out(rule.current)
    assert (report.looked_at, report.would_run, report.skipped, report.failing) == (2, 1, 1, 0)
    run, skipped = report.cases
    assert (run.contact, run.outcome, run.calls) == (contact, "run", 4)
    assert run.effects[0].startswith("create the task “Chase 8842” for nobody, due: ")
    assert run.effects[1] == "write the note “Invoice 8842 is overdue.”"
    assert "more than 1000 (it is 50)" in skipped.because
    assert (report.calls, report.calls_each) == (4, 4)  # each is sent, and read back
    assert (Change.objects.count(), HistoryEvent.objects.count()) == before
    assert not Note.objects.exists() and not Task.objects.exists()


def test_what_could_not_be_done_says_why(erp, contact, draft):
    tell(erp, contact, "evt-1")
    no_one = {"do": "complete_task", "values": {"which": "newest", "like": "quote"}}
    report = backtest.try_out(draft(erp_says(), NOTE, no_one).current)
    assert (report.failing, report.cases[0].effects) == (1, ["write the note “Invoice 8841 is overdue.”"])
    assert "like “quote”" in report.cases[0].because


def test_a_rule_that_is_not_in_order_is_not_tried(draft):
    rule = draft({"kind": "erp", "type": ""}, {"do": "create_task", "values": {"due": "soon"}})
    report = backtest.try_out(rule.current)
    assert {one.where for one in report.problems} == {"trigger.type", "actions.1.title", "actions.1.due"}
    with pytest.raises(NotReady):
        rule.switch_on()


def test_only_what_was_tried_can_be_switched_on(erp, contact, draft):
    rule = draft(erp_says(), NOTE)
    with pytest.raises(NotReady):
        rule.switch_on()
    backtest.try_out(rule.current)
    rule.switch_on()
    rule.write(spec(erp_says("invoice.paid"), NOTE))
    assert rule.is_changed and rule.current.number == 2
    with pytest.raises(NotReady):
        rule.switch_on()
    rule.refresh_from_db()
    assert (rule.is_on, rule.live.number) == (True, 1)


def test_a_rule_that_is_being_changed_runs_as_it_was(erp, contact, northgate, runs):
    rule = switched_on(northgate, erp_says(), NOTE)
    rule.write(spec(erp_says("invoice.paid"), CHASE))
    tell(erp, contact, "evt-1")
    work()
    assert (runs.get().version.number, Note.objects.count()) == (1, 1)


def test_going_back_is_a_new_version_that_was_tried_as_much(northgate, draft):
    rule = draft(erp_says(), NOTE)
    backtest.try_out(rule.current)
    rule.switch_on()
    rule.write(spec(erp_says(), CHASE))
    back = rule.go_back(1)
    assert (back.number, back.spec["actions"], back.backtested_at is None) == (3, [NOTE], False)
    rule.switch_on()
    assert rule.live == back


def test_a_version_that_nobody_has_tried_is_written_over(draft):
    rule = draft(erp_says(), NOTE)
    rule.write(spec(erp_says(), CHASE))
    assert [(one.number, one.spec["actions"]) for one in rule.versions.all()] == [(1, [CHASE])]


def test_what_stood_in_the_history_is_tried_on_too(contact, ana, draft):
    contact.edit(by=ana, city="Reno")
    contact.edit(by=ana, last_name="Diaz")
    report = backtest.try_out(draft(line("contact_changed", changed="city"), NOTE).current)
    assert [case.outcome for case in report.cases] == ["run"]


def test_clock_rules_are_tried_on_whom_they_would_meet_now(contact, location, ada, draft):
    Contact.objects.create(location=location, first_name="Other", last_activity_at=timezone.now() - timedelta(days=40))
    quiet = backtest.try_out(draft({"kind": "quiet", "days": "30"}, NOTE).current)
    listed = {"kind": "schedule", "at": "09:00", "days": ["0"], "list": "tag=insurance"}
    daily = backtest.try_out(draft(listed, NOTE).current)
    assert [case.contact.first_name for case in quiet.cases] == ["Other"]
    assert [case.contact.first_name for case in daily.cases] == ["Marisol"]


def test_only_the_business_itself_is_looked_at(erp, contact, cy):
    tell(erp, contact, "evt-1")
    strange = Rule.objects.make(cy.businesses.get(), "Spy", spec(erp_says(), NOTE))
    assert backtest.try_out(strange.current).looked_at == 0
    every = Rule.objects.make(cy.businesses.get(), "Spy", spec({"kind": "button", "label": "x"}, NOTE))
    assert backtest.try_out(every.current).looked_at == 0


def test_a_staged_run_says_what_it_would_do(erp, contact, northgate, runs):
    switched_on(northgate, erp_says(), NOTE, staged=1)
    tell(erp, contact, "evt-1")
    work()
    assert backtest.foretell(runs.get()).effects == ["write the note “Invoice 8841 is overdue.”"]
    assert not Note.objects.exists() and not OperationRun.objects.exists()


def test_merge_fields_are_offered_with_examples_of_the_last_event(erp, contact, northgate):
    tell(erp, contact, "evt-1", payload={"invoice": "8841", "customer": {"tier": "gold"}})
    found = {one.way: one for one in offers.offers(spec(erp_says(), NOTE), northgate)}
    assert (found["event.invoice"].example, found["event.customer.tier"].example) == ("8841", "gold")
    assert found["event.invoice"].is_real
    assert found["contact.first_name"].example == "Marisol"


def test_without_any_event_examples_are_made_up(contact, northgate):
    found = {one.way: one for one in offers.offers(spec(erp_says(), NOTE), northgate)}
    assert found["event.amount"].example and not found["event.amount"].is_real
    deal = {"kind": "webhook", "type": "OpportunityCreate"}
    assert "event.monetaryValue" in {one.way for one in offers.offers(spec(deal, NOTE), northgate)}
