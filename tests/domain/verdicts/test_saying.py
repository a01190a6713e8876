"""What is said of the numbers."""

from __future__ import annotations

import numpy as np

from domain.measuring import MetricName
from domain.verdicts import Judgement, Reason, judging, saying
from domain.verdicts.judging import Judged
from domain.verdicts.noise import Compared


def again(_judged: Judged) -> bool:
    return True


def test_a_spread_that_changed_is_told_and_by_chance_alone_in_one_of_a_hundred_comparisons() -> None:
    chance = np.random.default_rng(5)

    def side(snapshots: int, apart: float) -> list[list[float]]:
        return [list(1_000 + chance.normal(0, apart, 5)) for _ in range(snapshots)]

    alike = [Compared(number, MetricName.LCP, side(4, 20), side(1, 20)) for number in range(300)]
    wider = Compared(-1, MetricName.LCP, side(4, 20), [[400.0, 500.0, 700.0, 1_300.0, 1_500.0, 1_600.0]])
    said = saying.say(judging.judge([wider, *alike]), again)
    ratios = [each.spread_ratio for each in said]
    assert ratios[0] is not None
    assert ratios[0] > 5
    assert 0 < sum(ratio is not None for ratio in ratios[1:]) <= 6


def test_where_too_few_are_compared_what_they_were_is_said_nevertheless() -> None:
    (said,) = saying.say(judging.judge([Compared(1, MetricName.LCP, [[1_000.0]], [[1_500.0]])]), again)
    assert (said.judgement, said.reason) == (Judgement.NO_EVIDENCE, Reason.TOO_FEW)
    assert (said.before, said.after, said.p) == (1_000, 1_500, None)
