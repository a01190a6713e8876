"""`pacemark schema`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import Data
from app.errors import Unusable

if TYPE_CHECKING:
    from app.checking.report import Outcome
    from graph.broken import Registered

BREAKS = 1

app = typer.Typer(name="schema", help="The GraphQL schema.", no_args_is_help=True)


class Format(StrEnum):
    """How what was found is written."""

    TABLE = "table"
    JSON = "json"


@app.callback()
def group() -> None:
    """The GraphQL schema."""


@app.command("print")
def print_schema() -> None:
    """Print the schema in GraphQL's own language (SDL)."""
    from strawberry.printer import print_schema

    from graph.schema import schema

    typer.echo(print_schema(schema))


@app.command()
def check(
    old: Annotated[str, typer.Argument(help="The schema before, a file in SDL; - is standard input.", show_default=False)],
    new: Annotated[
        str | None,
        typer.Argument(help="The schema after.  (else that of this program)", show_default=False),
    ] = None,
    documents: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Documents of clients: a manifest, or a folder of .graphql files. Repeatable."),
    ] = None,
    registered: Annotated[bool, typer.Option("--registered", help="Look at the documents registered here, too.")] = False,
    workspace: Annotated[
        str | None,
        typer.Option(metavar="SLUG", help="With --registered: of this workspace.  (else of all)", show_default=False),
    ] = None,
    data: Data = None,
    format: Annotated[Format, typer.Option(help="A table for people, or JSON on standard output.")] = Format.TABLE,
    strict: Annotated[
        bool, typer.Option("--strict/--allow-dangerous", help="Whether dangerous changes fail as breaking ones do.")
    ] = False,
    acknowledged: Annotated[
        Path | None,
        typer.Option(
            metavar="CHANGELOG",
            help='Let pass what its part "Unreleased" names (Type.field) under a line that begins with "Breaking:".',
            show_default=False,
        ),
    ] = None,
) -> None:
    """Name what a new schema breaks: its breaking and dangerous changes, and the clients' documents that they hit.

    Exits with 0 where nothing breaks, 1 where something does, and 2 where there was no telling.
    """
    from app.checking import changelog, inputs, report
    from graph.broken import broken
    from graph.changes import changes

    if old == new == inputs.STANDARD_INPUT:
        raise Unusable("Only one of the two schemas can come from standard input.")
    if not registered and (workspace is not None or data is not None):
        raise Unusable("--workspace and --data say which registered documents are meant: add --registered.")
    before, after = inputs.schema(old), inputs.schema(new)
    found = changes(before, after)
    known: frozenset[str] = frozenset()
    if acknowledged is not None:
        known = changelog.acknowledged(inputs.text(str(acknowledged)), {change.coordinate for change in found})
    asked = _documents(documents or [], data, workspace, registered=registered)
    outcome = report.Outcome(found, known, None if asked is None else len(asked), broken(asked or (), before, after))
    if format is Format.JSON:
        typer.echo(report.as_json(outcome))
    else:
        report.show(outcome)
    _conclude(outcome, acknowledged, strict=strict)


def _documents(manifests: list[Path], data: Path | None, workspace: str | None, *, registered: bool) -> list[Registered] | None:
    """None where none were asked for. Raises Unusable."""
    from app.checking import inputs

    if not manifests and not registered:
        return None
    given = inputs.of_manifests(manifests)
    if registered:
        from app import settings

        given += asyncio.run(inputs.of_installation(settings.load(data=data), workspace))
    return inputs.once(given)


def _conclude(outcome: Outcome, changelog: Path | None, *, strict: bool) -> None:
    wanted = outcome.unacknowledged(strict=strict)
    if wanted and changelog is not None:
        names = ", ".join(dict.fromkeys(f"`{change.coordinate}`" for change in wanted))
        typer.echo(
            f'Name these in {changelog}, part "Unreleased", under a line that begins with "Breaking:": {names}', err=True
        )
    if wanted or outcome.unexplained:
        raise typer.Exit(BREAKS)
