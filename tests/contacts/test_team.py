"""The team page: roles, members, invitations, and who is who in GHL."""

import smtplib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.apps import apps
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from contacts.models import Business, Invitation, LastAdmin, Location, Membership, RemoteUser, Role, User

TEAM = "/team/"
HTMX = {"HX-Request": "true"}


def membership(user):
    return Membership.objects.get(user=user)


def role_url(user):
    return reverse("contacts:member_role", args=[membership(user).pk])


def remove_url(user):
    return reverse("contacts:member_remove", args=[membership(user).pk])


def ghl_url(user, location):
    return reverse("contacts:member_in_ghl", args=[membership(user).pk, location.pk])


def invite_url(business):
    return reverse("contacts:invite", args=[business.pk])


def invitation_urls(invitation):
    return [reverse(f"contacts:invitation_{act}", args=[invitation.pk]) for act in ("resend", "withdraw")]


# --- seeing -------------------------------------------------------------------------------------------------------


def test_an_admin_sees_who_works_here(as_user, ada, ana, max_):
    page = as_user(ada).get(TEAM).content.decode()
    for text in ("Northgate Roofing", "3 members", "ana@example.com", "max@example.com"):
        assert text in page


@pytest.mark.parametrize("who", ["ana", "max_"])
def test_staff_and_managers_find_no_team_page(who, request, as_user, ada):
    assert as_user(request.getfixturevalue(who)).get(TEAM).status_code == 404


def test_signed_out_people_are_asked_to_sign_in(client, db):
    assert client.get(TEAM).headers["Location"].startswith(reverse("account_login"))


def test_an_admin_sees_the_businesses_they_administer_only(as_user, ada, cy):
    business = Business.objects.create(name="Harbor Dental")
    business.join(ada, Role.STAFF)
    page = as_user(ada).get(TEAM).content.decode()
    assert "Northgate Roofing</h2>" in page
    assert "Harbor Dental</h2>" not in page and "Initech" not in page and "cy@example.com" not in page


def test_the_number_of_queries_does_not_grow_with_the_team(
    as_user, ada, northgate, location, django_assert_max_num_queries
):
    for number in range(30):
        user = User.objects.create_user(f"m{number}@example.com", name=f"M {number}")
        northgate.join(user, Role.STAFF)
        RemoteUser.objects.create(location=location, remote_id=f"u{number}", name=f"M {number}", email=user.email)
    client = as_user(ada)
    with django_assert_max_num_queries(18):
        client.get(TEAM)


# --- roles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
def test_an_admin_gives_a_role(role, as_user, ada, ana):
    answer = as_user(ada).post(role_url(ana), {"role": role})
    assert answer.headers["Location"] == TEAM
    assert membership(ana).role == role


def test_htmx_gets_the_section_and_a_toast(as_user, ada, ana):
    answer = as_user(ada).post(role_url(ana), {"role": "manager"}, headers=HTMX).content.decode()
    assert answer.startswith('<section class="team') and "Ana is manager of Northgate Roofing now." in answer


@pytest.mark.parametrize("role", ["", "owner", "ADMIN", "admin ", "\x00"])
def test_a_role_out_of_the_list_is_refused(role, as_user, ada, ana):
    answer = as_user(ada).post(role_url(ana), {"role": role})
    assert answer.status_code == 422
    assert "Choose one of the three roles." in answer.content.decode()
    assert membership(ana).role == Role.STAFF


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_last_admin_stays_admin(headers, as_user, ada, ana):
    answer = as_user(ada).post(role_url(ada), {"role": "staff"}, headers=headers)
    assert answer.status_code == 409
    assert "Somebody has to be admin" in answer.content.decode()
    assert membership(ada).role == Role.ADMIN


def test_an_admin_who_steps_down_leaves_the_page(as_user, ada, ana, northgate):
    membership(ana).change_role(Role.ADMIN)
    client = as_user(ada)
    answer = client.post(role_url(ada), {"role": "staff"}, headers=HTMX)
    assert answer.headers["HX-Redirect"] == reverse("contacts:today")
    assert client.get(TEAM).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_admins_cannot_demote_one_another_at_once(northgate, ada):
    eve = User.objects.create_user("eve@example.com", name="Eve")
    northgate.join(eve, Role.ADMIN)
    together = Barrier(2)

    def step_down(user):
        try:
            member = membership(user)
            together.wait(10)
            member.change_role(Role.STAFF)
        except LastAdmin:
            return "refused"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(step_down, [ada, eve])) == ["done", "refused"]


# --- removing -----------------------------------------------------------------------------------------------------


