"""Nobody learns by the clock whether an address has an account."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence

import pytest

from domain.errors import InvalidInput
from infra.cache.memory import MemoryCache
from tests.domain.accounts.people import EMAIL, People, people

__all__ = ["people"]

SAMPLES = 120
"""Of each kind, in random order, so that what else the machine does falls upon both alike."""

DEVIATIONS = 5
"""Of the Mann-Whitney statistic where both are drawn from one distribution: less than one run in a million is beyond."""


async def refused_after(people: People, email: str) -> float:
    people.cache = MemoryCache()  # nobody has tried before
    began = time.perf_counter()
    with pytest.raises(InvalidInput, match="no account with this e-mail"):
        await people.sign_in(email, "some other password")
    return time.perf_counter() - began


def chance_to_tell(some: Sequence[float], others: Sequence[float]) -> float:
    """The probability that one of `some` took longer than one of `others`: a half, where nothing tells them apart."""
    longer = sum((one > other) + (one == other) / 2 for one in some for other in others)
    return longer / (len(some) * len(others))


@pytest.mark.slow
async def test_a_sign_in_takes_as_long_for_unknown_accounts_as_for_known_ones(people: People) -> None:
    await people.person()
    unknown = EMAIL.replace("ada", "bob")
    turns = [EMAIL, unknown] * SAMPLES
    random.shuffle(turns)
    await refused_after(people, EMAIL), await refused_after(people, unknown)
    taken: dict[str, list[float]] = {EMAIL: [], unknown: []}
    for email in turns:
        taken[email].append(await refused_after(people, email))
    deviation = math.sqrt((2 * SAMPLES + 1) / (12 * SAMPLES * SAMPLES))
    assert abs(chance_to_tell(taken[EMAIL], taken[unknown]) - 0.5) < DEVIATIONS * deviation
