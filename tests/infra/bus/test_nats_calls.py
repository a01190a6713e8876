"""A call reaches one of those who wait, is repeated until somebody has dealt with it, and is never held by who is gone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from nats.aio.client import Client

from domain.ids import new_id
from domain.work import Call
from infra.bus.nats import BusAway, NatsBus
from infra.db.database import SqlDatabase
from tests import servers
from tests.infra.bus.nats_world import (
    KIND,
    OTHER,
    QUICK,
    World,
    admin,
    api,
    call,
    eventually,
    on_sqlite,
    server,
    state,
    world,
    world_on,
)

__all__ = ["admin", "server", "world"]
pytestmark = on_sqlite
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def waiting(world: World, client: Client) -> tuple[int, int]:
    """Calls that are not dealt with, and those of them that somebody has."""
    consumer = await api(client, f"CONSUMER.INFO.{world.jobs}.audits-probe")
    return (await state(client, world.jobs))["messages"], consumer["num_ack_pending"]


@pytest.fixture
async def patient(nats_url: str, database: SqlDatabase) -> AsyncGenerator[World, None]:
    """Where a call that somebody holds is repeated only after those who wait for it here have given up."""
    async with world_on(nats_url, database, patience=replace(QUICK, ack=10.0)) as opened:
        yield opened


async def test_a_call_carries_its_trace(world: World) -> None:
    async with world.bus.calls(KIND) as calls:
        await world.bus.send([call(trace=TRACE)])
        first = await calls.next(5)
        assert first is not None
        assert first.trace == TRACE
        await first.done()
        await world.bus.send([call()])
        second = await calls.next(5)
        assert second is not None
        assert second.trace is None


async def test_people_who_look_into_the_stream_find_the_job(world: World, admin: Client) -> None:
    sent = call()
    await world.bus.send([sent])
    message = await admin.jetstream().get_msg(world.jobs, 1)
    assert (message.subject, message.data) == (f"{world.prefix}.jobs.{KIND}", sent.job_id.hex.encode())


async def test_done_ends_it(world: World, admin: Client) -> None:
    await world.bus.send([call()])
    async with world.bus.calls(KIND) as calls:
        delivery = await calls.next(5)
        assert delivery is not None
        assert await waiting(world, admin) == (1, 1)
        await delivery.done()
        assert await calls.next(1.5 * QUICK.ack) is None
    assert await waiting(world, admin) == (0, 0)


async def test_a_call_that_nobody_says_anything_about_goes_to_another(world: World) -> None:
    await world.bus.send([call()])
    async with world.bus.calls(KIND) as gone, world.bus.calls(KIND) as calls:
        assert await gone.next(5) is not None
        started = asyncio.get_running_loop().time()
        assert await calls.next(5) is not None
        assert asyncio.get_running_loop().time() - started > 0.8 * QUICK.ack


async def test_working_keeps_it(world: World) -> None:
    await world.bus.send([call()])
    async with world.bus.calls(KIND) as busy, world.bus.calls(KIND) as calls:
        delivery = await busy.next(5)
        assert delivery is not None
        other = asyncio.create_task(calls.next(2.5 * QUICK.ack))
        while not other.done():
            await delivery.working()
            await asyncio.wait([other], timeout=QUICK.ack / 3)
        assert other.result() is None
        await delivery.done()


async def test_again_calls_somebody_after_so_long_and_not_before(world: World) -> None:
    await world.bus.send([call()])
    async with world.bus.calls(KIND) as calls:
        delivery = await calls.next(5)
        assert delivery is not None
        await delivery.again(1.0)
        started = asyncio.get_running_loop().time()
        delivery = await calls.next(5)
        assert delivery is not None
        assert 0.9 < asyncio.get_running_loop().time() - started < 2
        await delivery.again(0)
        started = asyncio.get_running_loop().time()
        assert await calls.next(5) is not None
        assert asyncio.get_running_loop().time() - started < 0.4


async def test_jobs_sent_while_nobody_listens_wait(world: World) -> None:
    await world.bus.send([call() for _ in range(700)])
    await world.bus.send([call(OTHER)])
    async with world.bus.calls(KIND) as calls:
        for _ in range(700):
            delivery = await calls.next(5)
            assert delivery is not None
            await delivery.done()
        assert await calls.next(0.1) is None
    async with world.bus.calls(OTHER) as calls:
        assert await calls.next(5) is not None


async def test_those_who_wait_share_the_calls_without_doubling(world: World) -> None:
    count, taken = 300, Counter[int]()
    async with world_on(world.url, world.database) as elsewhere:
        second = NatsBus(world.url, prefix=world.prefix, reader=elsewhere.database.reader, patience=QUICK)
        await second.start()
        try:

            async def lane(number: int, bus: NatsBus) -> None:
                async with bus.calls(KIND) as calls:
                    while taken.total() < count:
                        if (delivery := await calls.next(0.5)) is not None:
                            taken[number] += 1
                            await delivery.done()

            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                for number in range(4):
                    group.create_task(lane(number, (world.bus, second)[number % 2]))
                for _ in range(count // 10):
                    await world.bus.send([call() for _ in range(10)])
        finally:
            await second.stop()
    assert taken.total() == count
    assert sorted(taken) == [0, 1, 2, 3]


async def test_a_cancelled_wait_holds_no_call(patient: World) -> None:
    """The server still has its question, so that the call comes to somebody who is not there."""
    async with patient.bus.calls(KIND) as gone, patient.bus.calls(KIND) as calls:
        for _ in range(20):
            waits = asyncio.create_task(gone.next(30))
            await asyncio.sleep(0.01)
            waits.cancel()
            await asyncio.gather(waits, return_exceptions=True)
        await patient.bus.send([call()])
        assert await calls.next(5) is not None


async def test_a_call_that_comes_together_with_the_cancellation_goes_to_another(patient: World) -> None:
    async with patient.bus.calls(KIND) as unlucky, patient.bus.calls(KIND) as calls:
        for turn in range(40):
            waits = asyncio.create_task(unlucky.next(30))
            await asyncio.sleep(0.002)
            await patient.bus.send([call()])
            if turn % 2:
                await asyncio.sleep(0)
            waits.cancel()
            (result,) = await asyncio.gather(waits, return_exceptions=True)
            delivery = await calls.next(5) if isinstance(result, asyncio.CancelledError) else result
            assert delivery is not None
            assert not isinstance(delivery, BaseException)
            await delivery.done()


async def test_what_comes_for_one_who_gave_up_goes_to_others_and_not_to_the_next_who_waits(patient: World) -> None:
    async with patient.bus.calls(KIND) as several, patient.bus.calls(KIND) as calls:
        for _ in range(5):
            waits = asyncio.create_task(several.next(30))
            await asyncio.sleep(0.01)
            waits.cancel()
            await asyncio.gather(waits, return_exceptions=True)
        waits = asyncio.create_task(several.next(30))
        await asyncio.sleep(0.01)
        await patient.bus.send([call() for _ in range(6)])
        first = await waits
        assert first is not None
        for _ in range(5):
            delivery = await calls.next(5)
            assert delivery is not None
            await delivery.done()
        await first.done()


async def test_who_leaves_hands_on_what_is_on_its_way(patient: World) -> None:
    async with patient.bus.calls(KIND) as calls:
        for turn in range(30):
            async with patient.bus.calls(KIND) as leaving:
                waits = asyncio.create_task(leaving.next(30))
                await asyncio.sleep(0.01)
                sending = asyncio.gather(patient.bus.send([call()]))
                for _ in range(turn % 6):
                    await asyncio.sleep(0)
                waits.cancel()
                await asyncio.gather(waits, return_exceptions=True)
            await sending
            delivery = await calls.next(5) if waits.cancelled() else waits.result()
            assert delivery is not None
            await delivery.done()


async def test_waiting_lasts_as_long_as_was_asked_for(world: World, admin: Client) -> None:
    loop = asyncio.get_running_loop()
    async with world.bus.calls(KIND) as calls:
        for _ in ("no calls", "no consumer"):
            started = loop.time()
            assert await calls.next(0.5) is None
            assert 0.45 < loop.time() - started < 0.8
            if "audits-probe" in (await api(admin, f"CONSUMER.NAMES.{world.jobs}"))["consumers"]:
                await api(admin, f"CONSUMER.DELETE.{world.jobs}.audits-probe")
        assert await calls.next(0) is None


async def test_calls_that_were_taken_away_under_a_waiting_worker_come_when_they_are_back(world: World, admin: Client) -> None:
    async with world.bus.calls(KIND) as calls:
        waits = asyncio.create_task(calls.next(15))
        await asyncio.sleep(0.05)
        await api(admin, f"STREAM.DELETE.{world.jobs}")
        await world.bus.declare(world.history_id, 1, [KIND])
        await world.bus.send([call()])
        assert await waits is not None


async def test_a_waiting_worker_survives_the_server_and_so_do_the_calls(
    server: servers.NatsServer, database: SqlDatabase
) -> None:
    async with world_on(server.url, database) as world, world.bus.calls(KIND) as calls:
        await world.bus.send([call(), call(OTHER)])
        first = await calls.next(5)
        assert first is not None
        waits = asyncio.create_task(calls.next(20))
        await asyncio.sleep(0.05)
        server.kill()
        await eventually(lambda: not world.bus.connected)
        for _ in range(2):  # the database is the truth: nobody is stopped by what the bus does not hear
            await first.working()
            await first.done()
            await first.again(1)
        server.start()
        assert await waits is not None  # nobody heard that it was done
        async with world.bus.calls(OTHER) as others:
            assert await others.next(5) is not None


async def test_waiting_while_the_bus_is_away_takes_its_time_and_no_processor(database: SqlDatabase, free_port: int) -> None:
    bus = NatsBus(f"nats://127.0.0.1:{free_port}", reader=database.reader, patience=QUICK)
    await bus.start()
    try:
        loop = asyncio.get_running_loop()
        async with bus.calls(KIND) as calls:
            started = loop.time()
            assert await calls.next(0.5) is None
            assert 0.45 < loop.time() - started < 0.8
    finally:
        await bus.stop()


async def test_what_is_said_twice_or_too_late_is_no_error(world: World) -> None:
    await world.bus.send([call()])
    async with world.bus.calls(KIND) as calls:
        delivery = await calls.next(5)
        assert delivery is not None
        await delivery.done()
        await delivery.done()
        await delivery.again(1)
        await delivery.working()
        assert await calls.next(0.3) is None


async def test_nothing_to_send_is_no_question(world: World) -> None:
    await world.bus.send([])
    await world.bus.publish([])


async def test_a_trace_cannot_say_anything_else(world: World) -> None:
    """What a header could not hold is not sent on as something that it is not."""
    await world.bus.send([Call(KIND, new_id(), "00-x\r\nNats-Rollup: all")])
    async with world.bus.calls(KIND) as calls:
        delivery = await calls.next(5)
        assert delivery is not None
        assert delivery.trace == "00-x  Nats-Rollup: all"


async def test_sending_is_refused_at_once_when_the_bus_has_stopped(database: SqlDatabase, nats_url: str) -> None:
    async with world_on(nats_url, database) as world:
        pass
    with pytest.raises(BusAway):
        await world.bus.send([call()])
