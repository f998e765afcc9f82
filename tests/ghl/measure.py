"""How fast the shared allowance is spent, and what a person waits beside it. By hand:

python -m tests.ghl.measure REDIS_URL alone 2021 10     bulk requests alone: seconds over the floor
python -m tests.ghl.measure REDIS_URL people 60 10 1    a person's waits (bursts of 1) beside a bulk backlog
python -m tests.ghl.measure REDIS_URL crowd 60 10       8 processes on 5 keys: most in any window, use of it
The last number but the burst is the window in seconds; the limit is 100.
"""

import json
import subprocess
import sys
import threading
import time
import uuid
from bisect import bisect_right

import redis

from integrations.ghl.limits import RateBudget

LIMIT = 100


def worker(url, keys, lane, seconds, window, count, burst, threads):
    """Takes slots and prints [key, lane, moment, waited] of each when done."""
    budgets = [RateBudget(redis.Redis.from_url(url), key, LIMIT, float(window)) for key in keys.split(",")]
    end, left, rows = time.monotonic() + float(seconds), [int(count)], []

    def take(budget):
        while time.monotonic() < end and left[0] > 0:
            left[0] -= 1
            grant = budget.acquire(lane)
            rows.append((budget.key, lane, time.monotonic(), grant.waited))

    def visit(budget):
        while time.monotonic() < end:
            crowd = [threading.Thread(target=take, args=(budget,)) for _ in range(int(burst))]
            left[0] = int(burst)
            for one in crowd:
                one.start()
            for one in crowd:
                one.join()
            time.sleep(float(window) / 10 * (0.8 + 0.4 * (uuid.uuid4().int % 1000) / 1000))

    crowd = [
        threading.Thread(target=visit if lane == "interactive" else take, args=(budget,))
        for budget in budgets
        for _ in range(int(threads))
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    json.dump(rows, sys.stdout)


def start(url, keys, lane, seconds, window, count=10**9, burst=1, threads=1):
    options = [url, ",".join(keys), lane, seconds, window, count, burst, threads]
    command = [sys.executable, "-m", "tests.ghl.measure", *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def rows_of(*processes):
    return sorted((row for process in processes for row in json.load(process.stdout)), key=lambda row: row[2])


def most_in_any(window, moments):
    return max(at - bisect_right(moments, moment - window) + 1 for at, moment in enumerate(moments))


def alone(url, count="2021", window="10"):
    key, window = uuid.uuid4().hex, float(window)
    rows = rows_of(start(url, [key], "backfill", 10**6, window, int(count), threads=8))
    took = rows[-1][2] - rows[0][2]
    floor = window * (-(-int(count) // LIMIT) - 1)
    most = most_in_any(window, [row[2] for row in rows])
    print(f"alone: {took:.2f} s / floor {floor:.0f} s = {took / floor:.4f}; most in any window {most}; n {len(rows)}")


def people(url, seconds="60", window="10", burst="1"):
    key, window = uuid.uuid4().hex, float(window)
    bulk = start(url, [key], "backfill", seconds, window, threads=8)
    visitor = start(url, [key], "interactive", seconds, window, burst=burst)
    rows = rows_of(bulk, visitor)
    begun, moments = rows[0][2], [row[2] for row in rows]
    for name, until in (("first window", window), ("all", 10**9)):
        waits = sorted(row[3] * 1000 for row in rows if row[1] == "interactive" and row[2] - begun < until)
        p50, p95 = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
        print(
            f"people, bursts of {burst}, {name}: p50 {p50:.0f} p95 {p95:.0f} max {waits[-1]:.0f} ms of {len(waits)};"
            f" most in any window {most_in_any(window, moments)}; rate {rate(moments, window):.3f}"
        )


def crowd(url, seconds="60", window="10"):
    keys, window = [uuid.uuid4().hex for _ in range(5)], float(window)
    rows = rows_of(*[start(url, keys, "backfill", seconds, window, threads=2) for _ in range(8)])
    for key in keys:
        moments = [row[2] for row in rows if row[0] == key]
        print(f"crowd: most in any window {most_in_any(window, moments)}; rate {rate(moments, window):.3f}")


def rate(moments, window):
    """Share of the allowed rate, after the first window."""
    later = [moment for moment in moments if moment - moments[0] > window]
    return (len(later) - 1) / (later[-1] - later[0]) * window / LIMIT


if __name__ == "__main__":
    ways = {"alone": alone, "people": people, "crowd": crowd}
    if sys.argv[2] in ways:
        ways[sys.argv[2]](sys.argv[1], *sys.argv[3:])
    else:
        worker(*sys.argv[1:])
