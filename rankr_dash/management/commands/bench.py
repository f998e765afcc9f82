"""Figures about this machine and this code, each from one command. They go into docs/benchmarks.md with it."""

import json
import os
import subprocess
import sys

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from rankr_dash import embedded
from rankr_dash.bench import erp, pages, sync, webhooks, writes

INSIDE = "RANKR_BENCH"


class Command(BaseCommand):
    help = "Measure, in a Postgres and a Valkey of its own, against a sandbox GHL of its own."
    requires_migrations_checks = False

    def add_arguments(self, parser):
        what = parser.add_subparsers(dest="what", required=True)
        for name, sentence, events in (
            ("sync", "a first and a no-change sync", None),
            ("writes", "edits while a first sync runs", 60),
            ("webhooks", "webhooks acknowledged and seen", 600),
            ("erp", "what an ERP tells, all the way into GHL", 1000),
        ):
            one = what.add_parser(name, help=sentence)
            one.add_argument("--contacts", type=int, default=2000 if name == "sync" else 1000)
            one.add_argument("--latency-ms", default="60", help="answer time of the sandbox, or 'realistic'")
            one.add_argument("--window-s", type=float, default=10.0, help="GHL's window; shorter for a quick look")
            one.add_argument("--json", action="store_true")
            if events:
                one.add_argument("--count", type=int, default=events, help="how many of them")
            if name == "webhooks":
                one.add_argument("--per-second", type=float, default=20.0)
        pages = what.add_parser("pages", help="every page alone, then under load")
        pages.add_argument("--contacts", type=int, default=100_000)
        pages.add_argument("--compare", type=int, default=0, help="measure with so many contacts first")
        pages.add_argument("--requests", type=int, default=100, help="of each page")
        pages.add_argument("--seconds", type=float, default=120.0, help="of the load; 0 leaves it out")
        pages.add_argument("--json", action="store_true")

    def handle(self, *args, **options):
        if not os.environ.get(INSIDE):
            sys.exit(in_services_of_its_own())
        call_command("migrate", verbosity=0)
        figures = measure(**options)
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=2))
        else:
            self.table(figures)

    def table(self, figures, under=""):
        for name, value in figures.items():
            if isinstance(value, dict):
                self.stdout.write(f"{under}{name}")
                self.table(value, under + "  ")
            else:
                self.stdout.write(f"{under}{name}".ljust(58) + f" {value}")


def measure(what, contacts, window_s=0.0, latency_ms="", count=0, per_second=0.0, **options):
    if what == "pages":
        return pages.measure(contacts, options["compare"], options["requests"], options["seconds"])
    if what == "sync":
        return sync.measure(contacts, window_s, latency_ms)
    if what == "writes":
        return writes.measure(contacts, count, window_s, latency_ms)
    if what == "erp":
        return erp.measure(contacts, count, window_s, latency_ms)
    return webhooks.measure(contacts, count, per_second, latency_ms)


def in_services_of_its_own():
    """The same command once more, with a database that nobody else uses and that is gone afterwards."""
    with embedded.throwaway() as urls:
        environment = os.environ | {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, INSIDE: "1"}
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 (ourselves)
