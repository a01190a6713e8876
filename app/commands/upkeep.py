"""`pacemark migrate` and `pacemark schema print`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.commands.options import Data

app = typer.Typer()
schema = typer.Typer(name="schema", help="The GraphQL schema.", no_args_is_help=True)
app.add_typer(schema)


@app.command()
def migrate(
    data: Data = None,
    to: Annotated[str, typer.Option(metavar="VERSION", help="The version to go up to.")] = "head",
) -> None:
    """Bring the database's tables to the version of this program."""
    from app import bootstrap, settings

    before, after = asyncio.run(bootstrap.bring_up_to_date(settings.load(data=data), to))
    typer.echo(f"{before or 'empty'} -> {after or 'empty'}")


@schema.callback()
def group() -> None:
    """The GraphQL schema."""


@schema.command("print")
def print_schema() -> None:
    """Print the schema in GraphQL's own language (SDL)."""
    from strawberry.printer import print_schema

    from graph.schema import schema

    typer.echo(print_schema(schema))
