"""The public keys of this installation, by which others can read its access tokens (RFC 7517)."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from app.wiring import House
from domain.accounts import PUBLISHED
from domain.errors import DatabaseAway

ADDRESS = "/.well-known/jwks.json"


def routes(house: House) -> APIRouter:
    router = APIRouter()
    # A new key is published for longer before it signs anything.
    kept = f"public, max-age={int(PUBLISHED.total_seconds()) // 2}"

    @router.get(ADDRESS)
    async def published() -> Response:
        try:
            tokens = await house.signing.tokens()
        except DatabaseAway:
            return Response(status_code=503, headers={"Retry-After": "1", "Cache-Control": "no-store"})
        return Response(orjson.dumps(tokens.published), headers={"Cache-Control": kept}, media_type="application/jwk-set+json")

    return router
