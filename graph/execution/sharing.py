"""One event, executed once for all who asked for the same and may see the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from .results import Event

SECONDS = 1.0
"""An event's execution is good for so long: who takes it later gets how things stand then."""


class Shared:
    """Those of one process that were executed a moment ago, or are being."""

    def __init__(self) -> None:
        self._known: dict[Hashable, asyncio.Task[Event]] = {}
        self.executed = 0

    async def get(self, key: Hashable, execute: Callable[[], Awaitable[Event]]) -> Event:
        """The event's result. It is stopped by none of those who wait for it: each may leave."""
        known = self._known.get(key)
        if known is None:
            self.executed += 1
            known = self._known[key] = asyncio.ensure_future(execute())
            known.add_done_callback(lambda _: asyncio.get_running_loop().call_later(SECONDS, self._known.pop, key, None))
        return known.result() if known.done() else await asyncio.shield(known)


def moment(value: Any) -> Hashable | None:
    """What tells one event from all others, whoever heard it; None where nothing does."""
    found: Hashable | None = getattr(value, "moment", None)
    if found is None and getattr(value, "event", None) is not None:
        found = type(value), value.cursor
    return found
