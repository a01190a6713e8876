"""A workspace opened for an operator's command: its database alone, and nothing is made or migrated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import UUID

from domain.access import Reach

if TYPE_CHECKING:
    from app.asking import There
    from app.settings import Settings
    from app.wiring import House
    from domain.access import Actor
    from domain.base import R
    from domain.paging import Keyset
    from domain.ports import Reader
    from infra.db.database import SqlDatabase


T = TypeVar("T")


class Opened(NamedTuple):
    """A workspace, and its owner, on whose behalf the command acts."""

    database: SqlDatabase
    workspace_id: UUID
    owner: Actor


@asynccontextmanager
async def house(settings: Settings) -> AsyncGenerator[House, None]:
    """Raises Unusable where the database is not at the version of this program."""
    from app import bootstrap
    from app.wiring import wire

    await bootstrap.require_current(settings)
    async with wire(settings, live=False) as opened:
        yield opened


@asynccontextmanager
async def workspace(settings: Settings, slug: str) -> AsyncGenerator[Opened, None]:
    """Raises Unusable."""
    from app import bootstrap

    async with house(settings) as opened:
        workspace_id = await find(opened.database.reader, slug)
        yield Opened(opened.database, workspace_id, await bootstrap.owner(opened, workspace_id))


def asked(action: Callable[[There], Awaitable[T]], workspace: str, server: str | None, data: Path | None) -> T:
    """What `action` comes to, which asks over GraphQL: this installation, or another. Raises Unusable."""
    from app import asking

    async def ask() -> T:
        async with asking.opened(workspace, server=server, data=data) as there:
            return await action(there)

    return asyncio.run(ask())


async def find(reader: Reader, slug: str) -> UUID:
    """The workspace of this slug. Raises Unusable."""
    from app.errors import Unusable
    from domain import workspaces

    found = await workspaces.find(reader, slug)
    if found is None:
        raise Unusable(f"There is no workspace {slug!r} here.")
    return found.id


async def client(reader: Reader, workspace_id: UUID, name: str) -> UUID:
    """The API client of this name. Raises Unusable."""
    from app.errors import Unusable
    from domain import documents

    found = await documents.client_by_name(reader, Reach.whole(workspace_id), workspace_id, name)
    if found is None:
        raise Unusable(f"There is no client {name!r} in this workspace. Make it: pacemark clients create NAME")
    return found.id


async def every(list: Keyset[R], reader: Reader, actor: Actor, parent: UUID, **values: Any) -> AsyncGenerator[R, None]:
    """All of a list, page by page; `values` are what it takes."""
    from domain.paging import MAX_FIRST, Window

    window = Window(MAX_FIRST)
    while True:
        page = await list.of(reader, actor.reach, parent, window, **values)
        for row in page.rows:
            yield row
        if not page.has_next:
            return
        window = Window(MAX_FIRST, page.cursors[-1])
