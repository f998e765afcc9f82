"""The shared allowance of requests: at most 100 in any 10 s as GHL sees them, and 200,000 a day.

One budget belongs to one (app, location). Every process asks the same Redis, which keeps the exact times of
the last requests, so no burst at the edge of two windows can pass. Lanes: interactive > webhook > reconcile >
backfill. Whoever is higher, or came earlier in the same lane, takes the next slot; an unused slot goes to
anyone.

How a person is served at once while other work runs, and what it costs:
- Everybody else opens with a small burst, then takes one slot a gap (window / limit), and so all the time a
  slot falls free every tenth of a second. Even pacing delays a run by nothing: its burst is missing later.
- While people work (an interactive request in the last minute) `reserve` slots are kept from the others.

When GHL answers 429 although by our count there was room, somebody else spends from the same allowance: we
believe in half of it (never below 10), and in 5 % more for each window that stays clean.
"""

import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from . import limits_lua as lua
from .errors import BudgetExhausted, DailyLimitReached
from .shared import Shared

__all__ = ["LANES", "BudgetExhausted", "BudgetSnapshot", "Grant", "RateBudget", "RateHeaders"]

# Lane -> the share of the day it may reach. The last tenth is for people and for what GHL itself reports.
LANES = {"interactive": 1.0, "webhook": 0.97, "reconcile": 0.93, "backfill": 0.9}
ORDER = {lane: place for place, lane in enumerate(LANES)}
# Lane -> the share of the window its burst may fill before it is paced. Webhooks come in bunches and are few.
OPENING = {"interactive": 1.0, "webhook": 0.4, "reconcile": 0.2, "backfill": 0.2}
MICRO = 1_000_000


@dataclass(frozen=True)
class RateHeaders:
    """GHL's X-RateLimit headers; None for one that was absent or no number. Milliseconds where it says so."""

    max: int | None = None
    interval_ms: int | None = None
    remaining: int | None = None
    daily_limit: int | None = None
    daily_remaining: int | None = None
    daily_reset_ms: int | None = None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "RateHeaders | None":
        names = ("max", "interval-milliseconds", "remaining", "limit-daily", "daily-remaining", "daily-reset")
        values = [_whole(headers.get(f"x-ratelimit-{name}")) for name in names]
        return cls(*values) if any(value is not None for value in values) else None


@dataclass(frozen=True)
class Grant:
    """Leave to send one request. `waited` seconds; `id` is "" when Redis was away and the process decided
    alone."""

    id: str
    waited: float


@dataclass(frozen=True)
class BudgetSnapshot:
    used_in_window: int
    limit: int
    believed_limit: int  # less than `limit` for a while after a 429 that our count did not explain
    window: float  # seconds
    used_today: int
    daily_limit: int
    day_resets_in: float  # seconds
    held_for: float  # seconds until anyone may send again after a 429
    waiting: int
    shared: bool  # False: Redis is away and this is only what this process did


