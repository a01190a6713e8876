"""Pacemark's verdicts and the rules of others, over the same builds: each says how sure it is of each comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from scipy import stats

from domain.verdicts import judging
from domain.verdicts.judging import Compared

from .builds import Build


def pacemark(build: Build) -> tuple[list[bool], int]:
    """What is confirmed to be worse, and how many were suspected at first."""
    first = [Compared(each.subject, each.metric, each.before, each.after[:1]) for each in build.compared]
    noise = judging.noise_of(first)
    found = [judging.weigh(each, noise) for each in first]
    suspects = judging.suspected(found)
    whole = [
        judging.weigh(each, noise) if suspect else evidence
        for each, evidence, suspect in zip(build.compared, found, suspects, strict=True)
    ]
    confirmed = judging.confirmed(whole, suspects)
    worse = [
        yes and each is not None and judging.is_worse(compared.metric, each)
        for yes, each, compared in zip(confirmed, whole, build.compared, strict=True)
    ]
    return worse, sum(suspects)


Score = Callable[[Compared], float]
"""The greater, the surer that it became worse. What is greater than a bar is a finding; the bar is tuned."""


def sitespeed(each: Compared) -> float:
    """sitespeed.io's compare: Mann-Whitney over runs, one-sided "greater", pooled as if they were independent."""
    before = [value for runs in each.before for value in runs]
    after = list(each.after[0])
    if min(before + after) == max(before + after):
        return 0.0
    return 1 - float(stats.mannwhitneyu(after, before, alternative="greater", method="asymptotic").pvalue)


def sitespeed_all(each: Compared) -> float:
    """The same with fifteen runs of everything, which costs three times as much."""
    return sitespeed(Compared(each.subject, each.metric, each.before, [[value for runs in each.after for value in runs]]))


def lighthouse_ci(each: Compared) -> float:
    """Lighthouse CI's comparison: one representative run against one of the build before, as a share."""
    before, after = median(each.before[-1]), median(each.after[0])
    return (after - before) / before if before else float(after > 0)


def threshold(each: Compared) -> float:
    """By how much the median lies above that of all runs before, as a share."""
    before, after = median(value for runs in each.before for value in runs), median(each.after[0])
    return (after - before) / before if before else float(after > 0)


RIVALS: dict[str, Score] = {
    "sitespeed.io's compare": sitespeed,
    "the same, 15 runs of all": sitespeed_all,
    "Lighthouse CI's comparison": lighthouse_ci,
    "a threshold": threshold,
}


def scores(rule: Score, build: Build) -> list[float]:
    return [rule(each) for each in build.compared]


def bar(highest: Sequence[float], share: float) -> float:
    """The bar that no more than this share of unchanged builds pass, by the highest score of each."""
    ordered = sorted(highest)
    return ordered[max(0, len(ordered) - 1 - int(share * len(ordered)))]
