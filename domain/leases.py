"""Leases: of all processes, one does it; and what it writes counts only while the lease is its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from .access import SYSTEM
from .base import Base, query
from .errors import Conflict
from .ports import Database, Reader
from .work import Work


class LeaseLost(Exception):  # noqa: N818 - nothing went wrong: somebody else has it
    """Another process acts now."""


class StoredLease(Base):
    """`token` is its holder's, good until `until`. `fence` counts the changes of hands, for people to read."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[UUID | None]
    holder: Mapped[str]
    fence: Mapped[int]
    until: Mapped[datetime]


class Lease(NamedTuple):
    """What its holder shows in every unit of work."""

    name: str
    token: UUID
    fence: int
    lasts: timedelta


class LeaseRow(NamedTuple):
    name: str
    token: UUID | None
    holder: str
    fence: int
    until: datetime


_ONE = query(LeaseRow, StoredLease).where(StoredLease.name == bindparam("name"))


async def look(reader: Reader, name: str) -> LeaseRow | None:
    return await reader.first(_ONE, name=name)


async def acquire(database: Database, name: str, *, holder: str, lasts: timedelta) -> Lease | None:
    """The lease, if nobody has it any more; never waits. `holder` is for people who ask who acts."""
    token = uuid4()
    try:
        async with database.work(SYSTEM) as work:
            values = {"token": token, "holder": holder, "until": work.now + lasts}
            free = or_(StoredLease.token.is_(None), StoredLease.until < work.now)
            # A row that is locked is its holder's: who waited for it and was frozen meanwhile would have it next.
            unlocked = select(StoredLease.name).where(StoredLease.name == name, free).with_for_update(skip_locked=True)
            taken = await work.db.execute(
                update(StoredLease)
                .where(StoredLease.name == unlocked.scalar_subquery())
                .values(fence=StoredLease.fence + 1, **values)
                .returning(StoredLease.fence)
            )
            fence = taken.scalar_one_or_none()
            if fence is None:
                known = await work.db.execute(select(StoredLease.name).where(StoredLease.name == name))
                if known.first() is not None:
                    return None
                await work.db.execute(insert(StoredLease).values(name=name, fence=1, **values))
                fence = 1
    except Conflict:  # two made its row at once
        return None
    return Lease(name, token, fence, lasts)


async def prove(work: Work, lease: Lease) -> None:
    """The first thing in each unit of work of the holder; keeps the lease for another while. Raises LeaseLost.

    The row stays locked until the commit: nobody can take the lease while this unit of work goes on, however long the
    process is frozen in the middle of it.
    """
    held = await work.db.execute(
        update(StoredLease)
        .where(StoredLease.name == lease.name, StoredLease.token == lease.token)
        .values(until=work.now + lease.lasts)
        .returning(StoredLease.name)
    )
    if held.first() is None:
        raise LeaseLost


async def release(database: Database, lease: Lease) -> None:
    """Give it back, so that nobody waits for its end."""
    async with database.work(SYSTEM) as work:
        await work.db.execute(
            update(StoredLease).where(StoredLease.name == lease.name, StoredLease.token == lease.token).values(token=None)
        )
