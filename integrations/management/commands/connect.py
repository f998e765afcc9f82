import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from contacts.models import Business
from integrations.access import connect


class Command(BaseCommand):
    help = "Connect a GHL location with a Private Integration Token. A Business that does not exist is created."

    def add_arguments(self, parser):
        parser.add_argument("--business", required=True, help="name of the Business")
        parser.add_argument("--token", required=True, help="Private Integration Token, or - to read it from the input")
        parser.add_argument("--location", required=True, help="id of the GHL location")

    def handle(self, *args, business, token, location, **options):
        token = sys.stdin.readline() if token == "-" else token  # noqa: S105 (a dash is not a password)
        found = Business.objects.filter(name=business)
        if len(found) > 1:
            raise CommandError(f"There are {len(found)} businesses named {business}: rename one first.")
        try:
            with transaction.atomic():  # a token that does not work leaves no empty Business behind
                tenant = found.first() or Business.objects.create(name=business)
                connection = connect.with_token(None, tenant, token, location)
        except connect.CannotConnect as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{business} is connected to {connection.location.remote_id}.")
