"""What lies sealed in a table is sealed anew under the secret of now, in pieces, beside whoever works with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from ..base import Count, Query
from ..keyring import Keyring, Unsealed
from ..ports import Reader
from ..work import Work

PIECE = 200
"""At most so many rows are sealed anew in one transaction."""


class _Row(NamedTuple):
    key: Any
    sealed: bytes


class Piece(NamedTuple):
    """What became of the rows. `lost`: which of them no secret opens; they are left as they are. `last`: None after the end."""

    anew: int
    current: int
    lost: Sequence[Any]
    last: Any


class Sealed:
    """A table's column of sealed bytes, for one purpose. `key` is its primary key."""

    def __init__(self, key: InstrumentedAttribute[Any], sealed: InstrumentedAttribute[bytes], purpose: str) -> None:
        table = key.class_.__table__
        assert isinstance(table, Table)
        self.table, self.purpose = table, purpose
        self.first: Any = UUID(int=0) if key.type.python_type is UUID else ""
        rows = select(key, sealed).where(key > bindparam("after", type_=key.type)).order_by(key).limit(PIECE)
        # Nobody replaces a row between our look at it and the commit: what they sealed would be lost.
        self.rows = Query(_Row, rows.with_for_update()).beyond_reach("It is sealed anew, whosever it is, and shown to nobody.")
        self.number = Query(Count, select(func.count()).select_from(table)).beyond_reach("A number alone, for the operator.")
        column = table.c[sealed.key]
        self.change = update(table).where(table.c[key.key] == bindparam("this")).values({column: bindparam("anew")})


async def reseal(work: Work, sealed: Sealed, keyring: Keyring, after: Any = None) -> Piece:
    """The rows behind `after`, by their keys. What is current already stays as it is, so that a second run changes nothing."""
    rows = await work.db.all(sealed.rows, after=sealed.first if after is None else after)
    former = [row for row in rows if not keyring.is_current(row.sealed, sealed.purpose)]
    anew, lost = list[dict[str, Any]](), []
    for row in former:
        try:
            anew.append({"this": row.key, "anew": keyring.sealed_anew(row.sealed, sealed.purpose)})
        except Unsealed:
            lost.append(row.key)
    if anew:
        await work.db.execute(sealed.change, anew)
    return Piece(len(anew), len(rows) - len(former), lost, rows[-1].key if len(rows) == PIECE else None)


async def number_of(reader: Reader, sealed: Sealed) -> int:
    """How many rows there are, whosever they are."""
    row = await reader.first(sealed.number)
    return row.number if row else 0
