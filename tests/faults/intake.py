"""What is let in at the webhook's door, once, whoever knocks and however often."""

import http.client
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from integrations.ghl import signature
from integrations.models import InboundEvent, Incident, QuarantinedEvent
from integrations.news import replay
from tests.faults import mirror
from tests.faults.rig import percentile
from tests.faults.verdict import Verdict, case
from tests.integrations.signatures import HEADER, mutations, pem, sign
from tests.sandbox_control import ROOT

DOOR = "/webhooks/ghl/"


# --- 10 ---------------------------------------------------------------------------------------------------------------


@case("10", "signatures, altered in every way")
def signatures(rig):
    count, by_http = rig.size(quick=1500, usual=20_000), rig.size(quick=120, usual=500)
    rig.start_sandbox(contacts=1)
    key = Ed25519PrivateKey.from_private_bytes(rig.chance.randbytes(32))
    rig.start_processes(GHL_WEBHOOK_PUBLIC_KEYS=pem(key)).start_web()
    keys = signature.keys_in(pem(key))

    seen = Counter()
    wrong, statuses, times, good = [], Counter(), [], set()
    for number, one in enumerate(drawn(rig.chance, key, count)):
        if number < by_http:
            begun = rig.now()
            status = posted(rig.processes.port, one.body, one.headers)
            times.append((rig.now() - begun) * 1000)
            accepted = status == 200
            statuses[f"{'good' if one.is_good else 'bad'}: {status}"] += 1
            good |= {one.body} if one.is_good else set()
        else:
            accepted = signature.is_signed(keys, one.body, as_received(one.headers))
        if accepted != one.is_good:
            seen["false accepts" if accepted else "false rejects"] += 1
            wrong.append(f"{one.name}: {'let in' if accepted else 'turned away'}")
    large = whole_and_odd(rig, key)
    good |= {body for _, body, _, is_good in large if is_good}
    wrong += [f"{name}: {status}" for name, _, status, is_good in large if (status == 200) != is_good]
    stored_for_bad = sum(bytes(body) not in good for body in InboundEvent.objects.values_list("body", flat=True))
    starts = starts_with_key("")
    return Verdict(
        "10",
        "bad ones are turned away and leave nothing, good ones always pass, no start without a key",
        {
            "false accepts": seen["false accepts"],
            "false rejects": seen["false rejects"],
            "rows stored for bad ones": stored_for_bad,
            "starts with an empty key": starts,
            "by HTTP": dict(statuses),
            "p99 ms": percentile(times, 0.99),
            "oddities": {name: status for name, _, status, _ in large},
        },
        ok=not (wrong or stored_for_bad or starts),
        repeats=f"{count} mutations, {by_http} of them by HTTP",
        findings=wrong,
    )


def drawn(chance, key, count):
    """So many mutations of signed events, each event another."""
    number = 0
    while count > 0:
        body = json.dumps(event(chance, number), ensure_ascii=chance.random() < 0.5).encode()
        for one in mutations(chance, body, sign(key, body)):
            if count > 0:
                yield one
                count -= 1
        number += 1


def event(chance, number):
    kind = chance.choice(["ContactUpdate", "NoteCreate", "TaskComplete", "AppointmentUpdate", "UNINSTALL", "Strange"])
    return {
        "type": kind,
        "locationId": f"loc{chance.getrandbits(40):x}",
        "id": f"id{chance.getrandbits(40):x}",
        "contactId": f"con{number}",
        "webhookId": f"{kind}-{number}-{chance.getrandbits(64):x}",
        "timestamp": timezone.now().isoformat(),
        "monetaryValue": chance.randrange(10_000),
        "name": chance.choice(["Renée Ågren", "李小龍", "O’Hara", 'A "quoted" \\ one', "plain"]),
    }


def as_received(headers):
    """As an HTTP server hands a header on that came more than once."""
    values = [value for name, value in headers if name.lower() == HEADER.lower()]
    return ",".join(values) if values else None


def posted(port, body, headers, chunked=False):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.putrequest("POST", DOOR)
        line.putheader("Content-Type", "application/json")
        for name, value in headers:
            line.putheader(name, value.replace("\n", " ").encode())  # no server would let a line break through
        if chunked:
            line.putheader("Transfer-Encoding", "chunked")
            line.endheaders(iter([body[:7], body[7:]]), encode_chunked=True)
        else:
            line.putheader("Content-Length", str(len(body)))
            line.endheaders(body)
        return line.getresponse().status
    except (http.client.HTTPException, ConnectionError) as trouble:
        return type(trouble).__name__
    finally:
        line.close()


