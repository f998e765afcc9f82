"""One POST to an address that a person has typed in: it may reach the world, and nothing inside our own network.

The address that was checked is the one connected to, so that a name cannot point elsewhere a moment later.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.exceptions import HTTPError

from integrations.ghl import wire

TIMEOUT_S = 10.0
EXCERPT = 500  # characters of an answer that are kept
MOST_READ = 2048


class NotAllowed(Exception):
    """We do not send there; the message says why."""


class NoAnswer(Exception):
    """Nothing came back that could be called an answer; the message says what happened."""


@dataclass(frozen=True)
class Answer:
    status: int
    excerpt: str
    retry_after: str


class CarefulAdapter(IPFilterAdapter, wire.DeadlineAdapter):
    """Only to public addresses, and with a deadline that holds."""

    def __init__(self, scheme: str) -> None:
        IPFilterAdapter.__init__(self, is_https_proto=scheme == "https", allow_loopback=settings.WEBHOOKS_TO_LOOPBACK)


def session_for(url: str) -> requests.Session:
    """A proxy from the environment is honoured, except towards this machine; it too is told the address we checked."""
    made = requests.Session()
    made.trust_env = not wire.is_loopback(url)
    made.auth = lambda request: request  # else a .netrc might add a password
    for scheme in ("https", "http"):
        made.mount(f"{scheme}://", CarefulAdapter(scheme))
    return made


def check(url: str) -> None:
    """Raises NotAllowed for what no name or network can make right."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise NotAllowed(_("This is no address. Write it like https://erp.example.com/rankr.")) from None
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise NotAllowed(_("This is no address. Write it like https://erp.example.com/rankr."))
    if parts.username or parts.password:
        raise NotAllowed(_("Leave name and password out of the address: our requests are signed instead."))
    is_here = wire.is_loopback(url)
    if is_here and not settings.WEBHOOKS_TO_LOOPBACK:
        raise NotAllowed(_("This address is our own server’s. Enter one that can be reached from outside."))
    if parts.scheme == "http" and not is_here:
        raise NotAllowed(_("The address must begin with https://, so that nobody reads along."))


def send(session: requests.Session, url: str, body: bytes, headers: dict[str, str]) -> Answer:
    check(url)
    try:
        with wire.deadline(TIMEOUT_S) as timeouts:
            response = session.post(
                url, data=body, headers=headers, timeout=timeouts, stream=True, allow_redirects=False
            )
            try:
                return Answer(response.status_code, _excerpt(response), response.headers.get("Retry-After", ""))
            finally:
                response.close()
    except InvalidIPAddress:
        raise NotAllowed(_("This name leads into a private network, where we do not send anything.")) from None
    except requests.exceptions.SSLError:
        raise NoAnswer(_("Its certificate is not valid, so we did not send anything.")) from None
    except (requests.Timeout, TimeoutError):
        raise NoAnswer(_("It did not answer within 10 seconds.")) from None
    except (requests.RequestException, HTTPError, OSError, UnicodeError):
        # Nothing of the exception is kept: it holds the request, and with it the body.
        raise NoAnswer(_("It could not be reached.")) from None


def _excerpt(response: requests.Response) -> str:
    read = b""
    for part in response.iter_content(MOST_READ):
        read += part
        if len(read) >= MOST_READ:
            break
    return read.decode("utf-8", "replace").replace("\x00", "").strip()[:EXCERPT]
