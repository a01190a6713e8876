"""The unit of work: one transaction, one actor, one moment, and what is said when it is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, Executable, Index, Integer, Result
from sqlalchemy.orm import Mapped, mapped_column

from .access import Actor
from .base import Base, Json, Query, R


@dataclass(frozen=True, slots=True)
class Message:
    """Something said: a job (there is work of a kind) or an event (something happened to `subject`).

    `topic` is what one listens to: `jobs.<kind>`, or `<kind>.<hex id>` of the subject.
    """

    topic: str
    name: str
    workspace_id: UUID
    payload: Mapping[str, Any] = field(default_factory=dict)


class Outbox(Base):
    """Messages, written in the transaction that they speak of. In SQLite this table is the bus itself."""

    __tablename__ = "outbox"
    # AUTOINCREMENT: a cursor must never meet an id for the second time, not even after old rows were deleted.
    __table_args__ = (Index(None, "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    workspace_id: Mapped[UUID]
    topic: Mapped[str]
    name: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]


class Writer(Protocol):
    """The transaction of a unit of work: reads what it wrote, and changes rows."""

    def add(self, instance: Base) -> None: ...

    async def flush(self) -> None:
        """Send what was added. Raises Conflict where a unique rule of the database refuses it."""
        ...

    async def execute(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Result[Any]: ...

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]: ...

    async def first(self, query: Query[R], **values: Any) -> R | None: ...


@dataclass(slots=True)
class Work:
    """Handed to every action. `now` is the one moment of everything done in it (aware UTC)."""

    db: Writer
    actor: Actor
    now: datetime
    said: list[Message] = field(default_factory=list)

    def say(self, message: Message) -> None:
        """Leaves after commit, and only then."""
        self.said.append(message)
        self.db.add(
            Outbox(
                workspace_id=message.workspace_id,
                topic=message.topic,
                name=message.name,
                payload=dict(message.payload),
                at=self.now,
            )
        )
