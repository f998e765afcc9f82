"""The shared allowance: never more than the limit, people first, and careful when Redis is away or forgetful."""

import logging
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from integrations.ghl.errors import RateLimited
from integrations.ghl.limits import BudgetExhausted, DailyLimitReached, RateBudget, RateHeaders
from integrations.ghl.transport import Transport

from .scripted import Answer

SO_TIMESTAMPNS = 35  # the kernel's own time of arrival, so a busy test process cannot blur it


@pytest.fixture
def budget_for(redis_client, key):
    def make(**settings):
        return RateBudget(redis_client, key, **({"limit": 10, "window": 30.0} | settings))

    return make


@pytest.fixture
def nobody_there():
    return redis.Redis(port=1, retry=Retry(NoBackoff(), 0))


def take(budget, count, lane="interactive"):
    return [budget.acquire(lane, timeout=0) for _ in range(count)]


def refused(budget, lane="interactive"):
    with pytest.raises(BudgetExhausted):
        budget.acquire(lane, timeout=0)
    return True


def most_in_any(window, moments):
    inside, most = deque(), 0
    for moment in sorted(moments):
        inside.append(moment)
        while inside[0] <= moment - window:
            inside.popleft()
        most = max(most, len(inside))
    return most


def arrivals(inbox, count, patience=60):
    """(moment, lane) of each datagram."""
    inbox.settimeout(patience)
    found = []
    while len(found) < count:
        data, extra, _, _ = inbox.recvmsg(64, 128)
        stamps = [struct.unpack("qq", part[:16]) for _, kind, part in extra if kind == SO_TIMESTAMPNS]
        found.append((stamps[0][0] + stamps[0][1] / 1e9 if stamps else time.time(), data.decode()))
    return found


@pytest.fixture
def inbox():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inbox:
        inbox.bind(("127.0.0.1", 0))
        if sys.platform == "linux":
            inbox.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        yield inbox


def test_several_processes_never_pass_the_limit_as_the_receiver_sees_it(redis_url, key, inbox):
    limit, window, each = 20, 1.0, 32
    command = [sys.executable, "-m", "tests.ghl.spend", redis_url, key, str(inbox.getsockname()[1])]
    crowd = [
        subprocess.Popen([*command, str(each), str(limit), str(window), lane, "2"])
        for lane in ("backfill", "backfill", "webhook", "interactive")
    ]
    seen = arrivals(inbox, each * 4)
    assert [process.wait(60) for process in crowd] == [0] * 4
    most = most_in_any(window, [moment for moment, _ in seen])
    assert most <= limit
    assert most >= limit * 0.9  # and the allowance is really used


def test_a_slot_nobody_higher_wants_goes_to_anyone(budget_for):
    assert len(take(budget_for(), 10)) == 10


def test_the_one_after_the_last_slot_is_refused(budget_for):
    budget = budget_for()
    take(budget, 10)
    assert refused(budget)
    assert budget.snapshot().waiting == 0


def test_a_refusal_says_when_to_return(budget_for):
    budget = budget_for()
    take(budget, 10)
    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("webhook", timeout=0.01)
    assert 0 < caught.value.retry_after <= 30.1
    assert not caught.value.maybe_done


def test_a_person_takes_the_next_slot_although_others_wait_longer(budget_for):
    budget = budget_for(limit=3, window=1.0)
    take(budget, 3)
    order, crowd = [], []

    def wait(lane):
        budget.acquire(lane)
        order.append(lane)

    for number, lane in enumerate(["backfill", "backfill", "reconcile", "webhook", "interactive"], start=1):
        crowd.append(threading.Thread(target=wait, args=(lane,)))
        crowd[-1].start()
        while budget.snapshot().waiting < number:
            time.sleep(0.005)
    for one in crowd:
        one.join()
    assert order[0] == "interactive"
    assert order[3:] == ["backfill", "backfill"]


