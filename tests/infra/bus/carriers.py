"""What carries jobs and events beside a database, as `app/wiring.py` puts it together, and what is carried."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain import audits, history
from domain.access import SYSTEM
from domain.ids import new_id
from domain.measuring import EngineName
from domain.ports import Follower
from domain.work import Event, EventKind, EventRow, Job
from infra.bus.hub import Hub
from infra.bus.nats import NatsBus
from infra.bus.outbox import OutboxBus
from infra.bus.relay import Relay
from infra.db.database import SqlDatabase
from tests.databases import new_workspace

KIND = audits.KINDS[EngineName.PROBE]
KINDS = tuple(audits.KINDS.values())


@dataclass(frozen=True, slots=True)
class Carrier:
    """One process: its database, its bus and its hub; and a workspace."""

    database: SqlDatabase
    bus: OutboxBus | NatsBus
    hub: Hub
    workspace_id: UUID
    relay: Relay | None = None

    async def enqueue(self, *subjects: UUID, kind: str = KIND) -> None:
        async with self.database.work(SYSTEM) as work:
            for subject in subjects or (new_id(),):
                work.enqueue(Job(kind, self.workspace_id, subject))

    async def say(self, *numbers: int, subject: UUID | None = None, workspace_id: UUID | None = None) -> None:
        async with self.database.work(SYSTEM) as work:
            for number in numbers:
                work.say(event(number, workspace_id or self.workspace_id, subject))


def event(number: int, workspace_id: UUID, subject: UUID | None = None) -> Event:
    return Event(EventKind.AUDIT_PROGRESSED, workspace_id, subject or UUID(int=1), None, {"number": number})


async def heard(follower: Follower, count: int, seconds: float = 20) -> list[int]:
    """The numbers of the next events."""
    found: list[int] = []
    while len(found) < count:
        each = await follower.next(seconds)
        assert isinstance(each, EventRow), f"{each} after {found}"
        found.append(each.payload["number"])
    return found


async def silent(follower: Follower, seconds: float = 0.6) -> bool:
    return await follower.next(seconds) is None


@asynccontextmanager
async def embedded(database: SqlDatabase, workspace_id: UUID) -> AsyncGenerator[Carrier, None]:
    async with AsyncExitStack() as closing:
        bus = OutboxBus(database.reader)
        database.committed = lambda work: bus.wake()
        await bus.start()
        closing.push_async_callback(bus.stop)
        hub = Hub(bus, database.reader)
        await hub.start()
        closing.push_async_callback(hub.stop)
        yield Carrier(database, bus, hub, workspace_id)


@asynccontextmanager
async def over_nats(
    database: SqlDatabase, workspace_id: UUID, url: str, prefix: str, holder: str = "here"
) -> AsyncGenerator[Carrier, None]:
    async with AsyncExitStack() as closing:
        bus = NatsBus(url, prefix=prefix, name=holder, reader=database.reader)
        await bus.start()
        closing.push_async_callback(bus.stop)
        state = await history.state(database.reader)
        await bus.declare(state.id, state.published + 1, KINDS)
        hub = Hub(bus, database.reader)
        await hub.start()
        closing.push_async_callback(hub.stop)
        relay = Relay(database, bus, kinds=KINDS, holder=holder)
        database.committed = relay.committed
        await relay.start()
        closing.push_async_callback(relay.stop)
        yield Carrier(database, bus, hub, workspace_id, relay)


@pytest.fixture
async def prefix() -> str:
    return f"test_{secrets.token_hex(6)}"


@pytest.fixture
async def carrier(request: pytest.FixtureRequest, database: SqlDatabase, prefix: str) -> AsyncGenerator[Carrier, None]:
    """SQLite carries by itself, PostgreSQL with NATS."""
    workspace_id, _ = await new_workspace(database)
    carried = (
        embedded(database, workspace_id)
        if database.is_sqlite
        else over_nats(database, workspace_id, request.getfixturevalue("nats_url"), prefix)
    )
    async with carried as opened:
        yield opened
