"""Who brings an API key to a door that is not GraphQL."""

from __future__ import annotations

from app.wiring import House
from domain import actors
from domain.access import Actor


async def key_holder(house: House, authorization: str) -> Actor | None:
    """None for another scheme, and for what is no key, or no longer a good one. Raises DatabaseAway."""
    scheme, _, key = authorization.strip().partition(" ")
    return await actors.of_key(house.database.reader, key.strip(), house.keyring) if scheme.lower() == "bearer" else None
