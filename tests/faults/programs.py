"""Cases that another program of ours tries: it is run as anybody would run it, and its figures are judged here."""

import json
import os
import re
import subprocess
import sys

from tests.faults.verdict import Verdict, case
from tests.sandbox_control import ROOT

# They bring servers of their own, at GHL's real window.
OURS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "LOG_LEVEL", "GHL_API_BASE", "GHL_MARKETPLACE_BASE")
MOST_OURS_MS, MOST_TIME, MOST_REQUESTS = 500, 1.05, 1.01


@case("6", "canary secrets and people in every kind of trouble")
def canaries(rig):
    done = python("-m", "pytest", "tests/test_secrets.py", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    leaks = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.M)
    return Verdict(
        "6",
        "no secret and no person in a log, a page, a table, Redis, a task or an error report",
        {"searches that found something": len(leaks), "searches": sum(counts.values())},
        ok=done.returncode == 0 and bool(counts.get("passed")),
        findings=leaks or ([] if done.returncode == 0 else done.stdout.splitlines()[-5:]),
    )


@case("35", "the convergence property")
def convergence(rig):
    seeds, twice = rig.size(quick=2, usual=100, full=1000), rig.size(quick=1, usual=3, full=10)
    first = rig.seed * 10_000 + 1
    done = python("-m", "tests.convergence", "--seeds", str(seeds), "--from", str(first))
    told = re.search(r"(\d+) seeds, (\d+) failed", done.stdout)
    same = sum(
        python("-m", "tests.convergence", "--replay", str(first + number)).returncode == 0 for number in range(twice)
    )
    return Verdict(
        "35",
        "after quiet and one reconciliation both sides and the base are equal; the same seed tells the same story",
        {
            "failures": int(told[2]) if told else "it did not end",
            "seeds": int(told[1]) if told else 0,
            "same story twice": f"{same} of {twice}",
        },
        ok=done.returncode == 0 and same == twice,
        repeats=f"{seeds} seeds from {first}",
        findings=[] if done.returncode == 0 else (done.stdout + done.stderr)[-2000:].splitlines(),
    )


@case("32", "a person's edits during a first sync")
def people_first(rig):
    contacts, edits = rig.size(quick=150, usual=400, full=2000), rig.size(quick=3, usual=20, full=100)
    figures = bench("writes", "--contacts", contacts, "--count", edits)
    slow = {name: each["of it ours"].get("p95 ms") for name, each in figures.items()}
    unsettled = sum(each["edits"] - each["confirmed"] for each in figures.values())
    refused = sum(each["429 received"] for each in figures.values())
    return Verdict(
        "32",
        f"we add at most {MOST_OURS_MS} ms to GHL's own answer times (p95), the neighbour is not slowed",
        {
            "ours p95 ms": slow,
            "saved to confirmed p95 ms": {
                name: each["saved to confirmed"].get("p95 ms") for name, each in figures.items()
            },
            "not confirmed": unsettled,
            "429s": refused,
            "of its allowance, the neighbour used": figures["sync of another location"].get(
                "of its allowance, the other sync used"
            ),
            "a sync was running throughout": [
                each.get("a sync was running throughout") for name, each in figures.items() if name != "no sync"
            ],
        },
        # A build machine may be busy with other things, so the quick subset judges only what became of the edits.
        ok=not (unsettled or refused) and max(slow.values()) <= rig.size(float("inf"), MOST_OURS_MS),
        repeats=f"{edits} edits × 3, {contacts} contacts",
    )


@case("38", "speed and cost of a sync")
def near_the_floor(rig):
    contacts = rig.size(quick=60, usual=2000, full=10_000)
    figures = bench("sync", "--contacts", contacts)
    written, dear = figures["business rows written by a no-change sync"], figures["requests ÷ minimum"]
    slow = figures["time ÷ floor"] or 0
    return Verdict(
        "38",
        f"time ÷ floor ≤ {MOST_TIME}, requests ÷ minimum ≤ {MOST_REQUESTS}, nothing written by a sync without changes",
        {"rows written by the second": written, "time ÷ floor": slow, "requests ÷ minimum": dear}
        | {
            name: figures[name] for name in ("429 received", "most requests in any window", "seconds", "peak memory MB")
        },
        ok=not (written or figures["429 received"])
        and slow <= rig.size(float("inf"), MOST_TIME)
        and dear <= rig.size(float("inf"), MOST_REQUESTS),
        repeats=f"{contacts} contacts",
    )


def bench(what, *options):
    done = python("manage.py", "bench", what, *map(str, options), "--json")
    if done.returncode:
        raise RuntimeError(f"bench {what}: {done.stderr[-1000:]}")
    return json.loads(done.stdout)


def python(*arguments):
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
