"""The link of an invitation, followed by the right person, the wrong one, and too late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contacts.models import Business, Invitation, Membership, Role, User

pytestmark = pytest.mark.usefixtures("own_cache")
INVITED = "/invitations/"


@pytest.fixture
def eve(db):
    return User.objects.create_user("eve@example.com", "correct horse", name="Eve")


@pytest.fixture
def invitation(northgate, ada):
    return northgate.invite("Eve@Example.com", Role.MANAGER, by=ada)


def follow(client, invitation):
    return client.get(reverse("contacts:invitation", args=[invitation.token]), follow=True)


def test_eve_reads_what_it_is_about_before_she_accepts(as_user, eve, invitation, northgate):
    page = follow(as_user(eve), invitation).content.decode()
    assert "Northgate Roofing" in page and "Ada invites" in page and "as manager" in page
    assert northgate.role_of(eve) is None


def test_eve_accepts_with_one_button(as_user, eve, invitation, northgate):
    client = as_user(eve)
    follow(client, invitation)
    answer = client.post(INVITED, follow=True)
    assert "Welcome to Northgate Roofing" in answer.content.decode()
    assert northgate.role_of(eve) == Role.MANAGER


def test_the_secret_is_in_no_further_address(as_user, eve, invitation):
    for client in (as_user(eve), Client()):
        answer = follow(client, invitation)
        assert answer.request["PATH_INFO"] == INVITED
        assert invitation.token not in answer.content.decode()


def test_accepting_needs_a_csrf_token(eve, invitation, northgate):
    client = Client(enforce_csrf_checks=True)
    client.force_login(eve)
    follow(client, invitation)
    assert client.post(INVITED).status_code == 403
    assert northgate.role_of(eve) is None


def test_after_signing_in_eve_is_asked_at_once(client, eve, invitation):
    assert reverse("account_login") in follow(client, invitation).content.decode()
    answer = client.post(reverse("account_login"), {"login": eve.email, "password": "correct horse"}, follow=True)
    assert answer.request["PATH_INFO"] == INVITED
    assert "Accept the invitation" in answer.content.decode()


def test_somebody_else_is_told_so_and_cannot_accept(as_user, ana, cy, invitation, northgate):
    client = as_user(cy)
    page = follow(client, invitation).content.decode()
    assert "You are signed in as <b>cy@example.com</b>" in page and "Sign out" in page
    assert client.post(INVITED).status_code == 403
    assert northgate.role_of(cy) is None


def test_signing_out_keeps_the_invitation_at_hand(as_user, cy, invitation):
    client = as_user(cy)
    follow(client, invitation)
    answer = client.post(reverse("account_logout"), {"next": INVITED}, follow=True)
    assert "Create an account" in answer.content.decode()


def test_a_stranger_who_is_signed_out_cannot_accept(client, invitation):
    follow(client, invitation)
    assert client.post(INVITED).status_code == 403
    invitation.refresh_from_db()
    assert invitation.accepted_at is None


@pytest.mark.parametrize("accident", ["expired", "used", "withdrawn", "invented"])
def test_a_link_that_no_longer_works_says_so(accident, client, invitation):
    if accident == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    if accident == "used":
        Invitation.objects.update(accepted_at=timezone.now())
    if accident == "withdrawn":
        Invitation.objects.all().delete()
    if accident == "invented":
        invitation.token = "x" * 300
    answer = follow(client, invitation)
    assert answer.status_code == 410
    assert "no longer works" in answer.content.decode()


def test_an_invitation_expires_while_eve_reads(as_user, eve, invitation, northgate):
    client = as_user(eve)
    follow(client, invitation)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert client.post(INVITED).status_code == 410
    assert northgate.role_of(eve) is None


def test_a_second_press_of_the_button_is_too_late(as_user, eve, invitation):
    client = as_user(eve)
    follow(client, invitation)
    client.post(INVITED)
    assert client.post(INVITED).status_code == 410
    assert Membership.objects.filter(user=eve).count() == 1


def test_a_member_who_is_invited_again_keeps_the_role(as_user, ada, northgate):
    invitation = northgate.invite(ada.email, Role.STAFF, by=ada)
    client = as_user(ada)
    follow(client, invitation)
    client.post(INVITED)
    assert northgate.role_of(ada) == Role.ADMIN


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_uses_it_up(invitation, eve):
    together = Barrier(5)

    def accept(_):
        together.wait(10)
        try:
            return invitation.accept(eve)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(accept, range(5))) == [False] * 4 + [True]
    assert Membership.objects.filter(user=eve).count() == 1


def test_the_invitation_page_is_never_kept_by_a_cache(client, invitation):
    assert "no-store" in client.get(reverse("contacts:invitation", args=[invitation.token])).headers["Cache-Control"]


# --- without a business -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["today", "list", "new_contact", "tasks", "companies", "outbox", "new_business"])
def test_somebody_without_a_business_gets_a_page_all_the_same(page, as_user, eve):
    assert as_user(eve).get(reverse(f"contacts:{page}")).status_code == 200


def test_they_learn_what_to_do(as_user, eve):
    today = as_user(eve).get(reverse("contacts:today")).content.decode()
    assert reverse("contacts:new_business") in today
    page = as_user(eve).get(reverse("contacts:new_business")).content.decode()
    assert "Ask an admin there to invite <b>eve@example.com</b>" in page


def test_eve_sets_up_a_business_and_is_its_admin(as_user, eve):
    as_user(eve).post(reverse("contacts:new_business"), {"name": "Moss & Co"})
    assert Business.objects.get().role_of(eve) == Role.ADMIN


def test_ana_sets_up_a_second_one_and_stays_staff_in_the_first(as_user, ana, northgate):
    as_user(ana).post(reverse("contacts:new_business"), {"name": "Moss & Co"})
    assert Business.objects.get(name="Moss & Co").role_of(ana) == Role.ADMIN
    assert northgate.role_of(ana) == Role.STAFF


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_business_needs_a_name(name, as_user, eve):
    answer = as_user(eve).post(reverse("contacts:new_business"), {"name": name})
    assert answer.status_code == 422
    assert not Business.objects.exists()


def test_strangers_set_up_nothing(client, db):
    assert client.post(reverse("contacts:new_business"), {"name": "Moss & Co"}).status_code == 302
    assert not Business.objects.exists()
