"""One incident, one message: to whom, what it says, and never after it is over."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from contacts.models import Location, Membership, Role, User
from integrations import tasks
from integrations.access import connect, incidents, tokens
from integrations.models import Connection, Incident
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)


def tell_all():
    """The sweeper, and the worker that hears its rings."""
    incidents.watch_access()
    for pk in incidents.waiting_incidents():
        incidents.tell(pk)


@pytest.fixture
def broken(connection):
    connection.park("needs_reauth", tokens.REFUSED)
    return connection


@pytest.fixture
def mail_server(monkeypatch):
    """A mail server that can be away."""
    state = {"is_away": False}
    send = EmailBackend.send_messages

    def send_messages(self, messages):
        if state["is_away"]:
            raise ConnectionRefusedError
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)
    return state


# --- opening and closing ----------------------------------------------------------------------------------------------


def test_an_incident_is_open_once(broken):
    first = incidents.open_incident(broken, "access", "one")
    assert incidents.open_incident(broken, "access", "another") == first
    assert incidents.open_incident(None, "signature", "x") == incidents.open_incident(None, "signature", "y")
    assert Incident.objects.count() == 2


def test_two_who_find_the_same_at_once_open_one(broken):
    from tests.integrations.test_tokens import at_once

    found = at_once(8, lambda: incidents.open_incident(broken, "guard", "x"))
    assert len({incident.pk for incident in found}) == 1


def test_whoever_parked_it_the_sweeper_opens_the_incident(broken):
    incidents.watch_access()
    incident = Incident.objects.get()
    assert (incident.connection, incident.kind, incident.reason) == (broken, "access", tokens.REFUSED)


def test_a_reconnect_closes_it_at_once(broken, sandbox, ada, northgate):
    incidents.watch_access()
    consent(ada, northgate, sandbox)
    assert Incident.objects.get().closed_at


def test_it_closes_when_the_connection_works_again_however_that_came(broken):
    incidents.watch_access()
    Connection.objects.update(status="active")
    incidents.watch_access()
    assert Incident.objects.get().closed_at


def test_what_a_person_disconnected_is_no_incident(broken):
    incidents.watch_access()
    connect.disconnect(broken)
    assert Incident.objects.get().closed_at
    incidents.watch_access()
    assert Incident.objects.count() == 1


def test_the_next_time_is_a_new_incident(broken, sandbox, ada, northgate):
    incidents.watch_access()
    again = consent(ada, northgate, sandbox)
    again.park("needs_reauth", "again")
    tell_all()
    assert Incident.objects.count() == 2
    assert len(mail.outbox) == 1, "the first was over before anybody was told"


def test_closing_what_is_closed_says_so(broken, ada):
    incidents.open_incident(broken, "guard", "x")
    assert incidents.close_incident(broken, "guard", by=ada)
    assert not incidents.close_incident(broken, "guard")
    assert Incident.objects.get(kind="guard").closed_by == ada


# --- telling ----------------------------------------------------------------------------------------------------------


def test_the_admins_are_told_once_what_happened_what_it_costs_and_what_to_do(
    broken, northgate, settings, ana, max_, cy
):
    second = User.objects.create_user("bea@example.com", "x", name="Bea")
    Membership.objects.create(user=second, business=northgate, role=Role.ADMIN)
    for _ in range(3):
        tell_all()
    message = mail.outbox[0]
    assert len(mail.outbox) == 1
    assert sorted(message.to) == ["ada@example.com", "bea@example.com"]
    assert message.subject.startswith("Rankr: Needs reconnecting")
    assert tokens.REFUSED in message.body
    assert "edits wait here" in message.body
    link = f"{settings.PUBLIC_URL}/connections/#connection-{broken.pk}"
    assert f"Reconnect:\n{link}" in message.body
    html, kind = message.alternatives[0]
    assert kind == "text/html"
    assert f'href="{link}"' in html
    assert Incident.objects.get().finished_at


def test_nothing_secret_is_in_the_message(broken):
    tell_all()
    text = f"{mail.outbox[0].message()}"
    for secret in (broken.access_token, broken.refresh_token, broken.sealed_access_token):
        assert secret not in text


def test_who_will_lose_access_is_told_until_when(connection):
    connection.end_lease("unknown", tokens.LAST_ONE)
    Connection.objects.update(expires_at=timezone.now() + timedelta(hours=20))
    tell_all()
    assert mail.outbox[0].subject.startswith("Rankr: Reconnect soon")
    assert "Somebody must reconnect by " in mail.outbox[0].body
    assert "Until then everything works as always." in mail.outbox[0].body


def test_who_can_only_wait_is_told_so(connection):
    connection.park("suspended", tokens.SUSPENDED)
    tell_all()
    assert "There is nothing to do: we look again by ourselves" in mail.outbox[0].body


def test_an_incident_that_is_over_is_not_told(broken):
    incidents.watch_access()
    incidents.close_incident(broken, "access")
    tell_all_but_opening()
    assert mail.outbox == []


def tell_all_but_opening():
    for pk in incidents.waiting_incidents():
        incidents.tell(pk)


def test_two_workers_tell_once(broken):
    from tests.integrations.test_tokens import at_once

    incidents.watch_access()
    pk = Incident.objects.get().pk
    at_once(6, lambda: incidents.tell(pk))
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_away_breaks_nothing_and_is_asked_again(broken, mail_server):
    mail_server["is_away"] = True
    for _ in range(3):
        Incident.objects.update(next_at=timezone.now())
        tell_all()
    incident = Incident.objects.get()
    assert incident.finished_at is None
    assert incident.next_at > timezone.now() + timedelta(seconds=60)
    assert incident.strikes == 0
    mail_server["is_away"] = False
    Incident.objects.update(next_at=timezone.now())
    tell_all()
    assert len(mail.outbox) == 1


def test_a_worker_that_died_while_telling_is_taken_over(broken):
    incidents.watch_access()
    Incident.objects.claim(Incident.objects.get().pk)
    tell_all()
    assert mail.outbox == []
    Incident.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tell_all()
    assert len(mail.outbox) == 1


def test_a_business_without_an_admin_who_can_be_told_is_logged(broken, caplog):
    Membership.objects.all().delete()
    tell_all()
    assert mail.outbox == []
    assert "there is nobody to tell" in caplog.text
    assert Incident.objects.get().finished_at


@pytest.mark.parametrize("listed", [True, False])
def test_what_concerns_the_server_is_told_to_whoever_runs_it(listed, ada, settings):
    User.objects.create_superuser("root@example.com", "x")
    settings.ADMINS = [("Ops", "ops@example.com")] if listed else []
    incidents.open_incident(None, "signature", "GHL signs with a key we do not know.")
    tell_all()
    assert mail.outbox[0].to == (["ops@example.com"] if listed else ["root@example.com"])
    assert "GHL_WEBHOOK_PUBLIC_KEYS" in mail.outbox[0].body


def test_a_name_that_would_break_the_mail_does_not(broken):
    broken.location.name = "Roof\r\nBcc: eve@example.com <b>"
    broken.location.save()
    tell_all()
    message = mail.outbox[0]
    assert "\n" not in message.subject
    assert "<b>" not in message.alternatives[0][0].replace("<b>Somebody", "")
    assert sorted(message.recipients()) == ["ada@example.com"]


def test_the_sweep_rings_for_what_is_waiting(broken, monkeypatch):
    rung = []
    monkeypatch.setattr(tasks, "ring", lambda task, pk: rung.append((task.name, pk)))
    Connection.objects.update(status="active", renew_at=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    Connection.objects.update(status="needs_reauth")
    tasks.sweep()
    assert ("integrations.tasks.renew_connection", broken.pk) in rung
    assert ("integrations.tasks.tell_incident", Incident.objects.get().pk) in rung


# --- the banner -------------------------------------------------------------------------------------------------------


def test_the_banner_says_what_since_when_and_one_action(broken, ada, as_user):
    page = as_user(ada).get("/status/banner/").content.decode()
    assert tokens.REFUSED in page
    assert "Since " in page
    assert page.count('class="button') == 1
    assert f"#connection-{broken.pk}" in page


def test_other_incidents_are_in_the_banner_too(connection, ada, ana, as_user):
    incidents.open_incident(connection, "guard", "212 of 240 contacts are missing in GHL.")
    assert "Look and decide" in as_user(ada).get("/status/banner/").content.decode()
    assert "Ask an admin: look and decide." in as_user(ana).get("/status/banner/").content.decode()


def test_a_connection_that_can_be_left_alone_is_no_banner(connection, ada, as_user):
    assert as_user(ada).get("/status/banner/").content.decode().strip() == ""
    connection.end_lease("unknown", tokens.NO_ANSWER)
    Connection.objects.update(refresh_sent_at=timezone.now())
    assert as_user(ada).get("/status/banner/").content.decode().strip() == ""


def test_many_troubles_do_not_bury_the_page(connection, northgate, ada, as_user):
    for number in range(6):
        location = Location.objects.create(business=northgate, remote_id=f"locMany{number}", name=f"Branch {number}")
        Connection.objects.create(location=location, kind="oauth", status="needs_reauth", status_reason="x")
    page = as_user(ada).get("/status/banner/").content.decode()
    assert page.count('class="banner ') == 3
    assert "4 more things" in page and "See all" in page


def test_strangers_see_no_banner_of_ours(broken, cy, as_user):
    assert as_user(cy).get("/status/banner/").content.decode().strip() == ""


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status, word, action", [
    ("needs_reauth", "Needs reconnecting", ">Reconnect<"),
    ("uninstalled", "Removed in GHL", ">Install again<"),
    ("disconnected", "Disconnected", ">Reconnect<"),
    ("suspended", "Suspended by GHL", "Wait, we look again at"),
])  # fmt: skip
def test_the_list_says_each_state_in_words_with_one_action(status, word, action, connection, ada, as_user):
    Connection.objects.update(status=status, status_reason="The reason.", renew_at=timezone.now())
    page = as_user(ada).get("/connections/").content.decode()
    assert word in page
    assert "The reason." in page
    assert action in page
