"""Redis as a cache that may be away: nothing is remembered then, and nothing fails."""

import logging

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Sign-in counts its attempts here. While Redis is away they go uncounted, or nobody could come in at all."""

    def add(self, key, value, *args, **options):
        return self._or(True, super().add, key, value, *args, **options)

    def get(self, key, default=None, version=None):
        return self._or(default, super().get, key, default, version=version)

    def set(self, key, value, *args, **options):
        return self._or(None, super().set, key, value, *args, **options)

    def delete(self, key, version=None):
        return self._or(False, super().delete, key, version=version)

    def _or(self, otherwise, ask, *args, **options):
        try:
            return ask(*args, **options)
        except RedisError as trouble:
            log.warning("the cache does not answer: %s", type(trouble).__name__)
            return otherwise
