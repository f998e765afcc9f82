"""Consent and tokens. HighLevel has no PKCE, and a refresh token works once: an error here decides over a
connection.

- GrantDead: this code or refresh token will never work again (look at the stored one first: another worker
  may have renewed it). - GrantRefused: refused for now or for another reason, such as a suspended location or
  a wrong client secret; the token may still be good. - Unavailable, NoAnswer: temporary, but GHL may have
  rotated already (`maybe_done`): try the same refresh token once more. - NotSent: nothing happened. No error,
  repr or log line holds a token, a code or a secret.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from . import wire
from .errors import BadAnswer, GhlError, Unavailable, error_for
from .versions import version_for

log = logging.getLogger(__name__)

TIMEOUT = 20.0  # seconds in total; shorter than any lease on a refresh
AUTHORIZE, TOKEN, LOCATION_TOKEN = "/v2/oauth/chooselocation", "/oauth/token", "/oauth/locationToken"
DEAD = re.compile(
    r"(?i)invalid_grant|refresh.?token|\bcode\b.*(invalid|expired|used)|(invalid|expired|used)\b.*\bcode\b|revoked|jwt"
)
CLIENT = re.compile(r"(?i)invalid_client|unauthorized_client|client.?(id|secret)|client (credentials|authentication)")


def _silence(name: str) -> None:
    """requests-oauthlib writes tokens and secrets at debug level (requests-oauthlib#536). The filter holds
    even if someone turns the level up."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    logger.addFilter(lambda record: record.levelno > logging.DEBUG)


_silence("requests_oauthlib.oauth2_session")


class GrantDead(GhlError):
    plain = "GoHighLevel has ended this connection. Please connect again."


class GrantRefused(GhlError):
    """`is_client` when it is our client id or secret that GHL refuses, not this connection."""

    is_client = False
    plain = "GoHighLevel refuses to renew this connection at the moment."


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
        return cls(
            access_token, said("refresh_token", "refreshToken"), expires_in, tuple(said("scope").split()),
            said("userType", "user_type"), said("companyId"), said("locationId"), said("userId"),
        )  # fmt: skip


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
) -> TokenGrant:
    """The tokens for a code, which works once. During a rotation several client secrets may be given."""

    def fetch(session: OAuth2Session, url: str, secret: str, timeouts: tuple[float, float]) -> Any:
        return session.fetch_token(
            url, code=code, client_secret=secret, include_client_id=True, user_type=user_type, timeout=timeouts
        )

    return _with_each_secret(
        api_base, client_id, client_secrets, fetch, timeout, redirect_uri=redirect_uri, hide=(code,)
    )


def refresh(
    api_base: str,
    client_id: str,
    client_secrets: str | Sequence[str],
    refresh_token: str,
    user_type: str = "Location",
    redirect_uri: str | None = None,
    timeout: float = TIMEOUT,
) -> TokenGrant:
    """A new pair for a refresh token, which dies by this. Store both before using either."""

    def fetch(session: OAuth2Session, url: str, secret: str, timeouts: tuple[float, float]) -> Any:
        extra: dict[str, Any] = {"redirect_uri": redirect_uri} if redirect_uri else {}
        return session.refresh_token(
            url, refresh_token=refresh_token, client_id=client_id, client_secret=secret, user_type=user_type,
            timeout=timeouts, **extra,
        )  # fmt: skip

    return _with_each_secret(api_base, client_id, client_secrets, fetch, timeout, hide=(refresh_token,))


def location_token(
    api_base: str, company_token: str, company_id: str, location_id: str, timeout: float = TIMEOUT
) -> TokenGrant:
    """A location's token from its company's: the way back when a location's refresh token is lost."""
    url = api_base.rstrip("/") + LOCATION_TOKEN
    headers = {"Authorization": f"Bearer {company_token}", "Version": version_for(LOCATION_TOKEN)}
    form = {"companyId": company_id, "locationId": location_id}
    with wire.new_session(api_base) as session:
        session.trust_env = False  # else a .netrc entry replaces the token
        response, _ = wire.ask(
            timeout,
            lambda timeouts: session.post(
                url, data=form, headers=headers, timeout=timeouts, allow_redirects=False, stream=True
            ),
        )
    error = error_for(response)
    if error is not None:
        raise error
    body = {"userType": "Location", "companyId": company_id, "locationId": location_id} | _json(response)
    return TokenGrant.read(body)


def _with_each_secret(
    api_base: str,
    client_id: str,
    secrets: str | Sequence[str],
    fetch: Callable[[OAuth2Session, str, str, tuple[float, float]], Any],
    timeout: float,
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
        with _Session(client_id, redirect_uri=redirect_uri) as session:
            _fit(session, address)
            for hook in ("access_token_response", "refresh_token_response"):
                session.register_compliance_hook(hook, asked.keep)
            failure = asked.run(timeout, partial(fetch, session, _as_https(address), secret))
        if failure is None and asked.grant is not None:
            return asked.grant
        failure = failure or BadAnswer("the token answer was not read")
        if (left and failure.status == 401) or (left and getattr(failure, "is_client", False)):
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
        if CLIENT.search(said) and "invalid_grant" not in said:
            refused = GrantRefused(said, **facts)
            refused.is_client = True
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
