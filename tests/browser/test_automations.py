"""Automations in a real browser: a rule from the first click to the task in GHL, and a loop that is stopped."""

import pytest
import requests
from playwright.sync_api import expect

from contacts.models import Note, Task
from integrations.models import ApiKey, Feed, Rule, RuleRun
from tests.integrations.delivering import somebody
from tests.workers import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]


@pytest.fixture
def app(app_at_work):
    return app_at_work


@pytest.fixture
def erp(northgate, app):
    """Posts what happened as an ERP does, over HTTP."""
    _key, token, _secret = ApiKey.objects.make(northgate, "Northwind ERP", ["events:write"], None)

    def post(key, event_type, contact, **payload):
        told = {"type": event_type, "subject": {"reference": "CUST-1", "contact_id": contact.pk}, "payload": payload}
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        answer = requests.post(f"{app.url}/api/v1/events", json=told, headers=headers, timeout=30)
        assert answer.status_code == 202, answer.text

    return post


def test_a_rule_is_written_tried_and_switched_on_and_its_task_arrives(
    page, context, app, sign_in, ada, synced, erp, sandbox
):
    sign_in(context, ada)
    person = somebody(synced)
    page.goto(f"{app.url}/automations/")
    page.get_by_role("button", name="New rule").click()
    page.get_by_label("Name").fill("Chase big invoices")
    page.get_by_text("Choose what it begins with").click()
    other = page.get_by_role("button", name="Order shipped", exact=True)
    expect(other).to_be_visible()
    page.get_by_label("Find: invoice, task").fill("invoice overdue")
    expect(other).to_have_count(0)  # the list is another now
    page.get_by_role("button", name="Invoice overdue", exact=True).click()
    expect(page.get_by_text("When the ERP says “invoice.overdue”")).to_be_visible()
    page.get_by_role("button", name="Condition").click()
    page.get_by_label("What", exact=True).fill("event.amount")
    page.get_by_label("How to compare").select_option("more_than")
    page.get_by_label("Compared with").fill("1000")
    page.get_by_text("Choose what is done").click()
    page.get_by_label("Find: task, tag").fill("create task")
    page.get_by_label("Find: task, tag").press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_label("Title").fill("Chase ")
    page.get_by_role("button", name="event.number").click()
    expect(page.get_by_label("Title")).to_have_value("Chase {{ event.number }}")
    expect(page.locator("#rule-said")).to_contain_text("create the task “Chase {{ event.number }}”")
    page.get_by_label("The first").fill("1")
    page.get_by_role("button", name="Save and try it").click()
    expect(page.get_by_text("Nothing of the kind has happened yet")).to_be_visible()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("“Chase big invoices” is on.")).to_be_visible()

    erp("1", "invoice.overdue", person, number="8840", amount=400)
    erp("2", "invoice.overdue", person, number="8841", amount=12400)
    wait_until(lambda: RuleRun.objects.staged().exists())
    page.goto(f"{app.url}/automations/")
    page.get_by_role("link", name="Look at them").click()
    page.get_by_role("link", name="Chase big invoices").click()
    expect(page.get_by_text("Create the task “Chase 8841”")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#rule-run .run-state")).to_contain_text("Done", timeout=20_000)

    page.goto(f"{app.url}{person.get_absolute_url()}")
    expect(page.locator("#work").get_by_text("Chase 8841")).to_be_visible()
    wait_until(lambda: Task.objects.get(title="Chase 8841").remote_id)
    remote = sandbox.records("tasks", contact_id=person.remote_id)["records"]
    assert [task["title"] for task in remote].count("Chase 8841") == 1
    assert not Task.objects.filter(title="Chase 8840").exists()
    page.goto(f"{app.url}/automations/runs/?state=skipped")
    expect(page.get_by_text("the event’s amount is more than 1000 (it is 400)")).to_be_visible()


def switched_on(business, name, line, action, **values):
    """A rule that answers what people and rules do, as if it had been tried."""
    trigger = {"kind": "line", "line": line, "by": ["person", "rule"]}
    spec = {"trigger": trigger, "conditions": {"any": []}, "actions": [{"do": action, "values": values}]}
    rule = Rule.objects.make(business, name, spec)
    Rule.objects.filter(pk=rule.pk).update(staged_left=0)
    rule.current.tried()
    rule.switch_on()


def test_two_rules_that_feed_each_other_are_stopped_and_it_is_seen_in_the_log(
    page, context, app, sign_in, ada, synced, northgate
):
    switched_on(northgate, "A task for every note", "note_added", "create_task", title="Read the note")
    switched_on(northgate, "A note for every task", "task_added", "create_note", body="There is a task")
    sign_in(context, ada)
    person = somebody(synced)
    wait_until(lambda: Feed.objects.filter(name="rules").exists())  # the worker has begun to follow the history
    Note(contact=person, location=person.location, body="Called back.").create(by=ada)
    wait_until(lambda: RuleRun.objects.filter(state="stopped").exists())
    assert person.notes.filter(body="There is a task").count() == 1
    page.goto(f"{app.url}/automations/runs/?state=stopped")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("“A task for every note” itself has led to this")
    page.goto(f"{app.url}/automations/runs/?state=done")
    expect(page.locator("tbody tr")).to_have_count(2)
