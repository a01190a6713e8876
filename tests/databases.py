"""A fresh, migrated database a test: SQLite in a file, and PostgreSQL; tests that take `database` run on both."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import event

from domain import accounts, sites, workspaces
from domain.access import SYSTEM, Actor, Role
from domain.work import Work
from infra.db import migrate
from infra.db.database import SqlDatabase
from tests import servers

# Migrating takes a second, copying what was migrated a few milliseconds: one template a worker and a kind of database.
_templates: dict[str, str] = {}


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[str, None]:
    """An empty database's address; a migrated one's for a test that takes `database` too."""
    migrated = "database" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "pacemark.db"
        if migrated:
            shutil.copyfile(await _sqlite_template(request.getfixturevalue("tmp_path_factory")), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: servers.PostgresServer = request.getfixturevalue("postgres_server")
    name = f"test_{secrets.token_hex(6)}"
    await _postgres(server, name, await _postgres_template(server) if migrated else "template1")
    yield server.url(name).replace("postgresql://", "postgresql+asyncpg://", 1)
    await server.drop_database(name)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[SqlDatabase, None]:
    opened = SqlDatabase(database_url)
    yield opened
    await opened.close()


async def _sqlite_template(folders: pytest.TempPathFactory) -> str:
    if "sqlite" not in _templates:
        path = folders.mktemp("template") / "pacemark.db"
        await migrate.upgrade(f"sqlite+aiosqlite:///{path}")
        _templates["sqlite"] = str(path)
    return _templates["sqlite"]


async def _postgres_template(server: servers.PostgresServer) -> str:
    if server.url() not in _templates:
        await _postgres(server, "migrated", "template1")
        await migrate.upgrade(server.url("migrated").replace("postgresql://", "postgresql+asyncpg://", 1))
        _templates[server.url()] = "migrated"
    return _templates[server.url()]


async def _postgres(server: servers.PostgresServer, name: str, template: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(f'create database "{name}" template "{template}"')
    finally:
        await connection.close()


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
    async with database.work(SYSTEM) as work:
        owner = await accounts.register(work, name="Owner")
        workspace_id = await workspaces.create(work, slug=slug, name=slug.title(), owner_id=owner)
        work.actor = Actor(roles={workspace_id: Role.OWNER}, user_id=owner)
        await sites.seed_profiles(work, workspace_id=workspace_id)
        return workspace_id, work.actor


async def new_page(work: Work, workspace_id: UUID, url: str) -> sites.PageRow:
    return await sites.find_or_create_page(work, workspace_id=workspace_id, url=url)