def test_bulk_opens_with_a_small_burst_and_is_paced_from_then_on(budget_for):
    budget = budget_for()
    take(budget, 2, "backfill")
    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("reconcile", timeout=0)
    assert 0 < caught.value.retry_after <= 30.1 / 8  # what is left of the window, spread over the slots left
    take(budget, 8)  # people find them all free


def test_webhooks_open_with_a_larger_burst(budget_for):
    budget = budget_for()
    take(budget, 4, "webhook")
    assert refused(budget, "webhook")


def test_bulk_that_was_late_catches_up_two_gaps_and_no_more(budget_for, redis_client, key):
    budget = budget_for()
    take(budget, 2)
    redis_client.hset(f"{{{key}}}:state", "turn", 1)  # long ago
    take(budget, 1, "backfill")
    turn = float(redis_client.hget(f"{{{key}}}:state", "turn"))
    seconds, micro = redis_client.time()
    assert seconds + micro / 1e6 - turn / 1e6 <= 2 * 30.075 / 10 + 1


def test_while_people_work_a_few_slots_are_kept_for_them(budget_for):
    budget = budget_for(reserve=3)
    take(budget, 7)
    with pytest.raises(BudgetExhausted) as caught:
        budget.acquire("webhook", timeout=0)
    assert caught.value.retry_after > 25  # not before the first slot comes back
    take(budget, 3)


def test_one_who_gave_up_holds_no_place(budget_for, redis_client, key):
    budget = budget_for()
    take(budget, 9)
    redis_client.hset(f"{{{key}}}:queue", "dead", "0:1:1000")  # a waiter long expired
    take(budget, 1)


def test_the_day_ends_earlier_for_bulk_than_for_people(budget_for):
    budget = budget_for(limit=100, daily_limit=20)
    take(budget, 18)
    with pytest.raises(DailyLimitReached) as caught:
        budget.acquire("backfill", timeout=60)
    assert 0 < caught.value.retry_after <= 86_400
    take(budget, 2, "interactive")
    with pytest.raises(DailyLimitReached):
        budget.acquire("interactive")


def test_what_others_spend_on_the_same_app_is_counted(budget_for):
    budget = budget_for()
    take(budget, 2)
    budget.observe(RateHeaders(max=10, remaining=0))
    assert budget.snapshot().used_in_window == 10
    assert refused(budget)


def test_our_own_requests_are_not_counted_twice(budget_for):
    budget = budget_for()
    take(budget, 6)
    for _ in range(20):
        budget.observe(RateHeaders(max=10, remaining=4))
    assert budget.snapshot().used_in_window == 6


def test_ghl_knows_the_day_better(budget_for):
    budget = budget_for(daily_limit=1000)
    take(budget, 1)
    budget.observe(RateHeaders(daily_limit=1000, daily_remaining=50, daily_reset_ms=3_600_000))
    seen = budget.snapshot()
    assert seen.used_today == 950
    assert 3_500 < seen.day_resets_in <= 3_600


def test_a_new_day_at_ghl_starts_the_count_anew(budget_for):
    budget = budget_for(daily_limit=1000)
    budget.observe(RateHeaders(daily_limit=1000, daily_remaining=0, daily_reset_ms=20))
    time.sleep(0.05)
    budget.observe(RateHeaders(daily_limit=1000, daily_remaining=999, daily_reset_ms=86_399_000))
    assert budget.snapshot().used_today == 1


def test_after_a_429_everyone_waits(budget_for):
    budget = budget_for()
    budget.penalise(20)
    assert refused(budget, "interactive")
    assert 15 < budget.snapshot().held_for <= 20


def believed(budget):
    return budget.snapshot().believed_limit


def test_a_429_in_spite_of_our_count_halves_the_limit_for_all_processes(budget_for):
    budget = budget_for(limit=100)
    for _ in range(5):  # those on their way say the same thing
        budget.penalise(0, crowded=True)
    assert believed(budget) == believed(budget_for(limit=100)) == 50
    take(budget, 50)
    assert refused(budget)


