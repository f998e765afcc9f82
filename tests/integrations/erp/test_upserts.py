"""Customers, tasks and notes of the ERP become contacts, tasks and notes here, and go on to GHL."""

from datetime import UTC, datetime

import pytest

from contacts.models import Change, Contact, CustomField, ExternalId, Location, Note, RemoteUser, Task
from tests.integrations.erp.conftest import work

pytestmark = pytest.mark.django_db

CUSTOMER = {"reference": "CUST-1042", "first_name": "Marisol", "last_name": "Okonkwo", "email": "marisol@example.com"}
TASK = {
    "reference": "T-77",
    "customer": {"reference": "CUST-1042", "email": "marisol@example.com"},
    "taskName": "Chase invoice 8841",
    "dueDate": "2026-12-01",
    "status": "open",
}
NOTE = {
    "reference": "N-5",
    "customer": {"reference": "CUST-1042", "email": "marisol@example.com"},
    "noteContent": "Paid",
}


# --- customers --------------------------------------------------------------------------------------------------------


def test_a_new_customer_becomes_a_contact_on_its_way_to_ghl(erp, location):
    became = erp.send("/customers", {**CUSTOMER, "phone": "(312) 555-0148", "company": "Halden & Pryce"})
    contact = Contact.objects.get()
    assert (became["state"], became["contact_id"]) == ("handled", contact.pk)
    assert became["change"] == {"state": "queued", "sentence": ""}
    assert (contact.name, contact.phone, contact.company_name) == ("Marisol Okonkwo", "+13125550148", "Halden & Pryce")
    change = contact.changes.get()
    assert (change.verb, change.actor_kind, change.made_by) == ("create", "erp", None)
    assert contact.history.get().actor_name == "Northwind ERP"


def test_a_customer_who_is_here_already_is_linked_and_updated(erp, contact):
    became = erp.send("/customers", {**CUSTOMER, "last_name": "Okonkwo-Reyes", "fields": {"city": "Chicago"}}, "PUT")
    contact.refresh_from_db()
    assert became["contact_id"] == contact.pk
    assert (contact.last_name, contact.city) == ("Okonkwo-Reyes", "Chicago")
    assert contact.changes.get().values == {"last_name": "Okonkwo-Reyes", "city": "Chicago"}


def test_what_is_the_same_is_no_edit(erp, contact):
    became = erp.send("/customers", {**CUSTOMER, "phone": "(312) 555-0148"})
    assert (became["state"], became["change"], became["reason"]) == ("handled", None, "")
    assert not Change.objects.exists()


def test_custom_fields_go_by_their_key_or_their_name(erp, contact, location):
    for number, (name, kind) in enumerate([("Roof type", "TEXT"), ("Credit limit", "NUMERICAL")]):
        CustomField.objects.create(
            location=location, remote_id=f"fld{number}", name=name, key=f"contact.f{number}", data_type=kind
        )
    contact.custom_values = {"fldOther": "stays"}
    contact.save()
    erp.send("/customers", {**CUSTOMER, "fields": {"Roof type": "Slate", "f1": 12400}})
    contact.refresh_from_db()
    assert contact.custom_values == {"fldOther": "stays", "fld0": "Slate", "fld1": 12400}
    assert contact.changes.get().values == {"custom_values": {"fld0": "Slate", "fld1": 12400}}


def test_what_cannot_be_taken_is_said_and_the_rest_is_taken(erp, contact):
    told = {**CUSTOMER, "company": "Elsewhere", "fields": {"city": "Chicago", "shoe_size": 41, "country": "Atlantis"}}
    became = erp.send("/customers", told)
    contact.refresh_from_db()
    assert became["state"] == "handled"
    for words in ("company: Can be changed only in GHL.", "shoe_size: no field is called that.", "country: No country"):
        assert words in became["reason"]
    assert (contact.city, contact.company_name) == ("Chicago", "")


def test_of_several_locations_one_must_be_named(erp, location, northgate):
    other = Location.objects.create(business=northgate, remote_id="locTwo", name="Two")
    became = erp.send("/customers", CUSTOMER)
    assert became["state"] == "failed"
    assert "several locations" in became["reason"]
    erp.send("/customers", {**CUSTOMER, "location": "locTwo"})
    assert Contact.objects.get().location == other


def test_a_location_of_somebody_else_is_none(erp, location, cy):
    theirs = Location.objects.create(business=cy.businesses.get(), remote_id="locInitech", name="Initech")
    assert erp.send("/customers", {**CUSTOMER, "location": theirs.remote_id})["state"] == "failed"
    assert not Contact.objects.exists()


