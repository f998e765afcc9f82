"""GHL that turns us away, or does not answer at all, for one location among others."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from django.utils import timezone

from contacts.models import Change, Note
from integrations.models import Delivery
from tests.faults.conflicts import fresh, unsettled
from tests.faults.rig import nap, percentile
from tests.faults.verdict import Verdict, case

# --- 33 ---------------------------------------------------------------------------------------------------------------


def advices():
    """What may stand in Retry-After."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    return {
        "absent": {"retry_after": None},
        "seconds": {"retry_after": 1},
        "a date": {"headers": {"Retry-After": soon}},
        "no number": {"headers": {"Retry-After": "soon"}},
        "zero": {"retry_after": 0},
        "negative": {"retry_after": -5},
        "a date long past": {"headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}},
    }


LONGEST_BELIEVED_S = 900


@case("33", "a storm of 429s with every kind of advice")
def too_many_requests(rig):
    each = rig.size(quick=6, usual=40)
    chosen = list(advices())[: rig.size(quick=3, usual=7)]
    sandbox = rig.start_sandbox(contacts=each)
    rig.start_processes(GHL_TIMEOUT_S="5", WORK_LEASE_S="10").start_worker(concurrency=4)
    connection = rig.read_whole(rig.connect())
    people = list(rig.people(connection).select_related("location"))
    figures, findings, over, real = {}, [], 0, 0
    for name in chosen:
        since = rig.requests_so_far()
        begun = rig.now()
        match = {"method": "POST", "path": "/notes$", "chance": 0.5, "seed": f"{rig.seed} {name}"}
        sandbox.faults({"match": match, "action": {"status": 429, **advices()[name]}})
        changes = [
            Note(location=one.location, contact=one, body=f"{name} {one.pk}.").create(by=rig.admin) for one in people
        ]
        nap(rig.size(quick=1, usual=4))
        sandbox.no_faults()
        calm = rig.waited(lambda: not unsettled(changes), 120)  # noqa: B023
        entries = sandbox.log(since=since)["entries"]
        refused = [entry for entry in entries if entry["status"] == 429]
        tries = Counter(entry["path"] for entry in entries if entry["method"] == "POST" and "/notes" in entry["path"])
        seen = sandbox.rate(since=since)
        over += max(0, seen["highest"] - seen["limit"])
        real += sum(not entry["rules"] for entry in refused)
        figures[name] = {
            "tries each, most": max(tries.values(), default=0),
            "429s": len(refused),
            "s": round(rig.now() - begun, 1),
            "most in 100 ms": sandbox.rate(since=since, window_s=0.1)["highest"],
        }
        states = Counter(fresh(change).state for change in changes)
        if not calm or set(states) != {"confirmed"}:
            findings.append(f"{name}: {dict(states)}")
    bodies = Counter(row["body"] for row in sandbox.records("notes")["records"])
    doubled = [
        body for body, count in bodies.items() if count > 1 and body.endswith(".") and body.startswith(tuple(chosen))
    ]
    believed = {advice: held_by(rig, people[0], advice) for advice in (10**9, 7200)}
    return Verdict(
        "33",
        f"all arrive once, the limit is kept all the while; nothing is believed for longer than {LONGEST_BELIEVED_S} s",
        {"over-limit calls": over, "429s that we had earned": real, "duplicate writes": len(doubled)}
        | {"put off by an absurd one, s": believed, **figures},
        ok=not (findings or over or real or doubled) and max(believed.values()) <= LONGEST_BELIEVED_S + 5,
        repeats=f"{each} edits × {len(chosen)} kinds",
        findings=findings + doubled,
    )


def held_by(rig, person, advice):
    """For how many seconds an edit is put off by a 429 with this advice."""
    rule = {"match": {"method": "POST", "path": "/notes$"}, "action": {"status": 429, "retry_after": advice}}
    rig.sandbox.faults(rule)
    begun = timezone.now()
    change = Note(location=person.location, contact=person, body=f"Not before {advice}").create(by=rig.admin)
    deliveries = Delivery.objects.filter(kind="note", record_id=change.record_id)
    put_off = deliveries.filter(lease_until=None, next_at__gt=begun + timedelta(seconds=30))
    rig.waited(lambda: put_off.exists() or not unsettled([change]), 30)
    if delivery := put_off.first():
        return round((delivery.next_at - timezone.now()).total_seconds(), 1)
    return round(((fresh(change).settled_at or timezone.now()) - begun).total_seconds(), 1)


# --- 34 ---------------------------------------------------------------------------------------------------------------

FAILURES = {"500": {"status": 500}, "hangs": {"hang_s": 30}}


@case("34", "one location does not answer")
def one_location_away(rig):
    away_s, count = rig.size(quick=6, usual=30, full=600), rig.size(quick=10, usual=60)
    ways = rig.size(quick=["500"], usual=list(FAILURES))
    sandbox = rig.start_sandbox(contacts=20)
    rig.start_processes(GHL_TIMEOUT_S="2", WORK_LEASE_S="4").start_worker(concurrency=4)
    sick = rig.read_whole(rig.connect())
    well = rig.read_whole(rig.connect_another(sick, 20))
    calm = served(rig, well, count, "calm")
    figures, findings = {"neighbour's p95 s before": percentile(calm, 0.95)}, []
    for way in ways:
        match = {"location": sick.location.remote_id, "times": 0}
        sandbox.faults({"match": match, "action": FAILURES[way]})
        since, begun = rig.requests_so_far(), rig.now()
        held = [change for _ in range(2) for change in notes(rig, sick, 10, way)]
        beside = served(rig, well, count, way)
        nap(max(0, away_s - (rig.now() - begun)))
        sent = len(sandbox.log(since=since, location=sick.location.remote_id)["entries"])
        sandbox.no_faults()
        back = rig.now()
        calm_again = rig.waited(lambda: not unsettled(held), 400)  # noqa: B023
        states = Counter(fresh(change).state for change in held)
        figures[way] = {
            "neighbour's p95 s": percentile(beside, 0.95),
            "neighbour served": f"{len(beside)} of {count}",
            "requests into the void": sent,
            "all there again after s": round(rig.now() - back, 1),
            "states": dict(states),
        }
        if not calm_again or set(states) != {"confirmed"} or len(beside) != count:
            findings.append(f"{way}: {dict(states)}, neighbour {len(beside)} of {count}")
    bodies = Counter(row["body"] for row in sandbox.records("notes")["records"])
    doubled = [body for body, number in bodies.items() if number > 1 and body.endswith("!")]
    return Verdict(
        "34",
        "only that location pauses, and everything arrives once it is back",
        {"duplicate writes": len(doubled), **figures},
        ok=not (findings or doubled),
        repeats=f"{len(ways)} × {away_s} s",
        findings=findings + doubled,
    )


def notes(rig, connection, count, word):
    people = list(rig.people(connection).select_related("location"))
    return [
        Note(location=one.location, contact=one, body=f"{word} {number} {rig.chance.getrandbits(32)}!").create(
            by=rig.admin
        )
        for number, one in zip(range(count), people * count, strict=False)
    ]


def served(rig, connection, count, word):
    """One after the other, as people do: seconds until each was confirmed."""
    took = []
    for _ in range(count):
        (change,) = notes(rig, connection, 1, f"beside {word}")
        rig.waited(lambda: not Change.objects.unsettled().filter(pk=change.pk).exists(), 30)  # noqa: B023
        row = fresh(change)
        if row.state == "confirmed":
            took.append((row.settled_at - row.created_at).total_seconds())
    return took
