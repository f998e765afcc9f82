"""Everything a rule can do, done: here, and by GHL's own operations in the sandbox."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from contacts.models import Appointment, Calendar, CustomField, Note, Reminder, RemoteUser, Task
from integrations import outgoing
from integrations.automations import actions, due, feeding
from integrations.models import Connection, OperationRun, OutgoingDelivery, OutgoingHook
from tests.integrations.automations.conftest import hurry, switched_on, work
from tests.integrations.delivering import deliver_all, somebody, writes

pytestmark = pytest.mark.django_db

BUTTON = {"kind": "button", "label": "Go"}


def pressed(contact, do, by="Ana", **values):
    """The run of a rule that does just this."""
    rule = switched_on(contact.business, BUTTON, {"do": do, "values": values})
    run = feeding.press(rule, contact, by)
    work()
    run.refresh_from_db()
    return run


def done(contact, do, **values):
    run = pressed(contact, do, **values)
    assert (run.state, run.sentence) == ("done", "")
    return run


def failed(contact, do, **values):
    run = pressed(contact, do, **values)
    assert run.state == "failed"
    return run.sentence


@pytest.fixture
def dana(location):
    return RemoteUser.objects.create(location=location, remote_id="u1", name="Dana", email="dana@example.com")


@pytest.fixture
def task(contact):
    row = Task(contact=contact, location=contact.location, title="Send the quote", due_at=timezone.now())
    row.create(by=None)
    return row


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_a_task_for_the_owner_two_working_days_from_now(contact, dana):
    contact.edit(by=None, owner=dana)
    done(contact, "create_task", title="Chase {{ contact.first_name }}", due="2 working days", assignee="owner")
    made = contact.tasks.get()
    assert (made.title, made.assignee) == ("Chase Marisol", dana)
    assert made.due_at > timezone.now() + timedelta(days=1)


def test_a_task_for_somebody_by_address_whatever_the_location(contact, dana):
    done(contact, "create_task", title="Chase", assignee="email:dana@example.com")
    assert contact.tasks.get().assignee == dana


def test_a_task_for_somebody_who_is_not_there_is_refused_in_words(contact):
    assert "eve@example.com" in failed(contact, "create_task", title="Chase", assignee="email:eve@example.com")


def test_a_title_that_comes_out_empty_is_refused(contact):
    assert "The title is empty" in failed(contact, "create_task", title="{{ event.nothing }}")


def test_the_newest_open_task_with_such_a_title(contact, task):
    done(contact, "update_task", which="newest", like="quote", title="Send the better quote", due="2030-05-06")
    task.refresh_from_db()
    assert task.title == "Send the better quote"
    assert task.due_at == datetime(2030, 5, 6, 22, tzinfo=UTC)  # the end of the day in Chicago


def test_completing_and_deleting_a_task(contact, task):
    done(contact, "complete_task", which="newest", like="quote")
    task.refresh_from_db()
    assert task.completed
    task.reopen(by=None)
    done(contact, "delete_task", which="newest", like="quote")
    task.refresh_from_db()
    assert task.deleted_at


def test_another_contacts_task_is_not_touched(contact, task, location):
    other = type(contact).objects.create(location=location, first_name="Other")
    assert "no such task" in failed(other, "complete_task", which="newest", like="quote")


# --- notes, history ---------------------------------------------------------------------------------------------------


def test_a_note_written_and_changed(contact):
    done(contact, "create_note", body="Owes {{ contact.name }}")
    done(contact, "update_note", which="newest", like="Owes", body="Paid")
    assert Note.objects.get().body == "Paid"


def test_a_line_of_history_with_a_link(contact):
    done(contact, "link_to_history", title="ERP note 7", detail="Called", link="https://erp.example.com/7")
    line = contact.history.get(kind="erp_event")
    assert (line.title, line.link, line.cause.kind) == ("ERP note 7", "https://erp.example.com/7", "rule_run")


def test_a_link_that_is_none_is_refused(contact):
    assert "no web address" in failed(contact, "link_to_history", title="x", link="javascript:alert(1)")


# --- the contact ------------------------------------------------------------------------------------------------------


def test_tags_come_and_go(contact):
    done(contact, "add_tags", tags=["Late", "{{ contact.last_name }}"])
    contact.refresh_from_db()
    assert contact.tags == ["insurance", "late", "okonkwo"]
    done(contact, "remove_tags", tags=["late", "insurance"])
    contact.refresh_from_db()
    assert contact.tags == ["okonkwo"]


def test_a_tag_that_is_there_already_is_no_failure(contact):
    assert done(contact, "add_tags", tags=["insurance"]).steps[0]["sentence"] == "It was so already."


def test_fields_are_set_as_their_types_want_them(contact, location):
    CustomField.objects.create(location=location, remote_id="cf1", name="Roof age", key="contact.roof_age",
                               data_type="NUMERICAL")  # fmt: skip
    pairs = [("city", "Reno"), ("phone", "(312) 555-0199"), ("roof_age", "12"), ("date_of_birth", "1980-02-03")]
    done(contact, "update_contact", fields=[{"field": name, "value": value} for name, value in pairs])
    contact.refresh_from_db()
    assert (contact.city, contact.custom_values, contact.date_of_birth) == ("Reno", {"cf1": 12}, date(1980, 2, 3))
    assert contact.phone == "+13125550199"


@pytest.mark.parametrize("name, value", [("email", "no address"), ("phone", "12"), ("no_such_field", "x")])
def test_a_value_that_does_not_fit_is_refused_and_nothing_is_set(contact, name, value):
    sentence = failed(contact, "update_contact", fields=[{"field": "city", "value": "Reno"},
                                                         {"field": name, "value": value}])  # fmt: skip
    contact.refresh_from_db()
    assert sentence and contact.city == ""


def test_the_owner_is_set_and_taken_away(contact, dana):
    done(contact, "assign_owner", owner="email:dana@example.com")
    contact.refresh_from_db()
    assert contact.owner == dana
    done(contact, "assign_owner", owner="nobody")
    contact.refresh_from_db()
    assert contact.owner is None


def test_a_deleted_contact_is_left_alone(contact):
    contact.delete_here(by=None, undo_s=0)
    run = pressed(contact, "add_tags", tags=["late"])
    assert (run.state, run.sentence) == ("skipped", "The contact has been deleted.")


# --- appointments -----------------------------------------------------------------------------------------------------


def test_an_appointment_booked_and_called_off(contact, dana):
    Calendar.objects.create(location=contact.location, remote_id="cal1", name="Roofs")
    done(contact, "create_appointment", calendar="cal1", start="2030-05-06T09:00", minutes="45", title="Inspection",
         assignee="nobody")  # fmt: skip
    booked = Appointment.objects.get()
    assert booked.starts_at.isoformat() == "2030-05-06T14:00:00+00:00"
    assert booked.ends_at - booked.starts_at == timedelta(minutes=45)
    done(contact, "update_appointment", which="next", status="cancelled")
    booked.refresh_from_db()
    assert booked.status == "cancelled"


def test_a_calendar_of_another_location_and_a_time_that_has_passed_are_refused(contact):
    assert "calendar" in failed(contact, "create_appointment", calendar="cal9", start="2030-05-06T09:00")
    Calendar.objects.create(location=contact.location, remote_id="cal1", name="Roofs")
    assert "passed" in failed(contact, "create_appointment", calendar="cal1", start="2020-05-06T09:00")


# --- people, the ERP --------------------------------------------------------------------------------------------------


def test_colleagues_are_told_in_their_bell(contact, ada, ana, max_, as_user):
    done(contact, "notify", who="admins", text="{{ contact.name }} waits")
    told = Reminder.objects.get()
    assert (told.user, told.contact, told.text) == (ada, contact, "Marisol Okonkwo waits")
    bell = as_user(ada).get("/reminders/", headers={"HX-Request": "true"}).content.decode()
    assert "Marisol Okonkwo waits" in bell and contact.get_absolute_url() in bell
    assert "waits" not in as_user(ana).get("/reminders/", headers={"HX-Request": "true"}).content.decode()


def test_an_owner_who_is_no_member_here_cannot_be_told(contact, dana):
    contact.edit(by=None, owner=dana)
    assert "Dana is no member here" in failed(contact, "notify", who="owner", text="Look")


def test_the_erp_is_told_by_its_webhook_with_the_contact_and_the_values(contact, ada):
    hook = OutgoingHook.objects.make(contact.business, ada, name="ERP", url="https://erp.example.com/hook")
    values = [{"field": "noteContent", "value": "{{ contact.first_name }} called"}]
    done(contact, "call_webhook", hook=str(hook.pk), type="note.created", data=values)
    told = OutgoingDelivery.objects.get(type="note.created")
    assert '"noteContent":"Marisol called"' in told.body and '"email":"marisol@example.com"' in told.body
    assert told.cause.startswith("rule run ")


def test_another_businesses_webhook_cannot_be_called(contact, cy):
    strange = OutgoingHook.objects.make(cy.businesses.get(), cy, name="ERP", url="https://erp.example.com/hook")
    assert "removed" in failed(contact, "call_webhook", hook=str(strange.pk), type="note.created")
    assert not outgoing.hooks_of(contact.business).exists()


# --- by GHL's operations ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_follower_is_added_by_ghls_own_operation_and_the_step_waits_for_it(synced, sandbox):
    person = somebody(synced)
    who = RemoteUser.objects.filter(location=person.location).exclude(email="").first()
    run = done(person, "add_follower", who=f"email:{who.email.lower()}")
    asked = OperationRun.objects.get()
    assert (asked.state, asked.cause) == ("done", f"rule run {run.pk}, step 1")
    assert run.steps[0]["operation"] == asked.pk
    assert len(writes(sandbox, "POST", "/followers")) == 1


@pytest.mark.django_db(transaction=True)
def test_any_operation_of_the_catalogue_knows_which_contact_is_meant(synced, sandbox):
    person = somebody(synced)
    run = pressed(person, "operation", **{"key": "contacts.create-note", "body.body": "By {{ event.by }}"})
    deliver_all()
    hurry()
    work()
    run.refresh_from_db()
    assert (run.state, run.sentence) == ("done", "")
    note = person.notes.get(body="By Ana")
    line = note.history.get(kind="note_added")
    assert (line.actor_kind, line.cause) == ("rule", run.line)


@pytest.mark.django_db(transaction=True)
def test_what_ghl_refuses_fails_with_its_words_and_asked_again_is_another_request(synced, sandbox):
    person = somebody(synced)
    fault = {"match": {"method": "POST", "path": "/workflow/", "times": 1},
             "action": {"status": 422, "body": {"message": "No such workflow"}}}  # fmt: skip
    sandbox.faults(fault)
    run = pressed(person, "add_to_workflow", workflow="wf1", name="Welcome")
    assert (run.state, run.steps[0]["state"]) == ("failed", "failed")
    assert run.sentence
    assert run.replay()
    work()
    assert list(OperationRun.objects.order_by("pk").values_list("cause", flat=True)) == [
        f"rule run {run.pk}, step 1", f"rule run {run.pk}, step 1, try 2",
    ]  # fmt: skip


def test_without_a_connection_ghls_operations_say_so(contact):
    assert failed(contact, "add_to_workflow", workflow="wf1") == "No location is connected."
    assert not Connection.objects.exists()


# --- all of them ------------------------------------------------------------------------------------------------------


def test_every_action_says_what_is_missing_and_reads_as_a_sentence(northgate):
    for key, action in actions.ACTIONS.items():
        assert action.say({}, northgate), key
        needs = [each.name for each in action.inputs_with({}, northgate) if each.required and not each.default]
        assert {name for name, _sentence in action.check({}, northgate)} >= set(needs), key


def test_an_unknown_value_is_a_slip_of_the_pen(northgate):
    found = actions.ACTIONS["create_note"].check({"body": "x", "titel": "y"}, northgate)
    assert [name for name, _sentence in found] == ["titel"]


@pytest.mark.parametrize("text, days", [("today", 0), ("tomorrow", 1), ("3 days", 3), ("in 2 weeks", 14)])
def test_when_something_is_due(location, text, days):
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert due.moment(text, location, now).date() == date(2026, 11, 23) + timedelta(days=days)


@pytest.mark.parametrize("text, day", [("1 working day", 30), ("2 working days", 31)])
def test_working_days_leave_out_the_weekend(location, text, day):
    friday = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert due.moment(text, location, friday).day == day


@pytest.mark.parametrize("text", ["soon", "2 moons", "2026-02-30", "99999 days"])
def test_what_is_no_time(location, text):
    assert due.check(text)
