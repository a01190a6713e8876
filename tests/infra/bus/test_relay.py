"""The relay between PostgreSQL and NATS: whatever is killed or frozen between commit and stream, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from domain import history, jobs, leases
from domain.access import SYSTEM
from domain.leases import LeaseLost
from domain.work import StoredEvent, StoredJob
from infra.bus import relay as relays
from infra.bus.hub import Hub
from infra.bus.nats import NatsBus, OutOfStep
from infra.bus.relay import Relay
from infra.db.database import SqlDatabase
from tests.databases import new_workspace
from tests.infra.bus.carriers import KIND, KINDS, Carrier, carrier, event, heard, prefix, silent

__all__ = ["carrier", "prefix"]

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def nats(carrier: Carrier) -> NatsBus:
    assert isinstance(carrier.bus, NatsBus)
    return carrier.bus


@asynccontextmanager
async def without_relay(database: SqlDatabase, url: str, prefix: str) -> AsyncGenerator[Carrier, None]:
    """A process that commits, and dies before anything left."""
    workspace_id, _ = await new_workspace(database)
    async with AsyncExitStack() as closing:
        bus = NatsBus(url, prefix=prefix, name="there", reader=database.reader)
        await bus.start()
        closing.push_async_callback(bus.stop)
        state = await history.state(database.reader)
        await bus.declare(state.id, state.published + 1, KINDS)
        hub = Hub(bus, database.reader)
        await hub.start()
        closing.push_async_callback(hub.stop)
        yield Carrier(database, bus, hub, workspace_id)


@asynccontextmanager
async def relaying(carrier: Carrier, holder: str = "here") -> AsyncGenerator[Relay, None]:
    relay = Relay(carrier.database, nats(carrier), kinds=KINDS, holder=holder)
    carrier.database.committed = relay.committed
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop()


async def eventually(condition: object, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_what_a_crash_left_between_commit_and_stream_is_sent_by_the_next(
    database: SqlDatabase, nats_url: str, prefix: str
) -> None:
    async with without_relay(database, nats_url, prefix) as carrier:
        with carrier.hub.follow(carrier.workspace_id) as follower:
            await carrier.say(1, 2, 3)
            assert await silent(follower, 0.3)
            async with relaying(carrier):
                assert await heard(follower, 3) == [1, 2, 3]


async def test_what_was_published_and_not_marked_is_not_published_again(
    database: SqlDatabase, nats_url: str, prefix: str
) -> None:
    async with without_relay(database, nats_url, prefix) as carrier:
        await carrier.say(1, 2, 3)
        async with database.work(SYSTEM) as work:
            assert await history.number(work) == 3
        await nats(carrier).publish((await history.after(database.reader, 0))[:2])
        await eventually(lambda: truth(carrier.hub.position == 2))
        with carrier.hub.follow(carrier.workspace_id) as follower:
            async with relaying(carrier):
                await carrier.say(4)
                assert await heard(follower, 2) == [3, 4]
                assert await silent(follower)
        assert await nats(carrier).last() == 4


async def test_a_late_repeat_of_a_former_leader_is_refused(carrier: Carrier) -> None:
    with carrier.hub.follow(carrier.workspace_id) as follower:
        await carrier.say(1, 2, 3)
        assert await heard(follower, 3) == [1, 2, 3]
        late = await history.after(carrier.database.reader, 0)
        with pytest.raises(OutOfStep) as refused:
            await nats(carrier).publish(late)
        assert refused.value.last == 3
        await carrier.say(4)
        assert await heard(follower, 1) == [4]
        assert await silent(follower)


async def test_one_relay_leads_and_another_takes_over_when_it_is_gone(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "LEASE_LASTS", timedelta(seconds=1))
    monkeypatch.setattr(relays, "STAND_BY_SECONDS", 0.1)
    first = carrier.relay
    assert first is not None
    await eventually(lambda: truth(first.leads))
    other = SqlDatabase(carrier.database.url)
    second = Relay(other, nats(carrier), kinds=KINDS, holder="there")
    await second.start()
    try:
        await asyncio.sleep(0.5)
        assert (first.leads, second.leads) == (True, False)
        with carrier.hub.follow(carrier.workspace_id) as follower:
            await carrier.say(1)
            assert await heard(follower, 1) == [1]
            await first.stop()
            await carrier.say(2)
            assert await heard(follower, 1) == [2]
            assert second.leads
            lease = await leases.look(other.reader, relays.LEASE)
            assert lease is not None
            assert (lease.holder, lease.fence) == ("there", 2)
    finally:
        await second.stop()
        await other.close()


async def truth(value: bool) -> bool:
    return value


async def test_who_lost_the_lease_gives_no_places_any_more(carrier: Carrier) -> None:
    database = carrier.database
    old = leases.Lease(relays.LEASE, carrier.workspace_id, 1, timedelta(seconds=5))

    async def number() -> None:
        async with database.work(SYSTEM) as work:
            work.say(event(1, carrier.workspace_id))
            await leases.prove(work, old)
            await history.number(work)

    with pytest.raises(LeaseLost):
        await number()
    assert (await history.state(database.reader)).last == 0


async def test_a_call_that_was_not_sent_is_sent_later(
    database: SqlDatabase, nats_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "RESEND_SECONDS", 0.2)
    async with without_relay(database, nats_url, prefix) as carrier:
        await carrier.enqueue()
        async with carrier.bus.calls(KIND) as calls:
            assert await calls.next(0.3) is None
            async with database.work(SYSTEM) as work:
                await work.db.execute(update(StoredJob).values(at=work.now - timedelta(seconds=10)))
            async with relaying(carrier):
                call = await calls.next(10)
                assert call is not None

                async def marked() -> bool:
                    async with database.work(SYSTEM) as work:
                        return (await work.db.execute(select(StoredJob.sent_at))).scalar_one() is not None

                await eventually(marked)
                assert await calls.next(1) is None, "a call on the bus was sent again"


async def test_a_stream_that_was_deleted_is_made_anew_and_followers_miss_nothing(carrier: Carrier) -> None:
    with carrier.hub.follow(carrier.workspace_id) as follower:
        await carrier.say(1, 2)
        assert await heard(follower, 2) == [1, 2]
        state = await history.state(carrier.database.reader)
        await nats(carrier).start_over(state.id, 1)  # empty, and behind what was published
        await carrier.say(3)
        assert await heard(follower, 1) == [3]
        await carrier.say(4)
        assert await heard(follower, 1) == [4]
        assert await nats(carrier).last() == 4


async def test_a_database_behind_its_stream_begins_a_history_of_its_own(
    database: SqlDatabase, nats_url: str, prefix: str
) -> None:
    async with without_relay(database, nats_url, prefix) as carrier:
        await carrier.say(1, 2, 3)
        async with database.work(SYSTEM) as work:
            await history.number(work)
        await nats(carrier).publish(await history.after(database.reader, 0))
        before = await history.state(database.reader)
        async with database.work(SYSTEM) as work:  # as a restored backup would have it
            await work.db.execute(update(history.History).values(last=1, published=1))
            await work.db.execute(update(StoredEvent).where(StoredEvent.sequence > 1).values(sequence=None))
        with carrier.hub.follow(carrier.workspace_id) as follower:
            async with relaying(carrier):
                assert await heard(follower, 2) == [2, 3]
                after = await history.state(database.reader)
        assert after.id != before.id
        assert (after.forgotten, after.last) == (3, 5)


async def test_without_a_bus_writes_are_neither_refused_nor_lost(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "RESEND_SECONDS", 0.2)
    relay = carrier.relay
    assert relay is not None
    await relay.stop()
    away = NatsBus("nats://127.0.0.1:1", prefix="nowhere", reader=carrier.database.reader)
    await away.start()
    lonely = Relay(carrier.database, away, kinds=KINDS, holder="here")
    carrier.database.committed = lonely.committed
    await lonely.start()
    try:
        await carrier.enqueue()
        await carrier.say(1, 2)
        await asyncio.sleep(0.5)
    finally:
        await lonely.stop()
        await away.stop()
    async with carrier.database.work(SYSTEM) as work:
        assert len(await jobs.unsent(work, 10)) == 0  # too young yet
        await work.db.execute(update(StoredJob).values(at=work.now - timedelta(seconds=10)))
        assert len(await jobs.unsent(work, 10)) == 1
    with carrier.hub.follow(carrier.workspace_id) as follower:
        async with relaying(carrier), carrier.bus.calls(KIND) as calls:
            assert await heard(follower, 2) == [1, 2]
            assert await calls.next(10) is not None
