"""Somebody whom the ERP told of comes later, or gets the address: what waits is handled without a person."""

import pytest
from django.utils import timezone

from contacts.models import Contact, CustomField, ExternalId, HistoryEvent
from integrations import tasks
from integrations.matching import newcomers
from integrations.models import Matching, Stranger
from tests.integrations.erp.conftest import event, work
from tests.integrations.erp.test_unmatched import titles, told

pytestmark = pytest.mark.django_db

GRACE = {"first_name": "Grace", "last_name": "Amankwah"}


@pytest.fixture(autouse=True)
def feed_begun():
    newcomers.follow()


@pytest.fixture
def grace(location, max_):
    """Somebody adds her here, after the ERP has told of her."""

    def add(**values):
        contact = Contact(location=location, **GRACE | values)
        contact.create(by=max_)
        return contact

    return add


def follow():
    found = newcomers.follow()
    work()
    return found


def waiting(erp, **subject):
    for number in ("2", "1"):
        at = f"2026-11-20T1{number}:00:00Z"
        sent = erp.send("/events", event(number, title=f"No {number}", occurred_at=at, subject=subject))
        assert sent["state"] == "unmatched"


@pytest.mark.parametrize(
    ("told_of", "known_by"),
    [
        ({"email": "Grace@Example.com"}, {"email": "grace@example.com"}),
        ({"phone": "+1 312-555-0199"}, {"phone": "(312) 555 0199"}),
    ],
)
@pytest.mark.parametrize("reference", [{"reference": "C-9"}, {}])
def test_whoever_is_added_gets_what_waits_in_its_order(erp, grace, told_of, known_by, reference):
    waiting(erp, **told_of, **reference)
    contact = grace(**known_by)
    assert len(follow()) == 1
    assert titles(contact) == ["No 1", "No 2"]
    assert not Stranger.objects.exists()
    assert list(ExternalId.objects.values_list("value", flat=True)) == list(reference.values())
    assert follow() == []


def test_whoever_is_read_from_ghl_is_found(erp, location):
    """Reading writes rows and lines in bulk, not by the verbs."""
    waiting(erp, reference="C-9", email="grace@example.com")
    contact = Contact.objects.create(location=location, remote_id="conGrace", email="grace@example.com", **GRACE)
    HistoryEvent.objects.create(
        location=location, contact=contact, kind="contact_added", actor_kind="ghl", happened_at=timezone.now()
    )
    follow()
    assert titles(contact) == ["No 1", "No 2"]


def test_an_address_that_changes_finds_them(erp, contact, max_):
    waiting(erp, reference="C-9", email="new@example.com")
    contact.edit(by=max_, city="Chicago")
    assert follow() == []
    contact.edit(by=max_, email="new@example.com")
    follow()
    assert titles(contact) == ["No 1", "No 2"]
    assert contact.external_ids.get().value == "C-9"


def test_the_custom_field_that_holds_the_reference_finds_them(erp, contact, location, northgate, max_):
    CustomField.objects.create(location=location, remote_id="fldErp", name="ERP no", key="contact.erp_no")
    Matching.objects.create(business=northgate, order=["field"], field="contact.erp_no")
    waiting(erp, reference="1042")
    contact.edit(by=max_, custom_values={"fldErp": 1042})
    follow()
    assert titles(contact) == ["No 1", "No 2"]


def test_the_order_of_the_business_decides(erp, grace, northgate):
    Matching.objects.create(business=northgate, order=["phone"])
    waiting(erp, reference="C-9", email="grace@example.com")
    grace(email="grace@example.com")
    assert follow() == []
    assert Stranger.objects.count() == 1


def test_of_several_a_person_chooses_until_one_is_left(erp, contact, grace, max_):
    other = grace(email=contact.email)
    waiting(erp, reference="C-9", email=contact.email)
    other.edit(by=max_, city="Accra")
    assert follow() == []
    other.edit(by=max_, email="grace@example.com")
    follow()
    assert titles(contact) == ["No 1", "No 2"]


def test_the_inbox_says_why_when_there_are_several_now(erp, grace):
    waiting(erp, reference="C-9", email="grace@example.com")
    grace(email="grace@example.com")
    grace(email="grace@example.com")
    follow()
    assert Stranger.objects.get().reason == "2 contacts have this e-mail address."


def test_a_linked_contact_that_is_restored_gets_what_came_meanwhile(erp, contact, max_):
    ExternalId.give(contact, "erp", "C-9")
    deletion = contact.delete_here(by=max_, undo_s=60)
    waiting(erp, reference="C-9")
    assert follow() == []
    contact.undo_delete(deletion, by=max_)
    follow()
    assert titles(contact) == ["No 1", "No 2"]


