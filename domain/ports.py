"""What the domain asks of the world: each port has two shipped implementations in infra, and one suite for both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from .access import Actor
from .base import Query, R
from .work import Message, Work


class Reader(Protocol):
    """Runs statements outside any transaction. Safe to use from many tasks at once."""

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]: ...

    async def first(self, query: Query[R], **values: Any) -> R | None: ...


class Database(Protocol):
    """Reads, and units of work: one transaction each, committed when the block ends well, rolled back when not."""

    @property
    def reader(self) -> Reader: ...

    def work(self, actor: Actor) -> AbstractAsyncContextManager[Work]: ...


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


class Listener(Protocol):
    """What was said, in order: `async for`, or one at a time with patience."""

    def __aiter__(self) -> AsyncIterator[Message]: ...

    async def next(self, seconds: float) -> Message | None:
        """The next message; None when there was none for so long."""
        ...


class Bus(Protocol):
    """Carries what units of work said to whoever listens, in any process of this database."""

    def listen(self, *topics: str) -> AbstractAsyncContextManager[Listener]:
        """Messages of these topics that were committed after the block was entered, in order."""
        ...
