"""A Postgres and a Valkey of the rig's own, which can be stopped and started one by one, at the same address."""

import shutil
import signal
import tempfile
from pathlib import Path

from rankr_dash.embedded.home import Home
from rankr_dash.embedded.servers import Postgres, Valkey


class Services:
    """Only the main thread may start them: the kernel ends them with the thread that did."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="rankr-faults-")).resolve()
        self.home = Home(self.root)
        self.home.prepare()
        self.postgres = Postgres(self.home, lasting=False)
        self.valkey = Valkey(self.home, lasting=False)

    def __enter__(self):
        self.postgres.start()
        self.valkey.start()
        return self

    def __exit__(self, *_):
        for server in (self.valkey, self.postgres):
            server.stop()
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(self.home.shelter, ignore_errors=True)


def start_again(server):
    """At the address everybody knows."""
    address = server.url
    server.start()
    if server.url != address:
        raise RuntimeError(f"{server.name} came back at another address: its port was taken meanwhile")


def crash(server):
    """As when the machine loses power, as far as the program can tell."""
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
