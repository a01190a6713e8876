"""Who is what where, read to find out what somebody may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from ..access import Role
from ..base import Query, one_of
from ..ports import Reader
from .model import Member, MemberSite, Workspace


@dataclass(frozen=True, slots=True)
class Memberships:
    """One person's: `sites` of the workspaces of which they have single sites only."""

    roles: Mapping[UUID, Role] = field(default_factory=dict)
    sites: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)


class _MembershipRow(NamedTuple):
    user_id: UUID
    workspace_id: UUID
    role: Role
    by_site: bool
    site_id: UUID | None


_OF_USERS = Query(
    _MembershipRow,
    select(Member.user_id, Member.workspace_id, Member.role, Member.by_site, MemberSite.site_id)
    .join(Workspace, Workspace.id == Member.workspace_id)
    .outerjoin(MemberSite, (MemberSite.workspace_id == Member.workspace_id) & (MemberSite.user_id == Member.user_id))
    .where(one_of(Member.user_id, "users"), Workspace.deleted_at.is_(None))
    .order_by(Member.workspace_id),
).beyond_reach("Finds out where somebody is a member.")


async def memberships_of(reader: Reader, user_ids: Collection[UUID]) -> Mapping[UUID, Memberships]:
    """In workspaces that are not deleted; only for those who hold the ids by right."""
    roles: dict[UUID, dict[UUID, Role]] = {id: {} for id in user_ids}
    sites: dict[UUID, dict[UUID, set[UUID]]] = {id: {} for id in user_ids}
    for row in await reader.all(_OF_USERS, users=user_ids):
        roles[row.user_id][row.workspace_id] = Role(row.role)
        if row.by_site:
            had = sites[row.user_id].setdefault(row.workspace_id, set())
            if row.site_id is not None:
                had.add(row.site_id)
    return {id: Memberships(roles[id], {workspace: frozenset(had) for workspace, had in sites[id].items()}) for id in user_ids}
