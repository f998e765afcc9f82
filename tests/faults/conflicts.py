"""Our edits beside those of others: at the same time, as an echo, and among edits that can never arrive."""

from collections import Counter

from contacts.models import Change, Contact, Note
from tests.faults import mirror
from tests.faults.rig import nap, percentile
from tests.faults.verdict import Verdict, case

# --- 20 ---------------------------------------------------------------------------------------------------------------

# In the gap: after we have looked and before our write has arrived. GHL knows no "only if unchanged".
PAIRS = (
    "same field, remote first",
    "different fields, remote first",
    "same field, ours first",
    "same field, in the gap",
)
HELD_MS = 600


@case("20", "our edit against one in GHL")
def edits_of_both_sides(rig):
    each = rig.size(quick=4, usual=50, full=125)
    sandbox = rig.start_sandbox(contacts=each * len(PAIRS))
    rig.start_processes(GHL_TIMEOUT_S="5", WORK_LEASE_S="10").start_worker(concurrency=4)
    connection = rig.read_whole(rig.connect())
    people = list(rig.people(connection).select_related("location"))
    groups = {name: people[number::4] for number, name in enumerate(PAIRS)}
    since = rig.requests_so_far()

    changes = {}
    for name in PAIRS[:2]:
        for person in groups[name]:
            silently(sandbox, person, name)
            changes[person.pk] = ours(rig, person)
    for person in groups[PAIRS[2]]:
        changes[person.pk] = ours(rig, person)
    rig.waited(settled, 120)
    for person in groups[PAIRS[2]]:
        silently(sandbox, person, PAIRS[2])
    for person in groups[PAIRS[3]]:
        changes[person.pk] = in_the_gap(rig, person)
    rig.waited(settled, 60)

    seen = {row["id"]: row for row in sandbox.records("contacts", location_id=connection.location.remote_id)["records"]}
    found = {name: Counter(judged(person, changes[person.pk], seen, name) for person in groups[name]) for name in PAIRS}
    silent = {name: count["silently overwritten"] for name, count in found.items()}
    lost = sum(count["lost"] for count in found.values())
    gaps = windows(sandbox, since, groups[PAIRS[0]] + groups[PAIRS[1]] + groups[PAIRS[2]])
    return Verdict(
        "20",
        "different fields merge, the same field is a conflict, neither is lost; only in the gap GHL cannot be asked",
        {
            "silent overwrites outside the gap": sum(silent.values()) - silent[PAIRS[3]],
            "lost": lost,
            "size of the gap, median ms": percentile(gaps, 0.5),
            "p95 ms": percentile(gaps, 0.95),
            "pairs": {name: dict(count) for name, count in found.items()},
        },
        ok=not lost and not any(silent[name] for name in PAIRS[:3]),
        repeats=f"{each * len(PAIRS)} pairs",
        findings=[
            f"{name}: contact {person.remote_id} {verdict}"
            for name in PAIRS[:3]
            for person in groups[name]
            if (verdict := judged(person, changes[person.pk], seen, name)) in ("silently overwritten", "lost")
        ],
    )


def silently(sandbox, person, name):
    """In GHL, and no webhook tells us."""
    values = {"lastName": f"Theirs{person.pk}"} if name.startswith("different") else {"city": f"Theirs {person.pk}"}
    edit = {"kind": "contact", "action": "update", "id": person.remote_id, "values": values, "silent": True}
    sandbox.edits(edit)


def ours(rig, person):
    return person.edit(by=rig.admin, city=f"Ours {person.pk}")


def in_the_gap(rig, person):
    """While our write is on its way, somebody in GHL saves the same field."""
    sandbox, path = rig.sandbox, f"/contacts/{person.remote_id}$"
    rule = {"match": {"method": "PUT", "path": path, "times": 1}, "action": {"delay_before_ms": HELD_MS}}
    sandbox.faults(rule)
    since = rig.requests_so_far()
    change = ours(rig, person)
    looked = rig.waited(lambda: sandbox.log(since=since, method="GET", path=path)["entries"], 20)
    nap(HELD_MS / 3000)
    if looked:
        silently(sandbox, person, PAIRS[3])
    rig.waited(lambda: not Change.objects.unsettled().filter(pk=change.pk).exists(), 20)
    return change


