"""What is done to API keys."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, update

from .. import documents, security, workspaces
from ..access import Permission, Reach, Role
from ..base import count
from ..errors import Conflict, LimitReached, NotFound, ProblemCode
from ..ids import Kind, encode, new_id
from ..keyring import Keyring
from ..security import SecurityKind
from ..work import Work
from . import queries, rules
from .model import ApiKey, ApiKeyRow

_NUMBER = count(ApiKey, ApiKey.workspace_id == bindparam("workspace_id"), ApiKey.revoked_at.is_(None))


class Rotated(NamedTuple):
    """The new key's id, and its text, which can never be read again. `former` is good until `until`."""

    id: UUID
    text: str
    former: ApiKeyRow
    until: datetime


async def issue(
    work: Work,
    *,
    workspace_id: UUID,
    name: str,
    role: Role,
    keyring: Keyring,
    user_id: UUID | None = None,
    client_id: UUID | None = None,
    scopes: Collection[Permission] | None = None,
    sites: Collection[UUID] | None = None,
    expires_at: datetime | None = None,
    key_id: UUID | None = None,
) -> str:
    """A new key, of an API client or of none; its text is returned here once and can never be read again.

    `scopes` and `sites`: None for all that the role grants, in all of the workspace. `key_id` is the id that it gets. A key
    in somebody's name does no more than they may as long as it lives, and nothing once they are gone.
    """
    work.actor.require(Permission.KEY_WRITE, workspace_id)
    chosen = rules.check_scopes(scopes, role)
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "user_id": user_id,
        "client_id": client_id,
        "name": rules.check_name(name),
        "role": role,
        "scopes": sorted(chosen) if chosen is not None else None,
        "sites": sorted(site.hex for site in workspaces.check_sites(sites)) if sites is not None else None,
        "expires_at": rules.check_expiry(expires_at, work.now),
    }
    await workspaces.take_turn(work, workspace_id, Permission.KEY_WRITE)
    rules.refuse_more(work.actor, workspace_id, role, chosen)
    rules.refuse_others(work.actor, client_id)
    await _refuse_longer(work, values["expires_at"])
    there = await work.db.first(_NUMBER, workspace_id=workspace_id)
    if there is not None and there.number >= rules.MAX_KEYS:
        raise LimitReached(f"A workspace has at most {rules.MAX_KEYS:,} keys: revoke one first.", rules.MAX_KEYS)
    if client_id is not None and client_id not in await documents.clients_by_ids(
        work.db, Reach.whole(workspace_id), [client_id]
    ):
        raise NotFound("There is no such client in this workspace.", encode(Kind.CLIENT, client_id))
    await workspaces.require_sites(work, workspace_id, sites)
    id = key_id or new_id()
    text = await _made(work, id, keyring, values)
    _log(work, SecurityKind.KEY_ISSUED, workspace_id, id, name=values["name"], role=str(role), scopes=values["scopes"])
    return text


async def rotate(work: Work, *, key_id: UUID, overlap_hours: int = 24, keyring: Keyring) -> Rotated:
    """A new key with all the same, of whoever asks for it where the former was a person's, which is good a while longer."""
    row = await _key(work, key_id)
    work.actor.require(Permission.KEY_WRITE, row.workspace_id)
    overlap = rules.check_overlap(overlap_hours)
    await workspaces.take_turn(work, row.workspace_id, Permission.KEY_WRITE)
    known, row = row, await _key(work, key_id)
    if row.expires_at != known.expires_at:
        raise Conflict("Somebody else rotated this key at the same time.", ProblemCode.STATE_CHANGED)
    rules.refuse_others(work.actor, row.client_id)
    await _refuse_longer(work, row.expires_at)
    scopes = [Permission(each) for each in row.scopes] if row.scopes is not None else None
    rules.refuse_more(work.actor, row.workspace_id, Role(row.role), scopes)
    if row.expires_at is not None and row.expires_at <= work.now:
        raise Conflict("This key has expired: issue another one.", ProblemCode.STATE_CHANGED)
    until = min(work.now + overlap, row.expires_at or work.now + overlap)
    alive = (ApiKey.id == key_id, ApiKey.workspace_id == row.workspace_id, ApiKey.revoked_at.is_(None))
    ended = {"expires_at": until} if overlap else {"revoked_at": work.now}
    changed = await work.db.execute(update(ApiKey).where(*alive).values(**ended).returning(ApiKey.id))
    if changed.first() is None:
        raise work.actor.absent(Permission.KEY_WRITE, Kind.KEY, key_id)
    same = ("workspace_id", "client_id", "name", "role", "scopes", "sites", "expires_at")
    values = {name: getattr(row, name) for name in same}
    by_operator = work.actor.session_id is None and work.actor.key_id is None
    values["user_id"] = row.user_id if by_operator else work.actor.user_id or row.user_id
    id = new_id()
    text = await _made(work, id, keyring, values)
    _log(work, SecurityKind.KEY_ROTATED, row.workspace_id, key_id, name=row.name, key=encode(Kind.KEY, id))
    return Rotated(id, text, row, until)


async def revoke(work: Work, *, key_id: UUID) -> ApiKeyRow:
    """From now on it opens nothing, and what is open with it ends. Raises NotFound for one that was revoked already."""
    row = await _key(work, key_id)
    work.actor.require(Permission.KEY_WRITE, row.workspace_id)
    await workspaces.take_turn(work, row.workspace_id, Permission.KEY_WRITE)
    alive = (ApiKey.id == key_id, ApiKey.workspace_id == row.workspace_id, ApiKey.revoked_at.is_(None))
    gone = await work.db.execute(update(ApiKey).where(*alive).values(revoked_at=work.now).returning(ApiKey.id))
    if gone.first() is None:
        raise work.actor.absent(Permission.KEY_WRITE, Kind.KEY, key_id)
    _log(work, SecurityKind.KEY_REVOKED, row.workspace_id, key_id, name=row.name)
    return row


async def _refuse_longer(work: Work, expires_at: datetime | None) -> None:
    if (key_id := work.actor.key_id) is not None:
        own = (await queries.by_ids(work.db, work.actor.reach, [key_id])).get(key_id)
        rules.refuse_longer(own.expires_at if own is not None else None, expires_at)


async def _key(work: Work, key_id: UUID) -> ApiKeyRow:
    row = (await queries.by_ids(work.db, work.actor.reach, [key_id])).get(key_id)
    if row is None:
        raise work.actor.absent(Permission.KEY_WRITE, Kind.KEY, key_id)
    return row


async def _made(work: Work, id: UUID, keyring: Keyring, values: dict[str, Any]) -> str:
    text = rules.mint()
    work.db.add(ApiKey(id=id, prefix=rules.prefix(text), digest=keyring.digest(text), created_at=work.now, **values))
    await work.db.flush()
    return text


def _log(work: Work, kind: SecurityKind, workspace_id: UUID, key_id: UUID, **details: Any) -> None:
    security.log(work, kind, workspace_id=workspace_id, subject=encode(Kind.KEY, key_id), **details)
