"""What an ERP sends goes into contacts as the active mapping says; without one, by the names of the fields."""

import pytest

from contacts import localised
from contacts.models import Contact, CustomField, Location, Machine
from integrations.mapping import applying
from integrations.mapping.lines import read_all
from integrations.models import FieldMapping
from tests.integrations.erp.conftest import event
from tests.integrations.mapping.conftest import CUSTOMER

pytestmark = pytest.mark.django_db

TIER = {"do": "lookup", "table": {"A": "Gold", "B": "Silver"}}
TIER_LINE = {"erp": "fields.tier", "contact": "custom:contact.tier", "steps": [TIER]}


def sent(erp, **fields):
    return erp.send("/customers", {**CUSTOMER, "fields": fields}, "PUT")


def test_each_line_takes_its_field_through_its_steps(erp, contact, fields, mapped):
    mapped(
        TIER_LINE,
        {"erp": "fields.since", "contact": "custom:contact.since", "steps": [{"do": "date", "form": "DD.MM.YYYY"}]},
        {"erp": "fields.limit", "contact": "custom:contact.limit", "steps": [{"do": "number", "decimal": ","}]},
        {"erp": "fields.town", "contact": "city", "steps": ["trim", "title"]},
    )
    became = sent(erp, tier="A", since="30.11.2026", limit="1.250,50", town=" CHICAGO ", shoe_size=41)
    contact.refresh_from_db()
    assert (became["state"], became["reason"]) == ("handled", "")
    assert contact.city == "Chicago"
    assert contact.custom_values == {"fldTier": "Gold", "fldSince": "2026-11-30", "fldLimit": 1250.5}
    assert contact.changes.get().values["custom_values"] == contact.custom_values


def test_only_what_is_mapped_is_taken(erp, contact, mapped):
    mapped({"erp": "email", "contact": "email"})
    erp.send("/customers", {**CUSTOMER, "first_name": "Other"}, "PUT")
    contact.refresh_from_db()
    assert contact.first_name == "Marisol"


def test_what_cannot_be_taken_is_said_and_the_rest_is_taken(erp, contact, fields, mapped):
    mapped(TIER_LINE, {"erp": "fields.town", "contact": "city"}, {"erp": "fields.mail", "contact": "email"})
    became = sent(erp, tier="C", town="Chicago", mail="nobody")
    contact.refresh_from_db()
    assert contact.city == "Chicago"
    assert "fields.tier: “C” is not in the table." in became["reason"]
    assert "fields.mail: This is not an e-mail address" in became["reason"]


def test_a_new_customer_becomes_a_contact_as_mapped(erp, location, mapped):
    mapped(
        {"erp": "fields.nick", "contact": "first_name"},
        {"erp": "company", "contact": "company_name", "steps": ["upper"]},
        {"contact": "source", "steps": [{"do": "constant", "text": "ERP"}]},
        {"erp": "fields.country", "contact": "country", "empty": "default", "default": "US"},
        {"erp": "fields.kind", "contact": "tag:add", "steps": ["lower"]},
    )
    erp.send("/customers", {"reference": "C-1", "company": "Acme", "fields": {"nick": "Gracie", "kind": "VIP"}})
    made = Contact.objects.get()
    assert (made.first_name, made.company_name, made.source, made.country) == ("Gracie", "ACME", "ERP", "US")
    assert made.tags == ["vip"]
    assert made.changes.get().values["tags"] == ["vip"]


def test_a_new_contact_that_would_be_nobody_is_none(erp, location, mapped):
    mapped({"erp": "fields.town", "contact": "city"})
    became = sent(erp, town="Chicago")
    assert (became["state"], Contact.objects.count()) == ("failed", 0)


@pytest.mark.parametrize("rule, stands, wanted", [
    ({"empty": "leave"}, "Boston", "Boston"),
    ({"empty": "clear"}, "Boston", ""),
    ({"empty": "default", "default": "Unknown"}, "Boston", "Unknown"),
])  # fmt: skip
def test_what_the_erp_has_empty(rule, stands, wanted, erp, contact, mapped):
    contact.city = stands
    contact.save()
    mapped({"erp": "fields.town", "contact": "city", **rule})
    for empty in ("", None):
        sent(erp, town=empty)
        contact.refresh_from_db()
        assert contact.city == wanted
    contact.edit(by=None, city=stands)
    sent(erp)  # left out, so it stays as it is
    contact.refresh_from_db()
    assert contact.city == stands


