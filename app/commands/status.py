"""`pacemark status`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.options import Data, Workspace

app = typer.Typer()


@app.command()
def status(
    metric: Annotated[
        str, typer.Option(metavar="NAME", help="What is looked at, such as LCP, TTFB or PERFORMANCE_SCORE.")
    ] = "PAGE_LOAD",
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Measured with this profile.  [else with each site's default]", show_default=False),
    ] = None,
    environment: Annotated[str, typer.Option(metavar="NAME", help="In this environment.")] = "production",
    tags: Annotated[
        str | None,
        typer.Option(metavar="TAG,TAG", help="Of the sites alone that have all of these.", show_default=False),
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=100, help="How many pages are shown.")] = 40,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
    fail_on_change: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="PERCENT", help="Exit with 1 when a page got worse by more than so much.", show_default=False
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Ask the Pacemark whose GraphQL is here, with the key in PACEMARK_KEY.  [else the data folder's]",
            show_default=False,
        ),
    ] = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Show what got worse on all sites: each page's newest audit beside the middle of those before it.

    Sites come in the order of their worst page. What is no more than chance is not told apart here.

    Exit status: 0, or 1 with --fail-on-change; 2 nothing could be asked.
    """
    from app.status import command
    from app.status.query import Wish

    wanted = tuple(tag.strip() for tag in (tags or "").split(",") if tag.strip())
    wish = Wish(workspace, metric.upper(), profile, environment, wanted)
    raise typer.Exit(command.run(wish, server=server, data=data, top=top, as_json=json, fail_on_change=fail_on_change))
