"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import APIRouter
from starlette.responses import Response

from app.wiring import House
from domain.errors import DatabaseAway
from infra.cache.redis import RedisCache
from infra.db import migrate

PATIENCE_SECONDS = 5.0
KNOWN_SECONDS = 1.0

log = structlog.get_logger()


def routes(house: House) -> APIRouter:
    router = APIRouter()
    needed, versions = migrate.newest(), _Versions(house)

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
            version = await versions.get()
            if version != needed:
                parts["migrations"] = f"at {version or 'none'}, needs {needed}"
        except (DatabaseAway, TimeoutError):
            log.warning("Not ready: the database does not answer.")
            parts = {"database": "unreachable", "migrations": "unknown"}
        good = set(parts.values()) == {"ok"}
        return _answer({"ready": good, **parts, **_helpers(house)}, 200 if good else 503)

    return router


class _Versions:
    """The database's, asked at most once a second however many want to know: nobody needs a key for that."""

    def __init__(self, house: House) -> None:
        self._reader = house.database.reader
        self._turn = asyncio.Lock()
        self._known: str | None = None
        self._until = 0.0

    async def get(self) -> str | None:
        """Raises DatabaseAway, TimeoutError."""
        now = asyncio.get_running_loop().time
        async with asyncio.timeout(PATIENCE_SECONDS), self._turn:
            if now() >= self._until:
                self._known = await migrate.version(self._reader)
                self._until = now() + KNOWN_SECONDS
            return self._known


def _helpers(house: House) -> Mapping[str, str]:
    bus = "ok" if house.bus.connected else "away, jobs and events wait in the database"
    return {"bus": bus, "cache": house.cache.state if isinstance(house.cache, RedisCache) else "ok"}


def _answer(content: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(content), status, media_type="application/json", headers=headers)
