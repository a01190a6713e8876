"""`pacemark keys`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import opening
from app.commands.options import Data, Workspace
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
    data: Data = None,
) -> None:
    """Make an API key and print it, alone, on standard output: it can never be read again."""
    from app import settings

    typer.echo(asyncio.run(_create(settings.load(data=data), name, workspace, role)))


@app.command("list")
def list_(workspace: Workspace = "default", data: Data = None) -> None:
    """List the API keys that are good, the oldest first; their secrets are nowhere."""
    from app import settings
    from app.commands import tables

    tables.show_keys(asyncio.run(_all(settings.load(data=data), workspace)))


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


async def _create(settings: Settings, name: str, workspace: str, role: Role) -> str:
    from app import bootstrap
    from domain import workspaces

    async with bootstrap.embedded(settings, live=False) as (house, _):
        found = await workspaces.find(house.database.reader, workspace)
        if found is None:
            raise Unusable(f"There is no workspace {workspace!r} here.")
        return await bootstrap.issue_key(house, found.id, name=name, role=role)


async def _all(settings: Settings, workspace: str) -> list[keys.ApiKeyRow]:
    from domain import keys
    from domain.paging import MAX_FIRST, Window

    found: list[keys.ApiKeyRow] = []
    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        window = Window(MAX_FIRST)
        while True:
            page = await keys.KEYS.of(database.reader, owner.reach, workspace_id, window)
            found += page.rows
            if not page.has_next:
                return found
            window = Window(MAX_FIRST, page.cursors[-1])


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
