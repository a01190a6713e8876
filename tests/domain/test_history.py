"""The history: places without a gap in the order of the commits, and what is forgotten after a day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import history
from domain.access import SYSTEM, Reach
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.paging import Window
from domain.work import Event, EventKind, EventRow
from infra.db.database import SqlDatabase

HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
STARTED, FINISHED = EventKind.AUDIT_STARTED, EventKind.AUDIT_FINISHED


async def say(
    database: SqlDatabase, *numbers: int, workspace: UUID = HERE, kind: EventKind = STARTED, site: UUID | None = None
) -> None:
    async with database.work(SYSTEM) as work:
        for number in numbers:
            work.say(Event(kind, workspace, UUID(int=number), site, {"number": number}))
    if not database.is_sqlite:
        async with database.work(SYSTEM) as work:
            await history.number(work)


async def publish_all(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        await history.published(work, (await history.state(database.reader)).last)


def numbers(rows: Sequence[EventRow]) -> list[tuple[int, int]]:
    return [(row.sequence, row.payload["number"]) for row in rows]


async def test_a_new_database_has_a_history_with_a_name_of_its_own(database: SqlDatabase) -> None:
    state = await history.state(database.reader)
    assert (state.last, state.published, state.forgotten) == (0, 0, 0)
    assert state.id.version in (4, 7)


async def test_events_get_their_places_in_the_order_they_were_said(database: SqlDatabase) -> None:
    await say(database, 7, 8)
    await say(database, 9)
    assert numbers(await history.after(database.reader, 0)) == [(1, 7), (2, 8), (3, 9)]
    assert numbers(await history.after(database.reader, 2)) == [(3, 9)]
    assert (await history.state(database.reader)).last == 3


async def test_a_unit_that_failed_takes_no_place(database: SqlDatabase) -> None:
    async def fail() -> None:
        async with database.work(SYSTEM) as work:
            work.say(Event(STARTED, HERE, HERE))
            await history.record(work, numbered=database.is_sqlite)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await say(database, 1)
    assert numbers(await history.after(database.reader, 0)) == [(1, 1)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_not_committed_yet_gets_a_later_place(database: SqlDatabase) -> None:
    """Its id is smaller, its commit later: the order is that of the commits."""
    async with database.work(SYSTEM) as slow:
        slow.say(Event(STARTED, HERE, HERE, None, {"number": 1}))
        await history.record(slow, numbered=False)
        slow.said.clear()
        await say(database, 2, 3)
        assert numbers(await history.after(database.reader, 0)) == [(1, 2), (2, 3)]
    async with database.work(SYSTEM) as work:
        assert await history.number(work) == 1
    assert numbers(await history.after(database.reader, 0)) == [(1, 2), (2, 3), (3, 1)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_that_give_places_at_once_give_none_twice(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        for number in range(30):
            work.say(Event(STARTED, HERE, HERE, None, {"number": number}))

    async def give() -> int:
        async with database.work(SYSTEM) as work:
            return await history.number(work)

    given = await asyncio.gather(*(give() for _ in range(8)))
    assert sorted(given) == [0] * 7 + [30]
    assert numbers(await history.after(database.reader, 0)) == [(number + 1, number) for number in range(30)]


async def test_more_than_a_batch_comes_in_batches(database: SqlDatabase) -> None:
    for start in range(0, 1_200, 300):
        await say(database, *range(start, start + 300))
    rows = await history.after(database.reader, 0)
    assert len(rows) == history.BATCH
    rest = await history.after(database.reader, rows[-1].sequence)
    assert [row.sequence for row in (*rows, *rest)] == list(range(1, 1_001))


async def test_what_lies_between_is_the_workspaces_and_of_the_kinds_and_sites_asked_for(database: SqlDatabase) -> None:
    site = new_id()
    await say(database, 1)
    await say(database, 2, workspace=ELSEWHERE)
    await say(database, 3, kind=FINISHED, site=site)
    await say(database, 4, site=site)
    await say(database, 5)

    async def between(after: int, until: int, kinds: Sequence[str] = (), sites: Sequence[UUID] | None = None) -> list[int]:
        rows = await history.between(database.reader, HERE, after, until, kinds, sites)
        return [row.payload["number"] for row in rows]

    assert await between(0, 5) == [1, 3, 4, 5]
    assert await between(1, 4) == [3, 4]
    assert await between(0, 5, [FINISHED]) == [3]
    assert await between(0, 5, [], [site]) == [3, 4]
    assert await between(0, 5, [STARTED], [site]) == [4]
    assert await between(0, 5, [], []) == []


async def test_the_list_under_a_workspace_pages_by_the_cursors_of_live_events(database: SqlDatabase) -> None:
    await say(database, 1, 2, 3)
    await say(database, 4, workspace=ELSEWHERE)
    state = await history.state(database.reader)
    listed = history.events(state.id, of_kinds=False)
    first = await listed.of(database.reader, Reach.whole(HERE), HERE, Window(2))
    assert numbers(first.rows) == [(1, 1), (2, 2)]
    assert first.cursors[1] == history.cursor(state.id, HERE, 2)
    second = await listed.of(database.reader, Reach.whole(HERE), HERE, Window(2, first.cursors[1]))
    assert (numbers(second.rows), second.has_next) == ([(3, 3)], False)
    with pytest.raises(InvalidInput):
        await listed.of(database.reader, Reach.whole(HERE, ELSEWHERE), ELSEWHERE, Window(2, first.cursors[1]))
    with pytest.raises(InvalidInput):
        await history.events(new_id(), of_kinds=False).of(database.reader, Reach.whole(HERE), HERE, Window(2, first.cursors[1]))


def test_a_cursor_names_its_history_and_its_workspace() -> None:
    name = new_id()
    cursor = history.cursor(name, HERE, 12)
    assert history.place(cursor, HERE) == (name, 12)
    assert history.place(cursor, ELSEWHERE) is None


@pytest.mark.parametrize("text", ["", "?", "AAAA", "é", history.cursor(HERE, HERE, 1)[:-3] + "===", "a" * 5_000], ids=range(6))
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert history.place(text, HERE) is None


async def test_after_a_day_what_has_left_the_house_is_forgotten(database: SqlDatabase) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    database._clock = lambda: began
    await say(database, 1, 2)
    database._clock = lambda: began + timedelta(hours=20)
    await say(database, 3)

    async def forget(hours: int) -> int:
        database._clock = lambda: began + timedelta(hours=hours)
        async with database.work(SYSTEM) as work:
            return await history.forget(work)

    if not database.is_sqlite:  # there the table itself is the bus
        assert await forget(25) == 0, "it has not left the house"
        await publish_all(database)
    assert await forget(23) == 0
    assert await forget(25) == 2
    assert numbers(await history.after(database.reader, 0)) == [(3, 3)]
    state = await history.state(database.reader)
    assert (state.forgotten, state.last) == (2, 3)
    assert await forget(100) == 1
    await say(database, 4)
    assert numbers(await history.after(database.reader, 0)) == [(4, 4)]


async def test_much_is_forgotten_in_pieces(database: SqlDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FORGET", 2)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    database._clock = lambda: began
    await say(database, 1, 2, 3, 4, 5)
    await publish_all(database)
    database._clock = lambda: began + timedelta(hours=25)
    gone = []
    for _ in range(4):
        async with database.work(SYSTEM) as work:
            gone.append(await history.forget(work))
    assert gone == [2, 2, 1, 0]
    assert (await history.state(database.reader)).forgotten == 5
