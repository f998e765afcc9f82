"""Requests as GHL signs them, and altered in every way we could think of, each with what must become of it."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HEADER = "X-GHL-Signature"
OLD_HEADER = "X-WH-Signature"
# The order of Ed25519's group: adding it to a signature's second half must not make another good signature.
ORDER = 2**252 + 27742317777372353535851937790883648493


@dataclass
class Mutation:
    """`headers` is a list, since a header may come twice. `is_good`: the very bytes that were signed, as signed."""

    name: str
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    is_good: bool = False


def sign(key: Ed25519PrivateKey, body: bytes) -> str:
    return base64.b64encode(key.sign(body)).decode()


def pem(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def mutations(rng, body: bytes, signature: str) -> Iterator[Mutation]:
    """One of each kind, drawn anew with `rng` (a random.Random). `signature` is the good one, in base64."""
    raw = base64.b64decode(signature)
    yield Mutation("untouched", body, [(HEADER, signature)], is_good=True)
    yield Mutation("header in another case", body, [(_any_case(rng, HEADER), signature)], is_good=True)
    yield Mutation(
        "good beside the old header", body, [(HEADER, signature), (OLD_HEADER, _noise(rng, 512))], is_good=True
    )
    yield from _other_bodies(rng, body, signature)
    yield from _other_signatures(rng, body, raw)
    yield from _other_spellings(rng, body, signature, raw)
    yield from _other_headers(rng, body, signature)
    yield from _other_keys(rng, body)


def _other_bodies(rng, body, signature):
    def with_body(name, altered):
        if altered != body:
            yield Mutation(name, altered, [(HEADER, signature)])

    place = rng.randrange(len(body)) if body else 0
    if body:
        flipped = bytearray(body)
        flipped[place] ^= 1 << rng.randrange(8)
        yield from with_body("one bit of the body flipped", bytes(flipped))
        yield from with_body("one byte left out", body[:place] + body[place + 1 :])
        yield from with_body("body cut off", body[:place])
    yield from with_body("one byte put in", body[:place] + bytes([rng.randrange(256)]) + body[place:])
    yield from with_body("body twice", body + body)
    yield from with_body("a line break at the end", body + rng.choice([b"\n", b"\r\n", b" ", b"\0"]))
    yield from with_body("a byte order mark", b"\xef\xbb\xbf" + body)
    yield from with_body("empty body", b"")
    try:
        said = json.loads(body)
    except ValueError:
        return
    yield from with_body("another encoding", json.dumps(said).encode(rng.choice(["utf-16", "utf-32", "utf-16-le"])))
    yield from with_body("written with spaces", json.dumps(said, indent=rng.choice([None, 1, 2])).encode())
    yield from with_body("written compactly", json.dumps(said, separators=(",", ":")).encode())
    yield from with_body("every letter escaped", _escaped(body))
    yield from with_body("numbers as floats", json.dumps(_floats(said)).encode())
    if isinstance(said, dict) and said:
        names = list(said)
        rng.shuffle(names)
        compact = {"separators": (",", ":"), "ensure_ascii": False}
        yield from with_body("keys in another order", json.dumps({n: said[n] for n in names}, **compact).encode())
        yield from with_body("one more key", json.dumps({**said, "x": 1}, **compact).encode())
        doubled = json.dumps(said, **compact)[:-1] + ',"type":"ContactDelete"}'
        yield from with_body("a key twice", doubled.encode())


def _other_signatures(rng, body, raw):
    def with_raw(name, altered):
        if altered != raw:
            yield Mutation(name, body, [(HEADER, base64.b64encode(altered).decode())])

    flipped = bytearray(raw)
    flipped[rng.randrange(64)] ^= 1 << rng.randrange(8)
    yield from with_raw("one bit of the signature flipped", bytes(flipped))
    yield from with_raw("signature cut off", raw[: rng.randrange(64)])
    yield from with_raw("signature prolonged", raw + rng.randbytes(rng.randrange(1, 65)))
    yield from with_raw("halves exchanged", raw[32:] + raw[:32])
    yield from with_raw("nothing but zeros", bytes(64))
    yield from with_raw("random", rng.randbytes(64))
    high = int.from_bytes(raw[32:], "little") + ORDER * rng.choice([1, 2, 7])
    if high < 2**256:
        yield from with_raw("the order of the group added", raw[:32] + high.to_bytes(32, "little"))


def _other_spellings(rng, body, signature, raw):
    place = rng.randrange(1, len(signature) - 1)
    letters = signature.rstrip("=")
    spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = spare[(spare.index(letters[-1]) & ~15) | rng.randrange(1, 16)]  # the same bytes to a careless reader
    spellings = {
        "without padding": letters,
        "more padding": signature + "=" * rng.randrange(1, 4),
        "url-safe letters": base64.urlsafe_b64encode(raw).decode(),
        "hexadecimal": raw.hex(),
        "base32": base64.b32encode(raw).decode(),
        "a space inside": f"{signature[:place]} {signature[place:]}",
        "a stranger inside": signature[:place] + rng.choice("!@#*-_,;é") + signature[place:],
        "letters in another case": signature.swapcase(),
        "spare bits set": letters[:-1] + last + "==",
        "in quotes": f'"{signature}"',
        "with a scheme": f"ed25519={signature}",
        "not available": "N/A",
        "empty": "",
        "twice in one header": f"{signature},{signature}",
        "a bad one first": f"{_noise(rng, 64)}, {signature}",
        "base64 of base64": base64.b64encode(signature.encode()).decode(),
    }
    for name, spelling in spellings.items():
        if spelling != signature:
            yield Mutation(name, body, [(HEADER, spelling)])


def _other_headers(rng, body, signature):
    yield Mutation("no header", body)
    yield Mutation("only the old header", body, [(OLD_HEADER, _rsa_signed(body))])
    yield Mutation("the good one in the old header", body, [(OLD_HEADER, signature)])
    yield Mutation(
        "the new one bad, the old one good", body, [(HEADER, _noise(rng, 64)), (OLD_HEADER, _rsa_signed(body))]
    )
    yield Mutation("the old one in the new header", body, [(HEADER, _rsa_signed(body))])
    yield Mutation("doubled header", body, [(HEADER, signature), (HEADER, signature)])
    yield Mutation("doubled header, one bad", body, [(HEADER, _noise(rng, 64)), (HEADER, signature)])
    name = rng.choice(["X-Signature", "Signature", "X-GHL-Signature-256", "Authorization", "GHL-Signature"])
    yield Mutation("in another header", body, [(name, signature)])


def _other_keys(rng, body):
    stranger = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    yield Mutation("a stranger's key", body, [(HEADER, sign(stranger, body))])
    yield Mutation(
        "a stranger's key, sent along", body, [(HEADER, sign(stranger, body)), ("X-Public-Key", pem(stranger))]
    )


_rsa_key = None


def _rsa_signed(body):
    global _rsa_key
    _rsa_key = _rsa_key or rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return base64.b64encode(_rsa_key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()


def _noise(rng, length):
    return base64.b64encode(rng.randbytes(length)).decode()


def _any_case(rng, name):
    return "".join(rng.choice((letter.lower(), letter.upper())) for letter in name)


def _escaped(body):
    """The same JSON to a reader: letters within strings as \\uXXXX."""
    said = json.dumps(json.loads(body), ensure_ascii=True)
    out, inside = [], False
    for before, letter in zip(" " + said, said, strict=False):
        if letter == '"' and before != "\\":
            inside = not inside
        out.append(f"\\u{ord(letter):04x}" if inside and letter.isalpha() and before != "\\" else letter)
    return "".join(out).encode()


def _floats(value):
    if isinstance(value, dict):
        return {name: _floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
