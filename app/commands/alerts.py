"""`pacemark alerts`: what is wrong, and who knows of it."""

from __future__ import annotations

import asyncio
import json as as_json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from uuid import UUID

import typer

from app.commands import opening
from app.commands.options import Data, Workspace, duration, given
from app.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.settings import Settings
    from domain import alerts, sites
    from domain.access import Actor
    from domain.ports import Reader

app = typer.Typer(name="alerts", help="What is wrong, since when, and who knows of it.", no_args_is_help=True)

Alert = Annotated[
    str, typer.Argument(metavar="ID", help="An alert's id, as `pacemark alerts list` shows it.", show_default=False)
]


class Shown(NamedTuple):
    """An alert, and where it is."""

    alert: alerts.AlertRow
    site: sites.SiteRow | None
    page: sites.PageRow | None
    known_to: str | None
    """Who acknowledged it: a member's name."""


@app.callback()
def group() -> None:
    """Alerts: what is wrong, since when, and who knows of it.

    Each is told to the workspace's channels when it begins, when it gets worse and when it ends.
    """


@app.command("list")
def listed(
    all: Annotated[bool, typer.Option("--all", help="Those too that are resolved, acknowledged or put off.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what is wrong, the newest first, but for what somebody knows of."""
    from app import settings
    from app.commands import telling

    rows, known_of = asyncio.run(_listed(settings.load(data=data), workspace, open_only=not all))
    if json:
        typer.echo(as_json.dumps([telling.alert_as_json(row) for row in rows], indent=2))
    else:
        telling.show_alerts(rows, known_of, given(workspace, None, data))


@app.command()
def ack(alert: Alert, workspace: Workspace = "default", data: Data = None) -> None:
    """Say that you know of an alert: nothing is told of it any more but its end, unless it gets worse."""
    from app import settings
    from domain import alerts

    asyncio.run(_do(settings.load(data=data), workspace, alert, alerts.acknowledge))
    typer.echo("It is acknowledged: nothing is told of it any more but its end, unless it gets worse.")


@app.command()
def snooze(
    alert: Alert,
    time: Annotated[str, typer.Argument(metavar="TIME", help="For how long, such as 4h or 2d; at most 30d.")] = "1d",
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Put an alert off: it is told again when the time is over, if it is so still."""
    from app import settings

    lasts = duration(time)
    if lasts is None:
        raise Unusable("TIME is hours or days, such as 4h or 2d.")
    asyncio.run(_snooze(settings.load(data=data), workspace, alert, lasts))
    typer.echo(f"It is put off for {time}.")


async def _do(settings: Settings, workspace: str, alert: str, action: Callable[..., Awaitable[Any]]) -> None:
    async with opening.workspace(settings, workspace) as (database, _, owner), database.work(owner) as work:
        await action(work, alert_id=_decoded(alert))


async def _snooze(settings: Settings, workspace: str, alert: str, lasts: timedelta) -> None:
    from domain import alerts

    async with opening.workspace(settings, workspace) as (database, _, owner), database.work(owner) as work:
        await alerts.snooze(work, alert_id=_decoded(alert), until=work.now + lasts)


def _decoded(alert: str) -> UUID:
    from domain.ids import Kind, decode

    return decode(Kind.ALERT, alert)


async def _listed(settings: Settings, workspace: str, *, open_only: bool) -> tuple[list[Shown], int]:
    """The alerts, and how many somebody knows of that are not among them."""
    from domain import alerts, sites
    from domain.alerts import AlertKind, AlertSeverity, AlertState

    given: dict[str, Any] = {"kinds": list(AlertKind), "severities": list(AlertSeverity)}
    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        reader = database.reader

        async def read(state: AlertState | None) -> list[alerts.AlertRow]:
            stated = given if state is None else {**given, "state": state}
            list_ = alerts.ALERTS[state is not None]
            return [row async for row in opening.every(list_, reader, owner, workspace_id, **stated)]

        rows = await read(AlertState.OPEN if open_only else None)
        others = (AlertState.ACKNOWLEDGED, AlertState.SNOOZED) if open_only and not rows else ()
        known_of = sum([len(await read(state)) for state in others])
        known = await sites.by_ids(reader, owner.reach, {row.site_id for row in rows})
        pages = await sites.pages_by_ids(reader, owner.reach, {row.page_id for row in rows if row.page_id is not None})
        names = await _names(reader, owner, rows)
        shown = [
            Shown(row, known.get(row.site_id), pages.get(row.page_id) if row.page_id else None, names.get(row.id))
            for row in rows
        ]
        return shown, known_of


async def _names(reader: Reader, owner: Actor, rows: Sequence[alerts.AlertRow]) -> dict[UUID, str]:
    """Of the members who acknowledged alerts, by the alerts."""
    from domain import workspaces

    wanted = {row.id: (row.workspace_id, row.acknowledged_by_id) for row in rows if row.acknowledged_by_id is not None}
    members = await workspaces.members_by_ids(reader, owner.reach, set(wanted.values()))
    return {alert: members[key].name for alert, key in wanted.items() if key in members}
