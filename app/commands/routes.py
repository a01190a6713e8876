"""`pacemark routes`: which alerts a channel gets."""

from __future__ import annotations

import json as as_json
from functools import partial
from typing import Annotated

import typer

from app.commands import opening, options
from app.commands.options import AsJson, Data, Server, Workspace
from domain.notifications import AlertKind, AlertSeverity

app = typer.Typer(name="routes", help="Which alerts a channel gets.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Routes: which alerts a channel gets, where it does not get all.

    All that a route names must be so, and one route that fits is enough.
    """


@app.command("list")
def listed(
    channel: Annotated[
        str | None,
        typer.Argument(metavar="[CHANNEL]", help="Of this one alone: its name or id.  (all)", show_default=False),
    ] = None,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List which alerts channels get, by the channels' names."""
    from app.alerting import routes

    found = opening.asked(partial(routes.listed, channel=channel), workspace, server, data)
    there = options.given(workspace, server, data)
    if json:
        typer.echo(as_json.dumps([route for each in found for route in each["routes"]], indent=2))
    elif any(each["routes"] for each in found):
        routes.show(found)
    elif found:
        typer.echo(f"There is no route. Make one: pacemark routes create CHANNEL --site SITE{there}")
    else:
        typer.echo(f"Alerts are told nowhere yet. Make a channel: pacemark channels create NAME --url URL{there}")


@app.command()
def create(
    channel: Annotated[
        str,
        typer.Argument(metavar="CHANNEL", help="Who gets them: its name or id.", show_default=False),
    ],
    kind: Annotated[
        list[AlertKind] | None,
        typer.Option(case_sensitive=False, help="About this; may be given often.  (whatever)", show_default=False),
    ] = None,
    severity: Annotated[
        AlertSeverity | None,
        typer.Option(case_sensitive=False, help="As grave as this, or graver.  (WARNING)", show_default=False),
    ] = None,
    site: Annotated[
        str | None, typer.Option(metavar="SITE", help="Of this site: its slug, address or id.  (all)", show_default=False)
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Of sites with this tag; may be given often.", show_default=False),
    ] = None,
    environment: Annotated[
        str | None, typer.Option(metavar="NAME", help="In this environment.  (whichever)", show_default=False)
    ] = None,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Let a channel get alerts of which all is so that is named here. From its first route on it gets nothing else."""
    from app.alerting import routes

    ask = partial(
        routes.create,
        channel=channel,
        kinds=[each.value for each in kind] if kind else None,
        severity=severity.value if severity is not None else None,
        site=site,
        tags=tag or None,
        environment=environment,
    )
    made = opening.asked(ask, workspace, server, data)
    if json:
        typer.echo(as_json.dumps(made, indent=2))
    else:
        typer.echo(f"{made['id']} is made: the channel gets what its routes say, and nothing else.")


@app.command()
def delete(
    route: Annotated[
        str, typer.Argument(metavar="ID", help="A route's id, as `pacemark routes list` shows it.", show_default=False)
    ],
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Forget a route. A channel whose last one it was gets nothing, until it is to get everything."""
    from app.alerting import routes

    gone, silent = opening.asked(partial(routes.delete, route=route), workspace, server, data)
    if json:
        typer.echo(as_json.dumps({"id": gone}, indent=2))
        return
    typer.echo("The route is forgotten.")
    if silent is not None:
        again = f"pacemark channels everything {silent['id']}{options.given(workspace, server, data)}"
        typer.echo(f"Its channel gets nothing now. Let it get every alert: {again}")
