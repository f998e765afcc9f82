"""The Redis that all our processes share: what they know together about GHL's limits, and nothing that must last."""

from functools import cache

import redis
from django.conf import settings


def shared_redis():
    return _client(settings.REDIS_URL)


@cache
def _client(url):
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
