"""The broker, the clock, the workers and Postgres, each failing in its own way while people write."""

import itertools
import os
import signal
from collections import Counter
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from contacts.models import Change, Note
from contacts.models.leased import MOST_STRIKES
from integrations.models import Incident, SyncRun
from rankr_dash import watchdog
from tests.faults.processes import Desk, Fleet, idle, settled
from tests.faults.rig import nap, percentile
from tests.faults.services import start_again
from tests.faults.verdict import Verdict, case

# --- 26 ---------------------------------------------------------------------------------------------------------------


@case("26", "workers whose line to the broker is cut or silent")
def deaf_workers(rig):
    cuts, stills = rig.size(quick=3, usual=20, full=50), rig.size(quick=1, usual=3, full=10)
    deaf_s = 2
    sandbox = rig.start_sandbox(contacts=10)
    rig.start_processes(GHL_TIMEOUT_S="2", WORK_LEASE_S="4", WORKER_DEAF_AFTER_S=str(deaf_s))
    fleet = Fleet(rig)
    connection = rig.read_whole(rig.connect())
    person = rig.people(connection).select_related("location").first()
    ended, stuck, took = Counter(), [], []

    def progress(kind, number):
        """Something written now arrives, and nobody but the service manager lends a hand."""
        begun = rig.now()
        change = Note(location=person.location, contact=person, body=f"{kind} {number}.").create(by=rig.admin)

        def has_arrived():
            for worker in fleet.workers:
                if worker.poll() is not None:
                    ended["deaf" if worker.returncode == watchdog.DEAF else str(worker.returncode)] += 1
            fleet.mend()
            return not Change.objects.unsettled().filter(pk=change.pk).exists()

        if not rig.waited(has_arrived, 60):
            stuck.append(f"{kind} {number}: not there after 60 s")
        took.append(rig.now() - begun)

    kinds = ["cut"] * cuts + ["still"] * stills
    rig.chance.shuffle(kinds)
    for number, kind in enumerate(kinds):
        if kind == "cut":
            rig.redis.execute_command(
                "CLIENT", "KILL", "TYPE", rig.chance.choice(["normal", "pubsub"]), "SKIPME", "yes"
            )
        else:
            stand_still(rig.services.valkey.process.pid, deaf_s * 2)
        progress(kind, number)
    bodies = Counter(row["body"] for row in sandbox.records("notes", contact_id=person.remote_id)["records"])
    doubled = [body for body, count in bodies.items() if count > 1 and body.startswith(("cut", "still"))]
    return Verdict(
        "26",
        "work goes on without a person",
        {
            "stuck": len(stuck),
            "duplicate writes": len(doubled),
            "to progress, p95 s": percentile(took, 0.95),
            "worst s": percentile(took, 1),
            "workers that ended by themselves": dict(ended),
        },
        ok=not (stuck or doubled),
        repeats=f"{cuts} cuts, {stills} standstills of {deaf_s * 2} s",
        findings=stuck + doubled,
    )


