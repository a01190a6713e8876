"""The bus over the outbox: what was committed arrives, in order, in every process, and it survives its database."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete

from domain.access import NOBODY
from domain.base import Query, R
from domain.ids import new_id
from domain.ports import Listener, Reader
from domain.work import Message, Outbox
from infra.bus import outbox
from infra.bus.outbox import OutboxBus
from infra.db.database import SqlDatabase

HERE = new_id()
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@asynccontextmanager
async def running(reader: Reader) -> AsyncGenerator[OutboxBus, None]:
    bus = OutboxBus(reader)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


@pytest.fixture
async def bus(database: SqlDatabase) -> AsyncGenerator[OutboxBus, None]:
    async with running(database.reader) as started:
        database.committed = started.wake
        yield started


async def say(database: SqlDatabase, topic: str, *names: str, payload: dict[str, Any] | None = None) -> None:
    async with database.work(NOBODY) as work:
        for name in names:
            work.say(Message(topic, name, HERE, payload or {}))


async def heard(listener: Listener, number: int) -> list[str]:
    found: list[str] = []
    for _ in range(number):
        message = await listener.next(5)
        assert message is not None, f"only {found} came"
        found.append(message.name)
    return found


async def test_a_message_arrives_as_it_was_said(database: SqlDatabase, bus: OutboxBus) -> None:
    payload = {"text": "Zürich 🚀", "none": None, "list": [1, 2.5, True], "deep": {"a": ""}}
    async with bus.listen("things") as listener:
        await say(database, "things", "Said", payload=payload)
        message = await listener.next(5)
    assert message == Message("things", "Said", HERE, payload)
    assert isinstance(message.workspace_id, UUID)


async def test_messages_come_in_the_order_of_their_commits(database: SqlDatabase, bus: OutboxBus) -> None:
    names = [str(number) for number in range(150)]
    async with bus.listen("things") as listener:
        for first in range(0, 150, 3):
            await say(database, "things", *names[first : first + 3])
        assert await heard(listener, 150) == names


async def test_a_listener_hears_its_own_topics_only(database: SqlDatabase, bus: OutboxBus) -> None:
    async with bus.listen("a", "b") as both, bus.listen("b") as one:
        await say(database, "a", "1")
        await say(database, "c", "2")
        await say(database, "ab", "3")
        await say(database, "b", "4")
        assert await heard(both, 2) == ["1", "4"]
        assert await heard(one, 1) == ["4"]
        assert await both.next(0) is None
        assert await one.next(0) is None


async def test_what_was_taken_back_is_never_heard(database: SqlDatabase, bus: OutboxBus) -> None:
    async def fail() -> None:
        async with database.work(NOBODY) as work:
            work.say(Message("things", "Lost", HERE))
            await work.db.flush()
            raise ZeroDivisionError

    async with bus.listen("things") as listener:
        with pytest.raises(ZeroDivisionError):
            await fail()
        await say(database, "things", "Kept")
        assert await heard(listener, 1) == ["Kept"]


async def test_a_commit_here_is_heard_without_waiting_for_the_poll(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "POLL_SECONDS", 30.0)
    async with running(database.reader) as bus:
        database.committed = bus.wake
        async with bus.listen("things") as listener:
            began = time.monotonic()
            for number in range(5):
                await say(database, "things", str(number))
                assert await heard(listener, 1) == [str(number)]
            assert time.monotonic() - began < 10


async def test_what_another_process_commits_is_heard_too(database: SqlDatabase) -> None:
    other = SqlDatabase(database.url)
    async with (
        running(database.reader) as ours,
        running(other.reader) as theirs,
        ours.listen("things") as near,
        theirs.listen("things") as far,
    ):
        await say(database, "things", "1")
        await say(other, "things", "2")
        assert await heard(near, 2) == ["1", "2"]
        assert await heard(far, 2) == ["1", "2"]
    await other.close()


SAY = """
import asyncio, sys
from domain.access import NOBODY
from domain.ids import new_id
from domain.work import Message
from infra.db.database import SqlDatabase

async def main():
    database = SqlDatabase(sys.argv[1])
    for number in range(40):
        async with database.work(NOBODY) as work:
            work.say(Message("things", f"{sys.argv[2]}-{number}", new_id()))
    await database.close()

