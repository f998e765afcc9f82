"""A message is brought until it is heard; and never to an address inside our own network."""

import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import OutgoingDelivery, OutgoingHook
from integrations.monitoring.backlog import backlog
from integrations.outgoing import post, post_office, sending
from tests.integrations.outgoing.conftest import let_it_be_due, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(hook):
    return post(hook, "test", {"n": 1}, cause="one")


def test_what_fails_is_tried_again_with_the_same_id_and_body(hook, ear, message):
    ear.answers = [(500, {}, b"we are sorry"), (204, {}, b"")]
    tell()
    message.refresh_from_db()
    assert (message.state, message.status, message.answer) == ("retrying", 500, "we are sorry")
    assert message.next_at > timezone.now() and "500" in message.sentence
    tell()
    assert len(ear.heard) == 1, "not before its time"
    let_it_be_due()
    tell()
    message.refresh_from_db()
    assert (message.state, message.tries) == ("delivered", 2)
    assert ear.heard[0].body == ear.heard[1].body
    assert ear.heard[0].headers["webhook-id"] == ear.heard[1].headers["webhook-id"]


def test_what_fails_for_three_days_is_given_up(hook, ear, message):
    ear.answer(500)
    tries = 0
    while message.state != "dead":
        tell()
        let_it_be_due()
        message.refresh_from_db()
        tries += 1
    assert tries == len(sending.WAITS) + 1
    assert sum(sending.WAITS, timedelta()) > timedelta(days=3)
    assert message.finished_at


def test_one_bad_message_does_not_hold_up_the_others(hook, ear, message):
    post(hook, "test", {"n": 2}, cause="two")
    ear.answers = [(500, {}, b""), (204, {}, b"")]
    tell()
    assert sorted(OutgoingDelivery.objects.values_list("state", flat=True)) == ["delivered", "retrying"]


@pytest.mark.parametrize("status", [429, 503])
def test_an_address_that_asks_for_time_gets_it(hook, ear, message, status):
    post(hook, "test", {"n": 2}, cause="two")
    ear.answer(status, Retry_After="600")
    tell()
    assert len(ear.heard) == 1, "the others wait too"
    hook.refresh_from_db()
    message.refresh_from_db()
    in_ten_minutes = timezone.now() + timedelta(seconds=600)
    assert abs(hook.rests_until - in_ten_minutes) < timedelta(seconds=60)
    assert abs(message.next_at - in_ten_minutes) < timedelta(seconds=60)


@pytest.mark.parametrize("words", ["", "soon", "-5", "9" * 400, "Wed, 21 Oct 1815 07:28:00 GMT"])
def test_a_strange_wish_for_time_breaks_nothing(hook, ear, message, words):
    ear.answer(503, Retry_After=words)
    tell()
    message.refresh_from_db()
    assert message.state == "retrying" and message.next_at < timezone.now() + timedelta(days=2)


def test_410_switches_it_off_and_says_so(hook, ear, message):
    ear.answer(410)
    tell()
    hook.refresh_from_db()
    message.refresh_from_db()
    assert not hook.is_on and "410" in hook.off_because
    assert message.state == "dead"


def test_a_redirect_is_not_followed(hook, ear, message):
    ear.answer(307, Location=ear.url + "/elsewhere")
    tell()
    message.refresh_from_db()
    assert len(ear.heard) == 1 and "redirect" in message.sentence and message.state == "retrying"


def test_an_address_where_nobody_listens_rests(hook, message):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        OutgoingHook.objects.update(url=f"http://127.0.0.1:{taken.getsockname()[1]}/")
        tell()
    hook.refresh_from_db()
    message.refresh_from_db()
    assert message.sentence == "It could not be reached." == hook.sentence
    assert hook.rests_until > timezone.now() and hook.failing_since


