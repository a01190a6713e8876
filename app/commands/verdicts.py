"""`pacemark verdicts`: what changed by more than measuring does by itself."""

from __future__ import annotations

import asyncio
import json as as_json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import AsJson, Data, Server, Workspace
from app.errors import Unusable
from domain.measuring import MetricName
from domain.verdicts import Judgement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from app.judging import verdicts

app = typer.Typer(name="verdicts", help="What changed, and how sure that is.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Verdicts: what changed by more than measuring does by itself. docs/verdicts.md says how."""


@app.command("list")
def listed(
    site: Annotated[
        str | None, typer.Option(metavar="SITE", help="Of this site: its slug, address or id.", show_default=False)
    ] = None,
    page: Annotated[
        str | None, typer.Option(metavar="PAGE", help="Of this page: its id, or with --site its path.", show_default=False)
    ] = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="Of this metric, such as LCP.", show_default=False)] = None,
    judgement: Annotated[
        Judgement | None,
        typer.Option(case_sensitive=False, help="Those that say this.  (else REGRESSED and IMPROVED)", show_default=False),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Whatever they say.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="So many of the newest.")] = 50,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what was said of pages, the newest first: before and after, the change with its 95 % interval, and why.

    Without evidence of a change, "Detectable" is the smallest one that would have shown: a smaller one may hide.
    """
    from app.judging import verdicts

    judgements: tuple[Judgement, ...] = () if all else verdicts.CHANGED
    if judgement is not None:
        judgements = (judgement,)
    wanted = verdicts.Wanted(page, site, judgements, _metric(metric), limit)
    rows, more = asyncio.run(_listed(wanted, workspace, server, data))
    if json:
        typer.echo(as_json.dumps([verdicts.document(row) for row in rows], indent=2))
    elif rows:
        verdicts.show(rows)
    else:
        typer.echo("There is no such verdict." if all or judgement else "Nothing regressed or improved. All verdicts: --all")
    if more:
        typer.echo(f"There are more than these {len(rows):,}: --limit N.", err=json)


def _metric(name: str | None) -> MetricName | None:
    """Raises Unusable."""
    if name is None:
        return None
    if name.upper() not in MetricName.__members__:
        raise Unusable(f"There is no metric {name!r}; there are {', '.join(MetricName.__members__)}.")
    return MetricName[name.upper()]


async def _listed(
    wanted: verdicts.Wanted, workspace: str, server: str | None, data: Path | None
) -> tuple[Sequence[Mapping[str, Any]], bool]:
    from app import asking
    from app.judging import naming, verdicts

    async with asking.opened(workspace, server=server, data=data) as there:
        if wanted.site is not None:
            wanted = wanted._replace(site=await naming.site(there, wanted.site))
        if wanted.page is not None:
            wanted = wanted._replace(page=await naming.page(there, wanted.site, wanted.page), site=None)
        return await verdicts.listed(there, wanted)
