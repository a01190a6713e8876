"""The history over NATS: every event once, in order and without a gap, whatever becomes of the server and the stream."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from nats.aio.client import Client
from sqlalchemy import delete, text, update

from domain import history
from domain.access import SYSTEM
from domain.ids import new_id
from domain.work import EventKind, EventRow, StoredEvent
from infra.bus.nats import BusAway, NatsBus, OutOfStep, Patience
from infra.bus.nats import events as reading
from infra.db.database import SqlDatabase
from tests import servers
from tests.infra.bus.nats_world import (
    KINDS,
    QUICK,
    World,
    admin,
    api,
    eventually,
    looking,
    on_sqlite,
    server,
    state,
    take,
    world,
    world_on,
)

__all__ = ["admin", "server", "world"]
pytestmark = [on_sqlite, pytest.mark.slow]


@asynccontextmanager
async def following(world: World, after: int = 0) -> AsyncGenerator[AsyncIterator[EventRow], None]:
    async with contextlib.aclosing(world.bus.events(after)) as events:  # type: ignore[type-var]
        yield events


async def quiet(events: AsyncIterator[EventRow], seconds: float = 0.3) -> bool:
    """Whether nothing comes. What was followed is over then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await anext(events)
            return False
    return True


def places(rows: list[EventRow]) -> list[int]:
    return [row.sequence for row in rows]


