"""One installation on a NATS server: its bus, its database, and a plain client that looks at what lies there."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import nats
import pytest
from nats.aio.client import Client

from domain import history
from domain.access import SYSTEM
from domain.ids import new_id
from domain.work import Call, Event, EventKind, EventRow
from infra.bus.nats import BusAway, NatsBus, Patience
from infra.db.database import SqlDatabase
from tests import servers

KIND, OTHER = "audits.probe", "audits.lighthouse"
KINDS = (KIND, OTHER, "audits.pagespeed")
QUICK = Patience(answer=1.0, ping=1, ack=1.0)

# The readings of the bus go to whichever database there is: one is enough here.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True, slots=True)
class World:
    bus: NatsBus
    database: SqlDatabase
    url: str
    prefix: str
    history_id: UUID

    @property
    def jobs(self) -> str:
        return f"{self.prefix.upper()}_JOBS"

    @property
    def events(self) -> str:
        return f"{self.prefix.upper()}_EVENTS"

    async def say(self, count: int, payload: Mapping[str, Any] | None = None) -> Sequence[EventRow]:
        """So many events more in the database; all that it has."""
        async with self.database.work(SYSTEM) as work:
            for number in range(count):
                work.say(Event(EventKind.AUDIT_PROGRESSED, UUID(int=7), UUID(int=number), None, payload or {"number": number}))
        return await self.written()

    async def written(self) -> list[EventRow]:
        rows: list[EventRow] = []
        while more := await history.after(self.database.reader, rows[-1].sequence if rows else 0):
            rows += more
        return rows

    async def publish(self, count: int) -> Sequence[EventRow]:
        """So many events more in the database and in the stream; these."""
        rows = (await self.say(count))[-count:]
        await self.bus.publish(rows)
        return rows

    async def relay(self) -> None:
        """Everything that the database has, through every outage, as the one who holds the lease does it."""
        rows, start = await self.written(), 0
        while start < len(rows):
            try:
                start = await self.bus.last() - (rows[0].sequence - 1)
                await self.bus.publish(rows[start : start + 50])
            except BusAway:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def world_on(url: str, database: SqlDatabase, **options: Any) -> AsyncGenerator[World, None]:
    """Declared, and started. `options` are the bus'."""
    prefix = options.pop("prefix", f"test_{secrets.token_hex(4)}")
    bus = NatsBus(url, prefix=prefix, reader=database.reader, **{"patience": QUICK, **options})
    await bus.start()
    try:
        world = World(bus, database, url, prefix, (await history.state(database.reader)).id)
        await bus.declare(world.history_id, 1, KINDS)
        yield world
    finally:
        await bus.stop()


@pytest.fixture
async def world(nats_url: str, database: SqlDatabase) -> AsyncGenerator[World, None]:
    async with world_on(nats_url, database) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[servers.NatsServer]:
    with servers.nats_server() as started:
        yield started


@pytest.fixture
async def admin(nats_url: str) -> AsyncIterator[Client]:
    async with looking(nats_url) as client:
        yield client


@asynccontextmanager
async def looking(url: str) -> AsyncIterator[Client]:
    client = await nats.connect(url, allow_reconnect=False)
    try:
        yield client
    finally:
        await client.close()


async def api(client: Client, subject: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """JetStream's own answer."""
    answer = await client.request(f"$JS.API.{subject}", json.dumps(body or {}).encode(), timeout=5)
    found: dict[str, Any] = json.loads(answer.data)
    assert "error" not in found, found
    return found


async def config(client: Client, stream: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api(client, f"STREAM.INFO.{stream}"))["config"]
    return found


async def state(client: Client, stream: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api(client, f"STREAM.INFO.{stream}"))["state"]
    return found


def call(kind: str = KIND, trace: str | None = None) -> Call:
    return Call(kind, new_id(), trace)


async def take(events: AsyncIterator[EventRow], count: int, seconds: float = 20) -> list[EventRow]:
    async with asyncio.timeout(seconds):
        return [await anext(events) for _ in range(count)]


async def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
