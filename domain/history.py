"""The history: every event has its place in it, in the order of the commits, and keeps it for a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from . import tracing
from .base import Base, Query, R, one_of, query
from .paging import Keyset, read_cursor, write_cursor
from .ports import Reader
from .work import EventRow, StoredEvent, Work

KEPT = timedelta(hours=24)
BATCH = 500
FORGET = 10_000


class History(Base):
    """One row: the history's name, the last place given, the last place that left for the bus, the last place forgotten."""

    __tablename__ = "history"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
    published: Mapped[int] = mapped_column(BigInteger)
    forgotten: Mapped[int] = mapped_column(BigInteger)


class HistoryRow(NamedTuple):
    id: UUID
    last: int
    published: int
    forgotten: int


class SaidRow(NamedTuple):
    """Everything of one subject up to the place `last`, and so many events behind it."""

    last: int
    behind: int


class _NumberRow(NamedTuple):
    number: int


_HISTORY = query(HistoryRow, History)
_fresh = select(func.count()).select_from(StoredEvent).where(StoredEvent.sequence.is_(None))
_UNPUBLISHED = Query(_NumberRow, select(History.last - History.published + _fresh.scalar_subquery())).beyond_reach(
    "A number alone, for the operator."
)
_SAID = Query(
    SaidRow, select(History.last, _fresh.where(StoredEvent.subject == bindparam("subject", type_=Uuid())).scalar_subquery())
).beyond_reach("A number alone, of what its caller has found within reach.")
_NUMBERED = query(EventRow, StoredEvent).where(StoredEvent.sequence.is_not(None))
AFTER = Query(
    EventRow,
    _NUMBERED.where(StoredEvent.sequence > bindparam("after")).statement.order_by(StoredEvent.sequence).limit(BATCH),
).beyond_reach("The feed carries all workspaces' events, and gives each follower those of theirs.")
_OF_WORKSPACE = Query(
    EventRow,
    _NUMBERED.where(
        StoredEvent.workspace_id == bindparam("workspace_id"),
        StoredEvent.sequence > bindparam("after"),
        StoredEvent.sequence <= bindparam("until"),
    )
    .statement.order_by(StoredEvent.sequence)
    .limit(BATCH),
)


async def state(reader: Reader) -> HistoryRow:
    return await _always(reader, _HISTORY)


async def unpublished(reader: Reader) -> int:
    """How many events have not left for the bus."""
    return (await _always(reader, _UNPUBLISHED)).number


async def said(reader: Reader, subject: UUID) -> SaidRow:
    """How much was said of it by now."""
    return await _always(reader, _SAID, subject=subject)


async def _always(reader: Reader, query: Query[R], **values: Any) -> R:
    row = await reader.first(query, **values)
    assert row is not None  # the migration made the history's row
    return row


async def record(work: Work, *, numbered: bool) -> None:
    """Write what the unit of work said. `numbered`: writers take turns here, so that places can be given at once."""
    if not work.said:
        return
    last = await _advance(work, len(work.said), published=True) if numbered else None
    first = last - len(work.said) + 1 if last is not None else 0
    trace = tracing.traceparent()
    rows = [
        {
            "sequence": first + position if last is not None else None,
            "workspace_id": event.workspace_id,
            "site_id": event.site_id,
            "subject": event.subject,
            "kind": event.kind,
            "payload": dict(event.payload),
            "at": work.now,
            "trace": event.trace or trace,
        }
        for position, event in enumerate(work.said)
    ]
    await work.db.flush()
    await work.db.execute(insert(StoredEvent), rows)


async def number(work: Work) -> int:
    """Give places to what finished transactions have said, in the order of their ids; the number of events.

    Two of these never run at once: the history's row is locked first. What it does not see yet, it gives a later place.
    """
    await work.db.execute(select(History.id).with_for_update())
    fresh = (
        await work.db.execute(
            select(StoredEvent.id).where(StoredEvent.sequence.is_(None)).order_by(StoredEvent.id).limit(BATCH)
        )
    ).scalars()
    ids = list(fresh)
    if ids:
        last = await _advance(work, len(ids))
        place = func.row_number().over(order_by=StoredEvent.id).label("place")
        ranked = select(StoredEvent.id, place).where(one_of(StoredEvent.id, "ids")).subquery()
        await work.db.execute(
            update(StoredEvent)
            .where(StoredEvent.id == ranked.c.id)
            .values(sequence=ranked.c.place + bindparam("before", type_=BigInteger())),
            {"ids": ids, "before": last - len(ids)},
        )
    return len(ids)