async def test_an_event_arrives_as_it_was_written(world: World) -> None:
    rows = [
        EventRow(
            1,
            new_id(),
            new_id(),
            new_id(),
            EventKind.AUDIT_FINISHED,
            {"phase": "LOADING", "run": 2, "score": 0.5, "none": None, "list": [1, "ä\u2028"], "deep": {"yes": True}},
            datetime(2026, 11, 22, 1, 2, 3, 456_789, tzinfo=UTC),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        EventRow(2, new_id(), None, new_id(), EventKind.SCHEDULE_FIRED, {}, datetime(2026, 1, 1, tzinfo=UTC), None),
    ]
    await world.bus.publish(rows)
    async with following(world) as events:
        assert await take(events, 2) == rows


async def test_each_workspace_has_its_subject(world: World, admin: Client) -> None:
    await world.publish(1)
    message = await admin.jetstream().get_msg(world.events, 1)
    assert message.subject == f"{world.prefix}.events.{UUID(int=7).hex}"


async def test_events_are_followed_from_behind_a_place_on(world: World) -> None:
    rows = await world.publish(1_200)
    async with following(world, 700) as events, following(world) as all_of_them:
        assert await take(events, 500) == rows[700:]
        assert await take(all_of_them, 1_200) == rows
        more = await world.publish(3)
        assert await take(events, 3) == more
        assert await take(all_of_them, 3) == more
        assert await quiet(events)


async def test_who_is_slow_has_only_so_much_waiting_and_misses_nothing(world: World) -> None:
    rows = await world.publish(10)
    async with following(world) as slow, following(world) as quick:
        assert await take(slow, 1) == rows[:1]
        rows = [*rows, *(await world.publish(2_500))]
        assert await take(quick, 2_510) == rows
        assert await take(slow, 2_509) == rows[1:]


async def test_what_is_not_published_yet_is_waited_for(world: World) -> None:
    rows = await world.say(5)
    await world.bus.publish(rows[:2])
    async with following(world) as events:
        assert await take(events, 2) == rows[:2]
        following_one = asyncio.ensure_future(anext(events))
        await asyncio.wait([following_one], timeout=0.3)
        assert not following_one.done()
        await world.bus.publish(rows[2:])
        assert await following_one == rows[2]
        assert await take(events, 2) == rows[3:]


async def test_a_repeat_is_refused_and_not_doubled(world: World) -> None:
    rows = await world.publish(5)
    for again in (rows, rows[:1], rows[4:]):
        with pytest.raises(OutOfStep, match=r"^The stream ends with place 5[.]$") as caught:
            await world.bus.publish(again)
        assert caught.value.last == 5
    assert await world.bus.last() == 5


async def test_a_repeat_is_refused_when_the_server_has_forgotten_who_it_was_too(world: World, admin: Client) -> None:
    info = await api(admin, f"STREAM.INFO.{world.events}")
    await api(admin, f"STREAM.UPDATE.{world.events}", info["config"] | {"duplicate_window": 100_000_000})
    rows = await world.publish(3)
    await asyncio.sleep(0.4)
    with pytest.raises(OutOfStep) as caught:
        await world.bus.publish(rows)
    assert caught.value.last == 3
    assert (await state(admin, world.events))["messages"] == 3


async def test_what_begins_too_late_is_refused(world: World) -> None:
    rows = await world.say(5)
    with pytest.raises(OutOfStep) as caught:
        await world.bus.publish(rows[2:])
    assert caught.value.last == 0


async def test_what_overlaps_is_refused_and_goes_on_from_the_streams_end(world: World) -> None:
    rows = await world.say(6)
    await world.bus.publish(rows[:3])
    with pytest.raises(OutOfStep) as caught:
        await world.bus.publish(rows[1:])
    await world.bus.publish(rows[caught.value.last :])
    async with following(world) as events:
        assert await take(events, 6) == rows


async def test_two_who_publish_at_once_double_nothing(world: World) -> None:
    rows = await world.say(400)
    other = NatsBus(world.url, prefix=world.prefix, reader=world.database.reader, patience=QUICK)
    await other.start()

    async def relay(bus: NatsBus) -> None:
        start = 0
        while start < len(rows):
            try:
                await bus.publish(rows[start : start + 7])
                start += 7
            except OutOfStep as step:
                start = step.last
            except BusAway:
                await asyncio.sleep(0.01)

    try:
        async with asyncio.timeout(20):
            await asyncio.gather(relay(world.bus), relay(other))
    finally:
        await other.stop()
    async with following(world) as events:
        assert await take(events, 400) == rows
        assert await quiet(events)


async def test_an_ambiguous_failure_repeated_doubles_nothing(server: servers.NatsServer, database: SqlDatabase) -> None:
    """The server took everything and could not say so in time."""
    async with world_on(server.url, database, patience=Patience(answer=0.5, ping=1, ack=30)) as world:
        rows = await world.say(20)
        server.freeze()
        with pytest.raises(BusAway, match=r"^NATS did not answer within 0[.]5 s[.]$"):
            await world.bus.publish(rows)
        server.thaw()
        async with following(world) as events:
            assert await take(events, 20) == rows
            with pytest.raises(OutOfStep) as caught:
                await world.bus.publish(rows)
            assert caught.value.last == 20
            assert await quiet(events)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_server_restarted_in_the_middle_of_a_thousand_events_costs_none(
    end: str, server: servers.NatsServer, database: SqlDatabase
) -> None:
    async with world_on(server.url, database) as world, following(world) as events, following(world) as others:
        rows = await world.say(1_000)
        relaying = asyncio.create_task(world.relay())
        first = await take(events, 300)
        await asyncio.to_thread(server.stop if end == "stop" else server.kill)
        await eventually(lambda: not world.bus.connected)
        await asyncio.to_thread(server.start)
        assert first + await take(events, 700, 40) == rows
        await relaying
        assert await take(others, 1_000) == rows
        assert await world.bus.last() == 1_000
        assert await quiet(events)
        assert await quiet(others)


async def test_a_frozen_server_costs_nothing_but_time(server: servers.NatsServer, database: SqlDatabase) -> None:
    async with world_on(server.url, database) as world, following(world) as events:
        rows = list(await world.publish(3))
        assert await take(events, 3) == rows
        server.freeze()
        await eventually(lambda: not world.bus.connected)
        server.thaw()
        await eventually(lambda: world.bus.connected)
        rows = await world.publish(2)
        assert await take(events, 2) == rows


async def test_a_stream_lost_with_the_servers_storage_is_made_anew_under_its_readers(
    database: SqlDatabase, free_port: int
) -> None:
    with servers.nats_server(port=free_port) as first:
        async with world_on(first.url, database) as world, following(world) as events, following(world, 10) as ahead:
            rows = list(await world.publish(10))
            assert await take(events, 4) == rows[:4]
            first.kill()
            await eventually(lambda: not world.bus.connected)
            with servers.nats_server(port=free_port):
                await eventually(lambda: world.bus.connected)
                assert await world.bus.last() == -1
                await world.bus.start_over(world.history_id, 11)
                more = await world.publish(2)
                assert await take(events, 8) == rows[4:] + list(more)
                assert await take(ahead, 2) == more


async def test_what_came_together_with_the_streams_end_is_not_lost(world: World, admin: Client) -> None:
    rows = await world.say(30)

    async def elsewhere() -> None:
        bus = NatsBus(world.url, prefix=world.prefix, reader=world.database.reader, patience=QUICK)
        await bus.start()
        await bus.last()
        await bus.publish(rows)
        await bus.stop()
        async with looking(world.url) as client:
            await api(client, f"STREAM.DELETE.{world.events}")

    async with following(world) as events:
        first = asyncio.ensure_future(anext(events))
        await asyncio.wait([first], timeout=0.2)
        # Until this is over nothing is read here, and then all of it at once.
        other = threading.Thread(target=lambda: asyncio.run(elsewhere()))
        other.start()
        other.join()
        await world.bus.start_over(world.history_id, 31)
        assert [await first, *await take(events, 29)] == rows


@pytest.mark.parametrize("publishes", [True, False])
async def test_a_stream_deleted_under_its_reader_leaves_no_gap(publishes: bool, world: World, admin: Client) -> None:
    async with following(world) as events:
        rows = list(await world.publish(3))
        assert await take(events, 3) == rows
        await api(admin, f"STREAM.DELETE.{world.events}")
        rows = list(await world.say(4))  # some that no stream has had
        await world.bus.start_over(world.history_id, 8)
        if publishes:
            rows += await world.publish(3)
        assert await take(events, len(rows) - 3) == rows[3:]
        rows = await world.publish(2)
        assert await take(events, 2) == rows


async def test_what_the_stream_has_let_go_of_comes_from_the_database(world: World, admin: Client) -> None:
    rows = await world.publish(1_300)
    await api(admin, f"STREAM.PURGE.{world.events}", {"seq": 1_201})
    async with following(world) as events:
        assert await take(events, 1_300) == rows
    await api(admin, f"STREAM.PURGE.{world.events}")
    async with following(world, 1_000) as events:
        assert await take(events, 300) == rows[1_000:]


@pytest.mark.parametrize("gone", [1, 3, 5], ids=["the first", "one in the middle", "the last"])
async def test_one_that_was_deleted_from_the_stream_comes_from_the_database(gone: int, world: World, admin: Client) -> None:
    rows = await world.publish(5)
    await api(admin, f"STREAM.MSG.DELETE.{world.events}", {"seq": gone})
    async with following(world) as events:
        assert await take(events, 5) == rows
        rows = await world.publish(1)
        assert await take(events, 1) == rows


async def test_what_neither_has_any_more_is_passed_over(world: World, admin: Client) -> None:
    rows = await world.publish(9)
    await api(admin, f"STREAM.PURGE.{world.events}", {"seq": 6})
    async with world.database.work(SYSTEM) as work:
        await work.db.execute(delete(StoredEvent).where(StoredEvent.sequence <= 3))
    async with following(world) as events:
        assert await take(events, 6) == rows[3:]
    async with world.database.work(SYSTEM) as work:
        await work.db.execute(delete(StoredEvent))
    async with following(world) as events:
        assert await take(events, 4) == rows[5:]
    await api(admin, f"STREAM.MSG.DELETE.{world.events}", {"seq": 7})
    await api(admin, f"STREAM.MSG.DELETE.{world.events}", {"seq": 9})
    async with following(world) as events:
        assert await take(events, 2) == [rows[5], rows[7]]
        assert await quiet(events)


async def test_a_stream_that_has_more_than_the_database_is_believed(world: World) -> None:
    rows = await world.publish(9)
    async with world.database.work(SYSTEM) as work:
        await work.db.execute(delete(StoredEvent))
    async with following(world) as events:
        assert await take(events, 9) == rows


async def test_a_consumer_deleted_under_its_reader_is_made_anew(world: World, admin: Client) -> None:
    async with following(world) as events:
        rows = await world.publish(2)
        assert await take(events, 2) == rows
        for _ in range(3):
            (consumer,) = (await api(admin, f"CONSUMER.NAMES.{world.events}"))["consumers"]
            await api(admin, f"CONSUMER.DELETE.{world.events}.{consumer}")
            rows = await world.publish(2)
            assert await take(events, 2) == rows


async def test_a_question_that_has_expired_is_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "EXPIRES_SECONDS", 0.5)
    monkeypatch.setattr(reading, "HEARTBEAT_SECONDS", 0.2)
    async with following(world) as events:
        for _ in range(2):
            waits = asyncio.ensure_future(anext(events))
            await asyncio.wait([waits], timeout=1.5)
            assert not waits.done()
            (row,) = await world.publish(1)
            assert await waits == row


