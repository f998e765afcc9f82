"""A person's edit while a first sync runs: how long until GHL has confirmed it, and how much of that is ours.

Ours is what is left of the time from saving to Confirmed when the answer times of GHL's own requests are taken off:
waiting for a worker, for a slot of the rate budget, and our own work.
"""

import time

from django.utils import timezone

from contacts.models import Change, Contact, Note, Task
from integrations.models import SyncRun
from rankr_dash.bench.rig import Rig, spread, wait_until

PAUSE_S = 1.0  # between two edits


def measure(contacts, edits, window_s, latency_ms):
    """Figures with no sync running, with one of the location that is edited, and with one of another."""
    return {
        reading: edits_during(reading, contacts, edits, window_s, latency_ms)
        for reading in ("no sync", "sync of the same location", "sync of another location")
    }


def edits_during(reading, contacts, edits, window_s, latency_ms):
    with Rig(contacts, window_s, latency_ms) as rig:
        rig.start_workers()
        edited = rig.connect().location
        people = Contact.objects.filter(location=edited).order_by("pk")
        if reading == "sync of the same location":
            wait_until(lambda: people.count() == contacts)
        else:
            wait_until(nothing_runs)
        if reading == "sync of another location":
            neighbour = rig.connect(rig.another_location(contacts)).location.remote_id
        people = list(people)
        before, begun = rig.sandbox.get("log")["last"], time.time()
        changes = [edit(rig, people[number], number) for number in range(edits)]
        still_reading = not nothing_runs()
        wait_until(lambda: not Change.objects.unsettled().exists())
        took = time.time() - begun
        log = rig.sandbox.get("log", since=before)["entries"]
        settled = Change.objects.in_bulk([change.pk for change in changes])
        figures = {
            "edits": len(changes),
            "confirmed": sum(change.state == "confirmed" for change in settled.values()),
            "saved to confirmed": spread([total(change) for change in settled.values()]),
            "of it ours": spread(
                [total(settled[one.pk]) - answering(settled[one.pk], log, latency_ms) for one in changes]
            ),
            "429 received": sum(entry["status"] == 429 for entry in log),
        }
        if reading != "no sync":
            figures["a sync was running throughout"] = still_reading
        if reading == "sync of another location":
            theirs = sum(entry["location"] == neighbour for entry in log)
            figures["of its allowance, the other sync used"] = f"{theirs / (took / window_s * 100):.0%}"
        return figures


def nothing_runs():
    return not SyncRun.objects.unfinished().exists()


def edit(rig, person, number):
    """In turn a note, a task and a changed field, each as the page saves it."""
    time.sleep(PAUSE_S)
    if number % 3 == 0:
        return Note(location=person.location, contact=person, body=f"Bench note {number}").create(by=rig.admin)
    if number % 3 == 1:
        due = timezone.now()
        return Task(location=person.location, contact=person, title=f"Bench {number}", due_at=due).create(by=rig.admin)
    return person.edit(by=rig.admin, city=f"Bench {number}")


def total(change):
    return (change.settled_at - change.created_at).total_seconds()


def answering(change, log, latency_ms):
    """Seconds in which GHL was busy with our requests about this record."""
    mine = [
        entry
        for entry in log
        if f"/contacts/{change.contact.remote_id}" in entry["path"]
        and change.created_at.timestamp() <= entry["time"] <= change.settled_at.timestamp()
        and _is_about(change, entry["path"])
    ]
    return len(mine) * float(latency_ms) / 1000


def _is_about(change, path):
    """Not the notes that the sync reads of the same person meanwhile."""
    if change.kind == "contact":
        return path.rstrip("/").endswith(change.contact.remote_id)
    return f"/{change.kind}s" in path
