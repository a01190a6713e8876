"""Reads of tenants: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam

from ..access import Reach, Role
from ..base import Query, one_of, query
from ..paging import Keyset, Slice, Window
from ..ports import Reader
from .model import Member, Workspace, WorkspaceRow

_WORKSPACES = query(WorkspaceRow, Workspace)
_BY_ID = _WORKSPACES.where(one_of(Workspace.id, "ids"), one_of(Workspace.id, "reach"))
_BY_SLUG = _WORKSPACES.where(one_of(Workspace.slug, "slugs"), one_of(Workspace.id, "reach"))
_ANY_SLUG = _WORKSPACES.where(Workspace.slug == bindparam("slug"))

_WITHIN = Keyset("workspaces", _WORKSPACES, parent=None, tenant=Workspace.id, keys=[Workspace.slug, Workspace.id])


class _OwnerRow(NamedTuple):
    user_id: UUID


_OWNER: Query[_OwnerRow] = query(_OwnerRow, Member).where(
    Member.workspace_id == bindparam("workspace_id"), Member.role == Role.OWNER
)


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, WorkspaceRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.workspaces)}


async def by_slugs(reader: Reader, reach: Reach, slugs: Collection[str]) -> Mapping[str, WorkspaceRow]:
    return {row.slug: row for row in await reader.all(_BY_SLUG, slugs=slugs, reach=reach.workspaces)}


async def find(reader: Reader, slug: str) -> WorkspaceRow | None:
    """By slug, whosever it is: for the operator at the command line, never for a request."""
    return await reader.first(_ANY_SLUG, slug=slug)


async def first_owner(reader: Reader, workspace_id: UUID) -> UUID | None:
    row = await reader.first(_OWNER, workspace_id=workspace_id)
    return row.user_id if row else None


async def within(reader: Reader, reach: Reach, window: Window) -> Slice[WorkspaceRow]:
    """The workspaces within reach, by slug."""
    return await _WITHIN.of(reader, Reach.whole(*reach.workspaces), None, window)
