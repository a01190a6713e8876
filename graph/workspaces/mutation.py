"""Making, changing, handing over, deleting and leaving workspaces."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import sites, workspaces
from domain.access import Permission, Role
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from .types import Workspace


@strawberry.input(description="A workspace to make, which will be yours.")
class WorkspaceCreateInput:
    slug: str = strawberry.field(description="1 to 63 lower-case letters, digits and inner hyphens; nobody else's has it.")
    name: str = strawberry.field(description="Its name for people.")


@strawberry.type(description="The workspace was made, with the profiles that each begins with.")
class WorkspaceCreatePayload:
    workspace: Workspace = strawberry.field(description="The workspace.")


WorkspaceCreateResult = Annotated[
    WorkspaceCreatePayload | InvalidInput | NotAllowed | Conflict | LimitReached,
    strawberry.union("WorkspaceCreateResult", description="What becomes of `workspaceCreate`."),
]


@strawberry.input(description="What to change of a workspace; what is left out stays.")
class WorkspaceUpdateInput:
    workspace: strawberry.ID = strawberry.field(description="Its id.")
    slug: str | None = strawberry.field(default=None, description="Its new slug; by the former it is not found any more.")
    name: str | None = strawberry.field(default=None, description="Its new name.")


@strawberry.type(description="The workspace was changed.")
class WorkspaceUpdatePayload:
    workspace: Workspace = strawberry.field(description="The workspace as it is now.")


WorkspaceUpdateResult = Annotated[
    WorkspaceUpdatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("WorkspaceUpdateResult", description="What becomes of `workspaceUpdate`."),
]


@strawberry.input(description="A workspace to hand over.")
class WorkspaceTransferInput:
    workspace: strawberry.ID = strawberry.field(description="Its id.")
    user: strawberry.ID = strawberry.field(description="The member who becomes OWNER; you become ADMIN.")


@strawberry.type(description="The workspace has another owner.")
class WorkspaceTransferPayload:
    workspace: Workspace = strawberry.field(description="The workspace.")


WorkspaceTransferResult = Annotated[
    WorkspaceTransferPayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("WorkspaceTransferResult", description="What becomes of `workspaceTransfer`."),
]


@strawberry.input(description="A workspace to delete, with all that is in it.")
class WorkspaceDeleteInput:
    workspace: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Nobody sees the workspace any more, and its keys open nothing.")
class WorkspaceDeletePayload:
    workspace_id: strawberry.ID = strawberry.field(description="The id that it had.")
    restorable_until: datetime = strawberry.field(description="Until when `workspaceRestore` brings it back.")


WorkspaceDeleteResult = Annotated[
    WorkspaceDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("WorkspaceDeleteResult", description="What becomes of `workspaceDelete`."),
]


@strawberry.input(description="A workspace of yours that you deleted.")
class WorkspaceRestoreInput:
    workspace: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The workspace is there again, as it was.")
class WorkspaceRestorePayload:
    workspace: Workspace = strawberry.field(description="The workspace.")


WorkspaceRestoreResult = Annotated[
    WorkspaceRestorePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("WorkspaceRestoreResult", description="What becomes of `workspaceRestore`."),
]


@strawberry.input(description="A workspace to leave.")
class WorkspaceLeaveInput:
    workspace: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="You are not in it any more.")
class WorkspaceLeavePayload:
    workspace_id: strawberry.ID = strawberry.field(description="Its id.")


WorkspaceLeaveResult = Annotated[
    WorkspaceLeavePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("WorkspaceLeaveResult", description="What becomes of `workspaceLeave`."),
]


def _id(id: strawberry.ID) -> UUID:
    return decode(Kind.WORKSPACE, id, "workspace")


@strawberry.type
class Mutation:
    @mutation("Make a workspace. It takes somebody who is signed in.")
    async def workspace_create(self, info: Info, input: WorkspaceCreateInput) -> WorkspaceCreateResult:
        async with info.context.work() as work:
            id = await workspaces.create(work, slug=input.slug, name=input.name)
            work.actor = replace(work.actor, roles={**work.actor.roles, id: Role.OWNER})
            await sites.seed_profiles(work, workspace_id=id)
        await info.context.become()
        return WorkspaceCreatePayload(workspace=await made(info, Kind.WORKSPACE, id))

    @mutation("Change a workspace.", Permission.WORKSPACE_WRITE)
    async def workspace_update(self, info: Info, input: WorkspaceUpdateInput) -> WorkspaceUpdateResult:
        async with info.context.work() as work:
            id = await workspaces.rename(work, workspace_id=_id(input.workspace), slug=input.slug, name=input.name)
        return WorkspaceUpdatePayload(workspace=await made(info, Kind.WORKSPACE, id))

    @mutation("Hand a workspace over to another member. It takes somebody who is signed in.", Permission.WORKSPACE_WRITE)
    async def workspace_transfer(self, info: Info, input: WorkspaceTransferInput) -> WorkspaceTransferResult:
        id = _id(input.workspace)
        async with info.context.work() as work:
            await workspaces.transfer(work, workspace_id=id, user_id=decode(Kind.USER, input.user, "user"))
        await info.context.become()
        return WorkspaceTransferPayload(workspace=await made(info, Kind.WORKSPACE, id))

    @mutation("Delete a workspace. For 14 days its owners can bring it back.", Permission.WORKSPACE_WRITE)
    async def workspace_delete(self, info: Info, input: WorkspaceDeleteInput) -> WorkspaceDeleteResult:
        async with info.context.work() as work:
            await workspaces.delete_workspace(work, workspace_id=_id(input.workspace))
        await info.context.become()
        return WorkspaceDeletePayload(workspace_id=input.workspace, restorable_until=work.now + workspaces.KEPT)

    @mutation("Bring back a workspace that you own and that was deleted. It takes somebody who is signed in.")
    async def workspace_restore(self, info: Info, input: WorkspaceRestoreInput) -> WorkspaceRestoreResult:
        async with info.context.work() as work:
            id = await workspaces.restore(work, workspace_id=_id(input.workspace))
        await info.context.become()
        return WorkspaceRestorePayload(workspace=await made(info, Kind.WORKSPACE, id))

    @mutation("Leave a workspace. Its last owner cannot. It takes somebody who is signed in.", Permission.READ)
    async def workspace_leave(self, info: Info, input: WorkspaceLeaveInput) -> WorkspaceLeaveResult:
        async with info.context.work() as work:
            await workspaces.leave(work, workspace_id=_id(input.workspace))
        await info.context.become()
        return WorkspaceLeavePayload(workspace_id=input.workspace)
