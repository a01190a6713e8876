"""The ends of sessions, and what else people do with their own accounts."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, func, select

from domain import accounts, security, workspaces
from domain.access import NOBODY, SYSTEM, Actor, Role
from domain.accounts.model import Link, RefreshToken, Session, User
from domain.errors import InvalidInput, NotAllowed, NotFound, ProblemCode
from domain.ids import Kind, encode, new_id
from domain.security import SecurityKind
from domain.work import Work
from infra.cache.memory import MemoryCache
from tests.domain.accounts.people import BASE, ELSEWHERE, EMAIL, HOME, KEYRING, PASSWORD, People, actor_of, people

__all__ = ["people"]


async def test_signing_out_ends_this_session_alone(people: People) -> None:
    await people.person()
    here, there = await people.sign_in(), await people.sign_in()
    async with people.database.work(actor_of(here)) as work:
        assert await accounts.sign_out(work) == here.session_id
    assert await people.live(here, there) == [False, True]
    assert (await people.kinds())[-1] == "SIGNED_OUT"


async def test_a_session_of_ones_own_is_revoked_and_no_other(people: People) -> None:
    await people.person()
    here, there = await people.sign_in(), await people.sign_in(origin=ELSEWHERE)
    await people.person("eve@example.com")
    eve = await people.sign_in("eve@example.com")
    async with people.database.work(actor_of(here)) as work:
        await accounts.revoke_session(work, session_id=there.session_id)
    assert await people.live(here, there, eve) == [True, False, True]
    for wrong in (there.session_id, eve.session_id, new_id()):
        with pytest.raises(NotFound) as refused:
            async with people.database.work(actor_of(here)) as work:
                await accounts.revoke_session(work, session_id=wrong)
        assert refused.value.message == "There is no such session, or it is over, or not yours."
    assert await people.live(here, eve) == [True, True]
    assert (await people.kinds()).count("SESSION_REVOKED") == 1


@pytest.mark.parametrize(("keep_this", "number", "live"), [(True, 2, [True, False, False]), (False, 3, [False] * 3)])
async def test_all_sessions_end_or_all_others(people: People, keep_this: bool, number: int, live: list[bool]) -> None:
    await people.person()
    sessions = [await people.sign_in() for _ in range(3)]
    await people.person("eve@example.com")
    eve = await people.sign_in("eve@example.com")
    async with people.database.work(actor_of(sessions[0])) as work:
        assert await accounts.revoke_all(work, keep_this=keep_this) == number
    assert await people.live(*sessions) == live
    assert await people.live(eve) == [True]
    assert (await people.log())[-1].details == {"number": number, "keptThis": keep_this}


async def test_a_changed_password_ends_all_other_sessions(people: People) -> None:
    id = await people.person()
    here, there = await people.sign_in(), await people.sign_in()
    confirmed, hash = await people.confirm(id), await people.passwords.hash("another password")
    async with people.database.work(actor_of(here)) as work:
        assert await accounts.change_password(work, confirmed=confirmed, password_hash=hash, keyring=KEYRING) == 1
    assert await people.live(here, there) == [True, False]
    assert (await people.mails())[-1].template == "PASSWORD_CHANGED"
    assert (await people.kinds())[-1] == "PASSWORD_CHANGED"
    with pytest.raises(InvalidInput):
        await people.sign_in()
    await people.sign_in(password="another password")
    with pytest.raises(InvalidInput):  # what was confirmed is the old one
        async with people.database.work(actor_of(here)) as work:
            await accounts.change_password(work, confirmed=confirmed, password_hash=hash, keyring=KEYRING)


async def test_the_old_password_is_asked_for(people: People) -> None:
    id = await people.person()
    with pytest.raises(InvalidInput) as refused:
        await people.confirm(id, "wrong password")
    assert (refused.value.message, refused.value.code) == ("This is not your password.", ProblemCode.SIGN_IN_REFUSED)
    entry = (await people.log())[-1]
    assert (entry.kind, entry.user_id, entry.details) == ("SIGN_IN_REFUSED", id, {"reason": "confirm"})
    with pytest.raises(InvalidInput):
        await people.confirm(new_id())


async def test_who_has_no_password_is_told_how_to_get_one(people: People) -> None:
    async with people.database.work(NOBODY, HOME) as work:
        person = accounts.Person("https://idp.example", "ada", EMAIL, "Ada")
        signed_in = await accounts.sign_in_by_identity(
            work, person, registration=accounts.Registration.OPEN, invited=False, keyring=KEYRING
        )
    with pytest.raises(InvalidInput) as refused:
        await people.confirm(signed_in.user_id, "")
    assert refused.value.message == "Your account has no password: have a link mailed to choose one first."
    assert refused.value.code is ProblemCode.SIGN_IN_REFUSED


async def test_a_name_is_changed(people: People) -> None:
    id = await people.person()
    async with people.database.work(actor_of(await people.sign_in())) as work:
        await accounts.rename(work, name=" Countess Lovelace ")
    row = await accounts.get(people.database.reader, id)
    assert row is not None
    assert row.name == "Countess Lovelace"


async def test_an_account_is_deleted_with_all_that_is_signed_in_by_it(people: People) -> None:
    id = await people.person()
    here = await people.sign_in()
    confirmed = await people.confirm(id)
    with pytest.raises(InvalidInput):
        async with people.database.work(actor_of(here)) as work:
            await accounts.close(work, confirmed="another hash")
    assert await people.live(here) == [True]
    async with people.database.work(actor_of(here)) as work:
        await accounts.close(work, confirmed=confirmed)
    assert await people.live(here) == [False]
    assert await accounts.get(people.database.reader, id) is None
    assert await people.refresh(here.refresh_token) is None
    # What the log tells of them stays.
    entry = (await people.log())[-1]
    assert (entry.kind, entry.user_id) == ("ACCOUNT_DELETED", id)
    with pytest.raises(InvalidInput):
        await people.sign_in()
    assert await people.person() != id


async def test_people_have_what_is_kept_of_them_and_nothing_secret(people: People) -> None:
    id = await people.person()
    here = await people.sign_in()
    async with people.database.work(actor_of(here)) as work:
        text = await accounts.export(work, sections={"memberships": [{"role": "OWNER"}]})
    told = json.loads(text)
    assert set(told) == {"user", "identities", "sessions", "securityLog", "memberships"}
    assert told["user"] == {
        "id": encode(Kind.USER, id),
        "name": "Ada",
        "email": EMAIL,
        "verified_at": str(people.now),
        "created_at": str(people.now),
    }
    assert told["identities"] == []
    (session,) = told["sessions"]
    assert (session["id"], session["address"]) == (encode(Kind.SESSION, here.session_id), "192.0.2.1")
    assert told["memberships"] == [{"role": "OWNER"}]
    assert [entry["kind"] for entry in told["securityLog"]] == ["SIGNED_IN", "EMAIL_VERIFIED", "ACCOUNT_CREATED"]
    assert told["securityLog"][0] == {
        "at": str(people.now),
        "kind": "SIGNED_IN",
        "subject": encode(Kind.SESSION, here.session_id),
        "session": None,
        "address": "192.0.2.1",
        "agent": "Firefox",
        "details": {"method": "PASSWORD", "new": True},
    }
    assert "argon2" not in text
    assert here.refresh_token not in text
    assert (await people.kinds())[-1] == "ACCOUNT_EXPORTED"


async def test_what_is_kept_of_them_has_the_newest_thousand_entries_of_their_log(people: People) -> None:
    id = await people.person()
    async with people.database.work(NOBODY) as work:
        for number in range(1_001):
            security.log(work, SecurityKind.SIGN_IN_REFUSED, user_id=id, number=number)
    async with people.database.work(actor_of(await people.sign_in())) as work:
        told = json.loads(await accounts.export(work, sections={}))["securityLog"]
    assert [entry["details"].get("number") for entry in told] == [None, *range(1_000, 1, -1)]


async def test_whoever_was_deleted_a_moment_ago_is_refused_what_was_kept_of_them(people: People) -> None:
    id = await people.person()
    here = await people.sign_in()
    confirmed = await people.confirm(id)
    async with people.database.work(actor_of(here)) as work:
        await accounts.close(work, confirmed=confirmed)
    for act in (lambda work: accounts.export(work, sections={}), accounts.hold):
        with pytest.raises(NotAllowed) as refused:
            async with people.database.work(actor_of(here)) as work:
                await act(work)
        assert refused.value.code is ProblemCode.NOT_SIGNED_IN


def _email(work: Work) -> Awaitable[object]:
    given = {"email": "a@b.c", "confirmed": "", "cache": MemoryCache(), "keyring": KEYRING, "base_url": BASE}
    return accounts.change_email(work, **given)  # type: ignore[arg-type]


def _password(work: Work) -> Awaitable[object]:
    return accounts.change_password(work, confirmed="", password_hash="", keyring=KEYRING)


@pytest.mark.parametrize(
    "act",
    [
        accounts.sign_out,
        accounts.hold,
        lambda work: accounts.revoke_session(work, session_id=new_id()),
        lambda work: accounts.revoke_all(work, keep_this=True),
        lambda work: accounts.rename(work, name="Eve"),
        lambda work: accounts.close(work, confirmed=""),
        lambda work: accounts.export(work, sections={}),
        _email,
        _password,
    ],
)
async def test_no_key_and_no_stranger_acts_on_an_account(people: People, act: Callable[[Work], Awaitable[object]]) -> None:
    id = await people.person()
    session_id = (await people.sign_in()).session_id
    workspace_id, key_id = new_id(), new_id()
    for actor in (
        NOBODY,
        Actor({workspace_id: Role.OWNER}, user_id=id, key_id=key_id),
        Actor({workspace_id: Role.OWNER}, user_id=id, key_id=key_id, session_id=session_id),
        Actor(user_id=id),
    ):
        with pytest.raises(NotAllowed) as refused:
            async with people.database.work(actor) as work:
                await act(work)
        assert refused.value.code is ProblemCode.NOT_SIGNED_IN
        assert refused.value.message == "Sign in: this is about your own account, and no API key opens it."


async def test_what_is_over_is_forgotten(people: People) -> None:
    id = await people.person()
    async with people.database.work(NOBODY) as work:
        await accounts.request_reset(work, email=EMAIL, keyring=KEYRING, base_url=BASE)
    for _ in range(2):
        await people.sign_in()

    async def kept() -> list[int]:
        async with people.database.work(NOBODY) as work:
            await accounts.forget(work)
            counts = [select(func.count()).select_from(table) for table in (Session, RefreshToken, Link)]
            return [(await work.db.execute(count)).scalar_one() for count in counts]

    assert await kept() == [2, 2, 1]
    people.later(hours=1, seconds=1)
    assert await kept() == [2, 2, 0]
    people.later(days=30)
    assert await kept() == [2, 0, 0]
    people.later(days=61)
    assert await kept() == [1, 0, 0]
    assert await accounts.sessions_of(people.database.reader, id, people.now) == []
    await people.sign_in(password=PASSWORD)
    assert await kept() == [1, 1, 0]


async def test_an_account_that_nobody_verified_is_forgotten_after_a_week(people: People) -> None:
    async with people.database.work(NOBODY) as work:
        await accounts.register(work, name="At the command line")
        work.db.add(User(id=new_id(), name="Member", email="member@example.com", created_at=work.now))
        await work.db.flush()
    await people.sign_up("waits@example.com")
    await people.person()  # who never signs in

    async def kept() -> set[str | None]:
        async with people.database.work(SYSTEM) as work:
            await accounts.forget(work)
            return set((await work.db.execute(select(User.email))).scalars())

    everybody = {None, EMAIL, "member@example.com", "waits@example.com"}
    people.later(days=7)
    assert await kept() == everybody
    async with people.database.work(SYSTEM, HOME) as work:
        await accounts.request_verification(work, email="waits@example.com", keyring=KEYRING, base_url=BASE)
        member = (await work.db.execute(select(User.id).where(User.email == "member@example.com"))).scalar_one()
        workspace_id = await workspaces.create(work, slug="acme", name="Acme", owner_id=member)
    people.later(seconds=1)
    assert await kept() == everybody  # a link is open, and somebody is a member
    people.later(days=1)
    assert await kept() == everybody - {"waits@example.com"}
    async with people.database.work(SYSTEM) as work:
        await work.db.execute(delete(workspaces.Member).where(workspaces.Member.workspace_id == workspace_id))
    assert await kept() == {None, EMAIL}
    await people.sign_up("waits@example.com", name="Whose address it is")
    assert (await people.mails())[-1].template == "EMAIL_VERIFICATION"
