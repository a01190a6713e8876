"""Stock Strawberry over Pacemark's own schema, resolvers and statements: what is left out is Pacemark's engine and endpoint.

A control: nobody is asked for a key, and nothing is limited, counted or traced. It answers over DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import os

from graphql import GraphQLDeferDirective
from strawberry.fastapi import BaseContext

from bench.peers.stock import serve
from domain import workspaces
from domain.access import Actor, Reach, Role
from graph.batches import Batches
from graph.loaders import Loaders
from graph.schema import schema
from infra.db.database import SqlDatabase


class Context(BaseContext):
    """Of one request. Nothing that is measured asks a context for more than its loaders."""

    def __init__(self, database: SqlDatabase, reach: Reach, batches: Batches) -> None:
        super().__init__()
        self.loaders = Loaders(database.reader, reach, batches)


async def reach(url: str) -> Reach:
    """Of the owner of `default`."""
    database = SqlDatabase(url)
    try:
        workspace = await workspaces.find(database.reader, "default")
    finally:
        await database.close()
    assert workspace is not None
    return Actor(roles={workspace.id: Role.OWNER}).reach


def main() -> None:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
    whole = asyncio.run(reach(url))
    database, batches = SqlDatabase(url), Batches()
    # Strawberry executes no operation of a schema that knows @defer, unless it is told to execute that too.
    schema._schema.directives = tuple(each for each in schema._schema.directives if each is not GraphQLDeferDirective)
    serve(schema, context_getter=lambda: Context(database, whole, batches))


if __name__ == "__main__":
    main()
