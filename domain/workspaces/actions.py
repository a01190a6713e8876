"""What is done to tenants."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update

from .. import accounts, security
from ..access import Permission, Role
from ..base import query
from ..errors import Conflict, InvalidInput, LimitReached, NotFound, ProblemCode
from ..ids import Kind, encode, new_id
from ..security import SecurityKind
from ..work import Work
from . import rules, turns
from .model import Member, Workspace, WorkspaceRow
from .rules import Standing

_DELETED = query(WorkspaceRow, Workspace).where(
    Workspace.id == bindparam("workspace_id"), Workspace.deleted_at > bindparam("since", type_=Workspace.deleted_at.type)
)


async def create(work: Work, *, slug: str, name: str, owner_id: UUID | None = None) -> UUID:
    """A new tenant, whose first owner is whoever is signed in. `owner_id`: somebody else, where this installation asks."""
    user_id = owner_id if owner_id is not None and work.actor.everything else accounts.person(work.actor)
    slug, name, id = rules.check_slug(slug), rules.check_name(name), new_id()
    if list(work.actor.roles.values()).count(Role.OWNER) >= rules.MAX_OWNED:
        raise LimitReached(f"One person owns at most {rules.MAX_OWNED} workspaces.", rules.MAX_OWNED)
    await work.db.reach_into(id)
    work.db.add(Workspace(id=id, slug=slug, name=name, created_at=work.now))
    try:
        await work.db.flush()
    except Conflict as refused:
        raise _taken(slug) from refused
    work.db.add(Member(workspace_id=id, user_id=user_id, role=Role.OWNER, joined_at=work.now))
    await work.db.flush()
    _log(work, SecurityKind.WORKSPACE_CREATED, id, user_id=user_id, slug=slug)
    return id


async def rename(work: Work, *, workspace_id: UUID, slug: str | None = None, name: str | None = None) -> UUID:
    """None leaves what is. What is known by the former slug is not found by it any more."""
    work.actor.require(Permission.WORKSPACE_WRITE, workspace_id)
    changes = dict[str, str]()
    if slug is not None:
        changes["slug"] = rules.check_slug(slug)
    if name is not None:
        changes["name"] = rules.check_name(name)
    await turns.take(work, workspace_id, Permission.WORKSPACE_WRITE)
    if changes:
        try:
            await work.db.execute(update(Workspace).where(Workspace.id == workspace_id).values(**changes))
        except Conflict as refused:
            raise _taken(slug) from refused
        _log(work, SecurityKind.WORKSPACE_CHANGED, workspace_id, None, **changes)
    return workspace_id


async def transfer(work: Work, *, workspace_id: UUID, user_id: UUID) -> None:
    """Another member becomes OWNER, and whoever is signed in ADMIN."""
    work.actor.require(Permission.WORKSPACE_WRITE, workspace_id)
    own = accounts.person(work.actor)
    if user_id == own:
        raise InvalidInput.at("user", "This is yourself: name another member.")
    await turns.take(work, workspace_id, Permission.WORKSPACE_WRITE)
    await turns.member(work, workspace_id, user_id)
    await turns.member(work, workspace_id, own)
    await turns.put(work, workspace_id, user_id, Standing(Role.OWNER), new=False)
    myself = (Member.workspace_id == workspace_id, Member.user_id == own)
    await work.db.execute(update(Member).where(*myself).values(role=Role.ADMIN))
    _log(work, SecurityKind.WORKSPACE_TRANSFERRED, workspace_id, to=encode(Kind.USER, user_id))


async def delete_workspace(work: Work, *, workspace_id: UUID) -> None:
    """From now on nobody sees it. Its owners can bring it back until it is purged."""
    work.actor.require(Permission.WORKSPACE_WRITE, workspace_id)
    await turns.take(work, workspace_id, Permission.WORKSPACE_WRITE)
    await work.db.execute(update(Workspace).where(Workspace.id == workspace_id).values(deleted_at=work.now))
    _log(work, SecurityKind.WORKSPACE_DELETED, workspace_id)


async def restore(work: Work, *, workspace_id: UUID) -> UUID:
    """Bring back what was deleted. Raises NotFound for whoever does not own it, and for what is purged or not deleted."""
    user_id = accounts.person(work.actor)
    await work.db.reach_into(workspace_id)
    await turns.lock(work, workspace_id)
    row = await work.db.first(_DELETED, workspace_id=workspace_id, since=work.now - rules.KEPT)
    own = await turns.find(work, workspace_id, user_id)
    if row is None or own is None or own.role != Role.OWNER:
        message = "There is no such deleted workspace, or it is not yours."
        raise NotFound(message, encode(Kind.WORKSPACE, workspace_id))
    await work.db.execute(update(Workspace).where(Workspace.id == workspace_id).values(deleted_at=None))
    _log(work, SecurityKind.WORKSPACE_RESTORED, workspace_id)
    return workspace_id


def _taken(slug: str | None) -> Conflict:
    return Conflict(f"The slug {slug} is taken: choose another one.", ProblemCode.ALREADY_EXISTS)


def _log(work: Work, kind: SecurityKind, id: UUID, user_id: UUID | None = None, **details: Any) -> None:
    subject = encode(Kind.WORKSPACE, id)
    security.log(work, kind, workspace_id=id, user_id=user_id, subject=subject, **details)
