"""Reads of API keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from ..access import Actor, Reach, Role
from ..base import one_of, query
from ..keyring import Keyring
from ..paging import Keyset
from ..ports import Reader
from . import rules
from .model import ApiKey, ApiKeyRow

_KEYS = query(ApiKeyRow, ApiKey).where(ApiKey.revoked_at.is_(None))
_BY_DIGEST = _KEYS.where(one_of(ApiKey.digest, "digests"))
_BY_ID = _KEYS.where(one_of(ApiKey.id, "ids"), one_of(ApiKey.workspace_id, "reach"))

KEYS = Keyset("keys", _KEYS, parent=ApiKey.workspace_id, tenant=ApiKey.workspace_id, keys=(ApiKey.id,))
"""Those that are good, the oldest first."""


async def actor_for_key(reader: Reader, key: str, keyring: Keyring) -> Actor | None:
    """Whoever holds this key; None when it is not a key, or no longer one."""
    if not rules.is_key(key):
        return None
    row = await reader.first(_BY_DIGEST, digests=keyring.digests(key))
    if row is None:
        return None
    return Actor({row.workspace_id: Role(row.role)}, user_id=row.user_id, key_id=row.id, client_id=row.client_id)


async def current(reader: Reader, actors: Collection[Actor]) -> Sequence[Actor]:
    """Actors as their keys stand now: without a role where it was revoked. Who has no key stays as they are."""
    ids = [actor.key_id for actor in actors if actor.key_id is not None]
    reach = Reach.whole(*{workspace_id for actor in actors for workspace_id in actor.roles})
    rows = await by_ids(reader, reach, ids) if ids else {}
    return [_as_by(rows.get(actor.key_id), actor) if actor.key_id is not None else actor for actor in actors]


def _as_by(row: ApiKeyRow | None, actor: Actor) -> Actor:
    return replace(actor, roles={row.workspace_id: Role(row.role)} if row else {})


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, ApiKeyRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}
