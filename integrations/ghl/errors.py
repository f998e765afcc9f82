"""What GHL's answers mean for the caller: try again, look first, ask for a new token, or tell the person.

Every error says three things: `is_temporary` (the same request may work later), `maybe_done` (a write may
have taken effect although it failed: look before sending it again) and `retry_after` (seconds, or None when
GHL gave no advice). `plain` is one sentence for staff. Nothing in an error holds a token: texts are cleaned
on the way in.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

LONGEST_ADVICE, DAY = 900.0, 86_400.0  # seconds; a stray Retry-After must not park anybody for long
EXCERPT = 300  # characters of an answer worth keeping in an error

SECRETS = (
    (re.compile(r"eyJ[\w-]{6,}\.[\w-]*(\.[\w-]*)?"), "[token]"),
    (re.compile(r"\bpit-[0-9a-fA-F][\w-]+"), "[token]"),
    (re.compile(r"(?i)\bbearer\s+[^\s\"',;}]+"), "Bearer [token]"),
    (
        re.compile(
            r"(?i)(\"?(?:access_?token|refresh_?token|refresh_?token_?id|client_?secret|authorization|password|code)\"?"
            r"\s*[:=]\s*)(\"[^\"]*\"?|[^\s&,;}]+)"
        ),
        r"\1[hidden]",
    ),
)
GHLS_WORDS = {"appointmentStatus", "status", "direction", "field", "operator", "pageLimit", "limit", "skip", "page"}
PERSONAL = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\+?\d[\d ().-]{7,}\d"), "[number]"),
)


def gettext_noop(words: str) -> str:
    """Marks them for the translators; whoever shows them translates. Nothing in here needs Django for that."""
    return words


class GhlError(Exception):
    is_temporary = False
    maybe_done = False
    retry_after: float | None = None
    breaker_open = False  # the breaker is open by now: `retry_after` counts to the next look
    plain = gettext_noop("GoHighLevel could not do this.")

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        trace_id: str | None = None,
        body: str = "",
        retry_after: float | None = None,
        messages: list[str] | None = None,
    ) -> None:
        self.message = without_personal(message)
        self.status = status
        self.trace_id = trace_id
        self.body = without_personal(body)[:EXCERPT]
        self.messages = [without_secrets(each) for each in messages or []]
        if retry_after is not None:
            self.retry_after = retry_after
        self._exchange: dict[str, Any] = {}
        super().__init__(self.message)

    def belongs_to(self, method: str, path: str, *, duration: float | None, retries: int, sent: Any) -> None:
        """Remember which request this answers. `path` is the template; of `sent` (the body and the query) only
        this is kept: its values are struck out of GHL's sentences."""
        values = sorted(set(_values_in(sent)), key=len, reverse=True)
        told = [without_personal(without_query(each)) for each in self.messages]
        for value in values:
            told = [re.sub(rf"(?i)(?<!\w){re.escape(value)}(?!\w)", "[value]", each) for each in told]
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._exchange = {"method": method, "path": path, "messages": told, "at": at}
        self._exchange |= {"duration": duration and round(duration, 3), "retries": retries}

    def exchange(self) -> dict[str, Any]:
        """What a dead letter may show of the request that failed, ready for JSON: method, path (the template),
        status, trace_id, messages (GHL's sentences), at (ISO), duration (seconds, None when nothing was sent),
        retries, outcome.
        Never a token, a query string, a person's address or number, or a value that was sent."""
        blank: dict[str, Any] = {"method": "", "path": "", "messages": [], "at": "", "duration": None, "retries": 0}
        outcome = {"status": self.status, "trace_id": self.trace_id, "outcome": type(self).__name__}
        return blank | self._exchange | outcome

    def __str__(self) -> str:
        told = [self.message or self.plain]
        if self.status:
            told.append(f"status {self.status}")
        if self.trace_id:
            told.append(f"trace {self.trace_id}")
        return ", ".join(told)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class RateLimited(GhlError):
    """429: GHL did nothing with this request."""

    is_temporary = True
    plain = gettext_noop("GoHighLevel asks us to slow down. We try again by ourselves.")


class BudgetExhausted(RateLimited):
    """Our own limiter gave no slot in time. Nothing was sent."""

    plain = gettext_noop("Too much is waiting for GoHighLevel just now. We try again by ourselves.")


class DailyLimitReached(RateLimited):
    """The requests of this day are spent. `retry_after` counts to the reset."""

    plain = gettext_noop("Today's requests to GoHighLevel are used up. We continue when the day's count starts anew.")


