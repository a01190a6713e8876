"""Keyset pages: the rows of many parents in one statement, in a stable order, from a cursor onwards."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, Label, Select, and_, bindparam, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from .access import Reach
from .base import Query, R, each_of, each_of_json, within
from .errors import InvalidInput, ProblemCode

DEFAULT_FIRST = 20
MAX_FIRST = 100


_Column = InstrumentedAttribute[Any]


class _Reads(Protocol):
    async def all(self, query: Query[R], **values: Any) -> Sequence[R]: ...


@dataclass(frozen=True, slots=True)
class Window:
    """How many, from where, in which direction. `cursor` is exclusive."""

    size: int = DEFAULT_FIRST
    cursor: str | None = None
    backward: bool = False

    @classmethod
    def of(
        cls,
        first: int | None,
        after: str | None,
        last: int | None = None,
        before: str | None = None,
        most: int = MAX_FIRST,
    ) -> Window:
        """From a connection's arguments. Raises InvalidInput for a mixture of directions or a size out of range."""
        if last is not None or before is not None:
            if first is not None or after is not None:
                raise InvalidInput.at("last", "Page either forward (first, after) or backward (last, before), not both.")
            return cls(_size("last", last, most), before, backward=True)
        return cls(_size("first", first, most), after)


def _size(name: str, value: int | None, most: int) -> int:
    if value is None:
        return DEFAULT_FIRST
    if not 1 <= value <= most:
        raise InvalidInput.at(name, f"{name} must be from 1 to {most}; {value} was asked for.", ProblemCode.OUT_OF_RANGE)
    return value


@dataclass(frozen=True, slots=True)
class Slice(Generic[R]):
    """One parent's rows in the list's own order, and what makes a row's cursor."""

    rows: Sequence[R]
    cursor: Callable[[R], str]
    has_next: bool
    has_previous: bool

    @property
    def cursors(self) -> Sequence[str]:
        return [self.cursor(row) for row in self.rows]


