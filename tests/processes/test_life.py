"""How workers live: they stop in time, are missed when they are deaf, and survive work that kills them."""

import contextlib
import itertools
import os
import signal
import socket
import threading
from collections import Counter
from urllib.parse import urlsplit

import pytest
from celery.platforms import EX_FAILURE
from django.utils import timezone

from contacts.models import Change, Contact, Note
from contacts.models.leased import MOST_STRIKES
from integrations.models import Delivery, Incident, SyncRun
from rankr_dash import watchdog
from rankr_dash.shared_redis import shared_redis
from tests.workers import Processes, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.fixture
def new_processes(sandbox, tmp_path):
    with contextlib.ExitStack() as at_the_end:

        def make(**environment):
            environment = {"GHL_TIMEOUT_S": "1", "WORK_LEASE_S": "2"} | environment
            return at_the_end.enter_context(Processes(sandbox, tmp_path, **environment))

        yield make


def note(contact, by, body):
    return Note(location=contact.location, contact=contact, body=body).create(by=by)


def settled(*changes):
    return lambda: not Change.objects.unsettled().filter(pk__in=[change.pk for change in changes]).exists()


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_told_to_stop_hands_back_what_it_cannot_finish(sandbox, synced, ana, new_processes):
    processes = new_processes(WORK_LEASE_S="600", GHL_TIMEOUT_S="300", WORKER_STOP_S="0.2")
    worker = processes.start_worker()
    sandbox.faults({"match": {"method": "POST", "path": "/notes", "times": 1}, "action": {"hang_s": 120}})
    change = note(Contact.objects.first(), ana, "Written while the worker was stopping")
    wait_until(lambda: Delivery.objects.filter(sent_at__isnull=False, finished_at=None).exists())
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=60)
    delivery = Delivery.objects.get()
    assert delivery.lease_until is None  # due now, not when the lease of ten minutes is over
    sandbox.no_faults()
    processes.start_worker()
    wait_until(settled(change))
    change.refresh_from_db()
    assert change.state == "confirmed"
    bodies = Counter(row["body"] for row in sandbox.records("notes")["records"])
    assert bodies["Written while the worker was stopping"] == 1


# --- work that kills its worker ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["exit", "loop"])
def test_work_that_kills_its_worker_is_given_up_and_others_go_on(how, connection, new_processes):
    processes = new_processes(WORK_LEASE_S="2")
    over = timezone.now()  # incidents that are over need no telling, so their work is done at once
    poison = Incident.objects.create(connection=connection, kind="gap", reason=how)
    others = [Incident.objects.create(connection=connection, kind="gap", closed_at=over) for _ in range(5)]
    processes.start_worker(app="tests.processes.poison")
    wait_until(lambda: not Incident.objects.filter(pk__in=[one.pk for one in others], finished_at=None).exists())
    assert Incident.objects.filter(pk=poison.pk, finished_at=None).exists()
    wait_until(lambda: Incident.objects.filter(pk=poison.pk).exclude(finished_at=None).exists(), seconds=150)
    poison.refresh_from_db()
    assert poison.attempts == MOST_STRIKES + 1  # the last claim only gave it up


# --- two clocks -------------------------------------------------------------------------------------------------------


def test_two_clocks_start_each_sync_once(sandbox, synced, ana, new_processes):
    processes = new_processes(SYNC_EVERY_S="3")
    processes.start_worker()  # with a clock of its own
    processes.start_beat()
    changes = [note(person, ana, f"Note for {person.pk}") for person in Contact.objects.all()[:10]]
    wait_until(lambda: SyncRun.objects.filter(kind="recent", outcome="complete").count() >= 4)
    wait_until(settled(*changes))
    starts = list(SyncRun.objects.exclude(kind="contact").order_by("started_at").values_list("started_at", flat=True))
    assert min((b - a).total_seconds() for a, b in itertools.pairwise(starts)) >= 3
    made = Counter(row["body"] for row in sandbox.records("notes")["records"] if row["body"].startswith("Note for "))
    assert set(made.values()) == {1}


# --- deaf workers -----------------------------------------------------------------------------------------------------


