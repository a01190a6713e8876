"""What runners do."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import bindparam, update

from ..base import query
from ..ids import new_id
from ..measuring import EngineName
from ..work import Work
from .model import Runner, RunnerRow

_BY_NAME = query(RunnerRow, Runner).where(Runner.name == bindparam("name"))


async def appear(work: Work, *, name: str, location: str, pool: str, engines: Iterable[EngineName]) -> UUID:
    """A worker says that it is there; the same name is the same runner. Part of no tenant: nobody's permission is asked."""
    values = {"location": location, "pool": pool, "engines": sorted(engines), "seen_at": work.now}
    known = await work.db.first(_BY_NAME, name=name)
    if known is not None:
        await work.db.execute(update(Runner).where(Runner.id == known.id).values(**values))
        return known.id
    runner = Runner(id=new_id(), name=name, **values)
    work.db.add(runner)
    await work.db.flush()
    return runner.id
