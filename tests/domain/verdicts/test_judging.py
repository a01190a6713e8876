"""What is suspected, what is confirmed, and what noise is not taken for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from domain.measuring import MetricName
from domain.verdicts import judging, statistics
from domain.verdicts.detecting import detectable
from domain.verdicts.noise import Compared, Noise, noise_of

RUNS, BEFORE = 5, 4
QUIET = Noise(freedom=12)


def draw(chance: np.random.Generator, snapshots: int, *, level: float, between: float, within: float) -> list[list[float]]:
    return [list(level + offset + chance.normal(0, within, RUNS)) for offset in chance.normal(0, between, snapshots)]


def build(
    chance: np.random.Generator,
    comparisons: int,
    *,
    after: int = 1,
    moved: float = 0.0,
    between: float = 20,
    within: float = 20,
) -> list[Compared]:
    """So many comparisons of 1,000 ms each, whose first moved."""
    made = []
    for number in range(comparisons):
        level = 1_000.0 * (1 + (moved if number == 0 else 0))
        before = draw(chance, BEFORE, level=1_000, between=between, within=within)
        new = draw(chance, after, level=level, between=between, within=within)
        made.append(Compared(number, MetricName.LCP, before, new))
    return made


def judge(whole: Sequence[Compared]) -> tuple[list[bool], list[bool]]:
    """Whom the first snapshots make suspects, and who of them is confirmed by all."""
    found = judging.judge(whole)
    return [each.is_suspect for each in found], [each.is_confirmed for each in found]


def test_noise_between_snapshots_is_not_taken_for_a_change_however_many_runs_agree() -> None:
    """Pooled as if runs were independent, 14 to 28 of a hundred such comparisons would be hits instead of 5."""
    chance = np.random.default_rng(1)
    pooled = suspects = 0
    for _ in range(150):
        (each,) = build(chance, 1, between=60, within=10)
        found = judging.weigh(each, noise_of([each]))
        assert found is not None
        pooled += statistics.rank_test(each.before, each.after, 1.0) < 0.05
        suspects += found.first < 0.05 and found.change > 0
    assert pooled > 30
    assert suspects <= 12


def test_a_true_change_is_suspected_and_confirmed_and_its_neighbours_are_not() -> None:
    chance = np.random.default_rng(2)
    found = [judge(whole) for whole in (build(chance, 40, after=3, moved=0.15) for _ in range(20))]
    assert sum(confirmed[0] for _, confirmed in found) >= 18
    assert sum(any(confirmed[1:]) for _, confirmed in found) == 0


def test_of_builds_without_a_change_none_is_confirmed_though_some_are_suspected() -> None:
    chance = np.random.default_rng(3)
    found = [judge(whole) for whole in (build(chance, 60, after=3, between=40) for _ in range(20))]
    assert sum(map(any, (suspects for suspects, _ in found))) >= 5
    assert not any(map(any, (confirmed for _, confirmed in found)))


def test_a_suspicion_that_the_later_snapshots_do_not_show_is_not_confirmed() -> None:
    before = [[1000.0, 1001.0, 999.0]] * 4
    first, later = [[1200.0, 1201.0, 1199.0]], [[1000.0, 1001.0, 1002.0]] * 2
    (found,) = judging.judge([Compared(1, MetricName.LCP, before, first + later)], QUIET)
    assert found.evidence is not None
    assert found.evidence.later > 0.1
    assert (found.is_suspect, found.is_confirmed) == (True, False)


def test_a_change_that_is_too_small_is_none_however_certain_it_is() -> None:
    """5 % and 20 ms of a paint, whichever is more."""
    before = [[1000.0, 1000.1, 999.9]] * 4
    for after, suspected in ((1049.0, False), (1051.0, True)):
        each = Compared(1, MetricName.LCP, before, [[after, after + 0.1, after - 0.1]])
        assert judging.suspected([judging.weigh(each, QUIET)]) == [suspected]
    fast = [[100.0, 100.1, 99.9]] * 4
    for after, suspected in ((119.0, False), (121.0, True)):
        each = Compared(1, MetricName.LCP, fast, [[after, after + 0.1, after - 0.1]])
        assert judging.suspected([judging.weigh(each, QUIET)]) == [suspected]


def test_a_machine_that_grows_slow_takes_all_pages_along_and_no_page_is_blamed() -> None:
    chance = np.random.default_rng(4)
    blamed = 0
    for _ in range(10):
        drift = np.cumsum(chance.normal(0, 0.015, BEFORE + 3))
        whole = []
        for number in range(60):
            level = [draw(chance, 1, level=1_000 * (1 + moved), between=5, within=10)[0] for moved in drift]
            whole.append(Compared(number, MetricName.LCP, level[:BEFORE], level[BEFORE:]))
        assert noise_of(whole).drift > 0
        blamed += any(judge(whole)[1])
    assert blamed == 0


@pytest.mark.parametrize("constant", [False, True], ids=["one run", "runs that are the same"])
def test_what_has_no_runs_to_know_its_noise_by_is_judged_by_its_peers(constant: bool) -> None:
    """One run a snapshot, as PageSpeed's profiles have it; or shifts that are now 0.05 and now 0.12."""
    chance = np.random.default_rng(7)
    wrong = 0
    for _ in range(15):
        whole = []
        for number in range(60):
            if constant:
                values, metric = chance.choice([0.05, 0.12], BEFORE + 3, p=[0.8, 0.2]), MetricName.CLS
            else:
                values, metric = 1_000 * (1 + chance.normal(0, 0.08, BEFORE + 3)), MetricName.LCP
            sides = [[float(value)] * (RUNS if constant else 1) for value in values]
            whole.append(Compared(number, metric, sides[:BEFORE], sides[BEFORE:]))
        wrong += any(judge(whole)[1])
    assert wrong <= 1


