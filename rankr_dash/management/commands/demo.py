"""Everything on this machine by one command: services, a pretend GHL, a pretend ERP, workers, web, people, data."""

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings
from django.core.management import call_command, load_command_class
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from rankr_dash import embedded
from rankr_dash.embedded.servers import free_port

WEB_PORT, SANDBOX_PORT, ERP_PORT = 8000, 8800, 8900
START_TIMEOUT = 60
# What is sent to a child that should stop, and the seconds it is given
PATIENCE = {"worker": 6.0, "reader": 6.0, "beat": 3.0, "web": 5.0, "sandbox": 3.0, "erp": 3.0}
# These may end by themselves, a worker that no longer hears the broker for one, and are started again.
MOST_STARTS, STARTS_WITHIN_S = 5, 60.0
# Threads: they start quickly and share their memory. Long reads have a process of their own.
WORKERS = {"worker": ("people,events", 6), "reader": ("bulk", 3)}
NEWS = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|Traceback \(most recent call last\)")


class Command(BaseCommand):
    help = "Runs everything on this machine, with a pretend GHL and a pretend ERP. Ctrl-C stops it all; the data stays."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=WEB_PORT, help="where the pages should be")
        parser.add_argument("--sandbox-port", type=int, default=SANDBOX_PORT)
        parser.add_argument("--erp-port", type=int, default=ERP_PORT, help="where the pretend ERP should be")
        parser.add_argument("--contacts", type=int, default=250, help="contacts in the pretend GHL")
        parser.add_argument("--verbose", action="store_true", help="show every line the parts write")
        # How the demo calls itself once the sandbox runs: only then is it known what the settings must say.
        parser.add_argument(
            "--prepare", nargs=4, metavar=("URL", "SANDBOX_URL", "ERP_URL", "FILE"), help="used by itself"
        )

    def handle(self, **options):
        if options["prepare"]:
            prepare_into(*options["prepare"], echo=self.say)
            return
        lock = only_one(settings.LOCAL_DIR)
        demo = Demo(options, self.say, lock)
        try:
            demo.listen()
            demo.start()
            demo.watch()
        except Interrupted:
            pass
        except ChildDied as dead:
            raise CommandError(str(dead)) from None
        finally:
            demo.stop()
        self.say("Stopped. The data stays in .local; `make fresh` forgets it.")

    def say(self, line):
        self.stdout.write(line)
        self.stdout.flush()


class Interrupted(BaseException):
    """Ctrl-C or a polite signal: not an error, so no `except Exception` may catch it."""


class ChildDied(Exception):
    pass


