"""Whom an event is about: found by the link or in the business's order; else a person is asked, and nothing is lost."""

import pytest

from contacts.models import Business, Contact, CustomField, ExternalId, Location
from integrations.models import ErpEvent, Matching, Stranger
from tests.integrations.erp.conftest import event, work

pytestmark = pytest.mark.django_db


def about(**subject):
    return {"subject": subject}


def told(erp, key, title, **subject):
    return erp.send("/events", event(key, title=title, **about(**subject)))


def titles(contact):
    return [line.title for line in contact.history.filter(kind="erp_event").order_by("pk")]


@pytest.fixture
def twin(location):
    return Contact.objects.create(
        location=location, first_name="Marisol", last_name="Okonkwo", email="marisol@example.com"
    )


# --- found by itself --------------------------------------------------------------------------------------------------


def test_a_phone_number_is_the_same_in_whatever_form(erp, contact):
    assert told(erp, "1", "A", reference="C-1", phone="+1 312-555-0148")["contact_id"] == contact.pk
    assert told(erp, "2", "B", phone="(312) 555 0148")["contact_id"] == contact.pk


def test_a_custom_field_may_hold_the_reference(erp, contact, location, northgate):
    CustomField.objects.create(location=location, remote_id="fldErp", name="ERP no", key="contact.erp_no")
    Matching.objects.create(business=northgate, order=["field"], field="contact.erp_no")
    Contact.objects.filter(pk=contact.pk).update(custom_values={"fldErp": 1042})
    assert told(erp, "1", "A", reference="1042", email="somebody@else.example")["contact_id"] == contact.pk
    assert told(erp, "2", "B", reference="1043", email=contact.email)["state"] == "unmatched"


def test_our_own_id_names_a_contact_of_this_business_only(erp, contact, cy):
    location = Location.objects.create(business=cy.businesses.get(), remote_id="locInitech", name="Initech")
    theirs = Contact.objects.create(location=location, first_name="Peter", email="peter@example.com")
    assert told(erp, "1", "A", contact_id=contact.pk)["contact_id"] == contact.pk
    assert told(erp, "2", "B", contact_id=theirs.pk)["state"] == "unmatched"
    assert told(erp, "3", "C", email="peter@example.com")["state"] == "unmatched"
    assert not theirs.history.exists()


def test_two_customers_with_one_address_are_not_made_one_person(erp, contact):
    told(erp, "1", "A", reference="C-1", email=contact.email)
    became = told(erp, "2", "B", reference="C-2", email=contact.email)
    assert became["state"] == "unmatched"
    assert "linked to another customer" in became["reason"]


def test_a_deleted_contact_gets_nothing_and_nobody_else_is_taken_for_it(erp, contact, twin):
    ExternalId.give(contact, "erp", "C-1")
    contact.delete_here(by=None, undo_s=0)
    became = told(erp, "1", "A", reference="C-1", email=contact.email)
    assert (became["state"], titles(twin)) == ("unmatched", [])


# --- asked ------------------------------------------------------------------------------------------------------------


def test_of_several_a_person_chooses_and_what_waited_is_handled_in_order(erp, contact, twin, max_, as_user):
    for number in (2, 1, 3):
        at = f"2026-11-20T1{number}:00:00Z"
        sent = erp.send("/events", event(str(number), title=f"No {number}", occurred_at=at))
        assert (sent["state"], sent["reason"]) == ("unmatched", "2 contacts have this e-mail address.")
    manager, stranger = as_user(max_), Stranger.objects.get()
    inbox = manager.get("/unmatched/").content.decode()
    assert "CUST-1042" in inbox
    assert "3 events" in inbox
    page = manager.get(f"/unmatched/{stranger.pk}/").content.decode()
    assert page.count("Same e-mail") == 2
    assert page.index("No 1") < page.index("No 2") < page.index("No 3")
    answer = manager.post(f"/unmatched/{stranger.pk}/link/", {"contact": twin.pk})
    assert answer["Location"] == twin.get_absolute_url()
    work()
    assert titles(twin) == ["No 1", "No 2", "No 3"]
    assert not Stranger.objects.exists()
    assert told(erp, "4", "No 4", reference="CUST-1042")["contact_id"] == twin.pk


