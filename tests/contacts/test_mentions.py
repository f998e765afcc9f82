"""Naming a colleague in a note or a task: members of the business hear of it on Today, nobody else does."""

import re

import pytest
from django.utils import timezone

from contacts.models import Mention, Note, RemoteUser, Task, User
from contacts.people import mentions

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(as_user, ana):
    return as_user(ana)


@pytest.fixture
def named(ana, max_, ada):
    for user, name in ((ana, "Ana Reyes"), (max_, "Max Mill"), (ada, "Ada Lund")):
        User.objects.filter(pk=user.pk).update(name=name)


@pytest.fixture
def waiting(rf):
    def of(user):
        request = rf.get("/")
        request.user, request.session = user, {}
        return mentions.waiting_for(request)

    return of


def write(page, contact, body):
    return page.post(f"/contacts/{contact.pk}/notes/add/", {"body": body}, headers=HTMX)


def add_task(page, contact, title, **more):
    values = {"title": title, "due": "2030-01-02T09:00", **more}
    return page.post(f"/contacts/{contact.pk}/tasks/add/", values, headers=HTMX)


def save_task(page, task, title, **more):
    return page.post(f"/tasks/{task.pk}/edit/", {"title": title, "due": "2030-01-02T09:00", **more}, headers=HTMX)


def who():
    return set(Mention.objects.values_list("user__name", flat=True))


@pytest.mark.parametrize("body, people", [
    ("@Max Mill please", {"Max Mill"}),
    ("@max mill and @ADA  LUND", {"Max Mill", "Ada Lund"}),
    ("(@Max Mill)", {"Max Mill"}),
    ("@Max Miller", set()),
    ("write to info@max mill", set()),
    ("Max Mill", set()),
    ("@Ana Reyes, that is me", set()),
    ("@Cy", set()),
    ("@Dana Whitlock", set()),
    ("@", set()),
])  # fmt: skip
def test_a_member_is_named(page, contact, named, dana, cy, body, people):
    write(page, contact, body)
    assert who() == people


def test_the_person_finds_it_until_they_have_seen_it(page, contact, named, max_, as_user, waiting):
    write(page, contact, "Hello @Max Mill, price both?")
    (mention,) = waiting(max_)
    assert mention.excerpt == "Hello @Max Mill, price both?" and mention.made_by.name == "Ana Reyes"
    seen = as_user(max_).post(f"/mentions/{mention.pk}/seen/", headers=HTMX)
    assert seen.status_code == 200 and "price both" not in seen.content.decode()
    assert waiting(max_) == []


def test_opening_the_contact_is_seeing_it(page, contact, named, max_, ada, as_user, waiting):
    write(page, contact, "@Max Mill @Ada Lund")
    as_user(max_).get(contact.get_absolute_url())
    assert waiting(max_) == [] and len(waiting(ada)) == 1


def test_a_name_that_was_added_or_taken_out_later(page, contact, named):
    write(page, contact, "@Max Mill")
    note = contact.notes.get()
    page.post(f"/notes/{note.pk}/edit/", {"body": "@Ada Lund"}, headers=HTMX)
    assert who() == {"Ada Lund"}


def test_a_note_that_is_gone_names_nobody(page, contact, named, max_, waiting):
    write(page, contact, "@Max Mill")
    Note.objects.update(deleted_at=timezone.now())
    assert waiting(max_) == []


def test_who_left_the_business_finds_nothing(page, contact, named, max_, northgate, waiting):
    write(page, contact, "@Max Mill")
    northgate.memberships.get(user=max_).end()
    assert waiting(max_) == []


def test_another_cannot_see_it_for_them(page, contact, named, as_user, cy, max_):
    write(page, contact, "@Max Mill")
    mention = Mention.objects.get()
    for user in (cy, contact.changes.get().made_by):
        assert as_user(user).post(f"/mentions/{mention.pk}/seen/", headers=HTMX).status_code == 404
    mention.refresh_from_db()
    assert mention.seen_at is None


def test_the_list_offers_members_and_ghl_users_and_nobody_else(page, contact, named, dana, cy, location):
    RemoteUser.objects.create(location=location, remote_id="gone", name="Gone Away", is_active=False)
    shown = page.get(f"/contacts/{contact.pk}/mentionable/", headers=HTMX).content.decode()
    for name in ("Max Mill", "Ada Lund", "Dana Whitlock"):
        assert f'data-name="{name}"' in shown
    for name in ("Ana Reyes", "Cy", "Gone Away"):
        assert f'data-name="{name}"' not in shown


