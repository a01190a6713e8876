"""`pacemark status`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from app.commands.options import AsJson, Data, Server, Workspace, duration
from app.errors import Unusable

app = typer.Typer()

MOST_OLD = timedelta(days=9_999)


@app.command()
def status(
    metric: Annotated[
        str, typer.Option(metavar="NAME", help="What is looked at, such as LCP, TTFB or PERFORMANCE_SCORE.")
    ] = "PAGE_LOAD",
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Measured with this profile.  (else with each site's default)", show_default=False),
    ] = None,
    environment: Annotated[str, typer.Option(metavar="NAME", help="In this environment.")] = "production",
    tags: Annotated[
        str | None,
        typer.Option(metavar="TAG,TAG", help="Of the sites alone that have all of these.", show_default=False),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many pages are shown.  (40; all with --json)", show_default=False),
    ] = None,
    old_after: Annotated[
        str, typer.Option(metavar="TIME", help="What was measured longer ago says nothing of today, such as 36h or 8d.")
    ] = "8d",
    json: AsJson = False,
    fail_on_change: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="PERCENT", help="Exit with 1 when a page got worse by more than so much.", show_default=False
        ),
    ] = None,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Show what is wrong, and what got worse on all sites: each page's newest audit beside the middle of those before it.

    Open alerts of the environment come first, then sites in the order of their worst page. What was not measured for long is
    marked, and counts neither as worse nor as fine. What is no more than chance is not told apart here:
    `pacemark verdicts list` does.

    Exit status: 0; with --fail-on-change 1 when a page got worse by more, and 2 when no page could be compared; 2 nothing
    could be asked.
    """
    from app.status import command
    from app.status.query import Wish

    wanted = tuple(tag.strip() for tag in (tags or "").split(",") if tag.strip())
    age = duration(old_after)
    if age is None or age > MOST_OLD:
        raise Unusable(f"--old-after is hours or days, such as 36h or 8d; at most {MOST_OLD.days}d.")
    wish = Wish(metric.upper(), profile, environment, wanted, age)
    where = command.Where(workspace, server, data)
    raise typer.Exit(command.run(wish, where, top=top, as_json=json, fail_on_change=fail_on_change))
