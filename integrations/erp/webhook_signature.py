"""Standard Webhooks: what we tell is signed, so that whoever hears it knows that it is from us and of now.

Signed is `id.timestamp.body` with HMAC-SHA256. While a secret is being rotated there are several signatures.
"""

import base64
import hashlib
import hmac
import secrets

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, uid: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{uid}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secrets_: list[str], uid: str, timestamp: int, body: bytes) -> dict[str, str]:
    signatures = " ".join(sign(secret, uid, timestamp, body) for secret in secrets_)
    return {ID: uid, TIMESTAMP: str(timestamp), SIGNATURE: signatures}
