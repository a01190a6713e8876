"""Making API clients, and registering their documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import strawberry

from domain import documents
from domain.access import Permission
from domain.documents import MAX_PUSHED, ClientMode
from domain.errors import InvalidInput as Invalid
from domain.errors import ProblemCode
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..operations import documents_of
from .checking import check_all
from .types import ApiClient, Document

MAX_DAYS = 3_650


@strawberry.input(description="An API client to make.")
class ApiClientCreateInput:
    workspace: strawberry.ID = strawberry.field(description="Whose it is.")
    name: str = strawberry.field(description="Its name; no other client of the workspace has it.")
    mode: ClientMode = strawberry.field(default=ClientMode.OPEN, description="What its keys may ask.")


@strawberry.type(description="The client was made. Its keys are issued by `pacemark keys create NAME --client …`.")
class ApiClientCreatePayload:
    client: ApiClient = strawberry.field(description="The client.")


ApiClientCreateResult = Annotated[
    ApiClientCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("ApiClientCreateResult", description="What becomes of `apiClientCreate`."),
]


@strawberry.input(description="What to change of an API client; what is left out stays.")
class ApiClientUpdateInput:
    client: strawberry.ID = strawberry.field(description="Its id.")
    name: str | None = strawberry.field(default=None, description="Its new name.")
    mode: ClientMode | None = strawberry.field(default=None, description="What its keys may ask from now on.")


@strawberry.type(description="The client was changed.")
class ApiClientUpdatePayload:
    client: ApiClient = strawberry.field(description="The client as it is now.")


ApiClientUpdateResult = Annotated[
    ApiClientUpdatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ApiClientUpdateResult", description="What becomes of `apiClientUpdate`."),
]


@strawberry.input(description="An API client to forget, with its keys and the ids that it registered.")
class ApiClientDeleteInput:
    client: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The client is forgotten, and its keys open nothing any more.")
class ApiClientDeletePayload:
    client_id: strawberry.ID = strawberry.field(description="The id that it had.")


ApiClientDeleteResult = Annotated[
    ApiClientDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("ApiClientDeleteResult", description="What becomes of `apiClientDelete`."),
]


@strawberry.input(description="A document to register.")
class DocumentInput:
    id: str = strawberry.field(description="What it is asked for by: 1 to 200 letters, digits and . _ ~ : / -")
    text: str = strawberry.field(description="The document, to the letter.")


@strawberry.input(description="Documents to register, for one client or for the whole workspace.")
class DocumentsPushInput:
    workspace: strawberry.ID = strawberry.field(description="Whose they are.")
    client: strawberry.ID | None = strawberry.field(
        default=None, description="Whose ids these are; left out, those of all clients of the workspace."
    )
    version: str = strawberry.field(description="The client's version: 1 to 50 letters, digits and . _ + -")
    documents: list[DocumentInput] = strawberry.field(description="The documents; at most 1,000.")


@strawberry.type(description="A document that was not registered.")
class DocumentRefusal:
    alias: str = strawberry.field(description="The id that was given with it.")
    reason: str = strawberry.field(description="A sentence for a person.")


@strawberry.type(description="All of them but the refused are registered. The lists hold the ids that were given.")
class DocumentsPushPayload:
    added: list[str] = strawberry.field(description="Those that were not there.")
    unchanged: list[str] = strawberry.field(description="Those that were there, with the same texts.")
    refused: list[DocumentRefusal] = strawberry.field(description="Those that cannot be registered, and why.")


DocumentsPushResult = Annotated[
    DocumentsPushPayload | InvalidInput | NotFound | NotAllowed | LimitReached,
    strawberry.union("DocumentsPushResult", description="What becomes of `documentsPush`."),
]


@strawberry.input(description="Documents to forget that nobody needs any more.")
class DocumentsPruneInput:
    workspace: strawberry.ID = strawberry.field(description="Whose they are.")
    client: strawberry.ID | None = strawberry.field(
        default=None, description="Forget what this client registered; left out, what anybody did."
    )
    unused_for_days: int = strawberry.field(description="Neither pushed nor asked for in so many days; 1 to 3,650.")
    dry_run: bool = strawberry.field(default=False, description="Only say which they would be.")


@strawberry.type(description="They are forgotten; or would be, in a dry run.")
class DocumentsPrunePayload:
    documents: list[Document] = strawberry.field(description="The documents, oldest first; at most a thousand at once.")


DocumentsPruneResult = Annotated[
    DocumentsPrunePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("DocumentsPruneResult", description="What becomes of `documentsPrune`."),
]


@strawberry.type
class Mutation:
    @mutation(
        "Make an API client: a program with keys of its own, of which it can be said what they may ask.",
        Permission.DOCUMENT_WRITE,
    )
    async def api_client_create(self, info: Info, input: ApiClientCreateInput) -> ApiClientCreateResult:
        workspace_id = decode(Kind.WORKSPACE, input.workspace, "workspace")
        async with info.context.work() as work:
            id = await documents.create_client(work, workspace_id=workspace_id, name=input.name, mode=input.mode)
        return ApiClientCreatePayload(client=await made(info, Kind.CLIENT, id))

    @mutation("Change an API client.", Permission.DOCUMENT_WRITE)
    async def api_client_update(self, info: Info, input: ApiClientUpdateInput) -> ApiClientUpdateResult:
        client_id = decode(Kind.CLIENT, input.client, "client")
        async with info.context.work() as work:
            await documents.change_client(work, client_id=client_id, name=input.name, mode=input.mode)
        return ApiClientUpdatePayload(client=await made(info, Kind.CLIENT, client_id))

    @mutation("Forget an API client, with its keys and the ids that it registered.", Permission.DOCUMENT_WRITE)
    async def api_client_delete(self, info: Info, input: ApiClientDeleteInput) -> ApiClientDeleteResult:
        async with info.context.work() as work:
            await documents.delete_client(work, client_id=decode(Kind.CLIENT, input.client, "client"))
        return ApiClientDeletePayload(client_id=input.client)

    @mutation(
        "Register documents, to be asked for by their ids. What is there stays; an id never comes to mean another one.",
        Permission.DOCUMENT_WRITE,
    )
    async def documents_push(self, info: Info, input: DocumentsPushInput) -> DocumentsPushResult:
        workspace_id = decode(Kind.WORKSPACE, input.workspace, "workspace")
        client_id = decode(Kind.CLIENT, input.client, "client") if input.client is not None else None
        # Before they are looked at, which takes a while.
        info.context.actor.require(Permission.DOCUMENT_WRITE, workspace_id)
        if len(input.documents) > MAX_PUSHED:
            raise Invalid.at("documents", f"At most {MAX_PUSHED:,} documents are pushed at once.", ProblemCode.TOO_MANY)
        pipeline = documents_of(info.schema._schema)
        checked = await check_all(pipeline, [(each.id, each.text) for each in input.documents])
        async with info.context.work() as work:
            pushed = await documents.push(
                work, workspace_id=workspace_id, client_id=client_id, version=input.version, documents=checked
            )
        return DocumentsPushPayload(
            added=list(pushed.added),
            unchanged=list(pushed.unchanged),
            refused=[DocumentRefusal(alias=alias, reason=reason) for alias, reason in pushed.refused],
        )

    @mutation("Forget documents that were neither pushed nor asked for in a while.", Permission.DOCUMENT_WRITE)
    async def documents_prune(self, info: Info, input: DocumentsPruneInput) -> DocumentsPruneResult:
        workspace_id = decode(Kind.WORKSPACE, input.workspace, "workspace")
        client_id = decode(Kind.CLIENT, input.client, "client") if input.client is not None else None
        if not 1 <= input.unused_for_days <= MAX_DAYS:
            raise Invalid.at("unusedForDays", f"It is 1 to {MAX_DAYS:,} days.", ProblemCode.OUT_OF_RANGE)
        async with info.context.work() as work:
            rows = await documents.prune(
                work,
                workspace_id=workspace_id,
                client_id=client_id,
                unused_since=work.now - timedelta(days=input.unused_for_days),
                dry=input.dry_run,
            )
        return DocumentsPrunePayload(documents=list(rows))  # type: ignore[arg-type]  # read by the type's fields