def whole_and_odd(rig, key):
    """[(name, body, status, whether it should pass)]"""
    import gzip

    plain = json.dumps(event(rig.chance, 10**6)).encode()
    big = json.dumps(event(rig.chance, 10**7) | {"body": "x" * 5_000_000}).encode()
    packed = gzip.compress(plain)
    chunked = json.dumps(event(rig.chance, 10**8)).encode()
    port = rig.processes.port
    return [
        ("5 MB", big, posted(port, big, [(HEADER, sign(key, big))]), True),
        ("in chunks", chunked, posted(port, chunked, [(HEADER, sign(key, chunked))], chunked=True), True),
        ("packed after it was signed", packed,
         posted(port, packed, [(HEADER, sign(key, plain)), ("Content-Encoding", "gzip")]), False),
    ]  # fmt: skip


def starts_with_key(text):
    environment = os.environ | {"GHL_WEBHOOK_PUBLIC_KEYS": text}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True).returncode == 0


# --- 11 ---------------------------------------------------------------------------------------------------------------

AGES_MIN = (0, 4, 30, 75, 95, 24 * 60, -5)


@case("11", "the same event many times at once, and late")
def one_event_many_times(rig):
    each, at_once = rig.size(quick=1, usual=10), rig.size(quick=20, usual=100)
    sandbox = rig.start_sandbox(contacts=each * len(AGES_MIN) + 5)
    key = Ed25519PrivateKey.from_private_bytes(rig.chance.randbytes(32))
    processes = rig.start_processes(GHL_WEBHOOK_PUBLIC_KEYS=pem(key), GHL_TIMEOUT_S="5", WORK_LEASE_S="10")
    processes.start_worker()
    processes.start_web()
    connection = rig.read_whole(rig.connect())
    people = list(rig.people(connection).values_list("remote_id", flat=True))
    told = []
    for number, (age, person) in enumerate(zip(AGES_MIN * each, people, strict=False)):
        said = {"type": "ContactUpdate", "locationId": connection.location.remote_id, "id": person,
                "webhookId": f"once {number}".replace(" ", "-"),
                "timestamp": (timezone.now() - timedelta(minutes=age)).isoformat()}  # fmt: skip
        told.append((age, person, said))
    since = rig.requests_so_far()
    with ThreadPoolExecutor(at_once) as pool:
        statuses = Counter(
            status
            for _, _, said in told
            for status in pool.map(lambda _, said=said: send(rig, key, said), range(at_once))
        )
    rig.waited(lambda: not InboundEvent.objects.filter(finished_at=None).exists(), 120)
    rows = Counter(InboundEvent.objects.values_list("event_id", flat=True))
    reads = Counter(entry["path"] for entry in sandbox.log(since=since, method="GET")["entries"])
    effects = {said["webhookId"]: reads[f"/contacts/{person}"] for _, person, said in told}
    dropped = [f"{age} min old: no row" for age, _, said in told if not rows[said["webhookId"]]]
    often = [f"{name}: read {count} times" for name, count in effects.items() if count > 1]
    unread = [f"{name}: never read" for name, count in effects.items() if count == 0]
    return Verdict(
        "11",
        "one row and one effect each, however old",
        {
            "legitimate ones dropped": len(dropped) + len(unread),
            "effects for each": sorted(set(effects.values())),
            "rows for each": sorted(set(rows.values())),
            "answers": dict(statuses),
        },
        ok=not (dropped or often or unread) and set(rows.values()) == {1} and set(statuses) == {200},
        repeats=f"{len(told)} events × {at_once} at once, ages {AGES_MIN} min",
        findings=dropped + often + unread,
    )


def send(rig, key, said):
    body = json.dumps(said).encode()
    return requests.post(rig.processes.url + DOOR, body, headers={HEADER: sign(key, body)}, timeout=60).status_code


# --- 15 ---------------------------------------------------------------------------------------------------------------


