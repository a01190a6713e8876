"""`pacemark channels`: where alerts are told, and whether that works."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import opening
from app.commands.options import Data, Workspace
from app.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.settings import Settings
    from domain import notifications

app = typer.Typer(name="channels", help="Where alerts are told.", no_args_is_help=True)

FAILED = 1
LOOK_SECONDS = 0.1


@app.callback()
def group() -> None:
    """Channels: where alerts are told."""


@app.command("list")
def listed(workspace: Workspace = "default", data: Data = None) -> None:
    """List where alerts are told, by name."""
    from app import settings
    from app.commands import telling

    telling.show_channels(asyncio.run(_listed(settings.load(data=data), workspace)))


@app.command("test")
def try_out(
    name: Annotated[str, typer.Argument(help="The channel's name, as `pacemark channels list` shows it.", show_default=False)],
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Wait for so long at most.")] = 30,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Tell a channel something, by way of a running worker, and say what came of it; exit status 1 where it was not taken."""
    from app import settings
    from domain.notifications import DeliveryState

    delivery, attempts = asyncio.run(_tested(settings.load(data=data), workspace, name, timeout))
    if delivery is None:
        raise Unusable(f"The channel {name!r} was deleted meanwhile.")
    if delivery.state is DeliveryState.WAITING:
        raise Unusable(f"Nobody sent it within {timeout:g} s: start `pacemark up` or `pacemark worker`. It waits for them.")
    if not attempts:
        raise Unusable("It was given up: each worker that took it disappeared. Look at what the workers log, and try it again.")
    last = attempts[-1]
    status = f" with status {last.status}" if last.status is not None else ""
    if delivery.state is DeliveryState.SENT:
        typer.echo(f"{name} took it{status}, in {last.duration_ms:,.0f} ms.")
        return
    said = f" It said: {last.answer}" if last.answer else ""
    typer.echo(f"{name} did not take it. {last.error}{said}", err=True)
    raise typer.Exit(FAILED)


async def _listed(settings: Settings, workspace: str) -> Sequence[notifications.ChannelRow]:
    from domain import notifications

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        found = await notifications.channels_by_workspaces(database.reader, owner.reach, [workspace_id])
        return found[workspace_id]


async def _tested(
    settings: Settings, workspace: str, name: str, seconds: float
) -> tuple[notifications.DeliveryRow | None, Sequence[notifications.AttemptRow]]:
    """The delivery as it is when it has ended, or when the time is over; None once it is gone. Raises Unusable."""
    from domain import notifications
    from domain.notifications import DeliveryState

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        channels = await notifications.channels_by_workspaces(database.reader, owner.reach, [workspace_id])
        meant = [row.id for row in channels[workspace_id] if row.name == name]
        if not meant:
            hint = "They are listed by: pacemark channels list" if channels[workspace_id] else "It has none yet."
            raise Unusable(f"There is no channel {name!r} in this workspace. {hint}")
        async with database.work(owner) as work:
            id = await notifications.test(work, channel_id=meant[0])
        now = asyncio.get_running_loop().time
        until = now() + seconds
        while True:
            row = (await notifications.deliveries_by_ids(database.reader, owner.reach, [id])).get(id)
            if row is None or row.state is not DeliveryState.WAITING or now() >= until:
                return row, (await notifications.attempts_by_deliveries(database.reader, owner.reach, [id]))[id]
            await asyncio.sleep(LOOK_SECONDS)
