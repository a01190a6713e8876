"""Links that expire: an id and a time, signed."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from uuid import UUID


def sign(id: UUID, until: datetime, secret: bytes) -> str:
    """`<id>.<unix seconds>.<HMAC-SHA256, 32 hex digits>`: safe in a URL's path and query."""
    body = f"{id.hex}.{int(until.timestamp())}"
    return f"{body}.{_mac(body, secret)}"


def signed_id(token: str, now: datetime, secret: bytes) -> UUID | None:
    """The id that the token was made for; None when it is not ours or no longer good."""
    body, _, mac = token.rpartition(".")
    if not hmac.compare_digest(mac.encode(), _mac(body, secret).encode()):
        return None
    id, _, until = body.partition(".")
    return UUID(hex=id) if int(until) >= now.timestamp() else None


def _mac(body: str, secret: bytes) -> str:
    return hmac.new(secret, b"link:" + body.encode(errors="replace"), hashlib.sha256).hexdigest()[:32]
