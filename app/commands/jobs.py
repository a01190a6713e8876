"""`pacemark jobs`: how the queues stand, and what was given up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from app.commands import opening
from app.commands.options import Data, Workspace
from app.errors import Unusable

if TYPE_CHECKING:
    from app.settings import Settings
    from domain import jobs

app = typer.Typer(name="jobs", help="Background work.", no_args_is_help=True)

Job = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="A dead job's id, as `pacemark jobs dead` shows it.", show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="All dead jobs of the workspace.")]


@app.callback()
def group() -> None:
    """Background work: how it stands, and what was given up."""


@app.command()
def status(data: Data = None) -> None:
    """Show for each kind of work how much waits, runs and was given up, in all workspaces."""
    from app import settings
    from app.commands import tables

    loaded = settings.load(data=data)
    tables.show_kinds(asyncio.run(_kinds(loaded)), calls_are_sent=loaded.nats_url is not None)


@app.command()
def dead(
    workspace: Workspace = "default",
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
    data: Data = None,
) -> None:
    """List the work that was given up, the newest first: each worker that took it was lost over it."""
    from app import settings
    from app.commands import tables

    rows = asyncio.run(_dead(settings.load(data=data), workspace))
    if json:
        typer.echo(tables.dead_as_json(rows))
    else:
        tables.show_dead(rows)


@app.command()
def replay(job: Job = None, all: All = False, workspace: Workspace = "default", data: Data = None) -> None:
    """Let a dead job be tried again, as often as a new one; or all of them."""
    from app import settings
    from domain import reactions

    loaded = settings.load(data=data)
    ids = _chosen(loaded, workspace, job, all)
    done = asyncio.run(_each(loaded, workspace, ids, reactions.replay, quietly=all))
    typer.echo(f"{_number(done, 'job waits', 'jobs wait')} again." if done else "No job is dead.")


@app.command()
def drop(
    job: Job = None,
    all: All = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before dropping all.")] = False,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Forget a dead job; or all of them. What it was about stays as it is."""
    from app import settings
    from domain import reactions

    loaded = settings.load(data=data)
    ids = _chosen(loaded, workspace, job, all)
    if all and ids and not yes:
        _ask(f"{_number(len(ids), 'dead job', 'dead jobs')} for good")
    done = asyncio.run(_each(loaded, workspace, ids, reactions.drop, quietly=all))
    typer.echo(f"{_number(done, 'dead job is', 'dead jobs are')} forgotten." if done else "No job is dead.")


def _chosen(settings: Settings, workspace: str, job: str | None, all: bool) -> list[UUID]:
    """Raises Unusable and InvalidInput."""
    from domain.ids import Kind, decode

    if (job is None) is not all:
        raise Unusable("Name one dead job by its id, or give --all. They are listed by: pacemark jobs dead")
    if job is not None:
        return [decode(Kind.JOB, job)]
    return [row.id for row in asyncio.run(_dead(settings, workspace))]


def _ask(what: str) -> None:
    if not sys.stdin.isatty():
        raise Unusable(f"This would drop {what}, and nobody can be asked here. Say so: --yes")
    typer.confirm(f"Drop {what}?", abort=True)


def _number(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


async def _kinds(settings: Settings) -> Sequence[jobs.KindRow]:
    from domain import jobs

    async with opening.house(settings) as house:
        return await jobs.by_kinds(house.database.reader)


async def _dead(settings: Settings, workspace: str) -> list[jobs.JobRow]:
    from domain import jobs
    from domain.paging import MAX_FIRST, Window

    found: list[jobs.JobRow] = []
    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        window = Window(MAX_FIRST)
        while True:
            page = await jobs.DEAD.of(database.reader, owner.reach, workspace_id, window)
            found += page.rows
            if not page.has_next:
                return found
            window = Window(MAX_FIRST, page.cursors[-1])


async def _each(
    settings: Settings, workspace: str, ids: Sequence[UUID], action: Callable[..., Awaitable[Any]], *, quietly: bool
) -> int:
    """How many it was done to; `quietly` passes over those that are dead no longer. Raises NotFound."""
    from domain.errors import NotFound

    done = 0
    async with opening.workspace(settings, workspace) as (database, _, owner):
        for id in ids:
            try:
                async with database.work(owner) as work:
                    await action(work, job_id=id)
                done += 1
            except NotFound:
                if not quietly:
                    raise
    return done
