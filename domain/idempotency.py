"""The same request, sent again: an idempotency key gives the first result back for a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Index, bindparam, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, query
from .errors import Conflict, InvalidInput, ProblemCode
from .ids import new_id
from .work import Work

KEPT = timedelta(hours=24)
MAX_KEY = 200


class Replay(Base):
    __tablename__ = "replays"
    __table_args__ = (Index(None, "at"),)

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    mutation: Mapped[str]
    digest: Mapped[str]
    result_id: Mapped[UUID]
    at: Mapped[datetime]


class ReplayRow(NamedTuple):
    mutation: str
    digest: str
    result_id: UUID


_FOUND = query(ReplayRow, Replay).where(Replay.actor == bindparam("actor"), Replay.key == bindparam("key"))


class Promise(NamedTuple):
    """The id that the result has: a new one for the caller to use, or an earlier one (`replayed`)."""

    id: UUID
    replayed: bool


async def promise(work: Work, key: str | None, mutation: str, given: Mapping[str, Any]) -> Promise:
    """Reserve the key for this transaction. Raises Conflict when it was used for something else.

    Two at once: the second waits for the first one's commit and then finds its result.
    """
    if key is None:
        return Promise(new_id(), False)
    if not key.strip() or len(key) > MAX_KEY or not key.isprintable():
        raise InvalidInput.at("idempotencyKey", f"An idempotency key is 1 to {MAX_KEY} printable characters.")
    actor, id = work.actor.name, new_id()
    digest = hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()
    await work.db.execute(delete(Replay).where(Replay.actor == actor, Replay.key == key, Replay.at < work.now - KEPT))
    values = {"actor": actor, "key": key, "mutation": mutation, "digest": digest, "result_id": id, "at": work.now}
    await work.db.execute(insert(Replay).values(values).on_conflict_do_nothing())
    kept = await work.db.first(_FOUND, actor=actor, key=key)
    assert kept is not None
    if (kept.mutation, kept.digest) != (mutation, digest):
        raise Conflict("This idempotency key was used with other input less than 24 hours ago.", ProblemCode.KEY_REUSED)
    return Promise(kept.result_id, kept.result_id != id)


async def forget(work: Work) -> None:
    """Delete what no repeated request is answered with any more."""
    await work.db.execute(delete(Replay).where(Replay.at < work.now - KEPT))
