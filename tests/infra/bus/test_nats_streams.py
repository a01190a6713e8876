"""The streams are made, kept as they must be, told from those of others, and said to be wrong in one sentence."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from domain import history
from domain.ids import new_id
from infra.bus.nats import BusAway, NatsBus, NatsUnusable, OutOfStep, connection
from infra.bus.relay import Relay
from infra.db import migrate
from infra.db.database import SqlDatabase
from tests import servers
from tests.infra.bus.nats_world import (
    KIND,
    KINDS,
    QUICK,
    World,
    admin,
    api,
    call,
    config,
    eventually,
    on_sqlite,
    state,
    take,
    world,
    world_on,
)

__all__ = ["admin", "world"]
pytestmark = on_sqlite
_SECOND = 1_000_000_000


async def test_what_was_declared_passes_the_check(world: World) -> None:
    await world.bus.check(world.history_id, KINDS)


async def test_calls_are_kept_until_they_are_dealt_with_and_events_for_a_day(world: World, admin: Client) -> None:
    jobs, events = await config(admin, world.jobs), await config(admin, world.events)
    assert jobs["subjects"] == [f"{world.prefix}.jobs.>"]
    assert (jobs["retention"], jobs["storage"], jobs["discard"], jobs["max_age"]) == ("workqueue", "file", "old", 0)
    assert events["subjects"] == [f"{world.prefix}.events.>"]
    assert (events["retention"], events["storage"], events["max_age"]) == ("limits", "file", 86_400 * _SECOND)
    assert (events["deny_delete"], events["deny_purge"]) == (False, False)
    consumer = (await api(admin, f"CONSUMER.INFO.{world.jobs}.audits-probe"))["config"]
    assert consumer["filter_subject"] == f"{world.prefix}.jobs.{KIND}"
    assert (consumer["ack_policy"], consumer["ack_wait"], consumer["max_deliver"]) == ("explicit", _SECOND, -1)


async def test_by_default_a_call_goes_to_somebody_else_after_thirty_seconds(
    nats_url: str, database: SqlDatabase, admin: Client
) -> None:
    async with world_on(nats_url, database, patience=None) as world:
        consumer = await api(admin, f"CONSUMER.INFO.{world.jobs}.audits-probe")
        assert consumer["config"]["ack_wait"] == 30 * _SECOND


async def test_declaring_again_changes_nothing(world: World, admin: Client) -> None:
    await world.publish(3)
    await world.bus.send([call()])
    before = [await api(admin, f"STREAM.INFO.{name}") for name in (world.jobs, world.events)]
    await world.bus.declare(world.history_id, 99, KINDS)
    after = [await api(admin, f"STREAM.INFO.{name}") for name in (world.jobs, world.events)]
    assert [each | {"ts": None} for each in after] == [each | {"ts": None} for each in before]


async def test_a_new_stream_of_events_goes_on_where_the_history_is(world: World) -> None:
    async with world_on(world.url, world.database) as other:
        assert await other.bus.last() == 0
    bus = NatsBus(world.url, prefix=f"test_{secrets.token_hex(4)}", reader=world.database.reader)
    await bus.start()
    try:
        await bus.declare(world.history_id, 43, KINDS)
        assert await bus.last() == 42
        rows = await world.say(44)
        with pytest.raises(OutOfStep) as caught:
            await bus.publish(rows[:1])
        assert caught.value.last == 42
        await bus.publish(rows[42:])
        assert await bus.last() == 44
    finally:
        await bus.stop()


async def test_settings_of_an_older_version_are_changed_in_place_and_those_of_people_stay(world: World, admin: Client) -> None:
    await world.publish(3)
    old = await config(admin, world.events)
    await api(admin, f"STREAM.UPDATE.{world.events}", old | {"max_age": 3_600 * _SECOND, "max_bytes": 10_000_000})
    consumer = (await api(admin, f"CONSUMER.INFO.{world.jobs}.audits-probe"))["config"] | {"ack_wait": 7 * _SECOND}
    path = f"CONSUMER.CREATE.{world.jobs}.audits-probe.{world.prefix}.jobs.{KIND}"
    await api(admin, path, {"stream_name": world.jobs, "config": consumer})
    with pytest.raises(NatsUnusable) as caught:
        await world.bus.check(world.history_id, KINDS)
    assert str(caught.value) == (
        f"The stream {world.events} is not set up as this version wants it (max_age). Run: pacemark migrate"
    )
    await world.bus.declare(world.history_id, 1, KINDS)
    await world.bus.check(world.history_id, KINDS)
    now = await config(admin, world.events)
    assert (now["max_age"], now["max_bytes"]) == (86_400 * _SECOND, 10_000_000)
    assert (await state(admin, world.events))["messages"] == 3


async def test_a_consumer_that_is_set_up_differently_is_told(world: World, admin: Client) -> None:
    consumer = (await api(admin, f"CONSUMER.INFO.{world.jobs}.audits-probe"))["config"] | {"ack_wait": 7 * _SECOND}
    path = f"CONSUMER.CREATE.{world.jobs}.audits-probe.{world.prefix}.jobs.{KIND}"
    await api(admin, path, {"stream_name": world.jobs, "config": consumer})
    with pytest.raises(NatsUnusable) as caught:
        await world.bus.check(world.history_id, KINDS)
    assert str(caught.value) == (
        f"The consumer audits-probe of the stream {world.jobs} is not set up as this version wants it (ack_wait). "
        "Run: pacemark migrate"
    )


async def test_what_cannot_be_changed_in_place_is_told(world: World, admin: Client) -> None:
    await api(admin, f"STREAM.DELETE.{world.jobs}")
    ours = (await config(admin, world.events))["metadata"]
    wrong = {"name": world.jobs, "subjects": [f"{world.prefix}.jobs.>"], "storage": "file", "metadata": ours}
    await api(admin, f"STREAM.CREATE.{world.jobs}", wrong)
    with pytest.raises(NatsUnusable, match=rf"^The stream {world.jobs} cannot be changed in place: .*workqueue"):
        await world.bus.declare(world.history_id, 1, KINDS)


async def test_missing_streams_and_consumers_are_told(world: World, admin: Client) -> None:
    with pytest.raises(NatsUnusable) as caught:
        await world.bus.check(world.history_id, [*KINDS, "mails"])
    assert str(caught.value) == f"The stream {world.jobs} has no consumer mails. Run: pacemark migrate"
    for name in (world.events, world.jobs):
        await api(admin, f"STREAM.DELETE.{name}")
        with pytest.raises(NatsUnusable) as caught:
            await world.bus.check(world.history_id, KINDS)
        assert str(caught.value) == f"There is no stream {name} on this NATS server. Run: pacemark migrate"
    assert await world.bus.last() == -1
    with pytest.raises(BusAway, match=rf"^The stream {world.jobs} takes no calls: there is no such stream"):
        await world.bus.send([call()])
    rows = await world.say(1)
    with pytest.raises(BusAway, match=rf"^The stream {world.events} takes no events: there is no such stream"):
        await world.bus.publish(rows)


async def test_the_streams_of_another_database_are_refused_and_not_touched(world: World, admin: Client) -> None:
    await world.publish(2)
    before = [await api(admin, f"STREAM.INFO.{name}") for name in (world.jobs, world.events)]
    for refused in (world.bus.declare(new_id(), 1, KINDS), world.bus.check(new_id(), KINDS)):
        with pytest.raises(NatsUnusable) as caught:
            await refused
        assert str(caught.value) == (
            f"The stream {world.jobs} belongs to another Pacemark database. Give this one another prefix: PACEMARK_NATS_PREFIX"
        )
    after = [await api(admin, f"STREAM.INFO.{name}") for name in (world.jobs, world.events)]
    assert [each | {"ts": None} for each in after] == [each | {"ts": None} for each in before]


async def test_a_bus_never_gets_as_far_as_the_streams_of_another_database(
    world: World, admin: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever forgot to choose a prefix reads, takes, publishes and mends nothing, whatever runs before the check."""
    await world.publish(40)
    await world.bus.send([call()])
    before = [await api(admin, f"STREAM.INFO.{name}") for name in (world.jobs, world.events)]
    async with fresh(tmp_path) as database:
        bus = NatsBus(world.url, prefix=world.prefix, reader=database.reader, patience=QUICK)
        relay, ours = Relay(database, bus, kinds=KINDS, holder="other"), (await history.state(database.reader)).id
        await bus.start()
        await relay.start()
        try:
            sentence = (
                f"The stream {world.jobs} belongs to another Pacemark database. "
                "Give this one another prefix: PACEMARK_NATS_PREFIX"
            )
            for asked in (bus.check(ours, KINDS), bus.declare(ours, 1, KINDS)):
                with pytest.raises(NatsUnusable) as caught:
                    await asked
                assert str(caught.value) == sentence
            assert not bus.connected
            for refused in (bus.last(), bus.start_over(ours, 1), bus.send([call()])):
                with pytest.raises(BusAway):
                    await refused
            async with bus.calls(KIND) as calls:
                assert await calls.next(0.3) is None
            async with asyncio.timeout(5):
                while not relay.leads:
                    await asyncio.sleep(0.01)
            assert caplog.messages.count(f"NATS at {world.url.removeprefix('nats://')} cannot be used. {sentence}") == 1
        finally:
            await relay.stop()
            await bus.stop()
    after = [await api(admin, f"STREAM.INFO.{name}") for name in (world.jobs, world.events)]
    assert [each | {"ts": None} for each in after] == [each | {"ts": None} for each in before]


