"""Decisions about people and their sign-ins; nothing here reads or writes."""

from __future__ import annotations

import base64
import ipaddress
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from ..access import Actor, Permission
from ..errors import InvalidInput, NotAllowed, NotFound, ProblemCode
from ..keyring import Keyring

MAX_EMAIL = 254
MAX_NAME = 100

IDLE = timedelta(days=30)
"""A session that is not refreshed for so long is over."""

LONGEST = timedelta(days=90)
"""Every session is over after this."""

GRACE = timedelta(seconds=10)
"""So long a refresh token that was used gives its client the same successor again: the answer may have been lost."""

REMEMBERED = timedelta(days=90)
"""So long a network from which somebody signed in is known as theirs."""

UNVERIFIED = timedelta(days=7)
"""So long an account is kept that nobody has shown to be theirs."""

VERIFIED_WITHIN = timedelta(hours=24)
RESET_WITHIN = timedelta(hours=1)
"""So long the links are good that are mailed."""

SUCCESSORS = "refresh"
CLIENTS = "refresh-clients"

# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*\Z")
_REFRESH = re.compile(r"pmr_[A-Za-z0-9_-]{43}\Z")


class Registration(StrEnum):
    """Who may sign up."""

    OPEN = "open"
    INVITED = "invited"
    CLOSED = "closed"


def compared(email: str) -> str | None:
    """The address as it is stored and compared; None for a text that is none."""
    trimmed = email.strip()
    # Before it is lowered: some letters of other alphabets have one of ASCII's as their small one.
    if not trimmed.isascii() or len(trimmed) > MAX_EMAIL:
        return None
    lower = trimmed.lower()
    return lower if _EMAIL.match(lower) else None


def checked_email(email: str) -> str:
    """Raises InvalidInput."""
    found = compared(email)
    if found is None:
        raise InvalidInput.at("email", f"An e-mail address looks like name@example.com, with at most {MAX_EMAIL} characters.")
    return found


def checked_name(name: str) -> str:
    """Raises InvalidInput."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidInput.at("name", f"A name is 1 to {MAX_NAME} printable characters.", ProblemCode.OUT_OF_RANGE)
    return name


def may_sign_up(registration: Registration, *, invited: bool) -> None:
    """Raises NotAllowed."""
    if registration is Registration.CLOSED:
        raise NotAllowed("Nobody can sign up here: ask whoever runs this installation.", Permission.READ)
    if registration is Registration.INVITED and not invited:
        raise NotAllowed("Signing up here takes an invitation: open the link that was mailed to you.", Permission.READ)


def person(actor: Actor) -> UUID:
    """Who is signed in. Raises NotAllowed for whoever is not, and for a key: it does not act on its person's account."""
    if actor.user_id is None or not actor.is_signed_in:
        raise NotAllowed("Sign in: this is about your own account, and no API key opens it.", Permission.READ, _NOBODY)
    return actor.user_id


_NOBODY = ProblemCode.NOT_SIGNED_IN


def sign_in_refused() -> InvalidInput:
    """The one answer to a wrong address, to a wrong password, and to an address that nobody has verified yet."""
    return InvalidInput.at(
        "password",
        "There is no account with this e-mail and password. If you have just signed up, open the link that was mailed to you "
        "first.",
        ProblemCode.SIGN_IN_REFUSED,
    )


def wrong_password() -> InvalidInput:
    return InvalidInput.at("password", "This is not your password.", ProblemCode.SIGN_IN_REFUSED)


def no_password() -> InvalidInput:
    return InvalidInput.at(
        "password", "Your account has no password: have a link mailed to choose one first.", ProblemCode.SIGN_IN_REFUSED
    )


def no_verified_email() -> NotAllowed:
    return NotAllowed("The sign-in service has not verified your e-mail address, so it opens no account.", Permission.READ)


def over() -> NotAllowed:
    """The one answer to every refresh token that is good no more."""
    return NotAllowed("This session is over: sign in again.", Permission.READ, ProblemCode.NOT_SIGNED_IN)


def no_link() -> NotFound:
    return NotFound("This link was used, has expired or was never one: ask for a new one.")


@lru_cache(maxsize=10_000)
def network(address: str) -> str:
    """Where somebody is: an address of IPv4, the /64 of one of IPv6, of which a host has as many as it likes."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(found), 64), strict=False))
        found = found.ipv4_mapped
    return str(found)


def mint_refresh_token() -> str:
    return f"pmr_{secrets.token_urlsafe(32)}"


def is_refresh_token(text: str) -> bool:
    return bool(_REFRESH.match(text))


def successors(text: str, keyring: Keyring) -> Sequence[str]:
    """What a refresh token is replaced by: made from it with a key, so that none has to be kept. The one of now is first."""
    digests = [bytes.fromhex(digest) for digest in keyring.digests(text, SUCCESSORS)]
    return [f"pmr_{base64.urlsafe_b64encode(each).decode().rstrip('=')}" for each in digests]


def is_repeated(used_at: datetime, now: datetime, used_by: str | None, clients: Sequence[str]) -> bool:
    """Whether a used token comes again from who used it, soon enough."""
    return now - used_at <= GRACE and used_by in clients


def mint_link() -> str:
    return secrets.token_urlsafe(32)
