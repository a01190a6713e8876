"""Refresh tokens: good once, the same successor within the grace, and the end of the session when two know one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from domain import accounts
from domain.access import NOBODY
from domain.accounts import SignedIn
from domain.accounts.model import RefreshToken
from domain.keyring import Keyring
from domain.work import Origin
from tests.domain.accounts.people import ELSEWHERE, EMAIL, HOME, KEYRING, People, actor_of, people

__all__ = ["people"]


async def signed_in(people: People) -> SignedIn:
    await people.person()
    return await people.sign_in()


async def next_one(people: People, token: str, origin: Origin = HOME) -> SignedIn:
    found = await people.refresh(token, origin)
    assert found is not None
    return found


async def stored(people: People) -> list[str]:
    async with people.database.work(NOBODY) as work:
        return list((await work.db.execute(select(RefreshToken.digest))).scalars())


async def test_a_token_is_replaced_by_another_and_nothing_secret_is_kept(people: People) -> None:
    first = await signed_in(people)
    people.later(minutes=9)
    second = await next_one(people, first.refresh_token)
    assert (second.session_id, second.user_id) == (first.session_id, first.user_id)
    assert second.refresh_token != first.refresh_token
    assert second.refresh_expires_at == people.now + timedelta(days=30)
    third = await next_one(people, second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    tokens = [each.refresh_token for each in (first, second, third)]
    assert sorted(await stored(people)) == sorted(KEYRING.digest(each) for each in tokens)
    (session,) = await accounts.sessions_of(people.database.reader, first.user_id, people.now)
    assert session.seen_at == people.now
    assert session.created_at == people.now - timedelta(minutes=9)


async def test_a_successor_cannot_be_made_without_the_installations_secret(people: People) -> None:
    first = await signed_in(people)
    (made,) = accounts.rules.successors(first.refresh_token, Keyring([b"another secret"]))
    second = await next_one(people, first.refresh_token)
    assert made != second.refresh_token
    assert accounts.rules.successors(first.refresh_token, KEYRING) == [second.refresh_token]


async def test_the_same_client_gets_the_same_successor_within_ten_seconds(people: People) -> None:
    first = await signed_in(people)
    second = await next_one(people, first.refresh_token)
    people.later(seconds=10)
    assert await next_one(people, first.refresh_token) == second
    assert len(await stored(people)) == 2
    assert await people.live(first) == [True]


async def test_a_token_that_comes_again_later_ends_the_session(people: People) -> None:
    first = await signed_in(people)
    other = await people.sign_in()
    second = await next_one(people, first.refresh_token)
    people.later(seconds=10, microseconds=1)
    assert await people.refresh(first.refresh_token) is None
    assert await people.live(first, other) == [False, True]
    assert await people.refresh(second.refresh_token) is None
    entry = (await people.log())[-1]
    assert (entry.kind, entry.user_id) == ("TOKEN_REUSED", first.user_id)
    mail = (await people.mails())[-1]
    assert (mail.template, mail.to, mail.values["name"]) == ("SESSIONS_REVOKED", EMAIL, "Ada")
    # It is told once.
    assert await people.refresh(first.refresh_token) is None
    assert len(await people.mails()) == 2
    assert await next_one(people, other.refresh_token)


@pytest.mark.parametrize("thief", [ELSEWHERE, Origin(HOME.address, "curl"), Origin(ELSEWHERE.address, HOME.agent), Origin()])
async def test_the_grace_is_the_clients_own(people: People, thief: Origin) -> None:
    first = await signed_in(people)
    await next_one(people, first.refresh_token)
    assert await people.refresh(first.refresh_token, thief) is None
    assert await people.live(first) == [False]
    assert (await people.kinds())[-1] == "TOKEN_REUSED"


async def test_a_client_is_the_same_in_all_its_network(people: People) -> None:
    await people.person()
    first = await people.sign_in(origin=Origin("2001:db8::1", "x"))
    second = await next_one(people, first.refresh_token, Origin("2001:db8::1", "x"))
    assert await next_one(people, first.refresh_token, Origin("2001:db8::ffff:2", "x")) == second
    assert await people.refresh(first.refresh_token, Origin("2001:db8:0:1::1", "x")) is None
    assert await people.live(first) == [False]


async def test_a_hundred_at_once_get_one_successor(people: People) -> None:
    first = await signed_in(people)
    found = await asyncio.gather(*(people.refresh(first.refresh_token) for _ in range(100)))
    assert len({each.refresh_token for each in found if each is not None}) == 1
    assert None not in found
    assert len(await stored(people)) == 2
    assert await people.live(first) == [True]


async def test_a_hundred_at_once_of_many_clients_end_the_session(people: People) -> None:
    first = await signed_in(people)
    origins = [Origin(f"198.51.100.{number}", "x") for number in range(100)]
    found = await asyncio.gather(*(people.refresh(first.refresh_token, origin) for origin in origins))
    assert len([each for each in found if each is not None]) == 1
    assert await people.live(first) == [False]
    assert (await people.kinds()).count("TOKEN_REUSED") == 1
    assert len(await stored(people)) == 2


async def test_a_chain_that_is_raced_on_stays_one(people: People) -> None:
    token = (await signed_in(people)).refresh_token
    for number in range(5):
        found = await asyncio.gather(*(people.refresh(token) for _ in range(8)))
        (token,) = {each.refresh_token for each in found if each is not None}
        assert len(await stored(people)) == number + 2


async def test_a_session_that_rests_for_30_days_is_over(people: People) -> None:
    first = await signed_in(people)
    people.later(days=30)
    assert await people.refresh(first.refresh_token) is None
    assert "TOKEN_REUSED" not in await people.kinds()
    people.later(microseconds=-1)
    assert await next_one(people, first.refresh_token)


async def test_no_session_lasts_longer_than_90_days(people: People) -> None:
    first = last = await signed_in(people)
    until = people.now + timedelta(days=90)
    for _ in range(4):
        people.later(days=20)
        last = await next_one(people, last.refresh_token)
    assert last.refresh_expires_at == until
    people.now = until - timedelta(microseconds=1)
    last = await next_one(people, last.refresh_token)
    assert last.refresh_expires_at == until
    people.now = until
    assert await people.refresh(last.refresh_token) is None
    assert await people.live(first) == [False]


async def test_nothing_is_refreshed_of_a_session_that_was_revoked(people: People) -> None:
    first = await signed_in(people)
    async with people.database.work(actor_of(first)) as work:
        await accounts.sign_out(work)
    assert await people.refresh(first.refresh_token) is None
    assert len(await stored(people)) == 1


@pytest.mark.parametrize("text", ["", "pmr_", "pmr_" + "a" * 43, "pmk_" + "a" * 43, "\x00", "x" * 100_000, "é"])
async def test_what_is_no_token_refreshes_nothing(people: People, text: str) -> None:
    first = await signed_in(people)
    assert await people.refresh(text) is None
    assert await people.refresh(first.refresh_token + "\n") is None
    assert await people.live(first) == [True]


async def test_a_token_survives_the_change_of_the_installations_secret(people: People) -> None:
    first = await signed_in(people)
    second = await next_one(people, first.refresh_token)
    both = Keyring([b"new secret", b"secret"])
    async with people.database.work(NOBODY, HOME) as work:
        assert await accounts.refresh(work, first.refresh_token, keyring=both) == second
    async with people.database.work(NOBODY, HOME) as work:
        third = await accounts.refresh(work, second.refresh_token, keyring=both)
    assert third is not None
    assert both.digest(third.refresh_token) in await stored(people)
