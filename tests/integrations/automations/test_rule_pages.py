"""The pages of rules: who may, what the form keeps, and how a rule is tried, switched on, paused and taken back."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from integrations.automations import shape
from integrations.automations.recipes import RECIPES
from integrations.models import Automations, Rule, RuleRun

pytestmark = pytest.mark.django_db

OVERDUE = {
    "trigger": {"kind": "erp", "type": "invoice.overdue"},
    "conditions": {"any": [{"all": [{"what": "event.amount", "is": "more_than", "value": "1000"}]}]},
    "actions": [{"do": "create_task", "values": {"title": "Chase {{ event.number }}", "due": "1 working day"}}],
}
POSTED = {
    "name": "Chase overdue invoices", "most_an_hour": "50", "staged_left": "2",
    "trigger.kind": "erp", "trigger.type": "invoice.overdue",
    "if.0.0.what": "event.amount", "if.0.0.is": "more_than", "if.0.0.value": "1000",
    "do.0.key": "create_task", "do.0.v.title": "Chase {{ event.number }}", "do.0.v.due": "1 working day",
}  # fmt: skip


@pytest.fixture
def admin(as_user, ada):
    return as_user(ada)


@pytest.fixture
def rule(northgate, location, ada):
    return Rule.objects.make(northgate, "Chase overdue invoices", OVERDUE, ada)


@pytest.fixture
def running(rule):
    rule.current.tried()
    rule.switch_on()
    return rule


def run_of(rule, contact, number=1, **values):
    return RuleRun.objects.create(
        rule=rule, version=rule.current, business=rule.business, contact=contact, cause=f"erp {number}", **values
    )


def page(client, address, **asked):
    answer = client.get(address, asked)
    assert answer.status_code == 200
    return answer.content.decode()


# --- who may ----------------------------------------------------------------------------------------------------------


def test_managers_read_and_staff_find_nothing(as_user, max_, ana, cy, rule, contact):
    run = run_of(rule, contact)
    for address in ("/automations/", "/automations/runs/", "/automations/recipes/", f"/automations/{rule.pk}/",
                    f"/automations/runs/{run.pk}/"):  # fmt: skip
        assert as_user(max_).get(address).status_code == 200, address
        assert as_user(ana).get(address).status_code == 404, address
    assert as_user(cy).get(f"/automations/{rule.pk}/").status_code == 404


def test_a_manager_changes_nothing(as_user, max_, rule, contact):
    run = run_of(rule, contact, state="staged")
    manager = as_user(max_)
    assert manager.get(f"/automations/{rule.pk}/edit/").status_code == 404
    for act in ("on", "pause", "delete", "try", "back/1", "edit"):
        assert manager.post(f"/automations/{rule.pk}/{act}/", POSTED).status_code == 404, act
    assert manager.post(f"/automations/runs/{run.pk}/approve/").status_code == 404
    assert manager.post("/automations/new/").status_code == 404
    assert manager.post(f"/automations/pause/{rule.business_id}/").status_code == 404
    run.refresh_from_db()
    assert run.state == "staged"


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_new_rule_is_written_in_the_form(admin, northgate, location):
    address = admin.post("/automations/new/", {"business": northgate.pk}).url
    assert "Choose what it begins with" in page(admin, address)
    assert admin.post(address, {**POSTED, "try": "1"}).url == address.replace("edit", "try")
    rule = Rule.objects.get()
    assert rule.current.spec == OVERDUE
    assert (rule.name, rule.state, rule.most_an_hour, rule.staged_left) == ("Chase overdue invoices", "draft", 50, 2)


def test_what_was_saved_stands_in_the_form_again(admin, rule):
    shown = page(admin, f"/automations/{rule.pk}/edit/")
    for text in ('value="Chase {{ event.number }}"', 'value="event.amount"', 'value="1000"', "Invoice overdue"):
        assert text in shown
    assert "When the ERP says “invoice.overdue”, if the event’s amount is more than 1000" in shown


def test_a_rule_that_is_not_whole_is_kept_and_says_what_is_missing(admin, rule):
    lacking = {**POSTED, "do.0.v.title": "", "if.0.0.value": "much"}
    shown = admin.post(f"/automations/{rule.pk}/edit/", {**lacking, "try": "1"}).content.decode()
    assert "Title is missing." in shown and "much is no number." in shown
    rule.refresh_from_db()
    assert rule.current.spec["actions"][0]["values"] == {"due": "1 working day"}
    assert "Title is missing." in page(admin, f"/automations/{rule.pk}/")


def draw(client, rule, act, posted=POSTED):
    """The form after one of its buttons."""
    answer = client.post(f"/automations/{rule.pk}/edit/", {**posted, "act": act}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_button_of_the_form_changes_the_form_alone(admin, rule):
    shown = draw(admin, rule, 'do {"do": "add_tags", "values": {}}')
    assert "Add tags" in shown and 'name="do.1.v.tags"' in shown
    assert 'name="if.0.1.what"' in draw(admin, rule, "if 0")
    assert 'name="if.1.0.what"' in draw(admin, rule, "if new")
    assert 'name="if.0.0.what"' not in draw(admin, rule, "drop if 0.0")
    assert 'name="do.0.key"' not in draw(admin, rule, "drop do 0")
    rule.refresh_from_db()
    assert rule.current.spec == OVERDUE and rule.versions.count() == 1


def test_another_trigger_keeps_the_rest(admin, rule):
    shown = draw(admin, rule, 'trigger {"kind": "webhook", "type": "TaskComplete"}')
    assert 'name="trigger.type" value="TaskComplete"' in shown
    assert 'value="Chase {{ event.number }}"' in shown


def test_actions_change_places(admin, rule):
    two = {**POSTED, "do.1.key": "add_tags", "do.1.v.tags": "late, vip"}
    first = draw(admin, rule, "up 1", two)
    assert first.index("Add tags") < first.index("Create a task</h3>")
    assert 'name="do.0.v.tags" value="late, vip"' in first


@pytest.mark.parametrize(
    "act", ["", "look", "do {", "do []", "trigger 7", "up x", "down", "drop if 9.9", "drop do", "?"]
)
def test_a_button_that_makes_no_sense_changes_nothing(admin, rule, act):
    assert "the event’s amount is more than 1000" in draw(admin, rule, act)


@pytest.mark.parametrize(
    ("kind", "find", "found", "other"),
    [
        ("triggers", "overdue", "A task is overdue", "A note"),
        ("actions", "opportunity", "Change an opportunity", "Add tags"),
    ],
)
def test_the_pickers_find_by_words(admin, rule, kind, find, found, other):
    shown = page(admin, f"/automations/{rule.pk}/{kind}/", find=find)
    assert found in shown and other not in shown
    assert "Nothing is called that" in page(admin, f"/automations/{rule.pk}/{kind}/", find="zorblax")


def test_every_operation_of_the_catalogue_can_be_done_and_says_why_not(admin, rule):
    shown = page(admin, f"/automations/{rule.pk}/actions/", find="contacts.create-note")
    assert "No location is connected." in shown
    drawn = draw(
        admin, rule, json.dumps({"do": "operation", "values": {"key": "contacts.create-note"}}).join(["do ", ""])
    )
    assert 'name="do.1.v.key" value="contacts.create-note"' in drawn and 'name="do.1.v.body.body"' in drawn
    kept = {**POSTED, "do.1.key": "operation", "do.1.v.key": "contacts.create-note", "do.1.v.body.body": "Hello"}
    admin.post(f"/automations/{rule.pk}/edit/", kept)
    rule.refresh_from_db()
    values = {"key": "contacts.create-note", "body.body": "Hello"}
    assert rule.current.spec["actions"][1] == {"do": "operation", "values": values}


def test_lists_of_tags_fields_and_days_are_kept(admin, rule):
    posted = {
        "trigger.kind": "schedule", "trigger.at": "08:30", "trigger.days": ["0", "4"],
        "trigger.list.address": "https://rankr.example/contacts/?tag=vip&owner=none",
        "do.0.key": "add_tags", "do.0.v.tags": "late, vip ,", "do.3.key": "update_contact",
        "do.3.v.fields.field": ["city", ""], "do.3.v.fields.value": ["Austin", ""],
    }  # fmt: skip
    admin.post(f"/automations/{rule.pk}/edit/", posted)
    rule.refresh_from_db()
    spec = rule.current.spec
    assert spec["trigger"] == {"kind": "schedule", "at": "08:30", "days": ["0", "4"], "list": "tag=vip&owner=none"}
    assert [one["values"] for one in spec["actions"]] == [
        {"tags": ["late", "vip"]}, {"fields": [{"field": "city", "value": "Austin"}]},
    ]  # fmt: skip
    shown = page(admin, f"/automations/{rule.pk}/edit/")
    assert '<option value="tag=vip&amp;owner=none" selected>' in shown and 'value="city"' in shown


# --- recipes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.slug)
def test_a_recipe_is_whole_but_for_what_each_business_has_to_say(admin, northgate, location, recipe):
    address = admin.post("/automations/new/", {"business": northgate.pk, "recipe": recipe.slug}).url
    rule = Rule.objects.get(recipe=recipe.slug)
    assert tuple(one.where for one in shape.problems(rule.current.spec, northgate)) == recipe.fill_in
    assert address == f"/automations/{rule.pk}/{'edit' if recipe.fill_in else 'try'}/"
    assert page(admin, address)
    assert "in use" in page(admin, "/automations/recipes/")


def test_no_rule_is_made_in_somebody_elses_business(admin, cy):
    assert admin.post("/automations/new/", {"business": cy.businesses.get().pk}).status_code == 404
    assert not Rule.objects.exists()


# --- trying and switching on ------------------------------------------------------------------------------------------


def test_it_is_tried_before_it_is_switched_on(admin, rule):
    assert admin.post(f"/automations/{rule.pk}/on/").url == f"/automations/{rule.pk}/try/"
    assert "Looking at what has happened lately" in page(admin, f"/automations/{rule.pk}/try/")
    report = admin.post(f"/automations/{rule.pk}/try/", headers={"HX-Request": "true"}).content.decode()
    assert "Nothing of the kind has happened yet" in report
    admin.post(f"/automations/{rule.pk}/on/")
    rule.refresh_from_db()
    assert rule.is_on and rule.live == rule.current


def test_a_rule_that_is_not_whole_is_not_tried(admin, rule, ada):
    rule.write({**OVERDUE, "actions": []}, ada)
    assert "Say what is to be done." in admin.post(f"/automations/{rule.pk}/try/").content.decode()
    admin.post(f"/automations/{rule.pk}/on/")
    rule.refresh_from_db()
    assert not rule.is_on


def test_paused_by_somebody_it_says_who(admin, running):
    admin.post(f"/automations/{running.pk}/pause/")
    running.refresh_from_db()
    assert (running.state, running.paused_because) == ("paused", "Paused by Ada.")
    assert "Paused by Ada." in page(admin, "/automations/")


def test_an_edit_runs_only_when_it_was_tried_and_switched_to(admin, running):
    admin.post(f"/automations/{running.pk}/edit/", {**POSTED, "if.0.0.value": "5000"})
    shown = page(admin, f"/automations/{running.pk}/")
    assert "This version does not run yet. Version 1 does:" in shown
    assert "<ins>if the event’s amount is more than 5000</ins>" in shown
    assert "<s>if the event’s amount is more than 1000</s>" in shown
    running.refresh_from_db()
    assert running.live.number == 1 and running.current.number == 2
    admin.post(f"/automations/{running.pk}/back/1/")
    running.refresh_from_db()
    assert (running.current.number, running.current.spec) == (3, OVERDUE)
    assert admin.post(f"/automations/{running.pk}/back/9/").status_code == 404


def test_pausing_all_holds_every_rule_until_they_go_on(admin, running, northgate):
    admin.post(f"/automations/pause/{northgate.pk}/")
    assert Automations.of(northgate).is_paused
    assert "All automations are paused since" in page(admin, "/automations/")
    admin.post(f"/automations/resume/{northgate.pk}/")
    assert not Automations.of(northgate).is_paused


def test_a_deleted_rule_is_gone_but_its_runs_are_kept(admin, running, contact):
    run = run_of(running, contact, state="done")
    admin.post(f"/automations/{running.pk}/delete/")
    assert admin.get(f"/automations/{running.pk}/").status_code == 404
    assert running.name in page(admin, f"/automations/runs/{run.pk}/")


# --- runs -------------------------------------------------------------------------------------------------------------


def test_the_log_is_narrowed_by_state_rule_and_contact(admin, running, contact, northgate):
    other = Rule.objects.make(northgate, "Another", OVERDUE)
    run_of(running, contact, 1, state="failed", sentence="GHL said no.")
    run_of(running, contact, 2, state="done")
    run_of(other, None, 3, state="done", sentence="Another sentence.")
    assert "GHL said no." in page(admin, "/automations/runs/", state="failed")
    assert "GHL said no." not in page(admin, "/automations/runs/", state="done")
    assert "Another sentence." not in page(admin, "/automations/runs/", rule=running.pk)
    assert "Another sentence." not in page(admin, "/automations/runs/", contact=contact.pk)
    assert "Another sentence." in page(admin, "/automations/runs/", rule="x", contact="99999999999999999999", state="?")


def test_the_log_goes_on_page_by_page(admin, running, contact):
    for number in range(60):
        run_of(running, contact, number, state="done", sentence=f"Run number {number}.")
    first = page(admin, "/automations/runs/")
    assert "Run number 59." in first and "Run number 9." not in first
    last = RuleRun.objects.get(cause="erp 10")
    assert "Run number 9." in page(admin, "/automations/runs/", after=last.pk)


def test_staged_runs_are_approved_or_declined_one_or_all(admin, running, contact):
    runs = [run_of(running, contact, number, state="staged") for number in range(5)]
    admin.post(f"/automations/runs/{runs[0].pk}/approve/")
    admin.post(f"/automations/runs/{runs[1].pk}/decline/")
    states = [RuleRun.objects.get(pk=run.pk).state for run in runs[:2]]
    assert states == ["queued", "skipped"]
    assert "3 wait" in page(admin, "/automations/")
    answer = admin.post("/automations/runs/approve/", {"rule": running.pk, "next": "//evil.example"})
    assert answer.url == "/automations/runs/"
    assert not RuleRun.objects.staged().exists()


def test_a_run_that_waits_shows_what_it_would_do(admin, running, contact):
    run = run_of(running, contact, state="staged", scope={"event": {"number": "8841", "amount": 12400}})
    assert "Create the task “Chase 8841”" in page(admin, f"/automations/runs/{run.pk}/")


def test_failed_runs_are_tried_again_one_or_all(admin, running, contact, cy):
    runs = [run_of(running, contact, number, state="failed", sentence="GHL said no.") for number in range(3)]
    foreign = Rule.objects.make(cy.businesses.get(), "Theirs", OVERDUE)
    theirs = run_of(foreign, None, state="failed")
    assert "Retry" in page(admin, f"/automations/runs/{runs[0].pk}/")
    admin.post(f"/automations/runs/{runs[0].pk}/retry/")
    assert list(RuleRun.objects.failed().order_by("pk").values_list("pk", flat=True)) == [
        runs[1].pk, runs[2].pk, theirs.pk,
    ]  # fmt: skip
    admin.post("/automations/runs/retry/")
    assert list(RuleRun.objects.failed()) == [theirs]


def test_a_run_shows_what_went_in_what_came_out_and_what_is_ahead(admin, running, contact):
    step = {"do": "create_task", "says": "create the task “Chase 7”", "values": {"title": "Chase 7"}}
    steps = [{**step, "state": "failed", "sentence": "The location is read-only."}]
    run = run_of(running, contact, state="failed", steps=steps, scope={"event": {"number": "7"}})
    shown = page(admin, f"/automations/runs/{run.pk}/")
    for text in (
        "Create the task “Chase 7”",
        "The location is read-only.",
        "What went in",
        "&quot;number&quot;: &quot;7&quot;",
    ):
        assert text in shown


def test_the_list_asks_as_much_for_many_rules_as_for_one(admin, rule, northgate, django_assert_num_queries):
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(admin, "/automations/")
    for number in range(10):
        Rule.objects.make(northgate, f"Rule {number}", OVERDUE)
    with django_assert_num_queries(len(few)):
        page(admin, "/automations/")


# --- buttons ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def button(northgate, location, ada):
    spec = {"trigger": {"kind": "button", "label": "Send the contract"}, "conditions": {"any": []},
            "actions": [{"do": "create_note", "values": {"body": "Contract sent"}}]}  # fmt: skip
    rule = Rule.objects.make(northgate, "Contract", spec, ada)
    rule.current.tried()
    rule.switch_on()
    return rule


def test_whoever_may_edit_a_contact_presses_its_buttons(as_user, ana, cy, button, contact):
    staff, stranger = as_user(ana), as_user(cy)
    assert "Send the contract" in page(staff, f"/contacts/{contact.pk}/rules/")
    staff.post(f"/contacts/{contact.pk}/rules/{button.pk}/")
    run = RuleRun.objects.get()
    assert (run.rule, run.contact, run.scope["event"]["by"]) == (button, contact, "Ana")
    assert stranger.post(f"/contacts/{contact.pk}/rules/{button.pk}/").status_code == 404
    assert stranger.get(f"/contacts/{contact.pk}/rules/").status_code == 404


def test_a_button_is_gone_while_its_rule_is_paused(as_user, ana, button, contact):
    button.pause()
    assert "Send the contract" not in page(as_user(ana), f"/contacts/{contact.pk}/rules/")
    as_user(ana).post(f"/contacts/{contact.pk}/rules/{button.pk}/")
    assert not RuleRun.objects.exists()


def test_where_nothing_may_be_edited_no_button_works(as_user, ana, button, contact, location):
    location.is_editable = False
    location.save()
    assert as_user(ana).post(f"/contacts/{contact.pk}/rules/{button.pk}/").status_code == 403
    assert not RuleRun.objects.exists()


def test_the_page_of_a_contact_holds_a_place_for_them(as_user, ana, contact):
    assert f"/contacts/{contact.pk}/rules/" in page(as_user(ana), Contact.objects.get().get_absolute_url())
