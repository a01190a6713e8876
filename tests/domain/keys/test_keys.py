"""API keys: recognised by their checksum, found by their digest, and never kept as they are."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from domain import keys
from domain.access import Actor, Reach, Role
from domain.base import Base
from domain.errors import InvalidInput, NotAllowed, NotFound
from domain.ids import new_id
from domain.keyring import Keyring
from domain.keys import rules
from domain.paging import Window
from infra.db.database import SqlDatabase
from tests.databases import everybodys, new_workspace

KEYRING = Keyring([b"secret"])


async def issue(database: SqlDatabase, workspace: UUID, actor: Actor, role: Role = Role.MEMBER, name: str = "CI") -> str:
    async with database.work(actor) as work:
        return await keys.issue(work, workspace_id=workspace, name=name, role=role, keyring=KEYRING, user_id=actor.user_id)


def test_a_key_has_its_shape_and_no_two_are_alike() -> None:
    minted = {rules.mint() for _ in range(500)}
    assert len(minted) == 500
    assert all(rules.is_key(key) and len(key) == 51 and key.startswith("pmk_") for key in minted)
    assert len({rules.prefix(key) for key in minted}) > 490


def test_every_single_typing_error_is_noticed_without_the_database() -> None:
    key = rules.mint()
    for place in range(len(key)):
        for wrong in "a0z_-A":
            if key[place] != wrong:
                assert not rules.is_key(key[:place] + wrong + key[place + 1 :])
    assert not rules.is_key(key + "\n")
    assert not rules.is_key(key[:-1])
    assert not rules.is_key(key.upper())


def test_two_neighbours_that_changed_places_are_noticed() -> None:
    key = rules.mint()
    for place in range(13, len(key) - 7):
        if key[place] != key[place + 1]:
            assert not rules.is_key(key[:place] + key[place + 1] + key[place] + key[place + 2 :])


@given(st.text())
def test_no_text_breaks_the_recognition_of_keys(text: str) -> None:
    assert not rules.is_key(text)


def test_the_digest_depends_on_the_key_and_the_secret() -> None:
    one, two = rules.mint(), rules.mint()
    assert len({KEYRING.digest(one), KEYRING.digest(two), Keyring([b"other"]).digest(one)}) == 3
    assert KEYRING.digest(one) == KEYRING.digest(one)


async def test_who_holds_a_key_acts_with_its_role_in_its_workspace(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    key = await issue(database, workspace, owner, Role.VIEWER)
    actor = await keys.actor_for_key(database.reader, key, KEYRING)
    assert actor is not None
    assert (actor.roles, actor.user_id) == ({workspace: Role.VIEWER}, owner.user_id)
    assert actor.key_id is not None
    assert actor.name == f"key:{actor.key_id.hex}"


async def test_a_wrong_key_or_a_wrong_secret_opens_nothing(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    key = await issue(database, workspace, owner)
    assert await keys.actor_for_key(database.reader, rules.mint(), KEYRING) is None
    assert await keys.actor_for_key(database.reader, key, Keyring([b"other"])) is None
    for nonsense in ("", "pmk_", "\x00", "\ud800", "Bearer " + key, key + " ", "' OR 1=1 --"):
        assert await keys.actor_for_key(database.reader, nonsense, KEYRING) is None


async def test_a_revoked_key_opens_nothing_and_is_listed_nowhere(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    key = await issue(database, workspace, owner)
    actor = await keys.actor_for_key(database.reader, key, KEYRING)
    assert actor is not None
    assert actor.key_id is not None
    assert len(await keys.by_ids(database.reader, Reach.whole(workspace), [actor.key_id])) == 1
    async with database.work(owner) as work:
        assert (await keys.revoke(work, key_id=actor.key_id)).prefix == key[:12]
    assert await keys.actor_for_key(database.reader, key, KEYRING) is None
    assert await keys.by_ids(database.reader, Reach.whole(workspace), [actor.key_id]) == {}


async def test_a_key_is_revoked_once_and_by_those_who_may(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    actor = await keys.actor_for_key(database.reader, await issue(database, workspace, owner), KEYRING)
    assert actor is not None
    assert actor.key_id is not None
    _, stranger = await new_workspace(database, "zebra")
    refused = [(Actor(roles={workspace: Role.MEMBER}), NotAllowed), (stranger, NotFound), (Actor(), NotAllowed)]
    for who, refusal in refused:
        with pytest.raises(refusal):
            async with database.work(who) as work:
                await keys.revoke(work, key_id=actor.key_id)
    async with database.work(owner) as work:
        await keys.revoke(work, key_id=actor.key_id)
    for key_id in (actor.key_id, new_id()):
        with pytest.raises(NotFound):
            async with database.work(owner) as work:
                await keys.revoke(work, key_id=key_id)


async def test_an_actor_is_read_again_as_their_key_stands(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    actor = await keys.actor_for_key(database.reader, await issue(database, workspace, owner), KEYRING)
    assert actor is not None
    assert actor.key_id is not None
    assert (await keys.current(database.reader, [actor]))[0] == actor
    assert (await keys.current(database.reader, [owner]))[0] is owner, "who has no key"
    async with database.work(owner) as work:
        await work.db.execute(update(keys.ApiKey).values(role=Role.VIEWER))
    assert (await keys.current(database.reader, [actor]))[0].roles == {workspace: Role.VIEWER}
    async with database.work(owner) as work:
        await keys.revoke(work, key_id=actor.key_id)
    gone = (await keys.current(database.reader, [actor]))[0]
    assert (gone.roles, gone.key_id) == ({}, actor.key_id)


async def test_good_keys_are_listed_oldest_first(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    other, stranger = await new_workspace(database, "zebra")
    prefixes = [(await issue(database, workspace, owner, name=name))[:12] for name in ("a", "b", "c")]
    await issue(database, other, stranger)
    whole = await keys.KEYS.of(database.reader, owner.reach, workspace, Window())
    assert [row.prefix for row in whole.rows] == prefixes
    async with database.work(owner) as work:
        await keys.revoke(work, key_id=whole.rows[1].id)
    left = await keys.KEYS.of(database.reader, owner.reach, workspace, Window())
    assert [row.prefix for row in left.rows] == [prefixes[0], prefixes[2]]


async def test_no_column_of_the_database_holds_a_key(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    key = await issue(database, workspace, owner)
    async with everybodys(database) as connection:
        for table in Base.metadata.tables:
            rows = (await connection.execute(select(text("*")).select_from(text(f'"{table}"')))).all()
            for row in rows:
                for value in row:
                    stored = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    assert key not in stored
                    assert key[13:] not in stored, "the secret part alone"
                    assert key[13:45] not in stored


async def test_what_is_shown_of_a_key_holds_no_secret(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    key = await issue(database, workspace, owner)
    actor = await keys.actor_for_key(database.reader, key, KEYRING)
    assert actor is not None
    assert actor.key_id is not None
    (row,) = (await keys.by_ids(database.reader, Reach.whole(workspace), [actor.key_id])).values()
    assert row.prefix == key[:12]
    assert key[13:] not in repr((row, actor))
    assert KEYRING.digest(key) not in repr((row, actor))


async def test_only_who_may_write_keys_issues_them(database: SqlDatabase) -> None:
    workspace, _ = await new_workspace(database)
    for role in (Role.MEMBER, Role.VIEWER):
        with pytest.raises(NotAllowed):
            await issue(database, workspace, Actor(roles={workspace: role}))
    with pytest.raises(NotFound):
        await issue(database, new_id(), Actor(roles={workspace: Role.OWNER}))


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\x00", "\ud800"])
async def test_a_key_needs_a_name_that_can_be_shown(name: str) -> None:
    database = SqlDatabase("sqlite+aiosqlite://")
    workspace = new_id()
    with pytest.raises(InvalidInput):
        await issue(database, workspace, Actor(roles={workspace: Role.OWNER}), name=name)
    await database.close()


async def test_another_tenants_keys_are_not_seen(database: SqlDatabase) -> None:
    workspace, owner = await new_workspace(database)
    key = await issue(database, workspace, owner)
    actor = await keys.actor_for_key(database.reader, key, KEYRING)
    assert actor is not None
    assert actor.key_id is not None
    assert await keys.by_ids(database.reader, Reach.whole(new_id()), [actor.key_id]) == {}
    assert await keys.by_ids(database.reader, Reach(), [actor.key_id]) == {}
