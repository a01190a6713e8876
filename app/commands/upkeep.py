"""`pacemark migrate`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.commands.options import Data

app = typer.Typer()


@app.command()
def migrate(
    data: Data = None,
    to: Annotated[str, typer.Option(metavar="VERSION", help="The version to go up to.")] = "head",
    restored: Annotated[
        bool,
        typer.Option(
            "--restored",
            help="The database was put back from a copy, and nothing else runs on it: begin a new history of events, and take "
            "over the NATS streams of its prefix.",
        ),
    ] = False,
) -> None:
    """Bring the database's tables to the version of this program."""
    from app import bootstrap, settings
    from app.errors import Unusable

    if restored and to != "head":
        raise Unusable("--restored goes up to the newest version: leave --to out.")
    given = settings.load(data=data)
    before, after = asyncio.run(bootstrap.bring_up_to_date(given, to, restored=restored))
    typer.echo(f"{before or 'empty'} -> {after or 'empty'}")
    if restored:
        typer.echo("A new history of events has begun: subscribers are told that theirs was lost.")
