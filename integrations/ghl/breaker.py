"""Leaves GHL in peace where it does not answer, for all processes at once, and looks again by itself.

Five failures in a row open the breaker of one key (a location, or the token host). For 30 s nothing is sent;
then exactly one request goes as a probe. While probes fail the pause doubles, up to five minutes; any answer
closes the breaker. A failure is no answer, or one that says GHL itself is broken. A 4xx is an answer: GHL is
there. While Redis is away each process counts by itself.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from .errors import BadAnswer, GhlError, NoAnswer, NotSent, Paused, Unavailable
from .shared import Shared

__all__ = ["Breaker", "BreakerState", "Paused"]

log = logging.getLogger(__name__)

FAILURES = (Unavailable, NoAnswer, NotSent, BadAnswer)
MICRO = 1_000_000
LOOK_AGAIN = 10.0  # seconds; a running probe may close the breaker long before its lease ends


@dataclass(frozen=True)
class BreakerState:
    state: str  # "closed", "open" or "probing"
    failures: int  # in a row
    opens_again_in: float  # seconds until the next probe may go; 0.0 when closed, or when it may go now


class Breaker:
    """`probe_s`: a prober that says nothing for so long is taken for dead, and another one may go. It must be
    longer than a request's time-out. `clock` is for tests; without it Redis's own clock counts."""

    def __init__(
        self,
        redis_client: "redis.Redis[Any] | redis.Redis",  # type: ignore[type-arg]
        key: str,
        failures: int = 5,
        open_s: float = 30.0,
        longest_s: float = 300.0,
        *,
        probe_s: float = 60.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.key, self.failures = key, failures
        self.open_s, self.longest_s, self.probe_s = open_s, longest_s, probe_s
        self._keys = [f"{{{key}}}:breaker"]
        self._before, self._after = redis_client.register_script(BEFORE), redis_client.register_script(AFTER)
        self._state = redis_client.register_script(STATE)
        self._shared = Shared.through(redis_client)
        self._clock = clock
        self._alone = _alone.setdefault(key, _Alone())

    def before(self, lane: str = "", probe: str = "") -> str:
        """Leave to send, or Paused. Gives "" or, when this request is the probe, its id: hand it to after().
        Called once more with it, after a long wait, a probe keeps its lease."""
        me = probe or uuid.uuid4().hex
        args: list[int | str] = [self._now(), self.failures, round(self.probe_s * MICRO), me]
        row = self._shared.ask(lambda: self._before(keys=self._keys, args=args))
        verdict, wait = (_text(row[0]), int(row[1]) / MICRO) if row else self._alone.before(self, me)
        if verdict == "go":
            return ""
        if verdict == "probe":
            if not probe:
                log.info("GHL %s: one request of %s goes as a probe", self.key, lane or "no lane")
            return me
        if verdict == "probing":
            wait = min(wait, LOOK_AGAIN)
        raise Paused(f"paused after {self.failures} failures", retry_after=wait)

    def after(self, error: BaseException | None, probe: str = "") -> float:
        """What came of it. Gives the seconds for which nothing should be sent now, 0.0 when closed."""
        verdict = self._verdict(error)
        open_us, longest_us = round(self.open_s * MICRO), round(self.longest_s * MICRO)
        args: list[int | str] = [self._now(), verdict, self.failures, open_us, longest_us, probe]
        row = self._shared.ask(lambda: self._after(keys=self._keys, args=args))
        wait, opened = (int(row[0]) / MICRO, int(row[1])) if row else self._alone.after(self, verdict, probe)
        if opened:
            log.warning("GHL %s does not answer (%s): nothing is sent for %.0f s", self.key, _name(error), wait)
        return wait

    @contextmanager
    def watch(self, lane: str = "") -> Iterator[None]:
        """before() and after() around a block that makes one request."""
        probe = self.before(lane)
        try:
            yield
        except BaseException as error:
            self.after(error, probe)
            raise
        self.after(None, probe)

    def state(self) -> BreakerState:
        row = self._shared.ask(lambda: self._state(keys=self._keys, args=[self._now(), self.failures]))
        if not row:
            return self._alone.state(self)
        return BreakerState(_text(row[0]), int(row[1]), int(row[2]) / MICRO)

    def _verdict(self, error: BaseException | None) -> str:
        if isinstance(error, FAILURES):
            return "failed"
        if error is None or (isinstance(error, GhlError) and error.status is not None):
            return "answered"
        return "nothing"  # not sent for a reason of ours, so GHL has not spoken

    def _now(self) -> str:
        return str(round(self._clock() * MICRO)) if self._clock else ""


class _Alone:
    """What this process saw by itself while Redis was away. The rules are those of the scripts below."""

    def __init__(self) -> None:
        self.failures, self.times, self.again, self.probe = 0, 0, 0.0, ""
        self.lock = threading.Lock()

    def before(self, breaker: Breaker, me: str) -> tuple[str, float]:
        with self.lock:
            now = _time(breaker)
            if self.failures < breaker.failures:
                return "go", 0.0
            if now < self.again and self.probe != me:
                return ("probing" if self.probe else "wait"), self.again - now
            self.probe, self.again = me, now + breaker.probe_s
            return "probe", 0.0

    def after(self, breaker: Breaker, verdict: str, probe: str) -> tuple[float, int]:
        with self.lock:
            now = _time(breaker)
            if verdict == "answered":
                self.failures, self.times, self.again, self.probe = 0, 0, 0.0, ""
                return 0.0, 0
            if self.failures >= breaker.failures:
                if not probe or probe != self.probe:
                    return max(0.0, self.again - now), 0
                self.probe = ""
                if verdict == "nothing":
                    self.again = now
                    return 0.0, 0
                self.times += 1
            elif verdict == "failed":
                self.failures += 1
            if verdict == "nothing" or self.failures < breaker.failures:
                return 0.0, 0
            pause = min(breaker.longest_s, breaker.open_s * 2.0**self.times)
            self.again = now + pause
            return pause, 1

    def state(self, breaker: Breaker) -> BreakerState:
        with self.lock:
            if self.failures < breaker.failures:
                return BreakerState("closed", self.failures, 0.0)
            left = max(0.0, self.again - _time(breaker))
            return BreakerState("probing" if self.probe and left else "open", self.failures, left)


_alone: dict[str, _Alone] = {}

READ = """
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local function field(name) return tonumber(redis.call('HGET', KEYS[1], name) or '0') end
local function text(number) return string.format('%.0f', number) end
local failures, again = field('failures'), field('again')
local probe = redis.call('HGET', KEYS[1], 'probe') or ''
"""

# ARGV: now or '', failures that open it, lease of a probe, me. Answers {"go" | "probe" | "wait" | "probing",
# microseconds}
BEFORE = (
    READ
    + """
