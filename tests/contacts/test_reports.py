"""Reports: pictures with numbers, and behind each number just as many rows."""

import csv
import re
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts.managers import reports, stats
from contacts.managers.charts import Bar, Columns, Row, side_by_side
from contacts.managers.reports import Scope
from contacts.models import Business, Location, Membership, RemoteUser, Role
from contacts.views import reports as view

CHICAGO = ZoneInfo("America/Chicago")
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture(autouse=True)
def at_leisure(monkeypatch, own_cache):
    """All figures at once and reckoned anew, however slow this machine is."""
    monkeypatch.setattr(view, "PATIENCE_S", 600)
    monkeypatch.setattr(reports, "SLOW_S", 600)


@pytest.fixture
def manager(as_user, max_):
    return as_user(max_)


@pytest.fixture
def scope(northgate, location):
    return lambda **params: Scope.from_params(params, [northgate])


@pytest.fixture
def busy(location, northgate, contact, ana, ana_in_ghl, dana, add_contact, add_event, add_task, add_appointment):
    """Some of everything, in two locations of different clocks, on both sides of every border."""
    now = timezone.now()
    tokyo = Location.objects.create(business=northgate, remote_id="locTokyo", name="Tokyo", time_zone="Asia/Tokyo")
    kenji = tokyo.contacts.create(business=northgate, first_name="Kenji", created_at=now - timedelta(days=3))
    people = [contact, kenji, *(add_contact(f"Person {n}", created_at=now - timedelta(days=9 * n)) for n in range(6))]
    monday = datetime.combine(stats.monday_of(location.today()), datetime.min.time(), tzinfo=CHICAGO)
    monday_there = datetime.combine(stats.monday_of(tokyo.today()), datetime.min.time(), tzinfo=TOKYO)
    moments = [edge + step for edge in (monday, monday_there) for step in (timedelta(0), -timedelta(seconds=1))]
    moments += [now - timedelta(days=6 * n, hours=n) for n in range(12)]
    doers = [{"user": ana}, {"actor_kind": "ghl", "actor_name": "Ana"}, {"actor_kind": "ghl", "actor_name": dana.name}]
    doers += [
        {"actor_kind": "ghl", "actor_name": ""},
        {"actor_kind": "ghl", "actor_name": "Renamed"},
        {"actor_kind": "rule"},
    ]
    for number, moment in enumerate(moments):
        for kind in ("note_added", "task_done", "contact_changed"):
            doer = doers[number % len(doers)]
            add_event(people[number % 4], kind, happened_at=min(moment, now), **doer)
    for number, days in enumerate((0, 1, 2, 3, 7, 8, 30, 31, 32, 90)):
        for person in (contact, kenji):
            due = now - timedelta(days=days, minutes=5)
            add_task(person, f"T{number}", due, assignee=(dana, ana_in_ghl, None)[number % 3])
    statuses = ("showed", "noshow", "cancelled", "confirmed", "invalid")
    for number, moment in enumerate([*moments, now + timedelta(hours=5), now + timedelta(days=1)]):
        add_appointment(people[number % 4], moment, status=statuses[number % 5])
    for person, days in zip(people, (1, 30, 45, 60, 89, 90, 180, 400), strict=True):
        person.last_activity_at = now - timedelta(days=days, minutes=1)
        person.save()
    return people


def links(html):
    """{address: number} of the bars and the cells that lead to a list."""
    tables = re.findall(r'<a[^>]* href="([^"]*(?:/history/|/reports/rows/)[^"]*)"[^>]*>\s*([\d,]+)\s*</a>', html)
    return {unescape(url): int(number.replace(",", "")) for url, number in tables}


def rows_behind(client, url):
    """How many rows the list has on all its pages."""
    count = 0
    while url:
        html = client.get(url).content.decode()
        count += html.count("data-row")
        more = re.search(r'id="list-more".*?href="([^"]*)"', html, re.S)
        url = url.split("?")[0] + unescape(more[1]) if more else ""
    return count


