"""Units of work and reads: whole or not at all, one writer at a time on SQLite, and nothing left behind when cancelled."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import bindparam, delete, event, func, select, text, update
from sqlalchemy.exc import IntegrityError

from domain import accounts, runners, sites, workspaces
from domain.access import SYSTEM
from domain.base import Query, query
from domain.errors import Conflict, ProblemCode
from domain.ids import new_id
from domain.measuring import EngineName
from domain.work import Event, EventKind, StoredEvent, Work
from infra.db.connections import POOL
from infra.db.database import SqlDatabase
from tests.databases import new_page, new_workspace

EVERYONE = query(accounts.UserRow, accounts.User)


class Said(NamedTuple):
    id: int
    payload: dict[str, str]


SAID = query(Said, StoredEvent).beyond_reach("A test.")


class Named(NamedTuple):
    name: str


class Slow(NamedTuple):
    number: int


def message(name: str = "Said") -> Event:
    return Event(EventKind.AUDIT_STARTED, new_id(), new_id(), None, {"name": name})


async def people(database: SqlDatabase) -> set[str]:
    return {row.name for row in await database.reader.all(EVERYONE)}


async def test_what_ended_well_is_there_and_was_announced_once(database: SqlDatabase) -> None:
    calls: list[Work] = []
    seen: list[int] = []
    database.committed = calls.append
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="one")
        work.say(message("First"))
        work.say(message("Second"))
        seen.append(len(await database.reader.all(SAID)))
    assert seen == [0], "a message was readable before its commit"
    assert len(calls) == 1
    assert await people(database) == {"one"}
    assert [row.payload["name"] for row in await database.reader.all(SAID)] == ["First", "Second"]


async def test_a_unit_that_said_nothing_announces_nothing(database: SqlDatabase) -> None:
    calls: list[Work] = []
    database.committed = calls.append
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="one")
    assert calls == []


async def test_an_exception_takes_rows_and_messages_back(database: SqlDatabase) -> None:
    calls: list[Work] = []
    database.committed = calls.append

    async def fail() -> None:
        async with database.work(SYSTEM) as work:
            await accounts.register(work, name="one")
            work.say(message())
            await work.db.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await people(database), await database.reader.all(SAID), calls) == (set(), [], [])


async def test_now_is_one_moment_of_the_clock_that_was_given(database: SqlDatabase) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    database._clock = lambda: moment
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="one")
        assert work.now is moment
    assert (await database.reader.all(EVERYONE))[0].created_at == moment


async def test_the_second_of_a_kind_is_a_conflict_at_the_flush(database: SqlDatabase) -> None:
    await new_workspace(database, "acme")
    with pytest.raises(Conflict) as refused:
        await new_workspace(database, "acme")
    assert refused.value.code is ProblemCode.ALREADY_EXISTS
    assert len(await people(database)) == 1, "the second owner was not taken back"


async def test_a_conflict_that_shows_at_the_commit_is_one_too(database: SqlDatabase) -> None:
    id = new_id()

    async def add() -> None:
        async with database.work(SYSTEM) as work:
            work.db.add(accounts.User(id=id, name="one", created_at=work.now))

    await add()
    with pytest.raises(Conflict) as refused:
        await add()
    assert refused.value.code is ProblemCode.ALREADY_EXISTS


async def test_what_is_referred_to_cannot_go(database: SqlDatabase) -> None:
    workspace, actor = await new_workspace(database)
    async with database.work(actor) as work:
        await new_page(work, workspace, "http://example.test/")
    with pytest.raises(Conflict) as refused:
        async with database.work(actor) as work:
            await work.db.execute(delete(sites.Profile))
    assert refused.value.code is ProblemCode.IN_USE


async def test_a_name_that_speaks_of_foreign_keys_is_still_a_duplicate(database: SqlDatabase) -> None:
    """The database's text quotes the value: it must not decide what kind of refusal this is."""

    async def add() -> None:
        async with database.work(SYSTEM) as work:
            work.db.add(workspaces.Workspace(id=new_id(), slug="foreign key", name="x", created_at=work.now))

    await add()
    with pytest.raises(Conflict) as refused:
        await add()
    assert refused.value.code is ProblemCode.ALREADY_EXISTS


async def test_a_missing_value_is_a_bug_and_no_conflict(database: SqlDatabase) -> None:
    with pytest.raises(IntegrityError) as raised:
        async with database.work(SYSTEM) as work:
            work.db.add(workspaces.Workspace(id=new_id(), slug="s3cret-slug", created_at=work.now))
    assert "s3cret-slug" not in str(raised.value).partition("DETAIL")[0], "an error's text shows what was written"


