"""Whoever looks: their person, their key, and the workspaces that they are in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple
from uuid import UUID

import strawberry

from domain import accounts, workspaces
from domain.access import Permission, Role
from domain.ids import Kind, encode
from domain.paging import DEFAULT_FIRST, Window

from ..accounts import User
from ..batched import by_key
from ..context import Info
from ..keys import ApiKey
from ..loaders import Loaders
from ..marks import PERSONAL
from ..paging import After, Connection, First
from ..sites.single import of_ids
from .types import Workspace

if TYPE_CHECKING:
    from ..sites.types import Site


class Granted(NamedTuple):
    workspace_id: UUID
    role: Role


@strawberry.type(description="What you may do in a workspace: what your role there grants, and your key or session lets you.")
class Grant:
    role: Role = strawberry.field(description="What you are in it.")

    workspace: Workspace = by_key(Loaders.workspace, "workspace_id", "Where.")

    @strawberry.field(description="What you may do; where you have single sites, with those.")
    @staticmethod
    def permissions(grant: strawberry.Parent[Granted], info: Info) -> list[Permission]:
        had = info.context.actor.permissions(grant.workspace_id)
        return [permission for permission in Permission if permission in had]

    @strawberry.field(description="The single sites that you have; null for whoever has all of the workspace.")
    @staticmethod
    async def sites(
        grant: strawberry.Parent[Granted], info: Info
    ) -> list[Annotated[Site, strawberry.lazy("graph.sites.types")]] | None:
        had = info.context.actor.sites.get(grant.workspace_id)
        return await of_ids(info, sorted(had)) if had is not None else None


@strawberry.type(description="A workspace of yours that you deleted, and that is not purged yet.")
class DeletedWorkspace:
    slug: str = strawberry.field(description="Its short name in addresses.")
    name: str = strawberry.field(description="Its name for people.")
    deleted_at: datetime = strawberry.field(description="When it was deleted.")

    @strawberry.field(description="The id with which `workspaceRestore` brings it back.")
    @staticmethod
    def workspace_id(row: strawberry.Parent[workspaces.DeletedRow]) -> strawberry.ID:
        return strawberry.ID(encode(Kind.WORKSPACE, row.id))

    @strawberry.field(description="Until when it can be brought back.")
    @staticmethod
    def restorable_until(row: strawberry.Parent[workspaces.DeletedRow]) -> datetime:
        return row.deleted_at + workspaces.KEPT


@strawberry.type(description="Whoever asks.")
class Viewer:
    @strawberry.field(description="The person behind the key; null for a key of nobody's.", metadata=PERSONAL)
    @staticmethod
    async def user(info: Info) -> User | None:
        user_id = info.context.actor.user_id
        return await accounts.get(info.context.reader, user_id) if user_id else None  # type: ignore[return-value]

    @strawberry.field(description="The key that was sent.", metadata=PERSONAL)
    @staticmethod
    async def key(info: Info) -> ApiKey | None:
        key_id = info.context.actor.key_id
        return await info.context.loaders.key.load(key_id) if key_id else None

    @strawberry.field(description="The workspaces that you are in, by slug.")
    @staticmethod
    async def workspaces(info: Info, first: First = DEFAULT_FIRST, after: After = None) -> Connection[Workspace]:
        reach = info.context.actor.reach
        return await workspaces.within(info.context.reader, reach, Window.of(first, after))  # type: ignore[return-value]

    @strawberry.field(description="What you may do, in each workspace that you are in.")
    @staticmethod
    async def permissions(info: Info) -> list[Grant]:
        return [Granted(id, role) for id, role in sorted(info.context.actor.roles.items())]  # type: ignore[misc]  # its rows

    @strawberry.field(description="The workspaces that you own and deleted, by slug; none for a key.", metadata=PERSONAL)
    @staticmethod
    async def deleted_workspaces(info: Info) -> list[DeletedWorkspace]:
        actor = info.context.actor
        if actor.user_id is None or not actor.is_signed_in:
            return []
        return list(await workspaces.deleted_of(info.context.reader, actor.user_id, datetime.now(UTC)))  # type: ignore[arg-type]


def _slug_key(_root: None, slug: Annotated[str, strawberry.argument(description="The workspace's slug.")]) -> str:
    return slug


@strawberry.type
class Query:
    @strawberry.field(description="Whoever asks; null for nobody in particular.", metadata=PERSONAL)
    @staticmethod
    def viewer(info: Info) -> Viewer | None:
        return Viewer() if info.context.actor.is_somebody else None

    workspace: Workspace | None = by_key(
        Loaders.workspace_by_slug, _slug_key, "A workspace by its slug; null when it is not there or not yours."
    )
