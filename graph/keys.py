"""API keys in GraphQL."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import keys
from domain.access import Permission, Role
from domain.ids import Kind, decode, new_id

from .batched import by_key
from .context import Info
from .errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from .loaders import Loaders
from .node import Node, made, of
from .sites.single import decoded, of_hex

if TYPE_CHECKING:
    from .documents.types import ApiClient
    from .sites.types import Site


@strawberry.type(description="An API key, without its secret.")
class ApiKey(Node):
    is_type_of = of(keys.ApiKeyRow)

    name: str = strawberry.field(description="What it was called when it was issued.")
    prefix: str = strawberry.field(description="Its public beginning.")
    role: Role = strawberry.field(description="What it is in its workspace.")
    created_at: datetime = strawberry.field(description="When it was issued.")
    expires_at: datetime | None = strawberry.field(description="When it ends; null for never.")
    last_used_at: datetime | None = strawberry.field(description="When it was used last, to the minute; null for never.")

    client: Annotated[ApiClient, strawberry.lazy("graph.documents.types")] | None = by_key(
        Loaders.client, "client_id", "The API client that it is a key of; null for one that is nobody's."
    )

    @strawberry.field(description="What it may do at most, beside reading; null for all that its role grants.")
    @staticmethod
    def scopes(row: strawberry.Parent[keys.ApiKeyRow]) -> list[Permission] | None:
        return [each for each in Permission if each in row.scopes] if row.scopes is not None else None

    @strawberry.field(description="The single sites that it has; null for all of the workspace.")
    @staticmethod
    async def sites(
        row: strawberry.Parent[keys.ApiKeyRow], info: Info
    ) -> list[Annotated[Site, strawberry.lazy("graph.sites.types")]] | None:
        return await of_hex(info, row.sites)


@strawberry.input(description="An API key to issue. It can do no more than you can.")
class ApiKeyCreateInput:
    workspace: strawberry.ID = strawberry.field(description="Where it is good.")
    name: str = strawberry.field(description="What it is for, as people will read it: 1 to 100 characters.")
    role: Role = strawberry.field(default=Role.MEMBER, description="What it is in the workspace.")
    scopes: list[Permission] | None = strawberry.field(
        default=None, description="What it may do at most, beside reading; left out, all that the role grants."
    )
    sites: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Single sites, 1 to 100; left out, all of the workspace."
    )
    client: strawberry.ID | None = strawberry.field(default=None, description="The API client that it is a key of.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends, in an hour to two years; left out, never."
    )


@strawberry.type(description="The key was issued.")
class ApiKeyCreatePayload:
    key: ApiKey = strawberry.field(description="The key.")
    secret: str = strawberry.field(description="The key itself: shown here once, and kept nowhere.")


ApiKeyCreateResult = Annotated[
    ApiKeyCreatePayload | InvalidInput | NotFound | NotAllowed | LimitReached,
    strawberry.union("ApiKeyCreateResult", description="What becomes of `apiKeyCreate`."),
]


@strawberry.input(description="An API key to revoke.")
class ApiKeyRevokeInput:
    key: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="It opens nothing any more, and what is open with it ends.")
class ApiKeyRevokePayload:
    key_id: strawberry.ID = strawberry.field(description="The id that it had.")


ApiKeyRevokeResult = Annotated[
    ApiKeyRevokePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("ApiKeyRevokeResult", description="What becomes of `apiKeyRevoke`."),
]


@strawberry.input(description="An API key to replace by another one.")
class ApiKeyRotateInput:
    key: strawberry.ID = strawberry.field(description="Its id.")
    overlap_hours: int = strawberry.field(default=24, description="For so long the former key stays good: 0 to 168 hours.")


@strawberry.type(description="There is a new key with all the same; in the name of who asked, where it was in a person's.")
class ApiKeyRotatePayload:
    key: ApiKey = strawberry.field(description="The new key.")
    secret: str = strawberry.field(description="The new key itself: shown here once, and kept nowhere.")
    former_until: datetime = strawberry.field(description="Until when the former key is good.")


ApiKeyRotateResult = Annotated[
    ApiKeyRotatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ApiKeyRotateResult", description="What becomes of `apiKeyRotate`."),
]


@strawberry.type
class Mutation:
    @mutation("Issue an API key.", Permission.KEY_WRITE)
    async def api_key_create(self, info: Info, input: ApiKeyCreateInput) -> ApiKeyCreateResult:
        id = new_id()
        async with info.context.work() as work:
            secret = await keys.issue(
                work,
                key_id=id,
                workspace_id=decode(Kind.WORKSPACE, input.workspace, "workspace"),
                name=input.name,
                role=input.role,
                keyring=info.context.services.keyring,
                user_id=work.actor.user_id,
                client_id=decode(Kind.CLIENT, input.client, "client") if input.client is not None else None,
                scopes=input.scopes,
                sites=decoded(input.sites),
                expires_at=input.expires_at,
            )
        return ApiKeyCreatePayload(key=await made(info, Kind.KEY, id), secret=secret)

    @mutation("Revoke an API key for good.", Permission.KEY_WRITE)
    async def api_key_revoke(self, info: Info, input: ApiKeyRevokeInput) -> ApiKeyRevokeResult:
        async with info.context.work() as work:
            await keys.revoke(work, key_id=decode(Kind.KEY, input.key, "key"))
        return ApiKeyRevokePayload(key_id=input.key)

    @mutation("Replace an API key; the former one stays good for a while.", Permission.KEY_WRITE)
    async def api_key_rotate(self, info: Info, input: ApiKeyRotateInput) -> ApiKeyRotateResult:
        async with info.context.work() as work:
            rotated = await keys.rotate(
                work,
                key_id=decode(Kind.KEY, input.key, "key"),
                overlap_hours=input.overlap_hours,
                keyring=info.context.services.keyring,
            )
        return ApiKeyRotatePayload(key=await made(info, Kind.KEY, rotated.id), secret=rotated.text, former_until=rotated.until)
