"""Tasks of one contact: added, done, moved, edited, deleted with a way back. The location's clock counts."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts.models import Task

HTMX = {"HX-Request": "true"}
CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture
def page(as_user, ana, contact):
    return as_user(ana)


@pytest.fixture
def task(contact, add_task, dana):
    return add_task(contact, "Send warranty pack", timezone.now() + timedelta(days=1), remote_id="t1", assignee=dana)


def text(response):
    return response.content.decode()


def add(page, contact, headers=HTMX, **values):
    values = {"title": "Ring the insurer", "due": "2026-12-01T17:00", **values}
    return page.post(f"/contacts/{contact.pk}/tasks/add/", values, headers=headers)


def test_a_task_is_added_by_the_clock_of_the_location(page, contact, dana):
    response = add(page, contact, assignee=dana.pk, body="Claim 12")
    task = contact.tasks.get()
    assert (task.title, task.body, task.assignee) == ("Ring the insurer", "Claim 12", dana)
    assert task.due_at == datetime(2026, 12, 1, 17, tzinfo=CHICAGO)
    assert contact.changes.get().verb == "create"
    assert "tasks-changed" in response["HX-Trigger"] and "Ring the insurer" not in text(response)


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"title": " "}, "A task needs a title"),
        ({"due": ""}, "A task needs a due date"),
        ({"due": "soon"}, "not a date and time"),
        ({"due": "0001-01-01T00:00"}, "This year cannot be right"),
        ({"assignee": "99999"}, "does not work here"),
    ],
)
def test_a_task_that_ghl_would_refuse_is_not_added(page, contact, wrong, sentence):
    response = add(page, contact, **wrong)
    assert response.status_code == 422 and sentence in text(response)
    assert "Ring the insurer" in text(response) or "title" in wrong
    assert not contact.tasks.exists()


def test_without_scripts_it_works_too(page, contact):
    assert add(page, contact, headers={})["Location"] == contact.get_absolute_url()
    refused = add(page, contact, headers={}, due="")
    assert refused.status_code == 422 and "A task needs a due date" in text(refused)


@pytest.mark.parametrize(
    "now, due",
    [
        ("2026-11-23T15:00", "2026-11-24T17:00"),  # Monday
        ("2026-11-27T15:00", "2026-11-30T17:00"),  # Friday
        ("2026-11-28T23:30", "2026-11-30T17:00"),  # Saturday
    ],
)
def test_the_default_is_the_end_of_the_next_working_day(page, contact, time_machine_at, now, due):
    time_machine_at(datetime.fromisoformat(now).replace(tzinfo=CHICAGO))
    assert f'value="{due}"' in text(page.get(contact.get_absolute_url()))


@pytest.fixture
def time_machine_at(monkeypatch):
    return lambda moment: monkeypatch.setattr(timezone, "now", lambda: moment)


def test_groups_and_the_done_ones_folded(page, contact, add_task):
    now = timezone.now()
    add_task(contact, "Late", now - timedelta(days=2))
    add_task(contact, "Some day", None)
    add_task(contact, "Old", now - timedelta(days=9), completed=True, completed_at=now - timedelta(days=8))
    panel = text(page.get(f"/contacts/{contact.pk}/tasks/", headers=HTMX))
    assert panel.index("Overdue") < panel.index("Late") < panel.index("No date") < panel.index("Some day")
    assert "1 done" in panel and "2 open" in panel


def test_a_tick_completes_and_undo_reopens(page, task):
    response = page.post(f"/tasks/{task.pk}/complete/", {"completed": "true"}, headers=HTMX)
    task.refresh_from_db()
    assert task.completed and task.completed_at
    assert "task--done" in text(response) and "Undo" in text(response) and 'id="tasks-count"' in text(response)
    page.post(f"/tasks/{task.pk}/complete/", {"completed": "false"}, headers=HTMX)
    task.refresh_from_db()
    assert not task.completed and task.completed_at is None
    kinds = task.history.values_list("kind", flat=True).order_by("pk")
    assert list(kinds) == ["task_done", "task_reopened"]


def test_a_second_tick_changes_nothing(page, task):
    for _ in range(2):
        assert page.post(f"/tasks/{task.pk}/complete/", {"completed": "true"}, headers=HTMX).status_code == 200
    assert task.changes.count() == 1


def test_a_task_just_done_keeps_its_place(page, contact, task):
    page.post(f"/tasks/{task.pk}/complete/", headers=HTMX)
    panel = text(page.get(f"/contacts/{contact.pk}/tasks/", headers=HTMX))
    assert "task--done" in panel and "1 done" not in panel


def test_one_click_moves_a_task(page, task, time_machine_at):
    time_machine_at(datetime(2026, 11, 25, 12, tzinfo=CHICAGO))  # a Wednesday
    task.due_at = datetime(2026, 11, 20, 9, 30, tzinfo=CHICAGO)
    task.save()
    for to, due in (("tomorrow", datetime(2026, 11, 26, 9, 30)), ("next_week", datetime(2026, 11, 30, 9, 30))):
        assert page.post(f"/tasks/{task.pk}/move/", {"to": to}, headers=HTMX).status_code == 200
        task.refresh_from_db()
        assert task.due_at == due.replace(tzinfo=CHICAGO)


def test_a_task_is_moved_to_a_date_over_the_change_of_clocks(page, task):
    task.due_at = datetime(2026, 10, 30, 9, tzinfo=CHICAGO)
    task.save()
    page.post(f"/tasks/{task.pk}/move/", {"date": "2026-11-05"}, headers=HTMX)
    task.refresh_from_db()
    assert task.due_at == datetime(2026, 11, 5, 9, tzinfo=CHICAGO)


@pytest.mark.parametrize("values", [{}, {"date": "soon"}, {"date": "2026-02-31"}, {"to": "yesterday"}])
def test_what_is_no_date_moves_nothing(page, task, values):
    response = page.post(f"/tasks/{task.pk}/move/", values, headers=HTMX)
    assert response.status_code == 422 and "not a date" in text(response)
    assert not task.changes.exists()


def test_a_task_is_edited_in_place(page, task, ana_in_ghl):
    editor = text(page.get(f"/tasks/{task.pk}/edit/", headers=HTMX))
    assert "Send warranty pack" in editor and 'type="datetime-local"' in editor
    values = {"title": "Send it twice", "body": "By post", "due": "2026-12-01T08:00", "assignee": ana_in_ghl.pk}
    page.post(f"/tasks/{task.pk}/edit/", values, headers=HTMX)
    task.refresh_from_db()
    assert (task.title, task.body, task.assignee) == ("Send it twice", "By post", ana_in_ghl)
    assert set(task.changes.get().values) == {"title", "body", "due_at", "assignee_remote_id"}


def test_an_edit_that_changes_nothing_sends_nothing(page, task, dana):
    task.due_at = task.due_at.replace(second=0, microsecond=0)
    task.save()
    due = task.due_at.astimezone(CHICAGO).strftime("%Y-%m-%dT%H:%M")
    values = {"title": task.title, "body": "", "due": due, "assignee": dana.pk}
    page.post(f"/tasks/{task.pk}/edit/", values, headers=HTMX)
    assert not task.changes.exists()


def test_seconds_that_the_box_does_not_show_are_kept(page, task, dana):
    due = task.due_at.astimezone(CHICAGO).strftime("%Y-%m-%dT%H:%M")
    page.post(f"/tasks/{task.pk}/edit/", {"title": "Other", "body": "", "due": due, "assignee": dana.pk}, headers=HTMX)
    assert set(task.changes.get().values) == {"title"}


def test_a_task_needs_its_title_and_date(page, task):
    response = page.post(f"/tasks/{task.pk}/edit/", {"title": "", "due": ""}, headers=HTMX)
    assert response.status_code == 422
    assert "A task needs a title" in text(response) and "A task needs a due date" in text(response)
    whole = page.post(f"/tasks/{task.pk}/edit/", {"title": "", "due": ""})
    assert whole.status_code == 422 and "A task needs a title" in text(whole) and "<h1" in text(whole)


def test_without_scripts_the_editor_stands_on_the_page(page, task):
    address = page.get(f"/tasks/{task.pk}/edit/")["Location"]
    assert f'id="title-{task.pk}"' in text(page.get(address))


def test_a_deleted_task_can_be_taken_back(page, contact, task):
    response = page.post(f"/tasks/{task.pk}/delete/", headers=HTMX)
    task.refresh_from_db()
    change = task.changes.get()
    assert task.deleted_at and change.not_before > timezone.now()
    assert f"/changes/{change.pk}/undo/" in text(response) and "open-task-" not in text(response)
    back = text(page.post(f"/changes/{change.pk}/undo/", headers=HTMX))
    assert "Send warranty pack" in back
    task.refresh_from_db()
    assert task.deleted_at is None


def test_a_task_that_ghl_never_got_is_withdrawn_and_comes_back(page, contact):
    add(page, contact)
    task = contact.tasks.get()
    page.post(f"/tasks/{task.pk}/delete/", headers=HTMX)
    page.post(f"/changes/{task.changes.get(verb='delete').pk}/undo/", headers=HTMX)
    assert Task.objects.present().get() == task
    assert list(task.changes.filter(state="queued").values_list("verb", flat=True)) == ["create"]


def test_ticking_from_another_page_leads_back_there(page, task):
    response = page.post(f"/tasks/{task.pk}/complete/", {"completed": "true", "next": "/tasks/"})
    assert response["Location"] == "/tasks/"
    elsewhere = page.post(f"/tasks/{task.pk}/complete/", {"completed": "false", "next": "https://evil.example/"})
    assert elsewhere["Location"] == task.contact.get_absolute_url()