async def test_a_bus_is_used_as_soon_as_people_have_mended_what_was_wrong(
    world: World, admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "UNUSABLE_SECONDS", 0.1)
    async with fresh(tmp_path) as database:
        bus = NatsBus(world.url, prefix=world.prefix, reader=database.reader, patience=QUICK)
        await bus.start()
        try:
            with pytest.raises(NatsUnusable):
                await bus.check(new_id(), KINDS)
            for name in (world.jobs, world.events):
                await api(admin, f"STREAM.DELETE.{name}")
            await eventually(lambda: bus.connected)
            await bus.declare((await history.state(database.reader)).id, 1, KINDS)
        finally:
            await bus.stop()


async def test_who_dies_while_a_new_history_begins_finds_the_streams_to_be_its_own(world: World) -> None:
    await world.publish(3)
    await world.bus.start_over(new_id(), 4)  # and what names it so in the database is never committed
    async with world_on(world.url, world.database, prefix=world.prefix) as again:
        await again.bus.check(world.history_id, KINDS)
        assert await again.bus.last() == 3


async def test_a_stream_of_somebody_else_by_our_name_is_refused_before_anything_is_made(
    nats_url: str, database: SqlDatabase, admin: Client
) -> None:
    prefix = f"test_{secrets.token_hex(4)}"
    await api(admin, f"STREAM.CREATE.{prefix.upper()}_EVENTS", {"name": f"{prefix.upper()}_EVENTS", "subjects": [prefix]})
    with pytest.raises(NatsUnusable) as caught:
        async with world_on(nats_url, database, prefix=prefix):
            pass
    assert str(caught.value) == (
        f"The stream {prefix.upper()}_EVENTS was not made by Pacemark. Give this one another prefix: PACEMARK_NATS_PREFIX"
    )
    assert f"{prefix.upper()}_JOBS" not in (await api(admin, "STREAM.NAMES"))["streams"]


