"""When keys were used last: noted in the process, and written down now and then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, or_, update

from ..access import Actor
from ..work import Work
from .model import ApiKey

EVERY = timedelta(minutes=1)
"""A key's row is written once in so long."""

_USED = (
    update(ApiKey)
    .where(
        ApiKey.id == bindparam("key_id"),
        or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < bindparam("before", type_=ApiKey.last_used_at.type)),
    )
    .values(last_used_at=bindparam("at", type_=ApiKey.last_used_at.type))
)


class Uses:
    """The keys that this process saw since it was last asked. It never waits; one thread uses it."""

    def __init__(self) -> None:
        self._last: dict[UUID, datetime] = {}

    def record(self, actor: Actor, now: datetime) -> None:
        """Whoever has no key is not noted."""
        if actor.key_id is not None:
            self._last[actor.key_id] = now

    def drain(self) -> Mapping[UUID, datetime]:
        """All of it, which is then forgotten here."""
        last, self._last = self._last, {}
        return last

    def restore(self, used: Mapping[UUID, datetime]) -> None:
        """What was drained and could not be written: it is given again the next time."""
        self._last = {**used, **self._last}


async def used(work: Work, uses: Mapping[UUID, datetime]) -> None:
    """Write down what a process saw; of keys whose rows were written in the last minute, nothing."""
    # In one order, in which no two processes wait for each other.
    for key_id, at in sorted(uses.items()):
        await work.db.execute(_USED, {"key_id": key_id, "at": at, "before": at - EVERY})