def test_a_removed_member_sees_nothing_any_more(as_user, ada, ana, contact, ana_in_ghl):
    as_user(ada).post(remove_url(ana))
    assert not Membership.objects.filter(user=ana).exists()
    assert "Marisol" not in as_user(ana).get(reverse("contacts:list")).content.decode()
    ana_in_ghl.refresh_from_db()
    assert ana_in_ghl.user is None


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_last_admin_cannot_be_removed(headers, as_user, ada, ana):
    answer = as_user(ada).post(remove_url(ada), headers=headers)
    assert answer.status_code == 409
    assert "Make another member admin first." in answer.content.decode()
    assert membership(ada)


def test_a_member_removed_by_two_admins_is_gone_once(as_user, ada, ana):
    client, url = as_user(ada), remove_url(ana)
    assert [client.post(url).status_code for _ in range(2)] == [302, 404]


# --- inviting -----------------------------------------------------------------------------------------------------


def invite(client, business, email="eve@example.com", role="manager", **options):
    return client.post(invite_url(business), {"email": email, "role": role}, **options)


def test_an_invitation_goes_out_with_its_link(as_user, ada, northgate, settings):
    settings.PUBLIC_URL = "https://rankr.example"
    page = as_user(ada)
    assert invite(page, northgate).status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by) == ("eve@example.com", "manager", ada)
    message = mail.outbox[0]
    link = f"https://rankr.example/invitations/{invitation.token}/"
    assert message.to == ["eve@example.com"] and link in message.body
    assert message.subject == "Ada invites you to Northgate Roofing on Rankr"
    assert link in page.get(TEAM).content.decode()


def test_a_name_with_a_line_break_makes_no_header(as_user, ada, northgate):
    Business.objects.update(name="North\nBcc: all@example.com")
    invite(as_user(ada), northgate)
    assert mail.outbox[0].subject == "Ada invites you to North Bcc: all@example.com on Rankr"


@pytest.mark.parametrize("email, role", [("", "staff"), ("nonsense", "staff"), ("eve@example.com", "owner")])
def test_an_invitation_that_cannot_be_is_refused_with_the_words_kept(email, role, as_user, ada, northgate):
    answer = invite(as_user(ada), northgate, email, role, headers=HTMX)
    assert answer.status_code == 422
    assert f'value="{email}"' in answer.content.decode() or not email
    assert not Invitation.objects.exists() and not mail.outbox


def test_a_member_is_not_invited_again(as_user, ada, ana, northgate):
    answer = invite(as_user(ada), northgate, "ANA@example.com")
    assert "Ana is a member already." in answer.content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("age", [0, 30])
def test_a_second_invitation_takes_the_place_of_the_first(age, as_user, ada, northgate):
    invite(as_user(ada), northgate)
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=14 - age))
    old = Invitation.objects.get()
    invite(as_user(ada), northgate, "Eve@Example.com", "staff")
    new = Invitation.objects.get()
    assert new.token != old.token and new.role == "staff"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_when_no_mail_can_be_sent_the_page_says_so_and_shows_the_link(headers, as_user, ada, northgate, monkeypatch):
    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    page = invite(as_user(ada), northgate, headers=headers, follow=True).content.decode()
    assert "No message could be sent to eve@example.com." in page
    assert Invitation.objects.get().token in page


def test_a_server_without_mail_does_not_pretend(as_user, ada, northgate, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "No message could be sent" in invite(as_user(ada), northgate, follow=True).content.decode()


def test_sending_again_gives_two_more_weeks_to_the_same_link(as_user, ada, northgate):
    old = northgate.invite("eve@example.com", Role.STAFF, by=ada)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=3))
    client = as_user(ada)
    assert "expired" in client.get(TEAM).content.decode()
    client.post(invitation_urls(old)[0])
    new = Invitation.objects.open().get()
    assert new.token == old.token and old.token in mail.outbox[0].body


def test_a_withdrawn_invitation_no_longer_works(as_user, ada, client, northgate):
    invitation = northgate.invite("eve@example.com", Role.STAFF, by=ada)
    as_user(ada).post(invitation_urls(invitation)[1])
    assert not Invitation.objects.exists()
    assert client.get(reverse("contacts:invitation", args=[invitation.token])).status_code == 410


def test_an_invitation_that_was_used_meanwhile_is_neither_sent_nor_withdrawn(as_user, ada, ana, northgate):
    invitation = northgate.invite("eve@example.com", Role.STAFF, by=ada)
    Invitation.objects.update(accepted_at=timezone.now())
    for url in invitation_urls(invitation):
        assert "has used the invitation" in as_user(ada).post(url, follow=True).content.decode()
    assert Invitation.objects.exists() and not mail.outbox


# --- who is who in GHL --------------------------------------------------------------------------------------------


def test_an_admin_says_who_a_member_is_in_ghl(as_user, ada, ana, location, dana):
    as_user(ada).post(ghl_url(ana, location), {"remote_user": dana.pk})
    dana.refresh_from_db()
    assert dana.user == ana