if failures < tonumber(ARGV[2]) then return {'go', '0'} end
if now < again and probe ~= ARGV[4] then return {probe == '' and 'wait' or 'probing', text(again - now)} end
redis.call('HSET', KEYS[1], 'probe', ARGV[4], 'again', text(now + tonumber(ARGV[3])))
return {'probe', '0'}
"""
)

# ARGV: now or '', verdict, failures that open it, first pause, longest pause, my probe or ''. Answers
# {microseconds of peace, 1 when it has just been opened or kept open}
AFTER = (
    READ
    + """
local verdict, enough, open, longest = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if verdict == 'answered' then
  redis.call('DEL', KEYS[1])
  return {'0', '0'}
end
local times = field('times')
if failures >= enough then
  -- Only the probe decides: the others were on their way before.
  if ARGV[6] == '' or ARGV[6] ~= probe then return {text(math.max(0, again - now)), '0'} end
  redis.call('HDEL', KEYS[1], 'probe')
  if verdict == 'nothing' then
    redis.call('HSET', KEYS[1], 'again', text(now))
    return {'0', '0'}
  end
  times = times + 1
elseif verdict == 'failed' then
  failures = failures + 1
end
if verdict == 'nothing' then return {'0', '0'} end
redis.call('HSET', KEYS[1], 'failures', failures, 'times', times)
redis.call('PEXPIRE', KEYS[1], math.ceil(longest / 1000) * 12)
if failures < enough then return {'0', '0'} end
local pause = math.min(longest, open * 2 ^ times)
redis.call('HSET', KEYS[1], 'again', text(now + pause))
return {text(pause), '1'}
"""
)

# ARGV: now or '', failures that open it. Answers {state, failures, microseconds}
STATE = (
    READ
    + """
if failures < tonumber(ARGV[2]) then return {'closed', text(failures), '0'} end
local left = math.max(0, again - now)
return {probe ~= '' and left > 0 and 'probing' or 'open', text(failures), text(left)}
"""
)


def _time(breaker: Breaker) -> float:
    return breaker._clock() if breaker._clock else time.monotonic()


def _name(error: BaseException | None) -> str:
    return type(error).__name__


def _text(part: Any) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