async def test_a_workspace_goes_with_all_that_is_its(database: SqlDatabase) -> None:
    workspace, actor = await new_workspace(database)
    async with database.work(actor) as work:
        await new_page(work, workspace, "http://example.test/")
    async with database.work(SYSTEM) as work:
        await work.db.execute(delete(sites.Site))
        await work.db.execute(delete(workspaces.Workspace))
    for table in (sites.Page, sites.Profile, workspaces.Member):
        number = Query(Slow, select(func.count()).select_from(table)).beyond_reach("A test.")
        count = await database.reader.first(number)
        assert count == (0,)


async def test_many_units_at_once_all_succeed(database: SqlDatabase) -> None:
    async def one(number: int) -> None:
        async with database.work(SYSTEM) as work:
            await accounts.register(work, name=str(number))
            await asyncio.sleep(0)

    await asyncio.gather(*(one(number) for number in range(60)))
    assert await people(database) == {str(number) for number in range(60)}


async def test_many_reads_at_once_all_succeed(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="one")
    found = await asyncio.gather(*(database.reader.all(EVERYONE) for _ in range(200)))
    assert {len(rows) for rows in found} == {1}
    assert database.reads.counts.used == 0


async def test_reads_go_on_while_a_unit_is_open_and_do_not_see_it(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="one")
        assert await asyncio.wait_for(database.reader.all(EVERYONE), 5) == []
        assert len(await work.db.all(EVERYONE)) == 1
    assert len(await database.reader.all(EVERYONE)) == 1


async def test_a_read_that_fails_gives_its_connection_back(database: SqlDatabase) -> None:
    broken = Query(Slow, select(text("nothing FROM nowhere"))).beyond_reach("A test.")
    for _ in range(40):
        with pytest.raises(Exception, match=r"nothing|nowhere"):
            await database.reader.all(broken)
    assert await people(database) == set()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_reads_leave_no_transaction_open_on_postgresql(database: SqlDatabase) -> None:
    await asyncio.gather(*(database.reader.all(EVERYONE) for _ in range(30)))
    connection = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    states = await connection.fetch(
        "select state, xact_start from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    )
    await connection.close()
    assert states
    assert {tuple(row) for row in states} == {("idle", None)}


SLOW = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000) SELECT count(*) FROM n",
    "postgresql": "SELECT 1 AS number FROM pg_sleep(30)",
}


def slow(database: SqlDatabase) -> Query[Slow]:
    return Query(Slow, text(SLOW["sqlite" if database.is_sqlite else "postgresql"]), "A test.")  # type: ignore[arg-type]


class Renamed(NamedTuple):
    id: UUID


async def test_a_read_writes_nothing(database: SqlDatabase) -> None:
    workspace, _ = await new_workspace(database)
    change = update(workspaces.Workspace).values(name="mine").returning(workspaces.Workspace.id)
    renaming = Query(Renamed, change, "A test.")  # type: ignore[arg-type]
    refused = await asyncio.gather(*(database.reader.all(renaming) for _ in range(2 * POOL)), return_exceptions=True)
    said = "attempt to write a readonly database" if database.is_sqlite else "cannot execute UPDATE in a read-only transaction"
    assert [isinstance(each, Exception) and said in str(each) for each in refused] == [True] * 2 * POOL
    named = query(Named, workspaces.Workspace).where(workspaces.Workspace.id == bindparam("workspace_id"))
    assert await database.reader.first(named, workspace_id=workspace) != ("mine",)


async def cancelled(task: asyncio.Task[object], after: float = 0.1) -> None:
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(task), 10)


async def test_a_cancelled_read_gives_its_connection_back(database: SqlDatabase) -> None:
    for _ in range(3):
        await cancelled(asyncio.create_task(database.reader.all(slow(database))))
    assert database.reads.counts.used == 0
    assert await asyncio.wait_for(database.reader.all(EVERYONE), 5) == []


async def test_a_read_may_be_cancelled_at_any_step_of_its_way(database: SqlDatabase) -> None:
    await database.reader.all(EVERYONE)
    for steps in range(40):
        task = asyncio.create_task(database.reader.all(EVERYONE))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for delay in range(40):
        task = asyncio.create_task(database.reader.all(EVERYONE))
        await asyncio.sleep(delay / 20_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.2)  # connections go back behind a shield
    assert database.reads.counts.used == 0
    gc.collect()


async def stuck(database: SqlDatabase, then: Callable[[Work], object]) -> None:
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="lost")
        work.say(message())
        await then(work)  # type: ignore[misc]


