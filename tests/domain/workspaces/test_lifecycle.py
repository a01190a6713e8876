"""Workspaces are made, renamed, handed over, deleted, brought back and purged."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from domain import files, keys, workspaces
from domain.access import NOBODY, SYSTEM, Actor, Role
from domain.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode
from domain.ids import new_id
from infra.db.database import SqlDatabase
from tests.databases import everybodys
from tests.domain.workspaces.people import KEYRING, Clock, join, logged, owned, person, site, there


async def roles(database: SqlDatabase, workspace_id: UUID) -> dict[UUID, str]:
    async with everybodys(database) as connection:
        member = workspaces.Member
        rows = await connection.execute(select(member.user_id, member.role).where(member.workspace_id == workspace_id))
        return {user_id: str(role) for user_id, role in rows}


async def test_whoever_is_signed_in_makes_a_workspace_and_owns_it(database: SqlDatabase) -> None:
    anna = await person(database, "anna@example.com")
    async with database.work(anna) as work:
        id = await workspaces.create(work, slug="acme", name="  Acme ")
    assert (await there(database, anna)).roles == {id: Role.OWNER}
    found = await workspaces.find(database.reader, "acme")
    assert found is not None
    assert found.name == "Acme"
    assert await logged(database) == [("WORKSPACE_CREATED", {"slug": "acme"})]


@pytest.mark.parametrize("actor", [NOBODY, Actor(user_id=new_id(), key_id=new_id()), Actor(user_id=new_id())])
async def test_a_key_and_nobody_make_none(database: SqlDatabase, actor: Actor) -> None:
    for owner_id in (None, new_id()):
        with pytest.raises(NotAllowed) as refused:
            async with database.work(actor) as work:
                await workspaces.create(work, slug="acme", name="Acme", owner_id=owner_id)
        assert refused.value.code is ProblemCode.NOT_SIGNED_IN


async def test_a_person_owns_at_most_twenty(database: SqlDatabase) -> None:
    anna = await person(database, "anna@example.com")
    for number in range(20):
        async with database.work(anna) as work:
            await workspaces.create(work, slug=f"w{number}", name="W")
        anna = await there(database, anna)
    with pytest.raises(LimitReached) as refused:
        async with database.work(anna) as work:
            await workspaces.create(work, slug="more", name="W")
    assert refused.value.limit == 20


async def test_a_slug_is_taken_once_and_whose_it_is_is_not_told(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    await owned(database, "zebra")
    anna = await person(database, "anna@example.com")
    with pytest.raises(Conflict) as made:
        async with database.work(anna) as work:
            await workspaces.create(work, slug="acme", name="Acme")
    with pytest.raises(Conflict) as renamed:
        async with database.work(owner) as work:
            await workspaces.rename(work, workspace_id=acme, slug="zebra")
    assert [(each.value.code, each.value.existing) for each in (made, renamed)] == [(ProblemCode.ALREADY_EXISTS, None)] * 2
    assert str(made.value) == "The slug acme is taken: choose another one."


async def test_an_owner_renames_it_and_an_administrator_does_not(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    async with database.work(owner) as work:
        await workspaces.rename(work, workspace_id=acme, slug="acme-2", name="Acme Two")
    assert await workspaces.find(database.reader, "acme") is None
    found = await workspaces.find(database.reader, "acme-2")
    assert found is not None
    assert (found.id, found.name) == (acme, "Acme Two")
    admin = await join(database, acme, "admin@example.com", Role.ADMIN)
    for refused, actor, name in [(NotAllowed, admin, "x"), (InvalidInput, owner, ""), (InvalidInput, owner, "a\nb")]:
        with pytest.raises(refused):
            async with database.work(actor) as work:
                await workspaces.rename(work, workspace_id=acme, name=name)


async def test_handing_it_over_changes_both(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    bert = await join(database, acme, "bert@example.com", Role.VIEWER, await site(database, acme, owner))
    assert owner.user_id
    assert bert.user_id
    for user, refusal in [(owner.user_id, InvalidInput), (new_id(), NotFound)]:
        with pytest.raises(refusal):
            async with database.work(owner) as work:
                await workspaces.transfer(work, workspace_id=acme, user_id=user)
    async with database.work(owner) as work:
        await workspaces.transfer(work, workspace_id=acme, user_id=bert.user_id)
    assert await roles(database, acme) == {owner.user_id: "ADMIN", bert.user_id: "OWNER"}
    assert (await there(database, bert)).sites == {}
    assert (await logged(database))[-1][0] == "WORKSPACE_TRANSFERRED"


async def test_nobody_is_in_a_deleted_workspace_and_its_owner_brings_it_back(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    admin = await join(database, acme, "admin@example.com", Role.ADMIN)
    with pytest.raises(NotAllowed):
        async with database.work(admin) as work:
            await workspaces.delete_workspace(work, workspace_id=acme)
    async with database.work(owner) as work:
        text = await keys.issue(work, workspace_id=acme, name="CI", role=Role.MEMBER, keyring=KEYRING)
    key = await keys.actor_for_key(database.reader, text, KEYRING)
    assert key is not None
    async with database.work(owner) as work:
        await workspaces.delete_workspace(work, workspace_id=acme)
    assert (await there(database, owner)).roles == {}
    assert await keys.actor_for_key(database.reader, text, KEYRING) is None
    assert (await keys.current(database.reader, [key]))[0].roles == {}
    assert owner.user_id
    assert admin.user_id
    (row,) = await workspaces.deleted_of(database.reader, owner.user_id, work.now)
    assert (row.id, row.slug, row.deleted_at) == (acme, "acme", work.now)
    assert await workspaces.deleted_of(database.reader, admin.user_id, work.now) == []
    with pytest.raises(NotFound):
        async with database.work(owner) as work:
            await workspaces.delete_workspace(work, workspace_id=acme)
    for actor, id in [(admin, acme), (owner, new_id()), (await person(database, "x@example.com"), acme)]:
        with pytest.raises(NotFound):
            async with database.work(actor) as work:
                await workspaces.restore(work, workspace_id=id)
    async with database.work(await there(database, owner)) as work:
        await workspaces.restore(work, workspace_id=acme)
    assert (await there(database, owner)).roles == {acme: Role.OWNER}
    assert await keys.actor_for_key(database.reader, text, KEYRING) is not None
    with pytest.raises(NotFound):
        async with database.work(owner) as work:
            await workspaces.restore(work, workspace_id=acme)
    assert [kind for kind, _ in await logged(database)][-2:] == ["WORKSPACE_DELETED", "WORKSPACE_RESTORED"]


async def test_after_fourteen_days_it_is_purged_once_its_files_are_gone(database_url: str, database: SqlDatabase) -> None:
    clock = Clock()
    later = SqlDatabase(database_url, clock=clock)
    acme, owner = await owned(database)
    zebra, _ = await owned(database, "zebra")
    await site(database, acme, owner)
    kept = {"site_id": new_id(), "audit_id": new_id(), "run": 0, "kind": files.FileKind.REPORT, "position": 0, "bytes": 1}
    async with database.work(owner) as work:
        where = {"workspace_id": acme, "storage_key": "x", "content_type": "text/plain", "created_at": work.now}
        await work.db.execute(insert(files.File).values(id=new_id(), **kept, **where))
        await workspaces.delete_workspace(work, workspace_id=acme)
    clock.ahead = timedelta(days=13, hours=23)
    async with later.work(SYSTEM) as work:
        assert await workspaces.purge(work) == (0, 0)
    clock.ahead = timedelta(days=14, minutes=1)
    with pytest.raises(NotFound):
        async with later.work(owner) as work:
            await workspaces.restore(work, workspace_id=acme)
    async with later.work(SYSTEM) as work:
        assert await workspaces.purge(work) == (1, 0), "the site, and not the row while a file's bytes are there"
    async with later.work(SYSTEM) as work:
        await work.db.execute(files.File.__table__.delete())
        assert await workspaces.purge(work) == (0, 1)
    assert await workspaces.find(database.reader, "acme") is None
    assert await workspaces.find(database.reader, "zebra") is not None
    async with later.work(SYSTEM) as work:
        await work.db.execute(update(workspaces.Workspace).values(deleted_at=work.now - timedelta(days=15)))
        assert await workspaces.purge(work, limit=0) == (0, 0)
    assert zebra is not None
    await later.close()