def test_an_address_that_never_answers_is_left_after_a_while(hook, message, monkeypatch):
    monkeypatch.setattr(post_office, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        OutgoingHook.objects.update(url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        tell()
    message.refresh_from_db()
    assert "did not answer" in message.sentence and message.state == "retrying"


def test_it_is_well_again_when_it_hears_again(hook, ear, message):
    ear.answers = [(503, {}, b""), (204, {}, b"")]
    tell()
    let_it_be_due()
    tell()
    hook.refresh_from_db()
    assert hook.failing_since is None and hook.failures == 0 and hook.sentence == "" and hook.heard_at


def test_what_waited_three_days_behind_others_is_given_up_too(hook, ear, message):
    long_ago = timezone.now() - timedelta(days=4)
    post(hook, "test", {"n": 2}, cause="two")
    OutgoingDelivery.objects.update(since=long_ago)
    OutgoingHook.objects.update(failing_since=long_ago)
    ear.answer(503)
    tell()
    assert set(OutgoingDelivery.objects.values_list("state", flat=True)) == {"dead"}


def test_a_long_answer_is_kept_in_short(hook, ear, message):
    ear.answer(400, b"no\x00 " + b"x" * 100_000)
    tell()
    message.refresh_from_db()
    assert message.answer.startswith("no x") and len(message.answer) <= post_office.EXCERPT


def test_nobody_sends_to_an_address_while_another_does(hook, ear, message):
    post(hook, "test", {"n": 2}, cause="two")
    assert OutgoingDelivery.objects.claim_next(hook.pk)
    assert OutgoingDelivery.objects.claim_next(hook.pk) is None
    sending.deliver(hook.pk)
    assert ear.heard == []


def test_a_worker_that_died_while_sending_is_followed_by_another(hook, ear, message):
    OutgoingDelivery.objects.claim_next(hook.pk)
    OutgoingDelivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tell()
    message.refresh_from_db()
    assert message.state == "delivered" and len(ear.heard) == 1


@pytest.mark.parametrize(
    "url, words",
    [
        ("http://127.0.0.1:9/", "our own server"),
        ("https://localhost/", "our own server"),
        ("https://[::1]/", "our own server"),
        ("http://erp.example.com/", "https://"),
        ("https://me:secret@erp.example.com/", "name and password"),
        ("ftp://erp.example.com/", "no address"),
        ("erp", "no address"),
        ("https://erp.example.com:notaport/", "no address"),
    ],
)
def test_some_addresses_are_refused_by_their_looks(settings, url, words):
    settings.WEBHOOKS_TO_LOOPBACK = False
    with pytest.raises(post_office.NotAllowed, match=words):
        post_office.check(url)


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[fd00::1]"]
)  # fmt: skip
def test_nothing_is_sent_into_a_private_network(hook, ear, message, address):
    OutgoingHook.objects.update(url=f"https://{address}/")
    tell()
    message.refresh_from_db()
    assert "private network" in message.sentence and message.state == "retrying"


def test_a_name_that_leads_to_this_machine_is_refused_where_it_is_connected_to(settings, hook, ear, message):
    """The form saw only a name; what counts is the address behind it."""
    settings.WEBHOOKS_TO_LOOPBACK = False
    name = "ip6-localhost" if _resolves("ip6-localhost") else socket.gethostname()
    OutgoingHook.objects.update(url=f"https://{name}:{ear.url.split(':')[2]}")
    tell()
    message.refresh_from_db()
    assert "private network" in message.sentence and ear.heard == []


def _resolves(name):
    try:
        return bool(socket.getaddrinfo(name, 443))
    except OSError:
        return False


def test_no_body_and_no_address_in_the_logs(hook, ear, caplog):
    post(hook, "test", {"name": "Marisol"}, cause="one")
    OutgoingHook.objects.update(url=ear.url + "?token=verysecret")
    ear.answer(500)
    with caplog.at_level("INFO"):
        tell()
    assert ear.heard and "verysecret" not in caplog.text and "Marisol" not in caplog.text


def test_what_only_a_worker_is_missing_for_counts_as_behind(hook, ear, message):
    hour = timezone.now() - timedelta(hours=1)
    OutgoingDelivery.objects.update(next_at=hour)
    OutgoingHook.objects.update(rests_until=hour)
    assert backlog().late == [("messages to the ERP", "60 min")]
    OutgoingHook.objects.update(rests_until=timezone.now() + timedelta(minutes=1))
    assert not backlog().is_behind, "the address rests"
    OutgoingHook.objects.update(rests_until=hour, is_on=False)
    assert not backlog().is_behind, "it is off"