def test_one_page_that_began_anew_does_not_hide_the_drift_of_the_others() -> None:
    chance = np.random.default_rng(8)
    walk = np.cumsum(chance.normal(0, 0.02, BEFORE))
    whole = []
    for number in range(30):
        before = [draw(chance, 1, level=1_000 * (1 + moved), between=2, within=5)[0] for moved in walk]
        whole.append(Compared(number, MetricName.LCP, before, [[1.0]]))
    whole[0] = Compared(0, MetricName.LCP, whole[0].before[-2:], whole[0].after)
    assert noise_of(whole).drift == pytest.approx(noise_of(whole[1:]).drift, rel=0.1)


def test_pages_that_move_each_for_itself_are_no_drift() -> None:
    chance = np.random.default_rng(5)
    drifts = [noise_of(build(chance, 60, between=40)).drift for _ in range(20)]
    assert np.mean(drifts) < 0.01**2


def test_without_noise_to_know_there_is_nothing_to_say() -> None:
    assert judging.weigh(Compared(1, MetricName.LCP, [[1000.0, 1001.0]], [[2000.0, 2001.0]]), QUIET) is None
    assert judging.weigh(Compared(1, MetricName.LCP, [[1000.0], [1000.0]], []), QUIET) is None
    known = [[[1000.0, 1010.0], [1020.0, 1030.0]]]
    found = judging.weigh(Compared(1, MetricName.LCP, [[1000.0, 1001.0]], [[2000.0, 2001.0]], known), QUIET)
    assert found is not None  # two snapshots are compared by the noise of their neighbours
    assert judging.suspected([found]) == [True]


def test_the_smallest_detectable_change_is_seen_four_times_out_of_five() -> None:
    chance = np.random.default_rng(6)
    told = build(chance, 100, between=30)
    noise, found = noise_of(told), []
    for each in told:
        evidence = judging.weigh(each, noise)
        assert evidence is not None
        smallest = detectable(each, evidence)
        assert smallest > 2 * evidence.least / 3
        for _ in range(5):
            (again,) = build(chance, 1, between=30, moved=smallest / 1_000)
            found.append(judging.weigh(again, noise))
    assert np.mean(judging.suspected(found)) == pytest.approx(0.8, abs=0.05)


def test_less_of_a_score_is_worse_and_less_of_a_time_is_better() -> None:
    before, after = [[0.9, 0.91]] * 3, [[0.5, 0.51]]
    score = judging.weigh(Compared(1, MetricName.PERFORMANCE_SCORE, before, after), QUIET)
    assert score is not None
    assert judging.is_worse(MetricName.PERFORMANCE_SCORE, score)
    assert not judging.is_worse(MetricName.CLS, score)


def test_a_change_a_little_above_the_least_is_confirmed_though_one_snapshot_shows_a_little_less() -> None:
    before = [[400.0, 401.0, 399.0, 400.0, 400.5]] * 2 + [
        [403.0, 404.0, 402.0, 403.0, 403.5],
        [397.0, 398.0, 396.0, 397.0, 397.5],
    ]
    after = [[level, level + 1, level - 1] for level in (423.0, 419.5, 423.0)]
    (first,) = judging.judge([Compared(1, MetricName.LCP, before, after[:2])], QUIET)
    assert first.evidence is not None
    assert first.is_suspect
    assert judging.may_be_confirmed(first.evidence, first.later)
    (found,) = judging.judge([Compared(1, MetricName.LCP, before, after)], QUIET)
    assert found.is_confirmed


def test_nothing_is_confirmed_of_a_page_of_which_too_little_is_known() -> None:
    """Of two snapshots before: quiet peers would make it look sure."""
    before = [[1_000.0, 1_001.0, 999.0], [1_002.0, 1_003.0, 1_001.0]]
    after = [[1_300.0, 1_301.0, 1_299.0]] * 3
    quiet = [Compared(number, MetricName.LCP, before * 2, before[:1]) for number in range(40)]
    found = judging.judge([Compared(-1, MetricName.LCP, before, after), *quiet])
    assert (found[0].is_significant, found[0].is_confirmed) == (True, False)
    known = [Compared(-1, MetricName.LCP, before, after, [before, before]), *quiet]
    assert judging.judge(known)[0].is_confirmed


def test_the_last_look_is_not_as_strict_as_one_that_others_follow() -> None:
    chance = np.random.default_rng(9)
    before = draw(chance, 4, level=1_000, between=20, within=5)
    looks = [
        judging.judge(
            [Compared(1, MetricName.LCP, before, draw(chance, 2, level=level, between=20, within=5))], QUIET, last=last
        )
        for last in (False, True)
        for level in range(1_100, 1_400, 10)
    ]
    confirmed = [look[0].is_confirmed for look in looks]
    assert sum(confirmed[:30]) < sum(confirmed[30:])
