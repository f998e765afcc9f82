"""Requests to GHL: one budget slot each, a deadline that holds, and a second try only where it is
harmless."""

import json as jsonlib
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from requests.auth import AuthBase

from . import wire
from .breaker import Breaker
from .errors import (
    BadAnswer,
    BudgetExhausted,
    DailyLimitReached,
    GhlError,
    NotSent,
    Paused,
    RateLimited,
    TokenRejected,
    error_for,
    trace_id_of,
)
from .limits import Grant, RateBudget, RateHeaders
from .versions import version_for

log = logging.getLogger(__name__)

BASE, CAP = 0.5, 30.0  # seconds of the backoff
RETRIES = {"interactive": 2}  # a waiting person is better served by an honest "later"; others get the default
PATIENCE = {
    "interactive": 15.0,
    "webhook": 45.0,
}  # longest single pause; a longer one is the caller's to plan
LONG_PATIENCE = 90.0
STALE = 1.0  # seconds in the queue after which the breaker is asked again


class TokenSource(Protocol):
    """Gives the access token. With `rejected`, GHL refused that one: give a newer one, or the same if none
    is."""

    def __call__(self, rejected: str | None = None) -> str: ...


@dataclass(frozen=True)
class Exchange:
    """One attempt. Times in seconds; `waited` is what was spent before it on the budget and the backoff."""

    method: str
    path: str  # the template, without ids
    lane: str
    attempt: int
    status: int | None
    duration: float
    waited: float
    trace_id: str | None
    rate: RateHeaders | None
    outcome: str  # "ok" or the error's name
    maybe_done: bool  # a write that may have taken effect although it failed
    error: GhlError | None = None


def pause_before(attempt: int, advised: float | None, draw: float) -> float:
    """Seconds to wait before retry number `attempt` (1, 2, …). `draw` is random in [0, 1).

    Full jitter, so that many waiting workers do not return together. Advice from GHL is a floor: never
    earlier, and some time later for the same reason, at least up to a second.
    """
    spread = min(CAP, BASE * 2.0 ** (attempt - 1))
    return draw * spread if advised is None else advised + draw * max(1.0, spread)


