import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple


class ServicesError(Exception):
    """Carries one sentence for the person at the keyboard."""


class Urls(NamedTuple):
    database: str
    redis: str


class Home:
    """`.local`: data, logs, locks and passwords, for nobody else to read."""

    def __init__(self, root: Path):
        self.root = Path(root).resolve()
        self.path = self.root / ".local"

    @property
    def shelter(self) -> Path:
        """Where data must live when Postgres runs under an account that cannot enter this folder."""
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"rankr-{os.geteuid()}-{name}"

    def prepare(self) -> None:
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            if self.path.stat().st_uid != os.geteuid():
                raise PermissionError
            self.path.chmod(0o700)
            (self.path / "log").mkdir(exist_ok=True)
        except PermissionError:
            raise ServicesError(
                f"{self.path} is not yours to write: work as its owner, or set DATABASE_URL and REDIS_URL."
            ) from None

    def urls(self) -> Urls | None:
        """The addresses of servers whose keeper is alive: it holds a lock, which nothing stale can."""
        state = self.state()
        if not state:
            return None
        with self.lock("keeper", wait=False, shared=True) as dead:
            return Urls(state["database"], state["redis"]) if dead is None else None

    def state(self) -> dict[str, Any]:
        return self._read("state.json")

    def announce(self, urls: Urls) -> None:
        self._write("state.json", {"keeper": os.getpid(), **urls._asdict()})

    def hush(self) -> None:
        (self.path / "state.json").unlink(missing_ok=True)

    def remembered(self) -> dict[str, Any]:
        """Passwords and preferred ports, so that addresses stay the same from one start to the next."""
        return self._read("services.json")

    def remember(self, **values: Any) -> None:
        self._write("services.json", self.remembered() | values)

    def log(self, name: str) -> IO[bytes]:
        path = self.path / "log" / f"{name}.log"
        if path.exists() and path.stat().st_size > 5_000_000:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def tail(self, name: str, lines: int = 5) -> str:
        path = self.path / "log" / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    @contextlib.contextmanager
    def lock(self, name: str, wait: bool = True, shared: bool = False) -> Iterator[int | None]:
        """Yields None if `wait` is off and somebody else holds it."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            handle = self.open_lock(name, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        try:
            yield handle
        finally:
            os.close(handle)

    def open_lock(self, name: str, kind: int) -> int:
        path = self.path / f"{name}.lock"
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, kind)
                if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # wiped while we waited

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / name).read_text())
        except (OSError, ValueError):
            return {}

    def _write(self, name: str, values: dict[str, Any]) -> None:
        new = self.path / f"{name}.new"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(values, file, indent=1)
        new.replace(self.path / name)
