"""How registered documents are used is counted in each process, and written down now and then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog

from app.wiring import House
from domain import documents
from domain.access import SYSTEM
from domain.errors import DatabaseAway

log = structlog.get_logger()

SECONDS = 10.0


@asynccontextmanager
async def counted(house: House) -> AsyncGenerator[None, None]:
    """While the block lasts, and once more when it ends."""
    counting = asyncio.create_task(_count(house), name="usage")
    try:
        yield
    finally:
        counting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await counting
        await _write(house)


async def _count(house: House) -> None:
    while True:
        await asyncio.sleep(SECONDS)
        await _write(house)


async def _write(house: House) -> None:
    used = house.usage.drain()
    if not used:
        return
    try:
        async with house.database.work(SYSTEM) as work:
            await documents.count(work, used)
    except Exception as error:
        house.usage.restore(used)
        if not isinstance(error, DatabaseAway):
            log.exception("How documents are used could not be written down; trying again.")