class Unavailable(GhlError):
    """5xx. A write may have happened before the answer broke."""

    is_temporary = True
    maybe_done = True
    plain = gettext_noop("GoHighLevel has a problem at the moment. We try again by ourselves.")


class NoAnswer(GhlError):
    """Something was sent and no whole answer came back."""

    is_temporary = True
    maybe_done = True
    plain = gettext_noop("GoHighLevel did not answer in time. We check what arrived and go on from there.")


class NotSent(GhlError):
    """No connection: not one byte of the request left us, so sending it again is safe."""

    is_temporary = True
    plain = gettext_noop("GoHighLevel could not be reached. We try again by ourselves.")


class Paused(GhlError):
    """Our own breaker is open: nothing was sent. `retry_after` counts to the next look at GHL."""

    is_temporary = True
    plain = gettext_noop("GoHighLevel does not answer for this account at the moment. We look again by ourselves.")


class TokenRejected(GhlError):
    """401: the token is invalid or has expired. A new token may help."""

    plain = gettext_noop("GoHighLevel no longer accepts our access. The connection may need to be renewed.")


class ScopeMissing(GhlError):
    """401 that no new token cures: the permission was never given, or the plan lacks the feature."""

    plain = gettext_noop("GoHighLevel has not given us permission for this. Connect again and allow it.")


class LocationDenied(GhlError):
    """403, or the location is suspended (`suspended`)."""

    suspended = False
    plain = gettext_noop("GoHighLevel does not let us into this location.")


class NotFound(GhlError):
    """The record itself is gone (`what` names the kind GHL missed, when it said so). Never a missing
    route."""

    what = ""
    plain = gettext_noop("GoHighLevel no longer has this record.")


class Duplicate(GhlError):
    """The location keeps e-mail or phone unique; `contact_id` already has this one."""

    contact_id = ""
    matching_field = ""
    plain = gettext_noop("GoHighLevel already has a contact with this e-mail or phone.")


class Invalid(GhlError):
    """GHL refuses the values; `messages` are its sentences.

    After a 422 on a create `maybe_done` is True: GHL has been seen to answer 422 and create the contact all
    the same (highlevel-api-docs#64). Look for it; when it is not there, the refusal stands.
    """

    plain = gettext_noop("GoHighLevel refuses these values.")


class BadAnswer(GhlError):
    """The answer is not what the operation promises: no JSON, the wrong shape, or a redirect."""

    is_temporary = True
    maybe_done = True
    plain = gettext_noop("GoHighLevel gave an answer we cannot read. We try again by ourselves.")


