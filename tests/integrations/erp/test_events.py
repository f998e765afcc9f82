"""An ERP tells what happened: stored first, then matched with a contact, then a line in the history."""

import pytest

from contacts.models import Contact, ExternalId
from integrations.models import ErpEvent
from tests.integrations.erp.conftest import event, work

pytestmark = pytest.mark.django_db


def lines(contact):
    return [(one.title, one.detail) for one in contact.history.filter(kind="erp_event").order_by("happened_at", "pk")]


def test_an_event_becomes_a_line_in_the_history_of_the_contact(erp, contact):
    became = erp.send("/events", event(link="https://erp.example.com/invoices/8841"))
    assert (became["state"], became["contact_id"], became["type"]) == ("handled", contact.pk, "invoice.paid")
    line = contact.history.get(kind="erp_event")
    assert (line.title, line.detail, line.link) == (
        "Invoice 8841 paid", "$12,400.00", "https://erp.example.com/invoices/8841",
    )  # fmt: skip
    assert (line.actor_kind, line.actor_name) == ("erp", "Northwind ERP")
    assert line.happened_at.isoformat() == "2026-11-20T14:00:00+00:00"


def test_it_is_stored_before_it_is_answered(erp, contact, events):
    answer = erp.ask("POST", "/events", event())
    assert answer.status_code == 202
    assert str(events.get().uid) == answer.json()["id"]
    assert erp.became(answer.json()["id"])["state"] == "queued"
    assert lines(contact) == []


def test_its_type_is_told_when_it_brings_no_title(erp, contact):
    erp.send("/events", event(title=None, detail=None, type="order.partly_shipped"))
    assert lines(contact) == [("Order partly shipped", "")]


def test_the_contact_page_shows_it(erp, contact, ana, as_user):
    erp.send("/events", event())
    page = as_user(ana).get(contact.get_absolute_url()).content.decode()
    assert "Invoice 8841 paid" in page


def test_the_link_is_remembered_when_the_address_changes(erp, contact):
    erp.send("/events", event())
    assert ExternalId.objects.get().value == "CUST-1042"
    contact.edit(by=None, email="new@example.com")
    erp.send("/events", event("evt-2", subject={"reference": "CUST-1042"}, title="Invoice 8842 paid"))
    assert [title for title, _ in lines(contact)] == ["Invoice 8841 paid", "Invoice 8842 paid"]


# --- once -------------------------------------------------------------------------------------------------------------


def test_the_same_key_twice_is_one_effect_and_one_id(erp, contact):
    first = erp.ask("POST", "/events", event()).json()
    work()
    again = erp.ask("POST", "/events", event())
    work()
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["repeated"], first["repeated"]) == (first["id"], True, False)
    assert len(lines(contact)) == 1


def test_the_key_may_come_as_a_header_and_is_the_same_key(erp, contact):
    first = erp.ask("POST", "/events", event(None), **{"Idempotency-Key": "evt-1"})
    again = erp.ask("POST", "/events", event("evt-1"))
    assert first.json()["id"] == again.json()["id"]
    other = erp.ask("POST", "/events", event("evt-1"), **{"Idempotency-Key": "evt-2"})
    assert (other.status_code, other.json()["fields"][0]["field"]) == (422, "idempotency_key")


def test_the_same_key_with_another_body_is_a_conflict(erp, contact):
    erp.send("/events", event())
    assert erp.ask("POST", "/events", event(title="Invoice 9 paid")).status_code == 409
    work()
    assert lines(contact) == [("Invoice 8841 paid", "$12,400.00")]


def test_another_business_may_use_the_same_key(erp, strange_erp, contact):
    ours, theirs = (one.ask("POST", "/events", event()).json() for one in (erp, strange_erp))
    assert ours["id"] != theirs["id"]


def test_without_a_key_it_is_not_taken(erp, contact, events):
    answer = erp.ask("POST", "/events", event(None))
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "idempotency_key")
    assert not events.exists()


# --- versions ---------------------------------------------------------------------------------------------------------


def test_an_older_version_is_kept_and_never_applied(erp, contact, events):
    assert erp.send("/events", event("a", version=7, title="Seven"))["state"] == "handled"
    late = erp.send("/events", event("b", version=6, title="Six"))
    assert (late["state"], late["reason"]) == ("superseded", "Version 7 had been handled before.")
    assert erp.send("/events", event("c", version=8, title="Eight"))["state"] == "handled"
    assert {title for title, _ in lines(contact)} == {"Seven", "Eight"}
    assert events.count() == 3


