"""Coming in by e-mail and password, getting a new password, going out."""

import pytest
from django.core import mail
from django.urls import reverse

pytestmark = pytest.mark.usefixtures("own_cache")


def sign_in(client, email="ana@example.com", password="correct horse", **more):
    return client.post(reverse("account_login"), {"login": email, "password": password, **more})


@pytest.mark.parametrize("email", ["ana@example.com", "ANA@example.com"])
def test_ana_signs_in_by_e_mail(email, client, ana):
    assert sign_in(client, email).headers["Location"] == reverse("contacts:today")
    assert client.get(reverse("contacts:today")).status_code == 200


def test_she_comes_back_to_where_she_wanted_to_go(client, ana):
    wanted = client.get(reverse("contacts:tasks")).headers["Location"]
    page = client.get(wanted).content.decode()
    assert 'name="next" value="/tasks/"' in page
    assert sign_in(client, next="/tasks/").headers["Location"] == "/tasks/"


def test_nobody_is_sent_on_to_a_foreign_site(client, ana):
    assert sign_in(client, next="https://evil.example/").headers["Location"] == reverse("contacts:today")


@pytest.mark.parametrize("email, password", [("ana@example.com", "not hers"), ("nobody@example.com", "correct horse")])
def test_a_wrong_password_and_a_wrong_address_sound_the_same(email, password, client, ana):
    answer = sign_in(client, email, password).content.decode()
    assert "do not belong together" in answer
    assert f'value="{email}"' in answer  # what was typed stays
    assert password not in answer


def test_somebody_switched_off_stays_outside(client, ana):
    ana.is_active = False
    ana.save()
    sign_in(client)
    assert client.get(reverse("contacts:today")).status_code == 302


def test_guessing_ends_after_five_wrong_passwords(client, ana):
    for _ in range(5):
        sign_in(client, password="wrong")
    assert "too often" in sign_in(client).content.decode()
    assert client.get(reverse("contacts:today")).status_code == 302


def test_with_redis_away_people_still_get_in(client, ana, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}}
    assert "do not belong together" in sign_in(client, password="wrong").content.decode()
    assert sign_in(client).status_code == 302


def test_a_new_password_comes_by_mail(client, ana):
    client.post(reverse("account_reset_password"), {"email": ana.email})
    link = next(word for word in mail.outbox[0].body.split() if "/password/reset/key/" in word)
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "another long one", "password2": "another long one"})
    assert sign_in(client).status_code == 200  # the old one is no longer right
    assert sign_in(client, password="another long one").status_code == 302


def test_a_reset_link_works_once(client, ana):
    client.post(reverse("account_reset_password"), {"email": ana.email})
    link = next(word for word in mail.outbox[0].body.split() if "/password/reset/key/" in word)
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "another long one", "password2": "another long one"})
    assert "no longer works" in client.get(link, follow=True).content.decode()


def test_asking_for_a_reset_does_not_tell_who_has_an_account(client, ana):
    for email in (ana.email, "nobody@example.com"):
        answer = client.post(reverse("account_reset_password"), {"email": email}, follow=True).content.decode()
        assert "If that address has an account" in answer and email not in answer


def test_signing_out_takes_a_button(as_user, ana):
    client = as_user(ana)
    assert "Sign out?" in client.get(reverse("account_logout")).content.decode()
    assert client.get(reverse("contacts:today")).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(reverse("contacts:today")).status_code == 302


def test_djangos_admin_has_no_door_of_its_own(client, as_user, ana):
    """Its sign-in would know no rate limit."""
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith(reverse("account_login"))
    assert as_user(ana).get("/admin/", follow=True).status_code == 403
