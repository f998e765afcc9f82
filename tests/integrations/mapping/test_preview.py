"""A dry run tells what would happen, by the code that does it, and nothing happens."""

import json

import pytest

from contacts.models import Contact, ExternalId
from integrations.mapping import preview
from integrations.models import ErpEvent, FieldMapping, Stranger
from tests.integrations.erp.conftest import event
from tests.integrations.mapping.conftest import CUSTOMER

pytestmark = pytest.mark.django_db

NAME = {"erp": "first_name", "contact": "first_name"}
CITY = {"erp": "fields.town", "contact": "city"}
TAG = {"erp": "fields.kind", "contact": "tag:add"}


@pytest.fixture
def version(northgate, ada):
    return FieldMapping.begin(northgate, [NAME, CITY, TAG, {"erp": "payload.site", "contact": "website"}], ada)


def run(version, *told):
    return preview.dry_run(version, preview.pasted(version.business, json.dumps(list(told))))


def test_of_each_it_says_what_would_become_of_it(version, contact):
    shown = run(
        version,
        {**CUSTOMER, "fields": {"town": "Chicago", "kind": "VIP"}},
        {"reference": "C-2", "first_name": "Grace", "fields": {"town": "Boston"}},
        {**CUSTOMER, "fields": {"town": "Chicago"}},
        {"reference": "C-3", "email": "somebody@else.example"},
        event(payload={"site": "https://example.com"}),
        event(subject={"email": "nobody@example.com"}),
    )
    assert [row.kind for row in shown.rows] == ["update", "create", "same", "invalid", "update", "skip"]
    first = shown.rows[0]
    assert [(one.label, one.old, one.new) for one in first.differences] == [("City", "", "Chicago")]
    assert (first.add, first.contact, first.requests) == (["vip"], contact, 5)
    assert shown.rows[3].sentence.startswith("A new contact needs a name")
    assert shown.rows[5].sentence.startswith("No contact has this")
    assert [count for _kind, _words, count in shown.counts] == [1, 2, 1, 1, 1]
    assert (shown.requests, shown.tags) == (5 + 2 + 3, (1, 0))


def test_nothing_is_written(version, contact):
    run(version, {**CUSTOMER, "fields": {"town": "Chicago", "kind": "x"}}, {"reference": "C-2", "first_name": "Grace"})
    contact.refresh_from_db()
    assert (contact.city, contact.tags, Contact.objects.count()) == ("", ["insurance"], 1)
    assert not any(model.objects.exists() for model in (ErpEvent, ExternalId, Stranger))
    assert not contact.changes.exists()


def test_who_is_made_is_there_for_what_comes_next(version, location):
    shown = run(
        version, {"reference": "C-2", "first_name": "Grace"}, {"reference": "C-2", "fields": {"town": "Boston"}},
    )  # fmt: skip
    assert [row.kind for row in shown.rows] == ["create", "update"]
    assert shown.requests == 2  # it goes along with the creation


def test_what_happens_is_what_was_shown(version, contact, erp, ada):
    told = {**CUSTOMER, "first_name": "Mari", "fields": {"town": "Chicago", "kind": "VIP"}}
    shown = run(version, told).rows[0]
    version.tried(ada, version.mark)
    version.activate(ada)
    erp.send("/customers", told)
    contact.refresh_from_db()
    assert {one.label: one.new for one in shown.differences} == {"First name": contact.first_name, "City": contact.city}
    assert set(shown.add) <= set(contact.tags)


def test_the_last_real_events_are_read_in_the_order_they_happened(version, contact, erp):
    erp.send("/events", event("1"))
    erp.send("/customers", {**CUSTOMER, "fields": {"city": "Chicago"}, "version": 2})
    erp.send("/customers", {**CUSTOMER, "fields": {"city": "Boston"}, "version": 1})
    erp.send("/notes", {"reference": "N", "customer": {"reference": "CUST-1042"}, "noteContent": "no fields"})
    shown = preview.dry_run(version, preview.last_events(version.business, 50))
    assert [row.event.kind for row in shown.rows] == ["event", "customer", "customer"]
    assert shown.rows[2].sentence == "A newer version had come before."
    assert len(preview.last_events(version.business, 2)) == 2


def test_a_read_only_location_would_refuse(version, contact, location):
    location.is_editable, location.not_editable_because = False, "GHL lets us only look."
    location.save()
    row = run(version, {**CUSTOMER, "fields": {"town": "Chicago"}}).rows[0]
    assert (row.kind, row.sentence, row.requests) == ("invalid", "GHL lets us only look.", 0)


@pytest.mark.parametrize("text, said", [
    ('{"reference": "C",\n "email": }', "Line 2: this is not JSON."),
    ("[]", "between 1 and 200"),
    ("[1]", "No 1 is no object"),
    ('[{"reference": "C"}, {"reference": "D", "mail": "x"}]', "No 2, mail: Extra inputs are not permitted"),
    ('{"type": "invoice.paid", "subject": {}}', "No 1, subject: say whom"),
    ("x" * 500_001, "too much at once"),
])  # fmt: skip
def test_test_data_that_cannot_be_read_says_where(text, said, version):
    with pytest.raises(preview.BadData, match=said):
        preview.pasted(version.business, text)


def test_many_of_one_customer_cost_few_questions(version, contact, django_assert_max_num_queries):
    told = [{**CUSTOMER, "fields": {"town": f"Town {n}"}} for n in range(50)]
    with django_assert_max_num_queries(15):
        assert len(run(version, *told).rows) == 50
