"""The installation's secrets: one key for each purpose, made from a master secret, and from those that it had before."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEYS = "keys"
"""API keys, and all else that is shown once and kept as a digest."""

LINKS = "links"
ACCESS = "access"
MAIL = "mail"
TOKENS = "tokens"
CHANNELS = "channels"


class Unsealed(Exception):  # noqa: N818 - what was sealed under a secret that is no longer known
    """None of the secrets opens it."""


class Keyring:
    """`masters`: the secret of now, and then former ones, by which what was protected with them is still found and opened."""

    def __init__(self, masters: Sequence[bytes]) -> None:
        self._masters = tuple(masters)
        self._all = cache(self._derived)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256, RFC 5869)."""
        return self._all(purpose)[0]

    def digest(self, text: str, purpose: str = KEYS) -> str:
        """What is stored of a secret with full entropy, for which a fast keyed hash is enough."""
        return _digest(text, self.derive(purpose))

    def digests(self, text: str, purpose: str = KEYS) -> list[str]:
        """What may be stored of it: by the secret of now, and by former ones."""
        return [_digest(text, key) for key in self._all(purpose)]

    def seal(self, data: bytes, purpose: str) -> bytes:
        return self._fernet(purpose).encrypt(data)

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises Unsealed."""
        try:
            return self._fernet(purpose).decrypt(sealed)
        except InvalidToken:
            raise Unsealed from None

    def is_current(self, sealed: bytes, purpose: str) -> bool:
        """Whether the secret of now opens it, without former ones."""
        try:
            _fernet(self.derive(purpose)).decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def sealed_anew(self, sealed: bytes, purpose: str) -> bytes:
        """The same under the secret of now. Raises Unsealed."""
        try:
            return self._fernet(purpose).rotate(sealed)
        except InvalidToken:
            raise Unsealed from None

    def _fernet(self, purpose: str) -> MultiFernet:
        return MultiFernet([_fernet(key) for key in self._all(purpose)])

    def _derived(self, purpose: str) -> tuple[bytes, ...]:
        info = f"pacemark:{purpose}".encode()
        return tuple(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(each) for each in self._masters)


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))


def _digest(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
