"""`pacemark snapshots`: pages measured together, and compared with what they were."""

from __future__ import annotations

import asyncio
import json as as_json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from app.commands import options
from app.commands.commits import Author, Branch, Environment, Hash, Message, Site
from app.commands.options import AsJson, Data, Server, Workspace
from domain.snapshots import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.judging.naming import Commit
    from app.judging.outcome import Outcome
    from app.judging.snapshots import Whole

app = typer.Typer(name="snapshots", help="Pages measured together, and compared.", no_args_is_help=True)

Snapshot = Annotated[
    str, typer.Argument(metavar="ID", help="A snapshot's id, as `pacemark snapshots list` shows it.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Show every verdict, also of what did not change.")]


@app.callback()
def group() -> None:
    """Snapshots: pages that are measured together, and compared with what they were."""


@app.command("list")
def listed(
    site: Annotated[
        str | None, typer.Option(metavar="SITE", help="Of this site: its slug, address or id.", show_default=False)
    ] = None,
    branch: Annotated[str | None, typer.Option(metavar="NAME", help="Of this branch.", show_default=False)] = None,
    commit: Annotated[
        str | None, typer.Option(metavar="HASH", help="Of the commit with this whole hash.", show_default=False)
    ] = None,
    cause: Annotated[Cause | None, typer.Option(case_sensitive=False, help="That this started.", show_default=False)] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Of this environment.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="So many of the newest.")] = 20,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what was measured together, the newest first, and what was said of it."""
    from app.judging import screen

    which = {"branch": branch, "commit": commit, "cause": cause.value if cause else None, "environment": environment}
    rows, more = asyncio.run(_listed(site, limit, which, workspace, server, data))
    if json:
        typer.echo(as_json.dumps([screen.list_document(row) for row in rows], indent=2))
    elif rows:
        screen.show_list(rows)
    else:
        there = options.given(workspace, server, data)
        typer.echo(f"There is no such snapshot. Take one: pacemark snapshots request SITE{there}")
    if more:
        typer.echo(f"There are more than these {len(rows):,}: --limit N.", err=json)


@app.command()
def request(
    site: Site,
    page: Annotated[
        list[str] | None,
        typer.Option(metavar="PAGE", help="A page, by path or id; may be given often.  (else all)", show_default=False),
    ] = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A profile; may be given often.  (else all of the site's)", show_default=False),
    ] = None,
    environment: Environment = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Measure this origin instead of the site's own.", show_default=False)
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, max=20, help="How often to measure.  (else the profiles')", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="What to call it.", show_default=False)] = None,
    commit: Hash = None,
    branch: Branch = None,
    ancestor: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="The commit to compare it with, such as where the branch began.", show_default=False),
    ] = None,
    author: Author = None,
    message: Message = None,
    build_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the build can be looked at.", show_default=False)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is judged, and say what regressed.")] = False,
    timeout: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="With --wait: stay for so long at most.", show_default=False)
    ] = None,
    all: All = False,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Measure a site's pages together, by a worker that runs. With a commit it is a build's, else a person's.

    With --wait, what is suspected is waited for too: it is measured again after five minutes, and once more after another five.
    What is stopped by --timeout or Ctrl-C is the waiting; the snapshot goes on.

    Exit status: 0 asked for, and with --wait nothing regressed; 1 something regressed; 2 bad usage, or nothing could be asked
    or compared; 3 a page could not be measured; 4 the engine failed, something was cancelled or not judged, or the time was
    over; 130 interrupted.
    """
    from app.judging import outcome, screen
    from app.judging.naming import Commit

    code = Commit(commit, branch, ancestor, author, message)
    given = {
        "environment": environment,
        "baseUrl": base_url,
        "runs": runs,
        "name": name,
        "buildUrl": build_url,
        "cause": Cause.BUILD.value if commit is not None else Cause.PERSON.value,
    }
    subjects = (site, page or [], profile or [])
    found, in_time = asyncio.run(_request(subjects, code, given, wait, timeout, workspace, server, data))
    again = f"pacemark snapshots show {found.about['id']}{options.given(workspace, server, data)}"
    if json:
        typer.echo(as_json.dumps(screen.document(found), indent=2))
    elif wait:
        screen.show_said(found, all=all)
    else:
        typer.echo(f"{found.about['id']} waits to be measured. See: {again}")
    if wait:
        _leave(outcome.of_waiting(found, in_time, again))