def stand_still(pid, seconds):
    os.kill(pid, signal.SIGSTOP)
    try:
        nap(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


# --- 27 ---------------------------------------------------------------------------------------------------------------


@case("27", "two clocks")
def two_clocks(rig):
    seconds, every_s = rig.size(quick=8, usual=60, full=600), 2
    sandbox = rig.start_sandbox(contacts=rig.size(quick=10, usual=60))
    processes = rig.start_processes(GHL_TIMEOUT_S="2", WORK_LEASE_S="4", SYNC_EVERY_S=str(every_s))
    processes.start_worker()  # with a clock of its own
    processes.start_beat()
    processes.start_worker(beat=False)
    connection = rig.read_whole(rig.connect())
    desk = Desk(rig, connection)
    end = rig.now() + seconds
    while rig.now() < end:
        desk.write(1)
        nap(0.3)
    rig.waited(settled, 90)
    starts = SyncRun.objects.exclude(kind="contact").order_by("started_at").values_list("started_at", flat=True)
    pauses = [(after - before).total_seconds() for before, after in itertools.pairwise(starts)]
    early = [pause for pause in pauses if pause < every_s]
    lost, doubled = desk.judged(connection)
    return Verdict(
        "27",
        "each slot has one sync, each edit one effect",
        {
            "double effects": len(doubled),
            "lost": len(lost),
            "syncs started too early": len(early),
            "syncs": len(pauses) + 1,
            "429s": sum(entry["status"] == 429 for entry in sandbox.log()["entries"]),
        },
        ok=not (doubled or lost or early) and len(pauses) > seconds / every_s / 4,
        repeats=f"{seconds} s, a sync every {every_s} s, {len(desk.changes)} edits",
        findings=doubled + lost + [f"{pause:.2f} s after the one before" for pause in early],
    )


# --- 28 ---------------------------------------------------------------------------------------------------------------


@case("28", "work that kills its worker")
def deadly_work(rig):
    """An incident whose telling ends the process, or never ends and does not listen: tests/processes/poison.py."""
    rig.start_sandbox(contacts=10)
    processes = rig.start_processes(GHL_TIMEOUT_S="1", WORK_LEASE_S="2")
    connection = rig.connect()
    ways = rig.size(quick=["exit"], usual=["exit", "loop"])
    worker = processes.start_worker(app="tests.processes.poison")
    rig.read_whole(connection)
    person = rig.people(connection).select_related("location").first()
    calm = noted(rig, person, 10)
    attempts, restarts, findings, beside = {}, 0, [], []
    for how in ways:
        Incident.objects.filter(connection=connection, kind="gap").update(closed_at=timezone.now())
        one = Incident.objects.create(connection=connection, kind="gap", reason=how)
        beside += noted(rig, person, 10)
        over = rig.waited(lambda: Incident.objects.filter(pk=one.pk).exclude(finished_at=None).exists(), 150)  # noqa: B023
        one.refresh_from_db()
        attempts[how] = one.attempts
        if not over or one.attempts > MOST_STRIKES + 1:
            findings.append(f"{how}: {'given up' if over else 'still tried'} after {one.attempts} claims")
        restarts += worker.poll() is not None
    return Verdict(
        "28",
        f"given up after {MOST_STRIKES} deaths, others go on",
        {
            "claims until it was given up": attempts,
            "workers that went down as a whole": restarts,
            "neighbours' p95 s, calm and beside": [percentile(calm, 0.95), percentile(beside, 0.95)],
        },
        ok=not findings and not restarts and len(beside) == 10 * len(ways),
        repeats=f"{len(ways)} ways",
        findings=findings,
    )


def noted(rig, person, count):
    """Seconds until each of so many notes was confirmed."""
    changes = [
        Note(location=person.location, contact=person, body=f"Beside {number}").create(by=rig.admin)
        for number in range(count)
    ]
    rows = Change.objects.filter(pk__in=[change.pk for change in changes])
    rig.waited(lambda: not rows.unsettled().exists(), 90)
    return [(row.settled_at - row.created_at) / timedelta(seconds=1) for row in rows.filter(state="confirmed")]


# --- 30 ---------------------------------------------------------------------------------------------------------------


@case("30", "Postgres restarted at work")
def postgres_restarts(rig):
    restarts, writes = rig.size(quick=1, usual=10), rig.size(quick=12, usual=300)
    contacts = rig.size(quick=40, usual=500)
    sandbox = rig.start_sandbox(contacts=contacts, latency_ms=20)
    rig.start_processes(GHL_TIMEOUT_S="2", WORK_LEASE_S="4").start_web()
    fleet = Fleet(rig)
    connection = rig.connect()
    rig.waited(lambda: rig.people(connection).exists(), 60)
    desk, recovered = Desk(rig, connection), []
    for number in range(restarts):
        desk.write(writes * (number + 1) // restarts - len(desk.changes))
        until = rig.requests_so_far() + rig.chance.randint(4, 30)
        rig.waited(lambda: rig.requests_so_far() >= until or idle(), 20)  # noqa: B023
        postgres = rig.services.postgres
        connections.close_all()
        postgres.stop()
        nap(rig.chance.uniform(0.2, 2))
        start_again(postgres)
        begun, since = rig.now(), rig.requests_so_far()
        rig.waited(lambda: answers_again(rig) and (rig.requests_so_far() > since or idle()), 60)  # noqa: B023
        recovered.append(rig.now() - begun)
        fleet.mend()
    all_settled = rig.waited(settled, 180)
    rig.waited(idle, 180)
    run = connection.sync_runs.filter(kind=SyncRun.Kind.FULL).latest("pk")
    lost, doubled = desk.judged(connection)
    unsure = dict(Counter(Change.objects.exclude(state="confirmed").values_list("state", flat=True)))
    return Verdict(
        "30",
        "nothing lost, nothing twice, work goes on by itself",
        {
            "lost": len(lost),
            "duplicate writes": len(doubled),
            "not confirmed": unsure,
            "sync": run.outcome or f"unfinished in {run.phase}",
            "recovered after, worst s": percentile(recovered, 1),
            "tracebacks": rig.tracebacks(),
        },
        ok=all_settled and not (lost or doubled or unsure) and run.outcome == "complete"
        and sandbox.get("state")["contacts"] == rig.people(connection).count(),
        repeats=f"{restarts} restarts, {writes} writes, {contacts} contacts",
        findings=lost + doubled,
    )  # fmt: skip


def answers_again(rig):
    """The web server, whose every page needs the database."""
    import requests

    try:
        return requests.get(f"{rig.processes.url}/healthz", timeout=5).status_code == 200
    except (requests.RequestException, OperationalError, InterfaceError):
        return False
