"""Workers that die, hang and come back, and a broker that forgets everything."""

import contextlib
import os
import signal
from collections import Counter

from django.utils import timezone

from contacts.models import Change, Contact, Note, Task
from integrations.models import Delivery, SyncRun
from tests.faults.rig import nap
from tests.faults.services import start_again
from tests.faults.verdict import Verdict, case

LEASE_S, TIMEOUT_S, LATENCY_MS = 3, 1.5, 30
KILLS = ("child", "group", "hang in a write", "parent", "clock", "child", "hang a child", "hang in a write", "group")
A_WRITE = (("POST", r"/contacts/[^/]+/(notes|tasks|tags)/?$"), ("PUT", r"/contacts/[^/]+/?$"))


class Fleet:
    """Two groups of workers and the beat, as a service manager keeps them: what died is started again."""

    desk = None  # whose writes it hangs in

    def __init__(self, rig):
        self.rig, self.processes, self.chance = rig, rig.processes, rig.chance
        self.workers = [self.processes.start_worker(beat=False) for _ in range(2)]
        self.beat = self.processes.start_beat()
        self.happened = Counter()

    def mend(self):
        self.workers = [
            worker if worker.poll() is None else self.processes.start_worker(beat=False) for worker in self.workers
        ]
        if self.beat.poll() is not None:
            self.beat = self.processes.start_beat()

    def accident(self, kind):
        self.mend()
        worker = self.chance.choice(self.workers)
        getattr(self, kind.replace(" ", "_"))(worker)
        self.happened[kind] += 1
        self.mend()

    def child(self, worker):
        self._signal(self._a_child(worker), signal.SIGKILL)

    def parent(self, worker):
        self._signal(worker.pid, signal.SIGKILL)
        worker.wait()

    def group(self, worker):
        self.processes.kill(worker)

    def hang_a_child(self, worker):
        """For longer than its lease, whatever it is at; then it goes on as if nothing was."""
        child = self._a_child(worker)
        self._signal(child, signal.SIGSTOP)
        nap(LEASE_S * 1.2)
        self._signal(child, signal.SIGCONT)

    def hang_in_a_write(self, worker):
        """All of them, while GHL holds back the answer to a write that it has done. Others take that over and bring it
        to its end; then the first ones go on as if nothing was, and their result comes too late."""
        sandbox = self.rig.sandbox
        held = {"delay_ms": TIMEOUT_S * 900}
        sandbox.faults(*[
            {"match": {"method": method, "path": path, "times": 1}, "action": held} for method, path in A_WRITE
        ])  # fmt: skip
        since = self.rig.requests_so_far()

        def is_held():
            return any(entry["rules"] for entry in sandbox.log(since=since, writes=1, answer="pending")["entries"])

        self.desk.write(2)
        self.rig.waited(is_held, 10)
        for each in self.workers:
            self._signal_group(each, signal.SIGSTOP)
        sandbox.no_faults()
        claimed = Delivery.objects.filter(finished_at=None).exclude(lease_until=None)
        fences = dict(claimed.values_list("pk", "fence"))
        relief = self.processes.start_worker(beat=False)
        self.rig.waited(lambda: settled() or taken_over(fences), LEASE_S * 4)
        for each in self.workers:
            self._signal_group(each, signal.SIGCONT)
        nap(1)  # for their late results
        self.processes.kill(relief)

    def clock(self, worker):
        self.processes.kill(self.beat)

    def wipe(self, worker):
        self.rig.redis.flushall()

    def restart_valkey(self, worker):
        valkey = self.rig.services.valkey
        valkey.stop()
        start_again(valkey)

    def _signal_group(self, worker, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, number)

    def _a_child(self, worker):
        children = self.processes.children(worker)
        return self.chance.choice(children) if children else worker.pid

    def _signal(self, pid, number):
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.kill(pid, number)


