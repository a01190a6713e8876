"""Whoever changes who is in a workspace waits for the others who do, and then sees what they did."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, insert, select, update

from ..access import Permission, Reach, Role
from ..base import Query, count, one_of, query
from ..errors import NotFound
from ..ids import Kind, encode
from ..work import Work
from . import queries, rules
from .model import SITES, Member, MemberSite, Workspace
from .rules import Standing


class Found(NamedTuple):
    """A member as they are stored."""

    user_id: UUID
    role: Role
    by_site: bool


class _SiteRow(NamedTuple):
    id: UUID


_TURN = select(Workspace.id).where(Workspace.id == bindparam("workspace_id")).with_for_update(key_share=True)
_LIVE = _TURN.where(Workspace.deleted_at.is_(None))
_MEMBER = query(Found, Member).where(Member.workspace_id == bindparam("workspace_id"), Member.user_id == bindparam("user_id"))
_OWNERS = count(Member, Member.workspace_id == bindparam("workspace_id"), Member.role == Role.OWNER)
_KNOWN = Query(
    _SiteRow,
    select(SITES.c.id).where(SITES.c.workspace_id == bindparam("workspace_id", type_=Uuid()), one_of(SITES.c.id, "ids")),
)


async def lock(work: Work, workspace_id: UUID, *, live: bool = False) -> bool:
    """Whether it is there."""
    return (await work.db.execute(_LIVE if live else _TURN, {"workspace_id": workspace_id})).first() is not None


async def take(work: Work, workspace_id: UUID, permission: Permission) -> None:
    """Whoever asks is looked at again: they may have become less while they waited, or a moment before they asked.

    Raises NotFound for a workspace that was deleted a moment ago, and NotAllowed.
    """
    if not await lock(work, workspace_id, live=True):
        raise work.actor.absent(permission, Kind.WORKSPACE, workspace_id)
    await work.look_again()
    work.actor.require(permission, workspace_id)


async def find(work: Work, workspace_id: UUID, user_id: UUID) -> Found | None:
    row = await work.db.first(_MEMBER, workspace_id=workspace_id, user_id=user_id)
    return row._replace(role=Role(row.role)) if row is not None else None


async def member(work: Work, workspace_id: UUID, user_id: UUID) -> Found:
    """Raises NotFound."""
    row = await find(work, workspace_id, user_id)
    if row is None:
        raise NotFound("There is no such member in this workspace.", encode(Kind.USER, user_id))
    return row


async def standing(work: Work, workspace_id: UUID, found: Found) -> Standing:
    if not found.by_site:
        return Standing(found.role)
    whose = (workspace_id, found.user_id)
    sites = await queries.sites_of_members(work.db, Reach.whole(workspace_id), [whose])
    return Standing(found.role, frozenset(sites[whose]))


async def keep_an_owner(work: Work, workspace_id: UUID, losing: Found) -> None:
    """Raises Conflict where this is the last owner, who may neither go nor become less."""
    owners = await work.db.first(_OWNERS, workspace_id=workspace_id)
    if losing.role is Role.OWNER and (owners is None or owners.number <= 1):
        raise rules.last_owner()


async def put(work: Work, workspace_id: UUID, user_id: UUID, now: Standing, *, new: bool) -> None:
    """What somebody is from here on."""
    values = {"role": now.role, "by_site": now.sites is not None}
    whose = {"workspace_id": workspace_id, "user_id": user_id}
    if new:
        await work.db.execute(insert(Member).values(**whose, **values, joined_at=work.now))
    else:
        of_them = (MemberSite.workspace_id == workspace_id, MemberSite.user_id == user_id)
        await work.db.execute(delete(MemberSite).where(*of_them))
        found = (Member.workspace_id == workspace_id, Member.user_id == user_id)
        await work.db.execute(update(Member).where(*found).values(**values))
    if now.sites:
        await work.db.execute(insert(MemberSite), [{**whose, "site_id": id} for id in sorted(now.sites)])


async def known_sites(work: Work, workspace_id: UUID, ids: Collection[UUID]) -> frozenset[UUID]:
    """Those that are sites of the workspace."""
    return frozenset(row.id for row in await work.db.all(_KNOWN, workspace_id=workspace_id, ids=ids))


async def require_sites(work: Work, workspace_id: UUID, ids: Collection[UUID] | None) -> None:
    """Raises NotFound for a site that is not the workspace's. None: no single ones are meant."""
    missing = sorted(set(ids) - await known_sites(work, workspace_id, ids)) if ids else []
    if missing:
        raise NotFound("There is no such site in this workspace.", encode(Kind.SITE, missing[0]))
