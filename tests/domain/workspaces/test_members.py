"""Members: nobody makes or touches more than they are, and the last owner stays."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from domain import workspaces
from domain.access import Actor, Role
from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, ProblemCode, Refused
from domain.ids import new_id
from domain.paging import Window
from infra.db.database import SqlDatabase
from tests.domain.workspaces.people import join, logged, owned, person, site, there


def id_of(actor: Actor) -> UUID:
    assert actor.user_id is not None
    return actor.user_id


async def change(database: SqlDatabase, by: Actor, acme: UUID, who: Actor, role: Role | None, *sites: UUID) -> None:
    async with database.work(by) as work:
        await workspaces.change_member(
            work, workspace_id=acme, user_id=id_of(who), role=role, sites=sites or None, all_sites=False
        )


async def remove(database: SqlDatabase, by: Actor, acme: UUID, who: Actor) -> None:
    async with database.work(by) as work:
        await workspaces.remove_member(work, workspace_id=acme, user_id=id_of(who))


async def leave(database: SqlDatabase, who: Actor, acme: UUID) -> None:
    async with database.work(who) as work:
        await workspaces.leave(work, workspace_id=acme)


async def test_members_are_listed_in_the_order_in_which_they_came(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    await join(database, acme, "bert@example.com", Role.VIEWER)
    await owned(database, "zebra")
    rows = (await workspaces.MEMBERS.of(database.reader, owner.reach, acme, Window())).rows
    assert [(row.name, row.email, row.role) for row in rows] == [
        ("Owner", None, Role.OWNER),
        ("bert", "bert@example.com", Role.VIEWER),
    ]
    stranger = (await owned(database, "other"))[1]
    assert (await workspaces.MEMBERS.of(database.reader, stranger.reach, acme, Window())).rows == []
    assert await workspaces.members_by_ids(database.reader, stranger.reach, [(acme, rows[1].id)]) == {}


async def test_an_administrator_changes_what_is_below_an_owner(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    admin = await join(database, acme, "admin@example.com", Role.ADMIN)
    bert = await join(database, acme, "bert@example.com", Role.VIEWER)
    await change(database, admin, acme, bert, Role.ADMIN)
    assert (await there(database, bert)).roles == {acme: Role.ADMIN}
    for who, role in [(bert, Role.OWNER), (owner, Role.VIEWER), (admin, Role.OWNER)]:
        with pytest.raises(NotAllowed):
            await change(database, admin, acme, who, role)
    with pytest.raises(NotAllowed):
        await remove(database, admin, acme, owner)
    await change(database, owner, acme, bert, Role.OWNER)
    assert (await logged(database))[-1] == ("MEMBER_CHANGED", {"role": "OWNER", "sites": None})
    await remove(database, owner, acme, bert)
    assert (await there(database, bert)).roles == {}
    assert (await logged(database))[-1] == ("MEMBER_REMOVED", {"role": "OWNER"})


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_who_may_not_write_members_changes_none(database: SqlDatabase, role: Role) -> None:
    acme, owner = await owned(database)
    who = await join(database, acme, "who@example.com", role)
    for act in (change(database, who, acme, owner, Role.VIEWER), remove(database, who, acme, owner)):
        with pytest.raises(NotAllowed) as refused:
            await act
        assert refused.value.permission == "MEMBER_WRITE"
    stranger = await person(database, "x@example.com")
    with pytest.raises(NotFound):
        await remove(database, stranger, acme, owner)


async def test_a_member_is_given_single_sites_and_all_again(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    zebra, other = await owned(database, "zebra")
    one, two = await site(database, acme, owner, "a"), await site(database, acme, owner, "b")
    theirs = await site(database, zebra, other, "c")
    bert = await join(database, acme, "bert@example.com", Role.MEMBER)
    await change(database, owner, acme, bert, None, one, two)
    assert (await there(database, bert)).sites == {acme: frozenset({one, two})}
    key = (acme, id_of(bert))
    assert sorted((await workspaces.sites_of_members(database.reader, owner.reach, [key]))[key]) == sorted([one, two])
    await change(database, owner, acme, bert, Role.VIEWER)
    now = await there(database, bert)
    assert (now.roles, now.sites) == ({acme: Role.VIEWER}, {acme: frozenset({one, two})})
    for sites in ((theirs,), (new_id(),), (one, theirs)):
        with pytest.raises(NotFound):
            await change(database, owner, acme, bert, None, *sites)
    with pytest.raises(InvalidInput) as refused:
        await change(database, owner, acme, bert, Role.ADMIN, one)
    assert refused.value.faults[0].path == ("role",)
    with pytest.raises(InvalidInput) as refused:
        await change(database, owner, acme, bert, None, *(new_id() for _ in range(101)))
    assert refused.value.faults[0].path == ("sites",)
    async with database.work(owner) as work:
        await workspaces.change_member(work, workspace_id=acme, user_id=id_of(bert), role=None, sites=None, all_sites=True)
    assert (await there(database, bert)).sites == {}


async def test_the_last_owner_stays(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    for act in (
        leave(database, owner, acme),
        remove(database, owner, acme, owner),
        change(database, owner, acme, owner, Role.ADMIN),
    ):
        with pytest.raises(Conflict) as refused:
            await act
        assert refused.value.code is ProblemCode.IN_USE
    await join(database, acme, "two@example.com", Role.OWNER)
    await leave(database, owner, acme)
    assert (await there(database, owner)).roles == {}
    with pytest.raises(NotFound):
        await leave(database, await there(database, owner), acme)


async def test_of_two_owners_who_leave_at_once_one_stays(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    other = await join(database, acme, "two@example.com", Role.OWNER)
    for _ in range(5):
        both = await asyncio.gather(*(leave(database, who, acme) for who in (owner, other)), return_exceptions=True)
        assert sorted(type(each).__name__ for each in both) == ["Conflict", "NoneType"]
        stayed = owner if isinstance(both[0], Refused) else other
        left = other if stayed is owner else owner
        assert (await there(database, left)).roles == {}
        async with database.work(stayed) as work:
            values = {"workspace_id": acme, "user_id": id_of(left), "role": Role.OWNER, "joined_at": work.now}
            work.db.add(workspaces.Member(**values))


async def test_of_two_owners_who_demote_each_other_one_stays(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    other = await join(database, acme, "two@example.com", Role.OWNER)
    both = await asyncio.gather(
        change(database, owner, acme, other, Role.VIEWER),
        change(database, other, acme, owner, Role.VIEWER),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in both) == ["Conflict", "NoneType"]
    roles = [(await there(database, who)).roles[acme] for who in (owner, other)]
    assert sorted(roles) == [Role.OWNER, Role.VIEWER]


async def test_a_key_leaves_nothing(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    with pytest.raises(NotAllowed):
        await leave(database, Actor(roles={acme: Role.OWNER}, user_id=owner.user_id, key_id=new_id()), acme)
