"""`pacemark annotations`: what people write to a time of a site."""

from __future__ import annotations

import asyncio
import json as as_json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands import options
from app.commands.commits import Site
from app.commands.options import AsJson, Data, Server, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.judging.marks import Rows

app = typer.Typer(name="annotations", help="What is written to a time of a site.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Annotations: what people write to a time of a site, such as a campaign that began."""


@app.command()
def add(
    site: Site,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write.", show_default=False)],
    page: Annotated[
        str | None, typer.Option(metavar="PAGE", help="To this page alone: its path or id.  (all)", show_default=False)
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When, such as 2026-11-01T08:00:00Z.  (now)", show_default=False)
    ] = None,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Write something to a time of a site."""
    written = asyncio.run(_add(site, page, {"text": text, "at": at}, workspace, server, data))
    typer.echo(f"{written['id']} is written.")


@app.command("list")
def listed(
    site: Site,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="So many of the newest.")] = 20,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what was written to a site and its pages, the newest time first."""
    from app.judging import marks

    rows, more = asyncio.run(_listed(site, limit, workspace, server, data))
    if json:
        typer.echo(as_json.dumps(rows, indent=2))
    elif rows:
        marks.show_annotations(rows)
    else:
        there = options.given(workspace, server, data)
        typer.echo(f"Nothing is written to this site. Write something: pacemark annotations add SITE TEXT{there}")
    if more:
        typer.echo(f"There are more than these {len(rows):,}: --limit N.", err=json)


async def _add(
    site: str, page: str | None, given: dict[str, Any], workspace: str, server: str | None, data: Path | None
) -> Mapping[str, Any]:
    from app import asking
    from app.judging import marks, naming

    async with asking.opened(workspace, server=server, data=data) as there:
        site_id = await naming.site(there, site)
        page_id = await naming.page(there, site_id, page) if page is not None else None
        return await marks.annotate(there, site=site_id, page=page_id, **given)


async def _listed(site: str, most: int, workspace: str, server: str | None, data: Path | None) -> Rows:
    from app import asking
    from app.judging import marks, naming

    async with asking.opened(workspace, server=server, data=data) as there:
        return await marks.written(there, await naming.site(there, site), most)
