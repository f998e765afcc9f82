"""What a lost or lying answer does to a creation."""

from collections import Counter, deque
from dataclasses import dataclass

from django.utils import timezone

from contacts.models import Change, Note, Task
from tests.faults import rivals
from tests.faults.rig import nap, percentile
from tests.faults.verdict import Verdict, case

# What may happen to one request, with its share, as the test table has it. The second is cut too, but only after
# our patience: for us a time-out.
FATES = [
    (0.25, {"drop_after_commit": True}),
    (0.05, {"delay_ms": 2_500, "drop_after_commit": True}),
    (0.05, {"drop_before": True}),
    (0.03, {"status_but_created": 422}),
]
STALEST_S, SETTLED_S = 10, 12
IN_FLIGHT = 60  # so that the time to settle is about the trouble and not about the queue


@dataclass
class Creation:
    kind: str
    marker: str
    contact: object
    fates: list
    change: object = None


@case("18", "POST fails after GHL saved it")
def creations_whose_answer_was_lost(rig):
    count = rig.size(quick=12, usual=1000)
    sandbox = rig.start_sandbox(contacts=rig.size(quick=12, usual=200))
    processes = rig.start_processes(GHL_TIMEOUT_S="1.5", WORK_LEASE_S="4", GHL_SETTLE_S=str(SETTLED_S * pace(rig)))
    processes.start_worker(concurrency=4)
    connection = rig.connect()
    rig.waited(lambda: connection.sync_runs.filter(outcome="complete").exists(), 300)
    people = list(rig.people(connection))

    creations = [
        Creation(kind, f"{kind} {number:04}.", rig.chance.choice(people), fates(rig.chance))
        for number in range(count)
        for kind in ("Note", "Task")
    ]
    rig.chance.shuffle(creations)
    sandbox.faults(*[rule for one in creations for rule in rules(one)], *stale_reads(rig, people))
    feed(rig, creations)
    quiet = rig.waited(lambda: not Change.objects.unsettled().exists(), rig.size(quick=60, usual=240))
    sandbox.no_faults()

    there = records_by_marker(sandbox, connection)
    for one in creations:
        one.change.refresh_from_db()
    doubled = [one for one in creations if there[one.marker] > 1]
    missing = [one for one in creations if there[one.marker] == 0]
    flagged = [one for one in creations if one.change.state != Change.State.CONFIRMED]
    denied = [one for one in flagged if one.change.state == Change.State.REFUSED and there[one.marker]]
    gone_here = [one for one in creations if one.change.record.deleted_at]
    settled = [one.change for one in creations if one.change.settled_at]
    took = [(change.settled_at - change.created_at).total_seconds() for change in settled]
    some = [fates(rig.chance) for _ in range(rig.size(quick=0, usual=400))]
    naive = {"naive retry": rivals.naive_creations(rig, some, rules)} if some else {}
    return Verdict(
        "18",
        "exactly one each; what is refused is not there",
        {
            "duplicates": sum(there[one.marker] - 1 for one in doubled),
            "missing": len(missing),
            "refused though GHL has it": len(denied),
            "hidden here though GHL has it": len(gone_here),
            "flagged": dict(Counter(f"{one.change.state}: {one.change.sentence}" for one in flagged)),
            "settled after, median s": percentile(took, 0.5),
            "p95 s": percentile(took, 0.95),
            "all settled": quiet,
            "requests": rig.requests_so_far(),
            **naive,
        },
        ok=not (doubled or missing or denied or gone_here),
        repeats=f"{len(creations)} creations",
        findings=[f"doubled: {told(one)}" for one in doubled]
        + [f"missing: {told(one)}" for one in missing]
        + [f"refused though there: {told(one)}" for one in denied]
        + [f"hidden here: {told(one)}" for one in gone_here],
    )


def pace(rig):
    """The quick subset has no time for readings that are ten seconds old."""
    return rig.size(quick=0.4, usual=1)


def fates(chance):
    """What happens to the first tries of one creation, until a try that nothing happens to."""
    drawn = []
    while len(drawn) < 6:
        number = chance.random()
        for share, action in FATES:
            if number < share:
                drawn.append(action)
                break
            number -= share
        else:
            return drawn
    return drawn


def rules(creation):
    path = rf"/contacts/[^/]+/{creation.kind.lower()}s/?$"
    match = {"method": "POST", "path": path, "body_contains": creation.marker, "times": 1}
    return [{"match": match, "action": action} for action in creation.fates]


def stale_reads(rig, people):
    """Some people's notes and tasks are always read as they were some seconds ago: which, and how long, by chance."""
    for person in people:
        stale = rig.chance.choice((0, 0, 1, 3, 6, STALEST_S)) * pace(rig)
        if stale:
            path = rf"/contacts/{person.remote_id}/(notes|tasks)"
            yield {"match": {"method": "GET", "path": path, "times": 0}, "action": {"stale_read": stale}}


def feed(rig, creations):
    """People write as others have been served, until each creation is queued."""
    waiting = deque(creations)
    while waiting:
        for _ in range(IN_FLIGHT - Change.objects.unsettled().count()):
            if waiting:
                create(rig, waiting.popleft())
        nap(0.1)


def create(rig, one):
    whose = {"location": one.contact.location, "contact": one.contact}
    if one.kind == "Note":
        one.change = Note(**whose, body=one.marker).create(by=rig.admin)
    else:
        one.change = Task(**whose, title=one.marker, due_at=timezone.now()).create(by=rig.admin)


def records_by_marker(sandbox, connection):
    location = connection.location.remote_id
    notes = sandbox.records("notes", location_id=location)["records"]
    tasks = sandbox.records("tasks", location_id=location)["records"]
    return Counter([note["body"] for note in notes] + [task["title"] for task in tasks])


def told(one):
    happened = [next(iter(fate)) for fate in one.fates]
    change = one.change
    return (
        f"{one.marker} contact {one.contact.remote_id}, faults {happened}, change {change.pk} {change.state} "
        f"after {change.attempts} tries: {change.sentence} {change.technical}"
    )
