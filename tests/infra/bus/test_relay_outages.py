"""A relay that was frozen for long does no harm when it goes on, and a NATS whose store was emptied is filled again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from nats.aio.client import Client
from sqlalchemy import event, update

from domain import history, leases
from domain.access import SYSTEM
from domain.ids import new_id
from domain.leases import Lease, LeaseLost
from domain.work import StoredJob
from infra.bus import relay as relays
from infra.bus.nats import NatsBus, NatsUnusable
from infra.bus.relay import Relay
from infra.db.database import SqlDatabase
from tests.databases import new_workspace
from tests.infra.bus.carriers import KIND, KINDS, Carrier, carrier, heard, over_nats, prefix, silent
from tests.infra.bus.nats_world import admin, api

__all__ = ["admin", "carrier", "prefix"]

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class FreezingBus(NatsBus):
    """It has asked how far the stream is, and gets to know only when it is let go on."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def last(self) -> int:
        found = await super().last()
        self.asked.set()
        await self.go_on.wait()
        return found


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "LEASE_LASTS", timedelta(seconds=1))
    monkeypatch.setattr(relays, "STAND_BY_SECONDS", 0.1)
    monkeypatch.setattr(relays, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(relays, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(relays, "RESEND_SECONDS", 0.2)


@asynccontextmanager
async def freezing(url: str, nats_url: str, prefix: str) -> AsyncGenerator[tuple[Relay, FreezingBus], None]:
    """Another process' relay, not started yet."""
    database = SqlDatabase(url)
    event.listen(database.writes.sync_engine, "do_connect", soon_given_up)
    bus = FreezingBus(nats_url, prefix=prefix, name="frozen", reader=database.reader)
    relay = Relay(database, bus, kinds=KINDS, holder="frozen")
    await bus.start()
    try:
        yield relay, bus
    finally:
        bus.go_on.set()
        await relay.stop()
        await bus.stop()
        await database.close()


def soon_given_up(_dialect: object, _record: object, _arguments: object, options: dict[str, Any]) -> None:
    """PostgreSQL ends the transaction of a frozen process after 0.3 s instead of 15."""
    options["server_settings"] = options["server_settings"] | {"idle_in_transaction_session_timeout": "300"}


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def published(carrier: Carrier, place: int) -> None:
    async def told() -> bool:
        return (await history.state(carrier.database.reader)).published == place

    await eventually(told)


async def stream(admin: Client, prefix: str) -> tuple[str, int, int]:
    """When the stream of events was made, and the first and the last place that it has."""
    found = await api(admin, f"STREAM.INFO.{prefix.upper()}_EVENTS")
    return found["created"], found["state"]["first_seq"], found["state"]["last_seq"]


async def test_who_was_frozen_after_it_asked_the_stream_leaves_the_next_ones_alone(
    carrier: Carrier, nats_url: str, prefix: str, admin: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """What it was told then is less than what was published since: it looks like a stream that has lost something."""
    assert carrier.relay is not None
    with carrier.hub.follow(carrier.workspace_id) as follower:
        await carrier.say(1, 2, 3)
        assert await heard(follower, 3) == [1, 2, 3]
        made, *_ = await stream(admin, prefix)
        async with freezing(carrier.database.url, nats_url, prefix) as (frozen, bus):
            await carrier.relay.stop()
            await frozen.start()
            await bus.asked.wait()
            await carrier.relay.start()
            await carrier.say(4, 5)
            assert await heard(follower, 2) == [4, 5]
            await published(carrier, 5)
            assert (frozen.leads, carrier.relay.leads) == (True, True), "the frozen one thinks that it does"
            bus.go_on.set()

            async def knows_better() -> bool:
                return not frozen.leads

            await eventually(knows_better)
            assert await stream(admin, prefix) == (made, 1, 5)
            await carrier.say(6)
            assert await heard(follower, 1) == [6]
            assert await silent(follower, 0.3)
    assert [record.getMessage() for record in caplog.records if record.name == relays.__name__] == []


async def test_who_lost_the_lease_mends_nothing(carrier: Carrier, prefix: str, admin: Client) -> None:
    assert carrier.relay is not None
    assert isinstance(carrier.bus, NatsBus)
    await carrier.say(1, 2)
    await published(carrier, 2)
    await carrier.relay.stop()
    await api(admin, f"STREAM.DELETE.{prefix.upper()}_EVENTS")
    with pytest.raises(LeaseLost):
        await carrier.relay._agree(Lease(relays.LEASE, new_id(), 1, relays.LEASE_LASTS))
    assert await carrier.bus.last() == -1
    lease = await leases.acquire(carrier.database, relays.LEASE, holder="here", lasts=relays.LEASE_LASTS)
    assert lease is not None
    assert await carrier.relay._agree(lease) == 2
    assert (await stream(admin, prefix))[1:] == (3, 2)


async def test_an_emptied_store_has_both_streams_again_and_takes_events_and_calls(
    carrier: Carrier, prefix: str, admin: Client
) -> None:
    assert isinstance(carrier.bus, NatsBus)
    with carrier.hub.follow(carrier.workspace_id) as follower:
        await carrier.say(1, 2, 3)
        assert await heard(follower, 3) == [1, 2, 3]
        await published(carrier, 3)
        for name in ("EVENTS", "JOBS"):
            await api(admin, f"STREAM.DELETE.{prefix.upper()}_{name}")
        await carrier.say(4, 5)
        assert await heard(follower, 2) == [4, 5]
        async with carrier.bus.calls(KIND) as calls:
            await carrier.enqueue()
            async with carrier.database.work(SYSTEM) as work:  # as if the time were over after which it is sent again
                await work.db.execute(update(StoredJob).values(at=work.now - timedelta(seconds=10)))
            call = await calls.next(15)
            assert call is not None
            await call.done()
        await carrier.bus.check((await history.state(carrier.database.reader)).id, KINDS)
        assert (await stream(admin, prefix))[1:] == (4, 5)


async def test_who_does_not_reach_nats_leaves_the_events_to_those_who_do(
    database: SqlDatabase, nats_url: str, prefix: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NATS is away for one process alone, and that one leads."""
    monkeypatch.setattr(relays, "CUT_OFF_SECONDS", 0.3)
    cut_off = NatsBus(f"nats://127.0.0.1:{free_port}", prefix=prefix, name="cut off", reader=database.reader)
    alone = Relay(database, cut_off, kinds=KINDS, holder="cut off")
    await cut_off.start()
    await alone.start()
    try:
        async with asyncio.timeout(20):
            while not alone.leads:
                await asyncio.sleep(0.01)
            async with over_nats(database, (await new_workspace(database))[0], nats_url, prefix) as carrier:
                with carrier.hub.follow(carrier.workspace_id) as follower:
                    await carrier.say(1, 2)
                    assert await heard(follower, 2) == [1, 2]
                    assert not alone.leads
    finally:
        await alone.stop()
        await cut_off.stop()


async def test_a_consumer_that_somebody_deleted_is_made_again(
    carrier: Carrier, prefix: str, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "DECLARE_SECONDS", 0.2)
    assert isinstance(carrier.bus, NatsBus)
    assert carrier.relay is not None
    await carrier.say(1)
    await published(carrier, 1)
    await carrier.relay.stop()
    await carrier.relay.start()  # with the new patience
    consumer = KIND.replace(".", "-")
    await api(admin, f"CONSUMER.DELETE.{prefix.upper()}_JOBS.{consumer}")
    async with asyncio.timeout(15):
        while True:
            with contextlib.suppress(NatsUnusable):
                await carrier.bus.check((await history.state(carrier.database.reader)).id, KINDS)
                break
            await asyncio.sleep(0.1)
