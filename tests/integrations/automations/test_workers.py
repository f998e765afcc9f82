"""Real workers are killed in the middle of runs: every event leads to each effect once, here and in GHL."""

from collections import Counter

import pytest

from contacts.models import Change, Contact, Note, RemoteUser
from integrations.matching import arrivals
from integrations.models import OperationRun, RuleRun
from tests.integrations.automations.conftest import erp_says, switched_on
from tests.workers import Processes, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(300)]

KILLS, EVENTS = 3, 15


@pytest.fixture
def processes(sandbox, tmp_path):
    with Processes(sandbox, tmp_path, GHL_TIMEOUT_S="1", WORK_LEASE_S="2") as processes:
        yield processes


def test_workers_killed_in_the_middle_of_runs_lose_and_double_nothing(synced, erp, sandbox, northgate, processes):
    people = list(Contact.objects.order_by("pk")[:EVENTS])
    dana = RemoteUser.objects.filter(location=synced.location).exclude(email="").first()
    note = {"do": "create_note", "values": {"body": "Invoice {{ event.number }} is overdue."}}
    follow = {"do": "add_follower", "values": {"who": f"email:{dana.email.lower()}"}}
    last = {"do": "create_note", "values": {"body": "After {{ event.number }}."}}
    switched_on(northgate, erp_says(), note, follow, last)
    sandbox.settings(latency_ms=100)
    offers = [
        arrivals.Offer("event", "invoice.overdue", "@contact", str(one.pk), {"subject": {"contact_id": one.pk},
                       "payload": {"number": one.pk}}, f"hash {one.pk}")
        for one in people
    ]  # fmt: skip
    arrivals.keep(erp.key, offers)
    worker = processes.start_worker()
    for kill in range(1, KILLS + 1):
        wait_until(lambda: done() >= kill * 3)  # noqa: B023
        processes.kill(worker)
        worker = processes.start_worker()
    wait_until(lambda: done() == EVENTS, seconds=120)
    assert Counter(RuleRun.objects.values_list("state", flat=True)) == {"done": EVENTS}
    wanted = [words for one in people for words in (f"Invoice {one.pk} is overdue.", f"After {one.pk}.")]
    assert Counter(Note.objects.filter(body__in=wanted).values_list("body", flat=True)) == Counter(wanted)
    assert OperationRun.objects.filter(state="done").count() == OperationRun.objects.count() == EVENTS
    wait_until(lambda: not Change.objects.unsettled().exists(), seconds=120)
    there = Counter(note["body"] for note in sandbox.records("notes")["records"])
    assert {words: there[words] for words in wanted} == dict.fromkeys(wanted, 1)
    followed = [sandbox.records("contacts", id=one.remote_id)["records"][0]["followers"] for one in people]
    assert all(dana.remote_id in followers for followers in followed)


def done():
    return RuleRun.objects.exclude(finished_at=None).count()
