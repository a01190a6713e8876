"""Keys are issued with limits, rotated, and never do more than who issued them may."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from domain import documents, keys, workspaces
from domain.access import SYSTEM, Actor, Permission, Role
from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.ids import new_id
from domain.workspaces import turns
from domain.workspaces.rules import Standing
from infra.db.database import SqlDatabase
from tests.domain.workspaces.people import KEYRING, join, logged, owned, site


async def issue(database: SqlDatabase, by: Actor, acme: UUID, role: Role = Role.MEMBER, **limits: Any) -> str:
    async with database.work(by) as work:
        if "lasts" in limits:
            limits["expires_at"] = work.now + limits.pop("lasts")
        return await keys.issue(work, workspace_id=acme, name="CI", role=role, keyring=KEYRING, **limits)


async def opens(database: SqlDatabase, text: str) -> Actor | None:
    return await keys.actor_for_key(database.reader, text, KEYRING)


async def test_a_key_has_its_scopes_and_its_sites(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    one = await site(database, acme, owner)
    actor = await opens(database, await issue(database, owner, acme, scopes=[Permission.AUDIT_REQUEST], sites=[one]))
    assert actor is not None
    assert actor.permissions(acme) == {Permission.READ, Permission.AUDIT_REQUEST}
    assert (actor.sites, actor.reach.held) == ({acme: frozenset({one})}, (one,))
    assert (await keys.current(database.reader, [actor]))[0] == actor
    assert (await logged(database))[-1] == ("KEY_ISSUED", {"name": "CI", "role": "MEMBER", "scopes": ["AUDIT_REQUEST"]})


async def test_limits_that_cannot_be_are_refused(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    zebra, other = await owned(database, "zebra")
    theirs = await site(database, zebra, other)
    for path, limits in [
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": [Permission.KEY_WRITE]}),
        ("sites", {"sites": []}),
        ("sites", {"sites": [new_id() for _ in range(101)]}),
        ("expiresAt", {"lasts": timedelta(minutes=59)}),
        ("expiresAt", {"lasts": timedelta(days=731)}),
    ]:
        with pytest.raises(InvalidInput) as refused:
            await issue(database, owner, acme, **limits)
        assert [fault.path for fault in refused.value.faults] == [(path,)]
    with pytest.raises(NotFound):
        await issue(database, owner, acme, sites=[theirs])


async def test_nobody_issues_a_key_that_is_more_than_they_are(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    admin = await join(database, acme, "admin@example.com", Role.ADMIN)
    with pytest.raises(NotAllowed):
        await issue(database, admin, acme, Role.OWNER)
    narrow = Actor(roles={acme: Role.ADMIN}, key_id=new_id(), scopes=frozenset({Permission.KEY_WRITE}))
    for scopes in (None, [Permission.SITE_WRITE], [Permission.KEY_WRITE, Permission.JOB_WRITE]):
        with pytest.raises(NotAllowed):
            await issue(database, narrow, acme, Role.ADMIN, scopes=scopes)
    await issue(database, narrow, acme, Role.ADMIN, scopes=[Permission.KEY_WRITE])
    highest = await opens(database, await issue(database, owner, acme, Role.OWNER))
    assert highest is not None
    assert highest.key_id is not None
    with pytest.raises(NotAllowed):
        async with database.work(admin) as work:
            await keys.rotate(work, key_id=highest.key_id, keyring=KEYRING)


async def test_an_expired_key_opens_nothing(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    text = await issue(database, owner, acme, lasts=timedelta(hours=1))
    actor = await opens(database, text)
    assert actor is not None
    assert actor.key_id is not None
    async with database.work(owner) as work:
        ended = {"expires_at": work.now - timedelta(seconds=1)}
        await work.db.execute(update(keys.ApiKey).where(keys.ApiKey.id == actor.key_id).values(**ended))
    assert await opens(database, text) is None
    (now,) = await keys.current(database.reader, [actor])
    assert (now.roles, now.reach.held) == ({}, ())
    with pytest.raises(Conflict):
        async with database.work(owner) as work:
            await keys.rotate(work, key_id=actor.key_id, keyring=KEYRING)


async def test_a_key_in_a_persons_name_does_what_they_may_and_ends_with_them(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    admin = await join(database, acme, "admin@example.com", Role.ADMIN)
    assert admin.user_id is not None
    text = await issue(database, admin, acme, Role.ADMIN, user_id=admin.user_id)
    before = await opens(database, text)
    assert before is not None
    assert before.roles == {acme: Role.ADMIN}

    async def become(role: Role, *sites: UUID) -> Actor | None:
        async with database.work(owner) as work:
            assert admin.user_id is not None
            given: dict[str, Any] = {"role": role, "sites": sites or None, "all_sites": not sites}
            await workspaces.change_member(work, workspace_id=acme, user_id=admin.user_id, **given)
        return await opens(database, text)

    now = await become(Role.VIEWER)
    assert now is not None
    assert now.roles == {acme: Role.VIEWER}
    assert await become(Role.VIEWER, await site(database, acme, owner)) is None
    assert await become(Role.OWNER) == before
    async with database.work(owner) as work:
        await workspaces.remove_member(work, workspace_id=acme, user_id=admin.user_id)
    assert await opens(database, text) is None
    assert (await keys.current(database.reader, [before]))[0].roles == {}


async def test_a_rotated_key_is_the_same_with_another_secret(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    one = await site(database, acme, owner)
    limits = {"scopes": [Permission.SITE_WRITE], "sites": [one], "lasts": timedelta(days=90)}
    text = await issue(database, owner, acme, user_id=owner.user_id, **limits)
    old = await opens(database, text)
    assert old is not None
    assert old.key_id is not None
    async with database.work(owner) as work:
        rotated = await keys.rotate(work, key_id=old.key_id, overlap_hours=2, keyring=KEYRING)
    new = await opens(database, rotated.text)
    assert new is not None
    assert (new.key_id, new.roles, new.scopes, new.sites) == (rotated.id, old.roles, old.scopes, old.sites)
    rows = await keys.by_ids(database.reader, owner.reach, [old.key_id, rotated.id])
    assert rows[old.key_id].expires_at == work.now + timedelta(hours=2) == rotated.until
    assert rows[rotated.id].expires_at == rotated.former.expires_at
    assert await opens(database, text) is not None
    async with database.work(owner) as work:
        await keys.rotate(work, key_id=rotated.id, overlap_hours=0, keyring=KEYRING)
    assert await opens(database, rotated.text) is None
    for hours in (-1, 169):
        with pytest.raises(InvalidInput):
            async with database.work(owner) as work:
                await keys.rotate(work, key_id=old.key_id, overlap_hours=hours, keyring=KEYRING)
    with pytest.raises(NotFound):
        async with database.work((await owned(database, "zebra"))[1]) as work:
            await keys.rotate(work, key_id=old.key_id, keyring=KEYRING)


async def test_an_overlap_does_not_prolong_a_key(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    old = await opens(database, await issue(database, owner, acme, lasts=timedelta(hours=3)))
    assert old is not None
    assert old.key_id is not None
    ends = (await keys.by_ids(database.reader, owner.reach, [old.key_id]))[old.key_id].expires_at
    async with database.work(owner) as work:
        assert (await keys.rotate(work, key_id=old.key_id, overlap_hours=168, keyring=KEYRING)).until == ends


async def test_a_keys_last_use_is_written_once_a_minute(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    actor = await opens(database, await issue(database, owner, acme))
    assert actor is not None
    assert actor.key_id is not None
    uses, at = keys.Uses(), []
    async with database.work(owner) as work:
        start = work.now
    for seconds in (0, 30, 61):
        uses.record(actor, start + timedelta(seconds=seconds))
        uses.record(owner, start)
        drained = uses.drain()
        assert drained == {actor.key_id: start + timedelta(seconds=seconds)}
        async with database.work(owner) as work:
            await keys.used(work, drained)
        at.append((await keys.by_ids(database.reader, owner.reach, [actor.key_id]))[actor.key_id].last_used_at)
    assert at == [start, start, start + timedelta(seconds=61)]
    assert uses.drain() == {}
    uses.record(actor, start + timedelta(seconds=5))
    uses.restore({actor.key_id: start, owner.user_id or new_id(): start})
    assert uses.drain()[actor.key_id] == start + timedelta(seconds=5)


async def test_a_key_makes_none_that_lasts_longer_than_itself(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    short = await opens(database, await issue(database, owner, acme, Role.ADMIN, lasts=timedelta(hours=2)))
    lasting = await opens(database, await issue(database, owner, acme))
    assert short is not None
    assert lasting is not None
    assert lasting.key_id is not None
    for limits in ({}, {"lasts": timedelta(hours=3)}):
        with pytest.raises(InvalidInput) as refused:
            await issue(database, short, acme, **limits)
        assert [fault.path for fault in refused.value.faults] == [("expiresAt",)]
    with pytest.raises(InvalidInput):
        async with database.work(short) as work:
            await keys.rotate(work, key_id=lasting.key_id, keyring=KEYRING)
    assert await opens(database, await issue(database, short, acme, lasts=timedelta(hours=1)))


async def test_the_key_of_who_left_stays_shut_when_they_come_back(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    bert = await join(database, acme, "bert@example.com", Role.ADMIN)
    assert bert.user_id is not None
    text = await issue(database, bert, acme, user_id=bert.user_id)
    assert await opens(database, text)
    async with database.work(owner) as work:
        await workspaces.remove_member(work, workspace_id=acme, user_id=bert.user_id)
    assert await opens(database, text) is None
    async with database.work(SYSTEM) as work:
        await turns.put(work, acme, bert.user_id, Standing(Role.ADMIN), new=True)
    assert await opens(database, text) is None
    assert await opens(database, await issue(database, bert, acme, user_id=bert.user_id))


async def test_of_many_who_rotate_a_key_at_once_one_does(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    key = await opens(database, await issue(database, owner, acme))
    assert key is not None
    key_id = key.key_id
    assert key_id is not None

    async def rotate() -> str:
        async with database.work(owner) as work:
            return (await keys.rotate(work, key_id=key_id, keyring=KEYRING)).text

    found = await asyncio.gather(*(rotate() for _ in range(4)), return_exceptions=True)
    rotated = [each for each in found if isinstance(each, str)]
    refused = [each for each in found if not isinstance(each, str)]
    assert rotated
    assert all(isinstance(each, Conflict) for each in refused), refused


async def test_the_key_of_a_client_makes_keys_of_that_client_alone(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    async with database.work(owner) as work:
        mode = documents.ClientMode.REGISTERED_ONLY
        client = await documents.create_client(work, workspace_id=acme, name="web", mode=mode)
    bound = await opens(database, await issue(database, owner, acme, Role.ADMIN, client_id=client))
    free = await opens(database, await issue(database, owner, acme))
    assert bound is not None
    assert free is not None
    assert free.key_id is not None
    with pytest.raises(NotAllowed):
        await issue(database, bound, acme)
    with pytest.raises(NotAllowed):
        async with database.work(bound) as work:
            await keys.rotate(work, key_id=free.key_id, keyring=KEYRING)
    with pytest.raises(NotAllowed):
        async with database.work(bound) as work:
            await documents.change_client(work, client_id=client, mode=documents.ClientMode.OPEN)
    with pytest.raises(NotAllowed):
        async with database.work(bound) as work:
            await documents.push(work, workspace_id=acme, client_id=client, version="1", documents=[])
    assert await opens(database, await issue(database, bound, acme, client_id=client))
