"""What a rule says: read aloud, checked with a sentence for each slip, and compared with what was seen."""

import pytest

from integrations.automations import actions, conditions, shape, triggers
from integrations.automations.recipes import RECIPES
from integrations.catalogue import entries
from tests.integrations.automations.conftest import CHASE, erp_says, spec

pytestmark = pytest.mark.django_db

SCOPE = {
    "event": {"amount": 12400, "total": "$12,400.00", "due": "2026-11-30", "status": "Won", "paid": True, "note": ""},
    "contact": {"tags": ["vip", "late"], "city": "Reno"},
    "old": {"city": "Austin"},
    "new": {"city": "Reno"},
    "today": "2026-11-23",
}


def holds(what, operator, value=""):
    return conditions.holds({"what": what, "is": operator, "value": value}, SCOPE)


@pytest.mark.parametrize(
    "what, operator, value, expected",
    [
        ("event.amount", "more_than", "1000", True),
        ("event.total", "more_than", "12,399.99", True),
        ("event.amount", "less_than", "1000", False),
        ("event.amount", "is", "12400.0", True),
        ("event.status", "is", "won", True),
        ("event.status", "is_not", "won", False),
        ("event.status", "one_of", "lost, won", True),
        ("event.nothing", "more_than", "1", False),
        ("event.nothing", "is_not", "x", True),
        ("event.note", "empty", "", True),
        ("event.nothing", "filled", "", False),
        ("event.paid", "is", "yes", True),
        ("event.due", "before", "2026-12-01", True),
        ("event.due", "after", "{{ today }}", True),
        ("contact.tags", "contains", "VIP", True),
        ("contact.tags", "contains_not", "vip", False),
        ("contact.city", "contains", "re", True),
        ("new.city", "changed", "", True),
        ("new.state", "changed", "", False),
        ("contact.city", "is", "{{ new.city }}", True),
    ],
)
def test_comparing(what, operator, value, expected):
    assert holds(what, operator, value) is expected


def test_groups_are_joined_by_or_and_what_is_in_them_by_and():
    rich, poor = ({"what": "event.amount", "is": "more_than", "value": "1"},
                  {"what": "event.amount", "is": "less_than", "value": "1"})  # fmt: skip
    assert conditions.unmet({"any": [{"all": [rich, poor]}, {"all": [rich]}]}, SCOPE) == ""
    assert conditions.unmet({"any": [{"all": [rich, poor]}]}, SCOPE)
    assert conditions.unmet({"any": [{"all": []}]}, SCOPE) == "" and conditions.unmet({}, SCOPE) == ""


def test_the_whole_rule_is_one_sentence(northgate):
    big = {"what": "event.amount", "is": "more_than", "value": "1000"}
    said = shape.in_words(spec(erp_says(), CHASE, any_of=[[big]]), northgate)
    assert said == (
        "When the ERP says “invoice.overdue”, if the event’s amount is more than 1000, then create the task "
        "“Chase {{ event.invoice }}” for the contact’s owner, due: 2 working days."
    )


@pytest.mark.parametrize("broken", [{}, {"trigger": 3, "actions": "x"}, {"actions": [3]}, {"trigger": {"kind": "x"}},
                                    {"conditions": {"any": [{"all": [{"what": "a b", "is": "is"}]}]}}])  # fmt: skip
def test_whatever_is_no_rule_has_problems_and_breaks_nothing(northgate, broken):
    assert shape.problems(broken, northgate)
    assert shape.in_words(broken, northgate)


@pytest.mark.parametrize(
    "where, rule",
    [
        ("trigger.days", spec({"kind": "quiet", "days": "0"}, CHASE)),
        ("trigger.at", spec({"kind": "schedule", "at": "25:00", "days": ["1"], "list": "tag=vip"}, CHASE)),
        ("trigger.type", spec({"kind": "webhook", "type": "Nonsense"}, CHASE)),
        ("conditions.1.1", spec(erp_says(), CHASE, any_of=[[{"what": "event.amount", "is": "more_than",
                                                             "value": "much"}]])),
        ("actions.1.title", spec(erp_says(), {"do": "create_task", "values": {"title": "{{ event"}})),
        ("actions.1.fields.0", spec(erp_says(), {"do": "update_contact", "values": {"fields": [{"field": "shoe"}]}})),
        ("actions.1.key", spec(erp_says(), {"do": "operation", "values": {"key": "no.such"}})),
        ("actions", spec(erp_says())),
    ],
)  # fmt: skip
def test_each_slip_is_named_where_it_is(northgate, location, where, rule):
    assert where in [one.where for one in shape.problems(rule, northgate)]


def test_the_picker_offers_every_trigger_of_ghl_and_what_the_erp_has_sent(northgate):
    offered = [choice.trigger for choice in triggers.find(northgate)]
    assert {one["type"] for one in offered if one["kind"] == "webhook"} == set(entries.triggers())
    assert {"kind": "erp", "type": "invoice.overdue"} in offered
    assert {one["kind"] for one in offered} == set(triggers.KINDS)
    assert [one.trigger for one in triggers.find(northgate, "no show")] == [{"kind": "no_show"}]


def test_the_picker_offers_every_operation_with_why_it_cannot_be_used(northgate):
    offered = actions.find(northgate)
    keys = [one.action["values"]["key"] for one in offered if one.action["do"] == "operation"]
    assert keys == list(entries.operations())
    assert {one.why_not for one in offered if one.action["do"] == "operation"} == {"No location is connected."}


def test_every_recipe_is_in_order_but_for_what_each_business_says_itself(northgate, location):
    for recipe in RECIPES:
        found = {one.where for one in shape.problems(recipe.spec, northgate)}
        assert found <= set(recipe.fill_in), recipe.slug
        assert shape.in_words(recipe.spec, northgate)
