import json
import time

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from integrations import tasks
from integrations.models import Connection
from integrations.reading import sync


class Command(BaseCommand):
    help = "Read a Business' locations from GHL. With --wait in the foreground, no worker needed."

    def add_arguments(self, parser):
        parser.add_argument("--business", required=True, help="name of the Business")
        parser.add_argument("--wait", action="store_true", help="do the work here and return when it is done")
        parser.add_argument("--full", action="store_true", help="read everything, not only what changed")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args, business, wait, full, **options):
        connections = Connection.objects.filter(location__business__name=business).select_related("location")
        if not connections:
            raise CommandError(f"{business} has no connected location. Connect one first.")
        outcomes = []
        for connection in connections:
            if not connection.is_active:
                raise CommandError(f"{connection.location} is not connected at the moment: {connection.status_reason}")
            run = sync.start(connection, "full" if full else None)
            if wait:
                run = wait_for(run)
            else:
                tasks.ring_run(run)
            outcomes.append(
                {
                    "location": connection.location.remote_id,
                    "kind": run.kind,
                    "outcome": run.outcome or "started",
                    "requests": run.requests,
                    "counts": run.counts,
                    "reason": run.stop_reason,
                }
            )
        self.stdout.write(json.dumps(outcomes, indent=2) if options["json"] else "\n".join(map(_line, outcomes)))
        if any(outcome["outcome"] == "failed" for outcome in outcomes):
            raise CommandError("The sync did not finish.")


def wait_for(run):
    """Work on the run here until it has ended; another worker may hold it for a while."""
    while run.finished_at is None:
        if sync.work(run.pk) is None or run.next_at > timezone.now():
            time.sleep(0.5)
        run.refresh_from_db()
    return run


def _line(outcome):
    counts = ", ".join(f"{count['done']} {phase}" for phase, count in outcome["counts"].items())
    end = f" {outcome['reason']}" if outcome["reason"] else ""
    return f"{outcome['location']}: {outcome['outcome']}, {counts}, {outcome['requests']} requests.{end}"