async def one_more(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="next")
    assert await people(database) == {"next"}
    assert await database.reader.all(SAID) == []
    assert database.writes.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_unit_cancelled_between_statements_lets_the_next_one_in(database: SqlDatabase) -> None:
    await cancelled(asyncio.create_task(stuck(database, lambda _: asyncio.sleep(60))))
    await asyncio.wait_for(one_more(database), 2)


async def test_a_unit_may_be_cancelled_at_any_step_of_its_way(database: SqlDatabase) -> None:
    async def unit() -> None:
        async with database.work(SYSTEM) as work:
            work.say(message())
            await work.db.flush()
            await work.db.all(EVERYONE)
            raise ZeroDivisionError

    for delay in range(40):
        task = asyncio.create_task(unit())
        await asyncio.sleep(delay / 10_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(one_more(database), 5)
    gc.collect()


async def test_a_unit_cancelled_within_a_statement_lets_the_next_one_in(database: SqlDatabase) -> None:
    await cancelled(asyncio.create_task(stuck(database, lambda work: work.db.all(slow(database)))))
    await asyncio.wait_for(one_more(database), 5)


async def test_a_unit_cancelled_while_it_waits_in_line_leaves_the_line(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        waiting = asyncio.create_task(stuck(database, lambda _: asyncio.sleep(60)))
        await cancelled(waiting)
        await accounts.register(work, name="next")
    assert await people(database) == {"next"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_unit_cancelled_while_another_process_writes_leaves_nothing_locked(database: SqlDatabase) -> None:
    path = database.url.partition(":///")[2]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(stuck(database, lambda _: asyncio.sleep(60)))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.sleep(0.2)
        other.execute("COMMIT")
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(one_more(database), 2)
        other.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_unit_takes_sqlites_write_lock_before_its_first_statement(database: SqlDatabase) -> None:
    began: list[str] = []
    event.listen(
        database.writes.sync_engine, "before_cursor_execute", lambda c, cursor, statement, *rest: began.append(statement)
    )
    path = database.url.partition(":///")[2]
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        async with database.work(SYSTEM) as work:
            await work.db.all(EVERYONE)
            assert began[0] == "BEGIN IMMEDIATE"
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_sqlite_connection_is_set_up_alike(database: SqlDatabase) -> None:
    async with database.writes.connect() as connection:
        found = [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]
        patience = (await connection.exec_driver_sql("PRAGMA busy_timeout")).scalar()
    assert (found, patience) == (["wal", 1], 15_000)
    pragmas = ("journal_mode", "query_only", "busy_timeout")
    assert [(await database.reads.fetch(f"PRAGMA {name}", []))[0][0] for name in pragmas] == ["wal", 1, 15_000]


async def test_a_runner_that_appears_twice_at_once_is_one(database: SqlDatabase) -> None:
    async def appear(location: str) -> UUID:
        async with database.work(SYSTEM) as work:
            return await runners.appear(work, name="here", location=location, pool="p", engines=[EngineName.PROBE])

    ids = await asyncio.gather(*(appear(str(number)) for number in range(8)))
    assert len(set(ids)) == 1
    assert len(await runners.all_seen(database.reader)) == 1


HAMMER = """
import asyncio, sys
from sqlalchemy import delete, func, select
from domain.access import SYSTEM
from domain.ids import new_id
from domain.history import History
from domain.work import Event, EventKind, StoredEvent
from infra.db.database import SqlDatabase

async def main(url, who):
    database = SqlDatabase(url)
    async def one(number):
        async with database.work(SYSTEM) as work:
            work.say(Event(EventKind.AUDIT_STARTED, new_id(), new_id()))
            ids.append((await work.db.execute(select(History.last))).scalar_one() + 1)
            await asyncio.sleep(0.001)
            if number % 3 == 0:
                await work.db.execute(delete(StoredEvent))
    ids = []
    for first in range(0, 60, 10):
        await asyncio.gather(*(one(number) for number in range(first, first + 10)))
    await database.close()
    print(*ids)

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_processes_share_a_sqlite_file_and_no_message_id_comes_twice(database: SqlDatabase, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", HAMMER, database.url, str(who), cwd=root, stdout=-1, stderr=-1
        )
        for who in range(2)
    ]
    began = time.monotonic()
    ours = 0
    while any(process.returncode is None for process in processes) and time.monotonic() - began < 60:
        async with database.work(SYSTEM) as work:
            await accounts.register(work, name=str(ours))
        ours += 1
        await asyncio.sleep(0.02)
    told = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told[0][1][-2000:] + told[1][1][-2000:]
    ids = [int(word) for out, _ in told for word in out.split()]
    assert len(ids) == 120
    assert len(set(ids)) == 120, "an id was used again after its row was deleted"
    assert len(await people(database)) == ours