async def test_subjects_that_another_stream_takes_are_told(nats_url: str, database: SqlDatabase, admin: Client) -> None:
    prefix = f"test_{secrets.token_hex(4)}"
    await api(admin, f"STREAM.CREATE.{prefix}", {"name": prefix, "subjects": [f"{prefix}.*.audits.>"]})
    with pytest.raises(NatsUnusable) as caught:
        async with world_on(nats_url, database, prefix=prefix):
            pass
    assert str(caught.value) == (
        f"Another stream already takes the subjects {prefix}.jobs.>. Give this one another prefix: PACEMARK_NATS_PREFIX"
    )


async def test_two_installations_share_a_server_and_never_meet(world: World) -> None:
    async with world_on(world.url, world.database) as other:
        ours = await world.publish(2)
        await world.bus.send([call()])
        async with other.bus.calls(KIND) as calls:
            assert await calls.next(0.2) is None
        assert await other.bus.last() == 0
        other.bus.wake()
        woken = asyncio.create_task(world.bus.wait_woken(5))
        world_events = world.bus.events(0)
        assert await take(world_events, 2) == ours
        assert not woken.done()
        woken.cancel()
        await asyncio.gather(woken, return_exceptions=True)


async def test_starting_over_begins_anew_from_a_place_and_keeps_what_people_set(world: World, admin: Client) -> None:
    await world.publish(3)
    await world.bus.send([call()])
    old = await config(admin, world.events)
    await api(admin, f"STREAM.UPDATE.{world.events}", old | {"max_bytes": 10_000_000})
    anew = new_id()
    await world.bus.start_over(anew, 500)
    await world.bus.check(anew, KINDS)
    assert await world.bus.last() == 499
    assert (await config(admin, world.events))["max_bytes"] == 10_000_000
    assert (await state(admin, world.jobs))["messages"] == 1


