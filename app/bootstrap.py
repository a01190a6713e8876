"""The first workspace, its owner and their key: what a new data folder begins with."""

from __future__ import annotations

from uuid import UUID

from app.settings import kept_text
from app.wiring import House
from domain import accounts, keys, sites, workspaces
from domain.access import NOBODY, Actor, Role
from infra.db import migrate

FIRST = "default"


def operator(workspace_id: UUID) -> Actor:
    """Whoever can read the data folder and start programs on it owns what is in it."""
    return Actor(roles={workspace_id: Role.OWNER})


async def prepare(house: House) -> UUID:
    """Migrate, and make the workspace `default` where there is none. Returns its id."""
    await migrate.upgrade(house.database.url)
    known = await workspaces.find(house.database.reader, FIRST)
    if known is not None:
        return known.id
    async with house.database.work(NOBODY) as work:
        owner = await accounts.register(work, name="Owner")
        workspace_id = await workspaces.create(work, slug=FIRST, name="Default", owner_id=owner)
        work.actor = operator(workspace_id)
        await sites.seed_profiles(work, workspace_id=workspace_id)
    return workspace_id


async def issue_key(house: House, workspace_id: UUID, *, name: str, role: Role) -> str:
    """A key for the workspace's first owner."""
    owner = await workspaces.first_owner(house.database.reader, workspace_id)
    async with house.database.work(operator(workspace_id)) as work:
        return await keys.issue(work, workspace_id=workspace_id, name=name, role=role, pepper=house.pepper, user_id=owner)


async def first_key(house: House, workspace_id: UUID) -> str:
    """The key that `pacemark up` prints, kept beside the database: who can read the one can read the other."""
    path = house.settings.data / "key"
    if path.exists():
        key = path.read_text().strip()
        if await keys.actor_for_key(house.database.reader, key, house.pepper) is not None:
            return key
        path.unlink()
    key = await issue_key(house, workspace_id, name="first key", role=Role.OWNER)
    return kept_text(path, lambda: key)