async def test_who_stops_following_leaves_nothing_on_the_server(world: World, admin: Client) -> None:
    await world.publish(2)
    async with following(world) as events:
        assert len(await take(events, 1)) == 1
        assert len((await api(admin, f"CONSUMER.NAMES.{world.events}"))["consumers"]) == 1
    assert await world.bus.last() == 2  # after what was said before
    assert (await api(admin, f"CONSUMER.NAMES.{world.events}"))["consumers"] == []


async def test_a_database_that_is_away_is_waited_for(
    world: World, admin: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "DATABASE_RETRY_SECONDS", 0.05)
    caplog.set_level(logging.WARNING, "infra")
    rows = await world.publish(5)
    await api(admin, f"STREAM.PURGE.{world.events}", {"seq": 4})
    async with world.database.work(SYSTEM) as work:
        await work.db.execute(text("alter table events rename to hidden"))
    async with following(world) as events:
        first = asyncio.ensure_future(anext(events))
        await eventually(lambda: "The events could not be read from the database; trying again." in caplog.messages)
        assert not first.done()
        async with world.database.work(SYSTEM) as work:
            await work.db.execute(text("alter table hidden rename to events"))
        assert [await first, *await take(events, 4)] == rows


def body(row: EventRow, **changes: Any) -> bytes:
    fields = {
        "sequence": row.sequence,
        "workspace": row.workspace_id.hex,
        "site": None,
        "subject": row.subject.hex,
        "kind": row.kind.value,
        "payload": row.payload,
        "at": row.at,
        "trace": row.trace,
    }
    return orjson.dumps(fields | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": 9},
        {"sequence": "2"},
        {"workspace": "acme"},
        {"workspace": None},
        {"site": 5},
        {"subject": 5},
        {"payload": []},
        {"at": "yesterday"},
        {"at": "2026-11-22T00:00:00"},
        {"trace": 5},
        {"kind": []},
        None,
    ],
    ids=str,
)
async def test_what_is_no_event_comes_from_the_database(changes: dict[str, Any] | None, world: World, admin: Client) -> None:
    rows = await world.say(3)
    await world.bus.publish(rows[:1])
    wrong = body(rows[1], **changes) if changes is not None else b"{"
    await admin.jetstream().publish(f"{world.prefix}.events.{UUID(int=7).hex}", wrong)
    await world.bus.publish(rows[2:])
    async with following(world) as events:
        assert await take(events, 3) == rows


