"""`pacemark keys`."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, NamedTuple
from uuid import UUID

import typer

from app.commands import opening
from app.commands.options import Client, Data, Workspace, duration
from app.errors import Unusable
from domain.access import Permission, Role

if TYPE_CHECKING:
    from app.settings import Settings
    from domain import keys
    from domain.ports import Reader

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
    scope: Annotated[
        list[Permission] | None,
        typer.Option(case_sensitive=False, help="What it may do at most, beside reading; repeatable.", show_default=False),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(metavar="SLUG", help="A site that it has alone; repeatable.", show_default=False),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="It ends after 1h to 730d, such as 12h or 90d.", show_default=False),
    ] = None,
    data: Data = None,
) -> None:
    """Make an API key and print it, alone, on standard output: it can never be read again."""
    from app import settings

    wanted = _Wanted(name, role, client, scope or None, site or None, _lasting(expires))
    typer.echo(asyncio.run(_create(settings.load(data=data), workspace, wanted)))


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


@app.command()
def rotate(
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="An API key's prefix or id; without it, the signing keys.", show_default=False),
    ] = None,
    overlap: Annotated[int, typer.Option(metavar="HOURS", help="So long the former API key stays good, 0 to 168.")] = 24,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Replace an API key and print the new one, alone, on standard output; or replace the keys that sign access tokens."""
    from app import settings

    if key is not None:
        typer.echo(asyncio.run(_rotate(settings.load(data=data), workspace, key, overlap)))
        return
    begins = asyncio.run(_rotate_signing(settings.load(data=data)))
    typer.echo(f"A new key signs access tokens from {begins:%Y-%m-%d %H:%M:%S} UTC on.")


class _Wanted(NamedTuple):
    name: str
    role: Role
    client: str | None
    scopes: list[Permission] | None
    sites: list[str] | None
    lasts: timedelta | None


def _lasting(text: str | None) -> timedelta | None:
    """Raises Unusable."""
    lasts = duration(text) if text is not None else None
    if text is not None and lasts is None:
        raise Unusable("--expires takes hours or days, such as 12h or 90d.")
    return lasts


async def _create(settings: Settings, workspace: str, wanted: _Wanted) -> str:
    from app import bootstrap
    from domain import keys

    async with bootstrap.embedded(settings, live=False) as (house, _):
        reader = house.database.reader
        workspace_id = await opening.find(reader, workspace)
        owner = await bootstrap.owner(house, workspace_id)
        client_id = await opening.client(reader, workspace_id, wanted.client) if wanted.client is not None else None
        site_ids = await _sites(reader, workspace_id, wanted.sites) if wanted.sites is not None else None
        async with house.database.work(owner) as work:
            return await keys.issue(
                work,
                workspace_id=workspace_id,
                name=wanted.name,
                role=wanted.role,
                keyring=house.keyring,
                user_id=owner.user_id,
                client_id=client_id,
                scopes=wanted.scopes,
                sites=site_ids,
                expires_at=work.now + wanted.lasts if wanted.lasts is not None else None,
            )


async def _sites(reader: Reader, workspace_id: UUID, slugs: list[str]) -> list[UUID]:
    from domain import sites
    from domain.access import Reach

    found = await sites.by_slugs(reader, Reach.whole(workspace_id), [(workspace_id, slug) for slug in slugs])
    for slug in slugs:
        if (workspace_id, slug) not in found:
            raise Unusable(f"There is no site {slug!r} in this workspace.")
    return [row.id for row in found.values()]


async def _listed(settings: Settings, workspace: str) -> tuple[list[keys.ApiKeyRow], dict[UUID, str]]:
    """The keys, and the names of the clients that some are of."""
    from domain import documents

    async with opening.workspace(settings, workspace) as opened:
        rows = await _all(opened)
        ids = {row.client_id for row in rows if row.client_id is not None}
        clients = await documents.clients_by_ids(opened.database.reader, opened.owner.reach, ids)
        return rows, {id: row.name for id, row in clients.items()}


async def _all(opened: opening.Opened) -> list[keys.ApiKeyRow]:
    from domain import keys

    return [row async for row in opening.every(keys.KEYS, opened.database.reader, opened.owner, opened.workspace_id)]


async def _meant(opened: opening.Opened, key: str) -> UUID:
    from domain.ids import Kind, encode

    meant = [row for row in await _all(opened) if key in (row.prefix, encode(Kind.KEY, row.id))]
    if len(meant) != 1:
        # What was given is not repeated: it may be the whole key.
        raise Unusable(
            "Several keys have this prefix: name the one by its id. They are listed by: pacemark keys list"
            if meant
            else "No good key here has this prefix or id. They are listed by: pacemark keys list"
        )
    return meant[0].id


async def _revoke(settings: Settings, workspace: str, key: str) -> keys.ApiKeyRow:
    from domain import keys

    async with opening.workspace(settings, workspace) as opened:
        key_id = await _meant(opened, key)
        async with opened.database.work(opened.owner) as work:
            return await keys.revoke(work, key_id=key_id)


async def _rotate(settings: Settings, workspace: str, key: str, overlap: int) -> str:
    from domain import keys

    async with opening.workspace(settings, workspace) as opened:
        key_id = await _meant(opened, key)
        async with opened.database.work(opened.owner) as work:
            return (await keys.rotate(work, key_id=key_id, overlap_hours=overlap, keyring=settings.keyring())).text


async def _rotate_signing(settings: Settings) -> datetime:
    from domain import accounts
    from domain.access import SYSTEM

    async with opening.house(settings) as house, house.database.work(SYSTEM) as work:
        return (await accounts.rotate(work, keyring=house.keyring)).begins_at
