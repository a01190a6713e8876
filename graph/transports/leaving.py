"""A client that leaves does not wait for its answer any more, and nobody works for it."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

WATCHED_AFTER = 0.02
"""Seconds; most answers are there sooner, and then nobody had to look."""


class Left(Exception):  # noqa: N818 - whoever asked is gone
    """Nobody waits for the answer any more."""


class Leaving:
    """What is done in the block is stopped when the client leaves. Raises Left then."""

    __slots__ = ("_left", "_receive", "_timer", "_watching", "_working")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = False
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        working = asyncio.current_task()
        assert working is not None
        self._working = working
        self._timer = asyncio.get_running_loop().call_later(WATCHED_AFTER, self._begin)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if self._left and kind in (None, asyncio.CancelledError):
            self._working.uncancel()
            raise Left from None

    def _begin(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        self._working.cancel()
