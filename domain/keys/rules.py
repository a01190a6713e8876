"""The shape of an API key: `pmk_<8 public>_<32 secret><6 checksum>`, all base 36."""

from __future__ import annotations

import hmac
import re
import secrets
import zlib

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"pmk_[0-9a-z]{8}_[0-9a-z]{38}\Z")


def mint() -> str:
    """A new key: 32 characters of base 36 hold 165 random bits."""
    body = f"pmk_{_random(8)}_{_random(32)}"
    return body + _checksum(body)


def is_key(text: str) -> bool:
    """Whether the checksum fits: a typing error is told from a wrong key without asking the database."""
    return bool(_SHAPE.match(text)) and hmac.compare_digest(_checksum(text[:-6]), text[-6:])


def prefix(key: str) -> str:
    """The public part, by which people tell keys apart."""
    return key[:12]


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    value, text = zlib.crc32(body.encode()), ""
    for _ in range(6):
        value, rest = divmod(value, 36)
        text = _ALPHABET[rest] + text
    return text