async def test_fields_and_kinds_of_later_versions_do_no_harm(world: World, admin: Client) -> None:
    rows = await world.say(3)
    subject = f"{world.prefix}.events.{UUID(int=7).hex}"
    await admin.jetstream().publish(subject, body(rows[0], colour="blue"))
    await admin.jetstream().publish(subject, body(rows[1], kind="PAGE_PAINTED"))
    await world.bus.publish(rows[2:])
    async with following(world) as events:
        assert await take(events, 2) == [rows[0], rows[2]]


async def test_an_event_too_large_for_the_server_comes_from_the_database(world: World, admin: Client) -> None:
    await world.publish(1)
    (large,) = (await world.say(1, {"text": "x" * 1_100_000}))[1:]
    await world.bus.publish([large])
    await world.publish(1)
    assert (await admin.jetstream().get_msg(world.events, 2)).data in (b"", None)
    async with following(world) as events:
        found = await take(events, 3)
        assert places(found) == [1, 2, 3]
        assert found[1] == large


async def test_a_history_that_began_anew_is_read_on_from_its_place(world: World) -> None:
    async with following(world) as events:
        rows = await world.publish(3)
        assert await take(events, 3) == rows
        async with world.database.work(SYSTEM) as work:
            await history.begin_anew(work, new_id(), 50)
        state = await history.state(world.database.reader)
        await world.bus.start_over(state.id, 51)
        async with world.database.work(SYSTEM) as work:
            await work.db.execute(update(history.History).values(last=50))
        (row,) = await world.publish(1)
        assert row.sequence == 51
        assert await take(events, 1) == [row]
        await world.bus.check(state.id, KINDS)


async def test_waking_reaches_every_process_and_is_remembered(world: World) -> None:
    loop = asyncio.get_running_loop()
    other = NatsBus(world.url, prefix=world.prefix, reader=world.database.reader, patience=QUICK)
    await other.start()
    try:
        await other.last()  # it listens
        waits = asyncio.create_task(other.wait_woken(10))
        started = loop.time()
        world.bus.wake()
        await waits
        await world.bus.wait_woken(10)
        assert loop.time() - started < 1
        await world.bus.last()  # whatever comes back to oneself has come
        started = loop.time()
        await world.bus.wait_woken(0.2)
        await other.wait_woken(0.2)
        assert 0.35 < loop.time() - started < 1
    finally:
        await other.stop()


async def test_waking_is_no_error_while_the_server_is_away(database: SqlDatabase, free_port: int) -> None:
    bus = NatsBus(f"nats://127.0.0.1:{free_port}", reader=database.reader)
    bus.wake()
    await bus.start()
    bus.wake()
    started = asyncio.get_running_loop().time()
    await bus.wait_woken(10)
    assert asyncio.get_running_loop().time() - started < 1
    await bus.stop()


async def test_who_never_looks_on_still_hears_nothing_of_others(world: World) -> None:
    async with looking(world.url) as client:
        await client.publish("elsewhere.wake", b"x")
        await client.flush()
    started = asyncio.get_running_loop().time()
    await world.bus.wait_woken(0.2)
    assert asyncio.get_running_loop().time() - started > 0.15
