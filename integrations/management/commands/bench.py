"""Figures about this machine and this code, each from one command. They go into docs/benchmarks.md with it."""

import json
import math
import os
import resource
import subprocess
import sys
import time
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection as database

from contacts.models import Appointment, Business, Contact, HistoryEvent, Membership, Note, Role, Task, User
from integrations import connect, sync
from integrations.management.commands.sync import wait_for

BUSINESS, EMAIL = "Bench, made and removed by manage.py bench", "bench@bench.invalid"
CALENDARS, COMPANY_PAGE = 4, 100


class Command(BaseCommand):
    help = "Measure a first sync and a second one that has nothing to do, against a sandbox GHL of our own."

    def add_arguments(self, parser):
        what = parser.add_subparsers(dest="what", required=True)
        bench_sync = what.add_parser("sync", help="a first and a no-change sync")
        bench_sync.add_argument("--contacts", type=int, default=2000)
        bench_sync.add_argument("--window-s", type=float, default=10.0, help="GHL's window; shorter for a quick look")
        bench_sync.add_argument("--latency-ms", default="60", help="answer time of the sandbox, or 'realistic'")
        bench_sync.add_argument("--json", action="store_true")

    def handle(self, *args, what, contacts, window_s, latency_ms, **options):
        forget()  # what a run that was killed has left
        sandbox = Pretend(contacts, window_s, latency_ms)
        try:
            figures = measure(sandbox, contacts, window_s)
        finally:
            sandbox.stop()
            forget()
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=2))
        else:
            for name, value in figures.items():
                self.stdout.write(f"{name:<44} {value}")


def forget():
    Business.objects.filter(name=BUSINESS).delete()
    User.objects.filter(email=EMAIL).delete()


class Pretend:
    """A sandbox GHL on a free port, with the settings of this process pointed at it."""

    def __init__(self, contacts, window_s, latency_ms):
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "integrations.sandbox", "--port", str(self.port), "--contacts", str(contacts),
             "--window-s", str(window_s), "--latency-ms", str(latency_ms), "--seed", "77"],
            cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, env=os.environ.copy(),
        )  # fmt: skip
        for _ in range(600):
            try:
                self.credentials = self.ask("credentials")
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        else:
            raise CommandError("The sandbox GHL did not start.")
        settings.GHL_API_BASE = settings.GHL_MARKETPLACE_BASE = self.url
        settings.GHL_CLIENT_ID = self.credentials["client_id"]
        settings.GHL_CLIENT_SECRETS = [self.credentials["client_secret"]]
        settings.GHL_RATE_WINDOW_S = window_s

    def ask(self, what):
        return requests.get(f"{self.url}/__sandbox__/{what}", timeout=60).json()

    def stop(self):
        self.process.kill()
        self.process.wait()


def measure(sandbox, contacts, window_s):
    business = Business.objects.create(name=BUSINESS)
    admin = User.objects.create_user(EMAIL, None, name="Bench")
    Membership.objects.create(user=admin, business=business, role=Role.ADMIN)
    connection = connected(admin, business, sandbox)
    listed = Watch(connection.location_id, contacts)
    begun = time.monotonic()
    run = wait_for(sync.start(connection))
    took = time.monotonic() - begun
    listed.join()
    log = [entry for entry in sandbox.ask("log")["entries"] if entry["path"] != "/oauth/token"]
    state = sandbox.ask("state")
    companies = state["businesses"]
    least = 5 + math.ceil(companies / COMPANY_PAGE) + math.ceil(contacts / 500) + state["tasks"] // 500 + 1
    least += CALENDARS + contacts
    floor = window_s * (math.ceil(len(log) / 100) - 1)
    before = rows_written()
    again = wait_for(sync.start(connection))
    figures = {
        "contacts": Contact.objects.filter(business=business).count(),
        "tasks": Task.objects.filter(location=connection.location).count(),
        "notes": Note.objects.filter(location=connection.location).count(),
        "appointments": Appointment.objects.filter(location=connection.location).count(),
        "outcome": run.outcome,
        "requests": len(log),
        "requests at least (settings+pages+notes)": least,
        "requests ÷ minimum": round(len(log) / least, 4),
        "429 received": sum(entry["status"] == 429 for entry in log),
        "most requests in any window": densest([entry["time"] for entry in log], window_s),
        "seconds": round(took, 1),
        "seconds at least at GHL's limit": floor,
        "time ÷ floor": round(took / floor, 3) if floor else None,
        "seconds until all contacts are listed": listed.seconds,
        "requests of a no-change sync": again.requests,
        "business rows written by a no-change sync": rows_written() - before,
        "peak memory MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    return figures


def connected(admin, business, sandbox):
    """Through the consent page, as in life; the budget starts empty."""
    page = urlsplit(connect.begin(admin, business, "bench"))
    form = {**dict(parse_qsl(page.query)), "location_id": sandbox.credentials["location_id"]}
    answer = requests.post(f"{sandbox.url}{page.path}", data=form, timeout=30, allow_redirects=False)
    back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    return connect.finish(admin, "bench", back["state"], back["code"])


class Watch(Thread):
    """Notes when all contacts of a location can be listed."""

    def __init__(self, location_id, contacts):
        super().__init__(daemon=True)
        self.location_id, self.contacts, self.seconds = location_id, contacts, None
        self.begun = time.monotonic()
        self.start()

    def run(self):
        while time.monotonic() - self.begun < 600:
            if Contact.objects.filter(location_id=self.location_id).count() >= self.contacts:
                self.seconds = round(time.monotonic() - self.begun, 2)
                break
            time.sleep(0.05)
        database.close()


def densest(times, window_s):
    """The highest count in any window, however it is laid."""
    most, first = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def rows_written():
    """Inserts, updates and deletes Postgres has counted in the tables people look at."""
    tables = [model._meta.db_table for model in (Contact, Task, Note, Appointment, HistoryEvent)]
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY(%s)", [tables]
        )
        return int(cursor.fetchone()[0] or 0)
