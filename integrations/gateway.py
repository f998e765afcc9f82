"""The one place that joins a connection, its token, its rate budget and a client."""

import logging
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, transaction

from integrations.access import tokens
from integrations.ghl.breaker import Breaker
from integrations.ghl.client import GhlClient
from integrations.ghl.limits import RateBudget
from integrations.ghl.transport import Transport
from integrations.models import Connection, Usage
from integrations.monitoring.troubles import TroubleBook
from rankr_dash.shared_redis import shared_redis

log = logging.getLogger(__name__)


@contextmanager
def client_for(connection, lane):
    """A client for one location; what it spent and what failed is booked on the connection when the block ends.

    `lane` says who goes first when the budget is short: interactive, webhook, reconcile or backfill.
    """
    book = TroubleBook(connection.pk)
    transport = Transport(
        settings.GHL_API_BASE,
        token=tokens.TokenSource(connection.pk),
        budget=budget_of(connection),
        breaker=breaker_of(connection),
        timeout=settings.GHL_TIMEOUT_S,
        lane=lane,
        on_exchange=book.note,
    )
    client = GhlClient(transport, connection.location.remote_id)
    try:
        yield client
    finally:
        transport.close()
        try:
            with transaction.atomic():  # figures must not spoil the work they are about
                Usage.add(connection.pk, requests=transport.requests_sent, retries=transport.retries)
                book.write()
        except DatabaseError as trouble:
            log.warning("connection %s: its use was not booked: %s", connection.pk, type(trouble).__name__)


def budget_of(connection):
    return RateBudget(
        shared_redis(), _key(connection), limit=settings.GHL_RATE_LIMIT, window=settings.GHL_RATE_WINDOW_S
    )


def breaker_of(connection):
    """While GHL does not answer for this location, nothing is sent there. A probe must outlive a slow request."""
    return Breaker(shared_redis(), _key(connection), probe_s=max(60.0, settings.GHL_TIMEOUT_S * 2))


def _key(connection):
    """GHL counts per app and location; a Private Integration Token counts as an app of its own."""
    app = f"pit-{connection.pk}" if connection.kind == Connection.Kind.PIT else settings.GHL_CLIENT_ID
    return f"ghl:{app}:{connection.location.remote_id}"
