"""GraphQL in, JSON out: the whole stack but the socket, for one workspace with its owner."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain import accounts, audits, runners
from domain.access import NOBODY, SYSTEM, Actor, Role
from domain.caching import Bucket
from domain.ids import Kind, encode
from domain.keyring import Keyring
from domain.measuring import Engine, EngineName
from graph.callers import Caller
from graph.context import Services
from graph.execution import Operations
from graph.operations import Asked, Rejected
from graph.policy import Policy
from graph.schema import schema
from infra.bus.hub import Hub
from infra.cache.memory import MemoryCache
from infra.db.database import SqlDatabase
from infra.storage.disk import DiskStorage
from tests.databases import new_workspace
from tests.feeding import feeding, number

PLENTY = Bucket(1e12, 1e9)


@dataclass
class Asking:
    services: Services
    database: SqlDatabase
    workspace_id: UUID
    actor: Actor
    runner_id: UUID
    hub: Hub

    def __post_init__(self) -> None:
        self.operations = Operations(schema, self.services)

    @property
    def caller(self) -> Caller:
        return Caller(self.actor, "192.0.2.1")

    @property
    def workspace(self) -> str:
        return encode(Kind.WORKSPACE, self.workspace_id)

    def as_(self, role: Role | None) -> Asking:
        """The same, asked by somebody with another role; None for nobody."""
        return replace(self, actor=Actor(roles={self.workspace_id: role}) if role else NOBODY)

    async def whole(self, text: str, **variables: Any) -> Mapping[str, Any]:
        """The result as it would be sent."""
        try:
            prepared = await self.operations.prepare(Asked(text, variables=variables), self.caller)
            return (await self.operations.result(prepared)).body(cost=False)
        except Rejected as refused:
            return refused.body

    async def ask(self, text: str, **variables: Any) -> Any:
        """The data of an operation that must have no errors."""
        said = await self.whole(text, **variables)
        assert "errors" not in said, said["errors"]
        return said["data"]

    async def follow(self, text: str, **variables: Any) -> AsyncGenerator[Any, None]:
        async for event in self.events(text, **variables):
            assert "errors" not in event, event
            yield event["data"]

    async def events(self, text: str, **variables: Any) -> AsyncGenerator[Any, None]:
        """The same with what refuses it, and what ends it."""
        prepared = await self.operations.prepare(Asked(text, variables=variables), self.caller)
        async with aclosing(self.operations.results(prepared)) as events:
            async for event in events:
                yield orjson.loads(event.body)

    async def settle(self) -> None:
        """Everything that was said has its place in the history."""
        while not self.database.is_sqlite and await number(self.database):
            pass

    async def measure(self, engine: Engine) -> None:
        """Work the next audit."""
        claim = await audits.take(self.database, runner_id=self.runner_id, pool="default", engines=[EngineName.PROBE])
        assert claim is not None
        await audits.perform(self.database, self.services.storage, engine, self.services.keyring, claim)


@pytest.fixture
async def asking(database: SqlDatabase, tmp_path: Path) -> AsyncGenerator[Asking, None]:
    workspace, actor = await new_workspace(database)
    async with database.work(SYSTEM) as work:
        runner = await runners.appear(work, name="here", location="local", pool="default", engines=[EngineName.PROBE])
    keyring, passwords = Keyring([b"secret"]), accounts.Passwords()
    async with feeding(database) as hub:
        services = Services(
            database=database,
            feed=hub,
            storage=DiskStorage(tmp_path / "files"),
            keyring=keyring,
            signing=accounts.Signing(database, keyring, "http://pacemark.test"),
            passwords=passwords,
            registration=accounts.Registration.OPEN,
            base_url="http://pacemark.test",
            cache=MemoryCache(),
            texts=MemoryCache(),
            policy=Policy(allowance=PLENTY),
        )
        yield Asking(services, database, workspace, actor, runner, hub)
    passwords.close()
