"""Passwords are hashed a few at once, and nobody learns whether there is an account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from domain.accounts import passwords
from domain.accounts.passwords import Passwords
from domain.errors import LimitReached

GOOD = "correct horse battery"


@pytest.fixture
def hashing() -> Iterator[Passwords]:
    made = Passwords(at_once=1, waiting=1)
    yield made
    made.close()


async def test_a_password_is_the_one_and_others_are_not(hashing: Passwords) -> None:
    hash = await hashing.hash(GOOD)
    assert hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await hashing.verify(GOOD, hash)
    assert await hashing.hash(GOOD) != hash, "each has a salt of its own"
    for wrong in ("", GOOD[:-1], GOOD.upper(), GOOD + " ", "x" * 1_000_000):
        assert not await hashing.verify(wrong, hash)


async def test_it_is_the_same_however_it_was_typed(hashing: Passwords) -> None:
    hash = await hashing.hash("Zoe\u0308 is\u00a0not here")
    assert await hashing.verify("Zo\u00eb is not here", hash)


async def test_nobody_has_no_password_though_it_is_looked_at(hashing: Passwords) -> None:
    for guess in ("", GOOD, "whoever is not there"):
        assert not await hashing.verify(guess, None)
    assert not await hashing.verify(GOOD, "no hash at all")


async def test_who_comes_when_too_many_wait_is_sent_away_and_who_leaves_keeps_their_place(hashing: Passwords) -> None:
    several = [asyncio.create_task(hashing.verify(GOOD, None)) for _ in range(2)]
    await asyncio.sleep(0)
    several[0].cancel()
    with pytest.raises(LimitReached):
        await hashing.verify(GOOD, None)
    assert await several[1] is False
    assert await hashing.verify(GOOD, None) is False


@pytest.mark.parametrize(("password", "good"), [("x" * 9, False), ("x" * 10, True), ("x" * 256, True), ("x" * 257, False)])
async def test_only_its_length_is_asked_of_a_new_one(hashing: Passwords, password: str, good: bool) -> None:
    assert (passwords.fault(password) is None) is good
    if not good:
        with pytest.raises(ValueError, match="10 to 256"):
            await hashing.hash(password)


def test_hashes_of_other_parameters_are_outdated() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD))
    assert not passwords.is_outdated(passwords._NOBODYS)
