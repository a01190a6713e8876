"""`pacemark schedules`: what is measured regularly, and when."""

from __future__ import annotations

import json as as_json
from functools import partial
from typing import Annotated

import typer

from app.commands import opening, options
from app.commands.commits import Environment, Site
from app.commands.options import AsJson, Data, Server, Workspace
from app.errors import Unusable

app = typer.Typer(name="schedules", help="What is measured regularly.", no_args_is_help=True)

Schedule = Annotated[
    str,
    typer.Argument(metavar="SCHEDULE", help="Its name or id, as `pacemark schedules list` shows them.", show_default=False),
]


@app.callback()
def group() -> None:
    """Schedules: what is measured regularly, by a scheduler and a worker that run."""


@app.command("list")
def listed(
    site: Annotated[
        str | None, typer.Option(metavar="SITE", help="Of this site: its slug, address or id.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=2_000, metavar="N", help="So many of the first.")] = 50,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what is measured regularly, by name: when, the next time and the last."""
    from app.judging import schedules

    rows, more = opening.asked(partial(schedules.listed, site=site, most=limit), workspace, server, data)
    if json:
        typer.echo(as_json.dumps(rows, indent=2))
    elif rows:
        schedules.show(rows)
    else:
        there = options.given(workspace, server, data)
        typer.echo(f"Nothing is measured regularly. Make a schedule: pacemark schedules create SITE NAME --every 6h{there}")
    if more:
        typer.echo(f"There are more than these {len(rows):,}: --limit N.", err=json)


@app.command()
def create(
    site: Site,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it; once in a site.", show_default=False)],
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="So often, such as 30m, 6h or 7d.", show_default=False)
    ] = None,
    cron: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="When, such as '0 6 * * MON-FRI' or @daily; in place of --every.", show_default=False
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose clocks --cron means, such as Europe/Berlin.  (UTC)", show_default=False),
    ] = None,
    jitter: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="At most so much later, each time another.  (0)", show_default=False)
    ] = None,
    page: Annotated[
        str | None, typer.Option(metavar="PAGE", help="This page alone: its path or id.  (all)", show_default=False)
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="With this profile alone.  (all of the site's)", show_default=False)
    ] = None,
    environment: Environment = None,
    runs: Annotated[
        int | None, typer.Option(min=1, max=20, help="How often to measure.  (else the profiles')", show_default=False)
    ] = None,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Have a site, or one page of it, measured regularly: say either --every or --cron."""
    from app.judging import schedules

    if (every is None) == (cron is None):
        raise Unusable("Say when, by one of them: --every 6h, or --cron '0 6 * * MON-FRI'.")
    made = opening.asked(
        partial(
            schedules.create,
            site=site,
            page=page,
            profile=profile,
            name=name,
            everyMinutes=schedules.minutes(every) if every is not None else None,
            cron=cron,
            timeZone=time_zone,
            jitterSeconds=jitter,
            environment=environment,
            runs=runs,
        ),
        workspace,
        server,
        data,
    )
    if json:
        typer.echo(as_json.dumps(made, indent=2))
    else:
        typer.echo(f"{made['id']} fires next {schedules.next_time(made)} UTC.")


@app.command()
def pause(
    schedule: Schedule, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Let a schedule rest."""
    from app.judging import schedules

    changed = opening.asked(partial(schedules.pause, schedule=schedule), workspace, server, data)
    again = f"pacemark schedules resume {changed['id']}{options.given(workspace, server, data)}"
    typer.echo(as_json.dumps(changed, indent=2) if json else f"It is paused. Let it go on: {again}")


@app.command()
def resume(
    schedule: Schedule, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Let a paused schedule go on: the next time when its timing says so."""
    from app.judging import schedules

    changed = opening.asked(partial(schedules.resume, schedule=schedule), workspace, server, data)
    typer.echo(as_json.dumps(changed, indent=2) if json else f"It fires next {schedules.next_time(changed)} UTC.")


@app.command()
def run(
    schedule: Schedule, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Fire a schedule now, once, paused or not; its regular times stay."""
    from app.judging import schedules

    fired = opening.asked(partial(schedules.run, schedule=schedule), workspace, server, data)
    again = f"pacemark snapshots list --site {fired['site']['slug']}{options.given(workspace, server, data)}"
    typer.echo(as_json.dumps(fired, indent=2) if json else f"It waits to be measured. See: {again}")


@app.command()
def delete(
    schedule: Schedule, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Forget a schedule; what it measured stays."""
    from app.judging import schedules

    gone = opening.asked(partial(schedules.delete, schedule=schedule), workspace, server, data)
    typer.echo(
        as_json.dumps({"id": gone["scheduleId"]}, indent=2) if json else "The schedule is forgotten; what it measured stays."
    )
