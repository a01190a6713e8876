"""Who asks, by what every transport carries."""

from __future__ import annotations

from domain import keys
from domain.access import NOBODY, Actor

from ..context import Services

REFUSED = "This API key is not valid, or no longer so. Send a good one as: Authorization: Bearer pmk_…"


async def actor_of(services: Services, authorization: str | None) -> Actor | None:
    """Nobody for nothing, None for something that is no key of ours."""
    if authorization is None:
        return NOBODY
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    return await keys.actor_for_key(services.database.reader, key.strip(), services.pepper)
