"""Where verified webhooks wait on this machine's disk while the database is away.

One file for each process that receives. A line is one event, sealed, and on the disk before it is answered. Whoever
takes a file in first moves it aside, so that nobody writes behind them; what is taken in twice is found to be known.
"""

import contextlib
import fcntl
import logging
import os
import secrets
import threading
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from integrations import crypto

log = logging.getLogger(__name__)

MOST_BYTES = 200_000_000  # of all files together
OPEN, TAKEN = ".spool", ".taken"
BOUND_TO = "webhook spool"


class Full(Exception):
    """Not one more event: the disk is for others too."""


def append(body):
    """Keep this event through a loss of power. Raises Full or OSError."""
    text = f"{timezone.now().isoformat()} {body.decode('latin-1')}"
    line = crypto.seal(text, BOUND_TO).encode() + b"\n"
    with _writing:
        if _size() + len(line) > MOST_BYTES:
            raise Full
        while not _written(line):  # somebody has just taken our file: begin another
            _begin()


def take_in(store):
    """`store(body, received_at)` for each event that waits. How many there were. Stops at the first that fails."""
    taken = 0
    for path in _files(OPEN):
        _move_aside(path)
    for path in _files(TAKEN):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another process is at it
                continue
            taken += _taken(file, store)
    if taken:
        log.info("%s webhooks taken in from the spool", taken)
    return taken


def is_waiting():
    return next(iter([*_files(OPEN), *_files(TAKEN)]), None) is not None


# --- writing ------------------------------------------------------------------------------------------------------

_writing = threading.Lock()
_mine: tuple[int, Path, int] | None = None  # file descriptor, path, of which process


def _begin():
    global _mine
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{secrets.token_hex(8)}{OPEN}"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
    _sync(folder)
    if _mine:
        os.close(_mine[0])
    _mine = descriptor, path, os.getpid()


def _written(line):
    if _mine is None or _mine[2] != os.getpid() or _mine[1].parent != _folder():
        return False
    descriptor, path, _ = _mine
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        length = os.fstat(descriptor).st_size
        if not _is_still(descriptor, path):
            return False
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError("the disk is full")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, length)  # half a line would spoil the next one
            raise
        return True
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _is_still(descriptor, path):
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _size():
    size = 0
    for path in [*_files(OPEN), *_files(TAKEN)]:
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


# --- taking in ----------------------------------------------------------------------------------------------------


def _move_aside(path):
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        path.rename(path.with_suffix(TAKEN))


def _taken(file, store):
    count = 0
    for line in file:
        try:
            text = crypto.unseal(line.decode("ascii").strip(), BOUND_TO)
        except crypto.KeyMissing:
            log.error("the webhook spool is sealed with a key that is not in ENCRYPTION_KEYS: %s waits", file.name)
            return count
        except (crypto.CannotOpen, UnicodeDecodeError):
            # The power went while it was written: it was not answered either.
            log.warning("a torn line in the webhook spool %s is left out", file.name)
            continue
        received_at, _, body = text.partition(" ")
        store(body.encode("latin-1"), datetime.fromisoformat(received_at))
        count += 1
    Path(file.name).unlink()
    _sync(_folder())
    return count


def _files(ending):
    try:
        return sorted(_folder().glob(f"*{ending}"))
    except OSError:
        return []


def _folder():
    return Path(settings.WEBHOOK_SPOOL)


def _sync(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
