"""Signing in by a password: one answer to every wrong one, and a mail from a new place."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, select, update

from domain import accounts
from domain.access import NOBODY
from domain.accounts import User
from domain.errors import InvalidInput, ProblemCode
from domain.work import Origin
from tests.databases import Counter
from tests.domain.accounts.people import ELSEWHERE, EMAIL, HOME, KEYRING, PASSWORD, People, people

__all__ = ["people"]


async def test_whoever_knows_the_password_is_signed_in(people: People) -> None:
    id = await people.person()
    signed_in = await people.sign_in(" ADA@example.com")
    assert signed_in.user_id == id
    assert accounts.rules.is_refresh_token(signed_in.refresh_token)
    assert (signed_in.refresh_expires_at - people.now).days == 30
    (session,) = await accounts.sessions_of(people.database.reader, id, people.now)
    assert (session.id, session.method, session.address, session.agent) == (signed_in.session_id, "PASSWORD", *HOME)
    assert (session.created_at, session.seen_at) == (people.now, people.now)
    assert (session.expires_at - people.now).days == 90
    entry = (await people.log())[-1]
    assert (entry.kind, entry.user_id, entry.address) == ("SIGNED_IN", id, HOME.address)


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong password"), ("eve@example.com", PASSWORD), ("no address", PASSWORD), ("\x00", ""), (EMAIL, "x" * 100_000)],
)
async def test_a_wrong_address_and_a_wrong_password_are_one_answer(people: People, email: str, password: str) -> None:
    await people.person()
    with pytest.raises(InvalidInput) as refused:
        await people.sign_in(email, password)
    (fault,) = refused.value.faults
    assert fault.path == ("password",)
    assert fault.message == (
        "There is no account with this e-mail and password. If you have just signed up, open the link that was mailed to you "
        "first."
    )
    assert fault.code is ProblemCode.SIGN_IN_REFUSED
    assert (await people.kinds())[-1] == "SIGN_IN_REFUSED"


async def test_known_and_unknown_accounts_take_the_same_way(people: People) -> None:
    await people.person()
    read = Counter(people.database)
    written: list[str] = []
    event.listen(people.database.writes.sync_engine, "before_cursor_execute", lambda _1, _2, text, *_: written.append(text))
    ways = []
    for email in (EMAIL, "eve@example.com"):
        read.statements.clear()
        written.clear()
        with pytest.raises(InvalidInput):
            await people.sign_in(email, "wrong password")
        ways.append((list(read.statements), list(written)))
    assert ways[0] == ways[1]
    assert len(ways[0][0]) == 2
    assert any("INSERT INTO security_log" in text for text in ways[0][1])


async def test_no_transaction_is_open_while_a_password_is_looked_at(people: People) -> None:
    await people.person()
    begun: list[str] = []
    verify = people.passwords.verify

    class Looking(accounts.Passwords):
        async def verify(self, password: str, hash: str | None) -> bool:
            begun.clear()
            found = await verify(password, hash)
            assert begun == []
            return found

    event.listen(people.database.writes.sync_engine, "begin", lambda _: begun.append("begin"))
    people.passwords, kept = Looking(), people.passwords
    await people.sign_in()
    assert begun == ["begin"]
    people.passwords.close()
    people.passwords = kept


async def test_a_new_place_is_told_by_mail_but_not_the_first(people: People) -> None:
    await people.person()
    assert (await people.sign_in()).is_new_place
    assert not (await people.sign_in(origin=Origin(HOME.address, "another browser"))).is_new_place
    assert len(await people.mails()) == 1
    assert (await people.sign_in(origin=ELSEWHERE)).is_new_place
    mail = (await people.mails())[-1]
    assert (mail.template, mail.to) == ("NEW_SIGN_IN", EMAIL)
    assert (mail.values["name"], mail.values["address"], mail.values["agent"]) == ("Ada", *ELSEWHERE)
    assert not (await people.sign_in(origin=ELSEWHERE)).is_new_place
    assert len(await people.mails()) == 2


async def test_a_place_is_forgotten_after_90_days_but_never_taken_for_the_first(people: People) -> None:
    await people.person()
    await people.sign_in()
    people.later(days=200)
    async with people.database.work(NOBODY) as work:
        await accounts.forget(work)
    assert (await people.sign_in()).is_new_place
    assert (await people.mails())[-1].template == "NEW_SIGN_IN"


async def test_a_network_of_ipv6_is_one_place(people: People) -> None:
    await people.person()
    await people.sign_in(origin=Origin("2001:db8::1", "x"))
    assert not (await people.sign_in(origin=Origin("2001:db8::ffff:1", "x"))).is_new_place
    assert (await people.sign_in(origin=Origin("2001:db8:0:1::1", "x"))).is_new_place
    assert (await people.sign_in(origin=Origin("192.0.2.9", "x"))).is_new_place
    assert not (await people.sign_in(origin=Origin("::ffff:192.0.2.9", "x"))).is_new_place


async def test_a_hash_of_former_parameters_is_made_anew(people: People) -> None:
    id = await people.person()
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    async with people.database.work(NOBODY) as work:
        await work.db.execute(update(User).where(User.id == id).values(password_hash=weak))
    await people.sign_in()
    async with people.database.work(NOBODY) as work:
        hash = (await work.db.execute(select(User.password_hash).where(User.id == id))).scalar_one()
    assert hash != weak
    assert not accounts.passwords.is_outdated(hash)
    await people.sign_in()


async def test_a_password_that_is_changed_while_it_is_looked_at_opens_nothing(people: People) -> None:
    id = await people.person()
    verify = people.passwords.verify

    class Slow(accounts.Passwords):
        async def verify(self, password: str, hash: str | None) -> bool:
            found = await verify(password, hash)
            other = await kept.hash("another password")
            async with people.database.work(NOBODY) as work:
                await work.db.execute(update(User).where(User.id == id).values(password_hash=other))
            return found

    people.passwords, kept = Slow(), people.passwords
    with pytest.raises(InvalidInput):
        await people.sign_in()
    people.passwords.close()
    people.passwords = kept
    assert await accounts.sessions_of(people.database.reader, id, people.now) == []


async def test_many_may_sign_in_at_once(people: People) -> None:
    await people.person()
    signed_in = await asyncio.gather(*(people.sign_in() for _ in range(9)))
    assert len({each.refresh_token for each in signed_in}) == 9
    assert all(await people.live(*signed_in))
    assert KEYRING.digest(signed_in[0].refresh_token) != signed_in[0].refresh_token
