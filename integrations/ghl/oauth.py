"""Consent and tokens. HighLevel has no PKCE, and a refresh token works once: an error here decides over a
connection.

- GrantDead: this code or refresh token will never work again (look at the stored one first: another worker
  may have renewed it).
- GrantRefused: refused for now or for another reason: `is_suspended` the location, `is_client` our own client
  id or secret. The token may still be good.
- Unavailable, NoAnswer, BadAnswer: temporary, but GHL may have rotated already (`maybe_done`): try the same
  refresh token once more.
- NotSent, Paused, RateLimited: nothing happened.
No error, repr or log line holds a token, a code or a secret. With a `breaker` (the token host's own) nothing
is sent while that host does not answer: Paused.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from . import wire
from .breaker import Breaker
from .errors import BadAnswer, GhlError, LocationDenied, Unavailable, error_for, gettext_noop
from .versions import version_for

log = logging.getLogger(__name__)

TIMEOUT = 20.0  # seconds in total; shorter than any lease on a refresh
AUTHORIZE, TOKEN, LOCATION_TOKEN = "/v2/oauth/chooselocation", "/oauth/token", "/oauth/locationToken"
INSTALLED = "/oauth/installedLocations"
PAGE, MOST_PAGES = 100, 1000
DEAD = re.compile(
    r"(?i)invalid_grant|refresh.?token|\bcode\b.*(invalid|expired|used)|(invalid|expired|used)\b.*\bcode\b|revoked|jwt"
)
SUSPENDED = re.compile(r"(?i)\b(location|sub-?account)\b.*\b(not active|inactive|suspended|paused)\b")
CLIENT = re.compile(r"(?i)invalid_client|unauthorized_client|client.?(id|secret)|client (credentials|authentication)")


def _silence(name: str) -> None:
    """requests-oauthlib writes tokens and secrets at debug level (requests-oauthlib#536). The filter holds
    even if someone turns the level up."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    logger.addFilter(lambda record: record.levelno > logging.DEBUG)


_silence("requests_oauthlib.oauth2_session")


class GrantDead(GhlError):
    plain = gettext_noop("GoHighLevel has ended this connection. Please connect again.")


class GrantRefused(GhlError):
    """`is_client` when it is our client id or secret that GHL refuses, not this connection; `is_suspended`
    when GHL has put the location to sleep: its token works again when the location does."""

    is_client = False
    is_suspended = False
    plain = gettext_noop("GoHighLevel refuses to renew this connection at the moment.")


@dataclass(frozen=True)
class TokenGrant:
    """`expires_in` seconds from the moment of the answer. `location_id` is "" for a company's token,
    `refresh_token` "" where GHL sent none."""

    access_token: str
    refresh_token: str
    expires_in: int
    scopes: tuple[str, ...]
    user_type: str
    company_id: str
    location_id: str
    user_id: str

    def __repr__(self) -> str:
        return (
            f"TokenGrant(user_type={self.user_type!r}, company_id={self.company_id!r},"
            f" location_id={self.location_id!r}, expires_in={self.expires_in}, tokens hidden)"
        )

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """From v2 or v3 names."""

        def said(*names: str) -> str:
            return next((str(body[name]) for name in names if body.get(name)), "")

        try:
            expires_in = int(float(said("expires_in", "expiresIn") or 0))
        except (ValueError, OverflowError):
            expires_in = 0
        access_token = said("access_token", "accessToken")
        if not access_token or expires_in <= 0:
            raise BadAnswer("the answer holds no token with a lifetime")
        location, company = said("locationId"), said("companyId")
        user_type = said("userType", "user_type") or ("Location" if location else "Company" if company else "")
        return cls(
            access_token, said("refresh_token", "refreshToken"), expires_in, tuple(said("scope").split()),
            user_type, company, location, said("userId"),
        )  # fmt: skip


@dataclass(frozen=True)
class InstalledLocation:
    id: str
    name: str
    address: str
    is_installed: bool


def authorize_url(marketplace_base: str, client_id: str, redirect_uri: str, scopes: Iterable[str], state: str) -> str:
    """Where the person is sent to choose a location. `state` must be unguessable, single-use and bound to the
    session."""
    session = OAuth2Session(client_id, redirect_uri=redirect_uri, scope=list(scopes))
    address = marketplace_base.rstrip("/") + AUTHORIZE
    url, _ = session.authorization_url(_as_https(address), state=state)
    return _back(str(url), address)


def exchange_code(
    api_base: str,
    client_id: str,
    client_secrets: str | Sequence[str],
    redirect_uri: str,
    code: str,
    user_type: str = "Location",
    timeout: float = TIMEOUT,
    breaker: Breaker | None = None,
) -> TokenGrant:
    """The tokens for a code, which works once. During a rotation several client secrets may be given.

    An agency's consent gives a company's token whatever `user_type` asks for: look at the grant's.
    """

    def fetch(session: OAuth2Session, url: str, secret: str, timeouts: tuple[float, float]) -> Any:
        return session.fetch_token(
            url, code=code, client_secret=secret, include_client_id=True, user_type=user_type, timeout=timeouts
        )

    return _with_each_secret(
        api_base, client_id, client_secrets, fetch, timeout, breaker, redirect_uri=redirect_uri, hide=(code,)
    )


def refresh(
    api_base: str,
    client_id: str,
    client_secrets: str | Sequence[str],
    refresh_token: str,
    user_type: str = "Location",
    redirect_uri: str | None = None,
    timeout: float = TIMEOUT,
    breaker: Breaker | None = None,
) -> TokenGrant:
    """A new pair for a refresh token, which dies by this. Store both before using either."""

    def fetch(session: OAuth2Session, url: str, secret: str, timeouts: tuple[float, float]) -> Any:
        extra: dict[str, Any] = {"redirect_uri": redirect_uri} if redirect_uri else {}
        return session.refresh_token(
            url, refresh_token=refresh_token, client_id=client_id, client_secret=secret, user_type=user_type,
            timeout=timeouts, **extra,
        )  # fmt: skip

    return _with_each_secret(api_base, client_id, client_secrets, fetch, timeout, breaker, hide=(refresh_token,))


def location_token(
    api_base: str,
    company_token: str,
    company_id: str,
    location_id: str,
    timeout: float = TIMEOUT,
    breaker: Breaker | None = None,
) -> TokenGrant:
    """A location's token from its company's: the way back when a location's refresh token is lost. Its own
    refresh token comes with it where GHL sends one."""
    form = {"companyId": company_id, "locationId": location_id}
    answer = _as_company("POST", api_base, LOCATION_TOKEN, company_token, timeout, breaker, data=form)
    return TokenGrant.read({"userType": "Location", "companyId": company_id, "locationId": location_id} | answer)


def installed_locations(
    api_base: str,
    company_token: str,
    company_id: str,
    app_id: str,
    timeout: float = TIMEOUT,
    breaker: Breaker | None = None,
) -> list[InstalledLocation]:
    """Every location of the company with its word about our app. `app_id` is the part of the client id before
    the dash. BadAnswer rather than a list that only looks complete. `timeout` is for each page."""
    found: dict[str, InstalledLocation] = {}
    for _ in range(MOST_PAGES):
        params = {"companyId": company_id, "appId": app_id, "skip": str(len(found)), "limit": str(PAGE)}
        answer = _as_company("GET", api_base, INSTALLED, company_token, timeout, breaker, params=params)
        rows = answer.get("locations")
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and (row.get("_id") or row.get("id")) for row in rows
        ):
            raise BadAnswer("the answer holds no list of locations")
        before = len(found)
        found |= {each.id: each for each in map(_installed, rows)}
        total = answer.get("count")
        if not rows or (len(rows) < PAGE and not (isinstance(total, int) and len(found) < total)):
            return list(found.values())
        if len(found) == before:
            break
    raise BadAnswer("the list of locations does not move on")


