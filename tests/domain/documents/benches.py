"""A workspace with API clients and documents, and a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from domain import documents
from domain.access import Actor
from domain.documents import AliasRow, Checked, ClientMode, DocumentRow, Pushed, UsageRow
from domain.errors import Refused
from domain.paging import Window
from infra.db.database import SqlDatabase
from tests.databases import new_workspace

NOON = datetime(2026, 5, 13, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Bench:
    """A workspace, seen by its owner."""

    def __init__(self, database: SqlDatabase, clock: Clock, workspace_id: UUID, actor: Actor) -> None:
        self.database, self.clock, self.workspace_id, self.actor = database, clock, workspace_id, actor

    async def do(self, action: Any, *used: Any, **given: Any) -> Any:
        async with self.database.work(self.actor) as work:
            return await action(work, *used, **given)

    async def client(self, name: str = "web", mode: ClientMode = ClientMode.OPEN) -> UUID:
        made: UUID = await self.do(documents.create_client, workspace_id=self.workspace_id, name=name, mode=mode)
        return made

    async def push(self, client: UUID | None, *pushed: Checked | tuple[str, str], version: str = "1.0") -> Pushed:
        """Documents, or ids and texts."""
        given = [each if isinstance(each, Checked) else checked(*each) for each in pushed]
        result: Pushed = await self.do(
            documents.push, workspace_id=self.workspace_id, client_id=client, version=version, documents=given
        )
        return result

    async def prune(self, since: datetime, client: UUID | None = None, **given: Any) -> list[str]:
        """The texts of what went."""
        bounds = {"workspace_id": self.workspace_id, "client_id": client, "unused_since": since}
        return [row.text for row in await self.do(documents.prune, **bounds, **given)]

    async def resolve(self, client: UUID | None, id: str) -> str | None:
        """The text of what the client means by this id."""
        row = await documents.resolve(self.database.reader, self.workspace_id, client, id)
        return row.text if row else None

    async def all(self) -> Sequence[DocumentRow]:
        """What the workspace has, the newest first."""
        return (await documents.DOCUMENTS.of(self.database.reader, self.actor.reach, self.workspace_id, Window(100))).rows

    async def of_client(self, client: UUID) -> list[str]:
        found = await documents.OF_CLIENT.of(self.database.reader, self.actor.reach, client, Window(100))
        return [row.text for row in found.rows]

    async def document(self, text: str) -> DocumentRow:
        return next(row for row in await self.all() if row.text == text)

    async def aliases(self, text: str) -> list[AliasRow]:
        id = (await self.document(text)).id
        return [*(await documents.aliases_by_documents(self.database.reader, self.actor.reach, [id]))[id]]

    async def usage(self, text: str) -> list[UsageRow]:
        id = (await self.document(text)).id
        return [*(await documents.usage_by_documents(self.database.reader, self.actor.reach, [id]))[id]]

    async def use(self, text: str, client: UUID | None = None, version: str = "", seconds: float = 0.01) -> None:
        """It is used once, now."""
        usage = documents.Usage()
        usage.record(self.workspace_id, (await self.document(text)).id, client, version, seconds, failed=False)
        await self.do(documents.count, usage.drain())


def checked(alias: str, text: str, **given: Any) -> Checked:
    """What the pipeline says of a query."""
    return Checked(alias, text, **{"names": ["Q"], "operation": "query", "cost": 3.0, **given})


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


async def refused(awaitable: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await awaitable
    return caught.value


async def new_bench(database: SqlDatabase, clock: Clock, slug: str = "acme") -> Bench:
    return Bench(database, clock, *await new_workspace(database, slug))


@pytest.fixture
async def bench(database: SqlDatabase) -> AsyncGenerator[Bench, None]:
    clock = Clock()
    opened = SqlDatabase(database.url, clock=clock)
    yield await new_bench(opened, clock)
    await opened.close()
