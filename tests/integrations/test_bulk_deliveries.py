"""Edits of a bulk action on their way to GHL: they let the edits of people pass."""

import pytest

from contacts.listing import bulk
from contacts.models import BulkAction, Change, Contact
from integrations import tasks
from integrations.models import Delivery
from integrations.writing import writeback

pytestmark = pytest.mark.django_db


@pytest.fixture
def edits(ana, location, contact):
    """A bulk change of Marisol, and beside it a person's edit of Ray."""
    ray = Contact.objects.create(location=location, remote_id="conRay", first_name="Ray")
    action = BulkAction.objects.create(
        made_by=ana, kind="add_tags", values={"tags": ["x"]}, picked=[contact.pk], total=1, until=ray.pk
    )
    bulk.work(action.pk)
    ray.edit(by=ana, city="Chicago")
    return [writeback.delivery_for(change).pk for change in Change.objects.order_by("pk")]


def test_they_wait_in_a_line_of_their_own(edits):
    in_bulk, persons = edits
    assert writeback.waiting_deliveries() == [persons]
    assert writeback.waiting_in_bulk() == [in_bulk]


def test_a_person_who_edits_the_same_record_takes_them_along(edits, ana, contact):
    contact.refresh_from_db()
    writeback.delivery_for(contact.edit(by=ana, city="Boston"))
    assert set(writeback.waiting_deliveries()) == set(edits)
    assert writeback.waiting_in_bulk() == []


def test_a_bulk_edit_of_what_a_person_just_edited_holds_nobody_up(edits, ana):
    ray = Contact.objects.get(first_name="Ray")
    action = BulkAction.objects.create(
        made_by=ana, kind="add_tags", values={"tags": ["x"]}, picked=[ray.pk], total=1, until=ray.pk
    )
    bulk.work(action.pk)
    writeback.delivery_for(Change.objects.latest("pk"))
    assert not Delivery.objects.get(pk=edits[1]).in_bulk


def test_the_sweeper_rings_for_actions_that_are_due(ana, contact, monkeypatch):
    action = BulkAction.objects.create(made_by=ana, kind="add_tags", values={"tags": ["x"]}, picked=[contact.pk])
    rung = []
    monkeypatch.setattr(tasks, "ring", lambda task, pk, after=0.0: rung.append((task.name, pk)))
    tasks.sweep()
    assert ("contacts.tasks.work_bulk", action.pk) in rung
