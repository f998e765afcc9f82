"""A business with many contacts and tasks: what a page reads of them does not grow with it."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import paging
from contacts.listing.filters import ORDERS
from contacts.models import Appointment, Contact, Task
from contacts.paging import Among, page_of
from contacts.views.task_list import PAGE
from rankr_dash.bench.filling import insert

CONTACTS, TASKS = 3_000, 30_000


@pytest.fixture
def many(location, second_location, ana_in_ghl):
    """Two places with clocks of their own. Many tasks are due at the same moment; some are Ana's."""
    there = "CASE n % 2 WHEN 0 THEN {} ELSE {} END"
    places = {
        "location_id": there.format(location.pk, second_location.pk),
        "business_id": there.format(location.business_id, second_location.business_id),
    }
    seen = {"sort_name": "'c' || n", "last_activity_at": "now() - interval '1 hour' * n", "updated_at": "now()"}
    insert(Contact, places | seen, f"generate_series(1, {CONTACTS}) n")
    of_contact = f"contacts_contact c JOIN generate_series(1, {TASKS}) n ON c.sort_name = 'c' || (1 + n % {CONTACTS})"
    own = {"location_id": "c.location_id", "contact_id": "c.id", "updated_at": "now()"}
    some_day = "now() + interval '1 day' * (n % 90 - 60)"
    anas = f"CASE WHEN c.location_id = {location.pk} AND n % 3 = 0 THEN {ana_in_ghl.pk} END"
    insert(Task, own | {"title": "'Call ' || n", "due_at": some_day, "assignee_id": anas}, of_contact)
    insert(Appointment, own | {"starts_at": some_day, "status": "'confirmed'"}, f"{of_contact} AND n <= {CONTACTS}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, contacts_task, contacts_appointment")


def asked_by(client, address):
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return [one["sql"] for one in asked]


def explained(sql, options):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}) {sql}")
        return cursor.fetchall()


def touched(sql, table):
    """How many rows of the table the query has read."""
    told = explained(sql, "ANALYZE, FORMAT JSON")[0][0]
    waiting, rows = [(json.loads(told) if isinstance(told, str) else told)[0]["Plan"]], 0
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node.get("Relation Name") == table:
            rows += (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return rows


@pytest.mark.parametrize(
    "address",
    [
        "/tasks/", "/tasks/?who=everyone", "/tasks/?who=everyone&group=overdue", "/tasks/?group=later",
        "/", "/?who=everyone",
    ],
)  # fmt: skip
def test_lines_are_read_from_each_place_and_no_more_than_are_shown(address, client_of_ana, many):
    lines = [sql for sql in asked_by(client_of_ana, address) if sql.startswith('SELECT "contacts_task"."id"')]
    assert lines
    # In each of two places a page and one more; then each of these by its number, once or twice as Postgres sees fit.
    most = max(lines, key=lambda sql: touched(sql, "contacts_task"))
    assert touched(most, "contacts_task") <= 3 * 2 * (PAGE + 1), explained(most, "ANALYZE")


def test_the_day_reads_the_appointments_of_the_day(client_of_ana, many):
    lines = [
        one for one in asked_by(client_of_ana, "/?who=everyone") if one.startswith('SELECT "contacts_appointment"')
    ]
    assert sum(touched(sql, "contacts_appointment") for sql in lines) < CONTACTS / 10


@pytest.mark.parametrize("query", ["no_next_step=1&sort=quietest", "overdue=1&upcoming=1&sort=recent"])
def test_a_filter_is_asked_of_one_row_after_another(query, client_of_ana, many, monkeypatch):
    monkeypatch.setattr(paging, "NEAR", 200)
    near = [sql for sql in asked_by(client_of_ana, f"/contacts/?{query}") if "CASE WHEN" in sql]
    assert near
    for sql in near:
        assert "hashed" not in "\n".join(row[0] for row in explained(sql, "COSTS OFF"))


@pytest.mark.parametrize("near, far", [(2, 4), (8, 40), (8, 10_000), (1000, 1000)])
def test_however_far_it_looks_it_finds_the_same(near, far, location, add_contact, monkeypatch):
    monkeypatch.setattr(paging, "NEAR", near)
    monkeypatch.setattr(paging, "FAR", far)
    for number in range(40):
        add_contact(f"Contact {number:02}", tags=["vip"] if number % 4 == 1 or number > 35 else [])
    everybody = Contact.objects.filter(business=location.business)
    chosen, among = everybody.filter(tags__contains=["vip"]), Among(everybody, [everybody])
    found, after = [], ""
    while len(found) < 40:
        page = page_of(chosen, ORDERS["name"], after, 3, timezone.now(), list_of, among)
        found, after = found + [contact.sort_name for contact in page.rows], page.after
        if not after:
            break
    assert found == sorted(chosen.values_list("sort_name", flat=True))


def list_of(contacts):
    return contacts


@pytest.mark.parametrize("theirs", [{"email": "nobody@example.com"}, {"phone": "+442077563258"}])
def test_one_address_or_number_is_not_taken_for_many(theirs, many, northgate):
    found = Contact.objects.present().filter(business__in=[northgate])
    found = found.with_email(theirs["email"]) if "email" in theirs else found.with_phone(theirs["phone"])
    expected = json.loads(found.explain(format="json"))[0]["Plan"]["Plan Rows"]
    assert expected <= 5 < CONTACTS // 200
