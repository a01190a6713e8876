"""Verdicts: whether what is measured now differs from what was measured before, beyond the noise of measuring."""

from .alone import perform as perform_alone
from .alone import take as take_alone
from .centers import center
from .comparing import MAX_AUDITS, Asked, ComparedPage, ComparedProfile, Comparison, comparisons
from .jobs import CONFIRM_AFTER, KINDS, perform, sweep
from .model import Verdict, VerdictRow
from .queries import OF_PAGE, OF_SITE, OF_SNAPSHOT, OF_WORKSPACE, Counts, by_ids, counts_by_snapshots
from .rules import Judgement, Reason, Said
from .samples import Line, line_of

__all__ = [
    "CONFIRM_AFTER",
    "KINDS",
    "MAX_AUDITS",
    "OF_PAGE",
    "OF_SITE",
    "OF_SNAPSHOT",
    "OF_WORKSPACE",
    "Asked",
    "ComparedPage",
    "ComparedProfile",
    "Comparison",
    "Counts",
    "Judgement",
    "Line",
    "Reason",
    "Said",
    "Verdict",
    "VerdictRow",
    "by_ids",
    "center",
    "comparisons",
    "counts_by_snapshots",
    "line_of",
    "perform",
    "perform_alone",
    "sweep",
    "take_alone",
]
