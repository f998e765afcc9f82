"""Webhooks that arrive while our servers are away. GHL sends again after a 429 only: anything else loses the event."""

import threading
import time
from collections import Counter

import requests
from django.db import connections

from contacts.models import Contact
from integrations.models import InboundEvent
from tests.faults import rivals
from tests.faults.rig import nap
from tests.faults.services import start_again
from tests.faults.verdict import Verdict, case

PER_SECOND = 20


@case("9", "Postgres, Valkey, both down while webhooks come")
def servers_away_under_webhooks(rig):
    away_s = rig.size(quick=2, usual=20, full=60)
    retry_s = away_s / 1.5  # six more tries, as far apart as GHL's ten minutes are for an outage of fifteen
    sandbox = rig.start_sandbox(contacts=rig.size(quick=30, usual=200), rate=0)
    processes = rig.start_processes(GHL_RATE_LIMIT="100000", GHL_TIMEOUT_S="5", WORK_LEASE_S="10")
    processes.start_worker(beat=False)
    processes.start_beat()
    processes.start_web()
    connection = rig.connect()
    rig.waited(lambda: connection.sync_runs.filter(outcome="complete").exists(), 300)
    people = [person.remote_id for person in rig.people(connection)]
    sandbox.settings(webhook_url=f"{processes.url}/webhooks/ghl", webhook_retry_s=retry_s)

    postgres, valkey = rig.services.postgres, rig.services.valkey
    figures, findings, totals = {}, [], Counter()
    outages = {"Postgres": [postgres], "Valkey": [valkey], "both": [postgres, valkey]}
    outages = {name: outages[name] for name in rig.size(quick=["both"], usual=list(outages))}
    for name in outages:
        part, told = outage(rig, people, name, outages[name], away_s, retry_s)
        figures[name], findings = part, findings + told
        totals.update({key: part[key] for key in ("lost", "5xx", "3xx", "unanswered", "not applied")})
    if rig.size(quick=False, usual=True):
        figures["rival answering 503"] = rival_503(rig, people, away_s, retry_s)
    return Verdict(
        "9",
        "none lost, none answered 5xx or 3xx or not at all, all applied",
        {**totals, "away s": away_s, **figures},
        ok=not any(totals.values()),
        repeats=f"{len(outages)} outages at {PER_SECOND} events/s",
        findings=findings,
    )


def outage(rig, people, name, servers, away_s, retry_s):
    rig.sandbox.forget_webhooks()
    with Edits(rig, people, name) as edits:
        nap(away_s / 4)
        for server in servers:
            server.stop()
        nap(away_s)
        for server in reversed(servers):
            start_again(server)
        connections.close_all()  # this process has noticed nothing yet
        nap(away_s / 4)
    told = settled(rig, retry_s * 7 + 30)
    ids = {one["webhookId"] for one in told["deliveries"]}
    tries = [one for delivery in told["deliveries"] for one in delivery["tries"]]
    statuses = Counter(str(one["status"]) for one in tries)

    stored = InboundEvent.objects.filter(event_id__in=list(ids))
    rig.waited(lambda: stored.count() == len(ids), 30)
    lost = sorted(ids - set(stored.values_list("event_id", flat=True)))
    begun = rig.now()
    rig.waited(lambda: not_applied(edits) == [] and not stored.filter(finished_at=None).exists(), 120)
    apart = not_applied(edits)
    figures = {
        "events": len(ids),
        "lost": len(lost),
        "5xx": sum(number for status, number in statuses.items() if status[0] == "5"),
        "3xx": sum(number for status, number in statuses.items() if status[0] == "3"),
        "unanswered": sum(number for status, number in statuses.items() if not status.isdigit()),
        "not applied": len(apart),
        "answers": dict(statuses),
        "slowest answer ms": max(one["ms"] for one in tries),
        "applied after s": round(rig.now() - begun, 1),
        "outcomes": dict(Counter(stored.values_list("outcome", flat=True))),
    }
    if len(ids) != len(edits.made):
        figures["edits"] = len(edits.made)
    told = [f"{name}: lost {event}" for event in lost[:5]] + [f"{name}: not applied {one}" for one in apart[:5]]
    return figures, told


def settled(rig, seconds):
    """What GHL has sent, once it sends none of it again."""
    rig.waited(lambda: not rig.sandbox.webhooks(wait=10, limit=0)["pending"], seconds)
    return rig.sandbox.webhooks(limit=1_000_000)


def not_applied(edits):
    """Contacts whose last value here is not the last one GHL got: [(id, here, there)]."""
    here = dict(Contact.objects.filter(remote_id__in=list(edits.last)).values_list("remote_id", "city"))
    return [(pk, here.get(pk), city) for pk, city in edits.last.items() if here.get(pk) != city]


class Edits:
    """Somebody at work in GHL: twenty edits a second, each an event."""

    def __init__(self, rig, people, word):
        self.rig, self.word = rig, word
        self.made, self.last, self.trouble = [], {}, None
        self.whom = [rig.chance.choice(people) for _ in range(100_000)]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def _work(self):
        begun = time.monotonic()
        with requests.Session() as session:
            while not self.stopping.is_set():
                number = len(self.made)
                city, contact = f"{self.word} {number}", self.whom[number]
                body = {"kind": "contact", "action": "update", "id": contact, "values": {"city": city}}
                session.post(f"{self.rig.sandbox.url}/__sandbox__/edit", json=body, timeout=30).raise_for_status()
                self.made.append(contact)
                self.last[contact] = city
                self.stopping.wait(max(0, begun + len(self.made) / PER_SECOND - time.monotonic()))


def rival_503(rig, people, away_s, retry_s):
    """The honest answer of most frameworks while the database is away, and what it costs here."""
    postgres = rig.services.postgres
    rig.sandbox.forget_webhooks()
    with rivals.answers_503(postgres.url) as (url, stored):
        rig.sandbox.settings(webhook_url=url)
        with Edits(rig, people, "Rival") as edits:
            nap(away_s / 4)
            postgres.stop()
            nap(away_s)
            start_again(postgres)
            connections.close_all()
            nap(away_s / 4)
        ids = {one["webhookId"] for one in settled(rig, retry_s * 7 + 30)["deliveries"]}
        return {"events": len(edits.made), "lost": len(ids - stored())}
