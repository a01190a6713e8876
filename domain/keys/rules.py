"""The shape of an API key, `pmk_<8 public>_<32 secret><6 checksum>`, all base 36; and what one may be issued with."""

from __future__ import annotations

import hmac
import re
import secrets
import zlib
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from ..access import GRANTS, Actor, Permission, Role
from ..errors import InvalidInput, NotAllowed, ProblemCode

SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=730)
"""After so long a key may expire, if it does."""

MAX_OVERLAP_HOURS = 168

MAX_KEYS = 1_000
"""Of one workspace, those not counted that were revoked."""

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


def check_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput.at("name", "A key's name is 1 to 100 printable characters.", ProblemCode.OUT_OF_RANGE)
    return name


def check_scopes(scopes: Collection[Permission] | None, role: Role) -> frozenset[Permission] | None:
    """None: all that the role may."""
    if scopes is None:
        return None
    chosen, beyond = frozenset(scopes), sorted(set(scopes) - GRANTS[role])
    if not chosen:
        raise InvalidInput.at("scopes", "Name at least one scope; left out, the key has all of its role.")
    if beyond:
        raise InvalidInput.at("scopes", f"{role} does not grant {', '.join(beyond)}.", ProblemCode.OUT_OF_RANGE)
    return chosen


def check_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is not None and not now + SHORTEST <= expires_at <= now + LONGEST:
        message = "A key expires after at least an hour and at most two years (730 days), or never."
        raise InvalidInput.at("expiresAt", message, ProblemCode.OUT_OF_RANGE)
    return expires_at


def refuse_longer(own: datetime | None, wanted: datetime | None) -> None:
    """Raises InvalidInput where a key would make one that is good after itself."""
    if own is not None and (wanted is None or wanted > own):
        message = f"A key makes none that is good for longer than itself: until {own.isoformat()} at most."
        raise InvalidInput.at("expiresAt", message, ProblemCode.OUT_OF_RANGE)


def refuse_others(actor: Actor, client_id: UUID | None) -> None:
    """Raises NotAllowed where the key of an API client would make one that is not bound as it is."""
    if actor.client_id is not None and actor.client_id != client_id:
        raise NotAllowed("The key of an API client makes keys of the same client alone.", Permission.KEY_WRITE)


def check_overlap(hours: int) -> timedelta:
    if not 0 <= hours <= MAX_OVERLAP_HOURS:
        message = f"The former key stays good for 0 to {MAX_OVERLAP_HOURS} hours."
        raise InvalidInput.at("overlapHours", message, ProblemCode.OUT_OF_RANGE)
    return timedelta(hours=hours)


def refuse_more(actor: Actor, workspace_id: UUID, role: Role, scopes: Collection[Permission] | None) -> None:
    """Raises NotAllowed for a key that could do more than whoever issues it."""
    if not GRANTS[role] <= GRANTS[actor.roles[workspace_id]]:
        raise NotAllowed(f"Nobody issues a key with a role above their own: {role} is.", Permission.WORKSPACE_WRITE)
    granted = GRANTS[role] if scopes is None else GRANTS[role] & {*scopes, Permission.READ}
    lacking = granted - actor.permissions(workspace_id)
    if lacking:
        missing = next(permission for permission in Permission if permission in lacking)
        raise NotAllowed(f"Nobody issues a key that may do more than they may: {missing}.", missing)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    value, text = zlib.crc32(body.encode()), ""
    for _ in range(6):
        value, rest = divmod(value, 36)
        text = _ALPHABET[rest] + text
    return text