@case("19+25", "kill -9 anywhere, Redis wiped")
def killed_anywhere(rig):
    contacts, writes = rig.size(quick=60, usual=2000), rig.size(quick=40, usual=1000)
    kills, wipes = rig.size(quick=4, usual=50), rig.size(quick=1, usual=10)
    sandbox = rig.start_sandbox(contacts=contacts)
    rig.start_processes(GHL_TIMEOUT_S=str(TIMEOUT_S), WORK_LEASE_S=str(LEASE_S))
    sandbox.settings(latency_ms=LATENCY_MS)
    fleet = Fleet(rig)
    connection = rig.connect()
    desk = fleet.desk = Desk(rig, connection)

    accidents = [*(KILLS[number % len(KILLS)] for number in range(kills)), *wiped(wipes)]
    rig.chance.shuffle(accidents)
    for number, kind in enumerate(accidents):
        desk.write(writes * (number + 1) // len(accidents) - len(desk.changes))
        until = rig.requests_so_far() + rig.chance.randint(4, 40)
        rig.waited(lambda: rig.requests_so_far() >= until or idle(), 20)  # noqa: B023
        fleet.accident(kind)
    rig.waited(lambda: rig.people(connection).count() >= contacts, 300)
    desk.write(writes - len(desk.changes))
    all_settled = rig.waited(settled, rig.size(quick=90, usual=400))
    run = connection.sync_runs.filter(kind=SyncRun.Kind.FULL).latest("pk")
    rig.waited(idle, rig.size(quick=60, usual=400))
    run.refresh_from_db()

    lost, doubled = desk.judged(connection)
    unsure = Change.objects.exclude(state=Change.State.CONFIRMED)
    there = sandbox.get("state")["locations"][connection.location.remote_id]
    apart = {
        kind: [model.objects.filter(location=connection.location, deleted_at=None).count(), there[kind]]
        for kind, model in (("contacts", Contact), ("notes", Note), ("tasks", Task))
    }
    apart = {kind: counts for kind, counts in apart.items() if counts[0] != counts[1]}
    return Verdict(
        "19+25",
        "nothing lost, nothing twice, the sync complete",
        {
            "lost": len(lost),
            "duplicate writes": len(doubled),
            "not confirmed": dict(Counter(f"{one.state}: {one.sentence}" for one in unsure)),
            "sync": run.outcome or f"unfinished in {run.phase}",
            "here/there apart": apart,
            "late results turned away": rig.times_logged("lease lost"),
            "429s": sum(entry["status"] == 429 for entry in sandbox.log()["entries"]),
            "accidents": dict(fleet.happened),
            "requests": rig.requests_so_far(),
            "tracebacks": rig.tracebacks(),
        },
        ok=all_settled and not (lost or doubled or unsure or apart) and run.outcome == "complete",
        repeats=f"{kills} kills, {wipes} wipes, {writes} writes, {contacts} contacts",
        findings=[f"lost: {one}" for one in lost]
        + [f"doubled: {one}" for one in doubled]
        + [told(one) for one in unsure[:20]]
        + ([f"sync {run.pk}: {run.outcome} {run.phase} {run.stop_reason}"] if run.outcome != "complete" else []),
    )


def taken_over(fences):
    """Somebody else has claimed what these fences stood for, and has ended it or given it back."""
    free = Delivery.objects.filter(pk__in=fences).exclude(finished_at=None, lease_until__isnull=False)
    return bool(fences) and any(fence > fences[pk] for pk, fence in free.values_list("pk", "fence"))


def wiped(count):
    """Every third time it is restarted without persistence, which also breaks every connection to it."""
    return ["restart valkey" if number % 3 == 2 else "wipe" for number in range(count)]


def told(change):
    others = Change.objects.filter(kind=change.kind, contact=change.contact).exclude(pk=change.pk).order_by("pk")
    beside = [f"{one.pk} {one.verb} {one.values} {one.state}" for one in others if one.record_id == change.record_id]
    return (
        f"change {change.pk} {change.verb} {change.kind} {change.values} {change.state}: {change.sentence} "
        f"{change.technical} theirs {change.theirs}; others of this record: {beside}"
    )


def settled():
    return not Change.objects.unsettled().exists()


def idle():
    return settled() and not SyncRun.objects.filter(finished_at=None).exists()


class Desk:
    """People who write notes, tasks, cities and tags, and remember what should be in GHL at the end."""

    def __init__(self, rig, connection):
        self.rig, self.chance = rig, rig.chance
        self.people = rig.people(connection)
        self.changes, self.markers, self.cities, self.tags = [], {}, {}, {}

    def write(self, count):
        """As soon as there is anybody to write about."""
        people = list(self.people.values_list("pk", flat=True))
        for _ in range(count if people else 0):
            kind = self.chance.choice(("note", "task", "city", "city", "tag"))
            person = Contact.objects.select_related("location").get(pk=self.chance.choice(people))
            self.changes.append(getattr(self, kind)(person, f"{len(self.changes):04}"))

    def note(self, person, number):
        self.markers[f"Note {number}."] = "notes"
        return Note(location=person.location, contact=person, body=f"Note {number}.").create(by=self.rig.admin)

    def task(self, person, number):
        self.markers[f"Task {number}."] = "tasks"
        due = timezone.now()
        task = Task(location=person.location, contact=person, title=f"Task {number}.", due_at=due)
        return task.create(by=self.rig.admin)

    def city(self, person, number):
        self.cities[person.remote_id] = f"City {number}"
        return person.edit(by=self.rig.admin, city=f"City {number}")

    def tag(self, person, number):
        self.tags.setdefault(person.remote_id, set()).add(f"tag {number}")
        return person.add_tags([f"tag {number}"], by=self.rig.admin)

    def judged(self, connection):
        """(what is not in GHL, what is there twice)."""
        location = connection.location.remote_id
        records = {kind: self.rig.sandbox.records(kind, location_id=location)["records"] for kind in ("notes", "tasks")}
        there = Counter(row["body"] for row in records["notes"]) + Counter(row["title"] for row in records["tasks"])
        contacts = {row["id"]: row for row in self.rig.sandbox.records("contacts", location_id=location)["records"]}
        lost = [marker for marker in self.markers if not there[marker]]
        lost += [f"{pk}: {city}" for pk, city in self.cities.items() if contacts[pk].get("city") != city]
        lost += [f"{pk}: {sorted(tags)}" for pk, tags in self.tags.items() if not tags <= set(contacts[pk]["tags"])]
        return lost, [f"{marker} {there[marker]} times" for marker in self.markers if there[marker] > 1]