def test_a_stranger_learns_no_names(as_user, cy, contact):
    assert as_user(cy).get(f"/contacts/{contact.pk}/mentionable/", headers=HTMX).status_code == 404


def test_a_hostile_name_and_text_stay_text(page, contact, max_):
    User.objects.filter(pk=max_.pk).update(name='<img src=x onerror=alert(1)>"')
    offered = page.get(f"/contacts/{contact.pk}/mentionable/", headers=HTMX).content.decode()
    assert "<img" not in offered
    write(page, contact, 'Hello @<img src=x onerror=alert(1)>" there')
    assert "<img" not in page.get(f"/contacts/{contact.pk}/history/", headers=HTMX).content.decode()


def test_names_stand_out_in_the_text(page, contact, named):
    write(page, contact, "Hello @Max Mill & <b>co</b>")
    shown = page.get(f"/contacts/{contact.pk}/history/", headers=HTMX).content.decode()
    assert '<b class="mention">@Max Mill</b> &amp; <b>co</b>' in shown


@pytest.mark.parametrize("title, body, people", [
    ("Ask @Max Mill", "", {"Max Mill"}),
    ("Ask the insurer", "as @ada lund said", {"Ada Lund"}),
    ("@Max Mill", "@Ada Lund and @Max Mill", {"Max Mill", "Ada Lund"}),
    ("Ask @Max", "Mill is away", set()),
    ("@Ana Reyes, that is me", "@Cy may not see this", set()),
])  # fmt: skip
def test_a_task_names_a_member_in_its_title_or_its_details(page, contact, named, cy, title, body, people):
    add_task(page, contact, title, body=body)
    assert who() == people


def test_a_task_is_found_on_today_until_it_was_seen(page, contact, named, max_, as_user, waiting):
    add_task(page, contact, "Ask @Max Mill", body="about copper")
    add_task(page, contact, "@Max Mill again")
    later, first = waiting(max_)
    assert first.excerpt == "Ask @Max Mill · about copper"
    left = as_user(max_).post(f"/mentions/{later.pk}/seen/", headers=HTMX).content.decode()
    assert f"{contact.get_absolute_url()}?pane=work#task-{first.task_id}" in left
    assert waiting(max_) == [first]


def test_a_name_edited_into_a_task_tells_once(page, contact, named, max_, ada, waiting):
    add_task(page, contact, "Ask the insurer")
    task = contact.tasks.get()
    save_task(page, task, "Ask the insurer, @Max Mill")
    Mention.objects.see()
    save_task(page, task, "Ask the insurer today, @Max Mill", body="@Ada Lund knows him")
    assert waiting(max_) == [] and len(waiting(ada)) == 1
    save_task(page, task, "Ask the insurer today, @Max Mill")
    assert waiting(ada) == []


def test_a_task_sent_twice_tells_once(page, contact, named, max_, waiting):
    for _ in range(2):
        add_task(page, contact, "Ask @Max Mill", submission="3f0e5c1a-8d6b-4d2c-9d57-0f6f4f1f2a10")
    assert len(waiting(max_)) == 1


def test_a_task_that_is_gone_names_nobody(page, contact, named, max_, waiting):
    add_task(page, contact, "Ask @Max Mill")
    page.post(f"/tasks/{contact.tasks.get().pk}/delete/", headers=HTMX)
    assert Task.objects.exclude(deleted_at=None).exists() and waiting(max_) == []


def test_a_stranger_names_nobody_in_a_task(as_user, cy, contact, named):
    assert add_task(as_user(cy), contact, "Ask @Max Mill").status_code == 404
    assert not Mention.objects.exists()


@pytest.mark.parametrize("part", ["?compose=task", "?task={task}"])
def test_the_boxes_of_a_task_complete_names(page, contact, named, part):
    add_task(page, contact, "Ask the insurer")
    shown = page.get(contact.get_absolute_url() + part.format(task=contact.tasks.get().pk)).content.decode()
    boxes = re.findall(r"<textarea[^>]* id=\"(?:task-title|task-body|title-\d+|body-\d+)\"[^>]*>", shown)
    assert boxes and all(f'data-mentions="/contacts/{contact.pk}/mentionable/"' in box for box in boxes)
