"""What the domain asks of the world: each port has two shipped implementations in infra, and one suite for both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from .access import Actor
from .base import Query, R
from .work import NOWHERE, EventRow, Origin, Work


class Reader(Protocol):
    """Runs statements outside any transaction. Safe to use from many tasks at once."""

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]: ...

    async def first(self, query: Query[R], **values: Any) -> R | None: ...


class Database(Protocol):
    """Reads, and units of work: one transaction each, committed when the block ends well, rolled back when not."""

    @property
    def reader(self) -> Reader: ...

    def work(self, actor: Actor, origin: Origin = NOWHERE) -> AbstractAsyncContextManager[Work]: ...


class Storage(Protocol):
    """Bytes under a key, outside the database."""

    async def put(self, key: str, data: bytes, *, content_type: str, content_encoding: str | None = None) -> None: ...

    async def get(self, key: str) -> bytes:
        """Raises NotFound."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Missing ones are no error."""
        ...

    async def link(self, key: str, *, seconds: int) -> str | None:
        """A link that expires, or None where the storage has none and the API must serve the bytes itself."""
        ...


class Delivery(Protocol):
    """A call that reached this worker, and nobody else for now: there is work of the kind."""

    async def working(self) -> None:
        """Still at it: do not call anybody else yet."""
        ...

    async def done(self) -> None:
        """Dealt with: the work was done, or there was none."""
        ...

    async def again(self, seconds: float) -> None:
        """Not dealt with: call somebody after so long."""
        ...


class Calls(Protocol):
    """Calls of one kind, each to one of those who wait for it."""

    async def next(self, seconds: float) -> Delivery | None:
        """The next call; None when there was none for so long, or the bus is away."""
        ...


class Bus(Protocol):
    """Calls workers, and carries the history to every process. What it loses is in the database still."""

    def calls(self, kind: str) -> AbstractAsyncContextManager[Calls]:
        """Calls for jobs of this kind: at least one for each job that waits, until somebody has dealt with it."""
        ...

    def events(self, after: int) -> AsyncGenerator[EventRow, None]:
        """The history from behind this place on, in order and without a gap, for ever: outages are survived inside."""
        ...


class Missed(NamedTuple):
    """A follower was too slow: so many events, those behind `since` and up to `until`, were dropped."""

    number: int
    since: int
    until: int


class Follower(Protocol):
    """One subscriber's end of the feed, with a bounded queue of its own."""

    @property
    def position(self) -> int:
        """The place in the history up to which everything that concerns it has been taken."""
        ...

    async def next(self, seconds: float) -> EventRow | Missed | None:
        """The next event; None when there was none for so long."""
        ...


class Feed(Protocol):
    """The history as it grows, fanned out in this process from one subscription to the bus."""

    def follow(self, workspace_id: UUID, subject: UUID | None = None) -> AbstractContextManager[Follower]:
        """What is committed after the block was entered, in order: all of the workspace's, or its one subject's."""
        ...
