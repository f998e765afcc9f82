"""One HTTP exchange with a deadline that holds, and the knowledge whether anything left this machine.

`requests` limits each wait on the socket, so a server that drips one byte a second is never late. Here every
read and every send gets only what is left of the whole. And because the connection tells when the first byte
goes out, a failure is known to be "not sent" or "maybe done" rather than guessed from the exception's name.
"""

import ipaddress
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from io import BufferedReader, RawIOBase
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from .errors import BadAnswer, GhlError, NoAnswer, NotSent

CONNECT = 5.0  # seconds for one address to accept; a longer wait is a dead host, not a slow one
IDLE = 20.0  # seconds after which an open connection is not trusted: a half-closed one makes a write "unknown"
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes; 500 full contact rows are about 2 MB


class Exchange(threading.local):
    """The exchange this thread is in. A thread does one at a time, so no lock is needed."""

    deadline: float | None = None
    sent_at: float | None = None

    def left(self) -> float | None:
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole request took too long")
        return left


current = Exchange()


class _DeadlineReader(RawIOBase):
    def __init__(self, raw: Any, sock: Any) -> None:
        self._raw, self._sock = raw, sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = current.left()
        if left is not None:
            self._sock.settimeout(left)
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_DeadlineReader(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _DeadlineResponse

    def send(self, data: Any) -> None:
        _first_byte(self)
        super().send(data)


class _Secure(HTTPSConnection):
    response_class = _DeadlineResponse

    def send(self, data: Any) -> None:
        _first_byte(self)
        super().send(data)


def _first_byte(connection: HTTPConnection) -> None:
    if connection.sock is None:
        connection.connect()
    left = current.left()
    if left is not None and connection.sock is not None:
        connection.sock.settimeout(left)
    if current.sent_at is None:
        current.sent_at = time.monotonic()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class DeadlineAdapter(HTTPAdapter):
    """Keeps connections open between requests; never retries by itself."""

    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=4, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager = cast(PoolManager, self.poolmanager)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class _Sessions(threading.local):
    """The open sessions of one thread. Shared by all transports: what belongs to a tenant travels per request."""

    pid = 0
    by_base: dict[str, tuple[requests.Session, float]]


_sessions = _Sessions()


def session_for(base_url: str) -> requests.Session:
    """This thread's session for a host, with its connections still open unless they have been idle for long."""
    if _sessions.pid != os.getpid():  # a forked child must not speak on its parent's sockets
        _sessions.pid, _sessions.by_base = os.getpid(), {}
    now = time.monotonic()
    session, used = _sessions.by_base.get(base_url, (None, now))
    if session is None:
        session = new_session(base_url)
    elif now - used > IDLE:
        session.close()  # only the connections; the session opens new ones
    _sessions.by_base[base_url] = session, now
    return session


def new_session(base_url: str) -> requests.Session:
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # tenants share the session, so: none
    fit_session(session, base_url)
    return session


def fit_session(session: requests.Session, base_url: str) -> None:
    """Give a session our adapter. A proxy from the environment is honoured, except towards this machine."""
    session.mount("https://", DeadlineAdapter())
    session.mount("http://", DeadlineAdapter())
    session.trust_env = not is_loopback(base_url)


@contextmanager
def deadline(seconds: float) -> Iterator[tuple[float, float]]:
    """Everything this thread sends or reads inside shares `seconds`. Gives the (connect, read) timeouts to
    pass."""
    before = current.deadline, current.sent_at
    current.deadline, current.sent_at = time.monotonic() + seconds, None
    try:
        yield min(CONNECT, seconds), seconds
    finally:
        current.deadline, current.sent_at = before


def ask(
    seconds: float, send: Callable[[tuple[float, float]], requests.Response]
) -> tuple[requests.Response, float | None]:
    """Send, and read the whole answer, within `seconds`. Gives the answer and when its first byte left
    (monotonic).

    Raises NotSent when nothing left this machine, NoAnswer when the answer did not arrive whole, BadAnswer
    when it cannot be unpacked or is absurdly large.
    """
    failure: GhlError
    with deadline(seconds) as timeouts:
        try:
            response = send(timeouts)
            _read(response)
            return response, current.sent_at
        except GhlError as error:
            failure = error
        except requests.exceptions.ContentDecodingError:
            failure = BadAnswer("the answer could not be unpacked")
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            OSError,
        ) as error:
            # Only the kind of failure is kept: the exception holds the request, and with it the token.
            kind = _kind(error)
            failure = NotSent(kind) if current.sent_at is None else NoAnswer(kind)
    raise failure.with_traceback(None)  # its frames hold the request


def _read(response: requests.Response) -> None:
    if getattr(response, "_content_consumed", False):
        return
    parts, size = [], 0
    for part in response.iter_content(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > LARGEST_ANSWER:
            response.close()
            raise BadAnswer("the answer is too large", status=response.status_code)
    response._content = b"".join(parts)  # what .content gives; requests has no public way to set it


def _kind(error: BaseException) -> str:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason or error).__name__


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
