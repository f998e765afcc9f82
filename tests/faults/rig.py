"""Everything a case needs: servers, a sandbox GHL, real processes, people, and one source of chance."""

import contextlib
import os
import random
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import redis
import requests
from django.core.management import call_command
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from contacts.models import Business, Contact, Membership, Role, User
from integrations.models import InboundEvent
from tests.sandbox_control import Sandbox, consent
from tests.workers import Processes, wait_until


class Rig:
    """One case at a time. `extent` is quick (a few, for every build), usual, or full (GHL's real limit and times)."""

    def __init__(self, services, case, seed, extent, folder):
        self.services, self.case, self.seed, self.extent = services, case, seed, extent
        self.folder = folder
        self.chance = random.Random(f"{seed} {case}")
        self.at_the_end = contextlib.ExitStack()

    def __enter__(self):
        connections.close_all()
        call_command("flush", interactive=False, verbosity=0)
        self.redis = redis.Redis.from_url(self.services.valkey.url)
        self.redis.flushall()
        self.at_the_end.callback(self.redis.close)
        return self

    def __exit__(self, *_):
        connections.close_all()
        self.at_the_end.close()

    # --- how much -------------------------------------------------------------------------------------------------

    def size(self, quick, usual, full=None):
        return {"quick": quick, "usual": usual, "full": usual if full is None else full}[self.extent]

    @property
    def window_s(self):
        """GHL allows 100 requests in so many seconds; shortened, so that the table does not take all night."""
        return 10 if self.extent == "full" else 1

    # --- who ------------------------------------------------------------------------------------------------------

    def start_sandbox(self, **values):
        """A GHL of its own with these settings, that this process points at. The allowed rate is the rig's."""
        self.sandbox = FaultySandbox("--rate", "100", "--lag-s", "0")
        self.at_the_end.callback(self.sandbox.stop)
        self.sandbox.reset(**{"rate": 100, "window_s": self.window_s, "lag_s": 0, **values})
        self.configure(
            GHL_API_BASE=self.sandbox.url,
            GHL_MARKETPLACE_BASE=self.sandbox.url,
            GHL_CLIENT_ID=self.sandbox.credentials["client_id"],
            GHL_CLIENT_SECRETS=[self.sandbox.credentials["client_secret"]],
            GHL_RATE_LIMIT=100,
            GHL_RATE_WINDOW_S=self.window_s,
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        )
        return self.sandbox

    def configure(self, **settings):
        """Django's settings in this process and those forked from it, until the case ends."""
        self.at_the_end.enter_context(override_settings(**settings))

    def start_processes(self, **environment):
        """Nothing runs yet; `start_worker`, `start_beat`, `start_web`. Killed when the case ends."""
        rate = {"GHL_RATE_LIMIT": "100", "GHL_RATE_WINDOW_S": str(self.window_s)}
        processes = Processes(self.sandbox, self.folder, **rate | environment)
        self.processes = self.at_the_end.enter_context(processes)
        return self.processes

    def connect(self):
        """A Business, its admin, and a location connected through the consent page."""
        business = Business.objects.create(name="Northgate Roofing")
        self.admin = User.objects.create_user("ada@example.com", "correct horse", name="Ada")
        Membership.objects.create(user=self.admin, business=business, role=Role.ADMIN)
        return consent(self.admin, business, self.sandbox)

    def connect_another(self, connection, contacts):
        """A second location of the same Business, with so many contacts."""
        made = self.sandbox.edit("location", "create", name="Neighbour", timezone="America/Chicago", contacts=contacts)
        return consent(self.admin, connection.location.business, self.sandbox, made["record"]["id"])

    def read_whole(self, connection, seconds=600):
        self.waited(lambda: connection.sync_runs.filter(kind="full", outcome="complete").exists(), seconds)
        return connection

    def people(self, connection):
        return Contact.objects.filter(location=connection.location, deleted_at=None).order_by("remote_id")

    # --- looking --------------------------------------------------------------------------------------------------

    def waited(self, true, seconds):
        """Whether it came true in time. A case judges what is there even when it did not."""
        try:
            wait_until(true, seconds)
        except AssertionError:
            return False
        return True

    def webhooks_are_heard(self):
        """GHL has sent all it had to, and nothing of it waits here."""
        is_sent = not self.sandbox.webhooks(wait=10, limit=0)["pending"]
        return is_sent and not InboundEvent.objects.filter(finished_at=None).exists()

    @staticmethod
    def now():
        return time.monotonic()

    def requests_so_far(self):
        return self.sandbox.log(since=10**12)["last"]

    def times_logged(self, words):
        """How many lines of our processes' log have these words."""
        log = self.folder / "processes.log"
        return sum(words in line for line in log.read_text(errors="replace").splitlines()) if log.exists() else 0

    def tracebacks(self):
        """The last line of each traceback in our processes' log, with how often it stands there."""
        seen, inside = {}, False
        log = self.folder / "processes.log"
        for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
            if line.startswith("Traceback"):
                inside = True
            elif inside and line and not line[0].isspace():
                inside = False
                seen[line[:160]] = seen.get(line[:160], 0) + 1
        return seen


class FaultySandbox(Sandbox):
    def forget_webhooks(self):
        requests.delete(f"{self.url}/__sandbox__/webhooks", timeout=30).raise_for_status()


def percentile(values, share):
    values = sorted(values)
    return round(values[min(len(values) - 1, int(len(values) * share))], 1) if values else None


def ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def nap(seconds):
    """Where time itself is the fault (a process that hangs, a server that is away), not to wait for something."""
    time.sleep(seconds)


@contextlib.contextmanager
def case_folder(keep):
    """Where the processes of one case write; kept when it failed and the person wants to look."""
    folder = Path(tempfile.mkdtemp(prefix="rankr-case-"))
    yield folder
    if not (keep and os.listdir(folder)):
        shutil.rmtree(folder, ignore_errors=True)
