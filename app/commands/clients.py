"""`pacemark clients`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import opening
from app.commands.options import Data, Workspace

if TYPE_CHECKING:
    from app.settings import Settings
    from domain import documents


class Mode(StrEnum):
    """The domain's own, said again here: to import it takes a second."""

    OPEN = "OPEN"
    LOG_UNKNOWN = "LOG_UNKNOWN"
    SAFELIST = "SAFELIST"
    REGISTERED_ONLY = "REGISTERED_ONLY"


app = typer.Typer(name="clients", help="API clients.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The client's name.", show_default=False)]
MODES = (
    "OPEN lets its keys ask anything; LOG_UNKNOWN too, and logs what is not registered; SAFELIST takes registered documents, "
    "by text or by id; REGISTERED_ONLY by id alone."
)


@app.callback()
def group() -> None:
    """API clients: programs with keys of their own, and what those may ask."""


@app.command()
def create(
    name: Name,
    mode: Annotated[Mode, typer.Option(case_sensitive=False, help=MODES)] = Mode.OPEN,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Make an API client. Its keys are made by `pacemark keys create NAME --client CLIENT`."""
    from app import settings

    asyncio.run(_create(settings.load(data=data), workspace, name, mode))
    typer.echo(f"The client {name.strip()!r} is made, with the mode {mode}.")


@app.command("list")
def list_(workspace: Workspace = "default", data: Data = None) -> None:
    """List the API clients, by name."""
    from app import settings
    from app.commands import tables

    tables.show_clients(asyncio.run(_all(settings.load(data=data), workspace)))


@app.command("mode")
def mode_(
    name: Name,
    mode: Annotated[Mode, typer.Argument(case_sensitive=False, help=MODES, show_default=False)],
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Say what a client's keys may ask from now on."""
    from app import settings

    asyncio.run(_change(settings.load(data=data), workspace, name, mode))
    typer.echo(f"The client {name!r} has the mode {mode} from now on.")


async def _create(settings: Settings, workspace: str, name: str, mode: Mode) -> None:
    from domain import documents

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner), database.work(owner) as work:
        await documents.create_client(work, workspace_id=workspace_id, name=name, mode=documents.ClientMode(mode))


async def _change(settings: Settings, workspace: str, name: str, mode: Mode) -> None:
    from domain import documents

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        client_id = await opening.client(database.reader, workspace_id, name)
        async with database.work(owner) as work:
            await documents.change_client(work, client_id=client_id, mode=documents.ClientMode(mode))


async def _all(settings: Settings, workspace: str) -> list[documents.ClientRow]:
    from domain import documents

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        return [row async for row in opening.every(documents.CLIENTS, database.reader, owner, workspace_id)]
