"""Access tokens: JWTs (RFC 7519) as RFC 9068 has them, made and read here alone.

python-jose signs and verifies. What it does not ask for, this module does: it takes what `issue` makes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk, jwt
from jose.exceptions import JOSEError

LIFETIME = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
"""So far apart the clocks of those who make tokens and of those who read them may be."""

LONGEST = 4_096
"""Of a token, in characters."""

ALGORITHM = "ES256"
TYPE = "at+jwt"
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CLAIMS = frozenset({"iss", "aud", "sub", "sid", "jti", "iat", "exp"})


class Unreadable(Exception):  # noqa: N818 - nothing is said of why
    """Whatever was brought is no access token of ours, or no longer one."""


class Access(NamedTuple):
    """What a token says: whose it is, of which of their sessions, and until when."""

    user_id: UUID
    session_id: UUID
    id: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`pem` is the private key (PKCS 8). `id` is the thumbprint of the public one (RFC 7638)."""

    pem: str = field(repr=False)
    id: str = field(init=False)
    public: Mapping[str, str] = field(init=False, repr=False)
    """As a JSON Web Key (RFC 7517)."""

    def __post_init__(self) -> None:
        """Raises ValueError for anything but a private key of P-256."""
        private = serialization.load_pem_private_key(self.pem.encode(), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise ValueError("a key for access tokens is one of P-256")
        numbers = private.public_key().public_numbers()
        point = {"crv": "P-256", "kty": "EC", "x": _base64(numbers.x), "y": _base64(numbers.y)}
        text = json.dumps(point, separators=(",", ":"), sort_keys=True).encode()
        id = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "public", {**point, "kid": id, "use": "sig", "alg": ALGORITHM})

    @classmethod
    def new(cls) -> SigningKey:
        private = ec.generate_private_key(ec.SECP256R1())
        form, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return cls(private.private_bytes(form, shape, serialization.NoEncryption()).decode())


class Tokens:
    """Of one installation, whose address is `issuer`. The first key signs; the others were first, or will be."""

    def __init__(self, keys: Sequence[SigningKey], issuer: str) -> None:
        self._issuer = issuer
        self._signing = keys[0]
        self._readable = {each.id: jwk.construct(dict(each.public), ALGORITHM) for each in keys}
        self.published = {"keys": [dict(each.public) for each in keys]}
        """As a JSON Web Key Set, for /.well-known/jwks.json."""

    def issue(self, user_id: UUID, session_id: UUID, now: datetime) -> str:
        began = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": user_id.hex,
            "sid": session_id.hex,
            "jti": secrets.token_urlsafe(16),
            "iat": began,
            "exp": began + int(LIFETIME.total_seconds()),
        }
        header = {"typ": TYPE, "kid": self._signing.id}
        token: str = jwt.encode(claims, self._signing.pem, ALGORITHM, headers=header)
        return token

    def read(self, token: str, now: datetime) -> Access:
        """Raises Unreadable."""
        header = header_of(token, LONGEST)
        # Nothing that could name another key, another algorithm or another rule: what we make has these three, and no more.
        if header.keys() != {"alg", "typ", "kid"} or header["alg"] != ALGORITHM or header["typ"] != TYPE:
            raise Unreadable
        key = self._readable.get(header["kid"]) if isinstance(header["kid"], str) else None
        if key is None:
            raise Unreadable
        try:
            # Times are ours to compare: python-jose has its own clock, and asks for none of them.
            jwt.decode(token, key, [ALGORITHM], options=SIGNATURE_ALONE)
        except (JOSEError, ValueError, TypeError):
            raise Unreadable from None
        return self._access(_object(token.split(".")[1]), now)

    def _access(self, claims: Mapping[str, Any], now: datetime) -> Access:
        if claims.keys() != _CLAIMS or claims["iss"] != self._issuer or claims["aud"] != self._issuer:
            raise Unreadable
        began, ends = claims["iat"], claims["exp"]
        texts = [claims[name] for name in ("sub", "sid", "jti")]
        if type(began) is not int or type(ends) is not int or not all(isinstance(each, str) for each in texts):
            raise Unreadable
        at, leeway = now.timestamp(), LEEWAY.total_seconds()
        if not (began - leeway <= at < ends + leeway and 0 < ends - began <= LIFETIME.total_seconds()):
            raise Unreadable
        try:
            user_id, session_id = (UUID(hex=each) for each in texts[:2])
        except ValueError:
            raise Unreadable from None
        return Access(user_id, session_id, texts[2], datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(ends, UTC))


SIGNATURE_ALONE = dict.fromkeys(
    ("verify_aud", "verify_iat", "verify_exp", "verify_nbf", "verify_iss", "verify_sub", "verify_jti", "verify_at_hash"), False
)
"""python-jose's options: the claims are ours to check."""


def header_of(token: str, longest: int) -> Mapping[str, Any]:
    """What it says of itself, which nobody has verified. Raises Unreadable for what is no token."""
    if len(token) > longest or not _SHAPE.fullmatch(token):
        raise Unreadable
    return _object(token.split(".")[0])


def _object(part: str) -> Mapping[str, Any]:
    """Of one part of a token. Raises Unreadable for anything but an object that says each thing once."""
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(found, dict):
        raise Unreadable
    return found


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(name)
        found[name] = value
    return found


def _base64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32)).decode().rstrip("=")
