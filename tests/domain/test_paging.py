"""Keyset pages: every row once in either direction, for one parent or many in one statement, and no foreign cursors."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import sites
from domain.access import Actor, Reach
from domain.errors import InvalidInput, ProblemCode
from domain.ids import new_id
from domain.paging import Slice, Window
from domain.sites import PAGES, SITES
from domain.workspaces import MEMBERS
from infra.db.database import SqlDatabase
from tests.databases import Counter, new_workspace

PATHS = ["/", "/%C3%A9", "/A", "/a", "/a?b=1", "/a/b", "/b", "/ba"]


async def site(database: SqlDatabase, workspace: UUID, actor: Actor, origin: str, paths: list[str]) -> UUID:
    async with database.work(actor) as work:
        made = (await sites.create(work, workspace_id=workspace, origin=origin)).id
        for path in paths:
            await sites.create_page(work, site_id=made, path=path)
        return made


async def page(database: SqlDatabase, actor: Actor, parent: UUID, window: Window) -> Slice[sites.PageRow]:
    return (await PAGES.under(database.reader, actor.reach, [parent], window))[parent]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9])
async def test_forward_and_backward_every_row_comes_once_and_in_order(database: SqlDatabase, size: int) -> None:
    workspace, actor = await new_workspace(database)
    one = await site(database, workspace, actor, "http://one.test", PATHS)
    forward: list[str] = []
    window = Window(size)
    while True:
        found = await page(database, actor, one, window)
        assert len(found.rows) == len(found.cursors) <= size
        assert found.has_previous is (window.cursor is not None)
        forward += [row.path for row in found.rows]
        if not found.has_next:
            break
        window = Window(size, found.cursors[-1])
    assert sorted(forward) == sorted(PATHS)
    backward: list[str] = []
    window = Window(size, backward=True)
    while True:
        found = await page(database, actor, one, window)
        backward = [row.path for row in found.rows] + backward
        if not found.has_previous:
            break
        window = Window(size, found.cursors[0], backward=True)
    assert backward == forward


async def test_each_of_many_parents_has_its_own_page_in_one_statement(database: SqlDatabase) -> None:
    workspace, actor = await new_workspace(database)
    one = await site(database, workspace, actor, "http://one.test", PATHS)
    two = await site(database, workspace, actor, "http://two.test", ["/z"])
    none = await site(database, workspace, actor, "http://none.test", [])
    counter = Counter(database)
    found = await PAGES.under(database.reader, actor.reach, [one, two, none], Window(3))
    assert len(counter) == 1
    alone = await page(database, actor, one, Window(3))
    assert (found[one].rows, found[one].cursors, found[one].has_next) == (alone.rows, alone.cursors, True)
    assert ([row.path for row in found[two].rows], found[two].has_next) == (["/z"], False)
    assert found[none] == Slice([], PAGES.cursor, False, False)


async def test_other_tenants_rows_are_in_no_page(database: SqlDatabase) -> None:
    workspace, actor = await new_workspace(database)
    one = await site(database, workspace, actor, "http://one.test", PATHS)
    for reach in (Reach(), Reach.whole(new_id())):
        assert (await PAGES.under(database.reader, reach, [one], Window()))[one].rows == []
        assert (await PAGES.under(database.reader, reach, [one, new_id()], Window()))[one].rows == []


async def test_a_cursor_outlives_its_row(database: SqlDatabase) -> None:
    workspace, actor = await new_workspace(database)
    one = await site(database, workspace, actor, "http://one.test", ["/a", "/b", "/c"])
    found = await page(database, actor, one, Window(2))
    async with database.work(actor) as work:
        await sites.delete_page(work, page_id=found.rows[1].id)
    assert [row.path for row in (await page(database, actor, one, Window(2, found.cursors[1]))).rows] == ["/c"]


async def test_rows_of_equal_names_are_told_apart_by_their_ids(database: SqlDatabase) -> None:
    workspace, actor = await new_workspace(database)
    async with database.work(actor) as work:
        made = {
            (await sites.create(work, workspace_id=workspace, origin=f"http://{number}.test", name="Same 🚀 '\"")).id
            for number in range(5)
        }
    seen: list[UUID] = []
    window = Window(2)
    for _ in range(3):
        found = (await SITES.under(database.reader, actor.reach, [workspace], window, search=None, tags=[]))[workspace]
        seen += [row.id for row in found.rows]
        window = Window(2, found.cursors[-1])
    assert len(seen) == 5
    assert set(seen) == made
    assert not found.has_next


def cursor(*parts: str) -> str:
    return base64.urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("=")


ID = "018f8f8f8f8f7f8f8f8f8f8f8f8f8f8f"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "====",
        "\x00",
        "\ud800",
        "é",
        cursor("sites", "/a", ID),
        cursor("pages"),
        cursor("pages", "/a"),
        cursor("pages", "/a", ID, ID),
        cursor("pages", "/a", ID[:-1]),
        cursor("pages", "/a", "zz" * 16),
        cursor("pages", "/a\x00", ID),
        cursor("pages", "/a", ID) + "!",
        base64.urlsafe_b64encode(b"pages\x1f\xff\x1f" + ID.encode()).decode(),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("backward", [False, True])
async def test_a_cursor_from_elsewhere_is_refused_by_its_fields_name(text: str, backward: bool) -> None:
    database = SqlDatabase("sqlite+aiosqlite://")
    with pytest.raises(InvalidInput) as refused:
        await PAGES.under(database.reader, Reach(), [new_id()], Window(5, text, backward))
    await database.close()
    assert refused.value.code is ProblemCode.CURSOR_INVALID
    assert [fault.path for fault in refused.value.faults] == [("before" if backward else "after",)]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2026-11-22", "soon"])
def test_a_cursor_with_a_time_that_no_column_holds_is_none(time: str) -> None:
    assert MEMBERS._decode(Window(5, cursor("members", "w", time, ID))) is None


def test_a_cursor_s_time_is_taken_in_utc() -> None:
    place = MEMBERS._decode(Window(5, cursor("members", "w", "2026-11-22T01:00:00+02:00", ID)))
    assert place == ("w", [datetime(2026, 11, 21, 23, tzinfo=UTC), UUID(ID)])


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(b"pages\x1f" + raw).decode())))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    place = PAGES._decode(Window(5, text))
    if place is not None:
        path, id = place[1]
        assert isinstance(path, str)
        assert isinstance(id, UUID)


def test_a_window_is_forward_or_backward_and_of_a_sensible_size() -> None:
    assert Window.of(None, None) == Window(20)
    assert Window.of(5, "c") == Window(5, "c")
    assert Window.of(None, None, 5, "c") == Window(5, "c", backward=True)
    assert Window.of(None, None, None, "c") == Window(20, "c", backward=True)
    assert Window.of(100, None) == Window(100)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ((0, None), "first"),
        ((-1, None), "first"),
        ((101, None), "first"),
        ((100_000, None), "first"),
        ((None, None, 0), "last"),
        ((1, None, 1), "last"),
        ((None, "a", None, "b"), "last"),
        ((5, None, None, "b"), "last"),
    ],
)
def test_a_window_out_of_range_is_refused(given: tuple[int | None, ...], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Window.of(*given)  # type: ignore[arg-type]
    assert [fault.path for fault in refused.value.faults] == [(path,)]
