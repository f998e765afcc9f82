"""What runs in processes of its own: the keeper of the servers, and two small helpers for make and the demo."""

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from embedded import ServicesError, Urls, wipe
from embedded.home import Home
from embedded.parent import tether
from embedded.servers import Postgres, Valkey

GRACE = 1.0  # seconds without a user before the servers stop, so that two commands in a row share one start


def keep(home: Home, mouth: int, lasting: bool) -> None:
    """Start both servers, say where they are, and stop them when nobody uses them or one of them is gone."""
    os.umask(0o077)
    hurried = []
    ears, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGUSR1, lambda *_: hurried.append(True))
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)

    with home.lock("keeper"), contextlib.ExitStack() as at_the_end, os.fdopen(mouth, "w") as pipe:
        if not lasting:
            at_the_end.callback(shutil.rmtree, home.root, ignore_errors=True)
            at_the_end.callback(shutil.rmtree, home.shelter, ignore_errors=True)
        try:
            postgres = Postgres(home, lasting)
            valkey = Valkey(home, lasting)
            at_the_end.callback(postgres.stop)
            postgres.start()
            at_the_end.callback(valkey.stop)
            valkey.start()
        except ServicesError as error:
            json.dump({"error": str(error)}, pipe)
            return
        urls = Urls(postgres.url, valkey.url)
        at_the_end.callback(home.hush)
        home.announce(urls)
        json.dump(urls._asdict(), pipe)
        pipe.close()

        unused_since = None
        while postgres.alive and valkey.alive:
            with home.lock("users", wait=False) as alone:
                now = time.monotonic()
                unused_since = None if alone is None else unused_since or now
                if unused_since and (hurried or now - unused_since >= GRACE):
                    at_the_end.close()  # with the lock still held: whoever comes now waits, and starts afresh
                    return
            hurried.clear()
            if select.select([ears], [], [], GRACE / 2)[0]:
                os.read(ears, 64)


def leave(number: int, frame: object) -> None:
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, signal.SIG_IGN)
    sys.exit(0)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["keep", root, mouth, kind]:
            keep(Home(Path(root)), int(mouth), kind == "lasting")
        case ["tether", *command]:
            return tether(command)
        case ["wipe", root]:
            try:
                wipe(Path(root))
            except ServicesError as error:
                sys.stderr.write(f"{error}\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