class Transport:
    """Speaks to GHL for one connection.

    `token` is asked for the access token of each attempt; after a 401 it is asked once more with `rejected`.
    `timeout` is the total for one attempt, connecting and reading the body included, in seconds. (Only name
    resolution and hosts with several dead addresses can exceed it: 5 s each.) Reads, and POSTs called with
    `safe=True`, are tried again on temporary errors, `retries` times (default 4, fewer for interactive).
    Writes are tried again only when GHL certainly did nothing: nothing was sent, a 429, or the one 401 that a
    new token answers. With a `breaker`, nothing is sent while GHL does not answer: Paused, at once and never
    tried again here; and the failure that opened it ends the retries. Usable from several threads: each has
    its own requests.Session. A `session` given is used as it is by all.
    """

    def __init__(
        self,
        base_url: str,
        token: TokenSource,
        budget: RateBudget | None = None,
        *,
        breaker: Breaker | None = None,
        timeout: float = 20.0,
        session: requests.Session | None = None,
        lane: str = "interactive",
        retries: int | None = None,
        patience: float | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.token, self.budget, self.breaker, self.timeout, self.lane = token, budget, breaker, timeout, lane
        self.allowed_retries, self.patience, self.on_exchange = retries, patience, on_exchange
        # Called right before each write leaves, when every wait is over; what it raises keeps it from being sent.
        self.before_write: Callable[[], None] | None = None
        self.requests_sent = 0  # attempts of which at least a byte left this machine
        self.retries = 0
        self.last_rate: RateHeaders | None = None
        self._sleep, self._draw = sleep, draw
        self._given_session = session
        if session is not None:
            wire.fit_session(session, base_url)
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        safe: bool | None = None,
        template: str | None = None,
        version: str | None = None,
        lane: str | None = None,
    ) -> dict[str, Any]:
        """The JSON object GHL answers with. Raises a GhlError. `safe`: repeating it does no harm (default:
        GET)."""
        call = _Call(
            method, path, params, json, template or path, version or version_for(path), lane or self.lane,
            method == "GET" if safe is None else safe,
        )  # fmt: skip
        tries = self.allowed_retries if self.allowed_retries is not None else RETRIES.get(call.lane, 4)
        patience = self._patience(call.lane)
        token = self.token()
        renewed = False
        attempt, waited = 1, 0.0
        while True:
            try:
                return self._once(call, token, attempt, waited)
            except TokenRejected as error:
                fresh = None if renewed else self.token(rejected=token)
                if fresh is None or fresh == token:
                    raise
                token, renewed, waited = fresh, True, 0.0
                log.info(
                    "GHL refused the token of %s %s (trace %s); trying a newer one",
                    method,
                    call.template,
                    error.trace_id,
                )
            except GhlError as error:
                if isinstance(error, BudgetExhausted | DailyLimitReached | Paused) and error.status is None:
                    error.belongs_to(method, call.template, duration=None, retries=attempt - 1, sent=None)
                waited = pause_before(attempt, error.retry_after, self._draw())
                if not self._may_repeat(call, error) or attempt > tries or waited > patience:
                    raise
                log.info(
                    "GHL %s %s: %s (status %s, trace %s); attempt %d in %.1f s",
                    method, call.template, type(error).__name__, error.status, error.trace_id, attempt + 1, waited,
                )  # fmt: skip
                attempt += 1
                self._sleep(waited)
            with self._lock:
                self.retries += 1

    def close(self) -> None:
        """Close a session that was given. Our own stay open for the thread's next transport."""
        if self._given_session is not None:
            self._given_session.close()

    def _may_repeat(self, call: "_Call", error: GhlError) -> bool:
        if not error.is_temporary or isinstance(error, BudgetExhausted | DailyLimitReached | Paused):
            return False
        if error.breaker_open:
            return False
        return call.safe or isinstance(error, NotSent | RateLimited)

    def _once(self, call: "_Call", token: str, attempt: int, waited: float) -> dict[str, Any]:
        if self.breaker is None:
            return self._exchange(call, token, attempt, waited, self._grant(call))
        probe = self.breaker.before(call.lane)
        try:
            grant = self._grant(call)
            if grant is not None and grant.waited > STALE:
                probe = self.breaker.before(call.lane, probe)
            body = self._exchange(call, token, attempt, waited, grant)
        except Paused:
            raise
        except BaseException as error:
            peace = self.breaker.after(error, probe)
            if isinstance(error, GhlError) and peace:
                error.breaker_open = True
                error.retry_after = max(peace, error.retry_after or 0.0)
            raise
        self.breaker.after(None, probe)
        return body

    def _grant(self, call: "_Call") -> Grant | None:
        return self.budget.acquire(call.lane, timeout=self._patience(call.lane)) if self.budget is not None else None

    def _exchange(self, call: "_Call", token: str, attempt: int, waited: float, grant: Grant | None) -> dict[str, Any]:
        waited += grant.waited if grant is not None else 0.0
        if self.before_write is not None and not call.safe:
            self.before_write()
        begun = time.monotonic()
        response, error = None, None
        body: dict[str, Any] = {}
        try:
            response, sent_at = wire.ask(self.timeout, lambda timeouts: self._send(call, token, timeouts))
            error = error_for(response)
            body, unreadable = _object(response) if error is None else ({}, None)
            error = error or unreadable
        except GhlError as failed:
            error, sent_at = failed, (begun if not isinstance(failed, NotSent) else None)
        trace_id = error.trace_id if error else trace_id_of(body)
        self._account(call, response, error, trace_id, begun, sent_at, grant, attempt, waited)
        if error is not None:
            raise error
        return body

    def _send(self, call: "_Call", token: str, timeouts: tuple[float, float]) -> requests.Response:
        headers = {"Version": call.version, "Accept": "application/json"}
        data = None
        if call.json is not None:
            data = jsonlib.dumps(call.json, ensure_ascii=False, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        return self._session().request(
            call.method, self.base_url + call.path, params=call.params, data=data, headers=headers,
            auth=_Bearer(token), timeout=timeouts, allow_redirects=False, stream=True,
        )  # fmt: skip

    def _account(
        self, call: "_Call", response: requests.Response | None, error: GhlError | None, trace_id: str | None,
        begun: float, sent_at: float | None, grant: Grant | None, attempt: int, waited: float,
    ) -> None:  # fmt: skip
        duration = time.monotonic() - begun
        rate = RateHeaders.read(response.headers) if response is not None else None
        if error is not None:
            sent = [call.json, call.params]
            error.belongs_to(call.method, call.template, duration=duration, retries=attempt - 1, sent=sent)
        with self._lock:
            self.requests_sent += sent_at is not None
            self.last_rate = rate or self.last_rate
        if self.budget is not None and grant is not None:
            self.budget.settle(grant)
            if rate is not None:
                self.budget.observe(rate, age=duration)
            if isinstance(error, RateLimited):
                crowded = not isinstance(error, DailyLimitReached)
                self.budget.penalise(_penalty(error, self.budget.window), crowded)
        if self.on_exchange is None:
            return
        exchange = Exchange(
            method=call.method, path=call.template, lane=call.lane, attempt=attempt, waited=waited, duration=duration,
            status=response.status_code if response is not None else None, rate=rate,
            trace_id=trace_id, outcome=type(error).__name__ if error else "ok",
            maybe_done=bool(error and error.maybe_done and not call.safe), error=error,
        )  # fmt: skip
        try:
            self.on_exchange(exchange)
        except Exception:  # a listener's fault must not turn a write that arrived into one that seems to have failed
            log.exception("A listener failed on %s %s", call.method, call.template)

    def _patience(self, lane: str) -> float:
        return self.patience if self.patience is not None else PATIENCE.get(lane, LONG_PATIENCE)

    def _session(self) -> requests.Session:
        return self._given_session or wire.session_for(self.base_url)


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, Any] | None
    json: Any
    template: str
    version: str
    lane: str
    safe: bool


class _Bearer(AuthBase):
    """As auth rather than as a header: requests would let a .netrc entry replace a header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _penalty(error: RateLimited, window: float) -> float:
    """Seconds everyone waits."""
    return window if error.retry_after is None else error.retry_after


def _object(response: requests.Response) -> tuple[dict[str, Any], BadAnswer | None]:
    if not response.content.strip():
        if response.status_code == 204:
            return {}, None
        return {}, BadAnswer("an empty answer", status=response.status_code)
    try:
        body = response.json()
    except ValueError:
        return {}, BadAnswer("the answer is not JSON", status=response.status_code)
    if not isinstance(body, dict):
        return {}, BadAnswer("the answer is not an object", status=response.status_code, trace_id=None)
    # Pasted text may carry a NUL. It means nothing to people, and most databases refuse it.
    return (_without_nul(body) if b"\\u0000" in response.content else body), None


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nul(item) for key, item in value.items()}
    return value
