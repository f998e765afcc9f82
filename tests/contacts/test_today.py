"""Today: what needs me, by the clock of the location."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from contacts.day import agenda
from contacts.models import Change, Contact

CHICAGO = ZoneInfo("America/Chicago")
# Monday, 14:20 in Chicago; 20:20 UTC.
NOON_AND_MORE = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)


@pytest.fixture
def at_14_20():
    with time_machine.travel(NOON_AND_MORE, tick=False):
        yield NOON_AND_MORE


def titles(page, group):
    part = re.search(rf'aria-labelledby="today-{group}".*?</section>', page, re.S)[0]
    return re.findall(r"<bdi>([^<]*)</bdi></span>", part)


@pytest.fixture
def look(as_user, ana):
    return lambda query="": as_user(ana).get(f"/{query}").content.decode()


def test_late_and_due_today_are_told_apart(at_14_20, look, contact, ana_in_ghl, add_task):
    def hours(number):
        return at_14_20 + timedelta(hours=number)

    add_task(contact, "Six days late", hours(-144), assignee=ana_in_ghl)
    add_task(contact, "An hour late", hours(-1), assignee=ana_in_ghl)
    add_task(contact, "Tonight", datetime(2026, 11, 23, 23, 59, tzinfo=CHICAGO), assignee=ana_in_ghl)
    add_task(contact, "Tomorrow", datetime(2026, 11, 24, 0, 0, tzinfo=CHICAGO), assignee=ana_in_ghl)
    page = look()
    assert titles(page, "overdue") == ["Six days late", "An hour late"]
    # 23:59 in Chicago is already tomorrow in UTC.
    assert titles(page, "today") == ["Tonight"]
    assert "Monday 23 November" in page and "14:20" in page and "in Chicago" in page
    assert "6 days late" in page


def test_each_location_has_its_own_midnight(at_14_20, look, contact, second_location, ana, add_contact, add_task):
    # 23:30 in Chicago is 00:30 of the next day in New York.
    there = add_contact("Ines", location=second_location)
    moment = datetime(2026, 11, 23, 23, 30, tzinfo=CHICAGO)
    add_task(contact, "Chicago", moment)
    add_task(there, "New York", moment)
    assert titles(look("?who=everyone"), "today") == ["Chicago"]


def test_where_clocks_differ_a_time_names_its_place(at_14_20, look, contact, second_location, add_contact, add_task):
    there = add_contact("Ines", location=second_location)
    add_task(contact, "Here", at_14_20 + timedelta(hours=2))
    add_task(there, "There", at_14_20 + timedelta(hours=1))
    page = look("?who=everyone")
    assert titles(page, "today") == ["There", "Here"]  # 16:20 in New York comes before 16:20 in Chicago
    assert re.findall(r"16:20</time> <span class=\"line__place\">([^<]*)<", page) == ["New York", "Chicago"]


def test_only_my_own_unless_i_ask_for_everyone(look, contact, ana_in_ghl, dana, add_task):
    late = timezone.now() - timedelta(days=1)
    add_task(contact, "Mine", late, assignee=ana_in_ghl)
    add_task(contact, "Dana's", late, assignee=dana)
    add_task(contact, "Nobody's", late)
    assert titles(look(), "overdue") == ["Mine"]
    assert len(titles(look("?who=everyone"), "overdue")) == 3


def test_done_deleted_and_orphaned_tasks_are_gone(look, contact, ana_in_ghl, add_contact, add_task):
    late = timezone.now() - timedelta(days=1)
    add_task(contact, "Done", late, assignee=ana_in_ghl, completed=True)
    add_task(contact, "Deleted", late, assignee=ana_in_ghl, deleted_at=late)
    add_task(add_contact("Gone", deleted_at=late), "Of a deleted contact", late, assignee=ana_in_ghl)
    page = look()
    assert titles(page, "overdue") == [] and "Nothing is late" in page


def test_appointments_stand_on_the_clock(at_14_20, look, contact, ana_in_ghl, add_appointment):
    def hour(number):
        return datetime(2026, 11, 23, number, tzinfo=CHICAGO)

    for start, title, status in (
        (hour(10), "Roof walk", "showed"), (hour(15), "Estimate review", "confirmed"), (hour(17), "Adjuster", "new"),
        (hour(16), "Called off", "cancelled"), (hour(15) + timedelta(days=1), "Tomorrow's", "new"),
    ):  # fmt: skip
        add_appointment(contact, start, title, status=status, ends_at=start + timedelta(hours=1), assignee=ana_in_ghl)
    page = look()
    places = re.findall(r'day__event(--\w+)?" data-at="(\d+)" data-for="(\d+)"', page)
    assert places == [("--past", "4", "4"), ("--next", "24", "4"), ("", "32", "4")]
    assert re.search(r'day__now" data-at="21" data-past-quarter="5"', page)
    assert "Called off" not in page and "Tomorrow&#x27;s" not in page


def test_contacts_of_mine_without_a_next_step(look, ana_in_ghl, dana, add_contact, add_task):
    add_contact("Forgotten", owner=ana_in_ghl)
    add_task(add_contact("Busy", owner=ana_in_ghl), due_at=timezone.now() + timedelta(days=9))
    add_contact("Danas", owner=dana)
    part = re.search(r'aria-labelledby="today-quiet".*?</section>', look(), re.S)[0]
    assert "Forgotten" in part and "Busy" not in part and "Danas" not in part
    assert "owner=me&amp;no_next_step=1" in part


def test_my_edits_that_ghl_did_not_take(look, ana, ada, contact):
    def change(by, sentence, state="refused"):
        Change.objects.create(
            business=contact.business, location=contact.location, contact=contact, kind="contact", verb="update",
            values={"email": "x"}, state=state, sentence=sentence, made_by=by,
            settled_at=timezone.now() if state in ("refused", "differs", "cancelled") else None,
        )  # fmt: skip

    change(ana, "GHL says the address is not valid.")
    change(ana, "GHL kept the old one.", "differs")
    change(ana, "Given up.", "cancelled")
    change(ada, "Somebody else's.")
    page = look()
    assert "the address is not valid" in page and "kept the old one" in page
    assert "Given up" not in page and "Somebody else" not in page


def test_the_empty_page_explains_linking(look, location):
    page = look()
    assert "which GHL user you are" in page and "Show everyone’s" in page
    assert "which GHL user you are" not in look("?who=everyone")


def test_without_a_connection_the_page_says_so(look, northgate):
    assert "No GHL account is connected" in look()


def test_a_stranger_sees_nothing_of_it(as_user, cy, contact, add_task, add_appointment):
    now = timezone.now()
    add_task(contact, "Secret task", now - timedelta(days=1))
    add_appointment(contact, now, "Secret visit")
    page = as_user(cy).get("/?who=everyone").content.decode()
    assert "Secret" not in page and "Marisol" not in page


def test_it_costs_the_same_few_queries_however_full_the_day_is(
    as_user, ana, location, ana_in_ghl, add_contact, add_task, add_appointment, django_assert_max_num_queries
):
    client, now = as_user(ana), timezone.now()

    def cost(count):
        for number in range(count):
            contact = add_contact(f"Contact {number}")
            add_task(contact, due_at=now - timedelta(days=1), assignee=ana_in_ghl)
            add_contact(f"Quiet {number}", owner=ana_in_ghl)
            add_appointment(contact, now, assignee=ana_in_ghl)
        with django_assert_max_num_queries(21) as queries:
            client.get("/")
        return len(queries)

    assert cost(1) == cost(5)


# --- groups by day ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "local, group",
    [
        ("2026-11-23 14:19", "overdue"), ("2026-11-23 14:20", "today"), ("2026-11-23 23:59", "today"),
        ("2026-11-24 00:00", "tomorrow"), ("2026-11-25 00:00", "week"), ("2026-11-29 23:59", "week"),
        ("2026-11-30 00:00", "later"), (None, "none"),
    ],
)  # fmt: skip
def test_each_moment_has_one_group(local, group, contact, add_task):
    due = datetime.fromisoformat(local).replace(tzinfo=CHICAGO) if local else None
    task = add_task(contact, due_at=due)
    assert agenda.group_of(task, NOON_AND_MORE) == group
    lanes = {
        name: agenda.in_lanes(type(task).objects, name, [contact.location], NOON_AND_MORE) for name in agenda.GROUPS
    }
    assert [name for name, of_group in lanes.items() if of_group.count(1)] == [group]


def test_on_a_sunday_this_week_is_over_with_tomorrow():
    bounds = agenda.Bounds.of(CHICAGO, datetime(2026, 11, 29, 12, tzinfo=CHICAGO)).spans()
    assert bounds["week"][0] == bounds["week"][1] == bounds["tomorrow"][1]


def test_the_day_the_clocks_change_has_its_own_length():
    bounds = agenda.Bounds.of(CHICAGO, datetime(2026, 11, 1, 12, tzinfo=CHICAGO))
    assert bounds.tomorrow.astimezone(UTC) - bounds.today.astimezone(UTC) == timedelta(hours=25)


def test_a_zone_no_clock_knows_does_not_break_the_page(look, location, ana_in_ghl):
    location.time_zone = "Mars/Olympus"
    location.save()
    assert "UTC" in look()
    assert Contact.objects.count() == 0
