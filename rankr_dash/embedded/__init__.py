"""Postgres and Valkey for a machine where nobody has set any up.

The servers come from two Python wheels, or from PATH, and live under `.local/`. One small detached process,
the keeper, holds both. Every process that uses them holds a shared lock on `.local/users.lock`; the keeper stops
the servers once it can take that lock for itself. The kernel counts, so a user that was killed is never counted,
and nobody stops what another one uses.

Only the standard library is used here: `manage.py` needs this before Django, and the keeper runs without it.
"""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .home import Home, ServicesError, Urls
from .parent import die_with_parent, tethered

__all__ = [
    "ServicesError",
    "Urls",
    "die_with_parent",
    "ensure",
    "release",
    "running",
    "tethered",
    "throwaway",
    "wipe",
]

START_TIMEOUT = 90  # a first start takes 1 s; recovery from a crash on a slow disk may take much longer


def ensure(root: Path) -> Urls:
    """Join the services of this checkout, or start them; held until this process ends or calls `release`."""
    return _hold(Home(root), "lasting")


def running(root: Path) -> Urls | None:
    """Where the services of this checkout are, without holding on to them."""
    return Home(root).urls()


def release(root: Path) -> None:
    """Use the services no longer. Returns when they have stopped, unless somebody else still uses them."""
    home = Home(root)
    lease = _leases.pop(home.path, None)
    if lease is None:
        return
    os.close(lease)
    # The keeper itself holds the users' lock for a moment when it looks, so one refusal proves no other user.
    patience = time.monotonic() + 0.3
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # gone already
        while home.urls():
            with home.lock("users", wait=False) as alone:
                used = alone is None
            if used and time.monotonic() > patience:
                return
            if not used:
                os.kill(home.state()["keeper"], signal.SIGUSR1)
            time.sleep(0.02)
        with home.lock("keeper"):
            return


@contextlib.contextmanager
def throwaway() -> Iterator[Urls]:
    """A pair of its own in a temporary folder: fast, not durable, and gone afterwards, even after kill -9."""
    root = Path(tempfile.mkdtemp(prefix="rankr-throwaway-")).resolve()
    try:
        yield _hold(Home(root), "throwaway")
    finally:
        release(root)
        shutil.rmtree(root, ignore_errors=True)


def wipe(root: Path) -> None:
    """Forget everything under `.local`, unless somebody uses it."""
    home = Home(root)
    if not home.path.exists():
        return
    home.prepare()
    with home.lock("users", wait=False) as alone:
        if alone is None:
            raise ServicesError("The local services are in use: stop `make demo` and the like first.")
        with home.lock("keeper"):
            shutil.rmtree(home.shelter, ignore_errors=True)
            shutil.rmtree(home.path)


_leases: dict[Path, int] = {}


def _hold(home: Home, kind: str) -> Urls:
    home.prepare()
    if home.path not in _leases:
        # Waits only while a keeper that found nobody stops its servers. A lease is closed, never unlocked:
        # a forked child shares the lock and goes on holding it.
        _leases[home.path] = home.open_lock("users", fcntl.LOCK_SH)
    try:
        with home.lock("start"):
            return home.urls() or _start_keeper(home, kind)
    except BaseException:
        os.close(_leases.pop(home.path))
        raise


def _start_keeper(home: Home, kind: str) -> Urls:
    ears, mouth = os.pipe()
    # Run as a folder, not as rankr_dash.embedded: that would import Celery and half of our app into the keeper.
    command = [sys.executable, "-I", str(Path(__file__).parent), "keep", str(home.root), str(mouth), kind]
    with home.log("keeper") as log:
        keeper = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            pass_fds=[mouth],
            start_new_session=True,
        )
    os.close(mouth)
    with os.fdopen(ears) as pipe:
        heard = pipe.read() if select.select([pipe], [], [], START_TIMEOUT)[0] else ""
    if not heard:
        keeper.terminate()
        keeper.wait()
        raise ServicesError(f"Postgres and Valkey did not start. See {home.path / 'log' / 'keeper.log'}.")
    answer = json.loads(heard)
    if "error" in answer:
        keeper.wait()
        raise ServicesError(answer["error"])
    _keepers.append(keeper)
    return Urls(answer["database"], answer["redis"])


_keepers: list[subprocess.Popen[bytes]] = []  # each outlives us on purpose; a forgotten Popen warns about that
