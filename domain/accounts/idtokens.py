"""ID tokens of other issuers (OpenID Connect Core 1.0, 3.1.3.7), read here alone.

python-jose verifies the signature. What it does not ask for, this module does; only what a sign-in needs is taken out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from jose import jwk, jwt
from jose.exceptions import JOSEError

from .tokens import LEEWAY, SIGNATURE_ALONE, Unreadable, header_of

LONGEST = 16_384
"""Of a token, in characters."""

LONGEST_SUBJECT = 255
MAX_AGE_SECONDS = 600
"""It is read within minutes of a sign-in: nobody brings an old one."""

_KINDS = {"RS256": "RSA", "ES256": "EC"}
_DANGEROUS = frozenset({"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip"})


class Untrusted(Exception):  # noqa: N818 - nothing broke: what was brought is refused
    """The token does not say, in a way that can be trusted, who somebody is. The text is for the operator's log."""


class Person(NamedTuple):
    """Whom an issuer knows as `subject`. `email` is None where it says none that it has verified."""

    issuer: str
    subject: str
    email: str | None
    name: str | None


class Expected(NamedTuple):
    """What the token must have been made for."""

    issuer: str
    client_id: str
    nonce: str


def key_id(token: str) -> str | None:
    """By which of the issuer's keys it says that it was signed. Raises Untrusted for what is no token."""
    found = _header(token).get("kid")
    return found if isinstance(found, str) else None


def read(token: str, keys: Iterable[Mapping[str, Any]], expected: Expected, now: datetime, access_token: str = "") -> Person:
    """`keys` are the issuer's published ones. Raises Untrusted."""
    header = _header(token)
    algorithm = header["alg"]
    key = _chosen(keys, header.get("kid"), algorithm)
    try:
        claims = jwt.decode(token, jwk.construct(dict(key), algorithm), [algorithm], options=SIGNATURE_ALONE)
    except (JOSEError, ValueError, TypeError) as error:
        raise Untrusted("its signature is not the issuer's") from error
    _check(claims, expected, now)
    if "at_hash" in claims and access_token:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        if claims["at_hash"] != base64.urlsafe_b64encode(half).decode().rstrip("="):
            raise Untrusted("its at_hash is of another access token")
    return _person(claims)


def _header(token: str) -> Mapping[str, Any]:
    try:
        header = header_of(token, LONGEST)
    except Unreadable:
        raise Untrusted("it is no token") from None
    if header.get("alg") not in _KINDS or header.keys() & _DANGEROUS or str(header.get("typ", "JWT")).lower() != "jwt":
        raise Untrusted("its header asks for what is not taken")
    return header


def _chosen(keys: Iterable[Mapping[str, Any]], id: object, algorithm: str) -> Mapping[str, Any]:
    """One key, of the kind that the algorithm needs: never all of them in turn."""
    fitting = [
        key
        for key in keys
        if isinstance(key, Mapping)
        and key.get("kty") == _KINDS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (id is None or key.get("kid") == id)
    ]
    if len(fitting) != 1:
        raise Untrusted("it names no single key of the issuer")
    return fitting[0]


def _check(claims: Mapping[str, Any], expected: Expected, now: datetime) -> None:
    if claims.get("iss") != expected.issuer:
        raise Untrusted("it is of another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences or (len(audiences) > 1 and claims.get("azp") != expected.client_id):
        raise Untrusted("it is for another client")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise Untrusted("it was given to another client")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise Untrusted("its nonce is of another sign-in")
    at, leeway, began, ends = now.timestamp(), LEEWAY.total_seconds(), claims.get("iat"), claims.get("exp")
    if not isinstance(began, int | float) or not isinstance(ends, int | float):
        raise Untrusted("it does not say from when until when it is good")
    if not (began - leeway <= at < ends + leeway) or at - began > MAX_AGE_SECONDS + leeway:
        raise Untrusted("it is not good now")


def _person(claims: Mapping[str, Any]) -> Person:
    subject, email, name = (claims.get(each) for each in ("sub", "email", "name"))
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise Untrusted("it names nobody")
    verified = isinstance(email, str) and claims.get("email_verified") is True
    return Person(claims["iss"], subject, email if verified else None, name if isinstance(name, str) else None)
