"""`pacemark explain`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import Unusable

if TYPE_CHECKING:
    from app.explaining import Shown

app = typer.Typer()


@app.command()
def explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A GraphQL document; - is standard input.", show_default=False)],
    operation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which of its operations, where it has several.", show_default=False),
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option(
            metavar="JSON", help='Its variables, such as {"first": 10}. For missing ones others stand in.', show_default=False
        ),
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Show the Python, too, that is written for its plan.")] = False,
) -> None:
    """Show how an operation is executed: its plan, its batches, the SQL that they send, and what it costs at most.

    Nothing is executed and no database is asked; PACEMARK_DATABASE_URL says whose SQL is shown.
    """
    from app import explaining

    explaining.show(asyncio.run(_explained(file, operation, _object(variables))), code=code)


def _object(variables: str | None) -> dict[str, Any]:
    """Raises Unusable."""
    if variables is None:
        return {}
    try:
        given = json.loads(variables)
    except ValueError as error:
        raise Unusable(f"--variables is no JSON: {error}.") from None
    except RecursionError:
        raise Unusable("--variables nests too deeply.") from None
    if not isinstance(given, dict):
        raise Unusable('--variables is an object in JSON, such as {"first": 10}.')
    return given


async def _explained(file: str, name: str | None, variables: dict[str, Any]) -> Shown:
    """Raises Unusable."""
    from graphql import GraphQLError

    from app import settings
    from app.auditing.plain import plain
    from app.checking import inputs
    from app.explaining import Shown
    from graph.documents import told
    from graph.execution.explaining import Inexplicable, explain
    from graph.operations import documents_of
    from graph.schema import schema
    from graph.text import unsound
    from infra.db.reader import texts

    loaded = settings.load()
    pipeline = documents_of(schema._schema)
    document = pipeline.prepare(inputs.text(file), stranger=False, keep=False)
    if document.errors:
        raise Unusable(f"{inputs.named(file)}: {plain(told(document.errors), 1_000)}")
    try:
        operation = document.operation(name)
    except GraphQLError:
        names = ", ".join(each.name for each in document.operations if each.name) or "one without a name"
        said = "has several operations: say which by --operation" if name is None else f"has no operation {plain(name)!r}"
        raise Unusable(f"{inputs.named(file)} {said}. It has {names}.") from None
    if (fault := unsound(variables)) is not None:
        raise Unusable(fault.message)
    try:
        explanation = await explain(schema._schema, document, operation, variables, compiling=loaded.compile_queries)
    except Inexplicable as error:
        raise Unusable(plain(str(error), 1_000)) from None
    database = "SQLite" if loaded.database.startswith("sqlite") else "PostgreSQL"
    return Shown(explanation, operation, operation.priced(variables), pipeline.limits, database, texts(loaded.database))
