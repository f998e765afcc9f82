"""What rules take up: what happens here and in GHL after they were switched on, once, in their own business only."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import ActorKind, Contact, CustomField, HistoryEvent, Location, Note, RemoteUser, Task
from integrations.automations import shape
from integrations.matching import strangers
from integrations.models import InboundEvent, Stranger
from integrations.news import events as news
from tests.integrations.automations.conftest import erp_says, follow, line, spec, switched_on, work
from tests.integrations.erp.conftest import event
from tests.integrations.erp.conftest import work as work_erp

pytestmark = pytest.mark.django_db

TAG = {"do": "add_tags", "values": {"tags": ["seen"]}}


def webhook(event_type):
    return {"kind": "webhook", "type": event_type}


def ghl_tells(location, event_type, **more):
    news.store(json.dumps({"type": event_type, "locationId": location.remote_id, "id": "r1", **more}).encode())


def told_by_ghl(contact, kind="contact_changed", ago=timedelta(), **changes):
    """A line as a sync writes it."""
    at = timezone.now() - ago
    return HistoryEvent.objects.create(
        location=contact.location, contact=contact, kind=kind, actor_kind=ActorKind.GHL, happened_at=at, changes=changes
    )


@pytest.fixture
def known(location):
    """The location has been read once, whole."""
    Location.objects.update(contacts_checked_at=timezone.now())
    location.refresh_from_db()


# --- lines ------------------------------------------------------------------------------------------------------------


def test_old_and_new_values_can_be_asked_for(contact, northgate, ana, runs):
    moved = [{"what": "old.city", "is": "empty"}, {"what": "new.city", "is": "is", "value": "Reno"}]
    switched_on(northgate, line("contact_changed", changed="city"), TAG, any_of=[moved])
    contact.edit(by=ana, last_name="Okonkwo-Diaz")
    contact.edit(by=ana, city="Reno")
    contact.edit(by=ana, city="Austin")
    work()
    assert [run.state for run in runs.all()] == ["done", "skipped"]
    scope = runs.all()[0].scope
    assert (scope["old"], scope["new"], scope["event"]["by"]) == ({"city": ""}, {"city": "Reno"}, "Ana")


def test_a_change_of_owner_or_of_a_custom_field_is_asked_for_by_its_name(contact, location, northgate, ana, runs):
    dana = RemoteUser.objects.create(location=location, remote_id="u1", name="Dana")
    for key in ("roof_age", "roof_kind"):
        CustomField.objects.create(location=location, remote_id=f"id_{key}", name=key, key=f"contact.{key}")
    owned = switched_on(northgate, line("contact_changed", changed="owner"), TAG, name="Owned")
    aged = switched_on(northgate, line("contact_changed", changed="roof_age"), TAG, name="Aged")
    contact.edit(by=ana, owner=dana)
    contact.edit(by=ana, custom_values={"id_roof_kind": "Metal"})
    contact.edit(by=ana, custom_values={"id_roof_kind": "Metal", "id_roof_age": 12})
    work()
    assert [(run.rule, run.scope["new"]) for run in runs.all()] == [
        (owned, {"owner_remote_id": "u1", "owner": "Dana"}), (aged, {"roof_age": 12}),
    ]  # fmt: skip
    wrong = shape.problems(spec(line("contact_changed", changed="shoe_size"), TAG), northgate)
    assert [one.where for one in wrong] == ["trigger.changed"]


def test_only_what_the_chosen_actors_did(contact, northgate, ana, known, runs):
    switched_on(northgate, line("contact_changed", by=["ghl"]), TAG)
    contact.edit(by=ana, city="Reno")
    told_by_ghl(contact, city=["", "Austin"])
    work()
    assert [run.scope["new"]["city"] for run in runs.all()] == ["Austin"]


def test_nothing_from_before_it_was_switched_on(contact, northgate, ana, runs):
    contact.edit(by=ana, city="Reno")
    switched_on(northgate, line("contact_changed"), TAG)
    work()
    assert not runs.exists()


def test_a_first_reading_is_no_news(contact, northgate, runs):
    switched_on(northgate, line("contact_added"), TAG)
    told_by_ghl(contact, "contact_added")
    work()
    assert not runs.exists()


def test_nor_is_what_a_later_reading_finds_of_older_things(contact, northgate, known, runs):
    switched_on(northgate, line("contact_added"), TAG)
    told_by_ghl(contact, "contact_added", ago=timedelta(days=3))
    told_by_ghl(contact, "contact_added", ago=timedelta(hours=3))
    work()
    assert runs.count() == 1


def test_the_rules_of_another_business_take_no_notice(contact, cy, ana, runs):
    switched_on(cy.businesses.get(), line("contact_changed"), TAG)
    contact.edit(by=ana, city="Reno")
    work()
    assert not runs.exists()


def test_a_line_that_appears_late_is_not_missed(contact, northgate, ana, runs):
    """Looked at twice, and one run all the same."""
    switched_on(northgate, line("contact_changed"), TAG)
    contact.edit(by=ana, city="Reno")
    follow()
    follow()
    assert runs.count() == 1


# --- GHL's own triggers -----------------------------------------------------------------------------------------------


def test_a_completed_task_is_one_run_though_the_webhook_tells_of_it_too(contact, northgate, ana, known, runs):
    task = Task(contact=contact, location=contact.location, title="Call back", due_at=timezone.now())
    task.create(by=None)
    rule = switched_on(northgate, webhook("TaskComplete"), TAG)
    task.complete(by=ana)
    ghl_tells(contact.location, "TaskComplete", contactId=contact.remote_id)
    work()
    assert [(run.rule, run.state, run.scope["task"]["title"]) for run in runs.all()] == [(rule, "done", "Call back")]


def test_do_not_disturb_is_told_apart_from_other_fields(contact, northgate, ana, runs):
    switched_on(northgate, webhook("ContactDndUpdate"), TAG)
    contact.edit(by=ana, city="Reno")
    contact.edit(by=ana, dnd=True)
    work()
    assert [run.scope["new"] for run in runs.all()] == [{"dnd": True}]


def test_an_opportunity_that_moved_begins_a_rule_with_what_ghl_sent(contact, northgate, runs):
    switched_on(northgate, webhook("OpportunityStatusUpdate"), TAG,
                any_of=[[{"what": "event.status", "is": "is", "value": "won"}]])  # fmt: skip
    ghl_tells(contact.location, "OpportunityStatusUpdate", contactId=contact.remote_id, status="won", id="o1")
    ghl_tells(contact.location, "OpportunityStatusUpdate", contactId=contact.remote_id, status="lost", id="o2")
    work()
    assert [(run.contact, run.state) for run in runs.all()] == [(contact, "done"), (contact, "skipped")]


def test_an_invoice_names_its_location_and_contact_in_its_own_way(contact, northgate, runs):
    switched_on(northgate, webhook("InvoicePaid"), TAG)
    body = {"type": "InvoicePaid", "altId": contact.location.remote_id, "altType": "location", "_id": "i1",
            "contactDetails": {"id": contact.remote_id}, "total": 120}  # fmt: skip
    news.store(json.dumps(body).encode())
    work()
    assert [(run.contact, run.state) for run in runs.all()] == [(contact, "done")]


def test_a_webhook_of_another_businesses_location_is_left_alone(contact, cy, runs):
    switched_on(cy.businesses.get(), webhook("OpportunityCreate"), TAG)
    ghl_tells(contact.location, "OpportunityCreate", contactId=contact.remote_id)
    work()
    assert not runs.exists()


def test_a_run_waits_for_a_contact_that_is_not_known_here_yet(location, northgate, runs):
    switched_on(northgate, webhook("OpportunityCreate"), TAG)
    ghl_tells(location, "OpportunityCreate", contactId="conNew00000000000001")
    work()
    assert (runs.get().state, runs.get().sentence) == ("queued", "Waits until the contact is known here.")
    new = Contact.objects.create(location=location, remote_id="conNew00000000000001", first_name="New")
    runs.update(next_at=timezone.now())
    work()
    assert (runs.get().state, runs.get().contact) == ("done", new)


def test_the_same_webhook_delivered_again_is_no_second_run(contact, northgate, runs):
    switched_on(northgate, webhook("OpportunityCreate"), TAG)
    for _ in range(2):
        ghl_tells(contact.location, "OpportunityCreate", contactId=contact.remote_id, webhookId="w1")
    work()
    assert (InboundEvent.objects.count(), runs.count()) == (1, 1)


# --- the ERP ----------------------------------------------------------------------------------------------------------


def test_only_events_of_its_type(erp, contact, northgate, runs):
    switched_on(northgate, erp_says("invoice.overdue"), TAG)
    erp.send("/events", event("evt-1", type="invoice.paid"))
    erp.send("/events", event("evt-2", type="invoice.overdue"))
    work()
    assert [run.scope["event"]["type"] for run in runs.all()] == ["invoice.overdue"]


def test_tasks_and_customers_of_the_erp_begin_rules_too(erp, contact, northgate, runs):
    switched_on(northgate, erp_says("customer.sent"), TAG)
    marisol = {"reference": "CUST-1042", "email": "marisol@example.com", "fields": {"city": "Reno"}}
    erp.send("/customers", marisol, "PUT")
    work()
    assert (runs.get().state, runs.get().scope["event"]["city"]) == ("done", "Reno")


def test_an_event_that_waited_for_somebody_to_say_whom_it_is_about_begins_it_then(erp, contact, northgate, runs):
    switched_on(northgate, erp_says("invoice.paid"), TAG)
    erp.send("/events", event("evt-1", subject={"reference": "CUST-9"}))
    work()
    assert not runs.exists()
    strangers.link(Stranger.objects.get(), contact)
    work_erp()
    work()
    assert (runs.get().contact, runs.get().state) == (contact, "done")


def test_another_businesses_erp_begins_nothing_here(strange_erp, contact, northgate, runs):
    switched_on(northgate, erp_says("invoice.paid"), TAG)
    strange_erp.send("/events", event("evt-1"))
    work()
    assert not runs.exists()


def test_an_event_that_could_not_be_applied_leaves_no_run(erp, contact, northgate, runs):
    switched_on(northgate, erp_says("note.sent"), TAG)
    Location.objects.update(is_editable=False)
    note = {"reference": "N1", "customer": {"email": contact.email}, "body": "Called"}
    assert erp.send("/notes", note)["state"] == "failed"
    work()
    assert not runs.exists() and not Note.objects.exists()


# --- a contact that is gone -------------------------------------------------------------------------------------------


def test_of_a_deleted_contact_a_colleague_can_be_told_and_nothing_else_is_done(contact, northgate, ada, ana, runs):
    tell = {"do": "notify", "values": {"who": "admins", "text": "{{ contact.name }} was deleted by {{ event.by }}"}}
    switched_on(northgate, line("contact_deleted"), tell, TAG)
    contact.delete_here(by=ana, undo_s=0)
    work()
    assert (runs.get().state, runs.get().sentence) == ("failed", "The contact has been deleted.")
    assert ada.reminders.get().text == "Marisol Okonkwo was deleted by Ana"


def test_a_contact_that_was_deleted_meanwhile_is_skipped_and_is_no_failure(contact, northgate, ana, runs):
    switched_on(northgate, line("contact_changed"), TAG)
    contact.edit(by=ana, city="Reno")
    follow()
    contact.delete_here(by=ana, undo_s=0)
    work()
    assert (runs.get().state, runs.get().sentence) == ("skipped", "The contact has been deleted.")