def test_the_limit_never_falls_below_ten(budget_for, redis_client, key):
    budget = budget_for(limit=100)
    for _ in range(9):
        budget.penalise(0, crowded=True)
        redis_client.hdel(f"{{{key}}}:state", "halved_at")  # a window later
    assert believed(budget) == 10


def test_each_clean_window_gives_a_twentieth_back(budget_for, redis_client, key):
    budget = budget_for(limit=100)
    budget.penalise(0, crowded=True)
    state = f"{{{key}}}:state"
    halved = float(redis_client.hget(state, "share_at"))
    grown = []
    for windows in (1, 2, 9, 10, 50):
        redis_client.hset(state, "share_at", f"{halved - windows * 30.075e6 - 1e6:.0f}")
        grown.append(believed(budget))
    assert grown == [55, 60, 95, 100, 100]


@pytest.mark.parametrize(
    "headers, left", [({"X-RateLimit-Daily-Remaining": "0"}, 100), ({}, 50)], ids=["the day is spent", "a crowd"]
)
def test_a_429_says_whether_there_is_a_crowd(headers, left, server, budget_for):
    budget = budget_for(limit=100)
    server.answers(Answer({}, 429, headers))
    with pytest.raises(RateLimited):
        Transport(server.url, lambda rejected=None: "t", budget, retries=0).request("GET", "/x")
    assert believed(budget) == left


def test_a_429_reaches_the_budget_through_the_transport(server, budget_for):
    budget = budget_for()
    server.answers(Answer({}, 429, {"Retry-After": "30"}))
    with pytest.raises(RateLimited):
        Transport(server.url, lambda rejected=None: "t", budget, patience=5).request("GET", "/x")
    assert budget.snapshot().held_for > 25
    assert budget.snapshot().used_in_window == 1


def test_a_slot_counts_from_the_answer_since_ghl_may_have_counted_as_late_as_that(budget_for, redis_client, key):
    budget = budget_for()
    grant = budget.acquire("backfill")
    seconds, micro = redis_client.time()
    budget.settle(grant)
    assert redis_client.zscore(f"{{{key}}}:slots", grant.id) >= seconds * 1_000_000 + micro


def test_without_redis_each_process_takes_a_quarter_and_says_so_once(nobody_there, key, caplog):
    caplog.set_level(logging.INFO)
    budget = RateBudget(nobody_there, key, limit=40, window=30.0)
    assert [grant.id for grant in take(budget, 10)] == [""] * 10
    assert refused(budget)
    assert refused(RateBudget(nobody_there, key, limit=40, window=30.0))  # another object is no second allowance
    assert not budget.snapshot().shared
    assert len([record for record in caplog.records if "Redis is away" in record.getMessage()]) == 1


def test_without_redis_a_429_still_stops_us(nobody_there, key):
    budget = RateBudget(nobody_there, key, limit=40, window=30.0)
    budget.penalise(20)
    assert refused(budget)


def test_what_was_sent_without_redis_is_told_when_it_is_back(nobody_there, redis_client, key):
    take(RateBudget(nobody_there, key, limit=40, window=30.0), 10)
    back = RateBudget(redis_client, key, limit=40, window=30.0)
    take(back, 1)
    assert back.snapshot().used_in_window == 11


def test_a_redis_that_forgot_everything_is_reminded(budget_for, redis_client, key):
    budget = budget_for()
    take(budget, 10)
    redis_client.delete(*redis_client.keys(f"{{{key}}}*"))
    assert refused(budget)


def test_threads_that_start_together_remind_nobody_twice(budget_for):
    budget = budget_for(limit=40)
    crowd = [threading.Thread(target=take, args=(budget, 4)) for _ in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert budget.snapshot().used_in_window == 32


def test_two_locations_do_not_share(redis_client, key):
    one, other = (RateBudget(redis_client, f"{key}:{name}", limit=2, window=30.0) for name in "ab")
    take(one, 2)
    take(other, 2)
