"""Checks what comes in as Standard Webhooks says. On purpose not the code that signed it."""

import base64
import hashlib
import hmac
import time

TOLERANCE_S = 5 * 60


def is_genuine(secret: str, headers, body: bytes, now: float | None = None) -> bool:
    uid, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (uid and stamp.isascii() and stamp.isdigit()):
        return False
    if abs((time.time() if now is None else now) - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.split("_", 1)[1])
    content = uid.encode() + b"." + stamp.encode() + b"." + body
    mine = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    offered = [one.partition(",") for one in headers.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(mine, value) for version, _, value in offered)
