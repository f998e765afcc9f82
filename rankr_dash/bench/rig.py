"""What every bench needs: a pretend GHL, real workers, people, and arithmetic."""

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, urlsplit

import requests
from django.conf import settings

from contacts.models import Business, Membership, Role, User
from integrations.access import connect
from integrations.sandbox.process import SandboxProcess
from rankr_dash.embedded.servers import free_port

SEED = 77
QUEUES = ("people", "events", "bulk")


class Rig:
    """A sandbox GHL that the settings of this process, and of the workers it starts, point at."""

    def __init__(self, contacts, window_s=10.0, latency_ms="60"):
        options = {"contacts": contacts, "window-s": window_s, "latency-ms": latency_ms, "seed": SEED}
        self.sandbox = SandboxProcess(*(str(part) for name, value in options.items() for part in (f"--{name}", value)))
        self.window_s = window_s
        self.processes = []
        self.folder = TemporaryDirectory(prefix="rankr-bench-")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings.PUBLIC_URL = self.url
        settings.GHL_API_BASE = settings.GHL_MARKETPLACE_BASE = self.sandbox.url
        settings.GHL_CLIENT_ID = self.sandbox.credentials["client_id"]
        settings.GHL_CLIENT_SECRETS = [self.sandbox.credentials["client_secret"]]
        settings.GHL_RATE_WINDOW_S = window_s
        self.business = Business.objects.create(name="Bench")
        self.admin = User.objects.create_user("bench@example.com", None, name="Bench")
        Membership.objects.create(user=self.admin, business=self.business, role=Role.ADMIN)

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.folder.cleanup()
        self.sandbox.stop()
        self.business.delete()
        self.admin.delete()

    def another_location(self, contacts):
        """The id of a further location with so many contacts."""
        made = self.sandbox.edit("location", "create", name="Neighbour", timezone="America/Chicago", contacts=contacts)
        return made["record"]["id"]

    def connect(self, location_id=None):
        """The connection of this location, else of the sandbox's first, through the consent page, as in life."""
        location_id = location_id or self.sandbox.credentials["location_id"]
        page = urlsplit(connect.begin(self.admin, self.business, "bench"))
        form = {**dict(parse_qsl(page.query)), "location_id": location_id}
        answer = requests.post(f"{self.sandbox.url}{page.path}", data=form, timeout=30, allow_redirects=False)
        back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        return connect.finish(self.admin, "bench", back["state"], back["code"])

    def start_workers(self, *queues, concurrency=2):
        """One prefork worker for each queue, as in production; the first has the clock."""
        for queue in queues or QUEUES:
            clock = [] if self.processes else ["-B", "-s", str(Path(self.folder.name) / "beat")]
            self._start(
                "celery", "-A", "rankr_dash", "worker", "-Q", queue, "-n", f"{queue}@bench", "-P", "prefork",
                "-c", str(concurrency), "--without-gossip", "--without-mingle", "-l", "ERROR", *clock,
            )  # fmt: skip

    def start_web(self):
        self._start(
            "uvicorn", "rankr_dash.asgi:application", "--port", str(self.port), "--lifespan", "off",
            "--log-level", "warning",
        )  # fmt: skip
        wait_until(self._answers)

    def _start(self, *command):
        environment = os.environ | {
            "PUBLIC_URL": self.url,
            "GHL_API_BASE": self.sandbox.url,
            "GHL_MARKETPLACE_BASE": self.sandbox.url,
            "GHL_CLIENT_ID": self.sandbox.credentials["client_id"],
            "GHL_CLIENT_SECRET": self.sandbox.credentials["client_secret"],
            "GHL_WEBHOOK_PUBLIC_KEYS": self.sandbox.get("webhooks")["public_key"],
            "GHL_RATE_WINDOW_S": str(self.window_s),
            "WEBHOOK_SPOOL": str(Path(self.folder.name) / "spool"),
            "PYTHONWARNINGS": "ignore",
        }
        process = subprocess.Popen(  # noqa: S603 (our own modules)
            [sys.executable, "-m", *command],
            cwd=settings.BASE_DIR,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        self.processes.append(process)

    def _answers(self):
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


def wait_until(true, seconds=600):
    """Look every few milliseconds: what is watched lives in other processes."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("It did not happen in time.")
        time.sleep(0.01)


def spread(seconds):
    """{"p50 ms": …, "p95 ms": …, "worst ms": …} of some times in seconds."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    named = {"p50 ms": statistics.median(ordered), "p95 ms": p95, "worst ms": ordered[-1]}
    return {name: round(value * 1000, 1) for name, value in named.items()}
