"""GraphQL in, JSON out: the whole stack but the socket, for one workspace with its owner."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from domain import audits, runners, sites
from domain.access import NOBODY, Actor, Role
from domain.ids import Kind, encode
from domain.measuring import Engine, EngineName
from graph.context import Context, Services
from graph.schema import schema
from infra.bus.hub import Hub
from infra.db.database import SqlDatabase
from infra.storage.disk import DiskStorage
from tests.databases import new_workspace
from tests.feeding import feeding, number


@dataclass
class Asking:
    services: Services
    database: SqlDatabase
    workspace_id: UUID
    actor: Actor
    runner_id: UUID
    hub: Hub

    @property
    def workspace(self) -> str:
        return encode(Kind.WORKSPACE, self.workspace_id)

    def as_(self, role: Role | None) -> Asking:
        """The same, asked by somebody with another role; None for nobody."""
        return replace(self, actor=Actor(roles={self.workspace_id: role}) if role else NOBODY)

    async def whole(self, text: str, **variables: Any) -> Mapping[str, Any]:
        """The result as it would be sent."""
        result = await schema.execute(text, variable_values=variables, context_value=Context(self.services, self.actor))
        said: dict[str, Any] = {"data": result.data}
        if result.errors:
            said["errors"] = [error.formatted for error in result.errors]
        return said

    async def ask(self, text: str, **variables: Any) -> Any:
        """The data of an operation that must have no errors."""
        said = await self.whole(text, **variables)
        assert "errors" not in said, said["errors"]
        return said["data"]

    async def follow(self, text: str, **variables: Any) -> AsyncGenerator[Any, None]:
        context = Context(self.services, self.actor)
        events: Any = await schema.subscribe(text, variable_values=variables, context_value=context)
        async for event in events:
            assert event.errors is None, event.errors
            yield event.data

    async def settle(self) -> None:
        """Everything that was said has its place in the history."""
        while not self.database.is_sqlite and await number(self.database):
            pass

    async def measure(self, engine: Engine) -> None:
        """Work the next audit."""
        claim = await audits.take(self.database, runner_id=self.runner_id, pool="default", engines=[EngineName.PROBE])
        assert claim is not None
        await audits.perform(self.database, self.services.storage, engine, self.services.seal, claim)


@pytest.fixture
async def asking(database: SqlDatabase, tmp_path: Path) -> AsyncGenerator[Asking, None]:
    workspace, actor = await new_workspace(database)
    async with database.work(NOBODY) as work:
        runner = await runners.appear(work, name="here", location="local", pool="default", engines=[EngineName.PROBE])
    async with feeding(database) as hub:
        services = Services(
            database=database,
            feed=hub,
            storage=DiskStorage(tmp_path / "files"),
            seal=sites.Seal((Fernet.generate_key(),)),
            pepper=b"pepper",
            link_secret=b"links",
            base_url="http://pacemark.test",
        )
        yield Asking(services, database, workspace, actor, runner, hub)