async def _advance(work: Work, by: int, *, published: bool = False) -> int:
    """`published`: there is no bus to leave for, since the table itself is what everybody reads."""
    last = History.last + by
    values = {"last": last, "published": last} if published else {"last": last}
    advanced = await work.db.execute(update(History).values(**values).returning(History.last))
    return int(advanced.scalar_one())


async def published(work: Work, sequence: int) -> None:
    """Everything up to here is on the bus."""
    await work.db.execute(update(History).where(History.published < sequence).values(published=sequence))


async def begin_anew(work: Work, id: UUID, last: int) -> None:
    """A history of its own from here on: what the bus carries was not written by this database's past."""
    await work.db.execute(update(History).values(id=id, last=last, published=last, forgotten=last))
    await work.db.execute(delete(StoredEvent).where(StoredEvent.sequence.is_not(None)))


async def forget(work: Work) -> int:
    """Delete what is older than KEPT and has left the house, up to FORGET events; how many there were."""
    first = (await work.db.execute(select(func.min(StoredEvent.sequence)))).scalar_one()
    if first is None:
        return 0
    until = min((await state(work.db)).published, first - 1 + FORGET)
    old = (StoredEvent.at < work.now - KEPT, StoredEvent.sequence <= until)
    until = (await work.db.execute(select(func.max(StoredEvent.sequence)).where(*old))).scalar_one()
    if until is None:
        return 0
    # The history's row comes last: who gives places waits for it.
    gone: Any = await work.db.execute(delete(StoredEvent).where(StoredEvent.sequence <= until))
    await work.db.execute(update(History).where(History.forgotten < until).values(forgotten=until))
    return int(gone.rowcount)


async def after(reader: Reader, sequence: int) -> Sequence[EventRow]:
    """Up to BATCH events behind this place, of all workspaces."""
    return await reader.all(AFTER, after=sequence)


async def between(
    reader: Reader, workspace_id: UUID, after: int, until: int, kinds: Collection[str], sites: Collection[UUID] | None
) -> Sequence[EventRow]:
    """Up to BATCH events of a workspace behind `after` and up to `until`: of these kinds (empty: all), of these sites."""
    return await reader.all(
        _filtered(bool(kinds), sites is not None),
        workspace_id=workspace_id,
        after=after,
        until=until,
        **({"kinds": kinds} if kinds else {}),
        **({"sites": sites} if sites is not None else {}),
    )


@lru_cache
def _filtered(kinds: bool, sites: bool) -> Query[EventRow]:
    statement = _OF_WORKSPACE.statement
    if kinds:
        statement = statement.where(one_of(StoredEvent.kind, "kinds"))
    if sites:
        statement = statement.where(one_of(StoredEvent.site_id, "sites"))
    return Query(EventRow, statement)


@lru_cache(maxsize=8)
def events(history_id: UUID, *, of_kinds: bool) -> Keyset[EventRow]:
    """The history as a list under its workspaces; `of_kinds`: of the given `kinds`.

    Its cursors name the history, and are those of the live events too.
    """
    return Keyset(
        _name(history_id),
        _NUMBERED.where(one_of(StoredEvent.kind, "kinds")) if of_kinds else _NUMBERED,
        parent=StoredEvent.workspace_id,
        tenant=StoredEvent.workspace_id,
        site=StoredEvent.site_id,
        keys=(StoredEvent.sequence,),
    )


def cursor(history_id: UUID, workspace_id: UUID, sequence: int) -> str:
    """The place behind this event, as clients hold it."""
    return write_cursor(_name(history_id), workspace_id, [sequence])


def place(text: str, workspace_id: UUID) -> tuple[UUID, int] | None:
    """The history and the place that a cursor names; None when it is no cursor of this workspace's events."""
    parts = read_cursor(text)
    if parts is None or len(parts) != 3 or parts[1] != workspace_id.hex or not parts[0].startswith("events."):
        return None
    name, number = parts[0].removeprefix("events."), parts[2]
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    try:
        return UUID(hex=name), int(number)
    except ValueError:
        return None


def _name(history_id: UUID) -> str:
    return f"events.{history_id.hex}"