# --- conflicts --------------------------------------------------------------------------------------------------------


def test_what_a_person_wrote_is_kept_until_the_erp_wrote_it_last(erp, contact, fields, mapped, ana):
    mapped(
        {"erp": "fields.town", "contact": "city", "conflict": "person"}, {**TIER_LINE, "conflict": "person"},
    )  # fmt: skip
    sent(erp, town="Chicago", tier="A")
    sent(erp, town="Boston", tier="B")
    contact.refresh_from_db()
    assert (contact.city, contact.custom_values) == ("Boston", {"fldTier": "Silver"})
    contact.edit(by=ana, city="Evanston")
    sent(erp, town="Chicago", tier="A")
    contact.refresh_from_db()
    assert (contact.city, contact.custom_values) == ("Evanston", {"fldTier": "Gold"})
    contact.edit(by=ana, custom_values={"fldTier": "Silver"})
    sent(erp, tier="A")
    contact.refresh_from_db()
    assert contact.custom_values == {"fldTier": "Silver"}


def test_what_somebody_wrote_in_ghl_is_kept_too(erp, contact, mapped, location):
    contact.city = "Evanston"
    contact.save()
    contact.history.create(
        location=location,
        kind="contact_changed",
        changes={"city": ["", "Evanston"]},
        actor_kind="ghl",
        actor_name="Dana",
    )
    mapped({"erp": "fields.town", "contact": "city", "conflict": "person"})
    sent(erp, town="Chicago")
    contact.refresh_from_db()
    assert contact.city == "Evanston"


def test_a_field_may_be_filled_only_while_it_is_empty(erp, contact, mapped):
    mapped({"erp": "fields.town", "contact": "city", "conflict": "if_empty"})
    for town in ("Chicago", "Boston"):
        sent(erp, town=town)
    contact.refresh_from_db()
    assert contact.city == "Chicago"


# --- tags -------------------------------------------------------------------------------------------------------------


def test_tags_come_go_and_take_turns(erp, contact, mapped):
    mapped(
        {"erp": "fields.tier", "contact": "tag:one", "steps": [TIER]},
        {"erp": "fields.add", "contact": "tag:add"},
        {"erp": "fields.drop", "contact": "tag:remove"},
    )
    sent(erp, tier="A", add="VIP, warranty")
    contact.refresh_from_db()
    assert contact.tags == ["gold", "insurance", "vip", "warranty"]
    sent(erp, tier="B", drop=["vip", "insurance", "never there"])
    contact.refresh_from_db()
    assert contact.tags == ["silver", "warranty"]
    assert {change.verb for change in contact.changes.all()} == {"tags"}
    assert sent(erp, tier="B")["change"] is None


# --- events -----------------------------------------------------------------------------------------------------------


def test_an_event_fills_what_is_mapped_of_its_payload_and_is_the_cause(erp, contact, fields, mapped):
    mapped(
        {"erp": "payload.amount", "contact": "custom:contact.limit"},
        {"erp": "email", "contact": "email"},
        {"contact": "source", "steps": [{"do": "constant", "text": "ERP"}]},
    )
    became = erp.send("/events", event(payload={"amount": 99, "email": "other@example.com"}))
    contact.refresh_from_db()
    assert (contact.custom_values, contact.email, contact.source) == ({"fldLimit": 99}, "marisol@example.com", "")
    assert became["change"]["state"] == "queued"
    told, changed = contact.history.order_by("pk")
    assert (told.kind, changed.kind, changed.cause) == ("erp_event", "contact_changed", told)