def _installed(row: dict[str, Any]) -> InstalledLocation:
    name, address = (str(row.get(key) or "") for key in ("name", "address"))
    return InstalledLocation(str(row.get("_id") or row.get("id")), name, address, row.get("isInstalled") is True)


def _as_company(
    method: str, api_base: str, path: str, token: str, timeout: float, breaker: Breaker | None, **sent: Any
) -> dict[str, Any]:
    url = api_base.rstrip("/") + path
    headers = {"Authorization": f"Bearer {token}", "Version": version_for(path)}

    def send(session: requests.Session, timeouts: tuple[float, float]) -> requests.Response:
        return session.request(
            method, url, headers=headers, timeout=timeouts, allow_redirects=False, stream=True, **sent
        )

    with _watched(breaker), wire.new_session(api_base) as session:
        session.trust_env = False  # else a .netrc entry replaces the token
        response, _ = wire.ask(timeout, partial(send, session))
        error = error_for(response)
        if error is None:
            return _json(response)
        if isinstance(error, LocationDenied) and error.suspended:
            refused = GrantRefused(error.message, status=error.status, trace_id=error.trace_id)
            refused.is_suspended = True
            raise refused
        raise error


def _watched(breaker: Breaker | None) -> AbstractContextManager[None]:
    return breaker.watch("token") if breaker is not None else nullcontext()


