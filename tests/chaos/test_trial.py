"""The short form of the trial; the long one is `make chaos`."""

from __future__ import annotations

import random

import pytest

from .plan import short
from .trial import trial


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_nothing_is_lost_and_nothing_doubled_while_everything_is_killed_once() -> None:
    assert await trial(short(random.randrange(1_000_000))), "What was lost or doubled is printed above, with the seed."
