"""The rules of an honest comparison that are easy to get wrong, each by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from domain.measuring import MetricName
from domain.verdicts import Judgement, Reason, facts, judging, rules, saying, statistics
from domain.verdicts.judging import Evidence, Judged
from domain.verdicts.noise import Compared, Noise
from domain.verdicts.rules import NOISY, Said

QUIET = Noise(freedom=12)
BEFORE = [[1000.0, 1001.0, 999.0, 1002.0, 998.0]] * 4


def found(before: Sequence[Sequence[float]], *after: Sequence[float]) -> Judged:
    (judged,) = judging.judge([Compared(1, MetricName.LCP, before, after)])
    return judged


def said(judged: Judged) -> Said:
    (one,) = saying.say([judged], lambda _: True)
    return one


@pytest.mark.parametrize(("n", "m", "least"), [(3, 3, 2 / 20), (4, 4, 2 / 70), (5, 5, 2 / 252), (3, 5, 2 / 56)])
def test_so_few_runs_have_no_smaller_p_however_clear_they_are(n: int, m: int, least: float) -> None:
    """The exact two-sided Mann-Whitney test: the clearest order and its reverse, of all there are. With 3 against 3 there is
    no p below 0.05.
    """
    ranks = range(n + m)
    orders = [statistics.cliffs_delta([[r for r in ranks if r not in high]], [high]) for high in combinations(ranks, m)]
    assert sum(abs(delta) == 1 for delta in orders) / len(orders) == pytest.approx(least)
    assert (least < 0.05) is ((n, m) != (3, 3))


@pytest.mark.parametrize("runs", [3, 5, 20])
def test_two_snapshots_alone_are_too_few_to_tell_however_many_runs_they_have(runs: int) -> None:
    """Three runs against three above all; but what one snapshot's runs have in common no number of them tells."""
    judged = found([[1000.0 + run for run in range(runs)]], [9000.0 + run for run in range(runs)])
    one = said(judged)
    assert (one.judgement, one.reason, one.p, one.detectable) == (Judgement.NO_EVIDENCE, Reason.TOO_FEW, None, None)


@pytest.mark.parametrize(
    ("metric", "before", "least"),
    [
        (MetricName.LCP, 4000, 200),
        (MetricName.LCP, 100, 20),
        (MetricName.FCP, 1000, 50),
        (MetricName.SPEED_INDEX, 1000, 50),
        (MetricName.PAGE_LOAD, 1000, 50),
        (MetricName.TBT, 1000, 100),
        (MetricName.TBT, 0, 50),
        (MetricName.TTFB, 1000, 50),
        (MetricName.TTFB, 20, 10),
        (MetricName.CLS, 0.3, 0.03),
        (MetricName.CLS, 0, 0.01),
    ],
)
def test_a_change_counts_from_a_share_of_what_was_and_from_so_much_of_the_unit_whichever_is_more(
    metric: MetricName, before: float, least: float
) -> None:
    assert NOISY[metric].of(before) == pytest.approx(least)


def test_everything_that_is_judged_is_either_a_timing_with_a_least_change_or_a_fact_that_needs_no_test() -> None:
    """Bytes and counts do not vary by themselves: no test is asked, and none of them makes the correction stricter."""
    assert set(rules.TIMINGS_JUDGED) <= set(NOISY)
    assert not set(rules.FACTS_JUDGED) & set(NOISY)
    assert facts.compared(MetricName.SCRIPT_BYTES, [50_000], [90_000]) == Said(
        MetricName.SCRIPT_BYTES, Judgement.REGRESSED, Reason.DIFFERENT, 50_000, 90_000, snapshots_before=1, snapshots_after=1
    )


def test_the_effect_must_be_a_medium_one_of_cliffs_delta_however_small_its_p_is() -> None:
    evidence = found(BEFORE, [1200.0, 1201.0]).evidence
    assert evidence is not None
    assert [judging.suspected([replace(evidence, delta=delta)]) for delta in (0.32, 0.33, -0.32, -0.33)] == [
        [False],
        [True],
        [False],
        [True],
    ]


def test_samples_that_never_vary_are_compared_too_and_not_left_out() -> None:
    """In a steady laboratory the clearest regressions are of one constant to another (sitespeed.io#4881)."""
    constant = [[1000.0] * 5] * 4
    first, twice, thrice = (said(found(constant, *[[1500.0] * 5] * number)) for number in (1, 2, 3))
    assert [first.reason, twice.reason] == [Reason.SUSPECTED] * 2  # both confirmations are waited for
    assert (thrice.judgement, thrice.reason) == (Judgement.REGRESSED, Reason.CONFIRMED)
    assert said(found(constant, [1000.0] * 5)).reason is Reason.WITHIN_NOISE


def test_the_correction_counts_all_that_was_compared_and_not_only_what_is_suspected() -> None:
    """One comparison that would pass by itself does not among two hundred in which nothing changed."""
    chance = np.random.default_rng(9)

    def side(snapshots: int, level: float) -> list[list[float]]:
        return [list(level + offset + chance.normal(0, 1, 5)) for offset in chance.normal(0, 20, snapshots)]

    evidence = found(side(4, 1000), *side(3, 1200)).evidence
    assert evidence is not None

    def is_confirmed(others: int) -> bool:
        each = replace(evidence, all=0.005)
        whole: list[Evidence | None] = [each, *[replace(each, all=0.5, first=0.5)] * others]
        return judging._significant(whole, judging.suspected(whole), [1.0] * len(whole))[0]

    assert (is_confirmed(0), is_confirmed(1), is_confirmed(200)) == (True, True, False)


def test_a_suspicion_is_told_nobody_before_a_later_snapshot_shows_it_too() -> None:
    """However clear the first one is."""
    worse = [3000.0, 3001.0, 2999.0, 3002.0, 2998.0]
    assert (said(found(BEFORE, worse)).judgement, said(found(BEFORE, worse)).reason) == (
        Judgement.NO_EVIDENCE,
        Reason.SUSPECTED,
    )
    noisy = [[1000.0, 1010.0], [1020.0, 1005.0], [990.0, 1000.0], [1003.0, 1012.0]]
    assert said(found(noisy, [3000.0, 3010.0], [3005.0, 3011.0])).judgement is Judgement.REGRESSED


def test_no_evidence_says_the_smallest_change_that_would_have_been_seen_and_it_grows_with_the_noise() -> None:
    quiet, loud = ([[1000.0 + step * sign] * 2 for sign in (-1, 1, -1, 1)] for step in (5, 100))
    seen = [said(found(side, [1000.0, 1000.0])).detectable for side in (quiet, loud)]
    assert seen[0] is not None
    assert seen[1] is not None
    assert 0 < seen[0] < seen[1]
