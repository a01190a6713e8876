"""A fresh, migrated database a test: SQLite in a file, and PostgreSQL; tests that take `database` run on both.

A migrated PostgreSQL is used as the service's role, which owns nothing; `owner_url` is for what only its owner may.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from domain import accounts, sites, workspaces
from domain.access import SYSTEM, Actor, Role
from domain.work import Work
from infra.db import migrate
from infra.db.connections import EVERYTHING, REACH
from infra.db.database import SqlDatabase
from tests import servers

# Migrating takes a second, copying what was migrated a tenth of one and emptying it a hundredth: one template a worker and a
# kind of database, and PostgreSQL's databases are used again.
_templates: dict[str, str] = {}
_emptied: list[str] = []
_altered: set[str] = set()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[str, None]:
    """An empty database's address, for its owner; a migrated one's, for the service, for a test that takes `database` too."""
    migrated = "database" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "pacemark.db"
        if migrated:
            shutil.copyfile(await _sqlite_template(request.getfixturevalue("tmp_path_factory")), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: servers.PostgresServer = request.getfixturevalue("postgres_server")
    if migrated and _emptied:
        name = _emptied.pop()
    else:
        name = f"test_{secrets.token_hex(6)}"
        await _postgres(server, name, await _postgres_template(server) if migrated else "template1")
    yield _driven(server.settings(name)["database_url"] if migrated else server.url(name))
    if migrated and name not in _altered and await _empty(server.url(name)):
        _emptied.append(name)
    else:
        await server.drop_database(name)


@pytest.fixture
def owner_url(database_url: str) -> str:
    """The same database, for whoever owns its tables."""
    return _owners(database_url, altering=True)


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
        await migrate.upgrade(_driven(server.url("migrated")), service=servers.SERVICE)
        _templates[server.url()] = "migrated"
    return _templates[server.url()]


def _owners(url: str, *, altering: bool) -> str:
    if altering:  # which emptying does not undo
        _altered.add(url.rpartition("/")[2])
    return url.replace(f"//{servers.SERVICE}@", "//app@")


def _driven(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


async def _postgres(server: servers.PostgresServer, name: str, template: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(f'create database "{name}" template "{template}"')
    finally:
        await connection.close()


async def _empty(url: str) -> bool:
    """As it was when it was migrated. False where somebody is connected still, who may be about to write."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval(_OTHERS):
            return False
        # No triggers: nothing that is deleted needs others to be deleted first, and the security log is deleted too.
        await connection.execute("set session_replication_role = replica")
        filled = [name for (name,) in await connection.fetch(_FILLED)]
        for name in filled:
            await connection.execute(f"delete from {name}")
        await connection.execute(_BEGIN)
        # Else new rows would come to lie where others were, and be found in an order that no test has by itself.
        await connection.execute(f"vacuum {', '.join(['history', *filled])}")
        return True
    finally:
        await connection.close()


_OTHERS = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
_FILLED = (
    "select format('%I', relname) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace "
    "and pg_relation_size(oid) > 0 and relname not in ('alembic_version', 'history')"
)
_BEGIN = (
    "update history set id = gen_random_uuid(), last = 0, published = 0, forgotten = 0; alter sequence events_id_seq restart"
)


@asynccontextmanager
async def everybodys(database: SqlDatabase) -> AsyncGenerator[AsyncConnection, None]:
    """A transaction that may change rows of every workspace, behind the back of all actions."""
    async with database.writes.begin() as connection:
        if not database.is_sqlite:
            await connection.execute(select(func.set_config(REACH, EVERYTHING, True)))
        yield connection


@asynccontextmanager
async def owners(url: str, *, altering: bool = True) -> AsyncGenerator[AsyncConnection, None]:
    """A transaction of whoever owns the tables, and may change those too. `altering`: it does so, not their rows alone."""
    engine = create_async_engine(_owners(url, altering=altering))
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


class Counter:
    """How many statements reads have sent."""

    def __init__(self, database: SqlDatabase) -> None:
        self.statements: list[str] = []
        self._fetch = database.reads.fetch
        database.reads.fetch = self._counted  # type: ignore[method-assign]

    async def _counted(self, text: str, values: Sequence[Any], record: type | None = None) -> Sequence[Any]:
        self.statements.append(text)
        return await self._fetch(text, values, record)

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
