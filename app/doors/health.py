"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import APIRouter
from starlette.responses import Response

from app.bootstrap import database_version
from app.errors import Unusable
from app.wiring import House
from infra.cache.redis import RedisCache
from infra.db import migrate

PATIENCE_SECONDS = 5.0

log = structlog.get_logger()


def routes(house: House) -> APIRouter:
    router = APIRouter()
    needed = migrate.newest()

    @router.get("/healthz")
    async def alive() -> Response:
        return _answer({"alive": True})

    @router.get("/readyz")
    async def ready() -> Response:
        """Each part is `ok`, or says in a few words what it lacks.

        Without its bus or its cache the service goes on, slower to act on what is written: it is ready all the same.
        """
        parts = {"database": "ok", "migrations": "ok"}
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                version = await database_version(house.settings)
            if version != needed:
                parts["migrations"] = f"at {version or 'none'}, needs {needed}"
        except (Unusable, TimeoutError) as error:
            # Why is told to the operator, not to whoever asks: the text may name hosts and users.
            log.warning("Not ready.", reason=str(error) or "The database did not answer in time.")
            parts = {"database": "unreachable", "migrations": "unknown"}
        good = set(parts.values()) == {"ok"}
        return _answer({"ready": good, **parts, **_helpers(house)}, 200 if good else 503)

    return router


def _helpers(house: House) -> Mapping[str, str]:
    bus = "ok" if house.bus.connected else "away, jobs and events wait in the database"
    return {"bus": bus, "cache": house.cache.state if isinstance(house.cache, RedisCache) else "ok"}


def _answer(content: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(content), status, media_type="application/json", headers=headers)
