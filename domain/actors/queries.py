"""Who asks: found by what they bring, and looked after for as long as they stay."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from .. import accounts, keys, workspaces
from ..access import NOBODY, Actor
from ..keyring import Keyring
from ..ports import Reader


async def of_key(reader: Reader, text: str, keyring: Keyring) -> Actor | None:
    """Whoever holds this API key; None when it is not a key, or no longer one."""
    return await keys.actor_for_key(reader, text, keyring)


async def of_session(reader: Reader, user_id: UUID, session_id: UUID) -> Actor | None:
    """Whoever is signed in there; None when nobody is any more."""
    (actor,) = await current(reader, [Actor(user_id=user_id, session_id=session_id)])
    return actor if actor.session_id is not None else None


async def current(reader: Reader, actors: Collection[Actor]) -> Sequence[Actor]:
    """Actors as they are now: nobody, where their key or their session is good no longer."""
    by_key = await keys.current(reader, [actor for actor in actors if actor.key_id is not None])
    by_session = await _signed_in(reader, [actor for actor in actors if actor.key_id is None and actor.session_id is not None])
    good = {_brought(actor): actor for actor in (*(actor for actor in by_key if actor.roles), *by_session)}
    return [good.get(_brought(actor), NOBODY) if any(_brought(actor)) else actor for actor in actors]


async def afresh(reader: Reader, actor: Actor) -> Actor:
    """An actor after a change of who is what where."""
    if actor.key_id is not None:
        return (await keys.current(reader, [actor]))[0]
    if actor.user_id is None:
        return actor
    found = (await workspaces.memberships_of(reader, [actor.user_id]))[actor.user_id]
    return replace(actor, roles=found.roles, sites=found.sites)


def _brought(actor: Actor) -> tuple[UUID | None, UUID | None]:
    return actor.key_id, actor.session_id


async def _signed_in(reader: Reader, actors: Collection[Actor]) -> Sequence[Actor]:
    sessions = {actor.session_id for actor in actors if actor.session_id is not None}
    if not sessions:
        return []
    live = await accounts.live_sessions(reader, sessions, datetime.now(UTC))
    whose = {(row.user_id, row.id) for row in live.values()}
    found = await workspaces.memberships_of(reader, {user_id for user_id, _ in whose})
    return [
        replace(actor, roles=found[actor.user_id].roles, sites=found[actor.user_id].sites)
        for actor in actors
        if actor.user_id is not None and (actor.user_id, actor.session_id) in whose
    ]
