"""`pacemark budgets`: limits for what pages may be, from the files that teams have, and how pages stand."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.commands import opening
from app.commands.options import Data, Workspace
from app.errors import Unusable
from domain.budgets import BudgetFormat

if TYPE_CHECKING:
    from app.commands.limits import Checked
    from app.settings import Settings
    from domain import budgets
    from domain.access import Reach
    from domain.ports import Reader

BROKEN = 1
PRODUCTION = "production"

app = typer.Typer(name="budgets", help="Budgets.", no_args_is_help=True)

Site = Annotated[str | None, typer.Option(metavar="SLUG", help="The site.  (else all of the workspace's)", show_default=False)]
Environment = Annotated[str, typer.Option(metavar="NAME", help="The environment.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]


@app.callback()
def group() -> None:
    """Budgets: limits for what pages may be."""


@app.command("import")
def import_(
    file: Annotated[
        str, typer.Argument(help="A budget.json, or a .lighthouserc.json; - for standard input.", show_default=False)
    ],
    format: Annotated[
        BudgetFormat | None,
        typer.Option(case_sensitive=False, help="What the file is.  (else as its content looks)", show_default=False),
    ] = None,
    site: Site = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="For audits with this profile.  (else any)", show_default=False)
    ] = None,
    environment: Environment = PRODUCTION,
    replace: Annotated[
        bool, typer.Option("--replace", help="Forget what files of this format made before for the same.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made.")] = False,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Make budgets of a file, as a whole or not at all, and say what of it no budget was made of."""
    from app import settings
    from app.commands import limits

    text = _text(file)
    wanted = (site, profile, environment)
    imported = asyncio.run(
        _import(settings.load(data=data), workspace, wanted, format or _guessed(text), text, replace=replace, dry_run=dry_run)
    )
    limits.show_imported(imported, dry=dry_run)


@app.command("list")
def list_(json: AsJson = False, workspace: Workspace = "default", data: Data = None) -> None:
    """List the workspace's budgets, by name."""
    from app import settings
    from app.commands import limits

    rows = asyncio.run(_all(settings.load(data=data), workspace))
    if json:
        typer.echo(limits.budgets_as_json(rows))
    else:
        limits.show_budgets(rows)


@app.command()
def delete(
    budget: Annotated[
        str, typer.Argument(metavar="ID", help="The budget's id, as `pacemark budgets list` shows it.", show_default=False)
    ],
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Forget a budget, and what broke it."""
    from app import settings
    from domain.ids import Kind, decode

    asyncio.run(_delete(settings.load(data=data), workspace, decode(Kind.BUDGET, budget)))
    typer.echo("The budget is forgotten.")


@app.command()
def check(
    site: Site = None,
    environment: Environment = PRODUCTION,
    json: AsJson = False,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Hold the newest audit of each page and profile against its budgets.

    Exit status: 0 none of severity ERROR is broken; 1 some are; 2 bad usage.
    """
    from app import settings
    from app.commands import limits

    checked = asyncio.run(_check(settings.load(data=data), workspace, site, environment))
    if json:
        typer.echo(limits.checked_as_json(checked))
    else:
        limits.show_checked(checked)
    raise typer.Exit(BROKEN if any(each.fails for each in checked) else 0)


def _text(file: str) -> str:
    """Raises Unusable."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Unusable(f"{file} cannot be read: {reason}.") from None


def _guessed(text: str) -> BudgetFormat:
    """A budget.json is a list, a .lighthouserc.json an object."""
    return BudgetFormat.LHCI if text.lstrip().startswith("{") else BudgetFormat.BUDGET_JSON


async def _import(
    settings: Settings,
    workspace: str,
    wanted: tuple[str | None, str | None, str],
    format: BudgetFormat,
    text: str,
    *,
    replace: bool,
    dry_run: bool,
) -> budgets.Imported:
    from domain import budgets

    site, profile, environment = wanted
    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        site_id = await _site(database.reader, owner.reach, workspace_id, site)
        profile_id = await _profile(database.reader, owner.reach, workspace_id, profile)
        target = budgets.Target(workspace_id, site_id, profile_id, environment)
        async with database.work(owner) as work:
            return await budgets.import_file(work, target=target, format=format, text=text, replace=replace, dry_run=dry_run)


async def _all(settings: Settings, workspace: str) -> list[budgets.BudgetRow]:
    from domain import budgets

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        return [row async for row in opening.every(budgets.BUDGETS, database.reader, owner, workspace_id)]


async def _delete(settings: Settings, workspace: str, budget_id: UUID) -> None:
    from domain import budgets

    async with opening.workspace(settings, workspace) as (database, _, owner), database.work(owner) as work:
        await budgets.delete(work, budget_id=budget_id)


async def _check(settings: Settings, workspace: str, site: str | None, environment: str) -> Sequence[Checked]:
    from app.commands.limits import Checked
    from domain import audits, budgets, sites
    from domain.audits import Latest

    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        reader, reach = database.reader, owner.reach
        site_id = await _site(reader, reach, workspace_id, site)
        wanted = {
            "search": None,
            "any_tag": True,
            "tags": [],
            "any_site": site_id is None,
            "sites": [site_id] if site_id else [],
        }
        all = opening.every(sites.WORKSPACE_PAGES, reader, owner, workspace_id, **wanted)
        pages = {row.id: row async for row in all}
        profiles = (await sites.profiles_by_workspace(reader, reach, [workspace_id]))[workspace_id]
        found = []
        for profile in profiles:
            newest = await audits.latest(reader, reach, pages, Latest(profile.id, environment))
            results = await budgets.results(reader, reach, [row.id for row in newest.values()])
            found += [
                Checked(pages[row.page_id], profile.name, row, outcome)
                for row in newest.values()
                for outcome in results[row.id]
            ]
        return found


async def _site(reader: Reader, reach: Reach, workspace_id: UUID, slug: str | None) -> UUID | None:
    """Raises Unusable."""
    from domain import sites

    if slug is None:
        return None
    found = (await sites.by_slugs(reader, reach, [(workspace_id, slug)])).get((workspace_id, slug))
    if found is None:
        raise Unusable(f"There is no site {slug!r} in this workspace.")
    return found.id


async def _profile(reader: Reader, reach: Reach, workspace_id: UUID, name: str | None) -> UUID | None:
    """Raises Unusable."""
    from domain import sites

    if name is None:
        return None
    found = (await sites.profiles_by_workspace(reader, reach, [workspace_id]))[workspace_id]
    for row in found:
        if row.name == name:
            return row.id
    raise Unusable(f"There is no profile {name!r} in this workspace; there are {', '.join(row.name for row in found)}.")
