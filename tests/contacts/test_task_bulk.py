"""Many tasks at once: shown first, done together, taken back together."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from contacts.models import Change, RemoteUser, Task
from contacts.views import task_bulk

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)  # a Monday
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def at_14_20():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def tasks(contact, add_task):
    late = [NOW - timedelta(days=number) for number in (1, 2, 3)]
    return [add_task(contact, f"Task {number}", due) for number, due in enumerate(late)]


def change(client, tasks, act, **values):
    return client.post("/tasks/bulk/", {"task": [task.pk for task in tasks], "act": act, **values}, headers=HTMX)


def due_dates():
    return [task.due_at.astimezone(CHICAGO) for task in Task.objects.order_by("pk")]


def test_the_preview_says_what_would_become_of_them_and_changes_nothing(client_of_ana, tasks):
    words = change(client_of_ana, tasks, "next_week", preview=1).content.decode()
    assert "3 tasks moved to next Monday" in words and "Mon 30 Nov" in words and "3 requests to GHL" in words
    assert not Change.objects.exists()
    sent = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', words)
    assert ("act", "next_week") in sent and len([name for name, _ in sent if name == "task"]) == 3


@pytest.mark.parametrize(
    "act, values, day", [("tomorrow", {}, 24), ("next_week", {}, 30), ("date", {"date": "2026-11-27"}, 27)]
)
def test_they_move_to_another_day_and_keep_their_hour(act, values, day, client_of_ana, tasks):
    answer = change(client_of_ana, tasks, act, **values)
    assert [(moment.day, moment.hour, moment.minute) for moment in due_dates()] == [(day, 14, 20)] * 3
    assert "task-list-changed" in answer["HX-Trigger"] and "Undo" in answer.content.decode()


def test_nothing_is_sent_before_the_time_for_undo_is_over(client_of_ana, tasks, settings):
    change(client_of_ana, tasks, "tomorrow")
    after = NOW + timedelta(seconds=settings.UNDO_S)
    assert set(Change.objects.values_list("state", "not_before")) == {("queued", after)}


def test_undo_puts_all_of_them_back_but_what_somebody_went_on_from(client_of_ana, tasks, max_):
    before = due_dates()
    answer = change(client_of_ana, tasks, "tomorrow")
    tasks[0].refresh_from_db()
    tasks[0].edit(by=max_, due_at=NOW + timedelta(days=9))
    changes = re.search(r'name="changes" value="([\d,]+)"', answer.content.decode())[1]
    words = client_of_ana.post("/tasks/bulk/undo/", {"changes": changes}, headers=HTMX).content.decode()
    assert "2 tasks put back" in words and "1 task could not be put back" in words
    assert due_dates()[1:] == before[1:] and due_dates()[0].day == 2


def test_each_location_has_its_own_tomorrow(client_of_ana, tasks, second_location, add_contact, add_task):
    # 23:30 in Chicago is half past midnight of the next day in New York.
    there = add_task(add_contact("Ines", location=second_location), due_at=NOW)
    with time_machine.travel(datetime(2026, 11, 23, 23, 30, tzinfo=CHICAGO), tick=False):
        change(client_of_ana, [tasks[0], there], "tomorrow")
    tasks[0].refresh_from_db()
    there.refresh_from_db()
    assert tasks[0].due_at.astimezone(CHICAGO).day == 24
    assert there.due_at.astimezone(second_location.zone).day == 25


def test_they_are_given_to_the_same_person_in_each_location(
    client_of_ana, tasks, location, second_location, add_contact, add_task
):
    here, there = (
        RemoteUser.objects.create(location=place, remote_id=f"u{place.pk}", name="Priya", email="priya@example.com")
        for place in (location, second_location)
    )
    other = add_task(add_contact("Ines", location=second_location), due_at=NOW)
    change(client_of_ana, [tasks[0], other], "assign", person=here.pk)
    tasks[0].refresh_from_db()
    other.refresh_from_db()
    assert (tasks[0].assignee, other.assignee) == (here, there)


def test_where_that_person_does_not_work_they_stay(client_of_ana, tasks, dana, second_location, add_contact, add_task):
    other = add_task(add_contact("Ines", location=second_location), due_at=NOW)
    words = change(client_of_ana, [tasks[0], other], "assign", person=dana.pk, preview=1).content.decode()
    assert "1 task given to Dana Whitlock" in words and "1 stays as it is: where that person does not work" in words


def test_nobody_in_particular_can_be_chosen(client_of_ana, contact, dana, add_task):
    task = add_task(contact, due_at=NOW, assignee=dana)
    change(client_of_ana, [task], "assign", person="none")
    task.refresh_from_db()
    assert task.assignee is None


def test_what_cannot_be_changed_is_left_out_and_said(client_of_ana, tasks, second_location, add_contact, add_task):
    second_location.is_editable = False
    second_location.save()
    locked = add_task(add_contact("Ines", location=second_location), due_at=NOW)
    Task.objects.filter(pk=tasks[1].pk).update(completed=True)
    words = change(client_of_ana, [*tasks, locked], "tomorrow", preview=1).content.decode()
    assert "2 tasks moved" in words
    assert "can only be read" in words and "done or deleted meanwhile" in words
    assert change(client_of_ana, [locked], "tomorrow").status_code == 422
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    "act, values, sentence",
    [
        ("", {}, "Choose what to do"),
        ("burn", {}, "Choose what to do"),
        ("date", {"date": "soon"}, "not a date"),
        ("date", {"date": "2026-02-30"}, "not a date"),
        ("assign", {"person": "999999"}, "not known here"),
        ("assign", {"person": "x"}, "not known here"),
    ],
)
def test_what_makes_no_sense_is_said(act, values, sentence, client_of_ana, tasks):
    answer = change(client_of_ana, tasks, act, **values)
    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert not Change.objects.exists()


def test_at_most_so_many_at_once(client_of_ana, tasks, monkeypatch):
    monkeypatch.setattr(task_bulk, "MOST_AT_ONCE", 2)
    answer = change(client_of_ana, tasks, "tomorrow")
    assert answer.status_code == 422 and "At most 2 tasks" in answer.content.decode()
    assert not Change.objects.exists()


def test_without_tasks_it_asks_for_some(client_of_ana):
    for chosen in ([], ["x"], ["99999999999999999999"]):
        answer = client_of_ana.post("/tasks/bulk/", {"task": chosen, "act": "tomorrow"}, headers=HTMX)
        assert answer.status_code == 422 and "Choose the tasks first" in answer.content.decode()


def test_the_tasks_of_others_are_not_there(as_user, cy, tasks, client_of_ana):
    answer = change(as_user(cy), tasks, "tomorrow")
    assert answer.status_code == 422 and "not there any more" in answer.content.decode()
    change(client_of_ana, tasks, "tomorrow")
    mine = ",".join(str(pk) for pk in Change.objects.values_list("pk", flat=True))
    as_user(cy).post("/tasks/bulk/undo/", {"changes": mine}, headers=HTMX)
    assert set(Change.objects.values_list("state", flat=True)) == {"queued"}


def test_a_colleague_cannot_take_back_mine_by_its_number(as_user, max_, client_of_ana, tasks):
    change(client_of_ana, tasks, "tomorrow")
    mine = ",".join(str(pk) for pk in Change.objects.values_list("pk", flat=True))
    as_user(max_).post("/tasks/bulk/undo/", {"changes": mine}, headers=HTMX)
    assert set(Change.objects.values_list("state", flat=True)) == {"queued"}


# --- finding them -----------------------------------------------------------------------------------------------------


def test_titles_are_found_by_words_and_wrong_ones_say_so(client_of_ana, contact, add_task):
    add_task(contact, "Send the QUOTE", timezone.now())
    add_task(contact, "Call back", timezone.now())
    words = client_of_ana.get("/tasks/?who=everyone&q=quote").content.decode()
    assert "Send the QUOTE" in words and "Call back" not in words
    assert "No open task has these words" in client_of_ana.get("/tasks/?who=everyone&q=100%25_x").content.decode()


def test_a_line_that_was_moved_can_be_chosen_again(client_of_ana, tasks):
    assert b"data-pick" in client_of_ana.get(f"/tasks/{tasks[0].pk}/line/?pick", headers=HTMX).content
    assert b"data-pick" not in client_of_ana.get(f"/tasks/{tasks[0].pk}/line/", headers=HTMX).content