def test_whoever_is_ignored_stays_so(erp, grace):
    waiting(erp, reference="C-9", email="grace@example.com")
    Stranger.objects.update(ignored_at=timezone.now(), ignored_because="A test")
    contact = grace(email="grace@example.com")
    assert follow() == []
    assert titles(contact) == []


def test_an_address_does_not_outweigh_our_own_id(erp, grace):
    waiting(erp, reference="C-9", email="grace@example.com", contact_id=987654321)
    grace(email="grace@example.com")
    assert follow() == []


def test_a_namesake_of_another_business_is_not_taken(erp, strange_erp, cy, grace):
    waiting(strange_erp, reference="C-9", email="grace@example.com")
    grace(email="grace@example.com")
    assert follow() == []


def test_two_customers_with_one_address_are_not_made_one_person(erp, grace):
    for reference in ("C-1", "C-2"):
        told(erp, reference, reference, reference=reference, email="grace@example.com")
    contact = grace(email="grace@example.com")
    follow()
    assert titles(contact) == ["C-1"]
    assert "linked to another customer" in Stranger.objects.get().reason


def test_the_clock_follows_and_rings(erp, grace, monkeypatch):
    waiting(erp, reference="C-9", email="grace@example.com")
    grace(email="grace@example.com")
    rung = []
    monkeypatch.setattr(tasks, "ring", lambda task, pk, after=0: rung.append(task.name))
    tasks.follow_contacts()
    assert rung == ["integrations.tasks.handle_erp_event"]


@pytest.mark.parametrize("count", [1, 12])
def test_lines_are_looked_at_together(erp, grace, count, django_assert_max_num_queries):
    waiting(erp, reference="C-9", email="somebody@example.com")
    for number in range(count):
        grace(email=f"grace{number}@example.com")
    with django_assert_max_num_queries(22):
        newcomers.follow()


# --- taken back -------------------------------------------------------------------------------------------------------


def linked_by_hand(erp, contact, client):
    waiting(erp, reference="C-9", email="grace@example.com")
    answer = client.post(f"/unmatched/{Stranger.objects.get().pk}/link/", {"contact": contact.pk}, follow=True)
    link = contact.external_ids.get()
    undo = f"/unmatched/linked/{contact.pk}/{link.pk}/unlink/"
    assert f'hx-post="{undo}"' in answer.content.decode()
    return undo


def test_undone_at_once_everything_waits_again(erp, contact, max_, as_user):
    client = as_user(max_)
    undo = linked_by_hand(erp, contact, client)
    answer = client.post(undo, follow=True)
    assert "applied" not in answer.content.decode()
    work()
    assert titles(contact) == []
    one = Stranger.objects.get()
    assert (one.email, one.is_by_hand) == ("grace@example.com", True)
    assert erp.became(contact.business.erp_events.first().uid)["state"] == "unmatched"
    client.post(f"/unmatched/{one.pk}/link/", {"contact": contact.pk})
    work()
    assert titles(contact) == ["No 1", "No 2"]


def test_what_was_applied_already_is_told(erp, contact, max_, as_user):
    client = as_user(max_)
    undo = linked_by_hand(erp, contact, client)
    work()
    answer = client.post(undo, follow=True)
    assert "2 events had been applied to Marisol Okonkwo already and stay." in answer.content.decode()
    assert titles(contact) == ["No 1", "No 2"]
    assert told(erp, "3", "No 3", reference="C-9")["state"] == "unmatched"


def test_no_machine_links_again_whom_a_person_has_unlinked(erp, contact, max_, as_user):
    told(erp, "1", "A", reference="C-1", email=contact.email)
    as_user(max_).post(f"/unmatched/linked/{contact.pk}/{contact.external_ids.get().pk}/unlink/")
    assert told(erp, "2", "B", reference="C-1", email=contact.email)["state"] == "unmatched"
    assert erp.send("/customers", {"reference": "C-1", "email": contact.email})["state"] == "unmatched"
    contact.edit(by=max_, phone="+13125550100")
    assert follow() == []
    assert not contact.external_ids.exists()


def test_links_are_found_and_taken_back_later(erp, contact, max_, ana, cy, as_user):
    told(erp, "1", "A", reference="C-1", email=contact.email)
    link = contact.external_ids.get()
    for q, is_found in (("", True), ("C-1", True), ("okonkwo", True), ("nobody", False)):
        assert (f"/{link.pk}/unlink/" in as_user(max_).get("/unmatched/linked/", {"q": q}).content.decode()) is is_found
    for user in (ana, cy):
        assert as_user(user).post(f"/unmatched/linked/{contact.pk}/{link.pk}/unlink/").status_code == 404
    assert as_user(max_).post(f"/unmatched/linked/{contact.pk + 1}/{link.pk}/unlink/").status_code == 404
    assert contact.external_ids.exists()
