"""`pacemark compare`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import opening
from app.commands.options import Data, Workspace
from app.errors import Unusable

if TYPE_CHECKING:
    from app.comparing import Lines
    from app.exporting import Wanted
    from app.settings import Settings

app = typer.Typer()

PAGE_LOAD = "PAGE_LOAD"


@app.command()
def compare(
    things: Annotated[
        list[str],
        typer.Argument(
            metavar="THING...",
            help="Pages, by address or id, and sites with all of their pages, by short name or id.",
            show_default=False,
        ),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What is compared, one metric, such as LCP.  (PAGE_LOAD)", show_default=False),
    ] = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Measured with this profile; may be given often.  (each site's default)", show_default=False
        ),
    ] = None,
    environment: Annotated[str, typer.Option(metavar="NAME", help="In this environment.")] = "production",
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Not before, such as 2026-11-01.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Before, such as 2026-12-01T00:00:00Z.", show_default=False)
    ] = None,
    time_zone: Annotated[str, typer.Option(metavar="NAME", help="Whose days are meant.")] = "UTC",
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Set pages, profiles and whole sites beside one another, one's own and competitors'.

    Of each the median of its audits, how many these are, and how far it is from the first one's. What was measured under
    several conditions stands there several times.
    """
    from app import comparing, settings
    from app.exporting import Wanted

    words = [word.strip() for text in metric or [PAGE_LOAD] for word in text.split(",")]
    named = {word.upper(): word for word in words if word}
    if len(named) != 1:
        raise Unusable("--metric takes one metric: several have no common scale. Compare each by itself, such as --metric LCP.")
    given = {
        "page": things[:1],
        "metrics": list(named.values()),
        "environment": [environment],
        "from": [since] if since else [],
        "to": [until] if until else [],
        "timeZone": [time_zone],
    }
    found = asyncio.run(_found(settings.load(data=data), workspace, things, profile or [], Wanted.of(given)))
    if json:
        typer.echo(comparing.as_json(found))
    else:
        comparing.show(found)


async def _found(settings: Settings, slug: str, things: list[str], profiles: list[str], wanted: Wanted) -> Lines:
    """Raises Unusable and Refused."""
    from app import comparing

    async with opening.workspace(settings, slug) as opened:
        reader, reach = opened.database.reader, opened.owner.reach
        return await comparing.gather(reader, reach, opened.workspace_id, things, profiles, wanted)