class Demo:
    def __init__(self, options, say, lock):
        self.options = options
        self.say = say
        self.lock = lock
        self.children = {}
        self.logs = {}
        self.lasting = {}  # name: its command
        self.starts = {}  # name: when it was started again
        ours = embedded.running(settings.BASE_DIR)
        self.services = ours if ours and ours.database == settings.DATABASE_URL else None
        self.environment = os.environ | {
            "DATABASE_URL": settings.DATABASE_URL,
            "REDIS_URL": settings.REDIS_URL,
            "PYTHONUNBUFFERED": "1",
        }

    # --- start

    def start(self):
        web_port = self.choose_port("web", self.options["port"])
        sandbox_port = self.choose_port("sandbox GHL", self.options["sandbox_port"], web_port)
        erp_port = self.choose_port("pretend ERP", self.options["erp_port"], web_port, sandbox_port)
        self.url = f"http://127.0.0.1:{web_port}"
        self.erp_url = f"http://127.0.0.1:{erp_port}"
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self.lock.write_text(json.dumps({"url": self.url, "pid": os.getpid()}))

        self.environment |= {
            "PUBLIC_URL": self.url,
            "GHL_API_BASE": self.sandbox_url,
            "GHL_MARKETPLACE_BASE": self.sandbox_url,
        }
        self.say("Starting the pretend GHL and bringing the database up to date")
        self.spawn("sandbox", *manage("sandbox"), *self.sandbox_options(sandbox_port))
        self.spawn("erp", *python("integrations.pretend_erp"), "--port", str(erp_port))
        call_command("migrate", verbosity=0, interactive=False)
        connections.close_all()
        credentials = json.loads(self.answer("sandbox", f"{self.sandbox_url}/__sandbox__/credentials"))
        self.environment |= {
            "GHL_CLIENT_ID": credentials["client_id"],
            "GHL_CLIENT_SECRET": credentials["client_secret"],
            "GHL_WEBHOOK_PUBLIC_KEYS": self.webhook_key(),
        }
        self.say("Starting workers, beat and web")
        celery = python("celery", "-A", "rankr_dash")
        threads = ["worker", "-P", "threads", "-l", "INFO", "--without-gossip", "--without-mingle"]
        for name, (queues, size) in WORKERS.items():
            self.keep(name, *celery, *threads, "-c", str(size), "-Q", queues, "-n", f"{name}@%h")
        self.keep("beat", *celery, "beat", "-s", str(settings.LOCAL_DIR / "beat"), "--pidfile=", "-l", "INFO")
        uvicorn = python("uvicorn", "rankr_dash.asgi:application", "--host", "127.0.0.1", "--port", str(web_port))
        self.spawn("web", *uvicorn, "--timeout-graceful-shutdown", "2", "--lifespan", "off")
        self.answer("web", f"{self.url}/healthz")
        self.answer("erp", self.erp_url)
        people = self.prepare()
        self.answer("web", f"{self.url}/healthz")
        self.say(f"\nready: {self.url}")
        self.say(f"Pretend GHL: {self.sandbox_url}    Pretend ERP: {self.erp_url}")
        self.say("Logs: .local/log    Ctrl-C stops everything")
        for role, email, password in people:
            self.say(f"  {role:<8} {email}  {password}")

    def choose_port(self, what, preferred, *taken):
        port = preferred
        while port in taken or free_port(port) != port:
            port += 1
        if port != preferred:
            self.say(f"Port {preferred} is busy: {what} uses {port}")
        return port

    def sandbox_options(self, port):
        options = ["--port", str(port), "--contacts", str(self.options["contacts"])]
        options += ["--webhook-url", f"{self.url}/webhooks/ghl/"]
        known = load_command_class("integrations", "sandbox").create_parser("manage.py", "sandbox")
        if "--state" in known._option_string_actions:
            options += ["--state", str(settings.LOCAL_DIR / "sandbox.json")]
        return options

    def webhook_key(self):
        return json.loads(self.answer("sandbox", f"{self.sandbox_url}/__sandbox__/webhooks"))["public_key"]

    def keep(self, name, *command):
        """Start it, and again whenever it ends."""
        self.lasting[name] = command
        self.spawn(name, *command)

    def spawn(self, name, *command):
        log = settings.LOCAL_DIR / "log" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if name not in self.logs:
            log.write_bytes(b"")
        stdin = subprocess.DEVNULL
        if sys.platform != "linux":
            command, stdin = embedded.tethered(list(command)), subprocess.PIPE
        with log.open("ab") as out:
            self.children[name] = subprocess.Popen(  # noqa: S603
                command,
                stdin=stdin,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=settings.BASE_DIR,
                env=self.environment,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent(signal.SIGKILL),
            )
        if name not in self.logs:
            self.logs[name] = Log(name, log)

    def answer(self, name, url):
        """What it says at this address, once it says 200."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            self.look_after()
            with contextlib.suppress(OSError), direct.open(url, timeout=5) as response:
                return response.read()
            time.sleep(0.1)
        raise ChildDied(f"{name} does not answer at {url}. {self.logs[name].ending()}")

    def prepare(self):
        """The people and the connected business, made by a process that has the right settings."""
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "people.json"
            self.spawn("prepare", *manage("demo"), "--prepare", self.url, self.sandbox_url, self.erp_url, str(answer))
            child, log = self.children["prepare"], self.logs["prepare"]
            while child.poll() is None:
                for line in log.new_lines():
                    self.say(line)
                self.look_after(but="prepare")
                time.sleep(0.1)
            for line in log.new_lines():
                self.say(line)
            del self.children["prepare"], self.logs["prepare"]
            if child.returncode:
                raise ChildDied("The demo data could not be made.")
            return json.loads(answer.read_text())

    # --- watch

    def watch(self):
        while True:
            self.look_after()
            time.sleep(0.2)

    def look_after(self, but=None):
        for name, log in self.logs.items():
            if name != but:
                for line in log.new_lines():
                    if self.options["verbose"] or log.is_news(line):
                        self.say(f"{name:<8}| {line}")
        for name, child in list(self.children.items()):
            if name != but and child.poll() is not None and not self.start_again(name):
                raise ChildDied(f"{name} ended with status {child.returncode}. {self.logs[name].ending()}")
        if self.services and embedded.running(settings.BASE_DIR) != self.services:
            raise ChildDied("Postgres or Valkey ended. See .local/log/postgres.log and .local/log/valkey.log.")

    def start_again(self, name):
        """True when what has ended runs again; False when it may not, or does so too often."""
        if name not in self.lasting:
            return False
        now = time.monotonic()
        recent = [at for at in self.starts.get(name, []) if at > now - STARTS_WITHIN_S]
        if len(recent) >= MOST_STARTS:
            return False
        self.starts[name] = [*recent, now]
        ended = self.children[name]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(ended.pid, signal.SIGKILL)  # what it may have left behind
        self.say(f"{name:<8}| ended with status {ended.returncode}; it is started again")
        self.spawn(name, *self.lasting[name])
        return True

    # --- stop

    def listen(self):
        def interrupted(number, frame):
            raise Interrupted

        on_request_to_stop(interrupted)

    def kill(self, number=None, frame=None):
        """The second Ctrl-C: nobody is asked any more."""
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)

    def stop(self):
        """The parts first, then the services under them."""
        on_request_to_stop(self.kill)
        for child in self.children.values():
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    child.terminate()
        started = time.monotonic()
        for name, child in self.children.items():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, started + PATIENCE.get(name, 1.0) - time.monotonic()))
        self.kill()
        for child in self.children.values():
            child.wait()
        self.children.clear()
        connections.close_all()
        embedded.release(settings.BASE_DIR)


class Log:
    """What a child writes: all of it in a file, and what is new of it for the console."""

    def __init__(self, name, path):
        self.path = path
        self.file = path.open(errors="replace")
        self.rest = ""
        self.in_trace = False

    def new_lines(self):
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        return lines

    def is_news(self, line):
        """Warnings, errors, and a traceback down to the line that names its exception."""
        if self.in_trace:
            self.in_trace = not line or line[0].isspace()
            return True
        found = NEWS.search(line)
        self.in_trace = bool(found and found[0].startswith("Traceback"))
        return bool(found)

    def ending(self, lines=12):
        tail = self.path.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join([f"The end of {self.path.name}:", *tail]) if tail else "It wrote nothing."


def only_one(local):
    """Holds the demo's lock until this process ends, or says where the other one is."""
    local.mkdir(mode=0o700, exist_ok=True)
    note = local / "demo.json"
    handle = os.open(local / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError, ValueError):
            other = json.loads(note.read_text())
            raise CommandError(f"Rankr runs already at {other['url']} (process {other['pid']}).") from None
        raise CommandError("Rankr is being started already.") from None
    note.unlink(missing_ok=True)
    return note


def on_request_to_stop(handler):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def prepare_into(public_url, sandbox_url, erp_url, file, echo):
    from integrations.demo import prepare

    people = prepare(public_url, sandbox_url, erp_url, echo)
    Path(file).write_text(json.dumps([list(person) for person in people or []]))


def manage(command):
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), command]


def python(module, *arguments):
    return [sys.executable, "-m", module, *arguments]
