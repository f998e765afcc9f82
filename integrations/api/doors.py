"""Who may come in by the API: whoever has a key of a business, and with it sees exactly that business."""

import time
from typing import Any

from django.conf import settings
from ninja import Router
from ninja.security import APIKeyHeader, HttpBearer
from redis.exceptions import RedisError

from integrations import crypto
from integrations.erp import signature
from integrations.models import ApiKey
from rankr_dash.shared_redis import hasty_redis

router = Router()  # one for all: an address that is read and written is one address

MOST_BYTES = 10_000_000
MINUTE = 60


class TooLarge(Exception):
    """More than anybody needs to say at once."""


class MissingScope(Exception):
    """The key is good, but not for this."""


class TooMany(Exception):
    """The key has made all the requests of this minute."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class ApiKeyToken(HttpBearer):
    """`Authorization: Bearer rk_…`"""

    def __init__(self, scope: str = "") -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: Any) -> Any:
        refuse_the_large(request)
        return super().__call__(request)

    def authenticate(self, request: Any, token: str) -> Any:
        return admitted(request, ApiKey.objects.with_token(token), self.scope)


class SignedRequest(APIKeyHeader):
    """`Rankr-Signature: v1=…`, beside `Rankr-Key` and `Rankr-Timestamp`: the key itself stays at home."""

    param_name = signature.SIGNATURE

    def __init__(self, scope: str = "") -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: Any, key: str | None) -> Any:
        timestamp = request.headers.get(signature.TIMESTAMP, "")
        prefix = request.headers.get(signature.KEY, "")
        if not key or not signature.is_recent(timestamp) or "\x00" in prefix:
            return None
        known = ApiKey.objects.valid().filter(prefix=prefix).select_related("business").first()
        if known is None:
            return None
        body = whole_body(request)
        try:
            is_signed = signature.is_signed(known.secret, timestamp, request.method, request.get_full_path(), body, key)
        except crypto.CannotOpen:  # sealed with a key that is gone: nobody can be recognised by it any more
            return None
        return admitted(request, known, self.scope) if is_signed else None


def door(scope: str = "") -> list[Any]:
    """For keys with this scope; for any key without one."""
    return [ApiKeyToken(scope), SignedRequest(scope)]


def admitted(request: Any, key: Any, scope: str) -> Any:
    if key is None:
        return None
    count(key)
    if scope and scope not in key.scopes:
        raise MissingScope(scope)
    key.touch()
    whole_body(request)
    return key


def count(key: Any) -> None:
    """Raises TooMany. While Redis is away nobody counts: an ERP's news matter more."""
    now = time.time()
    name = f"erp-requests:{key.pk}:{int(now // MINUTE)}"
    try:
        with hasty_redis().pipeline(transaction=False) as pipe:
            made, _ = pipe.incr(name).expire(name, 2 * MINUTE).execute()
    except (RedisError, OSError):
        return
    if made > settings.ERP_RATE_LIMIT:
        raise TooMany(max(1, int(MINUTE - now % MINUTE)))


def refuse_the_large(request: Any) -> None:
    """By what it says of itself, before a byte of it is read."""
    told = request.META.get("CONTENT_LENGTH") or ""
    if told.isascii() and told.isdigit() and int(told[:20]) > MOST_BYTES:
        raise TooLarge


def whole_body(request: Any) -> bytes:
    """The body, which Django itself would refuse from 2.5 MB on."""
    if not hasattr(request, "_body"):
        body = request.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise TooLarge
        request._body = body
    return request._body
