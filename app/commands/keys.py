"""`pacemark keys create`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import Data, Workspace
from app.errors import Unusable
from domain.access import Role

if TYPE_CHECKING:
    from app.settings import Settings

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


async def _create(settings: Settings, name: str, workspace: str, role: Role) -> str:
    from app import bootstrap
    from domain import workspaces

    async with bootstrap.embedded(settings) as (house, _):
        found = await workspaces.find(house.database.reader, workspace)
        if found is None:
            raise Unusable(f"There is no workspace {workspace!r} here.")
        return await bootstrap.issue_key(house, found.id, name=name, role=role)
