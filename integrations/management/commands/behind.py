from django.core.management.base import BaseCommand, CommandError

from integrations.monitoring.backlog import backlog


class Command(BaseCommand):
    help = "Say whether the background work keeps up. Ends with status 1 when work has waited longer than it may."

    def add_arguments(self, parser):
        parser.add_argument("--by", type=int, default=120, help="seconds that are still all right")

    def handle(self, **options):
        found = backlog()
        if found.is_behind and found.seconds > options["by"]:
            waits = ", ".join(f"{kind} for {long}" for kind, long in found.late)
            raise CommandError(f"{found.text}: {waits}.")
        self.stdout.write(found.text)