# --- the numbers are the lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("weeks", ["4", "26"])
def test_each_number_is_the_number_of_rows_behind_it(weeks, manager, busy):
    html = manager.get(f"/reports/?weeks={weeks}").content.decode()
    found = links(html)
    assert {url.split("report=")[1].split("&")[0] for url in found if "report=" in url} == {
        "overdue", "first-touch", "appointments", "quiet",
    }  # fmt: skip
    assert any("/history/" in url for url in found)
    assert {url: rows_behind(manager, url) for url in found} == found


def test_each_bar_of_a_picture_leads_where_its_cell_leads(manager, busy):
    html = manager.get("/reports/").content.decode()
    bars = {unescape(url) for url in re.findall(r'<a href="([^"]*)" tabindex="-1">', html)}
    assert bars and bars <= set(links(html))


def test_the_bars_hold_every_task_that_is_overdue(scope, busy):
    assert sum(row.total for row in reports.ageing(scope())["rows"]) == 20


# --- what they count --------------------------------------------------------------------------------------------------


def test_work_is_counted_for_the_person_in_both_worlds_by_the_week_of_the_location(
    scope, contact, ana, ana_in_ghl, add_event
):
    # Clocks go back on 1 November 2026: that week has an hour more.
    scope = scope(weeks="12")
    week = datetime(2026, 10, 26, tzinfo=CHICAGO).date()
    scope.weeks = [week - timedelta(weeks=1), week, week + timedelta(weeks=1)]
    for moment in (
        datetime(2026, 10, 25, 23, 59, tzinfo=CHICAGO),
        datetime(2026, 10, 26, 0, 0, tzinfo=CHICAGO),
        datetime(2026, 11, 1, 23, 59, tzinfo=CHICAGO),
        datetime(2026, 11, 2, 0, 0, tzinfo=CHICAGO),
    ):
        add_event(contact, "note_added", user=ana, happened_at=moment)
        add_event(contact, "note_added", actor_kind="ghl", actor_name="Ana", happened_at=moment)
    done = stats.work_done(scope.events, scope.locations, scope.weeks, scope.actors)
    ((actor, counts),) = done["note_added"].items()
    assert actor.user_id == ana.pk and [counts[week] for week in scope.weeks] == [2, 4, 2]


@pytest.mark.parametrize(
    "days, age", [(0, "0-2"), (2, "0-2"), (3, "3-7"), (7, "3-7"), (8, "8-30"), (30, "8-30"), (31, "30+")]
)
def test_lateness_is_counted_in_days_of_the_location(days, age, scope, contact, add_task):
    scope = scope()
    scope.now = datetime(2026, 11, 23, 0, 30, tzinfo=CHICAGO)  # already Monday there, half past six in UTC
    due = datetime(2026, 11, 23, 0, 5, tzinfo=CHICAGO) - timedelta(days=days)
    add_task(contact, "Late", due)
    (counts,) = stats.ageing(scope.tasks, scope.locations, scope.now).values()
    assert [name for name, count in counts.items() if count] == [age]


def test_the_first_touch_is_a_person_s_first_note_task_or_booking(scope, location, add_contact, add_event, ana):
    now = timezone.now()

    def new(name, *events, age=timedelta(days=10)):
        contact = add_contact(name, created_at=now - age)
        for kind, hours, who in events:
            add_event(contact, kind, happened_at=contact.created_at + timedelta(hours=hours), **who)

    person, rule, unnamed = {"user": ana}, {"actor_kind": "rule"}, {"actor_kind": "ghl", "actor_name": ""}
    new("Soon", ("note_added", 0.5, person))
    new(
        "Two",
        ("contact_changed", 1, person),
        ("note_added", 1, rule),
        ("task_done", 2, person),
        ("note_added", 3, person),
    )
    new("Named", ("note_added", 30, {"actor_kind": "ghl", "actor_name": "Dana"}))
    new("Never", ("note_added", 1, unnamed), ("contact_added", 0, person))
    new("Before", ("note_added", -5, person))
    new("Old", ("note_added", 1, person), age=timedelta(days=400))
    found = stats.first_touch(scope().contacts, [location], scope().weeks)
    assert {name: n for name, n in found.took.items() if n} == {"1h": 1, "4h": 1, "3d": 1, "not": 2}
    assert found.total == 5 and found.median == timedelta(hours=2)


