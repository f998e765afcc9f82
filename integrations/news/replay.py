"""Webhooks whose handling failed, taken up anew. They are hints to read again, so once more does no harm."""

import logging

from django.utils import timezone

from integrations import tasks
from integrations.models import InboundEvent

log = logging.getLogger(__name__)


def replay(connection, by, pk=None, since=None):
    """Set failed webhooks of this location due again: one, all, or all that came in `since`. How many there were."""
    failed = InboundEvent.objects.filter(
        remote_location_id=connection.location.remote_id, outcome=InboundEvent.Outcome.FAILED
    )
    if pk is not None:
        failed = failed.filter(pk=pk)
    if since is not None:
        failed = failed.filter(received_at__gte=since)
    chosen = list(failed.order_by("pk").values_list("pk", flat=True))
    again = failed.filter(pk__in=chosen).update(
        outcome="", reason="", finished_at=None, next_at=timezone.now(), attempts=0, strikes=0
    )
    for each in chosen[: tasks.MOST_RINGS]:
        tasks.ring(tasks.handle_event, each)
    log.info("connection %s: user %s set %s failed webhooks due again", connection.pk, by.pk, again)
    return again
