"""Reminders: one row for each task and time, told once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from contacts import tasks
from contacts.day import reminders
from contacts.models import Reminder, RemoteUser, Task
from integrations.monitoring import housekeeping

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def task(clock, contact, ana_in_ghl, add_task):
    return add_task(contact, "Call the adjuster", NOW + timedelta(minutes=1), assignee=ana_in_ghl)


def bell(client):
    return client.get("/reminders/", headers=HTMX).content.decode()


def ring(clock, minutes=1):
    """The clock ticks, and the time of the task has come."""
    reminders.fall_due(timezone.now())
    clock.shift(timedelta(minutes=minutes))


def test_a_task_rings_at_its_time_and_not_before(client_of_ana, task, clock):
    ring(clock, minutes=0)
    assert "Call the adjuster" not in bell(client_of_ana)
    clock.shift(timedelta(minutes=1))
    assert "Call the adjuster" in bell(client_of_ana)


def test_it_is_told_once_and_stays_behind_the_bell(client_of_ana, task, clock):
    ring(clock)
    assert "toast--reminder" in bell(client_of_ana)
    words = bell(client_of_ana)
    assert "toast--reminder" not in words and "Call the adjuster" in words


def test_however_often_the_clock_ticks_there_is_one_row(task, clock):
    for _ in range(3):
        ring(clock)
    assert Reminder.objects.count() == 1


def test_a_task_with_a_new_time_rings_at_the_new_one(client_of_ana, task, ana, clock):
    ring(clock)
    task.edit(by=ana, due_at=NOW + timedelta(hours=1))
    assert "Call the adjuster" not in bell(client_of_ana)
    clock.shift(timedelta(minutes=58))
    ring(clock, minutes=2)
    assert "toast--reminder" in bell(client_of_ana)


@pytest.mark.parametrize("values", [{"completed": True}, {"deleted_at": NOW}, {"assignee": None}])
def test_what_is_done_gone_or_no_longer_mine_is_silent(values, client_of_ana, task, clock):
    ring(clock)
    Task.objects.update(**values)
    assert "Call the adjuster" not in bell(client_of_ana)


def test_put_off_it_rings_again_in_ten_minutes(client_of_ana, task, clock):
    ring(clock)
    bell(client_of_ana)
    answer = client_of_ana.post(f"/reminders/{Reminder.objects.get().pk}/snooze/", headers=HTMX)
    assert "reminders-changed" in answer["HX-Trigger"]
    clock.shift(timedelta(minutes=9))
    assert "Call the adjuster" not in bell(client_of_ana)
    clock.shift(timedelta(minutes=1))
    assert "toast--reminder" in bell(client_of_ana)


def test_put_away_it_is_silent(client_of_ana, task, clock):
    ring(clock)
    client_of_ana.post(f"/reminders/{Reminder.objects.get().pk}/close/", headers=HTMX)
    assert "Call the adjuster" not in bell(client_of_ana)


def test_what_was_late_already_is_not_a_reminder(contact, ana_in_ghl, add_task, clock):
    add_task(contact, "Old", NOW - timedelta(hours=2), assignee=ana_in_ghl)
    reminders.fall_due(NOW)
    assert not Reminder.objects.exists()


def test_somebody_elses_rings_for_nobody_else(as_user, max_, cy, task, clock):
    ring(clock)
    pk = Reminder.objects.get().pk
    for user in (max_, cy):
        assert "Call the adjuster" not in bell(as_user(user))
        assert as_user(user).post(f"/reminders/{pk}/close/").status_code == 404


def test_whoever_has_left_hears_nothing(client_of_ana, task, clock, ana, northgate):
    ring(clock)
    northgate.memberships.get(user=ana).end()
    assert "Call the adjuster" not in bell(client_of_ana)


def test_in_a_read_only_location_it_cannot_be_ticked_off_from_the_bell(client_of_ana, task, clock, location):
    location.is_editable = False
    location.save()
    ring(clock)
    words = bell(client_of_ana)
    assert "Call the adjuster" in words and "/complete/" not in words


# --- the morning ------------------------------------------------------------------------------------------------------


def at_eight(day=23, month=11, zone=CHICAGO):
    return datetime(2026, month, day, 8, 0, tzinfo=zone)


def test_a_morning_says_what_the_day_holds(client_of_ana, contact, ana_in_ghl, add_task, clock):
    add_task(contact, "Late", at_eight() - timedelta(days=2), assignee=ana_in_ghl)
    for number in range(2):
        add_task(contact, f"Today {number}", at_eight() + timedelta(hours=4), assignee=ana_in_ghl)
    clock.move_to(at_eight() - timedelta(minutes=1))
    reminders.say_good_morning(timezone.now())
    assert not Reminder.objects.exists()
    clock.move_to(at_eight())
    for _ in range(2):
        reminders.say_good_morning(timezone.now())
    assert Reminder.objects.get().at == at_eight()
    assert "1 overdue and 2 due today" in bell(client_of_ana)


def test_a_morning_with_nothing_to_do_is_quiet(client_of_ana, ana_in_ghl, clock):
    clock.move_to(at_eight())
    reminders.say_good_morning(timezone.now())
    words = bell(client_of_ana)
    assert "Nothing is due right now" in words and "toast" not in words


def test_the_morning_goes_by_the_clock_the_person_chose(ana, contact, ana_in_ghl, add_task, clock):
    add_task(contact, "Late", at_eight() - timedelta(days=2), assignee=ana_in_ghl)
    ana.time_zone = "Europe/Berlin"
    ana.save()
    clock.move_to(at_eight(zone=ZoneInfo("Europe/Berlin")))
    reminders.say_good_morning(timezone.now())
    assert Reminder.objects.get().at == at_eight(zone=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize("month, day", [(11, 1), (3, 8)])
def test_there_is_one_morning_on_the_days_the_clocks_change(month, day, contact, ana_in_ghl, add_task, clock):
    add_task(contact, "Late", datetime(2026, month, day, tzinfo=CHICAGO) - timedelta(days=2), assignee=ana_in_ghl)
    moment = at_eight(day, month)
    for minutes in range(0, 240, 30):
        reminders.say_good_morning(moment + timedelta(minutes=minutes))
    assert Reminder.objects.filter(task=None).count() == 1


# --- by e-mail --------------------------------------------------------------------------------------------------------


@pytest.fixture
def by_mail(ana):
    ana.reminders_by_mail = True
    ana.save()


def test_by_e_mail_only_for_those_who_want_it(task, clock, mailoutbox):
    ring(clock)
    assert reminders.to_mail(timezone.now()) == []
    reminders.mail(Reminder.objects.get().pk)  # whoever rings for it regardless
    assert mailoutbox == []


def test_it_is_mailed_once(task, clock, by_mail, mailoutbox, settings):
    ring(clock)
    for pk in reminders.to_mail(timezone.now()) * 2:
        tasks.mail_reminder(pk)
    assert [mail.subject for mail in mailoutbox] == ["Due now: Call the adjuster"]
    assert f"{settings.PUBLIC_URL}{task.contact.get_absolute_url()}" in mailoutbox[0].body
    assert "14:21 (America/Chicago)" in mailoutbox[0].body and "/preferences/" in mailoutbox[0].body
    assert reminders.to_mail(timezone.now()) == []


def test_a_mail_server_that_is_away_breaks_nothing_and_is_not_asked_for_ever(task, clock, by_mail, monkeypatch):
    def away(*_):
        raise ConnectionRefusedError

    monkeypatch.setattr(reminders, "send_mail", away)
    ring(clock)
    reminders.mail(Reminder.objects.get().pk)
    assert reminders.to_mail(timezone.now()) == []


def test_a_mail_for_a_task_that_was_done_meanwhile_is_not_sent(task, clock, by_mail, mailoutbox):
    ring(clock)
    (pk,) = reminders.to_mail(timezone.now())
    Task.objects.update(completed=True)
    reminders.mail(pk)
    assert mailoutbox == []


def test_old_ones_are_thrown_away(task, clock):
    ring(clock)
    clock.shift(timedelta(days=31))
    housekeeping.tidy()
    assert not Reminder.objects.exists()


def test_two_locations_of_one_person_make_one_morning(second_location, ana, contact, ana_in_ghl, add_task, clock):
    RemoteUser.objects.create(location=second_location, remote_id="usrAnaThere", name="Ana", user=ana)
    add_task(contact, "Late", at_eight() - timedelta(days=2), assignee=ana_in_ghl)
    reminders.say_good_morning(at_eight())
    assert Reminder.objects.count() == 1
