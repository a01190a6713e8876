"""The second wall of reads: a statement on a tenant's table that is held to no tenant is a bug of ours, and is not run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any
from weakref import WeakSet

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnClause,
    Dialect,
    FromClause,
    Join,
    Select,
    Subquery,
    Table,
    TableClause,
    TextClause,
)
from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import AsBoolean, BinaryExpression, BooleanClauseList, ClauseElement, Grouping
from sqlalchemy.sql.selectable import FromClauseAlias, FromGrouping, Lateral

from domain.base import Base, Query, one_of

WHOSE = frozenset({"reach", "workspace_id", "workspaces"})
"""The parameters that say whose rows a statement reads."""

_checked: WeakSet[Query[Any]] = WeakSet()


class Unscoped(RuntimeError):  # noqa: N818 - what the statement is
    """A statement reads a tenant's table, and says of no tenant that it is theirs."""


def guarded(query: Query[Any], dialect: Dialect) -> Select[Any]:
    """The query's statement, to be run. Raises Unscoped. A query is looked at once, when it is first run."""
    if query.like is not None:
        guarded(query.like, dialect)  # which columns are given is nothing that holds rows
    elif query not in _checked:
        statements = [query.statement, *([query.sqlite] if query.sqlite is not None else [])]
        loose = [] if query.beyond else [name for statement in statements for name in unscoped(statement)]
        if loose:
            raise Unscoped(f"The statement for {query.row.__qualname__} reads {', '.join(loose)} of whichever workspace.")
        _checked.add(query)
    return query.on(dialect)


def unscoped(statement: ClauseElement) -> list[str]:
    """The tenants' tables that some select of the statement holds to no tenant; and what names tables out of its sight.

    A table is held by a parameter of WHOSE for its workspace, by both its workspace and its site being among `reach`, or by
    a foreign key, or its workspace, being equal to that of a table that is held.
    """
    return sorted(set(_loose(statement, frozenset(), frozenset())))


_ADDED = ("_prefixes", "_suffixes", "_hints", "_statement_hints")
"""The texts that a select may have around it."""

_Condition = tuple[Any, set[FromClause] | None]


def _loose(element: ClauseElement, around: frozenset[FromClause], held: frozenset[FromClause]) -> Iterator[str]:
    """`around`: what the select is within, whose rows it may name; `held`: what of that is held to a tenant."""
    if _is_textual(element):
        yield "what a text names"
    if isinstance(element, UpdateBase):
        yield "what it writes"
    children: Iterable[Any] = element.get_children() if not isinstance(element, TableClause | ColumnClause) else ()
    if isinstance(element, Lateral):
        children = element.element.get_children()  # a table for each row of those before it, which it may name
    elif isinstance(element, Subquery | CTE):
        around = held = frozenset()  # a table of its own: it names nobody else's rows
    elif isinstance(element, Select):
        joined = element.get_final_froms()
        sources = {source for each in joined for source in _parts(each)}
        own = {source for source in sources if not _is_correlated(element, source, sources, around)}
        held = frozenset(_hold(element, joined, held & (sources - own)))
        yield from (_table(source).name for source in own - held if _tenant(source) is not None)
        around |= sources
        children = dict.fromkeys((*children, *sources))
    for child in children:
        yield from _loose(child, around, held)


def _is_textual(element: ClauseElement) -> bool:
    if isinstance(element, ColumnClause):
        return element.is_literal and element.name != "*"
    return isinstance(element, TextClause) or any(getattr(element, each, ()) for each in _ADDED)


def _is_correlated(
    select: Select[Any], source: FromClause, sources: Collection[FromClause], around: frozenset[FromClause]
) -> bool:
    """Whether it is the surrounding select's: SQLAlchemy leaves out what stands there, unless nothing were left."""
    return source in around and (source in (select._correlate or ()) or (select._auto_correlate and len(sources) > 1))


def _hold(select: Select[Any], joined: Iterable[FromClause], held: Iterable[FromClause]) -> set[FromClause]:
    conditions: list[_Condition] = [(each, None) for each in _all_of(select.whereclause)]
    conditions += [pair for each in joined for pair in _of_joins(each)]
    known = set(held)
    while True:
        found = {
            source for condition, only in conditions for source in _held_by(condition, known) if only is None or source in only
        }
        if found <= known:
            return known
        known |= found