async def test_a_lost_stream_is_made_anew(world: World, admin: Client) -> None:
    await api(admin, f"STREAM.DELETE.{world.events}")
    await world.bus.start_over(world.history_id, 7)
    await world.bus.check(world.history_id, KINDS)
    assert await world.bus.last() == 6


async def test_a_server_without_jetstream_is_told(database: SqlDatabase) -> None:
    with servers.nats_server("--name", "plain") as server, pytest.raises(NatsUnusable) as caught:
        async with world_on(server.url, database):
            pass
    assert str(caught.value) == (
        "JetStream is switched off on this NATS server: start it with -js, or allow it for this account."
    )


async def test_a_server_that_is_too_old_is_told(database: SqlDatabase) -> None:
    async with speaking(b'{"server_id":"X","version":"2.9.10","max_payload":1048576,"headers":true}') as url:
        with pytest.raises(NatsUnusable) as caught:
            async with world_on(url, database):
                pass
    assert str(caught.value) == "The NATS server has version 2.9; Pacemark needs 2.10 or newer."


@pytest.mark.parametrize("prefix", ["", "Pacemark", "pace.mark", "pace mark", "pacemark>", "*", "p" * 33, "päcemark", "a\n"])
async def test_a_prefix_that_no_subject_can_begin_with_is_refused(prefix: str, database: SqlDatabase) -> None:
    with pytest.raises(ValueError, match=r"^A NATS prefix has 1 to 32 letters a to z, digits, _ and -[.]$"):
        NatsBus("nats://127.0.0.1", prefix=prefix, reader=database.reader)


@pytest.mark.parametrize("kind", ["", "audits.*", "audits.>", "audits..probe", "audits probe", "audits-probe", "Audits"])
async def test_a_kind_that_no_subject_can_end_with_is_refused(kind: str, world: World) -> None:
    with pytest.raises(ValueError, match=r"^A kind of job is made of a to z, 0 to 9 and _, in parts between dots[.]$"):
        await world.bus.declare(world.history_id, 1, [kind])
    with pytest.raises(ValueError, match=r"^A kind of job"):
        await world.bus.send([call(kind)])


@asynccontextmanager
async def fresh(folder: Path) -> AsyncGenerator[SqlDatabase, None]:
    """Another installation's database."""
    url = f"sqlite+aiosqlite:///{folder / 'other.db'}"
    await migrate.upgrade(url)
    database = SqlDatabase(url)
    yield database
    await database.close()


@asynccontextmanager
async def speaking(info: bytes) -> AsyncGenerator[str, None]:
    """Something that greets as a NATS server does, and answers pings."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO " + info + b"\r\n")
        while line := await reader.readline():
            if line == b"PING\r\n":
                writer.write(b"PONG\r\n")
        writer.close()

    listening: Any = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listening:
        yield f"nats://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
