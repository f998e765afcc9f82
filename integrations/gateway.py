"""The one place that joins a connection, its token, its rate budget and a client."""

from contextlib import contextmanager
from functools import cache

import redis
from django.conf import settings

from integrations import tokens
from integrations.ghl.client import GhlClient
from integrations.ghl.limits import RateBudget
from integrations.ghl.transport import Transport
from integrations.models import Connection, Usage


@contextmanager
def client_for(connection, lane):
    """A client for one location; what it spent is booked on the connection when the block ends.

    `lane` says who goes first when the budget is short: interactive, webhook, reconcile or backfill.
    """
    transport = Transport(
        settings.GHL_API_BASE,
        token=tokens.TokenSource(connection.pk),
        budget=budget_of(connection),
        timeout=settings.GHL_TIMEOUT_S,
        lane=lane,
    )
    client = GhlClient(transport, connection.location.remote_id)
    try:
        yield client
    finally:
        Usage.add(connection.pk, requests=transport.requests_sent, retries=transport.retries)
        transport.close()


def budget_of(connection):
    """GHL counts per app and location; a Private Integration Token counts as an app of its own."""
    app = f"pit-{connection.pk}" if connection.kind == Connection.Kind.PIT else settings.GHL_CLIENT_ID
    return RateBudget(
        _redis(settings.REDIS_URL),
        f"ghl:{app}:{connection.location.remote_id}",
        limit=settings.GHL_RATE_LIMIT,
        window=settings.GHL_RATE_WINDOW_S,
    )


@cache
def _redis(url):
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
