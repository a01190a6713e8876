"""`pacemark keys`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.commands import opening
from app.commands.options import Client, Data, Workspace
from app.errors import Unusable
from domain.access import Role

if TYPE_CHECKING:
    from app.settings import Settings
    from domain import keys

app = typer.Typer(name="keys", help="API keys.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """API keys: how programs sign in."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, as people will read it.", show_default=False)],
    workspace: Workspace = "default",
    role: Annotated[Role, typer.Option(case_sensitive=False, help="What the key may do.")] = Role.MEMBER,
    client: Client = None,
    data: Data = None,
) -> None:
    """Make an API key and print it, alone, on standard output: it can never be read again."""
    from app import settings

    typer.echo(asyncio.run(_create(settings.load(data=data), name, workspace, role, client)))


@app.command("list")
def list_(workspace: Workspace = "default", data: Data = None) -> None:
    """List the API keys that are good, the oldest first; their secrets are nowhere."""
    from app import settings
    from app.commands import tables

    tables.show_keys(*asyncio.run(_listed(settings.load(data=data), workspace)))


@app.command()
def revoke(
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="The key's prefix or id, as `pacemark keys list` shows them.", show_default=False),
    ],
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Revoke an API key for good: it opens nothing from now on, and what is being watched with it ends within seconds."""
    from app import settings

    row = asyncio.run(_revoke(settings.load(data=data), workspace, key))
    typer.echo(f"The key {row.name!r} ({row.prefix}…) is revoked.")


async def _create(settings: Settings, name: str, workspace: str, role: Role, client: str | None) -> str:
    from app import bootstrap
    from domain import workspaces

    async with bootstrap.embedded(settings, live=False) as (house, _):
        found = await workspaces.find(house.database.reader, workspace)
        if found is None:
            raise Unusable(f"There is no workspace {workspace!r} here.")
        client_id = await opening.client(house.database.reader, found.id, client) if client is not None else None
        return await bootstrap.issue_key(house, found.id, name=name, role=role, client_id=client_id)


async def _listed(settings: Settings, workspace: str) -> tuple[list[keys.ApiKeyRow], dict[UUID, str]]:
    """The keys, and the names of the clients that some are of."""
    from domain import documents

    rows = await _all(settings, workspace)
    ids = {row.client_id for row in rows if row.client_id is not None}
    async with opening.workspace(settings, workspace) as (database, _, owner):
        clients = await documents.clients_by_ids(database.reader, owner.reach, ids)
        return rows, {id: row.name for id, row in clients.items()}


async def _all(settings: Settings, workspace: str) -> list[keys.ApiKeyRow]:
    from domain import keys

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        return [row async for row in opening.every(keys.KEYS, database.reader, owner, workspace_id)]


async def _revoke(settings: Settings, workspace: str, key: str) -> keys.ApiKeyRow:
    from domain import keys
    from domain.ids import Kind, encode

    meant = [row for row in await _all(settings, workspace) if key in (row.prefix, encode(Kind.KEY, row.id))]
    if len(meant) != 1:
        # What was given is not repeated: it may be the whole key.
        raise Unusable(
            "Several keys have this prefix: name the one by its id. They are listed by: pacemark keys list"
            if meant
            else "No good key here has this prefix or id. They are listed by: pacemark keys list"
        )
    async with opening.workspace(settings, workspace) as (database, _, owner), database.work(owner) as work:
        return await keys.revoke(work, key_id=meant[0].id)