class RateBudget:
    """`guard` seconds are added to the window, for clocks that do not tick quite alike."""

    def __init__(
        self,
        redis_client: "redis.Redis[Any] | redis.Redis",  # type: ignore[type-arg]
        key: str,
        limit: int = 100,
        window: float = 10.0,
        daily_limit: int = 200_000,
        *,
        guard: float = 0.02,
        reserve: int = 2,
        people_for: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limit, self.window, self.daily_limit = limit, window, daily_limit
        self.guard, self.reserve, self.people_for = guard, min(reserve, limit - 1), people_for
        self.key = key
        self._redis = redis_client
        self._keys = [f"{{{key}}}:{part}" for part in ("slots", "queue", "state")]
        script = redis_client.register_script
        self._acquire, self._settle, self._seed = script(lua.ACQUIRE), script(lua.SETTLE), script(lua.SEED)
        self._observe, self._penalise = script(lua.OBSERVE), script(lua.PENALISE)
        self._snapshot = script(lua.SNAPSHOT)
        self._shared = Shared.through(redis_client)
        self._sleep = sleep
        self._own = _own.setdefault((key, limit, window), _Own(limit, window + guard))

    def acquire(self, lane: str, timeout: float | None = None) -> Grant:
        """Wait for a slot. Raises BudgetExhausted when none comes free within `timeout` seconds (None: as
        long as it takes), DailyLimitReached at once when the day's share of this lane is spent."""
        me = uuid.uuid4().hex
        begun = time.monotonic()
        while True:
            wait, granted = self._ask(lane, me)
            waited = time.monotonic() - begun
            if granted is not None:
                with self._own.lock:
                    self._own.recent.append(time.monotonic())
                return Grant(granted, waited)
            if timeout is not None and waited + wait > timeout:
                self._leave(me)
                raise BudgetExhausted(f"no slot for {lane} within {timeout:g} s", retry_after=wait)
            self._sleep(min(wait, NAP) + random.random() * 0.003)

    def settle(self, grant: Grant) -> None:
        """The request has been answered, or given up. GHL has counted it at some moment up to now, and nobody knows
        when: its slot counts from here, so that the limit holds however late a request arrives."""
        if grant.id:
            self._shared.ask(lambda: self._settle(keys=self._keys, args=[grant.id]))

    def observe(self, headers: RateHeaders, age: float = 0.0) -> None:
        """Correct the count by what GHL says: another user of the same app may be spending too. `age`:
        seconds the request took, because GHL counted at some moment of it. Only ever makes us more
        careful."""
        used = -1
        if headers.max is not None and headers.remaining is not None:
            used = min(headers.max, self.limit) - headers.remaining
        day_used = -1
        if headers.daily_limit is not None and headers.daily_remaining is not None:
            day_used = self.daily_limit - min(headers.daily_remaining, self.daily_limit)
        reset = headers.daily_reset_ms * 1000 if headers.daily_reset_ms is not None else -1
        span = round((self.window + self.guard + age + 0.25) * MICRO)
        args: list[int | str] = [used, span, day_used, reset, uuid.uuid4().hex]
        self._shared.ask(lambda: self._observe(keys=self._keys, args=args))

    def penalise(self, seconds: float, crowded: bool = False) -> None:
        """Nobody sends for this long: GHL has answered 429. `crowded`: although by our count there was room."""
        self._own.alone.hold(seconds)
        args = [round(seconds * MICRO), round((self.window + self.guard) * MICRO), int(crowded)]
        self._shared.ask(lambda: self._penalise(keys=self._keys, args=args))

    def snapshot(self) -> BudgetSnapshot:
        args = [round((self.window + self.guard) * MICRO), self.limit]
        row = self._shared.ask(lambda: self._snapshot(keys=self._keys, args=args))
        alone = self._own.alone
        used, waiting, held, today, resets, believed = (
            (int(part) for part in row) if row else (alone.used(), 0, 0, 0, 0, alone.limit)
        )
        return BudgetSnapshot(
            used_in_window=used, limit=self.limit, believed_limit=believed, window=self.window, used_today=today,
            daily_limit=self.daily_limit, day_resets_in=resets / MICRO, held_for=held / MICRO, waiting=waiting,
            shared=bool(row),
        )  # fmt: skip

    def _ask(self, lane: str, me: str) -> tuple[float, str | None]:
        """(seconds to wait, None) or (0, the grant's id)."""
        window = self.window + self.guard
        share = int(self.daily_limit * LANES[lane])
        args: list[int | str] = [
            ORDER[lane], self.limit, round(window * MICRO), self.reserve, max(1, int(self.limit * OPENING[lane])),
            share, me, self._own.epoch, round(NAP * MICRO), round(self.people_for * MICRO), uuid.uuid4().hex,
        ]  # fmt: skip
        self._tell_what_was_off_book()
        row = self._shared.ask(lambda: self._acquire(keys=self._keys, args=args))
        if row is None:
            wait, granted = self._own.alone.ask()
            if granted is not None:
                with self._own.lock:
                    self._own.off_book.append(time.monotonic())
            return wait, granted
        verdict, micro, epoch = (_text(part) for part in row[:3])
        if verdict == "seed":
            self._tell_what_was_sent(epoch)
            return self._ask(lane, me)
        if verdict == "spent":
            raise DailyLimitReached(f"the day's share of {lane} is spent", retry_after=int(micro) / MICRO)
        return (0.0, _text(row[3])) if verdict == "go" else (int(micro) / MICRO, None)

    def _tell_what_was_sent(self, epoch: str) -> None:
        """Redis is new to us, or was wiped: it may not know what this process has just spent."""
        with self._own.lock:  # held while telling: another thread that heard the same must not tell it again
            if self._own.epoch != epoch:
                self._tell(list(self._own.recent) if self._own.epoch else [])
                self._own.epoch = epoch
                self._own.off_book.clear()

    def _tell_what_was_off_book(self) -> None:
        if self._own.off_book and not self._shared.is_away:
            with self._own.lock:
                sent = list(self._own.off_book)
            if self._tell(sent):
                self._own.off_book.clear()

    def _tell(self, sent: list[float]) -> bool:
        now, window = time.monotonic(), self.window + self.guard
        ages = [round((now - at) * MICRO) for at in sent if now - at < window]
        args: list[int | str] = [uuid.uuid4().hex, round(window * 4000), *ages]
        return not ages or self._shared.ask(lambda: self._seed(keys=self._keys, args=args)) is not None

    def _leave(self, me: str) -> None:
        self._shared.ask(lambda: self._redis.hdel(self._keys[1], me))


NAP = 2.0  # seconds; the longest sleep before looking again, since those ahead may have given up


class _Own:
    """What this process knows by itself about one key, whichever of its RateBudget objects is asked."""

    def __init__(self, limit: int, window: float) -> None:
        self.epoch = ""
        self.recent: deque[float] = deque(maxlen=limit)  # sends, should Redis forget them
        self.off_book: deque[float] = deque(maxlen=limit)  # sends while Redis was away, to be told to it
        self.alone = _Alone(max(1, limit // 4), window)
        self.lock = threading.Lock()


_own: dict[tuple[str, int, float], _Own] = {}


class _Alone:
    """A quarter of the allowance for this process while Redis is away; four such processes still keep the
    limit."""

    def __init__(self, limit: int, window: float) -> None:
        self.limit, self.window = limit, window
        self._times: deque[float] = deque()
        self._held_until = 0.0
        self._lock = threading.Lock()

    def ask(self) -> tuple[float, str | None]:
        with self._lock:
            now = time.monotonic()
            while self._times and self._times[0] <= now - self.window:
                self._times.popleft()
            if now < self._held_until:
                return self._held_until - now, None
            if len(self._times) >= self.limit:
                return self._times[0] + self.window - now, None
            self._times.append(now)
            return 0.0, ""

    def hold(self, seconds: float) -> None:
        with self._lock:
            self._held_until = max(self._held_until, time.monotonic() + seconds)

    def used(self) -> int:
        with self._lock:
            return sum(at > time.monotonic() - self.window for at in self._times)


def _whole(raw: str | None) -> int | None:
    try:
        return max(0, int(float(raw))) if raw else None
    except (ValueError, OverflowError):
        return None


def _text(part: Any) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
