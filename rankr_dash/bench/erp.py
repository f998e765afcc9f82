"""What an ERP tells, all the way into GHL: nothing lost, nothing doubled, at the speed GHL allows.

Judged by what stands in the sandbox at the end, never by our own counters. Every tenth message is sent twice with the
same idempotency key, as a sender does that has not heard the answer.
"""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from contacts.models import Change, Contact
from integrations.automations import backtest
from integrations.models import ApiKey, ErpEvent, Rule, RuleRun, Scope, SyncRun
from rankr_dash.bench.rig import Rig, spread, wait_until

SENDERS = 8
TWICE = 10  # every so many is sent twice
MOST_IN_A_WINDOW = 100  # what GHL allows
RULE = {
    "trigger": {"kind": "erp", "type": "invoice.overdue"},
    "actions": [{"do": "create_task", "values": {"title": "Chase invoice {{ event.number }}", "due": "tomorrow"}}],
}


def measure(contacts, events, window_s, latency_ms):
    """`events` messages about `contacts` customers: in turn a task, a note, a new city, and an event for a rule."""
    with Rig(contacts, window_s, latency_ms) as rig:
        rig.start_workers()
        rig.start_web()
        location = rig.connect().location
        wait_until(lambda: not SyncRun.objects.unfinished().exists())
        people = list(Contact.objects.filter(location=location).exclude(email="").order_by("pk"))
        switch_on_a_rule(rig, events)
        sender = Sender(rig)
        messages = [message(number, people[number % len(people)]) for number in range(events)]
        before, begun = rig.sandbox.get("log")["last"], time.time()
        with ThreadPoolExecutor(SENDERS) as threads:
            took = [each for some in threads.map(sender.send, range(events), messages) for each in some]
        all_told = time.time() - begun
        wait_until(lambda: not ErpEvent.objects.filter(finished_at=None).exists(), seconds=1800)
        wait_until(lambda: not RuleRun.objects.filter(finished_at=None).exists(), seconds=1800)
        wait_until(lambda: not Change.objects.unsettled().exists(), seconds=1800)
        all_there = time.time() - begun
        log = rig.sandbox.get("log", since=before, fields="status,operation")["entries"]
        return {
            "messages": events,
            "sent, with repetitions": len(took),
            "answered with 202": spread(took),
            "all told after s": round(all_told, 1),
            **judged(rig, messages, people),
            "all in GHL and confirmed after s": round(all_there, 1),
            "requests to GHL": len(log),
            "time ÷ what GHL's limit takes for them": round(all_there / (len(log) / MOST_IN_A_WINDOW * window_s), 2),
            "429 received": sum(entry["status"] == 429 for entry in log),
        }


def message(number, person):
    """(method, path, body) of one message."""
    customer, own = {"reference": f"CUST-{person.pk}", "email": person.email}, f"R-{number}"
    if number % 4 == 0:
        return "POST", "tasks", {"reference": own, "customer": customer, "taskName": f"Bench task {number}"}
    if number % 4 == 1:
        return "POST", "notes", {"reference": own, "customer": customer, "noteContent": f"Bench note {number}"}
    if number % 4 == 2:
        return "PUT", "customers", {**customer, "fields": {"city": f"Bench {number}"}, "version": number}
    return "POST", "events", {"type": "invoice.overdue", "subject": customer, "payload": {"number": number}}


def switch_on_a_rule(rig, events):
    rule = Rule.objects.make(rig.business, "Bench", RULE, rig.admin)
    backtest.try_out(rule.current)
    rule.switch_on()
    Rule.objects.filter(pk=rule.pk).update(staged_left=0, most_an_hour=events)


class Sender:
    """An ERP that waits when it is told to, and says everything again until it has a 202."""

    def __init__(self, rig):
        scopes = [scope.value for scope in Scope]
        _key, token, _secret = ApiKey.objects.make(rig.business, "Bench", scopes, rig.admin)
        self.url, self.headers = f"{rig.url}/api/v1", {"Authorization": f"Bearer {token}"}

    def send(self, number, told):
        """Seconds until each 202."""
        times = 2 if number % TWICE == 0 else 1
        return [self._until_taken(number, *told) for _ in range(times)]

    def _until_taken(self, number, method, path, body):
        headers = {**self.headers, "Idempotency-Key": f"bench-{number}"}
        while True:
            begun = time.monotonic()
            answer = requests.request(method, f"{self.url}/{path}", json=body, headers=headers, timeout=30)
            if answer.status_code == 202:
                return time.monotonic() - begun
            if answer.status_code not in (429, 503):
                raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            time.sleep(float(answer.headers.get("Retry-After", 1)))


def judged(rig, messages, people):
    """What of the messages stands in GHL."""
    tasks = Counter(task["title"] for task in rig.sandbox.get("state", kind="task")["records"])
    notes = Counter(note["body"] for note in rig.sandbox.get("state", kind="note")["records"])
    cities = {one["id"]: one.get("city") for one in rig.sandbox.get("state", kind="contact")["records"]}
    known = Counter()
    wanted = {}  # the newest city of each customer
    for number, (_, path, body) in enumerate(messages):
        if path == "tasks":
            known[body["taskName"]] = tasks[body["taskName"]]
        elif path == "notes":
            known[body["noteContent"]] = notes[body["noteContent"]]
        elif path == "events":
            known[f"Chase invoice {number}"] = tasks[f"Chase invoice {number}"]
        else:
            wanted[people[number % len(people)].remote_id] = body["fields"]["city"]
    return {
        "lost": sum(count == 0 for count in known.values())
        + sum(cities.get(remote_id) != city for remote_id, city in wanted.items()),
        "doubled": sum(count > 1 for count in known.values()),
    }
