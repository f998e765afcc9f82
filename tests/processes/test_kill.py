"""A worker that is killed at any instruction loses nothing and doubles nothing, judged by GHL's own log and state."""

import random
from collections import Counter

import pytest

from contacts.models import Change, Contact, Note, Task
from integrations.models import SyncRun
from tests.sandbox_control import consent
from tests.workers import Processes, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(300)]

KILLS = 10


@pytest.fixture
def processes(sandbox, tmp_path):
    processes = Processes(sandbox, tmp_path, GHL_TIMEOUT_S="1", WORK_LEASE_S="2")
    yield processes
    processes.kill()
    processes.log.close()


def test_ten_kills_in_the_middle_of_a_sync_and_of_writes_lose_and_double_nothing(
    sandbox, ada, ana, northgate, processes
):
    rng = random.Random(20261123)
    sandbox.reset(contacts=150)
    worker = processes.start_worker()
    connection = consent(ada, northgate, sandbox)
    wait_until(lambda: Contact.objects.filter(location=connection.location).count() == 150)
    sandbox.settings(latency_ms=30)
    people = list(Contact.objects.order_by("pk")[:60])
    changes = []
    for round_ in range(KILLS):
        for person in people[round_ * 6 : round_ * 6 + 6]:
            changes.append(Note(location=person.location, contact=person, body=f"Note {len(changes)}").create(by=ana))
            changes.append(person.edit(by=ana, city=f"City {len(changes)}"))
            due = person.created_at
            task = Task(location=person.location, contact=person, title=f"Task {len(changes)}", due_at=due)
            changes.append(task.create(by=ana))
        before = sandbox.log()["last"]
        wanted = rng.randint(4, 30)
        wait_until(lambda: sandbox.log()["last"] >= before + wanted or everything_settled())  # noqa: B023
        processes.kill(worker)
        worker = processes.start_worker()
    wait_until(everything_settled, seconds=240)
    wait_until(lambda: SyncRun.objects.filter(finished_at=None).count() == 0)

    states = Counter(Change.objects.values_list("state", flat=True))
    assert states == {"confirmed": len(changes)}
    assert SyncRun.objects.get(kind="full").outcome == "complete"
    there = sandbox.get("state")
    for kind, model, word in (("notes", Note, "body"), ("tasks", Task, "title")):
        rows = sandbox.records(kind, location_id=connection.location.remote_id)["records"]
        ours = Counter(row[word] for row in rows if row[word].startswith(("Note ", "Task ")))
        assert set(ours.values()) == {1}
        assert len(ours) == len(changes) // 3
        assert model.objects.present().count() == there[kind]
    assert Contact.objects.present().count() == there["contacts"]
    for change in changes[1::3]:
        record = sandbox.records("contacts", id=change.contact.remote_id)["records"][0]
        assert record["city"] == change.values["city"]


def everything_settled():
    return not Change.objects.unsettled().exists()


def test_a_wiped_redis_loses_no_edit(sandbox, synced, ana, processes, settings):
    from rankr_dash.shared_redis import shared_redis

    processes.start_worker()
    person = Contact.objects.first()
    sandbox.settings(latency_ms=30)
    for number in range(5):
        Note(location=person.location, contact=person, body=f"Before the flood {number}").create(by=ana)
        shared_redis().flushall()
    wait_until(everything_settled)
    notes = sandbox.records("notes", contact_id=person.remote_id)["records"]
    assert sum(note["body"].startswith("Before the flood") for note in notes) == 5