def error_for(response: requests.Response) -> GhlError | None:
    """The error this answer means, or None when it is a success. The only reader of status codes."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    body, text = _body(response)
    messages = _messages(body)
    said = "; ".join(messages)
    facts: dict[str, Any] = {
        "status": status,
        "trace_id": trace_id_of(body),
        "body": text,
        "messages": messages,
        "retry_after": _capped(retry_after_of(response.headers), LONGEST_ADVICE),
    }
    if status == 429:
        return _slow_down(response, said, facts)
    if status == 408 or status >= 500:
        return Unavailable(said or response.reason or "", **facts)
    if status < 400 or (not body and status not in (401, 403)):
        return BadAnswer(f"answered {status} without a readable body", **facts)
    if status == 401:
        return _unauthorised(said, facts)
    if status == 403 or (status == 400 and re.search(r"(?i)location\b.*\b(not active|inactive|suspended)", said)):
        denied = LocationDenied(said, **facts)
        denied.suspended = status == 400
        return denied
    return _refused(response, status, body, said, facts)


def _slow_down(response: requests.Response, said: str, facts: dict[str, Any]) -> GhlError:
    headers = response.headers
    if headers.get("x-ratelimit-daily-remaining", "").strip() == "0" or "daily" in said.lower():
        reset = _number(headers.get("x-ratelimit-daily-reset"))
        if reset is not None:
            facts["retry_after"] = min(reset / 1000, DAY)
        return DailyLimitReached(said or "daily limit reached", **facts)
    if facts["retry_after"] is None:
        interval = _number(headers.get("x-ratelimit-interval-milliseconds"))
        facts["retry_after"] = interval / 1000 if interval is not None else None
    return RateLimited(said or "too many requests", **facts)


def _unauthorised(said: str, facts: dict[str, Any]) -> GhlError:
    if re.search(r"(?i)\bscopes?\b|access to this feature", said):
        return ScopeMissing(said, **facts)
    if re.search(r"(?i)version header", said):  # our mistake; a new token would not cure it
        return Invalid(said, **facts)
    return TokenRejected(said or "token rejected", **facts)


def _refused(
    response: requests.Response, status: int, body: dict[str, Any], said: str, facts: dict[str, Any]
) -> GhlError:
    meta = body.get("meta")
    if status in (400, 409) and isinstance(meta, dict) and meta.get("contactId"):
        duplicate = Duplicate(said, **facts)
        duplicate.contact_id = str(meta["contactId"])
        duplicate.matching_field = str(meta.get("matchingField") or "")
        return duplicate
    missing = _what_is_missing(response, status, said)
    if missing is not None:
        gone = NotFound(said, **facts)
        gone.what = missing
        return gone
    invalid = Invalid(said or f"answered {status}", **facts)
    invalid.maybe_done = status == 422 and _method(response) == "POST"
    return invalid


def _what_is_missing(response: requests.Response, status: int, said: str) -> str | None:
    """The kind of record GHL misses ("" when unnamed), or None when this is another refusal.

    "Cannot GET /x" is a route, not a record; and "user not found" on a contact's address is about a value we
    sent. Reading either as "gone" would delete good rows.
    """
    if re.match(r"(?i)cannot (get|post|put|patch|delete)\b", said):
        return None
    named = re.search(
        r"(?i)\b(contact|note|task|appointment|event|calendar|business|location|user|tag)s?\b[^.;]{0,80}?\bnot found\b",
        said,
    )
    if named:
        what = named[1].lower()
        address = (response.request.path_url if response.request is not None else "").lower()
        stem = {"business": "business", "appointment": "event"}.get(what, what)
        return what if status in (400, 404) and (not address or f"/{stem}" in address) else None
    return "" if status == 404 else None


def without_secrets(text: str) -> str:
    """The text with anything token-like hidden; what GHL says to people stays readable."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def without_query(text: str) -> str:
    """GHL repeats the whole address of a route it does not know."""
    return re.sub(r"\?[^\s\"']+", "", text)


def without_personal(text: str) -> str:
    """As without_secrets, and without e-mail addresses and phone numbers: fit for a log."""
    text = without_secrets(text)
    for pattern, instead in PERSONAL:
        text = pattern.sub(instead, text)
    return text


def _values_in(sent: Any, key: str = "") -> Iterator[str]:
    """The texts and numbers that were sent, but for ids and GHL's own words: those help whoever reads the
    sentence."""
    if isinstance(sent, Mapping):
        for name, value in sent.items():
            yield from _values_in(value, str(name))
    elif isinstance(sent, list | tuple):
        for value in sent:
            yield from _values_in(value, key)
    elif isinstance(sent, str | int | float) and not isinstance(sent, bool):
        text = str(sent).strip()
        if len(text) > 1 and key not in GHLS_WORDS and not re.search(r"(^id|Ids?|^ids)$", key):
            yield text


def retry_after_of(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds asked for by Retry-After, written as seconds or as an HTTP date; None when absent or
    unreadable."""
    raw = (headers.get("Retry-After") or "").strip()
    if not raw:
        return None
    seconds = _number(raw)
    if seconds is None:
        try:
            moment = parsedate_to_datetime(raw)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds)


def _capped(seconds: float | None, longest: float) -> float | None:
    return None if seconds is None else min(seconds, longest)


def trace_id_of(body: Any) -> str | None:
    trace = body.get("traceId") if isinstance(body, dict) else None
    return str(trace)[:80] if trace else None


def _body(response: requests.Response) -> tuple[dict[str, Any], str]:
    text = response.content.decode("utf-8", "replace")[:20_000]
    try:
        body = response.json()
    except ValueError:
        return {}, text
    return (body if isinstance(body, dict) else {}), text


def _messages(body: dict[str, Any]) -> list[str]:
    """GHL's sentences: a string, a list, or the v3 envelope {error: {message, details}}."""
    inner = body.get("error")
    found = body.get("message") or (inner.get("message") if isinstance(inner, dict) else None)
    found = found or body.get("error_description") or inner
    parts = found if isinstance(found, list) else [found]
    return [str(part)[:500] for part in parts if part and not isinstance(part, dict)]


def _method(response: requests.Response) -> str:
    return (response.request.method or "").upper() if response.request is not None else ""


def _number(raw: str | None) -> float | None:
    try:
        value = float(raw) if raw else None
    except ValueError:
        return None
    return value if value is None or 0 <= value < 1e9 else None
