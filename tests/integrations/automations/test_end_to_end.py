"""A rule, whole: the ERP says that an invoice is overdue, and the owner finds a task here and in GHL."""

import pytest

from integrations import demo
from integrations.models import Rule
from tests.integrations.automations.conftest import CHASE, erp_says, kinds, switched_on, work
from tests.integrations.delivering import deliver_all, shown_in_ghl, somebody
from tests.integrations.erp.conftest import event

pytestmark = pytest.mark.django_db(transaction=True)


def overdue(contact, key="evt-1", **more):
    return event(key, type="invoice.overdue", title="Invoice 8841 overdue", subject={"contact_id": contact.pk}, **more)


def test_an_overdue_invoice_becomes_a_task_here_and_in_ghl(synced, erp, sandbox, northgate, runs):
    person = somebody(synced)
    switched_on(northgate, erp_says(), CHASE)
    erp.send("/events", overdue(person))
    work()
    run = runs.get()
    assert (run.state, run.sentence) == ("done", "")
    task = person.tasks.get(title="Chase 8841")
    assert (task.assignee, task.due_at.astimezone(person.location.zone).hour) == (person.owner, 17)
    deliver_all()
    assert shown_in_ghl(sandbox, "tasks", person, "title", "Chase 8841") == 1


def test_the_history_tells_what_led_to_what(synced, erp, northgate, runs):
    person = somebody(synced)
    switched_on(northgate, erp_says(), CHASE)
    erp.send("/events", overdue(person))
    work()
    assert kinds(person)[-3:] == ["erp_event", "rule_run", "task_added"]
    told, ran, added = person.history.order_by("pk").reverse()[:3][::-1]
    assert (ran.cause, ran.title, added.cause, added.actor_kind, added.actor_name) == (
        told, "Chase", ran, "rule", "Chase",
    )  # fmt: skip
    assert runs.get().line == ran


def test_the_demo_has_rules_that_go_and_leaves_alone_what_became_of_them(northgate, ada, contact, erp, runs):
    demo.automate(northgate, ada)
    Rule.objects.get(recipe="invoice-paid").pause()
    demo.automate(northgate, ada)
    assert {one.recipe: one.state for one in Rule.objects.all()} == {
        "invoice-overdue": "on", "invoice-paid": "paused", "order-shipped": "on",
    }  # fmt: skip
    erp.send("/events", overdue(contact, payload={"number": "INV-7"}))
    work()
    assert runs.get().state == "done"
    assert contact.tasks.get().title == "Chase invoice INV-7"
