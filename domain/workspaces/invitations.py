"""Inviting people by e-mail, and coming in by it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete

from .. import accounts, mails, security
from ..access import GRANTS, Permission, Role
from ..base import count
from ..errors import LimitReached, NotAllowed
from ..ids import Kind, encode, new_id
from ..keyring import Keyring
from ..mails import Template
from ..security import SecurityKind
from ..work import Work
from . import queries, rules, turns
from .model import Invitation, InvitationRow
from .rules import Standing

_OPEN = count(
    Invitation,
    Invitation.workspace_id == bindparam("workspace_id"),
    Invitation.email != bindparam("email"),
    Invitation.expires_at > bindparam("now", type_=Invitation.expires_at.type),
)


async def invite(
    work: Work,
    *,
    workspace_id: UUID,
    email: str,
    role: Role,
    sites: Collection[UUID] | None,
    keyring: Keyring,
    base_url: str,
) -> UUID:
    """A mail with a link that is good for a week; it takes the place of an earlier one to the same address."""
    work.actor.require(Permission.MEMBER_WRITE, workspace_id)
    email = accounts.checked_email(email)
    now = rules.check_standing(role, sites)
    await turns.take(work, workspace_id, Permission.MEMBER_WRITE)
    rules.refuse_to_grant(work.actor, workspace_id, role)
    await turns.require_sites(work, workspace_id, sites)
    others = await work.db.first(_OPEN, workspace_id=workspace_id, email=email, now=work.now)
    if others is not None and others.number >= rules.MAX_INVITATIONS:
        raise LimitReached(f"A workspace has at most {rules.MAX_INVITATIONS} open invitations.", rules.MAX_INVITATIONS)
    await work.db.execute(delete(Invitation).where(Invitation.workspace_id == workspace_id, Invitation.email == email))
    id, token = new_id(), rules.mint(workspace_id)
    work.db.add(
        Invitation(
            id=id,
            workspace_id=workspace_id,
            email=email,
            role=role,
            sites=sorted(site.hex for site in now.sites) if now.sites is not None else None,
            digest=keyring.digest(token),
            invited_by=work.actor.user_id,
            created_at=work.now,
            expires_at=work.now + rules.OPEN,
        )
    )
    await work.db.flush()
    await _mail(work, workspace_id, email, role, f"{base_url}/auth/invitation?token={token}", keyring)
    _log(work, SecurityKind.MEMBER_INVITED, workspace_id, id, email=email, role=str(role))
    return id


async def revoke_invitation(work: Work, *, invitation_id: UUID) -> None:
    """Its link opens nothing from now on."""
    row = (await queries.invitations_by_ids(work.db, work.actor.reach, [invitation_id])).get(invitation_id)
    if row is None:
        raise work.actor.absent(Permission.MEMBER_WRITE, Kind.INVITATION, invitation_id)
    work.actor.require(Permission.MEMBER_WRITE, row.workspace_id)
    await turns.take(work, row.workspace_id, Permission.MEMBER_WRITE)
    rules.refuse_to_touch(work.actor, row.workspace_id, Role(row.role))
    this = (Invitation.id == invitation_id, Invitation.workspace_id == row.workspace_id)
    gone = await work.db.execute(delete(Invitation).where(*this).returning(Invitation.id))
    if gone.first() is None:  # somebody came in by it meanwhile
        raise work.actor.absent(Permission.MEMBER_WRITE, Kind.INVITATION, invitation_id)
    _log(work, SecurityKind.INVITATION_REVOKED, row.workspace_id, invitation_id, email=row.email)


async def accept(work: Work, *, token: str, keyring: Keyring) -> UUID:
    """Whoever is signed in joins, or is more than they were, if the invitation was sent to them. The workspace's id.

    Raises NotFound for a link that is good no more, and NotAllowed for another's.
    """
    user_id = accounts.person(work.actor)
    workspace_id = rules.workspace_of(token)
    if workspace_id is None:
        raise rules.no_invitation()
    await work.db.reach_into(workspace_id)
    # Whoever brings none waits for nobody; whoever brings the same one at the same time finds it used.
    brought = await queries.invitation_by_token(work.db, token, keyring, work.now)
    if brought is None or not await turns.lock(work, workspace_id, live=True):
        raise rules.no_invitation()
    row = await queries.invitation_by_token(work.db, token, keyring, work.now)
    if row is None or not await _is_meant(work, row):
        raise rules.no_invitation()
    person = await accounts.get(work.db, user_id)
    if person is None or person.verified_at is None or person.email != row.email:
        raise NotAllowed("Sign in with the e-mail to which the invitation was sent, once it is verified.", Permission.READ)
    sites = await turns.known_sites(work, workspace_id, [UUID(hex=site) for site in row.sites]) if row.sites else None
    if row.sites is not None and not sites:
        raise rules.no_invitation()
    found = await turns.find(work, workspace_id, user_id)
    given = Standing(Role(row.role), sites)
    now = rules.widened(await turns.standing(work, workspace_id, found), given) if found else given
    await work.db.execute(delete(Invitation).where(Invitation.id == row.id, Invitation.workspace_id == workspace_id))
    await turns.put(work, workspace_id, user_id, now, new=found is None)
    kind = SecurityKind.MEMBER_CHANGED if found else SecurityKind.MEMBER_JOINED
    security.log(work, kind, workspace_id=workspace_id, subject=encode(Kind.USER, user_id), role=str(now.role))
    return workspace_id


async def _is_meant(work: Work, row: InvitationRow) -> bool:
    """Whether whoever invited may still do so. Nobody's key, and the operator, are nobody who could become less."""
    if row.invited_by is None:
        return True
    inviter = await turns.find(work, row.workspace_id, row.invited_by)
    return inviter is not None and not inviter.by_site and GRANTS[Role(row.role)] <= GRANTS[inviter.role]


async def _mail(work: Work, workspace_id: UUID, email: str, role: Role, link: str, keyring: Keyring) -> None:
    workspace = await queries.named(work.db, workspace_id)
    person = await accounts.get(work.db, work.actor.user_id) if work.actor.user_id is not None else None
    values = {
        "link": link,
        "name": email,
        "workspace": workspace.name if workspace else "",
        "inviter": person.name if person else "an administrator",
        "role": str(role),
    }
    await mails.send(work, Template.INVITATION, to=email, values=values, keyring=keyring)


def _log(work: Work, kind: SecurityKind, workspace_id: UUID, invitation_id: UUID, **details: Any) -> None:
    security.log(work, kind, workspace_id=workspace_id, subject=encode(Kind.INVITATION, invitation_id), **details)
