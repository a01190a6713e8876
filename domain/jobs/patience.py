"""What a worker does around a job whose slow work has no transaction open: it takes one, and records what came of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from ..access import SYSTEM
from ..errors import DatabaseAway
from ..ports import Database
from ..work import Work
from . import claims
from .claims import Claim, ClaimLost

TRIES = 20
TAKE_AGAIN_SECONDS = 0.05

AWAY_SECONDS = 10.0
"""So long it is tried to record something; with the slow work itself, shorter than a claim lasts."""

TRY_AGAIN_SECONDS = 0.5

R = TypeVar("R")


async def take_next(database: Database, kind: str) -> Claim | None:
    """The next job of this kind. Raises DatabaseAway."""
    for _ in range(TRIES):
        async with database.work(SYSTEM) as work:
            claim = await claims.take(work, [kind])
            if claim is not None or not await claims.wait(work, [kind]):
                return claim
        # Somebody takes it at this moment, or only marks that its call was sent: then nobody is called a second time.
        await asyncio.sleep(TAKE_AGAIN_SECONDS)
    raise DatabaseAway("The jobs that wait are locked by somebody who does not go on.")


@contextlib.asynccontextmanager
async def giving_back(database: Database, claim: Claim) -> AsyncIterator[None]:
    """Whoever is cancelled within gives the job back at once, as if it had not been taken."""
    try:
        yield
    except asyncio.CancelledError:
        with contextlib.suppress(ClaimLost, DatabaseAway):
            async with database.work(SYSTEM) as work:
                await claims.release(work, claim)
        raise


async def record(database: Database, act: Callable[[Work], Awaitable[R]]) -> R:
    """In a unit of work of its own, again and again while the database is away, as long as the claim may last.

    Whoever was not told that a commit was done does it again, and may find the claim gone.
    """
    now = asyncio.get_running_loop().time
    until = now() + AWAY_SECONDS
    while True:
        try:
            async with database.work(SYSTEM) as work:
                return await act(work)
        except DatabaseAway:
            if now() >= until:
                raise
            await asyncio.sleep(TRY_AGAIN_SECONDS)
