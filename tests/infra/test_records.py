"""Rows that are the driver's own: what they say is what the row type says, and unpacked they give what `forms` tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import bindparam, update

from domain import audits, sites
from domain.access import Actor
from domain.audits import Audit, AuditRow
from domain.base import one_of, query, whole
from domain.forms import Form, forms_of, moment
from domain.measuring import FailureKind
from domain.paging import Slice, Window
from infra.db.database import SqlDatabase
from tests.databases import everybodys, new_page, new_workspace

MOMENT = datetime(2026, 11, 22, 8, 9, 11, 878_123, UTC)
COLUMNS = (
    "id",
    "page_id",
    "requested_at",
    "finished_at",
    "state",
    "failure_kind",
    "lcp_ms",
    "cls",
    "scores",
    "failure_retryable",
)
CHANGED = {
    "requested_at": MOMENT,
    "failure_kind": FailureKind.PAGE,
    "lcp_ms": 1738.87,
    "scores": [{"category": "PERFORMANCE", "score": 0.5}],
    "failure_retryable": True,
}
ALL: Mapping[str, Any] = {"profile": None, "environment": None, "since": None, "until": None}


class Stored(NamedTuple):
    id: UUID
    requested_at: datetime


async def two_audits(database: SqlDatabase) -> tuple[Actor, list[UUID]]:
    """Of a page each: the pages."""
    workspace_id, actor = await new_workspace(database)
    async with database.work(actor) as work:
        pages = [(await new_page(work, workspace_id, f"https://example.com/{name}")).id for name in ("one", "two")]
        for page_id in pages:
            await audits.request(work, page_id=page_id)
    async with everybodys(database) as connection:
        await connection.execute(update(Audit).values(**CHANGED))
    return actor, pages


async def narrowed(database: SqlDatabase, actor: Actor, pages: Sequence[UUID]) -> list[Any]:
    found = await audits.AUDITS.under(database.reader, actor.reach, pages, Window(5), COLUMNS, **ALL)
    return [row for slice in found.values() if isinstance(slice, Slice) for row in slice.rows]


async def test_a_narrowed_row_says_of_each_column_what_the_whole_row_says(database: SqlDatabase) -> None:
    actor, pages = await two_audits(database)
    full = await audits.by_ids(database.reader, actor.reach, [row.id for row in await narrowed(database, actor, pages)])
    rows = await narrowed(database, actor, pages)
    assert len(rows) == 2
    for row in rows:
        assert whole(type(row)) is AuditRow
        assert {name: getattr(row, name) for name in COLUMNS} == {name: getattr(full[row.id], name) for name in COLUMNS}
        assert {name: getattr(row, name) for name in CHANGED} == CHANGED
        assert type(row.failure_kind) is FailureKind
        assert not hasattr(row, "environment")


async def test_rows_of_one_parent_and_of_many_are_of_one_type(database: SqlDatabase) -> None:
    actor, pages = await two_audits(database)
    rows = [*await narrowed(database, actor, pages), *await narrowed(database, actor, pages[:1])]
    assert len(rows) == 3
    assert len(set(map(type, rows))) == 1


async def test_unpacked_they_give_what_their_forms_say(database: SqlDatabase) -> None:
    actor, pages = await two_audits(database)
    row, _ = await narrowed(database, actor, pages)
    forms = forms_of(type(row))
    if database.is_sqlite:
        assert forms == {}
        assert dict(zip(row._fields, row, strict=True)) == {name: getattr(row, name) for name in COLUMNS}
        return
    assert forms == {
        **dict.fromkeys(("id", "page_id", "scores", "failure_retryable"), Form.SAME),
        **dict.fromkeys(("requested_at", "finished_at"), Form.MOMENT),
        **dict.fromkeys(("state", "failure_kind"), Form.NAME),
        **dict.fromkeys(("lcp_ms", "cls"), Form.NUMBER),
    }
    given = dict(zip(row._fields, row, strict=True))
    assert given["requested_at"] == "2026-11-22 08:09:11.878123+00"
    assert given["finished_at"] is None
    assert (given["state"], given["failure_kind"]) == ("QUEUED", "PAGE")
    for name, form in forms.items():
        if form in (Form.SAME, Form.NUMBER):
            assert given[name] == getattr(row, name)


def test_what_is_beyond_all_time_is_its_end() -> None:
    assert moment("infinity") == datetime.max.replace(tzinfo=UTC)
    assert moment("-infinity") == datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    [
        MOMENT,
        MOMENT.replace(microsecond=0),
        MOMENT.replace(microsecond=120_000),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 30, tzinfo=UTC),
    ],
)
async def test_times_come_back_as_they_were_asked_for(database: SqlDatabase, at: datetime) -> None:
    await two_audits(database)
    async with everybodys(database) as connection:
        await connection.execute(update(Audit).values(requested_at=at))
    stored = query(Stored, Audit).where(Audit.requested_at == bindparam("at")).beyond_reach("A test.")
    assert [row.requested_at for row in await database.reader.all(stored, at=at)] == [at, at]


async def test_a_search_needs_no_write_before_it(database: SqlDatabase) -> None:
    workspace_id, actor = await new_workspace(database)
    async with database.work(actor) as work:
        for origin in ("https://a.test", "https://b.test"):
            await sites.create(work, workspace_id=workspace_id, origin=origin)
    other = SqlDatabase(database.url)
    try:
        found = await sites.SITES.of(other.reader, actor.reach, workspace_id, Window(5), search="A.", tags=[])
    finally:
        await other.close()
    assert [row.origin for row in found.rows] == ["https://a.test"]


async def test_sqlite_looks_keys_up_by_an_index(database: SqlDatabase) -> None:
    by_id = query(Stored, Audit).where(one_of(Audit.id, "ids")).statement.compile(dialect=database.reads.dialect)
    if database.is_sqlite:
        steps = [step for *_, step in await database.reads.fetch(f"EXPLAIN QUERY PLAN {by_id}", ["[]"])]
        assert steps[0].startswith("SEARCH audits USING INDEX")
