"""Lists and searches show nobody anything of somebody else's; and the doors, once open, are noticed."""

import pytest
from django.urls import reverse

from contacts.models import (
    User,
)
from contacts.models.business import BusinessQuerySet, InvitationQuerySet, MembershipQuerySet
from contacts.models.change import ChangeQuerySet
from contacts.models.contact import ContactQuerySet
from contacts.models.location import LocationQuerySet, OfLocationQuerySet
from contacts.models.mirrored import MirroredQuerySet
from integrations.models.connection import ConnectionQuerySet
from tests.tenancy.addresses import ADDRESSES, CANARY, WAYS
from tests.tenancy.asking import finds_nothing, signed_in, tried
from tests.tenancy.conftest import filled

pytestmark = pytest.mark.django_db


def questions(ours):
    """(address, query) of every list and search, each of which shows something of Northgate's to its people."""
    contact = ours.contact
    lists = [{}, {"q": "Marisol"}, {"q": contact.phone}, {"owner": ours.colleague.pk}, {"company": ours.company.pk}]
    lists += [{"tag": "insurance"}, {"overdue": 1}, {"upcoming": 1}, {"no_next_step": 1}, {"quiet": 1}]
    lists += [{"sort": order} for order in ("recent", "quietest", "overdue", "added", "appointment")]
    yield from (("contacts:list", query) for query in lists)
    yield from (("contacts:today", query) for query in ({}, {"who": "everyone"}))
    people = [{"who": who} for who in ("mine", "everyone", ours.colleague.pk)]
    groups = [{"who": "everyone", "group": group} for group in ("overdue", "today", "later", "none")]
    yield from (("contacts:tasks", query) for query in [*people, {"business": ours.business.pk}, *groups])
    yield from (("contacts:companies", query) for query in ({}, {"q": "Acme"}))
    yield from (("contacts:all_history", query) for query in ({}, {"kind": "notes"}, {"business": ours.business.pk}))
    reports = ("overdue", "first-touch", "appointments", "quiet")
    yield from (("contacts:report_rows", {"report": report, "weeks": 26}) for report in reports)
    yield "contacts:reports", {}
    outbox = [{}, {"who": "everyone"}, {"who": "everyone", "only": "undecided"}, {"only": "unsettled"}]
    yield from (("contacts:outbox", query) for query in outbox)
    alone = "contacts:team contacts:new_contact contacts:new_business contacts:invited integrations:connections"
    alone += (
        " integrations:with_token integrations:status integrations:banner integrations:callback integrations:health"
    )
    yield from ((name, {}) for name in alone.split())


def leaks(client, ours):
    """Where a page, or the part of it that htmx asks for, shows something of Northgate's."""
    found = []
    for name, query in questions(ours):
        for way in ("plainly", "by htmx"):
            headers = WAYS[way]
            answer = client.get(reverse(name), query, headers=headers)
            assert answer.status_code < 500, f"{name} {query} {way}"
            if CANARY in answer.content.decode():
                found.append(f"{name} {query} {way}")
    return found


def test_lists_and_searches_show_a_stranger_nothing_of_ours(cy, theirs, ours):
    assert leaks(signed_in(cy), ours) == []


def test_nor_when_the_session_names_our_business(cy, theirs, ours):
    client = signed_in(cy)
    session = client.session
    session["business_id"] = ours.business.pk
    session.save()
    assert leaks(client, ours) == []


def test_they_do_show_it_to_our_own_people(ada, ours):
    shown = {found.split(" ")[0] for found in leaks(signed_in(ada), ours)}
    assert shown >= {
        f"contacts:{name}" for name in ("list", "today", "tasks", "companies", "outbox", "team", "all_history")
    }
    assert shown >= {"integrations:connections", "integrations:health"}


def test_the_same_person_elsewhere_is_not_told_of(cy, theirs, ours):
    """The contact page links to the same person in other businesses: only in those of the reader."""
    filled(theirs.contact, email=ours.contact.email.replace(CANARY, "x"), phone=ours.contact.phone)
    page = signed_in(cy).get(theirs.contact.get_absolute_url()).content.decode()
    assert CANARY not in page
    assert ours.contact.get_absolute_url() not in page


def test_staff_see_no_outbox_of_one_another_and_managers_do(max_, northgate, ours):
    bea = User.objects.create_user("bea@example.com", "correct horse", name="Bea")
    northgate.memberships.create(user=bea, role="staff")
    assert f"said {CANARY}" not in signed_in(bea).get("/outbox/?who=everyone").content.decode()
    assert f"said {CANARY}" not in signed_in(max_).get("/outbox/").content.decode()
    assert f"said {CANARY}" in signed_in(max_).get("/outbox/?who=everyone").content.decode()


# --- can this fail? ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door, method, betrayed", [
    (ContactQuerySet, "visible_to", "contacts:contact GET plainly"),
    (ContactQuerySet, "visible_to", "contacts:contact_field changed contacts.Change"),
    (MirroredQuerySet, "visible_to", "contacts:note_edit GET by htmx"),
    (MirroredQuerySet, "visible_to", "contacts:task_delete POST plainly"),
    (OfLocationQuerySet, "visible_to", "contacts:company GET plainly"),
    (ChangeQuerySet, "visible_to", "contacts:change_undo POST plainly"),
    (ConnectionQuerySet, "administered_by", "integrations:disconnect POST plainly"),
    (BusinessQuerySet, "administered_by", "contacts:invite POST plainly"),
    (MembershipQuerySet, "administered_by", "contacts:member_remove POST plainly"),
    (InvitationQuerySet, "administered_by", "contacts:invitation_withdraw POST plainly"),
])  # fmt: skip
def test_an_open_door_is_noticed(door, method, betrayed, cy, theirs, ours, monkeypatch):
    monkeypatch.setattr(door, method, lambda rows, user: rows.all(), raising=False)
    name = betrayed.split()[0]
    wrong = tried({name: ADDRESSES[name]}, signed_in(cy), ours, finds_nothing)
    assert any(sentence.startswith(betrayed) for sentence in wrong), wrong


@pytest.mark.parametrize("door, page", [
    (OfLocationQuerySet, "contacts:companies"),
    (LocationQuerySet, "contacts:new_contact"),
    (BusinessQuerySet, "contacts:list"),
    (ConnectionQuerySet, "integrations:connections"),
])  # fmt: skip
def test_a_list_with_an_open_door_is_noticed(door, page, cy, theirs, ours, monkeypatch):
    for method in ("visible_to", "administered_by"):
        monkeypatch.setattr(door, method, lambda rows, user: rows.all(), raising=False)
    found = leaks(signed_in(cy), ours)
    assert any(leak.startswith(page) for leak in found), found
