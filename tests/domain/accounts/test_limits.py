"""How often it may be tried to sign in: per network, per account there, and by strangers together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import accounts
from domain.accounts import rules
from domain.caching import Bucket, Spent
from domain.errors import InvalidInput, LimitReached
from infra.cache.memory import MemoryCache
from tests.domain.accounts.people import EMAIL, HOME, KEYRING, People, people

__all__ = ["people"]


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Keys(MemoryCache):
    """Remembers under which keys was spent."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.spent: list[str] = []

    async def spend(self, key: str, amount: float, bucket: Bucket) -> Spent:
        self.spent.append(key)
        return await super().spend(key, amount, bucket)


@pytest.fixture
def clock(people: People) -> Clock:
    clock = Clock()
    people.cache = Keys(clock)
    return clock


async def pay(people: People, address: str, email: str = EMAIL) -> None:
    await accounts.pay_for_sign_in(people.cache, people.database.reader, KEYRING, email=email, address=address, now=people.now)


async def granted(people: People, addresses: list[str], email: str = EMAIL) -> int:
    number = 0
    for address in addresses:
        try:
            await pay(people, address, email)
            number += 1
        except LimitReached:
            pass
    return number


async def test_ten_attempts_at_one_account_from_one_network_in_a_quarter_of_an_hour(people: People, clock: Clock) -> None:
    assert await granted(people, ["192.0.2.1"] * 12) == 10
    with pytest.raises(LimitReached) as refused:
        await pay(people, "192.0.2.1")
    assert refused.value.limit == 10
    assert refused.value.retry_at is not None
    assert 80 < (refused.value.retry_at - people.now).total_seconds() <= 90
    clock.seconds += 90
    assert await granted(people, ["192.0.2.1"] * 2) == 1


async def test_thirty_attempts_from_one_network_at_whatever_accounts(people: People, clock: Clock) -> None:
    number = 0
    for each in range(40):
        number += await granted(people, ["192.0.2.1"], f"somebody{each}@example.com")
    assert number == 30
    with pytest.raises(LimitReached) as refused:
        await pay(people, "192.0.2.1", "anybody@example.com")
    assert refused.value.limit == 30
    clock.seconds += 600
    await pay(people, "192.0.2.1", "anybody@example.com")


async def test_a_network_of_ipv6_is_a_64(people: People, clock: Clock) -> None:
    assert await granted(people, [f"2001:db8::{number:x}" for number in range(1, 13)]) == 10
    assert await granted(people, ["2001:db8:0:1::1"]) == 1
    assert await granted(people, ["::ffff:192.0.2.1"] * 6 + ["192.0.2.1"] * 6) == 10


async def test_strangers_do_not_lock_the_owner_out(people: People, clock: Clock) -> None:
    await people.person()
    await people.sign_in()
    strangers = [f"198.51.100.{number}" for number in range(100)]
    assert await granted(people, strangers) == 49  # one of the fifty was the first sign-in's
    with pytest.raises(LimitReached) as refused:
        await pay(people, "203.0.113.1")
    assert refused.value.limit == 50
    assert (await people.sign_in()).is_new_place is False
    # Another account is not touched.
    assert await granted(people, ["203.0.113.1"], "eve@example.com") == 1


async def test_strangers_in_a_network_that_somebody_knows_do_not_lock_them_out_there(people: People, clock: Clock) -> None:
    await people.person()
    await people.sign_in()
    tried = [await granted(people, [HOME.address], f"somebody{number}@example.com") for number in range(40)]
    assert sum(tried) == 29  # one of the thirty was the first sign-in's
    assert (await people.sign_in()).is_new_place is False
    assert await granted(people, [HOME.address], "eve@example.com") == 0


