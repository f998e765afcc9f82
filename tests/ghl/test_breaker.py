"""Where GHL does not answer, nothing is sent for a while; one request at a time looks whether it is back."""

import json
import socket
import threading

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from integrations.ghl import errors
from integrations.ghl.breaker import Breaker, Paused
from integrations.ghl.limits import RateBudget
from integrations.ghl.transport import Transport

from .scripted import Answer

DOWN = Answer({"message": "broken"}, 500)
OK = Answer({"contact": {"id": "c1"}})


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["with Redis", "without Redis"])
def breaker_for(request, redis_client, clock):
    nobody = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))

    def make(key, **settings):
        return Breaker(redis_client if request.param == "with Redis" else nobody, key, clock=clock, **settings)

    return make


@pytest.fixture
def breaker(breaker_for, key):
    return breaker_for(key)


def fail(breaker, times=1, error=None, probe=""):
    for _ in range(times):
        breaker.after(error or errors.Unavailable(status=500), probe)


def paused_for(breaker):
    with pytest.raises(Paused) as caught:
        breaker.before("backfill")
    return caught.value.retry_after


def test_five_failures_in_a_row_open_it_and_four_do_not(breaker):
    fail(breaker, 4)
    assert breaker.before("interactive") == ""
    assert breaker.state().state == "closed"
    fail(breaker)
    assert paused_for(breaker) == 30
    assert (breaker.state().state, breaker.state().failures) == ("open", 5)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        errors.Invalid(status=422),
        errors.NotFound(status=404),
        errors.RateLimited(status=429),
        errors.TokenRejected(status=401),
        errors.LocationDenied(status=403),
    ],
)
def test_any_answer_of_ghl_starts_the_count_anew(breaker, answer):
    fail(breaker, 4)
    breaker.after(answer)
    fail(breaker, 4)
    assert breaker.state().state == "closed"


@pytest.mark.parametrize("kind", [errors.Unavailable, errors.NoAnswer, errors.NotSent, errors.BadAnswer])
def test_each_kind_of_silence_counts(breaker, kind):
    fail(breaker, 5, kind())
    assert paused_for(breaker)


def test_what_we_did_not_send_ourselves_says_nothing_about_ghl(breaker):
    fail(breaker, 4)
    fail(breaker, 9, errors.BudgetExhausted())
    fail(breaker, 9, RuntimeError())
    assert breaker.state().failures == 4


def test_one_probe_goes_at_a_time_and_its_success_closes(breaker, clock):
    fail(breaker, 5)
    clock.now += 30
    probe = breaker.before("interactive")
    assert probe
    assert breaker.state().state == "probing"
    assert paused_for(breaker) <= 10
    breaker.after(None, probe)
    assert breaker.state() == breaker.state().__class__("closed", 0, 0.0)
    assert breaker.before("backfill") == ""


def test_the_pause_doubles_up_to_five_minutes(breaker, clock):
    fail(breaker, 5)
    pauses = []
    for _ in range(6):
        pauses.append(paused_for(breaker))
        clock.now += pauses[-1]
        fail(breaker, probe=breaker.before("backfill"))
    assert pauses == [30, 60, 120, 240, 300, 300]


def test_a_probe_that_dies_does_not_block_for_ever(breaker, clock):
    fail(breaker, 5)
    clock.now += 30
    dead = breaker.before("backfill")
    clock.now += 61
    alive = breaker.before("backfill")
    assert alive not in ("", dead)
    fail(breaker, probe=dead)  # a late word of the first does not end the second
    assert breaker.state().state == "probing"


def test_a_probe_that_waited_long_for_its_slot_keeps_its_lease(breaker, clock):
    fail(breaker, 5)
    clock.now += 30
    probe = breaker.before("backfill")
    clock.now += 50
    assert breaker.before("backfill", probe) == probe
    clock.now += 50
    assert paused_for(breaker)


def test_a_probe_that_was_never_sent_makes_way_for_the_next(breaker, clock):
    fail(breaker, 5)
    clock.now += 30
    breaker.after(errors.BudgetExhausted(), breaker.before("backfill"))
    assert breaker.before("backfill")


def test_those_already_on_their_way_do_not_lengthen_the_pause(breaker):
    fail(breaker, 5)
    fail(breaker, 20)
    assert paused_for(breaker) == 30


