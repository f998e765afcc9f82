"""When a request is sent again, when it never is, and what the caller hears."""

import logging
import random
import socket
import threading
import time
from collections import Counter

import pytest

from integrations.ghl import errors
from integrations.ghl.transport import Transport, pause_before

from .scripted import Answer

OK = Answer({"contact": {"id": "c1"}, "traceId": "t-9"})
BUSY = Answer({"message": "try later"}, 503)


@pytest.mark.parametrize(
    "attempt, advised, draw, seconds",
    [
        (1, None, 0.0, 0.0),
        (1, None, 1.0, 0.5),
        (2, None, 1.0, 1.0),
        (3, None, 0.5, 1.0),
        (5, None, 1.0, 8.0),
        (7, None, 1.0, 30.0),
        (60, None, 1.0, 30.0),
        (1, 7.0, 0.0, 7.0),
        (1, 7.0, 0.5, 7.5),
        (4, 0.0, 0.25, 1.0),
    ],
)
def test_the_pause_before_a_retry(attempt, advised, draw, seconds):
    assert pause_before(attempt, advised, draw) == pytest.approx(seconds)


@pytest.mark.parametrize("attempt, advised", [(1, None), (3, None), (9, None), (1, 0.0), (1, 10.0), (4, 10.0)])
def test_waiting_workers_do_not_come_back_together(attempt, advised):
    draw = random.Random(7).random
    pauses = [pause_before(attempt, advised, draw()) - (advised or 0) for _ in range(1000)]
    longest = max(pauses)
    peaks = Counter(int(pause / longest * 9.999) for pause in pauses)
    assert longest >= 0.45
    assert len(peaks) == 10
    assert max(peaks.values()) < 150  # of 1000 in any tenth of the time


def test_a_read_is_tried_again_while_ghl_is_down(server, client, naps, transport):
    server.answers(BUSY, BUSY, OK)
    assert client.get_contact("c1") == {"id": "c1"}
    assert naps == [0.25, 0.5]
    assert (transport.requests_sent, transport.retries) == (3, 2)


def test_a_search_is_a_read_although_it_is_a_post(server, client):
    server.answers(BUSY, Answer({"contacts": [], "total": 0}))
    assert client.search_contacts().rows == []


def test_a_read_gives_up_after_four_retries(server, client):
    server.answers(*[BUSY] * 9)
    with pytest.raises(errors.Unavailable):
        client.get_contact("c1")
    assert len(server.asked) == 5


def test_an_interactive_read_gives_up_sooner(server):
    hurried = Transport(server.url, lambda rejected=None: "t", sleep=lambda _: None)
    server.answers(*[BUSY] * 9)
    with pytest.raises(errors.Unavailable):
        hurried.request("GET", "/contacts/c1")
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "trouble", [BUSY, Answer(hang_up=True), Answer(cut=True), Answer(b"<html>", 200), Answer({"message": "x"}, 422)]
)
def test_a_write_is_never_sent_twice_when_it_may_have_arrived(trouble, server, client):
    server.answers(trouble, OK)
    with pytest.raises(errors.GhlError) as caught:
        client.create_contact({"firstName": "Ana"})
    assert caught.value.maybe_done
    assert len(server.asked) == 1


def test_a_write_is_sent_again_after_a_429(server, client, naps):
    server.answers(Answer({"message": "slow"}, 429, {"Retry-After": "2"}), OK)
    assert client.create_contact({"firstName": "Ana"}) == {"id": "c1"}
    assert naps == [2.5]


def test_a_write_is_sent_again_when_nothing_was_sent(naps):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nobody = Transport(f"http://127.0.0.1:{port}", lambda rejected=None: "t", sleep=naps.append, retries=2)
    with pytest.raises(errors.NotSent) as caught:
        nobody.request("POST", "/contacts/", json={})
    assert len(naps) == 2
    assert not caught.value.maybe_done
    assert nobody.requests_sent == 0


def test_an_unknown_host_means_nothing_was_sent():
    nobody = Transport("http://no-such-host.invalid", lambda rejected=None: "t", retries=0)
    with pytest.raises(errors.NotSent):
        nobody.request("GET", "/x")


def test_a_wait_longer_than_our_patience_is_left_to_the_caller(server, client, naps):
    server.answers(Answer({}, 429, {"Retry-After": "600"}))
    with pytest.raises(errors.RateLimited) as caught:
        client.get_contact("c1")
    assert caught.value.retry_after == 600
    assert naps == []


@pytest.mark.parametrize(
    "advice, pause",
    [("3", 3.5), ("0", 0.5), ("-4", 0.25), ("soon", 0.25), ("1e400", 0.25), ("Wed, 01 Jul 2020 12:00:00 GMT", 0.5)],
)
def test_advice_is_obeyed_when_it_is_advice(advice, pause, server, client, naps):
    server.answers(Answer({}, 429, {"Retry-After": advice}), OK)
    assert client.get_contact("c1")
    assert naps == [pause]


@pytest.mark.parametrize("advice", ["99999999", "Wed, 01 Jul 2099 12:00:00 GMT"])
def test_absurd_advice_parks_nobody_for_years(advice, server, client, naps):
    server.answers(Answer({}, 429, {"Retry-After": advice}))
    with pytest.raises(errors.RateLimited) as caught:
        client.get_contact("c1")
    assert caught.value.retry_after == 900
    assert naps == []


