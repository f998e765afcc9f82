"""Requests signed with a shared secret, for an ERP that would rather not send its key along.

Signed is `timestamp.method.path.body`, the path with its query. The window keeps a request that was overheard from
being sent again next week; within it the idempotency key makes a repetition harmless.
"""

import hashlib
import hmac
import time

KEY, TIMESTAMP, SIGNATURE = "Rankr-Key", "Rankr-Timestamp", "Rankr-Signature"
WINDOW_S = 300


def sign(secret: str, timestamp: str, method: str, path: str, body: bytes) -> str:
    signed = f"{timestamp}.{method.upper()}.{path}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(secret: str, timestamp: str, method: str, path: str, body: bytes, signature: str) -> bool:
    """Several signatures may be given, separated by spaces."""
    expected = sign(secret, timestamp, method, path, body).encode()
    return any(hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in signature.split(" ")[:5])


def is_recent(timestamp: str, now: float | None = None) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    return abs((time.time() if now is None else now) - int(timestamp)) <= WINDOW_S
