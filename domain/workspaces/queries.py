"""Reads of tenants and of who is in them: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from .. import accounts
from ..access import Reach, Role
from ..accounts import User
from ..base import Query, UtcDateTime, one_of, query
from ..keyring import Keyring
from ..paging import Keyset, Slice, Window
from ..ports import Reader
from . import rules
from .model import (
    DeletedRow,
    Invitation,
    InvitationRow,
    Member,
    MemberRow,
    MemberSite,
    MemberSiteRow,
    Workspace,
    WorkspaceRow,
)

_WORKSPACES = query(WorkspaceRow, Workspace)
_BY_ID = _WORKSPACES.where(one_of(Workspace.id, "ids"), one_of(Workspace.id, "reach"))
_BY_SLUG = _WORKSPACES.where(one_of(Workspace.slug, "slugs"), one_of(Workspace.id, "reach"))
_ANY_SLUG = _WORKSPACES.where(Workspace.slug == bindparam("slug")).beyond_reach("For the operator at the command line.")
_NAMED = _WORKSPACES.where(Workspace.id == bindparam("workspace_id"))

_WITHIN = Keyset("workspaces", _WORKSPACES, parent=None, tenant=Workspace.id, keys=[Workspace.slug, Workspace.id])


class _OwnerRow(NamedTuple):
    user_id: UUID


_OWNER: Query[_OwnerRow] = Query(
    _OwnerRow,
    select(Member.user_id)
    .where(Member.workspace_id == bindparam("workspace_id"), Member.role == Role.OWNER)
    .order_by(Member.joined_at, Member.user_id)
    .limit(1),
)
_DELETED = Query(
    DeletedRow,
    select(Workspace.id, Workspace.slug, Workspace.name, Workspace.deleted_at)
    .join(Member, Member.workspace_id == Workspace.id)
    .where(
        Member.user_id == bindparam("user_id"),
        Member.role == Role.OWNER,
        Workspace.deleted_at > bindparam("since", type_=UtcDateTime()),
    )
    .order_by(Workspace.slug),
).beyond_reach("Nobody is in a deleted workspace; its owners are told of it by their own id.")

_MEMBERS = Query(MemberRow, query(MemberRow, Member, User).statement.join(User, User.id == Member.user_id))
_MEMBERS_BY_ID = _MEMBERS.where(one_of(Member.user_id, "users"), one_of(Member.workspace_id, "reach"))

MEMBERS = Keyset(
    "members",
    _MEMBERS,
    parent=Member.workspace_id,
    tenant=Member.workspace_id,
    keys=(Member.joined_at, User.id),
)
"""A workspace's, who came first before."""

_SITES_OF = query(MemberSiteRow, MemberSite).where(
    one_of(MemberSite.user_id, "users"), one_of(MemberSite.workspace_id, "reach")
)

_INVITATIONS = query(InvitationRow, Invitation)
_INVITATION_BY_ID = _INVITATIONS.where(one_of(Invitation.id, "ids"), one_of(Invitation.workspace_id, "reach"))
_INVITATION_BY_DIGEST = _INVITATIONS.where(
    one_of(Invitation.digest, "digests"),
    Invitation.workspace_id == bindparam("workspace_id"),
    Invitation.expires_at > bindparam("now", type_=UtcDateTime()),
)
_INVITATION_TO = _INVITATIONS.where(
    Invitation.email == bindparam("email"), Invitation.expires_at > bindparam("now", type_=UtcDateTime())
).beyond_reach("Whether somebody whom another issuer knows may sign up, by their own address.")

INVITATIONS = Keyset(
    "invitations",
    _INVITATIONS,
    parent=Invitation.workspace_id,
    tenant=Invitation.workspace_id,
    keys=(Invitation.id,),
    descending=True,
)
"""A workspace's, the newest first."""


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, WorkspaceRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.workspaces)}


async def by_slugs(reader: Reader, reach: Reach, slugs: Collection[str]) -> Mapping[str, WorkspaceRow]:
    return {row.slug: row for row in await reader.all(_BY_SLUG, slugs=slugs, reach=reach.workspaces)}


async def is_invited(reader: Reader, person: accounts.Person, now: datetime) -> bool:
    """Whether any workspace waits for whoever has the address that the issuer verified."""
    email = accounts.compared(person.email) if person.email is not None else None
    return email is not None and await reader.first(_INVITATION_TO, email=email, now=now) is not None


async def find(reader: Reader, slug: str) -> WorkspaceRow | None:
    """By slug, whosever it is: for the operator at the command line, never for a request."""
    return await reader.first(_ANY_SLUG, slug=slug)


async def named(reader: Reader, workspace_id: UUID) -> WorkspaceRow | None:
    """The one that an action is about."""
    return await reader.first(_NAMED, workspace_id=workspace_id)


async def first_owner(reader: Reader, workspace_id: UUID) -> UUID | None:
    row = await reader.first(_OWNER, workspace_id=workspace_id)
    return row.user_id if row else None


async def within(reader: Reader, reach: Reach, window: Window) -> Slice[WorkspaceRow]:
    """The workspaces within reach, by slug."""
    return await _WITHIN.of(reader, Reach.whole(*reach.workspaces), None, window)


async def deleted_of(reader: Reader, user_id: UUID, now: datetime) -> Sequence[DeletedRow]:
    """Those that somebody can bring back, by slug; only for themselves."""
    return await reader.all(_DELETED, user_id=user_id, since=now - rules.KEPT)


async def members_by_ids(
    reader: Reader, reach: Reach, wanted: Collection[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], MemberRow]:
    """Members, who are named by their workspace and their person."""
    rows = await reader.all(_MEMBERS_BY_ID, users={user for _, user in wanted}, reach=reach.held)
    return {(row.workspace_id, row.id): row for row in rows}


async def sites_of_members(
    reader: Reader, reach: Reach, wanted: Collection[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], Sequence[UUID]]:
    """The single sites of members, who are named by their workspace and their person."""
    found: dict[tuple[UUID, UUID], list[UUID]] = {key: [] for key in wanted}
    for row in await reader.all(_SITES_OF, users={user for _, user in wanted}, reach=reach.held):
        if (row.workspace_id, row.user_id) in found:
            found[row.workspace_id, row.user_id].append(row.site_id)
    return found


async def invitations_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, InvitationRow]:
    return {row.id: row for row in await reader.all(_INVITATION_BY_ID, ids=ids, reach=reach.held)}


async def invitation_by_token(reader: Reader, token: str, keyring: Keyring, now: datetime) -> InvitationRow | None:
    """The one that is open still; only for whoever holds the token."""
    workspace_id = rules.workspace_of(token)
    if workspace_id is None:
        return None
    given = {"digests": keyring.digests(token), "workspace_id": workspace_id, "now": now}
    return await reader.first(_INVITATION_BY_DIGEST, **given)