class Keyset(Generic[R]):
    """A list in the order of `keys` under each value of `parent` (None: one list for the tenant), filtered by reach.

    `tenant` is the column of the row's workspace, None where the query looks beyond reach; `site` that of its site, where it
    belongs to one.
    `keys` are columns of the row type, or what is worked out under their names, none of them nullable, the last one unique;
    all ascending or all descending.
    A cursor is the list's name, the row's parent and its keys: another list's or parent's cursor, or a mutilated one,
    is refused.
    """

    def __init__(
        self,
        name: str,
        query: Query[R],
        *,
        parent: InstrumentedAttribute[Any] | None,
        tenant: InstrumentedAttribute[Any] | None,
        site: InstrumentedAttribute[Any] | None = None,
        keys: Sequence[InstrumentedAttribute[Any] | Label[Any]],
        descending: bool = False,
    ) -> None:
        self.name = name
        self.base = query.where(within(tenant, site)) if tenant is not None else query
        self.parent = parent
        self.keys = keys
        self.descending = descending
        self._statement = lru_cache(maxsize=256)(self._build)

    async def under(
        self,
        reads: _Reads,
        reach: Reach,
        parents: Collection[Any],
        window: Window,
        columns: Collection[str] | None = None,
        **values: Any,
    ) -> Mapping[Any, Slice[R] | InvalidInput]:
        """Each parent's slice, in one statement however many parents there are; with these columns, or all.

        A cursor is good for its own parent: the others get the refusal as their value. Raises it where nobody is left.
        """
        given, bound = parents, dict[str, Any]()
        if window.cursor is not None:
            place = self._decode(window)
            parents = [parent for parent in parents if _text(parent) == place[0]] if place else []
            if not place or not parents:
                raise self._refusal(window)
            bound = dict(zip(self._names(), place[1], strict=True))
        wanted = None if columns is None else frozenset(columns)
        single = len(parents) == 1
        query: Query[R] = self._statement(single, window.cursor is not None, window.backward, wanted)
        if self.parent is not None:
            values |= {"parent": next(iter(parents))} if single else {"parents": parents}
        found = await reads.all(query, reach=reach.held, limit=window.size + 1, **bound, **values)
        rows: Mapping[Any, Sequence[R]]
        if single or self.parent is None:
            rows = {next(iter(parents)): found}
        else:
            rows = {**dict.fromkeys(parents, ()), **_by_parent(found, attrgetter(self.parent.key))}
        slices = {parent: self._slice(list(those), window) for parent, those in rows.items()}
        return {parent: slices[parent] if parent in slices else self._refusal(window) for parent in given}

    async def of(self, reads: _Reads, reach: Reach, parent: Any, window: Window, **values: Any) -> Slice[R]:
        """One parent's slice. Raises InvalidInput for a cursor that is not its own."""
        found = (await self.under(reads, reach, [parent], window, **values))[parent]
        assert isinstance(found, Slice)  # the only parent's refusal is raised
        return found

    def cursor(self, row: R) -> str:
        parent = getattr(row, self.parent.key) if self.parent is not None else None
        return write_cursor(self.name, parent, [getattr(row, key.key) for key in self.keys])

    def _slice(self, rows: list[R], window: Window) -> Slice[R]:
        more = len(rows) > window.size
        rows = rows[: window.size]
        if window.backward:
            rows.reverse()
        came = window.cursor is not None
        return Slice(
            rows,
            self.cursor,
            has_next=came if window.backward else more,
            has_previous=more if window.backward else came,
        )

    def _names(self) -> list[str]:
        return [f"cursor_{key.key}" for key in self.keys]

    def _decode(self, window: Window) -> tuple[str, list[Any]] | None:
        """The parent and the keys of the window's cursor; None when it is no cursor of this list."""
        try:
            name, parent, *keys = read_cursor(window.cursor or "") or ["", ""]
            if name != self.name:
                return None
            return parent, [_value(key.type, part) for key, part in zip(self.keys, keys, strict=True)]
        except (ValueError, OverflowError):
            return None

    def _refusal(self, window: Window) -> InvalidInput:
        path = "before" if window.backward else "after"
        return InvalidInput.at(path, f"This cursor does not belong to this list ({self.name}).", ProblemCode.CURSOR_INVALID)

    def _build(self, single: bool, cursor: bool, backward: bool, columns: frozenset[str] | None) -> Query[R]:
        base = self.base
        if columns is not None:
            parent = {self.parent.key} if self.parent is not None else set()
            base = base.narrow({*columns, *parent, *(key.key for key in self.keys)})
        descending = self.descending != backward
        order = [key.desc() if descending else key.asc() for key in self.keys]
        limited = base.statement.order_by(*order).limit(bindparam("limit", type_=Integer()))
        if cursor:
            limited = limited.where(self._beyond(descending))
        like = None if columns is None else self._statement(single, cursor, backward, None)
        if self.parent is None:
            return Query(base.row, limited, base.beyond, like=like)
        if single:
            # Not one of a list, whose order no index has.
            one = limited.where(self.parent == bindparam("parent", type_=self.parent.type))
            return Query(base.row, one, base.beyond, like=like)
        each, on_sqlite = (
            self._of_each(self.parent, limited, descending),
            self._of_each_on_sqlite(self.parent, base, limited, order),
        )
        return Query(base.row, each, base.beyond, on_sqlite, like)

    def _of_each(self, parent: _Column, limited: Select[Any], descending: bool) -> Select[Any]:
        """Parent by parent through the index: a window function would walk the whole of each list."""
        parents = each_of("parents", parent.type)
        page = limited.where(parent == parents.c.value).correlate(parents).lateral("page")
        order = [page.c[key.key].desc() if descending else page.c[key.key].asc() for key in self.keys]
        return select(*page.c).select_from(parents.join(page, true())).order_by(page.c[parent.key], *order)

    def _of_each_on_sqlite(self, parent: _Column, base: Query[R], limited: Select[Any], order: Sequence[Any]) -> Select[Any]:
        """The same with a list of ids for each parent."""
        parents = each_of_json("parents", parent.type)
        unique = self.keys[-1]
        ids = limited.with_only_columns(unique).where(parent == parents.c.value).correlate(parents)
        return base.statement.where(parent == parents.c.value, unique.in_(ids)).order_by(parent, *order)

    def _beyond(self, descending: bool) -> ColumnElement[bool]:
        """(a, b) > (:a, :b), spelt out: both databases take it, and both use the index for its first column."""
        steps = []
        for last in range(len(self.keys)):
            same = [key == bindparam(name, type_=key.type) for key, name in zip(self.keys[:last], self._names(), strict=False)]
            key, name = self.keys[last], self._names()[last]
            edge = bindparam(name, type_=key.type)
            steps.append(and_(*same, key < edge if descending else key > edge))
        return or_(*steps)


def of_sites(
    name: str,
    query: Query[R],
    parent: InstrumentedAttribute[Any],
    *keys: InstrumentedAttribute[Any],
    descending: bool = False,
) -> Keyset[R]:
    """A list of what belongs to sites, or to pages of them; by id, unless other keys are given."""
    table = parent.class_
    place = {"parent": parent, "tenant": table.workspace_id, "site": table.site_id}
    return Keyset(name, query, **place, keys=keys or (table.id,), descending=descending)


def _by_parent(rows: Sequence[R], whose: Callable[[R], Any]) -> Mapping[Any, Sequence[R]]:
    """Of rows that stand parent by parent: not each is asked for its own."""
    found, begin = {}, 0
    while begin < len(rows):
        parent = whose(rows[begin])
        end = bisect_right(rows, parent, begin, key=whose)
        found[parent] = rows[begin:end]
        begin = end
    return found


def write_cursor(name: str, parent: Any, keys: Sequence[Any]) -> str:
    """A place in the list `name` under `parent`, opaque to clients."""
    parts = [name, _text(parent), *map(_text, keys)]
    return base64.urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("=")


def read_cursor(text: str) -> list[str] | None:
    """The texts that a cursor was made of; None when it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode().split("\x1f")
    except (ValueError, binascii.Error):
        return None


def _text(value: Any) -> str:
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _value(column: TypeEngine[Any], text: str) -> Any:
    kind = column.python_type
    if kind is UUID:
        return UUID(hex=text)
    if kind is datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment.astimezone(UTC)
    if kind is int and len(text) > (18 if isinstance(column, BigInteger) else 9):
        raise ValueError("a number that no column holds")
    if "\x00" in text:
        raise ValueError("a character that no column holds")
    return kind(text)
