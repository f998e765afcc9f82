"""ContactFilter: what a URL asks for, what it finds, how it reads, and what happens to nonsense."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.filters import MAX_TAGS, ORDERS, ContactFilter
from contacts.models import Company, Contact, RemoteUser


@pytest.fixture
def request_of_ana(ana):
    request = RequestFactory().get("/contacts/")
    request.user, request.session = ana, {}
    return request


@pytest.fixture
def read(request_of_ana):
    def read(query):
        vars(request_of_ana).pop("_people", None)
        return ContactFilter.from_params(QueryDict(query), request_of_ana)

    return read


def found(chosen):
    return sorted(contact.name for contact in chosen.apply(Contact.objects.all()))


def sentence(chosen):
    return " and ".join(f"{chip.lead} {chip.value}" for chip in chosen.chips())


def test_it_reads_as_a_sentence(read, dana, location):
    chosen = read(f"owner={dana.pk}&tag=insurance&overdue=1&quiet=14")
    assert sentence(chosen) == (
        "owner is Dana Whitlock and tag is insurance and a task is overdue and nothing happened for 14 days"
    )


def test_several_owners_are_joined_by_or(read, dana, ana_in_ghl, add_contact):
    add_contact("Bea", owner=dana)
    add_contact("Cal", owner=ana_in_ghl)
    add_contact("Dan")
    assert sentence(read(f"owner={dana.pk}&owner=none")) == "owner is Dana Whitlock or nobody"
    assert found(read(f"owner={dana.pk}&owner=none")) == ["Bea", "Dan"]
    assert found(read("owner=me")) == ["Cal"]


def test_several_tags_are_joined_by_and(read, add_contact):
    add_contact("Bea", tags=["insurance", "lead"])
    add_contact("Cal", tags=["insurance"])
    assert found(read("tag=insurance&tag=LEAD")) == ["Bea"]


def test_the_same_person_in_two_locations_is_one_owner(read, add_contact, location, second_location):
    here = RemoteUser.objects.create(location=location, remote_id="u1", name="Dana", email="dana@example.com")
    there = RemoteUser.objects.create(location=second_location, remote_id="u2", name="Dana", email="Dana@example.com")
    add_contact("Bea", owner=here)
    add_contact("Cal", owner=there, location=second_location)
    assert found(read(f"owner={there.pk}")) == ["Bea", "Cal"]


def test_company(read, add_contact, location):
    company = Company.objects.create(location=location, remote_id="c1", name="Halden & Pryce")
    add_contact("Bea", company=company)
    add_contact("Cal")
    chosen = read(f"company={company.pk}")
    assert found(chosen) == ["Bea"] and sentence(chosen) == "company is Halden & Pryce"


def test_what_lies_ahead_and_what_is_late(read, add_contact, add_task, add_appointment):
    now = timezone.now()
    day = timedelta(days=1)
    add_task(add_contact("Late"), due_at=now - day)
    add_task(add_contact("Soon"), due_at=now + day)
    add_task(add_contact("Done"), due_at=now - day, completed=True)
    add_task(add_contact("Gone"), due_at=now - day, deleted_at=now)
    add_appointment(add_contact("Booked"), now + day)
    add_appointment(add_contact("Called off"), now + day, status="cancelled")
    add_appointment(add_contact("Was here"), now - day)
    assert found(read("overdue=1")) == ["Late"]
    assert found(read("upcoming=1")) == ["Booked"]
    assert found(read("no_next_step=1")) == ["Called off", "Done", "Gone", "Was here"]


def test_quiet(read, add_contact):
    now = timezone.now()
    add_contact("Bea", last_activity_at=now - timedelta(days=20))
    add_contact("Cal", last_activity_at=now - timedelta(days=2))
    assert found(read("quiet=14")) == ["Bea"]


def test_a_chip_leads_to_the_list_without_it(read, dana):
    chosen = read(f"q=roof&owner={dana.pk}&tag=a&tag=b&sort=recent")
    without = {chip.value: chip.without for chip in chosen.chips()}
    assert without["a"] == f"q=roof&owner={dana.pk}&tag=b&sort=recent"
    assert without["Dana Whitlock"] == "q=roof&tag=a&tag=b&sort=recent"


def test_parameters_survive_the_round_trip(read, dana):
    chosen = read(f"q=Ren%C3%A9%20%26%20co&owner={dana.pk}&owner=none&tag=a%2Cb&overdue=1&quiet=3&sort=added")
    assert read(chosen.params()) == chosen
    assert not chosen.problems


def test_owners_companies_and_people_of_others_are_unknown(read, cy, add_contact):
    business = cy.businesses.get()
    theirs = business.locations.create(remote_id="locInitech")
    owner = RemoteUser.objects.create(location=theirs, remote_id="u9", name="Secret Name")
    company = Company.objects.create(location=theirs, remote_id="c9", name="Secret Company")
    chosen = read(f"owner={owner.pk}&company={company.pk}")
    assert chosen.owners == () and chosen.company is None and len(chosen.problems) == 2
    assert "Secret" not in sentence(chosen) + " ".join(chosen.problems)


@pytest.mark.parametrize(
    "query",
    [
        "owner=x", "owner=-1", "owner=99999999999999999999999", "owner=1e3", "owner=%C2%B2", "company=abc",
        "company=9223372036854775808", "company=9223372036854775807", "quiet=0", "quiet=-5", "quiet=999999999",
        "quiet=14.5", "quiet=%D9%A1%D9%A4", "overdue=yes", "upcoming=2", "no_next_step=true", "sort=price",
        "sort=-sort_name", "q=" + "x" * 5000, "tag=" + "y" * 5000, "&".join(f"tag=t{n}" for n in range(MAX_TAGS + 1)),
    ],
)  # fmt: skip
def test_a_wrong_value_is_left_out_and_said(query, read, location):
    chosen = read(query)
    assert len(chosen.problems) == 1
    found(chosen)


@pytest.mark.parametrize(
    "query", ["", "q=", "owner=", "tag=", "quiet=", "sort=", "after=", "unheard=of", "q=%00", "tag=%00"]
)
def test_empty_values_mean_nothing(query, read, location):
    chosen = read(query)
    assert chosen.is_empty and not chosen.problems and chosen.params() == ""


@pytest.mark.parametrize(
    "q", ["%", "_", "\\", "'", '"; drop table', "0", "+", "(((", "٣", "👩‍👩‍👧", "\u202e", "a" * 200]
)
def test_any_text_can_be_searched_for(q, read, contact):
    request = QueryDict(mutable=True)
    request["q"] = q
    found(read(request.urlencode()))


NAMES = ["q", "owner", "tag", "company", "overdue", "upcoming", "no_next_step", "quiet", "sort", "after"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=40) | st.integers().map(str)), max_size=8))
def test_no_address_breaks_the_list(client, as_user, ana, contact, pairs):
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value.encode("utf-8", "replace").decode())
    assert as_user(ana).get(f"/contacts/?{query.urlencode()}").status_code == 200


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_no_cursor_breaks_an_order(cursor):
    for order in ORDERS.values():
        assert order.parse(cursor) is None or isinstance(order.parse(cursor), tuple)


def test_a_foreign_cursor_starts_at_the_top(as_user, ana, contact):
    for cursor in ("x", "WyJhIiwxXQ", "WzEsMV0", "bnVsbA", "W10", "WyJcdWQ4MDAiLDFd", "WyJcdTAwMDAiLDFd"):
        for sort in ORDERS:
            response = as_user(ana).get("/contacts/", {"after": cursor, "sort": sort})
            assert response.status_code == 200