def _with_each_secret(
    api_base: str,
    client_id: str,
    secrets: str | Sequence[str],
    fetch: Callable[[OAuth2Session, str, str, tuple[float, float]], Any],
    timeout: float,
    breaker: Breaker | None,
    redirect_uri: str | None = None,
    hide: Sequence[str] = (),
) -> TokenGrant:
    secrets = [secrets] if isinstance(secrets, str) else [secret for secret in secrets if secret]
    if not secrets:
        raise ValueError("no client secret is set")
    address = api_base.rstrip("/") + TOKEN
    if not address.startswith("https://") and not _is_plain_loopback(address):
        raise ValueError("tokens travel over https only, except on this machine")
    for left, secret in zip(reversed(range(len(secrets))), secrets, strict=True):
        asked = _Asked(hide=(*hide, *secrets))
        probe = breaker.before("token") if breaker is not None else ""
        with _Session(client_id, redirect_uri=redirect_uri) as session:
            _fit(session, address)
            for hook in ("access_token_response", "refresh_token_response"):
                session.register_compliance_hook(hook, asked.keep)
            failure = asked.run(timeout, partial(fetch, session, _as_https(address), secret))
        if failure is None and asked.grant is None:
            failure = BadAnswer("the token answer was not read")
        if breaker is not None:
            breaker.after(failure, probe)
        if failure is None and asked.grant is not None:
            return asked.grant
        assert failure is not None
        if left and (failure.status == 401 or getattr(failure, "is_client", False)):
            log.info("GHL refused a client secret (status %s); trying the next", failure.status)
            continue
        raise failure
    raise AssertionError("unreachable")


class _Session(OAuth2Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: a redirect would carry the client's secret and the token to another address."""


class _Asked:
    """One question to the token endpoint, and what came of it, read by us before oauthlib sees it."""

    def __init__(self, hide: Sequence[str]) -> None:
        self.hide = [each for each in hide if each]
        self.grant: TokenGrant | None = None

    def run(self, seconds: float, fetch: Callable[[tuple[float, float]], Any]) -> GhlError | None:
        def send(timeouts: tuple[float, float]) -> requests.Response:
            fetch(timeouts)
            return _nothing_more_to_read()

        try:
            wire.ask(seconds, send)
        except GhlError as error:
            return error
        except (OAuth2Error, ValueError):
            return None if self.grant else BadAnswer("the token answer was not read")
        return None

    def keep(self, response: requests.Response) -> requests.Response:
        error = self._error(response)
        if error is not None:
            raise error
        self.grant = TokenGrant.read(_json(response))
        return response

    def _error(self, response: requests.Response) -> GhlError | None:
        error = error_for(response)
        if error is None:
            return None
        status, said = response.status_code, self._said(response)
        facts: dict[str, Any] = {"status": status, "trace_id": error.trace_id}
        if status == 429 or status == 408 or status >= 500:
            error.message = ""  # whatever a proxy wrote
            error.body = ""
            error.messages = []
            error.args = (type(error).__name__,)
            return error
        if status < 400:
            return Unavailable("the token endpoint sent us elsewhere", **facts)
        if not _is_object(response):  # a proxy's page: no word of GHL, so no reason to give up a connection
            return BadAnswer("the token endpoint's answer is not JSON", **facts)
        if CLIENT.search(said) and "invalid_grant" not in said:
            refused = GrantRefused(said, **facts)
            refused.is_client = True
            return refused
        if SUSPENDED.search(said) and "invalid_grant" not in said:
            refused = GrantRefused(said, **facts)
            refused.is_suspended = True
            return refused
        if status == 401 or (status in (400, 403) and DEAD.search(said)):
            return GrantDead(said, **facts)
        return GrantRefused(said, **facts)

    def _said(self, response: requests.Response) -> str:
        """GHL's words without anything we sent or were given."""
        try:
            body = response.json()
        except ValueError:
            return ""
        parts = [body.get(key) for key in ("error", "error_description", "message")] if isinstance(body, dict) else []
        words = "; ".join(str(part)[:200] for part in parts if isinstance(part, str | list) and part)
        for secret in self.hide:
            words = words.replace(secret, "[hidden]")
        return words


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadAnswer("the token answer is not a JSON object", status=response.status_code)
    return body


def _is_object(response: requests.Response) -> bool:
    try:
        return isinstance(response.json(), dict)
    except ValueError:
        return False


def _nothing_more_to_read() -> requests.Response:
    response = requests.Response()
    response._content, response._content_consumed = b"", True  # type: ignore[attr-defined]
    return response


# oauthlib insists on https and offers only a process-wide switch against it. The pretend GHL runs on this
# machine without TLS, so for loopback hosts, and only for them, oauthlib is shown https and the request goes
# out as http.


class _LoopbackAdapter(wire.DeadlineAdapter):
    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = _as_http(request.url or "")
        return super().send(request, *args, **kwargs)


def _fit(session: OAuth2Session, address: str) -> None:
    wire.fit_session(session, address)
    session.trust_env = session.trust_env and not wire.is_loopback(address)
    if _is_plain_loopback(address):
        parts = urlsplit(address)
        session.mount(f"https://{parts.netloc}/", _LoopbackAdapter())


def _is_plain_loopback(address: str) -> bool:
    return address.startswith("http://") and wire.is_loopback(address)


def _as_https(address: str) -> str:
    return "https://" + address.removeprefix("http://") if _is_plain_loopback(address) else address


def _as_http(address: str) -> str:
    return "http://" + address.removeprefix("https://")


def _back(url: str, address: str) -> str:
    return _as_http(url) if _is_plain_loopback(address) else url
