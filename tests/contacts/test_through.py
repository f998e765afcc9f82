"""Working through a group of tasks, contact by contact."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from contacts.models import Change, Task

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)


@pytest.fixture(autouse=True)
def at_14_20():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def late(add_contact, add_task, ana_in_ghl):
    """Three of Ana's that are overdue, the oldest first, each of another contact."""
    return [
        add_task(
            add_contact(f"Person {number}"), f"Task {number}", NOW - timedelta(days=9 - number), assignee=ana_in_ghl
        )
        for number in range(3)
    ]


def start(client, **values):
    return client.post("/tasks/through/start/", {"group": "overdue", **values})


def act(client, verb, task, **values):
    return client.post(f"/tasks/through/{verb}/", {"task": task.pk, **values})


def place_of(task):
    return f"{task.contact.get_absolute_url()}?pane=work#task-{task.pk}"


def bar(client, task):
    words = client.get(f"{task.contact.get_absolute_url()}?pane=work").content.decode()
    found = re.search(r'<section class="through".*?</section>', words, re.S)
    return found[0] if found else ""


def test_it_opens_one_contact_after_the_other(client_of_ana, late):
    assert start(client_of_ana)["Location"] == place_of(late[0])
    words = bar(client_of_ana, late[0])
    assert "Task 0" in words and "1 of 3" in words
    assert act(client_of_ana, "done", late[0])["Location"] == place_of(late[1])
    words = bar(client_of_ana, late[1])
    assert "Task 1" in words and "2 of 3" in words and "“Task 0” done" in words
    assert act(client_of_ana, "move", late[1], to="tomorrow")["Location"] == place_of(late[2])
    assert act(client_of_ana, "skip", late[2])["Location"].startswith("/tasks/")
    assert bar(client_of_ana, late[2]) == ""
    done, moved, skipped = Task.objects.order_by("pk")
    assert done.completed and moved.due_at.astimezone(CHICAGO).day == 24 and not skipped.completed
    assert Change.objects.count() == 2


def test_it_survives_a_reload_and_a_look_elsewhere(client_of_ana, late):
    start(client_of_ana)
    act(client_of_ana, "skip", late[0])
    client_of_ana.get("/")
    for _ in range(2):
        assert "2 of 3" in bar(client_of_ana, late[1])
    assert bar(client_of_ana, late[2]) == ""  # the page of somebody else has no bar
    assert client_of_ana.get("/tasks/through/")["Location"] == place_of(late[1])


def test_what_was_finished_elsewhere_is_not_met_again(client_of_ana, late, max_):
    start(client_of_ana)
    late[1].complete(by=max_)
    assert "1 of 2" in bar(client_of_ana, late[0])
    assert act(client_of_ana, "done", late[0])["Location"] == place_of(late[2])


def test_the_task_in_hand_finished_elsewhere_leads_on(client_of_ana, late, ana):
    start(client_of_ana)
    late[0].complete(by=ana)
    words = bar(client_of_ana, late[0])
    assert "through__task--over" in words and 'data-key="d"' not in words and "Next" in words
    assert act(client_of_ana, "skip", late[0])["Location"] == place_of(late[1])


def test_two_tasks_of_one_contact_both_come(client_of_ana, contact, ana_in_ghl, add_task):
    tasks = [add_task(contact, f"Task {n}", NOW - timedelta(days=2), assignee=ana_in_ghl) for n in range(2)]
    start(client_of_ana)
    assert act(client_of_ana, "done", tasks[0])["Location"] == place_of(tasks[1])


def test_another_tab_that_is_behind_does_nothing(client_of_ana, late):
    start(client_of_ana)
    act(client_of_ana, "done", late[0])
    assert act(client_of_ana, "done", late[0])["Location"] == place_of(late[1])
    assert act(client_of_ana, "skip", late[0])["Location"] == place_of(late[1])
    assert not Task.objects.get(pk=late[1].pk).completed


def test_what_is_due_today_stays_in_the_queue_while_its_time_passes(client_of_ana, contact, ana_in_ghl, add_task):
    soon = [add_task(contact, f"Task {n}", NOW + timedelta(minutes=n + 1), assignee=ana_in_ghl) for n in range(3)]
    start(client_of_ana, group="today")
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        assert act(client_of_ana, "done", soon[0])["Location"] == place_of(soon[1])


def test_a_task_due_at_23_30_here_is_today_though_it_is_tomorrow_elsewhere(
    client_of_ana, contact, second_location, add_contact, add_task
):
    moment = datetime(2026, 11, 23, 23, 30, tzinfo=CHICAGO)
    here, there = (
        add_task(contact, "Here", moment),
        add_task(add_contact("Ines", location=second_location), "There", moment),
    )
    assert start(client_of_ana, group="due", who="everyone")["Location"] == place_of(here)
    assert "1 of 1" in bar(client_of_ana, here)
    assert start(client_of_ana, group="tomorrow", who="everyone")["Location"] == place_of(there)


def test_those_of_a_location_that_can_only_be_read_are_passed_over(client_of_ana, late, location):
    location.is_editable = False
    location.save()
    assert start(client_of_ana)["Location"] == "/tasks/"


def test_a_connection_that_became_read_only_says_so(client_of_ana, late, location):
    start(client_of_ana)
    location.is_editable, location.not_editable_because = False, "Only to look at."
    location.save()
    answer = act(client_of_ana, "done", late[0])
    assert answer.status_code == 403 and "Only to look at" in answer.content.decode()


def test_leaving_forgets_it(client_of_ana, late):
    start(client_of_ana)
    assert client_of_ana.post("/tasks/through/leave/").status_code == 302
    assert bar(client_of_ana, late[0]) == ""
    assert act(client_of_ana, "done", late[0])["Location"] == "/tasks/"
    assert not Change.objects.exists()


@pytest.mark.parametrize("group", ["", "someday", "<b>"])
def test_there_is_nothing_to_work_through_in_no_group(group, client_of_ana, late):
    assert start(client_of_ana, group=group)["Location"] == "/tasks/"


def test_a_date_that_is_none_keeps_the_place(client_of_ana, late):
    start(client_of_ana)
    assert act(client_of_ana, "move", late[0], date="soon")["Location"] == place_of(late[0])
    assert not Change.objects.exists()


def test_the_queue_of_a_stranger_holds_nothing_of_ours(as_user, cy, late):
    assert start(as_user(cy), who="everyone")["Location"] == "/tasks/"


def test_whoever_has_left_the_business_loses_the_queue(client_of_ana, late, ana, northgate):
    start(client_of_ana)
    northgate.memberships.get(user=ana).end()
    assert act(client_of_ana, "done", late[0]).status_code == 404
    assert client_of_ana.get("/tasks/through/")["Location"] == "/tasks/"


def test_the_bar_costs_the_same_however_many_wait(client_of_ana, late, contact, ana_in_ghl, add_task):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost():
        start(client_of_ana)
        with CaptureQueriesContext(connection) as queries:
            client_of_ana.get(f"/tasks/through/?contact={late[0].contact_id}", headers={"HX-Request": "true"})
        return len(queries)

    few = cost()
    for number in range(9):
        add_task(contact, due_at=NOW - timedelta(hours=number + 1), assignee=ana_in_ghl)
    assert cost() == few