async def test_whoever_resets_their_password_has_all_attempts_again_even_from_a_new_network(
    people: People, clock: Clock
) -> None:
    id = await people.person()
    here, elsewhere = "203.0.113.1", "203.0.113.2"
    assert await granted(people, [here] * 11) == 10
    assert await granted(people, [f"198.51.100.{number}" for number in range(100)]) == 40
    for _ in range(30):
        await granted(people, [here], "anybody@example.com")
    await accounts.give_back(people.cache, people.database.reader, KEYRING, user_id=id, address=here)
    assert await granted(people, [here] * 11) == 10
    assert await granted(people, [f"198.51.101.{number}" for number in range(100)]) == 50
    assert await granted(people, [here, elsewhere]) == 0
    clock.seconds += 90
    assert await granted(people, [here]) == 1  # strangers have used up what is not the owner's own
    clock.seconds += 86_400
    assert await granted(people, [f"198.51.100.{number}" for number in range(100)]) == 50
    assert await granted(people, [here]) == 0


async def test_what_is_known_of_a_network_is_forgotten_after_90_days(people: People, clock: Clock) -> None:
    await people.person()
    await people.sign_in()
    strangers = [f"198.51.100.{number}" for number in range(60)]
    people.now += rules.REMEMBERED - timedelta(microseconds=1)
    assert await granted(people, strangers) == 49
    await pay(people, HOME.address)
    people.later(microseconds=1)
    assert await granted(people, [HOME.address]) == 0


async def test_known_and_unknown_accounts_are_counted_alike(people: People, clock: Clock) -> None:
    await people.person()
    addresses = [f"198.51.100.{number}" for number in range(60)]
    assert await granted(people, addresses) == await granted(people, addresses, "nobody@example.com") == 50


async def test_each_attempt_counts_right_or_wrong_and_none_is_looked_at_beyond(people: People, clock: Clock) -> None:
    await people.person()
    for _ in range(9):
        with pytest.raises(InvalidInput):
            await people.sign_in(password="wrong password")
    await people.sign_in()
    with pytest.raises(LimitReached):
        await people.sign_in()
    kinds = await people.kinds()
    assert (kinds.count("SIGN_IN_REFUSED"), kinds.count("SIGNED_IN")) == (9, 1)


async def test_asking_for_ones_password_is_counted_too(people: People, clock: Clock) -> None:
    id = await people.person()
    for _ in range(10):
        with pytest.raises(InvalidInput):
            await people.confirm(id, "wrong password")
    with pytest.raises(LimitReached):
        await people.confirm(id)


async def test_five_mails_an_hour_to_one_address_and_thirty_from_one_network(people: People, clock: Clock) -> None:
    async def mailed(email: str, address: str) -> bool:
        try:
            await accounts.pay_for_mail(people.cache, KEYRING, email=email, address=address, now=people.now)
        except LimitReached:
            return False
        return True

    assert [await mailed(EMAIL, f"198.51.100.{number}") for number in range(6)] == [True] * 5 + [False]
    assert sum([await mailed(f"somebody{number}@example.com", "192.0.2.1") for number in range(40)]) == 30
    # What strangers sign up with uses up nothing of it, and is counted as well.
    for _ in range(5):
        await accounts.pay_for_mail(people.cache, KEYRING, email="b@b.c", address="203.0.113.9", now=people.now, is_new=True)
    with pytest.raises(LimitReached):
        await accounts.pay_for_mail(people.cache, KEYRING, email="b@b.c", address="203.0.113.9", now=people.now, is_new=True)
    assert [await mailed("b@b.c", f"198.51.100.{number}") for number in range(6)] == [True] * 5 + [False]
    clock.seconds += 720
    assert [await mailed(EMAIL, "198.51.100.9") for _ in range(2)] == [True, False]


async def test_the_cache_learns_no_address(people: People, clock: Clock) -> None:
    await pay(people, "192.0.2.1")
    await accounts.pay_for_mail(people.cache, KEYRING, email=EMAIL, address="192.0.2.1", now=people.now)
    assert isinstance(people.cache, Keys)
    names = [key.rpartition(":") for key in people.cache.spent]
    assert [name for name, _, _ in names] == [
        "sign-in:network",
        "sign-in:pair",
        "sign-in:account",
        "mail:network",
        "mail:address",
    ]
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for _, _, digest in names)
