"""Children that do not outlive the process that started them, even when that one is killed."""

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def die_with_parent(death: int) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends this signal when the starting thread ends. Linux only."""
    if sys.platform != "linux":
        return lambda: None
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)

    def tie() -> None:
        libc.prctl(1, death, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return tie


def tethered(command: list[str]) -> list[str]:
    """The same promise where the kernel does not give it: a wrapper that kills when its stdin is closed."""
    return [sys.executable, "-I", str(Path(__file__).parent), "tether", *command]


def tether(command: list[str]) -> int:
    ears, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: child.send_signal(number))
    while child.poll() is None:
        ready = select.select([0, ears], [], [])[0]
        if ears in ready:
            os.read(ears, 64)
        if 0 in ready and not os.read(0, 64):
            child.kill()
            break
    return child.wait()
