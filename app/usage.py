"""How registered documents and keys are used is noted in each process, and written down now and then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial

import structlog

from app.wiring import House
from domain import documents, keys
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
    if documents_used := house.usage.drain():
        with _trying_again(partial(house.usage.restore, documents_used)):
            async with house.database.work(SYSTEM) as work:
                await documents.count(work, documents_used)
    if keys_used := house.key_uses.drain():
        with _trying_again(partial(house.key_uses.restore, keys_used)):
            async with house.database.work(SYSTEM) as work:
                await keys.used(work, keys_used)


@contextlib.contextmanager
def _trying_again(restore: Callable[[], None]) -> Iterator[None]:
    """What could not be written is restored, and written the next time."""
    try:
        yield
    except Exception as error:
        restore()
        if not isinstance(error, DatabaseAway):
            log.exception("How documents and keys are used could not be written down; trying again.")
