import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from rankr_dash import embedded
from rankr_dash.embedded import Urls
from rankr_dash.embedded.home import Home

PACKAGE = Path(__file__).resolve().parents[2] / "rankr_dash" / "embedded"

USER = """
import json, sys
from pathlib import Path
sys.path.append(sys.argv[1])
import embedded
try:
    if sys.argv[3] == "throwaway":
        context = embedded.throwaway()
        urls = context.__enter__()
    else:
        urls = embedded.ensure(Path(sys.argv[2]))
    print(json.dumps(urls), flush=True)
    sys.stdin.read()
except embedded.ServicesError as error:
    print(json.dumps({"error": str(error)}), flush=True)
"""


class User:
    """A process that uses the services, like a shell or a demo."""

    def __init__(self, root, kind="lasting", **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(PACKAGE.parent), str(root), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    @property
    def urls(self):
        if not hasattr(self, "_urls"):
            heard = json.loads(self.process.stdout.readline())
            assert isinstance(heard, list), heard
            self._urls = Urls(*heard)
        return self._urls

    @property
    def complaint(self):
        return json.loads(self.process.stdout.readline())["error"]

    def leave(self):
        self.process.communicate()

    def die(self):
        self.process.kill()
        self.process.communicate()

    def sql(self, statement):
        with psycopg.connect(self.urls.database, connect_timeout=5) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    @property
    def valkey(self):
        return redis.Redis.from_url(self.urls.redis, socket_timeout=5)


@pytest.fixture
def checkout(tmp_path):
    """A folder to work in; afterwards nothing of it may still run."""
    yield tmp_path
    wait_for_stop(tmp_path)


@pytest.fixture
def arrive(checkout):
    """Brings one more user; those still there at the end are killed."""
    with contextlib.ExitStack() as at_the_end:

        def arrive(kind="lasting", **environment):
            user = User(checkout, kind, **environment)
            at_the_end.callback(user.die)
            return user

        yield arrive


def wait_for_stop(root):
    """Returns when nothing of it runs any more; spares us the time a keeper leaves to latecomers."""

    def stopped():
        if embedded.running(root):
            with contextlib.suppress(KeyError, ProcessLookupError):
                os.kill(keeper_of(root), signal.SIGUSR1)
        return not processes_on(root)

    until(stopped)


def keeper_of(root):
    return Home(root).state()["keeper"]


def processes_on(folder):
    """The process ids of all keepers and servers that were started on this folder."""
    shown = subprocess.run(["ps", "-wwA", "-o", "pid=,stat=,command="], capture_output=True, text=True).stdout
    rows = [line.split(maxsplit=2) for line in shown.splitlines()]
    return [
        int(pid)
        for pid, state, command in rows
        if str(folder) in command and " -c " not in command and not state.startswith("Z")
    ]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