def test_a_member_is_one_ghl_user_of_a_location_at_a_time(as_user, ada, ana, location, dana, ana_in_ghl):
    as_user(ada).post(ghl_url(ana, location), {"remote_user": dana.pk})
    assert list(ana.remote_users.all()) == [dana]


def test_a_member_can_be_nobody(as_user, ada, ana, location, ana_in_ghl):
    as_user(ada).post(ghl_url(ana, location), {"remote_user": ""})
    assert not ana.remote_users.exists()


def test_the_same_e_mail_is_suggested(as_user, ada, ana, location):
    RemoteUser.objects.create(location=location, remote_id="u1", name="Ana at Northgate", email="ANA@example.com")
    assert "Ana at Northgate has the same e-mail." in as_user(ada).get(TEAM).content.decode()


def test_somebody_elses_ghl_user_cannot_be_taken(as_user, ada, ana, max_, location, ana_in_ghl):
    answer = as_user(ada).post(ghl_url(max_, location), {"remote_user": ana_in_ghl.pk}, headers=HTMX)
    assert answer.status_code == 409
    assert "Somebody else is Ana" in answer.content.decode()
    ana_in_ghl.refresh_from_db()
    assert ana_in_ghl.user == ana


def test_a_ghl_user_of_another_location_is_refused(as_user, ada, ana, location, cy):
    initech = Location.objects.create(business=Business.objects.get(name="Initech"), remote_id="locInitech", name="I")
    foreign = RemoteUser.objects.create(location=initech, remote_id="u9", name="Milton")
    assert as_user(ada).post(ghl_url(ana, location), {"remote_user": foreign.pk}).status_code == 422
    assert as_user(ada).post(ghl_url(ana, initech), {"remote_user": foreign.pk}).status_code == 404
    foreign.refresh_from_db()
    assert foreign.user is None


# --- who may not --------------------------------------------------------------------------------------------------


@pytest.fixture
def every_act(northgate, ada, ana, location, dana):
    invitation = northgate.invite("eve@example.com", Role.STAFF, by=ada)
    return [
        (role_url(ana), {"role": "admin"}),
        (remove_url(ana), {}),
        (ghl_url(ana, location), {"remote_user": dana.pk}),
        (invite_url(northgate), {"email": "mallory@example.com", "role": "admin"}),
        *((url, {}) for url in invitation_urls(invitation)),
    ]


@pytest.mark.parametrize("who", ["ana", "max_", "cy"])
def test_nobody_but_an_admin_of_this_business_changes_it(who, request, as_user, every_act, ana, dana):
    client = as_user(request.getfixturevalue(who))
    before = Invitation.objects.get().expires_at
    assert [client.post(url, data).status_code for url, data in every_act] == [404] * len(every_act)
    dana.refresh_from_db()
    assert membership(ana).role == Role.STAFF and dana.user is None
    assert Invitation.objects.get().expires_at == before and not mail.outbox


def test_nothing_changes_by_looking(as_user, ada, every_act):
    client = as_user(ada)
    assert {client.get(url).status_code for url, _ in every_act} == {405}


# --- Django's admin -----------------------------------------------------------------------------------------------


@pytest.fixture
def root(as_user, db):
    return as_user(User.objects.create_superuser("root@example.com", "correct horse"))


@pytest.mark.parametrize("model", ["user", "business", "membership", "invitation", "location", "remoteuser"])
def test_djangos_admin_shows_lists_and_rows(model, root, northgate, ada, ana_in_ghl):
    northgate.invite("eve@example.com", Role.STAFF, by=ada)
    page = root.get(reverse(f"admin:contacts_{model}_changelist"), {"q": "a"})
    assert page.status_code == 200
    row = apps.get_model("contacts", model).objects.first()
    assert root.get(reverse(f"admin:contacts_{model}_change", args=[row.pk])).status_code == 200


def test_djangos_admin_never_shows_an_invitations_secret(root, northgate, ada):
    invitation = northgate.invite("eve@example.com", Role.STAFF, by=ada)
    for name, args in (("changelist", []), ("change", [invitation.pk]), ("delete", [invitation.pk])):
        page = root.get(reverse(f"admin:contacts_invitation_{name}", args=args))
        assert page.status_code == 200 and invitation.token not in page.content.decode()


def test_a_user_made_in_djangos_admin_can_sign_in(root):
    values = {"email": "eve@example.com", "name": "Eve", "usable_password": "true"}
    passwords = {"password1": "a long sentence", "password2": "a long sentence"}
    inline = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    root.post(reverse("admin:contacts_user_add"), values | passwords | inline)
    assert User.objects.get(email="eve@example.com").check_password("a long sentence")
