import pytest

from integrations.sandbox.config import Config
from integrations.sandbox.seed import seeded_company

NOW = 1_790_000_000


def company(contacts=400, seed=1):
    return seeded_company(Config(contacts=contacts, seed=seed, now=NOW))


def records(one):
    return [(name, dict(table.rows)) for place in one.locations.values() for name, table in place.tables().items()]


def test_the_same_seed_gives_the_same_account():
    assert records(company()) == records(company())
    assert records(company(seed=2)) != records(company())


def test_the_size_of_the_first_location_leaves_the_second_alone():
    small, large = company(10), company(300)
    assert list(small.locations.values())[1].contacts.rows == list(large.locations.values())[1].contacts.rows


@pytest.mark.parametrize("size", [0, 1, 7, 60, 2_000])
def test_an_account_has_exactly_what_was_asked_for(size):
    first = company(size).first
    made = [len(table) for table in (first.contacts, first.tasks, first.notes, first.appointments)]
    assert made == [size, size, size * 3 // 2, size // 2]
    assert (len(first.users), len(first.calendars), len(first.tags)) == (5, 4, 25)


def test_no_two_people_share_an_address_or_a_number():
    first = company(2_000).first
    for field in ("email", "phone"):
        values = [contact[field] for contact in first.contacts if field in contact]
        assert len(set(values)) == len(values) > 1_500


def test_there_are_ugly_rows():
    first = company().first
    people = list(first.contacts)
    assert any(len(one.get("firstName", "") + one.get("lastName", "")) >= 90 for one in people)
    assert any(len(one["tags"]) == 60 for one in people)
    assert any("email" in one and "firstName" not in one and "phone" not in one for one in people)
    assert any("phone" in one and "firstName" not in one and "email" not in one for one in people)
    assert any("א" <= letter <= "ת" for one in people for letter in one.get("firstName", ""))
    bodies = [note["body"] for note in first.notes]
    assert any("<script>" in body for body in bodies)
    assert any(len(body.split()) >= 4_000 for body in bodies)
    assert any(task["title"] == "🔨🏠" for task in first.tasks)


def test_dates_lie_on_both_sides_of_today():
    first = company(2_000).first
    now = NOW * 1000
    assert {one["appointmentStatus"] for one in first.appointments} == {
        "new",
        "confirmed",
        "cancelled",
        "showed",
        "noshow",
        "invalid",
    }
    assert any(one["startTime"] > now for one in first.appointments)
    assert any(one["dueDate"] < now and not one["completed"] for one in first.tasks)
    assert any(one["dueDate"] > now for one in first.tasks)
    assert all(one["dateAdded"] <= one["dateUpdated"] <= now for one in first.contacts)
