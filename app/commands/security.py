"""`pacemark security`: the security log for whoever runs this installation."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from app.commands import opening
from app.commands.options import Data

if TYPE_CHECKING:
    from app.settings import Settings
    from domain.security import SecurityRow

app = typer.Typer(name="security", help="The security log.", no_args_is_help=True)

_BEGINNING = datetime.fromtimestamp(0, UTC)


@app.callback()
def group() -> None:
    """The security log: who did what to what, from where."""


@app.command()
def export(
    workspace: Annotated[
        str | None,
        typer.Option(metavar="SLUG", help="Of this workspace alone.  (all, and people's accounts)", show_default=False),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            metavar="DATE",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"],
            help="Not what is older (UTC), such as 2026-11-01.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
) -> None:
    """Print the security log as JSON lines, the oldest entry first."""
    from app import settings

    asyncio.run(_export(settings.load(data=data), workspace, since.replace(tzinfo=UTC) if since is not None else _BEGINNING))


async def _export(settings: Settings, slug: str | None, since: datetime) -> None:
    """Raises Unusable."""
    from domain import security

    async with opening.house(settings) as house:
        reader = house.database.reader
        workspace_id = await opening.find(reader, slug) if slug is not None else None
        async for row in security.export(reader, since=since, workspace_id=workspace_id):
            typer.echo(json.dumps(_as_json(row)))


def _as_json(row: SecurityRow) -> dict[str, Any]:
    from domain.ids import Kind, encode

    def id(kind: Kind, value: UUID | None) -> str | None:
        return encode(kind, value) if value is not None else None

    return {
        "id": f"entry_{row.id.hex}",
        "at": row.at.isoformat().replace("+00:00", "Z"),
        "kind": row.kind,
        "workspaceId": id(Kind.WORKSPACE, row.workspace_id),
        "userId": id(Kind.USER, row.user_id),
        "keyId": id(Kind.KEY, row.key_id),
        "sessionId": id(Kind.SESSION, row.session_id),
        "subject": row.subject,
        "address": row.address,
        "agent": row.agent,
        "details": row.details,
    }
