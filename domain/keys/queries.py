"""Reads of API keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, or_, select

from ..access import GRANTS, Actor, Permission, Reach, Role
from ..base import Query, UtcDateTime, one_of, query
from ..keyring import Keyring
from ..paging import Keyset
from ..ports import Reader
from ..workspaces import Member, Workspace
from . import rules
from .model import ApiKey, ApiKeyRow


class _OpeningRow(NamedTuple):
    """A key that is good now. `members_role`: what the person is in whose name it is."""

    id: UUID
    workspace_id: UUID
    user_id: UUID | None
    client_id: UUID | None
    role: Role
    scopes: list[str] | None
    sites: list[str] | None
    members_role: Role | None


_KEYS = query(ApiKeyRow, ApiKey).where(ApiKey.revoked_at.is_(None))
_BY_ID = _KEYS.where(one_of(ApiKey.id, "ids"), one_of(ApiKey.workspace_id, "reach"))

# Whose person is gone, or came back since, or was given single sites only, opens nothing.
_GOOD: Query[_OpeningRow] = Query(
    _OpeningRow,
    select(
        ApiKey.id,
        ApiKey.workspace_id,
        ApiKey.user_id,
        ApiKey.client_id,
        ApiKey.role,
        ApiKey.scopes,
        ApiKey.sites,
        Member.role.label("members_role"),
    )
    .join(Workspace, Workspace.id == ApiKey.workspace_id)
    .outerjoin(Member, (Member.workspace_id == ApiKey.workspace_id) & (Member.user_id == ApiKey.user_id))
    .where(
        Workspace.deleted_at.is_(None),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > bindparam("now", type_=UtcDateTime())),
        or_(ApiKey.user_id.is_(None), Member.by_site.is_(False) & (Member.joined_at <= ApiKey.created_at)),
    ),
)
_BY_DIGEST = _GOOD.where(one_of(ApiKey.digest, "digests")).beyond_reach("Finds out who asks, by their secret.")
_GOOD_BY_ID = _GOOD.where(one_of(ApiKey.id, "ids"), one_of(ApiKey.workspace_id, "reach"))

KEYS = Keyset("keys", _KEYS, parent=ApiKey.workspace_id, tenant=ApiKey.workspace_id, keys=(ApiKey.id,))
"""Those that were not revoked, the oldest first."""


async def actor_for_key(reader: Reader, key: str, keyring: Keyring) -> Actor | None:
    """Whoever holds this key; None when it is not a key, or no longer one."""
    if not rules.is_key(key):
        return None
    row = await reader.first(_BY_DIGEST, digests=keyring.digests(key), now=datetime.now(UTC))
    if row is None:
        return None
    return _as_by(row, Actor(user_id=row.user_id, key_id=row.id, client_id=row.client_id))


async def current(reader: Reader, actors: Collection[Actor]) -> Sequence[Actor]:
    """Actors as their keys stand now: without a role where it is good no more. Who has no key stays as they are."""
    ids = [actor.key_id for actor in actors if actor.key_id is not None]
    reach = Reach.whole(*{workspace_id for actor in actors for workspace_id in actor.roles})
    found = await reader.all(_GOOD_BY_ID, ids=ids, reach=reach.held, now=datetime.now(UTC)) if ids else ()
    rows = {row.id: row for row in found}
    return [_as_by(rows.get(actor.key_id), actor) if actor.key_id is not None else actor for actor in actors]


def _as_by(row: _OpeningRow | None, actor: Actor) -> Actor:
    if row is None:
        return replace(actor, roles={}, sites={})
    role = Role(row.role)
    if row.members_role is not None and not GRANTS[role] <= GRANTS[Role(row.members_role)]:
        role = Role(row.members_role)
    scopes = frozenset(Permission(each) for each in row.scopes if each in _NAMES) if row.scopes is not None else None
    sites = {row.workspace_id: frozenset(UUID(hex=each) for each in row.sites)} if row.sites is not None else {}
    return replace(actor, roles={row.workspace_id: role}, scopes=scopes, sites=sites)


_NAMES = frozenset(Permission)


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, ApiKeyRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}
