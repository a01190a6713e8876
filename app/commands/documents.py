"""`pacemark documents`."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands import opening
from app.commands.options import Client, Data, Workspace
from app.errors import Unusable

if TYPE_CHECKING:
    from app.commands.tables import Registered
    from app.manifests import Entry
    from app.pushing import Outcome
    from app.settings import Settings
    from domain import documents
    from domain.paging import Keyset

REFUSED = 1
_DAYS = re.compile(r"([1-9][0-9]{0,3})d\Z")

app = typer.Typer(name="documents", help="Registered GraphQL documents.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """GraphQL documents that clients registered, to be asked for by their ids."""


@app.command()
def push(
    file: Annotated[
        Path,
        typer.Argument(
            help="Apollo's manifest, Relay's map, graphql-codegen's persisted-documents.json, or a folder of .graphql files.",
            show_default=False,
        ),
    ],
    version: Annotated[
        str, typer.Option(metavar="VERSION", help="The client's version that these are of.", show_default=False)
    ],
    client: Client = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Push to the Pacemark whose GraphQL is here, with the key in PACEMARK_KEY.  (else the data folder's)",
            show_default=False,
        ),
    ] = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Register documents for a client, or without --client for all of a workspace's.

    What is there already stays, and an id never comes to mean another document. Each is checked against the schema first.
    A push is stored as a whole; more than 1,000 documents, or more than 1 MiB of them, go in several.

    Exit status: 0 all are registered; 1 some were refused, and the others are registered; 2 nothing could be pushed.
    """
    from app import manifests
    from app.commands import tables

    outcome = asyncio.run(_push(manifests.load(file, client), workspace, client, version, url, data))
    tables.show_pushed(outcome)
    raise typer.Exit(REFUSED if outcome.refused else 0)


@app.command("list")
def list_(client: Client = None, workspace: Workspace = "default", data: Data = None) -> None:
    """List the documents of a client, or all of a workspace's, the newest first, and how they are used."""
    from app import settings
    from app.commands import tables

    tables.show_documents(asyncio.run(_all(settings.load(data=data), workspace, client)))


@app.command()
def prune(
    unused: Annotated[
        str, typer.Option(metavar="DAYSd", help="For how long nobody used or pushed them, such as 90d.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which they would be.")] = False,
    client: Client = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Forget documents that nobody needs any more: of a client, or of all.

    With --client its registrations go, and what nobody else registered.
    """
    from app import settings
    from app.commands import tables

    days = _DAYS.match(unused)
    if days is None:
        raise Unusable(f"--unused is a number of days, such as 90d, not {unused!r}.")
    rows = asyncio.run(_prune(settings.load(data=data), workspace, client, timedelta(days=int(days[1])), dry_run))
    tables.show_pruned(rows, dry=dry_run)


async def _push(
    entries: Sequence[Entry], workspace: str, client: str | None, version: str, url: str | None, data: Path | None
) -> Outcome:
    from app import pushing, remote, settings

    if url is None:
        return await pushing.here(settings.load(data=data), workspace, client, version, entries)
    async with remote.opened(url, os.environ.get(remote.KEY)) as there:
        return await pushing.there(there, workspace, client, version, entries)


async def _all(settings: Settings, workspace: str, client: str | None) -> list[Registered]:
    from app.commands.tables import Registered
    from domain import documents
    from domain.paging import MAX_FIRST

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        reader, reach = database.reader, owner.reach
        parent = await opening.client(reader, workspace_id, client) if client is not None else workspace_id
        list: Keyset[Any] = documents.OF_CLIENT if client is not None else documents.DOCUMENTS
        rows = [row async for row in opening.every(list, reader, owner, parent)]
        names = {row.id: row.name async for row in opening.every(documents.CLIENTS, reader, owner, workspace_id)}
        found = []
        for start in range(0, len(rows), MAX_FIRST):
            part = rows[start : start + MAX_FIRST]
            ids = [row.id for row in part]
            aliases = await documents.aliases_by_documents(reader, reach, ids)
            usage = await documents.usage_by_documents(reader, reach, ids)
            for row in part:
                clients = {names.get(each.client_id, "") if each.client_id else "everybody" for each in aliases[row.id]}
                found.append(Registered(row, sorted(clients), usage[row.id]))
        return found


async def _prune(
    settings: Settings, workspace: str, client: str | None, unused: timedelta, dry: bool
) -> list[documents.DocumentRow]:
    """So many at a time as a transaction should last."""
    from domain import documents

    found: list[documents.DocumentRow] = []
    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        client_id = await opening.client(database.reader, workspace_id, client) if client is not None else None
        while True:
            async with database.work(owner) as work:
                rows = await documents.prune(
                    work,
                    workspace_id=workspace_id,
                    client_id=client_id,
                    unused_since=work.now - unused,
                    dry=dry,
                    after=found[-1].id if found else None,
                )
            if not rows:
                return found
            found += rows
