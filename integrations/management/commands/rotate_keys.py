from django.core.management.base import BaseCommand

from integrations import crypto
from integrations.models import Connection


class Command(BaseCommand):
    help = "Seal every stored token with the newest key of ENCRYPTION_KEYS, so that older keys can be taken away."

    def handle(self, *args, **options):
        done = 0
        for pk in Connection.objects.values_list("pk", flat=True):
            done += reseal(pk)
        left = sum(not _is_current(connection) for connection in Connection.objects.all())
        self.stdout.write(f"{done} connections sealed anew, {left} still on an older key.")


def reseal(pk):
    """True when the tokens were sealed anew. A renewal that comes between is not overwritten: look again."""
    while True:
        connection = Connection.objects.get(pk=pk)
        if _is_current(connection):
            return False
        rows = Connection.objects.filter(
            pk=pk,
            sealed_access_token=connection.sealed_access_token,
            sealed_refresh_token=connection.sealed_refresh_token,
        )
        if rows.update(**connection.sealed(connection.access_token, connection.refresh_token)):
            return True


def _is_current(connection):
    return crypto.is_current(connection.sealed_access_token) and crypto.is_current(connection.sealed_refresh_token)
