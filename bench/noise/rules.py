"""Pacemark's verdicts and the rules of others, over the same builds: each says how sure it is of each comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from statistics import median
from typing import NamedTuple

from domain.measuring import MetricName
from domain.verdicts import judging, statistics
from domain.verdicts.noise import Compared
from domain.verdicts.rules import NOISY, worse

from .builds import Build


class Outcome(NamedTuple):
    """What is confirmed to be worse; how many were suspected, and how many snapshots of pages were taken because of that."""

    worse: frozenset[int]
    suspects: int
    measured_again: int


def pacemark(build: Build) -> Outcome:
    """As a worker does it: a look at the first snapshot, and one after each confirmation that is still needed."""
    fit = [place for place in range(len(build.compared)) if place not in build.incomparable]
    taken = {build.compared[place].subject: 1 for place in fit}
    proved: set[int] = set()
    worse: set[int] = set()
    again = suspects = 0
    for confirmations in range(judging.CONFIRMATIONS + 1):
        sides = [build.compared[place] for place in fit]
        sides = [replace(each, after=each.after[: taken[each.subject]]) for each in sides]
        wanted = set()
        for place, side, each in zip(fit, sides, judging.judge(sides), strict=True):
            suspects += each.is_suspect and not confirmations
            if each.evidence is None:
                continue
            if each.is_confirmed:
                proved.add(place)
                worse |= {place} if judging.is_worse(side.metric, each.evidence) else set()
            elif each.is_suspect and place not in proved and judging.may_be_confirmed(each.evidence, len(side.after) - 1):
                wanted.add(side.subject)
        if not wanted or confirmations == judging.CONFIRMATIONS:
            break
        again += len(wanted)
        for subject in wanted:
            taken[subject] += 1
    return Outcome(frozenset(worse), suspects, again)


Sure = tuple[float, float]
"""How sure a rule is that it became worse, and where that cannot grow any more, by how much it did. What is greater than a bar
is a finding; the bar is tuned.
"""

Score = Callable[[Compared], Sure]
NOTHING: Sure = (float("-inf"), 0.0)


def sitespeed(each: Compared) -> Sure:
    """sitespeed.io's compare: Mann-Whitney over runs, one-sided "greater", pooled as if they were independent."""
    before, after = (list(chain.from_iterable(side)) for side in (each.before, each.after[:1]))
    return 1 - statistics.rank_test([before], [after], 1.0), _share(median(before), median(after))


def sitespeed_all(each: Compared) -> Sure:
    """The same test over fifteen runs of everything, which costs three times as much."""
    return sitespeed(replace(each, after=[[value for runs in each.after for value in runs]]))


def lighthouse_ci(each: Compared) -> Sure:
    """Lighthouse CI's comparison: one representative run against one of the build before, as a share."""
    return _share(median(each.before[-1]), median(each.after[0])), 0.0


def threshold(each: Compared) -> Sure:
    """By how much the median lies above that of all runs before, as a share."""
    return _share(median(value for runs in each.before for value in runs), median(each.after[0])), 0.0


def _share(before: float, after: float) -> float:
    return (after - before) / before if before else float(after > 0)


class Rival(NamedTuple):
    score: Score
    usual: float
    """The bar that it has where nobody tunes it."""


RIVALS = {
    "sitespeed.io's compare": Rival(sitespeed, 0.95),
    "15 runs of every page": Rival(sitespeed_all, 0.95),
    "Lighthouse CI's comparison": Rival(lighthouse_ci, 0.05),
    "a threshold of 10 %": Rival(threshold, 0.10),
}

Highest = Mapping[MetricName, Sure]
"""How sure a rival is, in a build, of what it is surest of: by metric."""


def counts(each: Compared) -> bool:
    """Whether it became worse by so much that Pacemark would tell of it: a rule that is tuned tells of nothing less."""
    before = median(value for runs in each.before for value in runs)
    return (median(each.after[0]) - before) * worse(each.metric) >= NOISY[each.metric].of(before)


def score(rival: Rival, each: Compared) -> Sure:
    return rival.score(each) if counts(each) else NOTHING


def highest(rival: Rival, build: Build) -> tuple[Sure, Highest]:
    """What it is surest of as it is used, and as it is tuned. Without what another machine measured."""
    usual, tuned = NOTHING, dict[MetricName, Sure]()
    for place, each in enumerate(build.compared):
        if place not in build.incomparable:
            found = rival.score(each)
            usual = max(usual, found)
            tuned[each.metric] = max(tuned.get(each.metric, NOTHING), found if counts(each) else NOTHING)
    return usual, tuned


def bars(kinds: Iterable[Sequence[Highest]], share: float) -> Highest:
    """For each metric the bar above which no more than this share of each kind of unchanged builds has anything: as with
    Pacemark, one that holds whatever the builds went through.
    """
    found: dict[MetricName, Sure] = {}
    for builds in kinds:
        for metric, bar in _bars(builds, share).items():
            found[metric] = max(found.get(metric, NOTHING), bar)
    return found


def _bars(builds: Sequence[Highest], share: float) -> Highest:
    """For each metric the bar that equally many builds pass, together no more than this share of them."""
    metrics = {metric for build in builds for metric in build}
    ordered = {metric: sorted((build.get(metric, NOTHING) for build in builds), reverse=True) for metric in metrics}
    found: Highest = {}
    for rank in range(len(builds)):
        tried = {metric: values[rank] for metric, values in ordered.items()}
        if sum(any(value > tried[metric] for metric, value in build.items()) for build in builds) > share * len(builds):
            break
        found = tried
    return found
