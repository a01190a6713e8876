"""What runners do."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from ..ids import new_id
from ..measuring import EngineName
from ..work import Work
from .model import Runner


async def appear(work: Work, *, name: str, location: str, pool: str, engines: Iterable[EngineName]) -> UUID:
    """A worker says that it is there; the same name is the same runner. Part of no tenant: nobody's permission is asked."""
    values = {"location": location, "pool": pool, "engines": sorted(engines), "seen_at": work.now}
    appeared = await work.db.execute(
        insert(Runner)
        .values(id=new_id(), name=name, **values)
        .on_conflict_do_update(index_elements=[Runner.name], set_=values)
        .returning(Runner.id)
    )
    id: UUID = appeared.scalar_one()
    return id