def test_an_event_is_told_in_a_read_only_location_too(erp, contact, fields, mapped, location):
    location.is_editable, location.not_editable_because = False, "GHL lets us only look."
    location.save()
    mapped({"erp": "payload.amount", "contact": "custom:contact.limit"})
    became = erp.send("/events", event())
    assert (became["state"], became["reason"]) == ("handled", "GHL lets us only look.")
    assert contact.history.get().kind == "erp_event"


# --- several locations, other people's habits, outward ----------------------------------------------------------------


def test_a_field_goes_by_its_key_in_each_location(erp, contact, fields, mapped, northgate):
    other = Location.objects.create(business=northgate, remote_id="locTwo", name="Two")
    CustomField.objects.create(location=other, remote_id="fldElse", name="Tier", key="contact.tier", data_type="TEXT")
    bare = Location.objects.create(business=northgate, remote_id="locThree", name="Three")
    grace = Contact.objects.create(location=other, first_name="Grace", email="grace@example.com")
    ray = Contact.objects.create(location=bare, first_name="Ray", email="ray@example.com")
    mapped(TIER_LINE)
    erp.send("/customers", {"reference": "G", "email": "grace@example.com", "fields": {"tier": "A"}})
    became = erp.send("/customers", {"reference": "R", "email": "ray@example.com", "fields": {"tier": "A"}})
    grace.refresh_from_db()
    ray.refresh_from_db()
    assert (grace.custom_values, ray.custom_values) == ({"fldElse": "Gold"}, {})
    assert became["reason"] == "fields.tier: this location has no such field."


def test_the_mapping_of_another_business_is_none_of_ours(erp, contact, strange_mapping):
    erp.send("/customers", {**CUSTOMER, "last_name": "Okonkwo-Reyes"}, "PUT")
    contact.refresh_from_db()
    assert contact.last_name == "Okonkwo-Reyes"


@pytest.fixture
def strange_mapping(cy):
    theirs = FieldMapping.begin(cy.businesses.get(), [], cy)
    theirs.tried(cy, theirs.mark)
    theirs.activate(cy)


def test_numbers_mean_the_same_whoever_looks_on(contact, fields):
    line = read_all([{"erp": "fields.limit", "contact": "custom:contact.limit"}])
    for region in ("GB", "DE"):
        with localised.using(localised.Way(language="de" if region == "DE" else "en", region=region)):
            found = applying.results_of({"fields": {"limit": "1234.5"}}, contact, line)
            assert found[0].value == 1234.5


def test_what_goes_out_is_put_as_the_erp_says_it(contact, fields, mapped):
    contact.custom_values = {"fldTier": "Gold", "fldSince": "2026-11-30"}
    contact.save()
    version = mapped(
        {**TIER_LINE, "direction": "both"},
        {"erp": "since", "contact": "custom:contact.since", "direction": "out",
         "steps": [{"do": "date", "form": "DD.MM.YYYY"}]},
        {"erp": "limit", "contact": "custom:contact.limit", "direction": "out", "empty": "default", "default": "0"},
        {"erp": "email", "contact": "email"},
    )  # fmt: skip
    assert applying.outward(contact, version) == {"fields.tier": "A", "since": "30.11.2026", "limit": "0"}
    assert applying.outward(contact, None) == {}


def test_nothing_of_a_contact_is_touched_by_looking(contact, fields):
    before = contact.__dict__.copy()
    lines = read_all([TIER_LINE, {"erp": "fields.t", "contact": "tag:add"}])
    values, troubles, tags = applying.gathered(
        contact, applying.results_of({"fields": {"tier": "A", "t": "x"}}, contact, lines)
    )
    assert (values, troubles, tags.add) == ({"custom_values": {"fldTier": "Gold"}}, [], ["x"])
    assert (contact.custom_values, contact.tags) == (before["custom_values"], before["tags"])
    assert not contact.history.exists()


def test_what_a_rule_wrote_is_not_kept_as_a_persons(erp, contact, mapped):
    contact.edit(by=Machine("rule", "A rule"), city="Evanston")
    mapped({"erp": "fields.town", "contact": "city", "conflict": "person"})
    sent(erp, town="Chicago")
    contact.refresh_from_db()
    assert contact.city == "Chicago"
