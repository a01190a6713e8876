"""Tenants: known by their slug, and seen only within reach."""

from __future__ import annotations

import pytest

from domain import accounts, workspaces
from domain.access import SYSTEM, Reach
from domain.errors import Conflict, InvalidInput, ProblemCode
from domain.ids import new_id
from domain.paging import Window
from domain.workspaces import rules
from infra.db.database import SqlDatabase
from tests.databases import new_workspace


@pytest.mark.parametrize("slug", ["a", "0", "acme", "a-b-c", "x" * 63, "a--b"])
async def test_a_slug_that_can_be_used(slug: str) -> None:
    assert rules.SLUG.match(slug)


@pytest.mark.parametrize("slug", ["", "-", "a-", "-a", "A", "ä", "a b", "a_b", "a\n", "x" * 64, "a\x00", "a/b", "٣"])
async def test_a_slug_that_cannot_be_used_is_refused(slug: str) -> None:
    database = SqlDatabase("sqlite+aiosqlite://")
    async with database.work(SYSTEM) as work:
        with pytest.raises(InvalidInput) as refused:
            await workspaces.create(work, slug=slug, name="x", owner_id=new_id())
    await database.close()
    assert [fault.path for fault in refused.value.faults] == [("slug",)]


async def test_an_owner_who_is_nobody_is_refused_and_no_workspace_is_left(database: SqlDatabase) -> None:
    with pytest.raises(Conflict) as refused:
        async with database.work(SYSTEM) as work:
            await workspaces.create(work, slug="acme", name="x", owner_id=new_id())
    assert refused.value.code is ProblemCode.IN_USE
    assert await workspaces.find(database.reader, "acme") is None


async def test_a_workspace_is_seen_within_reach_only(database: SqlDatabase) -> None:
    (acme, us), (other, them) = await new_workspace(database, "acme"), await new_workspace(database, "other")
    reader = database.reader
    assert set(await workspaces.by_ids(reader, us.reach, [acme, other])) == {acme}
    assert set(await workspaces.by_slugs(reader, them.reach, ["acme", "other", "a\x00"])) == {"other"}
    assert await workspaces.by_ids(reader, Reach(), [acme]) == {}
    assert (await workspaces.within(reader, Reach(), Window())).rows == []
    both = await workspaces.within(reader, Reach.whole(acme, other), Window(1))
    assert ([row.slug for row in both.rows], both.has_next) == (["acme"], True)
    rest = await workspaces.within(reader, Reach.whole(acme, other), Window(1, both.cursors[0]))
    assert ([row.slug for row in rest.rows], rest.has_next, rest.has_previous) == (["other"], False, True)


async def test_the_operator_finds_any_workspace_and_its_owner(database: SqlDatabase) -> None:
    acme, actor = await new_workspace(database, "acme")
    found = await workspaces.find(database.reader, "acme")
    assert found is not None
    assert (found.id, found.name) == (acme, "Acme")
    assert await workspaces.first_owner(database.reader, acme) == actor.user_id
    assert await workspaces.find(database.reader, "none") is None
    assert await workspaces.first_owner(database.reader, new_id()) is None
    assert actor.user_id is not None
    person = await accounts.get(database.reader, actor.user_id)
    assert person is not None
    assert person.name == "Owner"
