"""People who are signed in, and what they are where."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import accounts, security, workspaces
from domain.access import SYSTEM, Actor, Role
from domain.ids import new_id
from domain.keyring import MAIL, Keyring
from domain.mails import StoredMail
from domain.workspaces import rules, turns
from infra.db.database import SqlDatabase, utc_now
from tests.databases import everybodys, new_page, new_workspace

KEYRING = Keyring([b"secret"])
LINK = "https://pacemark.test"


class Clock:
    """The time of day, put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


async def person(database: SqlDatabase, email: str, *, verified: bool = True) -> Actor:
    id = new_id()
    async with database.work(SYSTEM) as work:
        user = accounts.User(id=id, name=email.partition("@")[0], email=email, created_at=work.now)
        user.verified_at = work.now if verified else None
        work.db.add(user)
    return Actor(user_id=id, session_id=new_id())


async def there(database: SqlDatabase, actor: Actor) -> Actor:
    """Whoever it is, as they are now."""
    assert actor.user_id is not None
    found = (await workspaces.memberships_of(database.reader, [actor.user_id]))[actor.user_id]
    return replace(actor, roles=found.roles, sites=found.sites)


async def join(database: SqlDatabase, workspace_id: UUID, email: str, role: Role, *sites: UUID) -> Actor:
    actor = await person(database, email)
    assert actor.user_id is not None
    async with database.work(SYSTEM) as work:
        standing = rules.Standing(role, frozenset(sites) or None)
        await turns.put(work, workspace_id, actor.user_id, standing, new=True)
    return await there(database, actor)


async def owned(database: SqlDatabase, slug: str = "acme") -> tuple[UUID, Actor]:
    id, owner = await new_workspace(database, slug)
    return id, replace(owner, session_id=new_id())


async def site(database: SqlDatabase, workspace_id: UUID, actor: Actor, name: str = "a") -> UUID:
    async with database.work(actor) as work:
        return (await new_page(work, workspace_id, f"https://{name}.example/")).site_id


async def logged(database: SqlDatabase) -> list[tuple[str, dict[str, Any]]]:
    async with everybodys(database) as connection:
        entry = security.SecurityEntry
        rows = await connection.execute(select(entry.kind, entry.details).order_by(entry.id))
        return [(str(kind), details) for kind, details in rows]


async def mailed(database: SqlDatabase) -> list[Any]:
    """What was mailed, the last one last."""
    async with everybodys(database) as connection:
        rows = await connection.execute(select(StoredMail.template, StoredMail.sealed).order_by(StoredMail.id))
        return [(str(template), json.loads(KEYRING.open(sealed, MAIL))) for template, sealed in rows]
