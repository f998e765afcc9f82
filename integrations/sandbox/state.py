"""The account and its keys in a file, so that the next start goes on where this one stopped.

Rate windows, the log, faults and settings are not kept, and what waits for the search index is found at once.
"""

import asyncio
import contextlib
import json
import os
from pathlib import Path

from .oauth import Credentials
from .store import Company, Location

FORMAT, VERSION = "sandbox-ghl", 1
PAUSE_S = 1
encoded = json.JSONEncoder(separators=(",", ":")).encode
# file > locations > location > tables > table: what lies deeper is written in one go.
DEPTH = 5


class Foreign(Exception):
    """The file is not one of ours; the reason."""


class Keeper:
    def __init__(self, sandbox, path):
        self.sandbox = sandbox
        # A link stays a link: what it points to is replaced.
        self.path = Path(path).resolve()
        self.saved = self.trouble = None

    def open(self, config):
        """(company, credentials) of the file, or None for a new account. The kept seed and size enter the config."""
        if self.path.is_dir():
            raise SystemExit(f"--state {self.path} is a folder; name a file.")
        if not self.path.exists():
            return None
        asked = config.changed()
        try:
            account = restored(read(self.path), config)
        # A file can be wrong in any way at all, and none of them may keep the sandbox from starting.
        except Exception as reason:
            config.seed, config.contacts = asked.seed, asked.contacts
            said = str(reason) if isinstance(reason, Foreign) else f"{type(reason).__name__}: {reason}"
            print(
                f"{self.path} holds no account that can be read ({said}); it is now {put_aside(self.path)}, "
                "and a new account was made.",
                flush=True,
            )
            return None
        with contextlib.suppress(OSError):
            self.path.chmod(0o600)
        if (config.seed, config.contacts) != (asked.seed, asked.contacts):
            print(
                f"{self.path} keeps an account made with --seed {config.seed} --contacts {config.contacts}: it wins "
                f"over --seed {asked.seed} --contacts {asked.contacts}. For a new one, POST /__sandbox__/reset or "
                "delete the file.",
                flush=True,
            )
        return account

    def begin(self, is_new):
        """A new account is saved before anybody hears of its keys."""
        if not is_new:
            self.saved = self.changes()
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self.save()
        if self.trouble:
            raise SystemExit(1)

    @contextlib.asynccontextmanager
    async def while_serving(self, app):
        stopping = asyncio.Event()
        watching = asyncio.create_task(self._watch(stopping))
        try:
            yield
        finally:
            stopping.set()
            await watching
            self.save()

    async def _watch(self, stopping):
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), PAUSE_S)
            if self.saved != self.changes():
                # Taken here, between two requests; written elsewhere, beside them.
                await asyncio.to_thread(self._write, self.changes(), snapshot(self.sandbox))

    def changes(self):
        """Equal as long as nothing that is kept has changed."""
        company, keys = self.sandbox.company, self.sandbox.credentials
        # The control plane writes into these in place.
        loose = [keys.redirect_uris, [location.record for location in company.locations.values()]]
        return company, company.changes(), keys.changes, json.dumps(loose)

    def save(self):
        if self.saved != self.changes():
            self._write(self.changes(), snapshot(self.sandbox))

    def _write(self, changes, account):
        try:
            replace(self.path, lines(account, DEPTH))
        # Nobody waits for this: it must go on, and be tried again after the next pause.
        except Exception as reason:
            if str(reason) != self.trouble:
                print(f"The account could not be saved in {self.path}: {reason}", flush=True)
            self.trouble = str(reason)
        else:
            self.saved, self.trouble = changes, None


def snapshot(sandbox):
    """All that is kept. Records are never changed in place, so that a list of them is copy enough."""
    config = sandbox.config
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_from": {"seed": config.seed, "contacts": config.contacts},
        "company": {"id": sandbox.company.id, "name": sandbox.company.name},
        "credentials": sandbox.credentials.kept(),
        "locations": [
            {
                "record": json.loads(json.dumps(location.record)),
                "pipelines": location.pipelines,
                "tables": {name: list(table) for name, table in location.tables().items()},
            }
            for location in sandbox.company.locations.values()
        ],
    }


def lines(value, depth):
    """JSON with a record on each line. One call for all of it would keep requests waiting until it is through."""
    if not depth or not value or not isinstance(value, dict | list):
        yield encoded(value)
        return
    named = isinstance(value, dict)
    yield "{" if named else "["
    for number, item in enumerate(value.items() if named else value):
        yield ",\n" if number else "\n"
        if named:
            yield encoded(item[0]) + ":"
        yield from lines(item[1] if named else item, depth - 1)
    yield "\n" + ("}" if named else "]")


def replace(path, pieces):
    """The file is the old one or the new one, at any moment, and nobody else's to read."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(pieces)
    beside.replace(path)


def put_aside(path):
    """Where the file is now."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken{number if number > 1 else ''}")).exists():
        number += 1
    try:
        return path.rename(aside)
    except OSError as reason:
        raise SystemExit(f"{path} can be neither read nor put aside: {reason}") from None


def read(path):
    try:
        kept = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise Foreign("not JSON") from None
    if not isinstance(kept, dict) or kept.get("format") != FORMAT:
        raise Foreign("not written by a sandbox")
    if kept.get("version") != VERSION:
        raise Foreign(f"version {kept.get('version')}, not {VERSION}")
    return kept


def restored(kept, config):
    made_from = kept["made_from"]
    config.seed, config.contacts = made_from["seed"], made_from["contacts"]
    company = Company(kept["company"]["id"], kept["company"]["name"])
    for one in kept["locations"]:
        location = Location(config, one["record"])
        location.pipelines = one["pipelines"]
        location.load({name: {row["id"]: row for row in rows} for name, rows in one["tables"].items()})
        company.locations[location.id] = location
    credentials = Credentials(config, company, config.seed)
    credentials.restore(kept["credentials"])
    return company, credentials