@case("15", "GHL changes its key without a word")
def another_key(rig):
    count = rig.size(quick=12, usual=90)  # a process keeps at most a hundred a minute of what nobody vouches for
    sandbox = rig.start_sandbox(contacts=30)
    old = Ed25519PrivateKey.from_private_bytes(rig.chance.randbytes(32))
    environment = {"GHL_TIMEOUT_S": "5", "WORK_LEASE_S": "10"}
    processes = rig.start_processes(GHL_WEBHOOK_PUBLIC_KEYS=pem(old), **environment)
    processes.start_worker()
    processes.start_web()
    connection = rig.read_whole(rig.connect())
    sandbox.settings(webhook_url=processes.url + DOOR)
    begun = rig.now()
    cities = {}
    for number, person in enumerate(rig.chance.choices(list(rig.people(connection)), k=count)):
        cities[person.remote_id] = f"City {number}"
        sandbox.edit("contact", "update", person.remote_id, city=f"City {number}")
    rig.waited(lambda: Incident.objects.open().filter(kind="signature").exists(), 60)
    alarmed = rig.now() - begun
    told = sandbox.webhooks_settled(60)
    kept = QuarantinedEvent.objects.count()
    early = InboundEvent.objects.count()

    processes.kill()
    processes.environment["GHL_WEBHOOK_PUBLIC_KEYS"] = sandbox.get("webhooks")["public_key"]
    processes.start_worker()
    processes.start_web()
    rig.waited(lambda: not QuarantinedEvent.objects.exists() and rig.webhooks_are_heard(), 120)
    ids = {one["webhookId"] for one in told["deliveries"]}
    lost = ids - set(InboundEvent.objects.values_list("event_id", flat=True))
    apart = mirror.only("contacts", mirror.apart(sandbox, connection.location))
    return Verdict(
        "15",
        "nothing believed before, an alarm within 5 minutes, nothing lost once the key is known",
        {
            "lost": len(lost),
            "believed before": early,
            "not applied": mirror.counted(apart),
            "kept meanwhile": kept,
            "until the alarm, s": round(alarmed, 1),
            "answers": told["answers"],
        },
        ok=not (lost or early or any(apart.values())) and alarmed < 60 and len(ids) == count,
        repeats=f"{count} events",
        findings=mirror.told(apart) + [f"lost {one}" for one in sorted(lost)[:10]],
    )


# --- 16 ---------------------------------------------------------------------------------------------------------------


@case("16", "everything replayed, twice, in live traffic")
def replayed(rig):
    count = rig.size(quick=40, usual=1000)
    sandbox = rig.start_sandbox(contacts=rig.size(quick=15, usual=100))
    processes = rig.start_processes(GHL_TIMEOUT_S="5", WORK_LEASE_S="10")
    processes.start_worker(concurrency=4)
    processes.start_web()
    connection = rig.read_whole(rig.connect())
    sandbox.settings(webhook_url=processes.url + DOOR)
    people = list(rig.people(connection).values_list("remote_id", flat=True))

    def traffic(word, number):
        for one in range(number):
            sandbox.edit("contact", "update", rig.chance.choice(people), city=f"{word} {one}")

    traffic("Before", count)
    rig.waited(rig.webhooks_are_heard, 300)
    events = InboundEvent.objects.filter(remote_location_id=connection.location.remote_id)
    again = []
    for word in ("First", "Second"):
        events.exclude(finished_at=None).update(outcome="failed")
        again += [replay.replay(connection, rig.admin) for _ in range(2)]  # and somebody clicks twice
        traffic(word, count // 10)
        rig.waited(rig.webhooks_are_heard, 300)
    writes = [entry for entry in sandbox.log(writes=1)["entries"] if not entry["path"].startswith("/oauth/")]
    apart = mirror.only("contacts", mirror.apart(sandbox, connection.location))
    unhandled = dict(Counter(events.exclude(outcome="handled").values_list("outcome", flat=True)))
    return Verdict(
        "16",
        "the same state as before, nothing written to GHL",
        {
            "writes to GHL": len(writes),
            "missing/extra/stale": mirror.counted(apart),
            "replayed": again,
            "not handled": unhandled,
        },
        ok=not (writes or unhandled or any(apart.values())),
        repeats=f"{count} events × 2, {count // 5} new ones meanwhile",
        findings=mirror.told(apart) + [f"wrote {entry['method']} {entry['path']}" for entry in writes[:5]],
    )