asyncio.run(main())
"""


@SQLITE
async def test_two_processes_writing_at_once_are_heard_without_a_gap_and_in_order(
    database: SqlDatabase, bus: OutboxBus
) -> None:
    root = Path(__file__).parents[2]
    async with bus.listen("things") as listener:
        writers = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", SAY, database.url, who, cwd=root) for who in ("a", "b")
        ]
        found = [message.name for _ in range(80) if (message := await listener.next(30))]
        assert [await writer.wait() for writer in writers] == [0, 0]
        assert await listener.next(0.6) is None
    for who in ("a", "b"):
        assert [name for name in found if name.startswith(who)] == [f"{who}-{number}" for number in range(40)]


async def test_a_new_bus_begins_at_the_end(database: SqlDatabase) -> None:
    await say(database, "things", "old")
    async with running(database.reader) as bus, bus.listen("things") as listener:
        await say(database, "things", "new")
        assert await heard(listener, 1) == ["new"]


async def test_deleting_what_was_said_brings_nothing_back_and_loses_nothing(database: SqlDatabase, bus: OutboxBus) -> None:
    async with bus.listen("things") as listener:
        await say(database, "things", "1")
        assert await heard(listener, 1) == ["1"]
        async with database.work(NOBODY) as work:
            await work.db.execute(delete(Outbox))
        await say(database, "things", "2")
        assert await heard(listener, 1) == ["2"]
        assert await listener.next(0) is None


async def test_a_bus_that_starts_on_an_emptied_outbox_hears_the_next(database: SqlDatabase) -> None:
    await say(database, "things", "1", "2")
    async with database.work(NOBODY) as work:
        await work.db.execute(delete(Outbox))
    async with running(database.reader) as bus, bus.listen("things") as listener:
        await say(database, "things", "3")
        assert await heard(listener, 1) == ["3"]


async def test_more_than_a_batch_at_once_all_arrives(database: SqlDatabase, bus: OutboxBus) -> None:
    names = [str(number) for number in range(outbox.BATCH + 20)]
    async with bus.listen("things") as listener:
        await say(database, "things", *names)
        assert await heard(listener, len(names)) == names


async def test_a_lagging_listener_loses_the_oldest_and_no_one_else_does(
    database: SqlDatabase, bus: OutboxBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "QUEUE", 5)
    async with bus.listen("things") as lagging:
        monkeypatch.setattr(outbox, "QUEUE", 100)
        async with bus.listen("things") as other:
            await say(database, "things", *(str(number) for number in range(12)))
            assert await heard(other, 12) == [str(number) for number in range(12)]
            assert await heard(lagging, 5) == ["7", "8", "9", "10", "11"]
            assert await lagging.next(0) is None


async def test_who_left_is_forgotten(database: SqlDatabase, bus: OutboxBus) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with bus.listen("a", "b"):
                raise ZeroDivisionError
    assert bus._listeners == {}
    await say(database, "a", "1")
    assert bus._listeners == {}


async def test_no_message_within_the_patience_is_none(bus: OutboxBus) -> None:
    async with bus.listen("things") as listener:
        began = time.monotonic()
        assert await listener.next(0.05) is None
        assert 0.04 < time.monotonic() - began < 2


async def test_a_listener_is_an_endless_iterator(database: SqlDatabase, bus: OutboxBus) -> None:
    found = []
    async with bus.listen("things") as listener:
        await say(database, "things", "1", "2", "3")
        async for message in listener:
            found.append(message.name)
            if len(found) == 3:
                break
    assert found == ["1", "2", "3"]


async def test_stopping_leaves_no_task_behind(database: SqlDatabase) -> None:
    before = asyncio.all_tasks()
    async with running(database.reader):
        assert len(asyncio.all_tasks() - before) == 1
    assert asyncio.all_tasks() == before
    assert database.reads.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_bus_stops_even_when_it_was_woken_in_the_same_moment(database: SqlDatabase) -> None:
    for steps in range(5):
        bus = OutboxBus(database.reader)
        await bus.start()
        database.committed = bus.wake
        async with bus.listen("things") as listener:
            await say(database, "things", "Said")
            assert await heard(listener, 1) == ["Said"]
        await asyncio.sleep(0.02)  # now it waits for the next
        bus.wake()
        for _ in range(steps):
            await asyncio.sleep(0)
        stopping = asyncio.create_task(bus.stop())
        done, _ = await asyncio.wait({stopping}, timeout=5)  # wait_for would hide the very thing
        await asyncio.gather(bus.stop(), stopping)
        assert done


async def test_stopping_a_bus_that_never_started_is_no_error(database: SqlDatabase) -> None:
    await OutboxBus(database.reader).stop()


class Flaky:
    """A reader whose database goes away for `failures` reads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.failures = 0

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        return await self._reader.all(query, **values)

    async def first(self, query: Query[R], **values: Any) -> R | None:
        return await self._reader.first(query, **values)


@SQLITE
async def test_a_database_that_is_away_for_a_moment_costs_no_message(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "RETRY_SECONDS", 0.05)
    flaky = Flaky(database.reader)
    async with running(flaky) as bus, bus.listen("things") as listener:
        flaky.failures = 3
        with caplog.at_level(logging.ERROR):
            await say(database, "things", "1")
            bus.wake()
            assert await heard(listener, 1) == ["1"]
    assert flaky.failures == 0
    assert [record.message for record in caplog.records] == ["The outbox could not be read; trying again."] * 3
