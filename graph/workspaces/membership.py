"""Inviting people, and changing what members are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import strawberry

from domain import workspaces
from domain.access import Permission, Role
from domain.errors import NotFound as Missing
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..sites.single import decoded
from .members import Invitation, Member
from .types import Workspace


@strawberry.input(description="What to change of a member; what is left out stays.")
class MemberUpdateInput:
    workspace: strawberry.ID = strawberry.field(description="Where.")
    user: strawberry.ID = strawberry.field(description="Who.")
    role: Role | None = strawberry.field(default=None, description="What they are from now on; not more than you are.")
    sites: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="The single sites that they have from now on, 1 to 100; null for all."
    )


@strawberry.type(description="The member was changed.")
class MemberUpdatePayload:
    member: Member = strawberry.field(description="The member as they are now.")


MemberUpdateResult = Annotated[
    MemberUpdatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("MemberUpdateResult", description="What becomes of `memberUpdate`."),
]


@strawberry.input(description="A member to remove.")
class MemberRemoveInput:
    workspace: strawberry.ID = strawberry.field(description="From where.")
    user: strawberry.ID = strawberry.field(description="Whom.")


@strawberry.type(description="They are not in it any more, and keys in their name open nothing.")
class MemberRemovePayload:
    user_id: strawberry.ID = strawberry.field(description="The person's id.")


MemberRemoveResult = Annotated[
    MemberRemovePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("MemberRemoveResult", description="What becomes of `memberRemove`."),
]


@strawberry.input(description="Somebody to invite. An earlier invitation to the same e-mail is good no more.")
class InvitationCreateInput:
    workspace: strawberry.ID = strawberry.field(description="Where to.")
    email: str = strawberry.field(description="To whom; only who has this e-mail comes in by it.")
    role: Role = strawberry.field(default=Role.MEMBER, description="What they will be; not more than you are.")
    sites: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Single sites, 1 to 100, for MEMBER or VIEWER; left out, all of the workspace."
    )


@strawberry.type(description="A link was mailed to them, good for 7 days.")
class InvitationCreatePayload:
    invitation: Invitation = strawberry.field(description="The invitation.")


InvitationCreateResult = Annotated[
    InvitationCreatePayload | InvalidInput | NotFound | NotAllowed | LimitReached,
    strawberry.union("InvitationCreateResult", description="What becomes of `invitationCreate`."),
]


@strawberry.input(description="An invitation to take back.")
class InvitationRevokeInput:
    invitation: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Its link opens nothing any more.")
class InvitationRevokePayload:
    invitation_id: strawberry.ID = strawberry.field(description="The id that it had.")


InvitationRevokeResult = Annotated[
    InvitationRevokePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("InvitationRevokeResult", description="What becomes of `invitationRevoke`."),
]


@strawberry.input(description="An invitation to come in by.")
class InvitationAcceptInput:
    token: str = strawberry.field(description="What stands behind `token=` in the link that was mailed.")


@strawberry.type(description="You are in the workspace.")
class InvitationAcceptPayload:
    workspace: Workspace = strawberry.field(description="The workspace.")


InvitationAcceptResult = Annotated[
    InvitationAcceptPayload | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("InvitationAcceptResult", description="What becomes of `invitationAccept`."),
]


@strawberry.type
class MembershipMutation:
    @mutation("Change what a member is, or which sites they have.", Permission.MEMBER_WRITE)
    async def member_update(self, info: Info, input: MemberUpdateInput) -> MemberUpdateResult:
        workspace_id, user_id = decode(Kind.WORKSPACE, input.workspace, "workspace"), decode(Kind.USER, input.user, "user")
        given = input.sites if input.sites is not strawberry.UNSET else None
        async with info.context.work() as work:
            await workspaces.change_member(
                work,
                workspace_id=workspace_id,
                user_id=user_id,
                role=input.role,
                sites=decoded(given),
                all_sites=input.sites is None,
            )
        if user_id == info.context.actor.user_id:
            await info.context.become()
        member = await info.context.loaders.member.load((workspace_id, user_id))
        if member is None:
            raise Missing("This member was there, and has been removed since.", input.user)
        return MemberUpdatePayload(member=member)

    @mutation("Remove a member.", Permission.MEMBER_WRITE)
    async def member_remove(self, info: Info, input: MemberRemoveInput) -> MemberRemoveResult:
        workspace_id, user_id = decode(Kind.WORKSPACE, input.workspace, "workspace"), decode(Kind.USER, input.user, "user")
        async with info.context.work() as work:
            await workspaces.remove_member(work, workspace_id=workspace_id, user_id=user_id)
        if user_id == info.context.actor.user_id:
            await info.context.become()
        return MemberRemovePayload(user_id=input.user)

    @mutation("Invite somebody by e-mail.", Permission.MEMBER_WRITE)
    async def invitation_create(self, info: Info, input: InvitationCreateInput) -> InvitationCreateResult:
        services, workspace_id = info.context.services, decode(Kind.WORKSPACE, input.workspace, "workspace")
        info.context.actor.require(Permission.MEMBER_WRITE, workspace_id)
        await workspaces.pay_for_invitation(
            services.cache, services.keyring, workspace_id=workspace_id, email=input.email, now=datetime.now(UTC)
        )
        async with info.context.work() as work:
            id = await workspaces.invite(
                work,
                workspace_id=workspace_id,
                email=input.email,
                role=input.role,
                sites=decoded(input.sites),
                keyring=services.keyring,
                base_url=services.base_url,
            )
        return InvitationCreatePayload(invitation=await made(info, Kind.INVITATION, id))

    @mutation("Take an invitation back.", Permission.MEMBER_WRITE)
    async def invitation_revoke(self, info: Info, input: InvitationRevokeInput) -> InvitationRevokeResult:
        async with info.context.work() as work:
            id = decode(Kind.INVITATION, input.invitation, "invitation")
            await workspaces.revoke_invitation(work, invitation_id=id)
        return InvitationRevokePayload(invitation_id=input.invitation)

    @mutation("Come into a workspace by an invitation. It takes somebody who is signed in with the e-mail that was invited.")
    async def invitation_accept(self, info: Info, input: InvitationAcceptInput) -> InvitationAcceptResult:
        async with info.context.work() as work:
            id = await workspaces.accept(work, token=input.token, keyring=info.context.services.keyring)
        await info.context.become()
        return InvitationAcceptPayload(workspace=await made(info, Kind.WORKSPACE, id))
