"""A client that leaves does not wait for its answer any more, and nobody works for it."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

WATCHED_AFTER = 0.02
"""Seconds, and at most twice as many: most answers are there sooner, and then nobody had to look."""


class Left(Exception):  # noqa: N818 - whoever asked is gone
    """Nobody waits for the answer any more."""


class Leaving:
    """What is done in the block is stopped when the client leaves. Raises Left then."""

    __slots__ = ("_left", "_receive", "_watch", "_watching", "_working")

    def __init__(self, receive: Receive, watch: Watch) -> None:
        self._receive = receive
        self._watch = watch
        self._left = False
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        working = asyncio.current_task()
        assert working is not None
        self._working = working
        self._watch.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._watch.discard(self)
        if self._watching is not None:
            self._watching.cancel()
        if self._left and kind in (None, asyncio.CancelledError):
            self._working.uncancel()
            raise Left from None

    def begin(self) -> None:
        """It takes longer than most."""
        self._watching = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        self._working.cancel()


class Watch:
    """One timer for all who wait for one endpoint: a timer for each takes longer than many an answer."""

    def __init__(self) -> None:
        self._new: set[Leaving] = set()
        self._old: set[Leaving] = set()
        self._ticking = False

    def add(self, leaving: Leaving) -> None:
        self._new.add(leaving)
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(WATCHED_AFTER, self._tick)

    def discard(self, leaving: Leaving) -> None:
        self._new.discard(leaving)
        self._old.discard(leaving)

    def _tick(self) -> None:
        for leaving in self._old:
            leaving.begin()
        self._old, self._new = self._new, set()
        self._ticking = bool(self._old)
        if self._ticking:
            asyncio.get_running_loop().call_later(WATCHED_AFTER, self._tick)