def judged(person, change, seen, name):
    change.refresh_from_db()
    there = seen[person.remote_id]
    mine, theirs = f"Ours {person.pk}", f"Theirs {person.pk}"
    if name.startswith("different"):
        both = there["city"] == mine and there["lastName"] == f"Theirs{person.pk}"
        return "merged" if both and change.state == "confirmed" else "lost"
    if name.endswith("ours first"):
        return "ours, then theirs" if there["city"] == theirs and change.state == "confirmed" else "lost"
    if change.state == "conflict":
        both = there["city"] == theirs and change.values == {"city": mine} and change.theirs == {"city": theirs}
        return "conflict shown" if both else "lost"
    if there["city"] == mine:
        return "silently overwritten"
    return "lost" if change.state == "confirmed" else f"{change.state} shown"


def windows(sandbox, since, people):
    """Between our last look and our write, as GHL saw them arrive, in ms."""
    entries = sandbox.log(since=since, path="^/contacts/")["entries"]
    looked, gaps = {}, []
    for entry in sorted(entries, key=lambda entry: entry["time"]):
        if entry["method"] == "GET":
            looked[entry["path"]] = entry["time"]
        elif entry["method"] == "PUT" and entry["path"] in looked:
            gaps.append((entry["time"] - looked[entry["path"]]) * 1000)
    return gaps


def settled():
    return not Change.objects.unsettled().exists()


# --- 21 ---------------------------------------------------------------------------------------------------------------


