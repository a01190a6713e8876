"""What is done to members: nobody makes another more than they are, and somebody stays who owns the workspace."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from .. import accounts, security
from ..access import Permission, Role
from ..ids import Kind, encode
from ..security import SecurityKind
from ..work import Work
from . import rules, turns
from .model import Invitation, Member


async def change_member(
    work: Work, *, workspace_id: UUID, user_id: UUID, role: Role | None, sites: Collection[UUID] | None, all_sites: bool
) -> None:
    """What a member is from now on; None leaves the role and the sites as they are, `all_sites` gives the whole workspace."""
    work.actor.require(Permission.MEMBER_WRITE, workspace_id)
    await turns.take(work, workspace_id, Permission.MEMBER_WRITE)
    found = await turns.member(work, workspace_id, user_id)
    rules.refuse_to_touch(work.actor, workspace_id, found.role)
    had = await turns.standing(work, workspace_id, found)
    wanted = None if all_sites else sites if sites is not None else had.sites
    now = rules.check_standing(role or had.role, wanted)
    rules.refuse_to_grant(work.actor, workspace_id, now.role)
    await turns.require_sites(work, workspace_id, sites)
    if now.role is not Role.OWNER:
        await turns.keep_an_owner(work, workspace_id, found)
    await turns.put(work, workspace_id, user_id, now, new=False)
    details = {"role": str(now.role), "sites": len(now.sites) if now.sites is not None else None}
    _log(work, SecurityKind.MEMBER_CHANGED, workspace_id, user_id, **details)


async def remove_member(work: Work, *, workspace_id: UUID, user_id: UUID) -> None:
    """They see nothing of it from now on; keys in their name open nothing any more."""
    work.actor.require(Permission.MEMBER_WRITE, workspace_id)
    await turns.take(work, workspace_id, Permission.MEMBER_WRITE)
    found = await turns.member(work, workspace_id, user_id)
    rules.refuse_to_touch(work.actor, workspace_id, found.role)
    await _take_away(work, workspace_id, found)


async def leave(work: Work, *, workspace_id: UUID) -> None:
    """Whoever is signed in is no member any more."""
    user_id = accounts.person(work.actor)
    work.actor.require(Permission.READ, workspace_id)
    await turns.take(work, workspace_id, Permission.READ)
    await _take_away(work, workspace_id, await turns.member(work, workspace_id, user_id))


async def _take_away(work: Work, workspace_id: UUID, found: turns.Found) -> None:
    await turns.keep_an_owner(work, workspace_id, found)
    await work.db.execute(delete(Member).where(Member.workspace_id == workspace_id, Member.user_id == found.user_id))
    # Whom they invited may be themselves.
    theirs = (Invitation.workspace_id == workspace_id, Invitation.invited_by == found.user_id)
    await work.db.execute(delete(Invitation).where(*theirs))
    _log(work, SecurityKind.MEMBER_REMOVED, workspace_id, found.user_id, role=str(found.role))


def _log(work: Work, kind: SecurityKind, workspace_id: UUID, user_id: UUID, **details: Any) -> None:
    security.log(work, kind, workspace_id=workspace_id, subject=encode(Kind.USER, user_id), **details)