def test_of_many_that_come_back_together_exactly_one_probes(breaker, clock):
    fail(breaker, 5)
    clock.now += 30
    found = []

    def come_back():
        try:
            found.append(breaker.before("backfill"))
        except Paused:
            found.append(None)

    crowd = [threading.Thread(target=come_back) for _ in range(12)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len([each for each in found if each]) == 1


def test_another_location_goes_on(breaker_for, key):
    fail(breaker_for(key), 5)
    assert breaker_for(key + ":other").before("interactive") == ""


def test_all_processes_know_it(redis_client, redis_url, key, clock):
    fail(Breaker(redis_client, key, clock=clock), 5)
    assert paused_for(Breaker(redis.Redis.from_url(redis_url), key, clock=clock)) == 30


def test_redis_gives_the_time_when_nobody_else_does(redis_client, key):
    breaker = Breaker(redis_client, key)
    fail(breaker, 5)
    assert 25 < paused_for(breaker) <= 30
    assert 25 < breaker.state().opens_again_in <= 30


def test_a_pause_is_temporary_and_nothing_was_sent(breaker):
    fail(breaker, 5)
    with pytest.raises(Paused) as caught:
        breaker.before("interactive")
    assert (caught.value.is_temporary, caught.value.maybe_done) == (True, False)
    assert caught.value.plain.endswith(".")


def talker(server, breaker, naps, **more):
    return Transport(server.url, lambda rejected=None: "t", breaker=breaker, sleep=naps.append, **more)


def test_retries_stop_when_the_breaker_opens(server, breaker, naps):
    transport = talker(server, breaker, naps, retries=9)
    server.answers(*[DOWN] * 20)
    with pytest.raises(errors.Unavailable) as caught:
        transport.request("GET", "/x")
    assert len(server.asked) == 5
    assert caught.value.breaker_open
    assert caught.value.retry_after == 30


def test_while_paused_nothing_is_sent_and_no_slot_is_spent(server, breaker, naps, redis_client, key):
    budget = RateBudget(redis_client, key)
    fail(breaker, 5)
    with pytest.raises(Paused) as caught:
        talker(server, breaker, naps, budget=budget, retries=9).request("PUT", "/x", json={})
    assert (caught.value.exchange()["method"], caught.value.exchange()["duration"]) == ("PUT", None)
    assert (server.asked, naps) == ([], [])
    assert budget.snapshot().used_in_window == 0


def test_the_probe_of_a_transport_closes_it_again(server, breaker, naps, clock):
    fail(breaker, 5)
    clock.now += 30
    server.answers(Answer({"message": "no"}, 404))
    with pytest.raises(errors.NotFound):
        talker(server, breaker, naps).request("GET", "/contacts/c1")
    assert breaker.state().state == "closed"


def test_a_write_that_opens_it_is_still_told_as_maybe_done(server, breaker, naps):
    fail(breaker, 4)
    server.answers(Answer(hang_up=True))
    with pytest.raises(errors.NoAnswer) as caught:
        talker(server, breaker, naps).request("POST", "/x", json={})
    assert caught.value.maybe_done


def test_a_host_nobody_listens_on_opens_it(breaker, naps):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport(
        f"http://127.0.0.1:{port}", lambda rejected=None: "t", breaker=breaker, sleep=naps.append, retries=9
    )
    with pytest.raises(errors.NotSent):
        transport.request("POST", "/x", json={})
    assert len(naps) == 4


def test_a_dead_letter_shows_the_exchange_and_nothing_secret(server, naps):
    said = {"message": ["email ana@example.com of Anna Karenina must be an email", "Cannot GET /x?query=secret+one"]}
    server.answers(Answer(said | {"traceId": "t-7"}, 422))
    body = {"firstName": "Anna Karenina", "email": "ana@example.com", "locationId": "loc1"}
    with pytest.raises(errors.Invalid) as caught:
        Transport(server.url, lambda rejected=None: "tok").request(
            "PUT", "/contacts/c1", json=body, params={"q": "hidden"}, template="/contacts/{}"
        )
    told = caught.value.exchange()
    assert (told["method"], told["path"], told["status"], told["trace_id"]) == ("PUT", "/contacts/{}", 422, "t-7")
    assert (told["retries"], told["outcome"]) == (0, "Invalid")
    assert told["messages"] == ["email [e-mail] of [value] must be an email", "Cannot GET /x"]
    assert told["at"].endswith("+00:00")
    assert "ana@example.com" not in json.dumps(told)


def test_an_error_without_an_exchange_can_still_be_shown():
    assert json.dumps(Paused("x").exchange())
    assert Paused("x").exchange()["messages"] == []
