"""A PostgreSQL that lets nobody in is away, and what time it is there is the time here."""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo

import asyncpg
import pytest
from sqlalchemy import event

from domain import accounts
from domain.access import SYSTEM
from domain.base import query
from domain.errors import DatabaseAway
from infra.db import connections, sources
from infra.db import database as databases
from infra.db.database import SqlDatabase, utc_now

EVERYONE = query(accounts.UserRow, accounts.User)
SSL_REQUEST = 80877103
OTHERS = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Starting:
    """A PostgreSQL that is not ready yet: it listens, and sends everybody away with its code for that."""

    def __init__(self) -> None:
        self.sent_away = 0

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[str, None]:
        async with await asyncio.start_server(self._meet, "127.0.0.1", 0) as server:
            yield f"postgresql+asyncpg://app@127.0.0.1:{server.sockets[0].getsockname()[1]}/pacemark"

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length, code = struct.unpack("!II", await reader.readexactly(8))
        if code == SSL_REQUEST:
            writer.write(b"N")
            length, _ = struct.unpack("!II", await reader.readexactly(8))
        await reader.readexactly(length - 8)
        self.sent_away += 1
        fields = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
        writer.write(b"E" + struct.pack("!I", 4 + len(fields)) + fields)
        writer.close()
        await writer.wait_closed()


class Machine:
    """This machine's clock, as wrong as it is set."""

    def __init__(self, wrong: timedelta) -> None:
        self.wrong = wrong

    def now(self, zone: tzinfo) -> datetime:
        return datetime.now(zone) + self.wrong


@asynccontextmanager
async def opened(url: str, clock: Callable[[], datetime] = utc_now) -> AsyncGenerator[SqlDatabase, None]:
    database = SqlDatabase(url, clock=clock)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def looking(url: str) -> AsyncGenerator[asyncpg.Connection, None]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def read(database: SqlDatabase) -> set[str]:
    return {row.name for row in await database.reader.all(EVERYONE)}


async def write(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name="one")


async def refused(attempt: Callable[[SqlDatabase], Awaitable[object]], database: SqlDatabase, state: str) -> None:
    with pytest.raises(DatabaseAway, match=r"^The database cannot be reached\.$") as away:
        await attempt(database)
    assert getattr(away.value.__cause__, "sqlstate", None) == state


@pytest.mark.parametrize("clock", [utc_now, lambda: datetime(2026, 1, 2, tzinfo=UTC)], ids=["asks", "does not ask"])
async def test_a_server_that_still_starts_is_away(clock: Callable[[], datetime]) -> None:
    """Whether it is the unit of work itself that connects, for the time of day, or its first statement."""
    starting = Starting()
    async with starting.listening() as url, opened(url, clock) as database:
        await refused(read, database, "57P03")
        assert starting.sent_away == 2, "a read is asked twice"
        await refused(write, database, "57P03")
        assert starting.sent_away == 3, "a unit of work begins once"


async def test_a_read_that_takes_too_long_is_not_asked_again(database: SqlDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def fetch(*_: object) -> Sequence[object]:
        nonlocal asked
        asked += 1
        raise TimeoutError

    monkeypatch.setattr(database.reads, "fetch", fetch)
    with pytest.raises(DatabaseAway):
        await read(database)
    assert asked == 1


@on_postgresql
async def test_a_server_that_has_no_room_is_away_until_it_has(owner_url: str, database: SqlDatabase) -> None:
    role = f"crowded_{secrets.token_hex(4)}"
    async with looking(owner_url) as admin:
        await admin.execute(f"create role {role} login connection limit 0 in role pg_read_all_data, pg_write_all_data")
        try:
            async with opened(owner_url.replace("//app@", f"//{role}@")) as crowded:
                await refused(read, crowded, "53300")
                await refused(write, crowded, "53300")
                await admin.execute(f"alter role {role} connection limit -1")
                await write(crowded)
                assert await read(crowded) == await read(database) == {"one"}
        finally:
            await admin.execute(f"drop role {role}")


@on_postgresql
async def test_a_connection_that_tells_times_in_its_own_way_is_not_left_open(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "READS", {**sources.READS, "TimeZone": "utc"})  # which is not how it is told
    async with looking(database.url) as one:
        with pytest.raises(DatabaseAway, match="times would be wrong") as away:
            await read(database)
        for _ in range(100):
            others = await one.fetchval(OTHERS)
            if not others:
                break
            await asyncio.sleep(0.02)
        assert others == 0, away


async def ahead(database: SqlDatabase) -> timedelta:
    """How far a unit of work's time is ahead of PostgreSQL's just before it."""
    async with looking(database.url) as connection:
        theirs = await connection.fetchval("select clock_timestamp()")
        async with database.work(SYSTEM) as work:
            ours: timedelta = work.now - theirs
            return ours


@on_postgresql
@pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_where_the_machines_clock_is_wrong_a_unit_of_work_has_postgresqls_time(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch, wrong: timedelta
) -> None:
    monkeypatch.setattr(databases, "datetime", Machine(wrong))
    await write(database)  # which connects, too, and so might be held up
    assert abs(await ahead(database)) < SECOND


@on_postgresql
async def test_who_is_held_up_before_the_answer_learns_from_the_next(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "SYNCHRONISED_SECONDS", -1.0)  # each unit of work asks
    await write(database)
    assert abs(await ahead(database)) < SECOND
    told = database._told_at

    def hold_up(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "clock_timestamp" in statement:
            time.sleep(1.1)

    event.listen(database.writes.sync_engine, "after_cursor_execute", hold_up)
    await write(database)
    event.remove(database.writes.sync_engine, "after_cursor_execute", hold_up)
    assert database._told_at == told
    assert abs(await ahead(database)) < SECOND
    assert database._told_at > told


@on_postgresql
async def test_the_time_goes_on_whatever_the_machines_clock_is_set_to(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(timedelta())
    monkeypatch.setattr(databases, "datetime", machine)
    await write(database)
    machine.wrong = HOUR
    assert abs(await ahead(database)) < SECOND


SLOW_COMMIT = """create function linger() returns trigger language plpgsql as $$ begin perform pg_sleep(5); return null; end $$;
create constraint trigger lingering after insert on users deferrable initially deferred
for each row execute function linger()"""


@on_postgresql
async def test_a_commit_of_which_nothing_is_heard_is_a_database_that_is_away(
    database_url: str, owner_url: str, database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with looking(owner_url) as admin:
        await admin.execute(SLOW_COMMIT)
    monkeypatch.setattr(connections, "COMMAND_SECONDS", 0.5)
    async with opened(database_url) as hasty:
        with pytest.raises(DatabaseAway):
            await write(hasty)
    assert await read(database) == set()
