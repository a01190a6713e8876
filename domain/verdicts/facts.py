"""What does not vary by itself, such as bytes and counts, is compared directly: a change beyond all that was seen before."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..measuring import MetricName
from .rules import FACT_SHARE, Judgement, Reason, Said, worse


def said(
    metric: MetricName, levels: Sequence[Sequence[float]], after: Sequence[float], *, is_proved: bool, goes_on: bool
) -> Said | None:
    """None where there is none. `levels`: each snapshot's value before, between the changes that are known; `after`: of the
    snapshot, and of those that look into it; `goes_on`: whether another one may.

    Where it did vary, as with advertisements, or too little was seen, it is worse only when confirmations show it too.
    """
    before = [value for level in levels for value in level]
    if not before or not after:
        return None
    sign = worse(metric)
    now = list(levels[-1]) or before
    if (after[0] - median(now)) * sign <= 0:
        # Better than since it became worse is better; worse is only what no snapshot before was, lest it go up and down.
        before = now
    found = compared(metric, before, after)
    if found is None or found.judgement is Judgement.IMPROVED:
        return found
    least = _least(before)
    if len(before) > 1 and not any(level and max(level) - min(level) >= least for level in levels):
        return found
    middle = median(before)
    # All of them show it, and the way the first does.
    agree = all(_is_beyond(before, value) for value in after) and len({value > middle for value in after}) == 1
    if is_proved or (agree and len(after) > 1):
        return found._replace(reason=Reason.CONFIRMED, after=median(after) if agree else after[0])
    reason = Reason.SUSPECTED if agree and goes_on else Reason.NOT_CONFIRMED
    return found._replace(judgement=Judgement.NO_EVIDENCE, reason=reason)


def compared(metric: MetricName, before: Sequence[float], after: Sequence[float]) -> Said | None:
    """The first after with all before, whether it varies or not; None where it is as one of them was."""
    if not before or not after or not _is_beyond(before, after[0]):
        return None
    middle = median(before)
    judgement = Judgement.REGRESSED if (after[0] - middle) * worse(metric) > 0 else Judgement.IMPROVED
    number = {"snapshots_before": len(before), "snapshots_after": len(after)}
    return Said(metric, judgement, Reason.DIFFERENT, before=middle, after=after[0], **number)


def _is_beyond(before: Sequence[float], value: float) -> bool:
    return not min(before) <= value <= max(before) and abs(value - median(before)) >= _least(before)


def _least(before: Sequence[float]) -> float:
    return max(FACT_SHARE * abs(median(before)), 1e-9)
