"""API clients, the documents that they registered, and how those are used."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import documents
from domain.documents import ClientMode

from ..batched import by_key, paged
from ..context import Info
from ..enums import described
from ..loaders import Loaders
from ..node import Node, of
from ..paging import Connection

if TYPE_CHECKING:
    from ..workspaces.types import Workspace


class OperationKind(StrEnum):
    """GraphQL's own."""

    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


described(
    OperationKind,
    "What an operation does.",
    QUERY="It reads.",
    MUTATION="It changes.",
    SUBSCRIPTION="It watches.",
)


@strawberry.type(description="A program, or a family of them, that asks with keys of its own and may register its documents.")
class ApiClient(Node):
    is_type_of = of(documents.ClientRow)

    name: str = strawberry.field(description="Its name in the workspace.")
    mode: ClientMode = strawberry.field(description="What its keys may ask.")
    created_at: datetime = strawberry.field(description="When it was made.")

    workspace: Annotated[Workspace, strawberry.lazy("graph.workspaces.types")] = by_key(
        Loaders.workspace, "workspace_id", "Whose it is."
    )
    documents: Connection[Document] = paged(Loaders.documents_of_client, "The documents that it registered, newest first.")


@strawberry.type(description="An id by which a client asks for a document. It never comes to mean another one.")
class DocumentAlias:
    alias: str = strawberry.field(description="The id, as it was pushed.")
    version: str = strawberry.field(description="The version in which it came.")
    created_at: datetime = strawberry.field(description="When it was pushed first.")
    pushed_at: datetime = strawberry.field(description="When it was pushed last.")

    client: ApiClient | None = by_key(Loaders.client, "client_id", "Whose id it is; null for one of the whole workspace.")


@strawberry.type(description="How one version of a client uses a document.")
class DocumentUsage:
    calls: float = strawberry.field(description="How often it was asked for; a whole number.")
    errors: float = strawberry.field(description="How many of those answers had errors; a whole number.")

    client: ApiClient | None = by_key(Loaders.client, "client_id", "Who asked; null for keys of no client.")

    @strawberry.field(description="The client's version, as it says itself; null for one that it never pushed, or did not say.")
    @staticmethod
    def version(row: strawberry.Parent[documents.UsageRow]) -> str | None:
        return row.version or None

    @strawberry.field(description="When it was asked for last.")
    @staticmethod
    def last_seen_at(row: strawberry.Parent[documents.UsageRow]) -> datetime:
        return row.last_at

    @strawberry.field(description="95 of 100 answers took at most so many milliseconds, to within 10 %.")
    @staticmethod
    def p95_ms(row: strawberry.Parent[documents.UsageRow]) -> float | None:
        seconds = documents.p95(row.durations)
        return seconds * 1_000 if seconds is not None else None


@strawberry.type(description="A GraphQL document that was registered, to be asked for by an id in the place of its text.")
class Document(Node):
    is_type_of = of(documents.DocumentRow, documents.ClientDocumentRow)

    text: str = strawberry.field(description="The document.")
    names: list[str] = strawberry.field(description="The names of its operations.")
    cost: float = strawberry.field(
        description="What it may cost at most with its variables' defaults; of several operations, the dearest one."
    )
    created_at: datetime = strawberry.field(description="When it was registered first.")

    @strawberry.field(description="The SHA-256 of its text, `sha256:` and 64 hex digits: an id of it too.")
    @staticmethod
    def hash(row: strawberry.Parent[documents.DocumentRow]) -> str:
        return f"sha256:{row.hash}"

    @strawberry.field(description="What its first operation does.")
    @staticmethod
    def operation(row: strawberry.Parent[documents.DocumentRow]) -> OperationKind:
        return OperationKind(row.operation)

    @strawberry.field(description="The ids that clients gave it; the newest hundred.")
    @staticmethod
    async def aliases(row: strawberry.Parent[documents.DocumentRow], info: Info) -> list[DocumentAlias]:
        return await info.context.loaders.aliases_of_document.load(row.id) or []

    @strawberry.field(description="Who uses it, the last first; at most a hundred versions of clients.")
    @staticmethod
    async def usage(row: strawberry.Parent[documents.DocumentRow], info: Info) -> list[DocumentUsage]:
        return await info.context.loaders.usage_of_document.load(row.id) or []
