"""What may stand in a mapping, and the sentence when it may not."""

import pytest

from contacts.models import CustomField, Location
from integrations.mapping.lines import MISSING, Line, check, follow, read_all
from integrations.mapping.targets import targets_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(northgate, fields):
    def said(*lines):
        return [one.sentence for one in check(read_all(list(lines)), targets_of(northgate))]

    return said


def test_a_mapping_in_order_has_nothing_said_about_it(said):
    tier = {"do": "lookup", "table": {"A": "Gold", "B": "Silver"}}
    assert said(
        {"erp": "email", "contact": "email", "steps": ["trim", "lower"]},
        {"erp": "fields.tier", "contact": "custom:contact.tier", "direction": "both", "steps": [tier]},
        {"erp": "fields.tier", "contact": "tag:one", "steps": [tier]},
        {"erp": "fields.other", "contact": "tag:add"},
        {"contact": "source", "steps": [{"do": "constant", "text": "ERP"}], "conflict": "if_empty"},
    ) == []  # fmt: skip


TIER = {"erp": "fields.tier", "contact": "custom:contact.tier"}
NO_BACK = {"do": "constant", "text": "a@b.example"}
TWO_LEAD_THERE = {"do": "lookup", "table": {"A": "C", "B": "C"}}


@pytest.mark.parametrize("line, words", [
    ({}, "Say which field of the ERP it is."),
    ({"erp": "x"}, "Say which field of the contact it is."),
    ({"erp": "x", "contact": "shoe_size"}, "A contact has no field “shoe_size” that can be filled."),
    ({"erp": "x", "contact": "type"}, "A contact has no field “type” that can be filled."),
    ({"erp": "x", "contact": "custom:contact.gone"}, "No location of this business has a field “contact.gone”."),
    ({"erp": "x", "contact": "city", "direction": "up"}, "“up” is none of: in, out, both."),
    ({"erp": "x", "contact": "city", "empty": "maybe"}, "“maybe” is none of: leave, clear, default."),
    ({"erp": "x", "contact": "city", "conflict": "x"}, "“x” is none of: erp, person, if_empty."),
    ({"erp": "x", "contact": "city", "empty": "default"}, "Say what to write when the ERP has nothing."),
    ({"erp": "x", "contact": "city", "steps": ["shout"]}, "No step is called “shout”."),
    ({**TIER, "steps": [{"do": "lookup", "table": {"A": "Platinum"}}]}, "“Platinum” is not one of the choices"),
    ({**TIER, "empty": "default", "default": "Bronze"}, "“Bronze”: “Bronze” is not one of the choices"),
    ({**TIER, "steps": ["number"]}, "Tier is no field for a number."),
    ({"erp": "x", "contact": "custom:contact.limit", "steps": [{"do": "constant", "text": "much"}]}, "not a number"),
    ({"erp": "x", "contact": "custom:contact.since", "steps": ["number"]}, "Since takes a date."),
    ({"erp": "x", "contact": "email", "direction": "both", "steps": [NO_BACK]}, "leads only towards the contact"),
    ({"erp": "x", "contact": "city", "direction": "both", "steps": [TWO_LEAD_THERE]}, "Several lines of the table"),
    ({"erp": "x", "contact": "tag:add", "direction": "out"}, "Tags are only taken from the ERP."),
    ({"erp": "x", "contact": "tag:one"}, "Give it a table"),
])  # fmt: skip
def test_a_line_that_makes_no_sense_says_why(line, words, said):
    assert any(words in sentence for sentence in said(line)), said(line)


def test_two_lines_must_not_write_the_same_field_nor_tell_the_same(said):
    assert said({"erp": "a", "contact": "city"}, {"erp": "b", "contact": "city"}) == [
        "City is written by line 1 already."
    ]
    assert said(
        {"erp": "a", "contact": "city", "direction": "out"}, {"erp": "a", "contact": "state", "direction": "out"}
    ) == ["a is told to the ERP by line 1 already."]


def test_what_is_kept_reads_as_it_was_told(fields):
    told = {**TIER, "direction": "both", "steps": ["trim", {"do": "number", "decimal": ","}], "conflict": "person"}
    assert Line.read(told).told() == told


def test_a_custom_field_is_one_in_all_locations_with_the_choices_of_all(northgate, fields):
    other = Location.objects.create(business=northgate, remote_id="locTwo", name="Two")
    CustomField.objects.create(
        location=other,
        remote_id="fldX",
        name="Tier",
        key="contact.tier",
        data_type="SINGLE_OPTIONS",
        options=["Bronze"],
    )
    targets = targets_of(northgate)
    assert targets["custom:contact.tier"].options == ("Gold", "Silver", "Bronze")
    assert targets["custom:contact.since"].lacking == ("Two",)


@pytest.mark.parametrize("way, found", [
    ("email", "a@b"), ("fields.tier", "A"), ("fields.address.city", "Rome"), ("fields.dotted.name", 1),
    ("fields.list.1", "b"), ("fields.list.9", MISSING), ("fields.list.x", MISSING), ("email.x", MISSING),
])  # fmt: skip
def test_a_way_into_what_was_sent(way, found):
    body = {"email": "a@b", "fields": {"tier": "A", "address": {"city": "Rome"}, "dotted.name": 1, "list": ["a", "b"]}}
    assert follow(body, way) == found