def test_appointments_to_come_are_not_counted_unless_called_off(scope, contact, add_appointment):
    now = timezone.now()
    scope = scope()
    in_this_week = min(now + timedelta(minutes=1), datetime.combine(
        scope.weeks[-1] + timedelta(days=6), datetime.max.time(), tzinfo=CHICAGO
    ))  # fmt: skip
    for status in ("confirmed", "showed", "cancelled"):
        add_appointment(contact, in_this_week, status=status)
    found = stats.outcomes(scope.appointments, scope.locations, scope.weeks, now)
    assert {name: sum(weeks.values()) for name, weeks in found.items()} == {
        "kept": 0, "missed": 0, "cancelled": 1, "open": 0,
    }  # fmt: skip


def test_deleted_contacts_count_nowhere(scope, busy):
    now = timezone.now()
    for person in busy:
        person.deleted_at = now
        person.save()
    scope = scope()
    assert sum(reports.quiet(scope)["rows"][number].total for number in range(4)) == 0
    assert reports.ageing(scope)["rows"] == [] and reports.appointments(scope)["columns"].total == 0


# --- whose ------------------------------------------------------------------------------------------------------------


def test_a_business_where_one_is_staff_counts_nothing(manager, max_, add_task):
    other = Business.objects.create(name="Harbor Dental")
    Membership.objects.create(business=other, user=max_, role=Role.STAFF)
    there = Location.objects.create(business=other, remote_id="locHarbor", time_zone="UTC")
    add_task(there.contacts.create(business=other, first_name="Otto"), "Theirs", timezone.now() - timedelta(days=1))
    assert rows_behind(manager, "/reports/rows/?report=overdue") == 0
    asked = manager.get(f"/reports/?business={other.pk}").content.decode()
    assert "not one you manage" in asked


def test_one_business_of_several(manager, max_, add_task, contact):
    other = Business.objects.create(name="Harbor Dental")
    Membership.objects.create(business=other, user=max_, role=Role.MANAGER)
    there = Location.objects.create(business=other, remote_id="locHarbor", time_zone="UTC")
    for person in (contact, there.contacts.create(business=other, first_name="Otto")):
        add_task(person, "Late", timezone.now() - timedelta(days=1))
    assert rows_behind(manager, "/reports/rows/?report=overdue") == 2
    assert rows_behind(manager, f"/reports/rows/?report=overdue&business={other.pk}") == 1


@pytest.mark.parametrize("query", [
    "weeks=9", "weeks=abc", "business=x", "report=overdue&age=x&who=x", "report=appointments&week=never&outcome=x",
    "report=first-touch&took=x", "report=quiet&days=x", "report=overdue&who=u99999999999999999999999",
])  # fmt: skip
def test_a_broken_address_shows_something_whole(query, manager, busy):
    for path in ("/reports/", "/reports/rows/"):
        assert manager.get(f"{path}?{query}").status_code == 200
    assert manager.get("/reports/rows/?report=nonsense").status_code == 404


# --- when it takes long -----------------------------------------------------------------------------------------------


def test_what_takes_long_follows_after_the_page_and_is_kept(manager, busy, monkeypatch):
    whole = manager.get("/reports/").content.decode()
    monkeypatch.setattr(view, "PATIENCE_S", -1)
    monkeypatch.setattr(reports, "SLOW_S", -1)
    page = manager.get("/reports/").content.decode()
    assert page.count('hx-trigger="load"') >= 4 and "Reckoning" in page
    parts = [
        manager.get(f"/reports/?part={name}", headers={"HX-Request": "true"}).content.decode() for name in view.PARTS
    ]
    assert {url for part in parts for url in links(part)} == set(links(whole))
    assert "As of" in manager.get("/reports/").content.decode()