def _of_joins(source: FromClause) -> Iterator[_Condition]:
    """What joins ask for, and what alone that holds: of an outer join's left side all rows are there anyway."""
    source = _ungrouped(source)
    if isinstance(source, Join):
        only = set(_parts(source.right)) if source.isouter or source.full else None
        if not source.full:
            yield from ((condition, only) for condition in _all_of(source.onclause))
        yield from _of_joins(source.left)
        yield from _of_joins(source.right)


def _parts(source: FromClause) -> Iterator[FromClause]:
    source = _ungrouped(source)
    if isinstance(source, Join):
        yield from _parts(source.left)
        yield from _parts(source.right)
    else:
        yield source


def _ungrouped(source: FromClause) -> FromClause:
    """Without the brackets around a join."""
    while isinstance(source, FromGrouping):
        source = source.element
    return source


def _all_of(condition: Any) -> Iterator[Any]:
    """The conditions that must all be true."""
    condition = _bare(condition)
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for each in condition.clauses:
            yield from _all_of(each)
    elif condition is not None:
        yield condition


def _bare(condition: Any) -> Any:
    """Without the brackets around it, nor SQLAlchemy's mark that it is true or false as it stands."""
    while isinstance(condition, Grouping) or (isinstance(condition, AsBoolean) and condition.operator is operators.is_true):
        condition = condition.element
    return condition


def _held_by(condition: Any, known: Collection[Any]) -> Iterator[Any]:
    if isinstance(condition, one_of) and condition.values.key in WHOSE and _says_whose(condition.column):
        yield condition.column.table
    elif isinstance(condition, BooleanClauseList) and condition.operator is operators.or_:
        yield from _of_reach([_bare(each) for each in condition.clauses])
    elif isinstance(condition, BinaryExpression) and condition.operator is operators.eq:
        left, right = condition.left, condition.right
        for one, other in ((left, right), (right, left)):
            if isinstance(other, BindParameter) and other.key in WHOSE and _says_whose(one):
                yield one.table
            if isinstance(one, ColumnClause) and isinstance(other, ColumnClause) and _same(one, other) and one.table in known:
                yield other.table


def _of_reach(clauses: Collection[Any]) -> Iterator[FromClause]:
    """`within`: the workspace is reached, or the single site."""
    reached = [each.column for each in clauses if isinstance(each, one_of) and each.values.key == "reach"]
    tables = {column.table for column in reached}
    if len(reached) == len(clauses) and len(tables) == 1 and any(map(_says_whose, reached)) and all(map(_is_id, reached)):
        yield from tables


def _is_id(column: Any) -> bool:
    """Of a workspace or a site."""
    return column.name in ("workspace_id", "site_id") or (column.name == "id" and _table(column.table).name == "sites")


def _says_whose(column: Any) -> bool:
    return isinstance(column, ColumnClause) and column.table is not None and column.name == _tenant(column.table)


def _same(one: Any, other: Any) -> bool:
    """Whether rows with equal values are of one tenant: a foreign key and what it names, or the workspace of both."""
    if _tenant(one.table) is None or _tenant(other.table) is None:
        return False
    if _says_whose(one) and _says_whose(other):
        return True
    here, there = _plain(one), _plain(other)
    return here is not None and there is not None and (here.references(there) or there.references(here))


def _plain(column: Any) -> Any:
    """The table's own column, also of one by another name."""
    table = _known(column.table)
    return table.c.get(column.key) if table is not None else None


def _table(source: Any) -> Any:
    while isinstance(source, FromClauseAlias):  # a sample of a table is one too
        source = source.element
    return source


def _known(source: Any) -> Table | None:
    """By its name: a room may name a table of another in short."""
    table = _table(source)
    return Base.metadata.tables.get(table.name.lower()) if isinstance(table, TableClause) else None


def _tenant(source: Any) -> str | None:
    """The column that says whose a tenant's row is; None where the table is no tenant's."""
    table = _known(source)
    if table is None:
        return None
    return "id" if table.name == "workspaces" else "workspace_id" if "workspace_id" in table.c else None
