"""Who is in a workspace, and who was invited into it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import workspaces
from domain.access import Role
from domain.ids import Kind, encode

from ..context import Info
from ..node import Node, of
from ..sites.single import of_hex, of_ids

if TYPE_CHECKING:
    from ..sites.types import Site


@strawberry.type(description="Somebody who is in a workspace.")
class Member:
    name: str = strawberry.field(description="What they are called.")
    email: str | None = strawberry.field(description="Their e-mail; null for who acts at the command line alone.")
    role: Role = strawberry.field(description="What they are in it.")
    joined_at: datetime = strawberry.field(description="Since when.")

    @strawberry.field(description="The person's id, by which `memberUpdate` and `memberRemove` know them.")
    @staticmethod
    def user_id(row: strawberry.Parent[workspaces.MemberRow]) -> strawberry.ID:
        return strawberry.ID(encode(Kind.USER, row.id))

    @strawberry.field(description="The single sites that they have; null for who has all of the workspace.")
    @staticmethod
    async def sites(
        row: strawberry.Parent[workspaces.MemberRow], info: Info
    ) -> list[Annotated[Site, strawberry.lazy("graph.sites.types")]] | None:
        if not row.by_site:
            return None
        return await of_ids(info, await info.context.loaders.sites_of_member.load((row.workspace_id, row.id)))


@strawberry.type(description="An invitation that nobody came by yet. Its link was mailed, and is nowhere here.")
class Invitation(Node):
    is_type_of = of(workspaces.InvitationRow)

    email: str = strawberry.field(description="To whom it was sent; only who has that e-mail comes in by it.")
    role: Role = strawberry.field(description="What they will be.")
    created_at: datetime = strawberry.field(description="When it was sent.")
    expires_at: datetime = strawberry.field(description="Until when it is good.")

    @strawberry.field(description="The single sites that they will have; null for all of the workspace.")
    @staticmethod
    async def sites(
        row: strawberry.Parent[workspaces.InvitationRow], info: Info
    ) -> list[Annotated[Site, strawberry.lazy("graph.sites.types")]] | None:
        return await of_hex(info, row.sites)