def test_the_page_asks_as_much_for_many_people_as_for_few(
    manager, busy, contact, add_event, django_assert_max_num_queries
):
    manager.get("/reports/")
    with django_assert_max_num_queries(80) as few:
        manager.get("/reports/")
    for number in range(30):
        Location.objects.get(name="Tokyo").remote_users.create(remote_id=f"r{number}", name=f"Person {number}")
        add_event(contact, "note_added", actor_kind="ghl", actor_name=f"Person {number}")
    with django_assert_max_num_queries(80) as many:
        manager.get("/reports/")
    assert len(many) == len(few)


def test_without_a_location_it_says_so(manager):
    assert "No GHL account is connected" in manager.get("/reports/").content.decode()


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_bars_share_their_picture_in_proportion():
    rows = side_by_side([Row("a", [Bar(3, "", ""), Bar(1, "", "")]), Row("b", [Bar(2, "", "")])])
    assert [(bar.x, bar.width) for row in rows for bar in row.bars] == [(0, 75), (75, 25), (0, 50)]
    columns = Columns([[Bar(1, "", ""), Bar(3, "", "")], [Bar(0, "", "")]]).laid_out(4)
    assert [(bar.y, bar.height) for bar in columns.weeks[0]] == [(30, 10), (0, 30)] and columns.bars == columns.weeks[0]


@pytest.mark.parametrize("time, words", [
    (timedelta(seconds=20), "0 min"), (timedelta(minutes=59), "59 min"), (timedelta(hours=3, minutes=20), "3 h 20 min"),
    (timedelta(days=1), "1 day"), (timedelta(days=2, hours=4), "2 days 4 h"), (timedelta(days=40, hours=4), "40 days"),
])  # fmt: skip
def test_lengths_of_time_are_told_shortly(time, words):
    assert reports.length_of(time) == words


def test_a_hostile_name_stays_a_name(manager, contact, location, add_event):
    location.remote_users.create(remote_id="evil", name='"><script>alert(1)</script>')
    add_event(contact, "note_added", actor_kind="ghl", actor_name='"><script>alert(1)</script>')
    assert "<script>alert(1)" not in manager.get("/reports/").content.decode()


def table(client, part, **params):
    answer = client.get(f"/reports/table/{part}/", params)
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))


@pytest.mark.parametrize("part", view.PARTS)
def test_each_report_is_a_file_too_and_leads_to_it(part, manager, busy):
    assert f"/reports/table/{part}/?weeks=4" in manager.get("/reports/?weeks=4").content.decode()
    head, *rows = table(manager, part, weeks="4")
    assert rows and all(len(row) == len(head) for row in rows)


def test_the_file_says_what_the_pictures_say(manager, scope, busy):
    shown = reports.ageing(scope())
    _head, *rows = table(manager, "ageing")
    assert [(row[0], int(row[-1])) for row in rows] == [(row.name, row.total) for row in shown["rows"]]
    head, *rows = table(manager, "appointments", weeks="4")
    assert head[1:] == [words for _, words in reports.appointments(scope(weeks="4"))["legend"]] and len(rows) == 4


def test_a_name_in_the_file_is_no_formula(manager, location, contact, add_task):
    eve = RemoteUser.objects.create(location=location, remote_id="userEve", name="=HYPERLINK(1)")
    add_task(contact, due_at=timezone.now() - timedelta(days=3), assignee=eve)
    assert table(manager, "ageing")[1][0] == "'=HYPERLINK(1)"


def test_the_files_are_for_managers(as_user, ana, manager, busy):
    assert as_user(ana).get("/reports/table/work/").status_code == 404
    assert manager.get("/reports/table/secrets/").status_code == 404
