"""What was there before there were clients and documents is there afterwards."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from domain import keys
from domain.access import Role
from domain.keyring import Keyring
from domain.keys import rules
from infra.db import migrate
from infra.db.database import SqlDatabase

BEFORE = "2026_11_22_1200"
KEYRING = Keyring([b"secret"])
USER, WORKSPACE, KEY = (UUID(int=number) for number in (1, 2, 3))
MOMENT = "2026-05-13T12:00:00.000000Z"


async def run(database: SqlDatabase, *statements: str) -> None:
    async with database.writes.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_key_from_before_is_one_of_no_client(database_url: str) -> None:
    await migrate.upgrade(database_url, BEFORE)
    database = SqlDatabase(database_url)
    key = rules.mint()
    named = f"'{KEY.hex}', '{WORKSPACE.hex}', '{USER.hex}', 'CI', '{rules.prefix(key)}', '{KEYRING.digest(key)}'"
    await run(
        database,
        f"INSERT INTO users (id, name, created_at) VALUES ('{USER.hex}', 'Owner', '{MOMENT}')",
        f"INSERT INTO workspaces (id, slug, name, created_at) VALUES ('{WORKSPACE.hex}', 'acme', 'Acme', '{MOMENT}')",
        "INSERT INTO members (workspace_id, user_id, role, joined_at) "
        f"VALUES ('{WORKSPACE.hex}', '{USER.hex}', 'OWNER', '{MOMENT}')",
        "INSERT INTO api_keys (id, workspace_id, user_id, name, prefix, digest, role, created_at) "
        f"VALUES ({named}, 'VIEWER', '{MOMENT}')",
    )
    for _ in range(2):
        await migrate.upgrade(database_url)
        actor = await keys.actor_for_key(database.reader, key, KEYRING)
        assert actor is not None
        assert (actor.key_id, actor.user_id, actor.client_id) == (KEY, USER, None)
        assert actor.roles == {WORKSPACE: Role.VIEWER}
        await migrate.downgrade(database_url, BEFORE)
    await migrate.upgrade(database_url)
    await run(database, f"DELETE FROM users WHERE id = '{USER.hex}'")
    assert await keys.actor_for_key(database.reader, key, KEYRING) is None, "what the key refers to is still referred to"
    await database.close()
