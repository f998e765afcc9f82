from django.core.management.base import BaseCommand

from integrations.sandbox.__main__ import run
from integrations.sandbox.config import add_arguments


class Command(BaseCommand):
    help = "Runs Sandbox GHL: a fake of the GoHighLevel API and consent pages, in memory, and with --state in a file."
    # It needs neither the database nor the rest of the project to be in order.
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser):
        add_arguments(parser)

    def handle(self, *args, **options):
        run(options)
