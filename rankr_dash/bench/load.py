"""Twenty people at the pages, who think five seconds between two of them, while a sync and webhooks run."""

import random
import time
from collections import Counter
from threading import Thread

import requests
from django.db import connection

from contacts.models import Contact
from rankr_dash.bench import asking, filling, visits
from rankr_dash.bench.rig import Rig, wait_until

THINK_S = 5.0
WEBHOOKS_S = 0.5  # between two
OF_THE_SYNC = 2_000  # contacts at the most: at GHL's limit it runs for minutes
LIKELY = {
    "list": 4, "view: overdue": 1, "view: mine": 1, "list, recent": 1, "contact": 8, "today": 2, "tasks": 2,
    "search: common": 1, "search: a name": 3, "search: rare": 1, "search: phone, its end": 1,
}  # fmt: skip


def measure(seconds, contacts):
    contacts = min(contacts, OF_THE_SYNC)
    with Rig(contacts, 10.0, "60") as rig:
        rig.start_workers()
        rig.start_web()
        connected = rig.connect()
        people = Contact.objects.filter(location=connected.location)
        wait_until(lambda: people.count() > contacts // 2)
        rig.sandbox.settings(webhook_url=f"{rig.url}/webhooks/ghl/")
        end = time.monotonic() + seconds
        changes = Changes(rig, list(people.values_list("remote_id", flat=True)[:500]), end)
        staff = [Person(rig.url, number, end) for number in range(filling.USERS)]
        for thread in (changes, *staff):
            thread.start()
        for thread in (*staff, changes):
            thread.join()
        seen = [one for person in staff for one in person.seen]
        return {
            **{
                page: {
                    **asking.with_p99([took for name, took, _ in seen if name == page]),
                    "requests": sum(name == page for name, _, _ in seen),
                }
                for page in LIKELY
            },
            "errors": sum(status != 200 for _, _, status in seen),
            "answers": dict(Counter(status for _, _, status in seen)),
            "webhooks": changes.made,
        }


class Person(Thread):
    def __init__(self, url, number, end):
        super().__init__(daemon=True)
        self.url, self.end, self.seen = url, end, []
        self.dice = random.Random(number)
        self.cookie = asking.signed_in(filling.email(number))
        self.pages = visits.pages(filling.email(number))

    def run(self):
        talk = requests.Session()
        try:
            time.sleep(self.dice.random() * THINK_S)
            while time.monotonic() < self.end:
                (page,) = self.dice.choices(list(LIKELY), LIKELY.values())
                address = self.pages[page](self.dice)
                begun = time.perf_counter()
                answer = talk.get(self.url + address, headers={"Cookie": self.cookie}, timeout=60)
                self.seen.append((page, time.perf_counter() - begun, answer.status_code))
                time.sleep(self.dice.expovariate(1 / THINK_S))
        finally:
            connection.close()


class Changes(Thread):
    """Edits inside the pretend GHL, each of which it announces."""

    def __init__(self, rig, people, end):
        super().__init__(daemon=True)
        self.rig, self.people, self.end, self.made = rig, people, end, 0

    def run(self):
        while time.monotonic() < self.end:
            self.rig.sandbox.edit("contact", "update", self.people[self.made % len(self.people)], city=f"C{self.made}")
            self.made += 1
            time.sleep(WEBHOOKS_S)
