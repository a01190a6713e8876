"""What is said of a metric's change, as a verdict or as a comparison that somebody asked for, put together from the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from . import judging, statistics
from .detecting import detectable
from .judging import Judged
from .noise import Compared
from .rules import Judgement, Reason, Said


def say(
    judged: Sequence[Judged], goes_on: Callable[[Judged], bool], may_be_unconfirmed: Callable[[Judged], bool] | None = None
) -> list[Said]:
    """Of everything that was compared at once. `goes_on`: whether another snapshot looks into a suspect; `may_be_unconfirmed`:
    whether something may be said that no later snapshot confirmed.
    """
    return [_said(each, goes_on, may_be_unconfirmed or _never) for each in judged]


def _never(_judged: Judged) -> bool:
    return False


def unfit(each: Compared, judgement: Judgement, reason: Reason) -> Said:
    """Where there is too little to compare with, or what there is was measured otherwise."""
    before = fmean(statistics.centers(each.before)) if each.before else None
    after = fmean(statistics.centers(each.after[:1]))
    return Said(
        each.metric, judgement, reason, before=before, after=after, snapshots_before=len(each.before), snapshots_after=1
    )


def _said(judged: Judged, goes_on: Callable[[Judged], bool], may_be_unconfirmed: Callable[[Judged], bool]) -> Said:
    shown, found = judged.shown, judged.evidence
    if found is None:
        return unfit(shown, Judgement.NO_EVIDENCE, Reason.TOO_FEW)
    changed = Judgement.REGRESSED if judging.is_worse(shown.metric, found) else Judgement.IMPROVED
    judgement, reason = Judgement.NO_EVIDENCE, Reason.WITHIN_NOISE
    if judged.is_confirmed and judged.later:
        judgement, reason = changed, Reason.CONFIRMED
    elif judged.is_significant and not judged.later and may_be_unconfirmed(judged):
        judgement, reason = changed, Reason.UNCONFIRMED
    elif judged.is_suspect and not shown.is_known:
        reason = Reason.TOO_FEW
    elif judged.is_suspect:
        reason = Reason.SUSPECTED if goes_on(judged) else Reason.NOT_CONFIRMED
    elif found.first <= judging.SUSPECTED and not found.is_large:
        reason = Reason.TOO_SMALL
    return Said(
        shown.metric,
        judgement,
        reason,
        before=found.before,
        after=found.after,
        change_low=found.low,
        change_high=found.high,
        detectable=detectable(shown, found),
        p=found.all,
        delta=found.delta,
        spread_ratio=_spread_ratio(shown),
        snapshots_before=len(shown.before),
        snapshots_after=len(shown.after),
    )


def _spread_ratio(shown: Compared) -> float | None:
    """How many times as far apart runs lie as before, where that is twice or half. It is no verdict, and not corrected: of five
    runs no order is so rare that it would pass.
    """
    ratio = statistics.spread_ratio(shown.before, shown.after)
    if 0.5 < ratio < 2:
        return None
    return ratio if statistics.spread_test(shown.before, shown.after)[1] <= judging.ALPHA else None
