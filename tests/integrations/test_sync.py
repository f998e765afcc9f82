from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Appointment, Change, Contact, HistoryEvent, Note, Task
from integrations.management.commands.sync import wait_for
from integrations.models import SyncRun
from integrations.reading import sync

pytestmark = pytest.mark.django_db(transaction=True)


def read(connection, kind=None):
    run = wait_for(sync.start(connection, kind))
    assert run.outcome == "complete", run.stop_reason
    return run


def counts_here():
    return {model.__name__: model.objects.present().count() for model in (Contact, Task, Note, Appointment)}


def test_a_first_sync_brings_everything(synced, sandbox):
    there = sandbox.get("state")
    here = counts_here()
    assert here["Contact"] == there["contacts"]
    assert here["Task"] == there["tasks"]
    assert here["Note"] == there["notes"]
    assert here["Appointment"] == there["appointments"]


def test_a_first_sync_asks_no_more_than_it_must(connection, sandbox):
    run = read(connection)
    n, companies, calendars = 40, 1, 4
    assert run.requests == 5 + companies + 1 + 1 + calendars + n


def test_a_second_sync_writes_nothing(synced):
    before = list(Contact.objects.order_by("pk").values_list("updated_at", flat=True))
    events = HistoryEvent.objects.count()
    read(synced)
    read(synced, "full")
    assert list(Contact.objects.order_by("pk").values_list("updated_at", flat=True)) == before
    assert HistoryEvent.objects.count() == events


def test_an_edit_in_ghl_arrives_with_its_history(synced, sandbox):
    contact = Contact.objects.exclude(email="").first()
    sandbox.edit("contact", "update", contact.remote_id, firstName="Zoë")
    read(synced)
    old = contact.first_name
    contact.refresh_from_db()
    assert contact.first_name == "Zoë"
    event = contact.history.latest("pk")
    assert event.kind == "contact_changed"
    assert event.changes == {"first_name": [old, "Zoë"]}
    assert event.actor_kind == "ghl"


def test_a_contact_deleted_in_ghl_is_gone_after_a_full_sync(synced, sandbox, settings):
    settings.GHL_SETTLE_S = 0.0
    contact = Contact.objects.first()
    sandbox.edit("contact", "delete", contact.remote_id)
    read(synced, "full")
    contact.refresh_from_db()
    assert contact.deleted_at is not None
    assert contact.history.filter(kind="contact_deleted").count() == 1


def test_a_task_deleted_in_ghl_is_gone_after_the_next_sync(synced, sandbox, settings):
    settings.GHL_SETTLE_S = 0.0
    task = Task.objects.present().first()
    sandbox.edit("task", "delete", task.remote_id)
    read(synced)
    task.refresh_from_db()
    assert task.deleted_at is not None


def test_a_field_with_an_unsettled_edit_is_left_alone_and_the_others_are_taken(synced, sandbox, ana):
    contact = Contact.objects.exclude(email="").first()
    contact.edit(by=ana, city="Springfield")
    sandbox.edit("contact", "update", contact.remote_id, city="Shelbyville", state="IL")
    read(synced)
    contact.refresh_from_db()
    assert (contact.city, contact.state) == ("Springfield", "IL")


def test_a_killed_run_goes_on_where_it_was(synced, connection):
    run = sync.start(connection, "full")
    first = SyncRun.objects.claim(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    run = wait_for(run)
    assert run.outcome == "complete"
    assert run.fence == first.fence + 1
    assert not first.release(stop_reason="late")


def test_nothing_is_removed_when_a_listing_lacks_many(synced, sandbox, settings):
    settings.GHL_SETTLE_S = 0.0
    for contact in Contact.objects.all()[:25]:
        sandbox.edit("contact", "delete", contact.remote_id)
    read(synced, "full")
    assert Contact.objects.present().count() == 40


def test_reading_one_contact_takes_four_requests_and_marks_it_fresh(synced, sandbox):
    contact = Contact.objects.first()
    run = wait_for(sync.start_contact(contact))
    assert (run.outcome, run.requests) == ("complete", 4)
    assert not sync.is_stale(contact)


def test_with_read_access_to_contacts_alone_everything_still_comes(sandbox, ada, northgate):
    from integrations.ghl.scopes import WANTED
    from tests.sandbox_control import consent

    connection = consent(ada, northgate, sandbox, without=set(WANTED) - {"contacts.readonly"})
    assert "contacts.write" not in connection.scopes
    read(connection)
    there = sandbox.get("state")
    here = counts_here()
    assert here == {
        "Contact": there["contacts"], "Task": there["tasks"], "Note": there["notes"],
        "Appointment": there["appointments"],
    }  # fmt: skip
    connection.location.refresh_from_db()
    assert not connection.location.is_editable
    assert "read" in connection.location.not_editable_because


def test_a_run_that_ghl_refuses_parks_the_connection_and_keeps_the_data(synced, sandbox):
    sandbox.post("tokens", {"action": "revoke", "location_id": synced.location.remote_id})
    run = wait_for(sync.start(synced))
    synced.refresh_from_db()
    assert run.outcome == "failed"
    assert synced.status == "needs_reauth"
    assert Contact.objects.present().count() == 40
    assert not Change.objects.exists()


def test_open_edits_of_two_custom_fields_are_both_left_alone(synced, sandbox, ana):
    one, other, third = synced.location.custom_fields.filter(data_type__in=["TEXT", "LARGE_TEXT", "PHONE"])[:3]
    contact = Contact.objects.first()
    contact.edit(by=ana, custom_values={**contact.custom_values, one.remote_id: "mine"})
    contact.edit(by=ana, custom_values={**contact.custom_values, other.remote_id: "mine too"})
    theirs = [{"id": field.remote_id, "value": "theirs"} for field in (one, other, third)]
    sandbox.edit("contact", "update", contact.remote_id, customFields=theirs)
    read(synced)
    contact.refresh_from_db()
    values = [contact.custom_values.get(field.remote_id) for field in (one, other, third)]
    assert values == ["mine", "mine too", "theirs"]


def test_scopes_that_were_taken_from_us_cost_their_bulk_reads_not_the_sync(sandbox, ada, northgate):
    from integrations.access import connect
    from integrations.ghl.scopes import WANTED

    made = sandbox.post("tokens", {"action": "create_pit", "scopes": ["contacts.readonly", "calendars.readonly"]})
    connection = connect.with_token(ada, northgate, made["token"], sandbox.credentials["location_id"])
    connection.scopes = list(WANTED)  # as it was before somebody unticked them in GHL
    connection.save()
    read(connection)
    there, here = sandbox.get("state"), counts_here()
    assert (here["Task"], here["Appointment"]) == (there["tasks"], there["appointments"])
    connection.refresh_from_db()
    assert connection.is_active
    assert not {"locations/tasks.readonly", "users.readonly"} & set(connection.scopes)