@app.command()
def show(
    snapshot: Snapshot,
    all: All = False,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Show a snapshot: its audits, page by page, and what was said of them."""
    from app.judging import screen

    found = asyncio.run(_whole(snapshot, workspace, server, data))
    if json:
        typer.echo(as_json.dumps(screen.document(found), indent=2))
    else:
        screen.show(found, all=all)


@app.command()
def compare(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="The id of the earlier snapshot.", show_default=False)],
    after: Annotated[
        str, typer.Argument(metavar="AFTER", help="The id of the later one, of the same site.", show_default=False)
    ],
    pooled: Annotated[bool, typer.Option("--pooled", help="Take the earlier one together with those before it.")] = False,
    all: All = False,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Compare two snapshots by the statistics of verdicts, and name the findings and requests that differ. Nobody is told.

    Exit status: 0 nothing regressed; 1 something did; 2 bad usage, or nothing of them can be compared.
    """
    from app.judging import comparison, outcome

    found = asyncio.run(_compare(before, after, pooled, workspace, server, data))
    if json:
        typer.echo(as_json.dumps(found, indent=2))
    else:
        comparison.show(found, all=all)
    _leave(outcome.of_comparison(found, comparison.rows(found)))


@app.command()
def cancel(snapshot: Snapshot, server: Server = None, workspace: Workspace = "default", data: Data = None) -> None:
    """Stop what of a snapshot waits or runs; what is measured stays."""
    asyncio.run(_cancel(snapshot, workspace, server, data))
    typer.echo("It is cancelled; what of it was measured stays.")


def _leave(came_to: Outcome) -> NoReturn:
    for sentence in came_to.sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(came_to.status)


async def _listed(
    site: str | None, most: int, which: dict[str, Any], workspace: str, server: str | None, data: Path | None
) -> tuple[Sequence[Mapping[str, Any]], bool]:
    from app import asking
    from app.judging import naming, snapshots

    async with asking.opened(workspace, server=server, data=data) as there:
        site_id = await naming.site(there, site) if site is not None else None
        return await snapshots.listed(there, site_id, most, **which)


async def _request(
    subjects: tuple[str, list[str], list[str]],
    commit: Commit,
    given: dict[str, Any],
    wait: bool,
    timeout: float | None,
    workspace: str,
    server: str | None,
    data: Path | None,
) -> tuple[Whole, bool]:
    """The snapshot, and whether it was judged in time where that is waited for."""
    from app import asking
    from app.auditing.table import console
    from app.judging import following, naming, snapshots

    site, pages, profiles = subjects
    given["commit"] = commit.given()
    async with asking.opened(workspace, server=server, data=data) as there:
        given["site"] = await naming.site(there, site)
        given["pages"] = await naming.pages(there, given["site"], pages)
        given["profiles"] = await naming.profiles(there, profiles)
        about = await snapshots.request(there, **given)
        if not wait:
            return snapshots.Whole(about, [], [], snapshots.UNJUDGED), True
        in_time = await following.follow(there, about["id"], timeout=timeout, errors=console(stderr=True))
        return await following.patiently(partial(snapshots.whole, there, about["id"])), in_time


async def _whole(id: str, workspace: str, server: str | None, data: Path | None) -> Whole:
    from app import asking
    from app.judging import snapshots

    async with asking.opened(workspace, server=server, data=data) as there:
        return await snapshots.whole(there, id)


async def _compare(
    before: str, after: str, pooled: bool, workspace: str, server: str | None, data: Path | None
) -> Mapping[str, Any]:
    from app import asking
    from app.judging import comparison

    async with asking.opened(workspace, server=server, data=data) as there:
        return await comparison.compare(there, before, after, pooled=pooled)


async def _cancel(id: str, workspace: str, server: str | None, data: Path | None) -> None:
    from app import asking
    from app.judging import snapshots

    async with asking.opened(workspace, server=server, data=data) as there:
        await snapshots.cancel(there, id)
