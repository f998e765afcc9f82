"""Rules that go by the clock: each contact and each task once, however often the clock ticks or fails to."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts.models import Contact, RemoteUser, Task
from integrations.automations import clock, lists
from integrations.models import Rule
from tests.integrations.automations.conftest import switched_on, work

pytestmark = pytest.mark.django_db

TAG = {"do": "add_tags", "values": {"tags": ["seen"]}}
CHICAGO = ZoneInfo("America/Chicago")
EVERY_DAY = [str(number) for number in range(7)]


def on_since(rule, at):
    Rule.objects.filter(pk=rule.pk).update(on_since=at)


def chicago(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=CHICAGO)


def schedule(**more):
    return {"kind": "schedule", "at": "09:00", "days": EVERY_DAY, "list": "tag=insurance", **more}


@pytest.fixture
def daily(northgate, ada):
    rule = switched_on(northgate, schedule(), TAG, name="Daily")
    on_since(rule, chicago(20, 8))
    return rule


def test_at_its_time_by_the_clock_of_the_location(daily, contact, runs):
    clock.tick(chicago(20, 8, 59))
    assert not runs.exists()
    clock.tick(chicago(20, 9))
    assert runs.get().contact == contact


def test_once_a_day_however_often_it_ticks(daily, contact, runs):
    for minute in (0, 1, 30):
        clock.tick(chicago(20, 9, minute))
    assert runs.count() == 1
    clock.tick(chicago(21, 9))
    assert runs.count() == 2


def test_only_the_contacts_of_the_list_on_the_chosen_days(northgate, ada, contact, location, runs):
    Contact.objects.create(location=location, first_name="Other")
    rule = switched_on(northgate, schedule(days=["4"]), TAG)  # Fridays
    on_since(rule, chicago(18, 8))
    clock.tick(chicago(19, 9))
    assert not runs.exists()
    clock.tick(chicago(20, 9))
    assert [run.contact for run in runs] == [contact]


def test_a_tick_that_was_missed_is_made_up_for_but_not_in_the_evening(daily, contact, runs):
    clock.tick(chicago(20, 16))
    assert not runs.exists()
    clock.tick(chicago(21, 11))
    assert runs.count() == 1


def test_switched_on_after_its_time_it_begins_tomorrow(daily, contact, runs):
    on_since(daily, chicago(20, 9, 5))
    clock.tick(chicago(20, 9, 6))
    assert not runs.exists()


def test_a_task_that_becomes_overdue_by_so_many_days(northgate, contact, runs):
    now = timezone.now()
    late = Task(contact=contact, location=contact.location, title="Late", due_at=now - timedelta(days=2, minutes=-30))
    long_ago = Task(contact=contact, location=contact.location, title="Long ago", due_at=now - timedelta(days=9))
    for task in (late, long_ago):
        task.create(by=None)
    rule = switched_on(northgate, {"kind": "overdue", "days": "2"}, TAG)
    clock.tick(now)
    assert not runs.exists()
    for minutes in (31, 32, 33):
        clock.tick(now + timedelta(minutes=minutes))
    assert [(run.rule, run.scope["task"]["title"]) for run in runs] == [(rule, "Late")]


def test_a_task_that_was_done_in_time_is_nobodys_business(northgate, contact, runs):
    now = timezone.now()
    task = Task(contact=contact, location=contact.location, title="Done", due_at=now + timedelta(minutes=5))
    task.create(by=None)
    switched_on(northgate, {"kind": "overdue", "days": "0"}, TAG)
    task.complete(by=None)
    clock.tick(now + timedelta(minutes=6))
    assert not runs.exists()


def test_a_contact_that_becomes_quiet(northgate, contact, runs):
    now = timezone.now()
    Contact.objects.update(last_activity_at=now - timedelta(days=30) + timedelta(minutes=10))
    switched_on(northgate, {"kind": "quiet", "days": "30"}, TAG)
    clock.tick(now)
    assert not runs.exists()
    for minutes in (11, 12):
        clock.tick(now + timedelta(minutes=minutes))
    assert runs.get().contact == contact


def test_one_that_was_quiet_long_before_is_not_new(northgate, contact, runs):
    Contact.objects.update(last_activity_at=timezone.now() - timedelta(days=90))
    switched_on(northgate, {"kind": "quiet", "days": "30"}, TAG)
    clock.tick(timezone.now() + timedelta(minutes=5))
    assert not runs.exists()


def test_a_paused_rule_does_not_tick(daily, contact, runs):
    daily.pause()
    clock.tick(chicago(20, 9))
    assert not runs.exists()


def test_what_it_found_is_done(daily, contact, runs):
    clock.tick(chicago(20, 9))
    work()
    contact.refresh_from_db()
    assert (runs.get().state, "seen" in contact.tags) == ("done", True)


def test_when_whom_the_list_named_is_gone_the_rule_is_paused_rather_than_meant_for_everybody(
    northgate, ada, contact, location, runs
):
    dana = RemoteUser.objects.create(location=location, remote_id="u1", name="Dana")
    rule = switched_on(northgate, schedule(list=f"owner={dana.pk}"), TAG)
    on_since(rule, chicago(20, 8))
    dana.delete()
    clock.tick(chicago(20, 9))
    rule.refresh_from_db()
    assert (rule.state, runs.exists()) == ("paused", False)
    assert "owner" in rule.paused_because


@pytest.mark.parametrize("query", ["", "sort=recent", "owner=me", "2.owner=me&tag=vip", "quiet=never"])
def test_a_list_that_would_mean_everybody_or_me_is_no_list(northgate, ada, query):
    assert lists.check(northgate, query)


def test_the_list_is_read_aloud(northgate, ada):
    assert lists.in_words(northgate, "tag=vip&quiet=30&2.source=Web") == (
        "tag is vip and nothing happened for 30 days, or source is Web"
    )
