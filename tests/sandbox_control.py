"""The sandbox GHL as tests see it: a process of its own, its log and state, and faults on demand."""

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import requests

from rankr_dash.embedded.servers import free_port

ROOT = Path(__file__).resolve().parent.parent


class Sandbox:
    def __init__(self, *options):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "integrations.sandbox", "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ.copy()
        )
        for _ in range(200):
            try:
                self.credentials = self.get("credentials")
                break
            except requests.ConnectionError:
                time.sleep(0.05)  # there is no event to wait for before a port is open
        else:
            raise RuntimeError("the sandbox did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def get(self, what, **params):
        return requests.get(f"{self.url}/__sandbox__/{what}", params=params, timeout=30).json()

    def post(self, what, body=None):
        answer = requests.post(f"{self.url}/__sandbox__/{what}", json=body or {}, timeout=30)
        answer.raise_for_status()
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

    def records(self, kind, **params):
        return self.get("state", kind=kind, **params)

    def log(self, **params):
        return self.get("log", **params)


def consent(user, business, sandbox, location_id=None, without=()):
    """What an admin does in the browser: start, agree on GHL's page (perhaps to less), come back."""
    from integrations import connect

    page = urlsplit(connect.begin(user, business, "session"))
    asked = dict(parse_qsl(page.query))
    granted = [scope for scope in asked["scope"].split() if scope not in without]
    form = {**asked, "granted_scope": granted, "location_id": location_id or sandbox.credentials["location_id"]}
    answer = requests.post(f"{sandbox.url}{page.path}", data=form, timeout=30, allow_redirects=False)
    back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    return connect.finish(user, "session", back["state"], back["code"])