def test_a_read_only_location_says_why_and_it_can_be_tried_again(erp, contact, location, max_, as_user):
    location.is_editable, location.not_editable_because = False, "GHL lets us only look."
    location.save()
    became = erp.send("/customers", {**CUSTOMER, "last_name": "New"})
    assert (became["state"], became["reason"]) == ("failed", "GHL lets us only look.")
    location.is_editable = True
    location.save()
    page = as_user(max_)
    assert "GHL lets us only look." in page.get("/unmatched/").content.decode()
    event = contact.business.erp_events.get()
    page.post(f"/unmatched/events/{event.pk}/again/")
    work()
    assert erp.became(became["id"])["state"] == "handled"


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_a_task_of_the_erp_stands_on_the_contact(erp, contact, location):
    dana = RemoteUser.objects.create(location=location, remote_id="usrDana", name="Dana", email="dana@example.com")
    became = erp.send("/tasks", {**TASK, "assignee": "Dana@example.com"})
    task = Task.objects.get()
    assert became["change"]["state"] == "queued"
    assert (task.contact, task.title, task.completed, task.assignee) == (contact, "Chase invoice 8841", False, dana)
    assert task.due_at == datetime(2026, 12, 1, 23, tzinfo=UTC)  # the end of that day's work in Chicago
    assert ExternalId.objects.get(kind="task").value == "T-77"


def test_the_same_reference_updates_it(erp, contact):
    erp.send("/tasks", TASK)
    erp.send("/tasks", {**TASK, "status": "Completed", "dueDate": "2026-12-02T10:00:00-06:00"})
    task = Task.objects.get()
    assert (task.completed, task.due_at) == (True, datetime(2026, 12, 2, 16, tzinfo=UTC))
    assert [change.verb for change in task.changes.order_by("pk")] == ["create", "update"]


def test_an_older_version_of_a_task_changes_nothing(erp, contact):
    erp.send("/tasks", {**TASK, "version": 3, "taskName": "Three"})
    late = erp.send("/tasks", {**TASK, "version": 2})
    assert late["state"] == "superseded"
    assert Task.objects.get().title == "Three"


def test_a_task_without_a_reference_needs_an_idempotency_key(erp, contact):
    body = {name: value for name, value in TASK.items() if name != "reference"}
    refused = erp.ask("POST", "/tasks", body)
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "reference")
    for _ in range(2):
        erp.send("/tasks", body, **{"Idempotency-Key": "once"})
    assert Task.objects.count() == 1


def test_a_task_deleted_here_stays_deleted(erp, contact):
    erp.send("/tasks", TASK)
    Task.objects.get().delete_here(by=None, undo_s=0)
    became = erp.send("/tasks", {**TASK, "status": "done"})
    assert (became["state"], became["reason"]) == ("handled", "It was deleted since, and stays so.")
    assert Task.objects.present().count() == 0


def test_a_task_without_a_title_says_so(erp, contact):
    body = {name: value for name, value in TASK.items() if name != "taskName"}
    became = erp.send("/tasks", body)
    assert (became["state"], became["reason"], became["contact_id"]) == (
        "failed",
        "A new task needs a title.",
        contact.pk,
    )


# --- notes ------------------------------------------------------------------------------------------------------------


def test_an_erp_note_is_a_note_with_an_erp_id(erp, contact):
    erp.send("/notes", NOTE)
    erp.send("/notes", {**NOTE, "noteContent": "Paid in full"})
    note = Note.objects.get()
    assert (note.contact, note.body) == (contact, "Paid in full")
    assert erp.get("/notes")["items"][0]["references"] == [{"system": "erp", "value": "N-5"}]
    assert [event.actor_kind for event in contact.history.all()] == ["erp", "erp"]


# --- reads ------------------------------------------------------------------------------------------------------------


def test_what_moved_is_read_page_by_page_and_gone_on_with_later(erp, location):
    for number in range(5):
        Contact.objects.create(location=location, first_name=f"Contact {number}")
    seen, after = [], ""
    for _ in range(3):
        page = erp.get(f"/contacts?limit=2&after={after}")
        seen += [row["first_name"] for row in page["items"]]
        after = page["next"]
    assert seen == [f"Contact {number}" for number in range(5)]
    assert page["has_more"] is False
    moved = Contact.objects.get(first_name="Contact 1")
    moved.edit(by=None, city="Chicago")
    assert [row["city"] for row in erp.get(f"/contacts?after={after}")["items"]] == ["Chicago"]
    assert len(erp.get(f"/contacts?updated_since={moved.updated_at.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}")["items"]) == 1


def test_a_deleted_contact_is_told_as_deleted(erp, contact):
    contact.delete_here(by=None, undo_s=0)
    assert erp.get(f"/contacts/{contact.pk}")["deleted"] is True


@pytest.mark.parametrize("query, field", [
    ("after=zzz", "after"), ("limit=0", "limit"), ("limit=201", "limit"), ("updated_since=yesterday", "updated_since"),
    ("updated_since=2026-11-20T14:00:00", "updated_since"), ("contact_id=x", "contact_id"),
])  # fmt: skip
def test_a_question_that_makes_no_sense_is_named(query, field, erp):
    answer = erp.ask("GET", f"/contacts?{query}")
    assert (answer.status_code, [one["field"] for one in answer.json()["fields"]]) == (422, [field])


@pytest.mark.parametrize("what", ["contacts", "tasks", "notes", "history"])
def test_a_page_costs_the_same_few_queries_however_long(what, erp, contact, location, django_assert_max_num_queries):
    for number in range(20):
        Contact.objects.create(location=location, first_name=f"Contact {number}")
        Note(contact=contact, location=location, body="x").create(by=None)
        Task(contact=contact, location=location, title="x").create(by=None)
    with django_assert_max_num_queries(7):
        assert len(erp.get(f"/{what}")["items"]) >= 20
