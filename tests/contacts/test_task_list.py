"""The task list: groups by when tasks are due, whose they are, and one line after its box was ticked."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.views import task_list


def titles(response):
    return re.findall(r"<bdi>([^<]*)</bdi></span>", response.content.decode())


def groups(response):
    return re.findall(r'id="group-(\w+)"', response.content.decode())


def test_tasks_stand_in_groups_the_worst_first(client_of_ana, contact, ana_in_ghl, add_task):
    now = timezone.now()
    for title, due in (
        ("No date", None), ("Later", now + timedelta(days=40)), ("Late", now - timedelta(days=1)),
        ("Very late", now - timedelta(days=9)),
    ):  # fmt: skip
        add_task(contact, title, due, assignee=ana_in_ghl)
    response = client_of_ana.get("/tasks/")
    assert groups(response) == ["overdue", "later", "none"]
    assert titles(response) == ["Very late", "Late", "Later", "No date"]


def test_whose(client_of_ana, contact, ana_in_ghl, dana, add_task):
    add_task(contact, "Mine", assignee=ana_in_ghl)
    add_task(contact, "Dana's", assignee=dana)
    add_task(contact, "Nobody's")
    assert titles(client_of_ana.get("/tasks/")) == ["Mine"]
    assert titles(client_of_ana.get("/tasks/", {"who": dana.pk})) == ["Dana&#x27;s"]
    assert len(titles(client_of_ana.get("/tasks/?who=everyone"))) == 3


def test_of_which_business(client_of_ana, contact, second_business, second_location, add_contact, add_task):
    add_task(contact, "Here")
    add_task(add_contact("Ines", location=second_location), "There")
    query = {"who": "everyone", "business": second_business.pk}
    assert titles(client_of_ana.get("/tasks/", query)) == ["There"]


@pytest.mark.parametrize("query", ["who=999999", "who=x", "business=999999", "business=x", "who=%00"])
def test_a_wrong_value_is_left_out_and_said(query, client_of_ana, contact):
    response = client_of_ana.get(f"/tasks/?{query}")
    assert response.status_code == 200 and b"banner--warn" in response.content


@pytest.mark.parametrize("group", ["overdue", "later", "none"])
def test_one_group_page_by_page(group, client_of_ana, contact, add_task, monkeypatch):
    monkeypatch.setattr(task_list, "PAGE", 3)
    monkeypatch.setattr(task_list, "LINES", 2)
    due = {"overdue": timezone.now() - timedelta(days=1), "later": timezone.now() + timedelta(days=40), "none": None}
    for number in range(8):
        add_task(contact, f"Task {number}", due[group])
    page = client_of_ana.get("/tasks/?who=everyone")
    assert len(titles(page)) == 2
    url, seen = f"/tasks/?who=everyone&group={group}", []
    assert url.partition("?")[2].replace("&", "&amp;") in page.content.decode()
    while url:
        response = client_of_ana.get(url, headers={"HX-Request": "true", "HX-Target": "task-more"} if seen else {})
        seen += titles(response)
        found = re.search(r'href="(\?[^"]*after[^"]*)"', response.content.decode())
        url = found and "/tasks/" + found[1].replace("&amp;", "&")
    assert sorted(seen) == [f"Task {number}" for number in range(8)]


def test_nothing_open_says_so(client_of_ana, ana_in_ghl):
    assert "Everything that was yours is done" in client_of_ana.get("/tasks/").content.decode()


def test_the_empty_list_explains_linking(client_of_ana, location):
    assert "which GHL user you are" in client_of_ana.get("/tasks/").content.decode()


def test_a_line_shows_what_was_saved(client_of_ana, contact, add_task):
    task = add_task(contact, "Call back", timezone.now() - timedelta(days=3), completed=True)
    response = client_of_ana.get(f"/tasks/{task.pk}/line/", headers={"HX-Request": "true"})
    assert "line--done" in response.content.decode() and titles(response) == ["Call back"]


def test_a_line_by_itself_leads_to_the_contact(client_of_ana, contact, add_task):
    response = client_of_ana.get(f"/tasks/{add_task(contact).pk}/line/")
    assert response.status_code == 302


def test_the_list_costs_the_same_few_queries(client_of_ana, contact, add_task, django_assert_max_num_queries):
    def cost(count):
        for _ in range(count):
            add_task(contact, due_at=timezone.now() - timedelta(days=1))
        with django_assert_max_num_queries(12) as queries:
            client_of_ana.get("/tasks/?who=everyone", headers={"HX-Request": "true"})
        return len(queries)

    assert cost(1) == cost(9)


def test_a_stranger_finds_neither_list_nor_line(as_user, cy, contact, add_task):
    task = add_task(contact, "Secret", timezone.now())
    assert "Secret" not in as_user(cy).get("/tasks/?who=everyone").content.decode()
    assert as_user(cy).get(f"/tasks/{task.pk}/line/", headers={"HX-Request": "true"}).status_code == 404


def test_a_read_only_connection_offers_no_box(client_of_ana, contact, location, add_task):
    location.is_editable = False
    location.save()
    add_task(contact)
    assert "line__form" not in client_of_ana.get("/tasks/?who=everyone").content.decode()
