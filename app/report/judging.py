"""What verdicts say, in words."""

from __future__ import annotations

from domain import metrics, verdicts
from domain.measuring import MetricName
from domain.verdicts import Judgement, Reason

from . import words

JUDGEMENTS = {
    Judgement.REGRESSED: "REGRESSED",
    Judgement.IMPROVED: "IMPROVED",
    Judgement.NO_EVIDENCE: "NO EVIDENCE",
    Judgement.INCOMPARABLE: "INCOMPARABLE",
}
ORDER = tuple(JUDGEMENTS)

_REASONS = {
    Reason.UNCONFIRMED: "It shows a change, and nothing was measured later that could confirm it.",
    Reason.DIFFERENT: "It does not vary by itself, and nothing measured before was like it.",
    Reason.SUSPECTED: "The first snapshot shows a change. It is measured again before anybody is told.",
    Reason.NOT_CONFIRMED: "The first snapshot showed a change; what was measured later did not bear it out.",
    Reason.TOO_SMALL: "If it changed, it was by less than matters.",
    Reason.WITHIN_NOISE: "It differs no more than snapshots of this page do by themselves.",
    Reason.TOO_FEW: "There are too few snapshots before it to tell.",
    Reason.CONDITIONS_CHANGED: "What is there from before was measured otherwise: with another version of the profile, another "
    "major version of the engine, or by another pool of runners.",
    Reason.MACHINE_CHANGED: "The machine that measures is not as it was: its own benchmark moved by a quarter or more.",
}


def reason(row: verdicts.VerdictRow) -> str:
    if row.reason is Reason.CONFIRMED:
        later = words.count(row.snapshots_after - 1, "snapshot")
        return f"The first snapshot showed it, and so did {later} taken later."
    return _REASONS[row.reason]


def values(row: verdicts.VerdictRow) -> str | None:
    """`250 ms → 450 ms`; where there is only what is now, that; None without either."""
    show = words.showing(MetricName(row.metric))
    there = [show(value) for value in (row.before, row.after) if value is not None]
    return " → ".join(there) or None


def change(row: verdicts.VerdictRow) -> str | None:
    """`+200 ms, +80 %`."""
    if row.before is None or row.after is None:
        return None
    moved = row.after - row.before
    share = f", {metrics.format_share(moved / row.before)}" if row.before else ""
    return metrics.format_change(MetricName(row.metric), moved) + share


def interval(row: verdicts.VerdictRow) -> str | None:
    """Where the change lies with a probability of 95 %."""
    if row.change_low is None or row.change_high is None:
        return None
    name = MetricName(row.metric)
    return f"{metrics.format_change(name, row.change_low)} to {metrics.format_change(name, row.change_high)}"


def detectable(row: verdicts.VerdictRow) -> str | None:
    return words.showing(MetricName(row.metric))(row.detectable) if row.detectable is not None else None


def compared(row: verdicts.VerdictRow) -> str | None:
    if not row.snapshots_before:
        return None
    return f"{words.count(row.snapshots_before, 'snapshot')} before with {row.snapshots_after} since"


def spread(row: verdicts.VerdictRow) -> str | None:
    """What is told of a page that has become unsteady, or steady."""
    ratio = row.spread_ratio
    if ratio is None:
        return None
    if ratio >= 1:
        return f"Its runs lie {ratio:.1f} times as far apart as before."
    return f"Its runs lie closer together than before: {ratio * 100:.0f} % as far apart."
