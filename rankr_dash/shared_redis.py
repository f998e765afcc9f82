"""The Redis that all our processes share: what they know together about GHL's limits, who hears what changes, and
nothing that must last."""

from functools import cache

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


def shared_redis():
    return _client(settings.REDIS_URL)


def hasty_redis():
    """For what a page can do without: it gives up within a second and tries once."""
    return _hasty_client(settings.REDIS_URL)


def listening_redis():
    """A client of its own for whoever waits for messages in an event loop. Close it."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=None, retry=None, socket_keepalive=True
    )


@cache
def _client(url):
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)


@cache
def _hasty_client(url):
    once = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=once)
