"""Redis as one of several processes sees it: asked, or left in peace while it is away."""

import logging
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import redis

log = logging.getLogger(__name__)

PEACE = 2.0  # seconds without a question after one that failed


class Shared:
    """What Redis answers, or None while it is away: then each process decides by itself, more carefully."""

    def __init__(self) -> None:
        self._away_until = 0.0

    @classmethod
    def through(cls, client: "redis.Redis[Any] | redis.Redis") -> "Shared":  # type: ignore[type-arg]
        """One for each client, so that what one caller learns about Redis spares the others their time-out."""
        return _by_client.setdefault(client, cls())

    @property
    def is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def ask(self, call: Callable[[], Any]) -> Any:
        if self.is_away:
            return None
        try:
            answer = call()
        except redis.RedisError as error:
            if not self._away_until:
                log.warning("Redis is away (%s): each process keeps GHL's limits by itself", type(error).__name__)
            self._away_until = time.monotonic() + PEACE
            return None
        if self._away_until:
            self._away_until = 0.0
            log.info("Redis is back: the limits are shared again")
        return answer if answer is not None else ()


_by_client: "WeakKeyDictionary[Any, Shared]" = WeakKeyDictionary()
