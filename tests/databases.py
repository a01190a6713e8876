"""A fresh, migrated database a test: SQLite in a file, and PostgreSQL; tests that take `database` run on both."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event

from domain import accounts, sites, workspaces
from domain.access import NOBODY, Actor, Role
from domain.work import Work
from infra.db import migrate
from infra.db.database import SqlDatabase
from tests import servers


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[str, None]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'pacemark.db'}"
        return
    server: servers.PostgresServer = request.getfixturevalue("postgres_server")
    name = f"test_{secrets.token_hex(6)}"
    url = await server.create_database(name)
    yield url.replace("postgresql://", "postgresql+asyncpg://", 1)
    await server.drop_database(name)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[SqlDatabase, None]:
    await migrate.upgrade(database_url)
    opened = SqlDatabase(database_url)
    yield opened
    await opened.close()


class Counter:
    """How many statements reads have sent."""

    def __init__(self, database: SqlDatabase) -> None:
        self.statements: list[str] = []
        event.listen(database.reads.sync_engine, "before_cursor_execute", self._count)

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.statements.append(statement)

    def __len__(self) -> int:
        return len(self.statements)


async def new_workspace(database: SqlDatabase, slug: str = "acme") -> tuple[UUID, Actor]:
    """A workspace with the profiles that it begins with, and its owner."""
    async with database.work(NOBODY) as work:
        owner = await accounts.register(work, name="Owner")
        workspace_id = await workspaces.create(work, slug=slug, name=slug.title(), owner_id=owner)
        work.actor = Actor(roles={workspace_id: Role.OWNER}, user_id=owner)
        await sites.seed_profiles(work, workspace_id=workspace_id)
        return workspace_id, work.actor


async def new_page(work: Work, workspace_id: UUID, url: str) -> sites.PageRow:
    return await sites.find_or_create_page(work, workspace_id=workspace_id, url=url)
