"""Who brings an API key to a door that is not GraphQL."""

from __future__ import annotations

from datetime import UTC, datetime

from app.wiring import House
from domain import actors
from domain.access import Actor


async def key_holder(house: House, authorization: str) -> Actor | None:
    """None for another scheme, and for what is no key, or no longer a good one. A use is noted. Raises DatabaseAway."""
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    actor = await actors.of_key(house.database.reader, key.strip(), house.keyring)
    if actor is not None:
        house.key_uses.record(actor, datetime.now(UTC))
    return actor
