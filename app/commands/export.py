"""`pacemark export`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import opening
from app.commands.options import Data, Workspace
from app.exporting import Format

if TYPE_CHECKING:
    from app.exporting import Wanted
    from app.settings import Settings

app = typer.Typer()


@app.command()
def export(
    page: Annotated[str, typer.Argument(metavar="PAGE", help="The page's id, or its address.", show_default=False)],
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A metric, such as LCP; may be given often.  (the usual ones)", show_default=False),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="The profile, or its id.  (the site's default)", show_default=False)
    ] = None,
    environment: Annotated[str, typer.Option(metavar="NAME", help="The environment.")] = "production",
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Not before, such as 2026-11-01.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Before, such as 2026-12-01T00:00:00Z.", show_default=False)
    ] = None,
    interval: Annotated[str, typer.Option(metavar="NAME", help="AUTO, NONE, HOUR, DAY, WEEK or MONTH.")] = "AUTO",
    statistic: Annotated[str, typer.Option(metavar="NAME", help="P50, P75, P95, MEAN, MIN or MAX.")] = "P50",
    time_zone: Annotated[str, typer.Option(metavar="NAME", help="Whose days and weeks are meant.")] = "UTC",
    format: Annotated[Format | None, typer.Option(help="The form.  (by the file's name; else csv)", show_default=False)] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to.  (standard output)", show_default=False)
    ] = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Write a page's history as CSV or JSON: a row for each audit, or for each interval."""
    from app import settings
    from app.errors import Unusable
    from app.exporting import Wanted

    given = {
        "url" if "://" in page else "page": [page],
        "metrics": metric or [],
        "profile": [profile] if profile else [],
        "environment": [environment],
        "from": [since] if since else [],
        "to": [until] if until else [],
        "interval": [interval],
        "statistic": [statistic],
        "timeZone": [time_zone],
    }
    by_name = Format.JSON if output is not None and output.suffix.lower() == ".json" else Format.CSV
    body = asyncio.run(_body(settings.load(data=data), workspace, Wanted.of(given), format or by_name))
    if output is None:
        typer.get_binary_stream("stdout").write(body)
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        raise Unusable(f"{output} cannot be written: {error.strerror}.") from None


async def _body(settings: Settings, slug: str, wanted: Wanted, format: Format) -> bytes:
    """Raises Unusable and Refused."""
    from app import exporting

    async with opening.workspace(settings, slug) as opened:
        return (await exporting.gather(opened.database.reader, opened.owner.reach, wanted)).body(format)