def test_a_new_contact_is_made_of_what_the_erp_said(erp, location, max_, as_user):
    told(erp, "1", "Paid", reference="C-9", name="Grace Amankwah", email="grace@example.com", phone="+13125550199")
    stranger = Stranger.objects.get()
    as_user(max_).post(f"/unmatched/{stranger.pk}/create/", {"location": location.pk})
    work()
    grace = Contact.objects.get()
    assert (grace.name, grace.email, grace.phone) == ("Grace Amankwah", "grace@example.com", "+13125550199")
    assert grace.changes.get().made_by == max_
    assert titles(grace) == ["Paid"]


def test_the_customer_sent_later_brings_its_events_along(erp, location):
    told(erp, "1", "Paid", reference="C-9")
    task = {"reference": "T-1", "customer": {"reference": "C-9"}, "title": "Call"}
    assert erp.send("/tasks", task)["state"] == "unmatched"
    erp.send("/customers", {"reference": "C-9", "first_name": "Grace"})
    grace = Contact.objects.get()
    assert titles(grace) == ["Paid"]
    assert grace.tasks.get().title == "Call"
    assert not Stranger.objects.exists()


def test_whoever_is_ignored_loses_nothing(erp, contact, twin, max_, as_user):
    sent = told(erp, "1", "A", reference="C-1", email=contact.email)
    manager, stranger = as_user(max_), Stranger.objects.get()
    assert manager.post(f"/unmatched/{stranger.pk}/ignore/", {"because": " "})["Location"].endswith(f"/{stranger.pk}/")
    assert erp.became(sent["id"])["state"] == "unmatched"
    manager.post(f"/unmatched/{stranger.pk}/ignore/", {"because": "A test"})
    assert (erp.became(sent["id"])["state"], erp.became(sent["id"])["reason"]) == ("ignored", "A test")
    told(erp, "2", "B", reference="C-1", email=contact.email)
    assert "C-1" not in manager.get("/unmatched/").content.decode()
    assert "C-1" in manager.get("/unmatched/?ignored=1").content.decode()
    manager.post(f"/unmatched/{stranger.pk}/notice/")
    manager.post(f"/unmatched/{stranger.pk}/link/", {"contact": contact.pk})
    work()
    assert titles(contact) == ["A", "B"]


def test_somebody_without_a_reference_is_remembered_by_the_address(erp, contact, max_, as_user):
    told(erp, "1", "A", email="New@example.com")
    as_user(max_).post(f"/unmatched/{Stranger.objects.get().pk}/link/", {"contact": contact.pk})
    work()
    assert told(erp, "2", "B", email="new@example.com")["contact_id"] == contact.pk


def test_others_may_not_decide(erp, contact, ana, max_, cy, as_user):
    told(erp, "1", "A", reference="C-1")
    stranger = Stranger.objects.get()
    theirs = Contact.objects.create(
        location=Location.objects.create(business=Business.objects.get(name="Initech"), remote_id="locI"),
        first_name="P",
    )
    for user, chosen in ((ana, contact), (cy, contact), (cy, theirs), (max_, theirs)):
        assert as_user(user).post(f"/unmatched/{stranger.pk}/link/", {"contact": chosen.pk}).status_code == 404
    assert ErpEvent.objects.get().outcome == "unmatched"


@pytest.mark.parametrize("count", [1, 8])
def test_the_inbox_costs_the_same_whatever_waits(count, erp, contact, max_, as_user, django_assert_max_num_queries):
    for number in range(count):
        told(erp, str(number), "A", reference=f"C-{number}", name="Marisol Okonkwo")
    client, stranger = as_user(max_), Stranger.objects.first()
    with django_assert_max_num_queries(22):
        client.get("/unmatched/")
    with django_assert_max_num_queries(30):
        client.get(f"/unmatched/{stranger.pk}/")
