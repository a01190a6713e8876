"""Links that expire: an id and a time, signed."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime
from uuid import UUID

_SHAPE = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([0-9a-f]{32})\Z")


def sign(id: UUID, until: datetime, secret: bytes) -> str:
    """`<id>.<unix seconds>.<HMAC-SHA256, 32 hex digits>`: safe in a URL's path and query."""
    body = f"{id.hex}.{int(until.timestamp())}"
    return f"{body}.{_mac(body, secret)}"


def signed_id(token: str, now: datetime, secret: bytes) -> UUID | None:
    """The id that the token was made for; None when it is not ours or no longer good."""
    match = _SHAPE.match(token)
    if match is None or not hmac.compare_digest(match[3], _mac(f"{match[1]}.{match[2]}", secret)):
        return None
    return UUID(hex=match[1]) if int(match[2]) >= now.timestamp() else None


def _mac(body: str, secret: bytes) -> str:
    return hmac.new(secret, b"link:" + body.encode(), hashlib.sha256).hexdigest()[:32]
