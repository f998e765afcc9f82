"""Sealed text at rest: AES-256-GCM with a key ring.

A sealed value is `key id:base64(nonce + ciphertext)`. The first key of ENCRYPTION_KEYS seals, every key opens. The
associated data names the row, its owner and the field, so that a ciphertext moved to another row does not open there.
"""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE_BYTES = 12


class CannotOpen(Exception):
    """The value was sealed for another row, or has been altered."""


class KeyMissing(CannotOpen):
    """The value was sealed with a key that is not in ENCRYPTION_KEYS: that is for whoever runs the server to mend."""


def key_ring():
    """{key id: key}, newest first."""
    ring = {}
    for entry in settings.ENCRYPTION_KEYS:
        key_id, _, text = entry.strip().partition(":")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if not key_id or len(key) != 32:
            raise ImproperlyConfigured("ENCRYPTION_KEYS is not usable: write id:key, the key being 32 bytes in base64.")
        if key_id in ring:
            raise ImproperlyConfigured("ENCRYPTION_KEYS is not usable: two keys have the same id.")
        ring[key_id] = key
    return ring


def seal(text, bound_to):
    """`bound_to` is a string naming the row and field; the same must be given to open."""
    if not text:
        return ""
    key_id, key = next(iter(key_ring().items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _context(key_id, bound_to))
    return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed, bound_to):
    if not sealed:
        return ""
    key_id, _, text = sealed.partition(":")
    key = key_ring().get(key_id)
    if key is None:
        raise KeyMissing(f"No key named {key_id!r} in ENCRYPTION_KEYS.")
    try:
        raw = base64.b64decode(text, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _context(key_id, bound_to)).decode()
    except (InvalidTag, ValueError):
        raise CannotOpen("This value was sealed for another row or has been altered.") from None


def key_of(sealed):
    """The id of the key it was sealed with; "" for an empty value."""
    return sealed.partition(":")[0]


def is_current(sealed):
    """Sealed with the newest key, or empty."""
    return not sealed or key_of(sealed) == next(iter(key_ring()))


def _context(key_id, bound_to):
    return f"{key_id}|{bound_to}".encode()