@case("21", "echoes of our own edits, late, doubled, overtaken")
def echoes(rig):
    edits = rig.size(quick=20, usual=200)
    sandbox = rig.start_sandbox(contacts=edits)
    processes = rig.start_processes(GHL_TIMEOUT_S="5", WORK_LEASE_S="10")
    processes.start_worker(concurrency=4)
    processes.start_web()
    connection = rig.read_whole(rig.connect())
    tricks = {"duplicate": 0.5, "reorder": 10, "delay_s": [0, 2]}
    sandbox.settings(webhook_url=f"{processes.url}/webhooks/ghl/", webhook_retry_s=1, webhook_tricks=tricks)
    since = rig.requests_so_far()
    people = list(rig.people(connection).select_related("location"))
    for person in people:
        person.edit(by=rig.admin, city=f"Ours {person.pk}")
    rig.waited(settled, 180)
    later = rig.chance.sample(people, edits // 4)
    for person in later:
        sandbox.edit("contact", "update", person.remote_id, city=f"Theirs {person.pk}")
    rig.waited(rig.webhooks_are_heard, 180)
    writes = Counter(
        {one["id"]: len(one["changed"]) for one in sandbox.ledger(since=since, kind="contacts") if one["changed"]}
    )
    apart = mirror.only("contacts", mirror.apart(sandbox, connection.location))
    here = dict(Contact.objects.filter(location=connection.location).values_list("pk", "city"))
    dropped = [person.pk for person in later if here[person.pk] != f"Theirs {person.pk}"]
    states = Counter(Change.objects.values_list("state", flat=True))
    return Verdict(
        "21",
        "one write for each edit, and what somebody made of it afterwards is taken in",
        {
            "writes for each edit": sorted(set(writes.values())),
            "false drops": len(dropped),
            "missing/extra/stale": mirror.counted(apart),
            "states": dict(states),
            "webhooks": sandbox.webhooks(limit=0)["fates"],
        },
        ok=set(writes.values()) == {1} and len(writes) == edits and not dropped and not any(apart.values())
        and set(states) == {"confirmed"},
        repeats=f"{edits} edits, {len(later)} of them edited again in GHL",
        findings=mirror.told(apart) + [f"contact {pk}: {here[pk]}" for pk in dropped[:10]],
    )  # fmt: skip


# --- 22 ---------------------------------------------------------------------------------------------------------------


@case("22", "edits that can never arrive")
def poison(rig):
    count = rig.size(quick=12, usual=100)
    sandbox = rig.start_sandbox(contacts=count + 10)
    rig.start_processes(GHL_TIMEOUT_S="5", WORK_LEASE_S="10").start_worker(concurrency=4)
    connection = rig.read_whole(rig.connect())
    people = list(rig.people(connection).select_related("location"))
    calm = written(rig, people[10:], "Calm")
    refused, broken, gone = people[0:3], people[3:6], people[6:9]
    for who, status in ((refused, 422), (broken, 500)):
        for person in who:
            match = {"method": "POST", "path": f"/contacts/{person.remote_id}/notes", "times": 0}
            sandbox.faults(
                {"match": match, "action": {"status": status, "body": {"message": "No.", "statusCode": status}}}
            )
    for person in gone:
        sandbox.edits({"kind": "contact", "action": "delete", "id": person.remote_id, "silent": True})
    since = rig.requests_so_far()
    dead = {word: [note(rig, person, f"Dead {word}") for person in who]
            for word, who in (("422", refused), ("500", broken), ("gone", gone))}  # fmt: skip
    beside = written(rig, people[10:], "Beside")
    first_ones = dead["422"] + dead["gone"]
    rig.waited(lambda: not unsettled(first_ones), 90)
    states = {word: dict(Counter(fresh(change).state for change in ones)) for word, ones in dead.items()}
    tries = Counter(entry["path"] for entry in sandbox.log(since=since, method="POST", path="/notes")["entries"])
    sandbox.no_faults()
    for change in dead["422"]:
        fresh(change).retry()
    again = rig.waited(lambda: not unsettled(dead["422"] + dead["500"]), 150)
    after = {word: dict(Counter(fresh(change).state for change in dead[word])) for word in ("422", "500")}
    bodies = Counter(row["body"] for row in sandbox.records("notes")["records"])
    doubled = bodies["Dead 422"] != 3 or bodies["Dead 500"] != 3
    ok = (
        again and not doubled and set(after["422"]) == set(after["500"]) == {"confirmed"}
        and set(states["422"]) == set(states["gone"]) == {"refused"} and beside["confirmed"] == count
    )  # fmt: skip
    return Verdict(
        "22",
        "refused ones are shown, others go on, a retry works when the reason is gone",
        {
            "others confirmed": f"{beside['confirmed']} of {count}",
            "neighbours' p95 s, calm and beside": [calm["p95 s"], beside["p95 s"]],
            "states": states,
            "after the retry": after,
            "tries each": {word: [tries[f"/contacts/{one.remote_id}/notes"] for one in who]
                           for word, who in (("422", refused), ("500", broken), ("gone", gone))},
        },
        ok=ok,
        repeats=f"9 poisoned, {count} others",
        findings=[f"notes in GHL: {bodies['Dead 422']} and {bodies['Dead 500']}, wanted 3 and 3"] if doubled else [],
    )  # fmt: skip


def note(rig, person, body):
    return Note(location=person.location, contact=person, body=body).create(by=rig.admin)


def written(rig, people, word):
    changes = [note(rig, person, f"{word} {person.pk}") for person in people]
    rig.waited(lambda: not unsettled(changes), 180)
    rows = [fresh(change) for change in changes]
    took = [(row.settled_at - row.created_at).total_seconds() for row in rows if row.settled_at]
    return {"p95 s": percentile(took, 0.95), "confirmed": sum(row.state == "confirmed" for row in rows)}


def unsettled(changes):
    return Change.objects.unsettled().filter(pk__in=[change.pk for change in changes]).exists()


def fresh(change):
    return Change.objects.get(pk=change.pk)
