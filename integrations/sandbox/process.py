"""A sandbox in a process of its own, and the hand on its control plane: for benches and tests."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 30


class SandboxProcess:
    def __init__(self, *options):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "integrations.sandbox", "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ.copy()
        )
        self.credentials = self._first_answer()

    def stop(self):
        self.process.kill()
        self.process.wait()

    def get(self, what, **params):
        return requests.get(f"{self.url}/__sandbox__/{what}", params=params, timeout=60).json()

    def post(self, what, body=None):
        answer = requests.post(f"{self.url}/__sandbox__/{what}", json=body or {}, timeout=60)
        if not answer.ok:
            raise requests.HTTPError(f"{what}: {answer.status_code} {answer.text[:500]}", response=answer)
        return answer.json()

    def reset(self, **values):
        self.post("reset", values)
        self.credentials = self.get("credentials")

    def settings(self, **values):
        return self.post("settings", values)

    def faults(self, *rules):
        return self.post("faults", {"faults": list(rules)})

    def no_faults(self):
        requests.delete(f"{self.url}/__sandbox__/faults", timeout=30)

    def edit(self, kind, action, id=None, **values):
        return self.post("edit", {"kind": kind, "action": action, "id": id, "values": values})

    def edits(self, *edits, **each):
        """Many edits at once; what `each` names is added to all of them. Fails when one of them does."""
        answer = self.post("edit", {"edits": list(edits), "each": each})
        if answer["failed"]:
            raise ValueError([one for one in answer["results"] if "error" in one][:3])
        return answer["results"]

    def emit(self, *payloads, **options):
        """Signed webhooks, as if something had happened. Options: tricks, key, unsigned, rsa_only."""
        return self.post("emit", {"payloads": list(payloads), **options})

    def webhooks(self, **params):
        return self.get("webhooks", **params)

    def webhooks_settled(self, seconds=30):
        """Once nothing is pending any more: fates, answers and deliveries."""
        told, until = {"pending": 1}, time.monotonic() + seconds
        while told["pending"] and time.monotonic() < until:
            told = self.get("webhooks", wait=min(5, seconds))
        if told["pending"]:
            raise TimeoutError(f"{told['pending']} webhooks still pending")
        return told

    def tokens(self, action, **values):
        return self.post("tokens", {"action": action, **values})

    def rate(self, **params):
        return self.get("rate", **params)

    def ledger(self, **params):
        """Each record the API's requests wrote: which made, changed and deleted it."""
        return self.get("ledger", **params)["records"]

    def records(self, kind, **params):
        return self.get("state", kind=kind, **params)

    def log(self, **params):
        return self.get("log", **params)

    def _first_answer(self):
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                return self.get("credentials")
            except requests.ConnectionError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the sandbox did not start") from None
                time.sleep(0.05)  # there is no event to wait for before a port is open


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
