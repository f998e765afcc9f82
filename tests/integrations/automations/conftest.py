"""A business with rules, and what the workers do, without waiting for the clock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import HistoryEvent
from integrations.automations import feeding, running
from integrations.catalogue import executor
from integrations.models import Feed, OperationRun, Rule, RuleRun
from tests.integrations.erp.conftest import key_of
from tests.integrations.erp.conftest import work as work_erp

CHASE = {"do": "create_task", "values": {"title": "Chase {{ event.invoice }}", "due": "2 working days"}}


def spec(trigger, *actions, any_of=()):
    groups = [{"all": list(group)} for group in any_of]
    return {"trigger": trigger, "conditions": {"any": groups}, "actions": list(actions)}


def erp_says(event_type="invoice.overdue"):
    return {"kind": "erp", "type": event_type}


def line(kind, **more):
    return {"kind": "line", "line": kind, **more}


def switched_on(business, trigger, *actions, any_of=(), name="Chase", staged=0, **more):
    """A rule as if somebody had tried it and switched it on."""
    rule = Rule.objects.make(business, name, spec(trigger, *actions, any_of=any_of))
    Rule.objects.filter(pk=rule.pk).update(staged_left=staged, **more)
    rule.current.tried()
    rule.switch_on()
    return rule


def work(rounds=10):
    """All that is due: lines and events are taken up, runs and operations done, until nothing is left."""
    for _ in range(rounds):
        work_erp()
        follow()
        pks = running.waiting()
        for pk in pks:
            running.work(pk)
        for pk in executor.waiting():
            executor.run(pk)
            for run in running.woken_by(pk):
                running.work(run)
        if not pks and not executor.waiting():
            break


def follow():
    """As if all who were writing had come to their end."""
    feeding.feed()
    Feed.objects.update(marked_at=timezone.now() - timedelta(minutes=1))
    feeding.feed()


def hurry():
    """What waits for its time is due now."""
    RuleRun.objects.queued().update(next_at=timezone.now())
    OperationRun.objects.filter(finished_at=None).update(next_at=timezone.now())


def kinds(contact):
    """The contact's history, oldest first."""
    return list(HistoryEvent.objects.filter(contact=contact).order_by("pk").values_list("kind", flat=True))


@pytest.fixture
def erp(northgate):
    return key_of(northgate)


@pytest.fixture(autouse=True)
def feeds_begin_now(db):
    feeding.feed()


@pytest.fixture
def runs():
    return RuleRun.objects.order_by("pk")


@pytest.fixture
def strange_erp(cy):
    """Initech's."""
    return key_of(cy.businesses.get())
