"""Real processes of the app on the test database, pointed at a sandbox GHL."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time

import requests
from django.conf import settings
from django.db import connection as database
from django.test import Client

from integrations.ghl import signature
from rankr_dash.embedded.parent import die_with_parent
from rankr_dash.embedded.servers import free_port
from tests.sandbox_control import ROOT


class Processes:
    """A Celery worker with its own beat and, if asked for, the web server. `start`, `kill`, `start` again."""

    def __init__(self, sandbox, folder, **environment):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        name = database.settings_dict["NAME"]
        self.environment = os.environ | {
            "DATABASE_URL": os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}",
            "PUBLIC_URL": self.url,
            "GHL_API_BASE": sandbox.url,
            "GHL_MARKETPLACE_BASE": sandbox.url,
            "GHL_CLIENT_ID": sandbox.credentials["client_id"],
            "GHL_CLIENT_SECRET": sandbox.credentials["client_secret"],
            "GHL_WEBHOOK_PUBLIC_KEYS": sandbox.get("webhooks")["public_key"],
            "GHL_RATE_LIMIT": "100000",
            "SWEEP_EVERY_S": "0.5",
            "SYNC_EVERY_S": "3600",
            "WEBHOOK_SPOOL": str(folder / "spool"),  # of these alone: others would take it into a database of theirs
            **environment,
        }
        self.running = []
        self.numbers = itertools.count(1)
        self.log = (folder / "processes.log").open("ab")

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.kill()
        self.log.close()

    def start_worker(self, pool="prefork", concurrency=2, beat=True, app="rankr_dash"):
        """Prefork as in production; threads where a test needs the worker only to be there. It serves all queues."""
        clock = ["-B", "-s", str(self.folder / "beat")] if beat else []
        return self._start(
            "celery", "-A", app, "worker", *clock, "-P", pool, "-c", str(concurrency),
            "-n", f"worker{next(self.numbers)}@%h", "--without-gossip", "--without-mingle", "-l", "WARNING",
        )  # fmt: skip

    def start_beat(self):
        """By itself, as in production, so that workers can be killed without it."""
        schedule = str(self.folder / "beat-alone")
        return self._start("celery", "-A", "rankr_dash", "beat", "-s", schedule, "--pidfile=", "-l", "ERROR")

    def start_web(self):
        process = self._start(
            "uvicorn", "rankr_dash.asgi:application", "--port", str(self.port), "--lifespan", "off",
            "--timeout-graceful-shutdown", "1", "--log-level", "warning",
        )  # fmt: skip
        wait_until(self._answers, seconds=60)
        return process

    def kill(self, *processes):
        """Each with its children at once, as when the machine goes away. Without arguments: all of them."""
        for process in processes or list(self.running):
            with contextlib.suppress(ProcessLookupError):  # none of them is left
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.running.remove(process)

    def children(self, process):
        """The ids of the living processes of its group besides itself."""
        asked = ["ps", "-A", "-o", "pid=,pgid=,stat="]
        rows = [line.split() for line in subprocess.run(asked, capture_output=True, text=True).stdout.splitlines()]
        living = [(int(pid), int(group)) for pid, group, state in rows if not state.startswith("Z")]
        return sorted(pid for pid, group in living if group == process.pid != pid)

    def _start(self, *command):
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT, env=self.environment, start_new_session=True, stdout=self.log, stderr=self.log,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )  # fmt: skip
        self.running.append(process)
        return process

    def _answers(self):
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False


class NoGhl:
    """In the place of a sandbox, for tests that nobody at GHL takes part in."""

    url = "http://127.0.0.1:9"
    credentials = {"client_id": "app", "client_secret": "secret"}

    @staticmethod
    def get(path):
        return {"public_key": signature.PUBLISHED_KEY}


def sign_in(context, user, url):
    """Within one browser, without the form."""
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies_of(user).items()])


def cookies_of(user):
    client = Client()
    client.force_login(user)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


def wait_until(true, seconds=90):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)  # what is watched lives in other processes: looking is all there is