def test_an_expired_token_is_renewed_once(server, heard):
    given = []

    def token(rejected=None):
        given.append(rejected)
        return "new" if rejected == "old" else "old"

    server.answers(Answer({"message": "Invalid JWT"}, 401), OK)
    Transport(server.url, token).request("POST", "/contacts/", json={})
    assert given == [None, "old"]
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize("fresh", ["old", "new"])
def test_a_token_that_stays_refused_ends_it(fresh, server):
    server.answers(*[Answer({"message": "Invalid JWT"}, 401)] * 5)
    with pytest.raises(errors.TokenRejected):
        Transport(server.url, lambda rejected=None: fresh if rejected else "old").request("GET", "/x")
    assert len(server.asked) == (1 if fresh == "old" else 2)


def test_a_missing_scope_asks_for_no_token(server):
    given = []
    server.says({"message": "The token is not authorized for this scope."}, 401)
    with pytest.raises(errors.ScopeMissing):
        Transport(server.url, lambda rejected=None: given.append(rejected) or "t").request("GET", "/x")
    assert given == [None]


@pytest.mark.parametrize("slow", [Answer(b"{" + b" " * 500 + b"}", drip=0.02), Answer(drip_head=0.02), Answer(delay=8)])
def test_the_deadline_holds_however_slowly_ghl_drips(slow, server):
    hurried = Transport(server.url, lambda rejected=None: "t", timeout=0.3, retries=0)
    server.answers(slow)
    begun = time.monotonic()
    with pytest.raises(errors.NoAnswer) as caught:
        hurried.request("POST", "/contacts/", json={})
    assert caught.value.maybe_done
    assert time.monotonic() - begun < 3  # far below what the drip would take


def test_a_redirect_is_not_followed(server, client):
    server.answers(Answer({}, 302, {"Location": server.url + "/elsewhere"}), OK)
    with pytest.raises(errors.BadAnswer):
        client.delete_contact("c1")
    assert len(server.asked) == 1


def test_connections_are_reused_even_by_the_next_transport(server, client):
    for _ in range(5):
        server.says({"tags": []})
        client.tags()
    Transport(server.url, lambda rejected=None: "t").request("GET", "/x")
    assert server.connections == 1


def test_threads_do_not_share_a_connection(server, transport):
    def ask():
        transport.request("GET", "/x")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert transport.requests_sent == 4
    assert server.connections == 4


def test_no_cookie_travels_from_one_tenant_to_the_next(server, transport):
    server.answers(Answer({}, headers={"Set-Cookie": "who=ana; Path=/"}))
    transport.request("GET", "/x")
    transport.request("GET", "/x")
    assert "cookie" not in server.asked[1].headers


def test_each_operation_sends_its_version(server, client):
    server.answers(Answer({"calendars": []}), Answer({"tags": []}))
    client.calendars()
    client.tags()
    assert [asked.headers["version"] for asked in server.asked] == ["2021-04-15", "2021-07-28"]


def test_every_attempt_is_told_without_ids(server, client, heard):
    limits = {"X-RateLimit-Max": "100", "X-RateLimit-Remaining": "41", "X-RateLimit-Daily-Reset": "83680000"}
    server.answers(BUSY, Answer({"contact": {"id": "secret-id"}, "traceId": "t-9"}, headers=limits))
    client.get_contact("secret-id")
    first, second = heard
    assert (first.outcome, first.status, first.attempt, first.maybe_done) == ("Unavailable", 503, 1, False)
    assert (second.outcome, second.path, second.trace_id, second.waited) == ("ok", "/contacts/{}", "t-9", 0.25)
    assert (second.rate.max, second.rate.remaining, second.rate.daily_reset_ms) == (100, 41, 83680000)
    assert second.rate.daily_limit is None


def test_a_write_without_an_answer_is_told_as_maybe_done(server, client, heard):
    server.answers(Answer(hang_up=True))
    with pytest.raises(errors.NoAnswer):
        client.delete_contact("c1")
    assert heard[0].maybe_done


def test_a_listener_that_fails_does_not_undo_a_write(server):
    def listener(exchange):
        raise RuntimeError("no room")

    server.answers(OK)
    assert Transport(server.url, lambda rejected=None: "t", on_exchange=listener).request("POST", "/x", json={})


def test_logs_and_errors_keep_secrets_and_people_to_themselves(server, caplog):
    caplog.set_level(logging.DEBUG)
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
    echo = {
        "message": f"bad Authorization: Bearer {token} for ana@example.com or +1 512-555-0100",
        "access_token": token,
    }
    server.answers(*[Answer(echo, status) for status in (503, 429, 500)], Answer(echo, 400))
    chatty = Transport(server.url, lambda rejected=None: token, sleep=lambda _: None, retries=4, patience=60)
    with pytest.raises(errors.Invalid) as caught:
        chatty.request("GET", "/contacts/c1", template="/contacts/{}")
    seen = caplog.text + str(caught.value) + repr(caught.value) + caught.value.body + str(caught.value.messages)
    assert token not in seen
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("integrations"))
    assert "Unavailable" in ours
    for person in ("ana@example.com", "555-0100"):
        assert person not in ours + str(caught.value) + caught.value.body


def test_a_netrc_entry_does_not_replace_the_token(server, transport, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    transport.request("GET", "/x")
    assert server.asked[0].headers["authorization"] == "Bearer tok-1"
