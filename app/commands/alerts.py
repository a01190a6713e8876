"""`pacemark alerts`: what is wrong, and who knows of it."""

from __future__ import annotations

import json as as_json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands import opening, options
from app.commands.options import AsJson, Data, Server, Workspace
from app.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(name="alerts", help="What is wrong, since when, and who knows of it.", no_args_is_help=True)

Alert = Annotated[
    str, typer.Argument(metavar="ID", help="An alert's id, as `pacemark alerts list` shows it.", show_default=False)
]


@app.callback()
def group() -> None:
    """Alerts: what is wrong, since when, and who knows of it.

    Each is told to the workspace's channels when it begins, when it gets worse and when it ends.
    """


@app.command("list")
def listed(
    all: Annotated[bool, typer.Option("--all", help="Those too that are resolved, acknowledged or put off.")] = False,
    site: Annotated[
        str | None, typer.Option(metavar="SITE", help="Of this site: its slug, address or id.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="So many of the newest.")] = 100,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what is wrong, the newest first, but for what somebody knows of."""
    from app.alerting import alerts

    ask = partial(alerts.listed, site=site, open_only=not all, most=limit)
    rows, more, known_of = opening.asked(ask, workspace, server, data)
    if json:
        typer.echo(as_json.dumps([alerts.document(row) for row in rows], indent=2))
    else:
        alerts.show(rows, known_of, options.given(workspace, server, data))
    if more:
        typer.echo(f"There are more than these {len(rows):,}: --limit N.", err=json)


@app.command()
def ack(alert: Alert, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None) -> None:
    """Say that you know of an alert: nothing is told of it any more but its end, unless it gets worse."""
    from app.alerting import alerts

    row = opening.asked(partial(alerts.acknowledge, alert=alert), workspace, server, data)
    _say(row, json, "It is acknowledged: nothing is told of it any more but its end, unless it gets worse.")


@app.command()
def snooze(
    alert: Alert,
    time: Annotated[str, typer.Argument(metavar="TIME", help="For how long, such as 4h or 2d; at most 30d.")] = "1d",
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Put an alert off: it is told again when the time is over, if it is so still."""
    from app.alerting import alerts

    lasts = options.duration(time)
    if lasts is None:
        raise Unusable("TIME is hours or days, such as 4h or 2d.")
    row = opening.asked(partial(alerts.snooze, alert=alert, lasts=lasts), workspace, server, data)
    _say(row, json, f"It is put off for {time}.")


@app.command()
def unsnooze(
    alert: Alert, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Put an alert off no longer: it is open again."""
    from app.alerting import alerts

    row = opening.asked(partial(alerts.snooze, alert=alert, lasts=None), workspace, server, data)
    _say(row, json, "It is put off no longer.")


@app.command()
def resolve(
    alert: Alert, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """End an alert by hand: where it is so still, the next time that it is seen opens another one."""
    from app.alerting import alerts

    row = opening.asked(partial(alerts.resolve, alert=alert), workspace, server, data)
    _say(row, json, "It is ended; where it is so still, the next time that it is seen opens another one.")


def _say(row: Mapping[str, Any], json: bool, sentence: str) -> None:
    from app.alerting import alerts

    typer.echo(as_json.dumps(alerts.document(row), indent=2) if json else sentence)