def test_versions_are_counted_for_each_record_and_type_by_itself(erp, contact):
    erp.send("/events", event("a", version=7, record="INV-1"))
    assert erp.send("/events", event("b", version=1, record="INV-2"))["state"] == "handled"
    assert erp.send("/events", event("c", version=1, record="INV-1", type="invoice.sent"))["state"] == "handled"


def test_what_waits_for_one_customer_is_handled_in_the_order_it_happened(erp, contact):
    for hour in ("16", "14", "15"):
        erp.ask("POST", "/events", event(hour, occurred_at=f"2026-11-20T{hour}:00:00Z", title=hour))
    work()
    assert [one.title for one in contact.history.filter(kind="erp_event").order_by("pk")] == ["14", "15", "16"]


# --- batches ----------------------------------------------------------------------------------------------------------


def test_each_of_a_batch_is_answered_on_its_own(erp, contact):
    erp.send("/events", event("known"))
    batch = [event("a"), {"type": "X", "subject": {}}, event(None), event("known", title="Other"), event("a"), 5]
    answer = erp.ask("POST", "/events/batch", {"events": batch})
    items = answer.json()["items"]
    assert answer.status_code == 202
    assert [item["status"] for item in items] == [202, 422, 422, 409, 202, 422]
    assert {one["field"] for one in items[1]["fields"]} == {"type", "subject"}
    assert items[0]["id"] == items[4]["id"]
    work()
    assert ErpEvent.objects.count() == 2
    assert contact.history.filter(kind="erp_event").count() == 2


def test_a_batch_has_at_most_500(erp):
    answer = erp.ask("POST", "/events/batch", {"events": [event(str(n)) for n in range(501)]})
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "events")
    assert not ErpEvent.objects.exists()


def test_500_cost_as_many_queries_as_one(erp, contact, django_assert_num_queries):
    with django_assert_num_queries(4):
        erp.ask("POST", "/events/batch", {"events": [event(str(n)) for n in range(500)]})
    assert Contact.objects.count() == 1
    assert ErpEvent.objects.count() == 500


# --- what is not in order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed, field", [
    ({"type": "Invoice paid"}, "type"),
    ({"type": None}, "type"),
    ({"occurred_at": "yesterday"}, "occurred_at"),
    ({"occurred_at": "2026-11-20T14:00:00"}, "occurred_at"),
    ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at"),
    ({"subject": {"name": "Marisol"}}, "subject"),
    ({"subject": {"email": "nobody"}}, "subject.email"),
    ({"version": -1}, "version"),
    ({"version": "7"}, "version"),
    ({"title": "x" * 301}, "title"),
    ({"link": "javascript:alert(1)"}, "link"),
    ({"payload": {"deep": ["a\u0000b"]}}, "payload.deep.0"),
    ({"payload": {"half": "\ud800"}}, "payload.half"),
    ({"tilte": "misspelt"}, "tilte"),
])  # fmt: skip
def test_what_is_not_in_order_is_named(changed, field, erp, events):
    answer = erp.ask("POST", "/events", event(**changed))
    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json()["fields"]]
    assert not events.exists()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000]
)
def test_what_is_no_json_of_ours_is_refused(body, erp, events):
    answer = erp.ask("POST", "/events", body)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert not events.exists()


def test_more_than_10_mb_is_refused_before_it_is_read(erp, events):
    assert erp.ask("POST", "/events", b" " * 10_000_001).status_code == 413
    large = event(payload={"text": "x" * 9_000_000})
    assert erp.ask("POST", "/events", large).status_code == 202
    assert events.count() == 1


def test_what_became_of_it_is_told_to_its_own_business_only(erp, strange_erp, contact):
    sent = erp.ask("POST", "/events", event()).json()["id"]
    assert strange_erp.ask("GET", f"/events/{sent}").status_code == 404
    assert erp.ask("GET", "/events/00000000-0000-0000-0000-000000000000").status_code == 404


def test_an_offset_that_the_database_does_not_take_is_the_same_moment(erp, events):
    erp.send("/events", event(occurred_at="2026-11-20T14:00:00+20:12"))
    assert events.get().occurred_at.isoformat() == "2026-11-19T17:48:00+00:00"
