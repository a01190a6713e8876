"""The arithmetic of noise, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from domain.verdicts import statistics


def test_the_centre_bears_an_outlier_and_does_not_jump_between_two_heaps() -> None:
    assert statistics.center([100.0]) == 100
    assert statistics.center([1.0, 2.0, 6.0, 7.0, 8.0]) == 4.5  # of 1, 1.5, 2, 3.5, 4, 4, 4.5, 4.5, 5, …
    assert statistics.center([1_000.0, 1_010.0, 10_000.0]) == 1_010  # means of pairs would make 3,255 of it
    assert statistics.center([100, 101, 102, 103, 900]) == 102
    assert [statistics.center([100] * (5 - high) + [200] * high) for high in range(6)] == [100, 100, 150, 150, 200, 200]


def test_snapshots_vary_within_and_between() -> None:
    side = [[1.0, 3.0], [11.0, 13.0]]
    assert statistics.variance_of_center(side) == pytest.approx(1.0)
    assert statistics.variance_between(side) == (50.0, 1)
    assert statistics.variance_between(side, [[5.0]]) == (50.0, 1)
    assert statistics.variance_between([[5.0]]) == (0.0, 0)
    assert statistics.variance_of_center([[5.0], [6.0]]) == 0


def test_the_rank_test_is_mann_whitneys_where_runs_are_independent() -> None:
    before, after = [1.0, 2.0, 3.0, 5.0, 8.0, 8.0], [4.0, 6.0, 7.0, 8.0, 9.0]
    theirs = stats.mannwhitneyu(after, before, alternative="greater", method="asymptotic", use_continuity=False)
    assert statistics.superiority([before[:3], before[3:]], [after]) == theirs.statistic / 30
    assert statistics.rank_test([before[:3], before[3:]], [after], 1.0) == pytest.approx(theirs.pvalue)
    assert statistics.cliffs_delta([before], [after]) == pytest.approx(2 * theirs.statistic / 30 - 1)


def test_three_runs_against_three_never_prove_anything_two_sided() -> None:
    """Of the 20 ways to rank them one is the clearest: its exact p is 0.05 one-sided, and no p is smaller."""
    assert stats.mannwhitneyu([4, 5, 6], [1, 2, 3], alternative="two-sided", method="exact").pvalue == pytest.approx(0.1)
    assert stats.mannwhitneyu([5, 6, 7, 8], [1, 2, 3, 4], method="exact").pvalue == pytest.approx(2 / 70)


def test_runs_that_resemble_each_other_count_for_fewer() -> None:
    before, after = [[1.0, 2.0, 3.0, 4.0, 5.0]] * 4, [[6.0, 7.0, 8.0, 9.0, 10.0]]
    ps = [statistics.rank_test(before, after, inflation) for inflation in (1.0, 2.0, 5.0, 1_000.0)]
    assert ps == sorted(ps)
    assert ps[0] < 0.001 < ps[2] < 0.1
    # As many as there are snapshots, and no fewer: one against four.
    alone = stats.mannwhitneyu([2.0], [1.0, 1.1, 1.2, 1.3], alternative="greater", method="asymptotic", use_continuity=False)
    assert ps[3] == pytest.approx(float(alone.pvalue), abs=0.003)


def test_values_that_are_all_the_same_prove_nothing() -> None:
    assert statistics.rank_test([[3.0, 3.0]], [[3.0, 3.0]], 1.0) == 0.5
    assert statistics.t_test(0.0, 0.0, 12) == 1.0
    assert statistics.t_test(1.0, 0.0, 12) == 0.0


def test_one_run_that_took_ten_seconds_is_not_the_noise_of_a_page_and_two_heaps_are() -> None:
    side = [[100.0, 101.0, 99.0, 100.0, 102.0]] * 4
    usual = statistics.variance_of_center(side)
    assert usual > 0
    assert statistics.variance_of_center([*side, [100.0, 101.0, 99.0, 100.0, 10_000.0]]) < 2 * usual
    assert statistics.variance_of_center([*side, [100.0, 101.0, 99.0, 10_000.0, 10_000.0]]) > 1_000 * usual
    assert statistics.variance_of_center([[1_000.0, 1_005.0, 10_000.0]]) < 100
    assert statistics.variance_of_center([[1_000.0, 1_005.0, 1_010.0, 10_000.0]]) < 100


def test_how_far_a_centre_varies_is_known_from_its_own_runs() -> None:
    chance = np.random.default_rng(3)
    for runs in (2, 5, 6):
        side = chance.standard_t(4, (6_000, runs)).tolist()
        assert statistics.variance_of_center(side) == pytest.approx(np.var(statistics.centers(side)), rel=0.35)


def test_the_correction_is_over_everything_compared_and_milder_where_much_changed() -> None:
    ps = [0.01, 0.04, 0.03, 0.005]
    theirs = stats.false_discovery_control(ps, method="bh")
    assert statistics.significant(ps, 0.03) == [bool(p <= 0.03) for p in theirs] == [True, False, False, True]
    assert statistics.significant([0.03, 0.04], 0.05) == [True, True]
    assert statistics.significant([0.03, 1.0], 0.05) == [False, False]
    assert statistics.significant([], 0.05) == []


def test_a_spread_that_changed_is_told_apart_from_a_middle_that_moved() -> None:
    steady = [[100.0, 101.0, 99.0, 100.5, 99.5]] * 4
    wild = [[80.0, 120.0, 90.0, 110.0, 100.0], [85.0, 115.0, 92.0, 108.0, 100.0]]
    ratio, p = statistics.spread_test(steady, wild)
    assert ratio > 10
    assert p < 0.01
    assert statistics.spread_test(steady, [[value + 50 for value in runs] for runs in steady])[0] == pytest.approx(1)
    assert statistics.spread_test([[1.0, 1.0]], [[2.0, 2.0]]) == (1.0, 1.0)
