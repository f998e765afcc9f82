"""Somebody new: founds a business, or comes in through an invitation."""

import smtplib

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from contacts.models import Business, Invitation, Role, User

pytestmark = pytest.mark.usefixtures("own_cache")
EVE = {"name": "Eve Moss", "email": "eve@example.com", "password1": "a long sentence", "business": "Moss & Co"}


@pytest.fixture
def invitation(northgate, ada):
    return northgate.invite("eve@example.com", Role.MANAGER, by=ada)


@pytest.fixture
def eve_with_link(invitation):
    """A browser that has followed the link of the invitation."""
    client = Client()
    client.get(reverse("contacts:invitation", args=[invitation.token]))
    return client


def sign_up(client, **changes):
    return client.post(reverse("account_signup"), EVE | changes)


def test_whoever_signs_up_is_admin_of_a_new_business(db, client):
    assert sign_up(client).headers["Location"] == reverse("contacts:today")
    eve = User.objects.get(email="eve@example.com")
    assert eve.name == "Eve Moss"
    assert [(m.business.name, m.role) for m in eve.memberships.all()] == [("Moss & Co", "admin")]
    assert client.get(reverse("contacts:team")).status_code == 200


@pytest.mark.parametrize("field", ["name", "email", "password1", "business"])
def test_nothing_may_be_left_out(field, db, client):
    answer = sign_up(client, **{field: ""})
    assert "This field is required." in answer.content.decode()
    assert not User.objects.exists() and not Business.objects.exists()


def test_a_password_that_everybody_has_is_refused(db, client):
    assert "too common" in sign_up(client, password1="password123").content.decode()
    assert not User.objects.exists()


def test_a_taken_address_in_other_letters_makes_no_second_account(client, ana):
    answer = sign_up(client, email="ANA@Example.com")
    assert "has an account already" in answer.content.decode()
    assert User.objects.count() == 1


def test_a_sign_up_survives_a_mail_server_that_is_away(db, client, mail_is_broken):
    answer = client.post(reverse("account_signup"), EVE, follow=True)
    assert "could not be sent" in answer.content.decode()
    assert User.objects.get().memberships.count() == 1


def test_through_an_invitation_no_business_is_asked_for(eve_with_link):
    page = eve_with_link.get(reverse("account_signup")).content.decode()
    assert 'name="business"' not in page
    assert 'value="eve@example.com"' in page and "disabled" in page


def test_through_an_invitation_eve_becomes_what_she_was_invited_as(eve_with_link, invitation, northgate):
    sign_up(eve_with_link)
    eve = User.objects.get(email="eve@example.com")
    assert northgate.role_of(eve) == Role.MANAGER
    assert Business.objects.count() == 1
    invitation.refresh_from_db()
    assert invitation.accepted_at


@pytest.mark.parametrize("address", ["", "?email=mallory@example.com"])
def test_an_invitation_is_good_for_no_other_address(address, eve_with_link):
    eve_with_link.post(reverse("account_signup") + address, EVE | {"email": "mallory@example.com"})
    assert list(User.objects.exclude(name="Ada").values_list("email", flat=True)) == ["eve@example.com"]


def test_a_link_that_was_withdrawn_meanwhile_lets_nobody_in(eve_with_link, northgate):
    Invitation.objects.all().delete()
    sign_up(eve_with_link)
    assert northgate.role_of(User.objects.get(email="eve@example.com")) is None


def test_too_many_sign_ups_from_one_place_have_to_wait(db, client):
    answers = [sign_up(client, name="").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]
    assert "Wait a minute" in sign_up(client).content.decode()


def test_the_confirmation_of_the_address_works(db, client):
    sign_up(client)
    message = mail.outbox[0]
    assert message.subject.startswith("Rankr: ")
    address = next(word for word in message.body.split() if "/confirm-email/" in word)
    client.post(address)
    assert User.objects.get().emailaddress_set.get().verified


@pytest.fixture
def mail_is_broken(monkeypatch):
    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
