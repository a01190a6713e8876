"""`pacemark deploys`: what went live, to be seen beside what was measured."""

from __future__ import annotations

import asyncio
import json as as_json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands import options
from app.commands.commits import Author, Branch, Environment, Hash, Message, Site
from app.commands.options import AsJson, Data, Server, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.judging.marks import Rows
    from app.judging.naming import Commit

app = typer.Typer(name="deploys", help="What went live.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Deploys: what went live, to be seen beside what was measured."""


@app.command()
def mark(
    site: Site,
    version: Annotated[
        str, typer.Option("--version", metavar="TEXT", help="What it is called, such as v1.4.2.", show_default=False)
    ],
    environment: Environment = None,
    commit: Hash = None,
    branch: Branch = None,
    author: Author = None,
    message: Message = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where it can be looked at: the release, the build.", show_default=False)
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When, such as 2026-11-01T08:00:00Z.  (now)", show_default=False)
    ] = None,
    snapshot: Annotated[bool, typer.Option("--snapshot", help="Measure all pages under all profiles of the site.")] = False,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Tell that another version of a site went live; with --snapshot, have it measured."""
    from app.judging.naming import Commit

    given: dict[str, Any] = {
        "version": version,
        "environment": environment,
        "url": url,
        "at": at,
        "snapshot": {} if snapshot else None,
    }
    deploy = asyncio.run(_mark(site, Commit(commit, branch, None, author, message), given, workspace, server, data))
    if json:
        typer.echo(as_json.dumps(deploy, indent=2))
        return
    typer.echo(f"{deploy['id']} is known.")
    if deploy["snapshot"]:
        again = f"pacemark snapshots show {deploy['snapshot']['id']}{options.given(workspace, server, data)}"
        typer.echo(f"It waits to be measured. See: {again}")


@app.command("list")
def listed(
    site: Site,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="In this environment.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="So many of the newest.")] = 20,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what went live of a site, the newest first."""
    from app.judging import marks

    rows, more = asyncio.run(_listed(site, environment, limit, workspace, server, data))
    if json:
        typer.echo(as_json.dumps(rows, indent=2))
    elif rows:
        marks.show_deploys(rows)
    else:
        there = options.given(workspace, server, data)
        typer.echo(f"No deploy of this site is known. Tell of one: pacemark deploys mark SITE --version VERSION{there}")
    if more:
        typer.echo(f"There are more than these {len(rows):,}: --limit N.", err=json)


async def _mark(
    site: str, commit: Commit, given: dict[str, Any], workspace: str, server: str | None, data: Path | None
) -> Mapping[str, Any]:
    from app import asking
    from app.judging import marks, naming

    given["commit"] = commit.given()
    async with asking.opened(workspace, server=server, data=data) as there:
        return await marks.record(there, site=await naming.site(there, site), **given)


async def _listed(site: str, environment: str | None, most: int, workspace: str, server: str | None, data: Path | None) -> Rows:
    from app import asking
    from app.judging import marks, naming

    async with asking.opened(workspace, server=server, data=data) as there:
        return await marks.deploys(there, await naming.site(there, site), environment, most)
