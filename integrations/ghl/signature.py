"""Is this webhook GHL's? Ed25519 over the raw body, in X-GHL-Signature. Several keys may be valid during a rotation.

The older RSA header (x-wh-signature) ended in September 2026: a request with only that one is unsigned.
"""

import base64
import re

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

HEADER = "X-GHL-Signature"
# Published by HighLevel in its webhook guide; the same in every source we know.
PUBLISHED_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----"""
BLOCK = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
# Exactly as base64 writes 64 bytes. The last letter has four spare bits, which a looser reader would ignore.
SIGNATURE = re.compile(r"[A-Za-z0-9+/]{85}[AQgw]==")


def keys_in(text: str) -> list[Ed25519PublicKey]:
    """The Ed25519 keys of one or more PEM blocks; `\\n` may stand for a line break. ValueError says what is wrong."""
    blocks = BLOCK.findall(text.replace("\\n", "\n"))
    if not blocks:
        raise ValueError("it holds no PEM public key")
    try:
        keys = [load_pem_public_key(block.encode()) for block in blocks]
    except UnsupportedAlgorithm as strange:
        raise ValueError(str(strange)) from None
    if not all(isinstance(key, Ed25519PublicKey) for key in keys):
        raise ValueError("a key is not an Ed25519 key")
    return [key for key in keys if isinstance(key, Ed25519PublicKey)]


def is_signed(keys: list[Ed25519PublicKey], body: bytes, signature: str | None) -> bool:
    """Whether one of the keys has signed exactly these bytes."""
    text = (signature or "").strip(" \t")
    if not SIGNATURE.fullmatch(text):  # GHL has been seen sending "N/A"
        return False
    raw = base64.b64decode(text)
    for key in keys:
        try:
            key.verify(raw, body)
        except InvalidSignature:
            continue
        return True
    return False
