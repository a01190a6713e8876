"""What a data folder begins with: a migrated database, the first workspace, its owner and their key."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from alembic.util import CommandError

from app import folder
from app.errors import Unusable
from app.settings import Settings
from app.wiring import KINDS, House, wire
from domain import accounts, history, keys, sites, workspaces
from domain.access import SYSTEM, Actor, Role
from domain.ids import new_id
from infra.bus.nats import BusAway, NatsBus, NatsUnusable
from infra.cache.server import RedisUnusable
from infra.db import migrate, roles

FIRST = "default"
NO_ROLE = "The role of PACEMARK_DATABASE_URL is not there: create it first, as deploy/README.md says."
ANOTHER_ROLE = (
    "in production it may do none of that. Create one that may only log in, name it in PACEMARK_DATABASE_URL and the owner in "
    "PACEMARK_MIGRATION_URL, and run: pacemark migrate"
)
AWAY = "NATS cannot be reached: see that it runs where PACEMARK_NATS_URL says."


@asynccontextmanager
async def embedded(
    settings: Settings, *, process: str | None = None, allow_private: bool = False, live: bool = True
) -> AsyncGenerator[tuple[House, UUID], None]:
    """A house ready for use, whatever was there before, and the id of its workspace `default`."""
    await bring_up_to_date(settings)
    async with wire(settings, process=process, allow_private=allow_private, live=live) as house:
        yield house, await first_workspace(house)


@asynccontextmanager
async def complete(settings: Settings, process: str) -> AsyncGenerator[House, None]:
    """A house whose services are all there, and of a version that this program knows. Raises Unusable."""
    await _require_walls(settings)
    async with AsyncExitStack() as closing:
        try:
            house = await closing.enter_async_context(wire(settings, process=process))
        except (NatsUnusable, RedisUnusable) as error:
            raise Unusable(str(error)) from None
        except BusAway:
            raise Unusable(AWAY) from None
        yield house


async def database_version(settings: Settings, url: str | None = None) -> str | None:
    """None: an empty database. Raises Unusable where it cannot be reached. `url`: asked as another role."""
    folder.make(settings.data)
    try:
        return await migrate.current(url or settings.database)
    # Whatever goes wrong here, and each driver has its own words for it, we could not get in.
    except Exception as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Unusable(f"The database cannot be reached: {why}") from error


async def bring_up_to_date(settings: Settings, to: str = "head", *, restored: bool = False) -> tuple[str | None, str | None]:
    """Migrate up; the version before and after. Raises Unusable.

    `restored`: the database is a copy, behind which there was more. Places would be given a second time, so a new history
    begins, and the streams are made its own, whosever they are.
    """
    async with folder.alone(settings.data):
        owner, service = settings.migrating_database, roles.service_role(settings.database, settings.migrating_database)
        before = await database_version(settings, owner)
        if before != migrate.newest() or to != "head" or service is not None:
            try:
                await migrate.upgrade(owner, to, service=service)
            except CommandError as error:
                raise Unusable(f"The database is at version {before or 'none'}: {error}") from None
            except roles.NoSuchRole:
                raise Unusable(NO_ROLE) from None
        if to == "head" and (settings.nats_url is not None or restored):
            await _carry(settings, restored=restored)
        return before, await database_version(settings, owner)


async def _carry(settings: Settings, *, restored: bool) -> None:
    """What carries the events and jobs of this database: streams for NATS; for tables, nothing but what `restored` asks for."""
    async with wire(settings, live=False) as house:
        if not isinstance(house.bus, NatsBus):
            await _begin_anew(house)
            return
        await house.bus.start(whosever=restored)
        try:
            if restored:
                await _begin_anew(house)
            state = await history.state(house.database.reader)
            await house.bus.declare(state.id, state.published + 1, KINDS)
        except NatsUnusable as error:
            raise Unusable(str(error)) from None
        except BusAway:
            raise Unusable(AWAY) from None
        finally:
            await house.bus.stop()


async def _begin_anew(house: House) -> None:
    """A history behind everything that the former one, or another in its streams, may have told."""
    anew, last = new_id(), (await history.state(house.database.reader)).last
    if isinstance(house.bus, NatsBus):
        last = max(last, await house.bus.last())
        await house.bus.start_over(anew, last + 1)
    async with house.database.work(SYSTEM) as work:
        await history.begin_anew(work, anew, last)


async def require_current(settings: Settings) -> None:
    """Raises Unusable where the database is not at the version of this program."""
    version, needed = await database_version(settings), migrate.newest()
    if version != needed:
        raise Unusable(f"The database is at version {version or 'none'} and this program needs {needed}. Run: pacemark migrate")


async def _require_walls(settings: Settings) -> None:
    """Raises Unusable where a process in production could pass PostgreSQL's row-level security by."""
    if not settings.is_production:
        return
    faults = await roles.standing_of_role(settings.database)
    if faults.any:
        raise Unusable(f"The role of PACEMARK_DATABASE_URL {faults}: {ANOTHER_ROLE}")


async def owner(house: House, workspace_id: UUID) -> Actor:
    """Whoever can read the data folder and start programs on it owns what is in it."""
    user = await workspaces.first_owner(house.database.reader, workspace_id)
    return Actor(roles={workspace_id: Role.OWNER}, user_id=user)


async def first_workspace(house: House) -> UUID:
    """The workspace `default`, made where there is none, with its owner and profiles. Returns its id."""
    async with folder.alone(house.settings.data):
        known = await workspaces.find(house.database.reader, FIRST)
        if known is not None:
            return known.id
        async with house.database.work(SYSTEM) as work:
            user = await accounts.register(work, name="Owner")
            workspace_id = await workspaces.create(work, slug=FIRST, name="Default", owner_id=user)
            work.actor = Actor(roles={workspace_id: Role.OWNER}, user_id=user)
            await sites.seed_profiles(work, workspace_id=workspace_id)
        return workspace_id


async def issue_key(house: House, workspace_id: UUID, *, name: str, role: Role, client_id: UUID | None = None) -> str:
    """A key for the workspace's first owner, or of theirs for one of its API clients."""
    actor = await owner(house, workspace_id)
    async with house.database.work(actor) as work:
        return await keys.issue(
            work,
            workspace_id=workspace_id,
            name=name,
            role=role,
            keyring=house.keyring,
            user_id=actor.user_id,
            client_id=client_id,
        )


async def first_key(house: House, workspace_id: UUID) -> str:
    """The key that `pacemark up` prints, kept beside the database: who can read the one can read the other."""
    path = house.settings.data / "key"
    if path.exists():
        key = path.read_text().strip()
        if await keys.actor_for_key(house.database.reader, key, house.keyring) is not None:
            return key
        path.unlink()
    key = await issue_key(house, workspace_id, name="first key", role=Role.OWNER)
    return folder.kept_text(path, lambda: key)
