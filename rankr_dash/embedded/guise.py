"""As whom a server runs, for Postgres refuses to run as root."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from .home import Home, ServicesError
from .parent import die_with_parent

CLONE_NEWUSER = 0x10000000


class Guise:
    """An ordinary user runs the server as what it is."""

    def __init__(self, home: Home):
        self.folder = home.path

    def put_on(self, death: int) -> Callable[[], None]:
        """What the child does between fork and exec; `death` is the signal it gets when the keeper dies."""
        return die_with_parent(death)

    def give(self, path: Path) -> None:
        """Make a file belong to whom the server will be."""

    def reachable(self, binary: Path) -> Path:
        """The binary, or a copy of it, where the server may execute it."""
        return binary


class Namespaced(Guise):
    """Root inside a user namespace: Postgres sees another account, the kernel still sees the files' owner.

    No account is made and no permission widened, and it works in a folder that only root may enter.
    """

    def put_on(self, death: int) -> Callable[[], None]:
        _, uid, gid = an_account()
        libc = ctypes.CDLL(None, use_errno=True)
        tie = die_with_parent(death)

        def put_on() -> None:
            if libc.unshare(CLONE_NEWUSER):
                raise OSError(ctypes.get_errno(), "unshare")
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} 0 1")
            Path("/proc/self/gid_map").write_text(f"{gid} 0 1")
            tie()  # last, for a change of credentials clears it

        return put_on


class Lowered(Guise):
    """Root where namespaces are refused, as in most containers: become another account, in a folder of its own."""

    def __init__(self, home: Home):
        self.folder = home.shelter
        name, uid, _ = an_account()
        with contextlib.suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)
            self.give(self.folder)
        found = self.folder.lstat()
        if found.st_uid != uid or found.st_mode & 0o170077 != 0o40000:
            raise ServicesError(f"{self.folder} should be a folder that only {name} may enter: remove it.")

    def put_on(self, death: int) -> Callable[[], None]:
        _, uid, gid = an_account()
        tie = die_with_parent(death)

        def put_on() -> None:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
            tie()

        return put_on

    def give(self, path: Path) -> None:
        _, uid, gid = an_account()
        os.chown(path, uid, gid)

    def reachable(self, binary: Path) -> Path:
        if self._can_run(binary):
            return binary
        copy = self.folder / "postgres"
        if not copy.exists():
            half = self.folder / "postgres.new"
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(binary.parents[1], half, symlinks=True)
            for path in (half, *half.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            half.rename(copy)
        return copy / "bin" / "postgres"

    def _can_run(self, binary: Path) -> bool:
        try:
            command = [str(binary), "--version"]
            put_on = self.put_on(signal.SIGKILL)
            return not subprocess.run(command, capture_output=True, cwd="/", preexec_fn=put_on).returncode  # noqa: S603
        except OSError:
            return False


def choose(home: Home) -> Guise:
    if os.geteuid() != 0:
        return Guise(home)
    namespaced = Namespaced(home)
    try:
        subprocess.run(["true"], preexec_fn=namespaced.put_on(signal.SIGKILL), check=True)  # noqa: S607
    except (subprocess.SubprocessError, OSError, AttributeError):  # AttributeError: no unshare in this C library
        return Lowered(home)
    return namespaced


def an_account() -> tuple[str, int, int]:
    """Some account that is not root; initdb wants it to have a name."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return name, found.pw_uid, found.pw_gid
    raise ServicesError("Postgres does not run as root, and there is no account `nobody` to lend it.")
