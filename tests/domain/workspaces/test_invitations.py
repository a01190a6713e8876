"""Invitations: mailed, good for a week, once, and for whom they were sent to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from domain import workspaces
from domain.access import Actor, Permission, Role
from domain.base import Base
from domain.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from domain.ids import new_id
from domain.keyring import Keyring
from domain.paging import Window
from domain.workspaces import rules
from domain.workspaces.rules import Standing
from infra.db.database import SqlDatabase
from tests.databases import everybodys
from tests.domain.workspaces.people import KEYRING, LINK, Clock, join, logged, mailed, owned, person, site, there


async def invite(database: SqlDatabase, by: Actor, acme: UUID, email: str, role: Role, *sites: UUID) -> tuple[UUID, str]:
    """Its id, and the token in the mail."""
    async with database.work(by) as work:
        given = {"workspace_id": acme, "email": email, "role": role, "sites": sites or None}
        id = await workspaces.invite(work, **given, keyring=KEYRING, base_url=LINK)  # type: ignore[arg-type]  # as given
    link: str = (await mailed(database))[-1][1]["values"]["link"]
    return id, link.removeprefix(f"{LINK}/auth/invitation?token=")


async def accept(database: SqlDatabase, who: Actor, token: str) -> UUID:
    async with database.work(who) as work:
        return await workspaces.accept(work, token=token, keyring=KEYRING)


async def test_who_is_invited_comes_in_once(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    id, token = await invite(database, owner, acme, " Bert@Example.com", Role.MEMBER)
    ((template, mail),) = await mailed(database)
    assert (template, mail["to"]) == ("INVITATION", "bert@example.com")
    values = {key: mail["values"][key] for key in ("workspace", "inviter", "role")}
    assert values == {"workspace": "Acme", "inviter": "Owner", "role": "MEMBER"}
    (row,) = (await workspaces.INVITATIONS.of(database.reader, owner.reach, acme, Window())).rows
    assert (row.id, row.email, row.role, row.sites) == (id, "bert@example.com", Role.MEMBER, None)
    assert row.expires_at - row.created_at == timedelta(days=7)
    bert = await person(database, "bert@example.com")
    assert await accept(database, bert, token) == acme
    assert (await there(database, bert)).roles == {acme: Role.MEMBER}
    with pytest.raises(NotFound):
        await accept(database, bert, token)
    assert (await workspaces.INVITATIONS.of(database.reader, owner.reach, acme, Window())).rows == []
    assert (await logged(database))[-2:] == [
        ("MEMBER_INVITED", {"email": "bert@example.com", "role": "MEMBER"}),
        ("MEMBER_JOINED", {"role": "MEMBER"}),
    ]


async def test_the_token_is_nowhere_in_the_database(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    _, token = await invite(database, owner, acme, "bert@example.com", Role.MEMBER)
    async with everybodys(database) as connection:
        for table in Base.metadata.sorted_tables:
            assert token not in repr((await connection.execute(select(table))).all())


async def test_only_the_person_who_was_invited_comes_in(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    _, token = await invite(database, owner, acme, "bert@example.com", Role.MEMBER)
    others = [await person(database, "anna@example.com"), await person(database, "bert@example.com", verified=False)]
    assert others[0].user_id is not None
    for who in (*others, Actor(), Actor(user_id=others[0].user_id, key_id=new_id())):
        with pytest.raises(NotAllowed):
            await accept(database, who, token)
        assert (await there(database, others[0])).roles == {}


async def test_what_is_no_invitation_any_more_has_one_answer(database_url: str, database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    bert = await person(database, "bert@example.com")
    first, old = await invite(database, owner, acme, "bert@example.com", Role.VIEWER)
    second, token = await invite(database, owner, acme, "BERT@example.com", Role.MEMBER)
    assert set(await workspaces.invitations_by_ids(database.reader, owner.reach, [first, second])) == {second}
    clock = Clock()
    later = SqlDatabase(database_url, clock=clock)
    clock.ahead = timedelta(days=7, minutes=1)
    said = set()
    elsewhere = rules.mint((await owned(database, "zebra"))[0])
    for where, text in [
        (database, old),
        (later, token),
        (database, rules.mint(acme)),
        (database, rules.mint(new_id())),
        (database, elsewhere),
        (database, ""),
        (database, "pmi_\x00"),
        (database, token + "\n"),
    ]:
        with pytest.raises(NotFound) as refused:
            await accept(where, bert, text)
        said.add((refused.value.message, refused.value.id))
    assert len(said) == 1
    await later.close()
    async with database.work(bert) as work:
        with pytest.raises(NotFound):
            await workspaces.accept(work, token=token, keyring=Keyring([b"other"]))
    async with database.work(owner) as work:
        await workspaces.revoke_invitation(work, invitation_id=second)
    with pytest.raises(NotFound):
        await accept(database, bert, token)
    assert (await logged(database))[-1] == ("INVITATION_REVOKED", {"email": "bert@example.com"})


async def test_into_a_deleted_workspace_nobody_comes(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    _, token = await invite(database, owner, acme, "bert@example.com", Role.MEMBER)
    async with database.work(owner) as work:
        await workspaces.delete_workspace(work, workspace_id=acme)
    with pytest.raises(NotFound):
        await accept(database, await person(database, "bert@example.com"), token)


async def test_an_invitation_that_is_accepted_twice_at_once_is_good_once(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    bert = await person(database, "bert@example.com")
    _, token = await invite(database, owner, acme, "bert@example.com", Role.MEMBER)
    both = await asyncio.gather(*(accept(database, bert, token) for _ in range(4)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["NotFound", "NotFound", "NotFound", "UUID"]
    assert (await there(database, bert)).roles == {acme: Role.MEMBER}


async def test_nobody_invites_more_than_they_are(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    admin = await join(database, acme, "admin@example.com", Role.ADMIN)
    member = await join(database, acme, "member@example.com", Role.MEMBER)
    for who, role in [(admin, Role.OWNER), (member, Role.VIEWER)]:
        with pytest.raises(NotAllowed):
            await invite(database, who, acme, "x@example.com", role)
    key = Actor(roles={acme: Role.ADMIN}, key_id=new_id(), scopes=frozenset({Permission.MEMBER_WRITE, Permission.MEMBER_READ}))
    with pytest.raises(NotAllowed):
        await invite(database, key, acme, "x@example.com", Role.ADMIN)
    await invite(database, key, acme, "x@example.com", Role.VIEWER)
    above, _ = await invite(database, owner, acme, "y@example.com", Role.OWNER)
    with pytest.raises(NotAllowed):
        async with database.work(admin) as work:
            await workspaces.revoke_invitation(work, invitation_id=above)
    with pytest.raises(NotFound):
        async with database.work((await owned(database, "zebra"))[1]) as work:
            await workspaces.revoke_invitation(work, invitation_id=above)


async def test_single_sites_come_with_an_invitation(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    zebra, other = await owned(database, "zebra")
    one, two = await site(database, acme, owner, "a"), await site(database, acme, owner, "b")
    bert = await person(database, "bert@example.com")
    with pytest.raises(NotFound):
        await invite(database, owner, acme, "bert@example.com", Role.VIEWER, await site(database, zebra, other, "c"))
    with pytest.raises(InvalidInput):
        await invite(database, owner, acme, "bert@example.com", Role.ADMIN, one)
    await accept(database, bert, (await invite(database, owner, acme, "bert@example.com", Role.VIEWER, one))[1])
    assert (await there(database, bert)).sites == {acme: frozenset({one})}
    await accept(database, bert, (await invite(database, owner, acme, "bert@example.com", Role.VIEWER, two))[1])
    assert (await there(database, bert)).sites == {acme: frozenset({one, two})}
    with pytest.raises(Conflict):
        await accept(database, bert, (await invite(database, owner, acme, "bert@example.com", Role.MEMBER, two))[1])
    await accept(database, bert, (await invite(database, owner, acme, "bert@example.com", Role.ADMIN))[1])
    now = await there(database, bert)
    assert (now.roles, now.sites) == ({acme: Role.ADMIN}, {})


async def test_two_hundred_may_be_open(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    await invite(database, owner, acme, "old@example.com", Role.VIEWER)
    async with database.work(owner) as work:
        common = {"workspace_id": acme, "role": Role.VIEWER, "created_at": work.now, "sites": None}
        for number in range(200):
            until = work.now + timedelta(days=1) if number else work.now - timedelta(days=1)
            mine = {"id": new_id(), "email": f"p{number}@example.com", "digest": str(number), "expires_at": until}
            await work.db.execute(insert(workspaces.Invitation).values(**common, **mine))
    await invite(database, owner, acme, "old@example.com", Role.MEMBER)
    with pytest.raises(LimitReached) as refused:
        await invite(database, owner, acme, "one-more@example.com", Role.VIEWER)
    assert refused.value.limit == 200


@pytest.mark.parametrize("email", ["", "x", "a@b@c", "a b@example.com", "\x00@example.com", "x" * 250 + "@example.com"])
async def test_what_is_no_address_is_not_invited(database: SqlDatabase, email: str) -> None:
    acme, owner = await owned(database)
    with pytest.raises(InvalidInput):
        await invite(database, owner, acme, email, Role.VIEWER)


@given(st.text())
def test_no_text_breaks_the_reading_of_tokens(text: str) -> None:
    assert rules.workspace_of(text) is None


ONE, TWO = new_id(), new_id()


@pytest.mark.parametrize(
    ("had", "given", "now"),
    [
        (Standing(Role.VIEWER), Standing(Role.ADMIN), Standing(Role.ADMIN)),
        (Standing(Role.ADMIN), Standing(Role.VIEWER), Standing(Role.ADMIN)),
        (Standing(Role.OWNER), Standing(Role.VIEWER, frozenset({ONE})), Standing(Role.OWNER)),
        (Standing(Role.VIEWER), Standing(Role.MEMBER, frozenset({ONE})), None),
        (Standing(Role.MEMBER, frozenset({ONE})), Standing(Role.VIEWER), None),
        (Standing(Role.MEMBER, frozenset({ONE})), Standing(Role.MEMBER), Standing(Role.MEMBER)),
        (
            Standing(Role.MEMBER, frozenset({ONE})),
            Standing(Role.MEMBER, frozenset({TWO})),
            Standing(Role.MEMBER, frozenset({ONE, TWO})),
        ),
        (Standing(Role.MEMBER, frozenset({ONE})), Standing(Role.VIEWER, frozenset({TWO})), None),
    ],
)
def test_whoever_is_there_already_is_never_less_and_never_more_than_was_granted(
    had: Standing, given: Standing, now: Standing | None
) -> None:
    if now is None:
        with pytest.raises(Conflict):
            rules.widened(had, given)
    else:
        assert rules.widened(had, given) == now


async def test_an_invitation_is_good_for_as_long_as_whoever_sent_it_may_invite(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    for email, role in (("less@example.com", Role.MEMBER), ("gone@example.com", None)):
        admin = await join(database, acme, email, Role.ADMIN)
        assert admin.user_id is not None
        second = await person(database, f"second-{email}")
        _, token = await invite(database, admin, acme, f"second-{email}", Role.ADMIN)
        async with database.work(owner) as work:
            if role is None:
                await workspaces.remove_member(work, workspace_id=acme, user_id=admin.user_id)
            else:
                given = {"role": role, "sites": None, "all_sites": False}
                await workspaces.change_member(work, workspace_id=acme, user_id=admin.user_id, **given)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            await accept(database, second, token)


async def test_an_invitation_is_revoked_once_and_not_after_somebody_came_in_by_it(database: SqlDatabase) -> None:
    acme, owner = await owned(database)
    id, token = await invite(database, owner, acme, "bert@example.com", Role.MEMBER)
    await accept(database, await person(database, "bert@example.com"), token)
    with pytest.raises(NotFound):
        async with database.work(owner) as work:
            await workspaces.revoke_invitation(work, invitation_id=id)