class Line:
    """A way to the broker. It can fall silent, and what is open stays open and carries nothing; or it can end."""

    def __init__(self, url):
        self.there = urlsplit(url)
        self.silenced, self.sockets = threading.Event(), []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = self.there._replace(netloc=self._netloc(self.server.getsockname()[1])).geturl()
        threading.Thread(target=self._serve, daemon=True).start()

    def silence(self):
        """All that is open now is dead from here on, and nobody is told."""
        self.silenced.set()
        self.silenced = threading.Event()

    def cut(self):
        """All that is open ends, and nothing new is let in."""
        for one in (self.server, *self.sockets):
            with contextlib.suppress(OSError):  # it had ended by itself
                one.shutdown(socket.SHUT_RDWR)

    def _netloc(self, port):
        login, at, _ = self.there.netloc.rpartition("@")
        return f"{login}{at}127.0.0.1:{port}"

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                far = socket.create_connection((self.there.hostname, self.there.port))
                self.sockets += near, far
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other, self.silenced), daemon=True).start()

    def _carry(self, one, other, silenced):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if silenced.is_set():
                    return  # and close nothing
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_worker_that_hears_nothing_any_more_ends_so_that_it_is_started_anew(
    pool, sandbox, synced, ana, new_processes, settings, tmp_path
):
    line = Line(settings.REDIS_URL)
    processes = new_processes(REDIS_URL=line.url, WORKER_DEAF_AFTER_S="2")
    worker = processes.start_worker(pool=pool)
    person = Contact.objects.first()
    wait_until(settled(note(person, ana, "Before the line fell silent")))
    line.silence()
    assert worker.wait(timeout=60) == watchdog.DEAF
    assert "does not hear the broker any more" in (tmp_path / "processes.log").read_text()
    processes.kill(worker)  # what a supervisor does before it starts the next
    processes.start_worker(pool=pool)
    wait_until(settled(note(person, ana, "After it")))


def test_a_worker_that_has_broken_hands_back_what_it_holds_and_ends_at_once(
    sandbox, synced, ana, new_processes, settings
):
    line = Line(settings.REDIS_URL)
    processes = new_processes(REDIS_URL=line.url, WORK_LEASE_S="600", GHL_TIMEOUT_S="300")
    worker = processes.start_worker(app="tests.processes.broken")
    sandbox.faults({"match": {"method": "POST", "path": "/notes", "times": 1}, "action": {"hang_s": 120}})
    change = note(Contact.objects.first(), ana, "Written while the worker broke")
    wait_until(lambda: Delivery.objects.filter(sent_at__isnull=False, finished_at=None).exists())
    line.cut()
    assert worker.wait(timeout=60) == EX_FAILURE
    assert Delivery.objects.get().lease_until is None
    processes.kill(worker)
    processes.environment["REDIS_URL"] = settings.REDIS_URL
    sandbox.no_faults()  # the broken worker may have ended before its request was on the way
    processes.start_worker()
    wait_until(settled(change))
    bodies = Counter(row["body"] for row in sandbox.records("notes")["records"])
    assert bodies["Written while the worker broke"] == 1


def test_cut_connections_and_a_broker_that_stands_still_stop_nobody_for_long(sandbox, synced, ana, new_processes):
    """The worker goes on by itself or ends to be started anew; no person is needed."""
    processes = new_processes(WORKER_DEAF_AFTER_S="2")
    person = Contact.objects.first()
    worker = processes.start_worker()

    def arrives(body):
        change = note(person, ana, body)

        def has_arrived():
            nonlocal worker
            if worker.poll() is not None:
                assert worker.returncode == watchdog.DEAF
                processes.kill(worker)
                worker = processes.start_worker()
            return settled(change)()

        wait_until(has_arrived)

    for number in range(3):
        arrives(f"Cut {number}")
        shared_redis().execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    arrives("After the last cut")
    broker = shared_redis().info("server")["process_id"]
    os.kill(broker, signal.SIGSTOP)
    try:
        threading.Event().wait(6)  # three times what makes a worker deaf
    finally:
        os.kill(broker, signal.SIGCONT)
    arrives("After it stood still")


def test_a_busy_worker_is_not_taken_for_deaf(sandbox, synced, ana, new_processes):
    processes = new_processes(GHL_TIMEOUT_S="20", WORK_LEASE_S="40", WORKER_DEAF_AFTER_S="1")
    worker = processes.start_worker(concurrency=1)
    sandbox.faults({"match": {"method": "POST", "path": "/notes", "times": 1}, "action": {"delay_ms": 6000}})
    change = note(Contact.objects.first(), ana, "Slowly")
    wait_until(settled(change))
    assert worker.poll() is None
