"""What stays open in this process: bounded by account, ended when its key is revoked or the process is to stop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from ..callers import Caller
from ..codes import Code
from ..context import Services
from ..operations import Rejected


class End(Enum):
    """Why something that stays open is ended."""

    REVOKED = "revoked"
    STOPPING = "stopping"


Ended = Callable[[End], None]


class Connections:
    """Sockets and streams of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open: dict[object, Ended] = {}
        self._accounts: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()
        self.stopping = False

    @contextmanager
    def open(self, caller: Caller, ended: Ended) -> Iterator[None]:
        """`ended` is called at most once for each reason, within a second of it. Raises Rejected for one too many."""
        most = self._services.policy.streams_at_once
        account = caller.account
        if self.stopping:
            raise Rejected.of(
                "This server is about to stop: connect again.", Code.SERVICE_UNAVAILABLE, 503, {"retry-after": "1"}
            )
        if self._accounts[account] >= most:
            message = f"At most {most} streams and sockets of one account are open at once: close one first."
            raise Rejected.of(message, Code.TOO_MANY_AT_ONCE, 429, {"retry-after": "5"}, maximum=most)
        self._accounts[account] += 1
        this = object()
        self._open[this] = ended
        self._empty.clear()
        gone: Callable[[], None] | None = None
        if caller.standing is not None and caller.actor.is_somebody:
            reader = self._services.database.reader
            gone = self._services.standings.stay(caller.standing, reader, lambda: ended(End.REVOKED))
        try:
            yield
        finally:
            if gone is not None:
                gone()
            del self._open[this]
            if not self._open:
                self._empty.set()
            self._accounts[account] -= 1
            if not self._accounts[account]:
                del self._accounts[account]

    async def drain(self, seconds: float) -> None:
        """Tell all who are connected to come back, and wait so long until they have left."""
        self.stopping = True
        for ended in tuple(self._open.values()):
            ended(End.STOPPING)
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return
