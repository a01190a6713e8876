"""Verdicts: whether what is measured now differs from what was measured before, beyond the noise of measuring."""

from .alone import perform as perform_alone
from .alone import take as take_alone
from .centers import center
from .jobs import CONFIRM_AFTER, KINDS, perform, sweep
from .model import Verdict, VerdictRow
from .queries import OF_PAGE, OF_SNAPSHOT, OF_WORKSPACE, by_ids
from .rules import Judgement, Reason
from .samples import line_of

__all__ = [
    "CONFIRM_AFTER",
    "KINDS",
    "OF_PAGE",
    "OF_SNAPSHOT",
    "OF_WORKSPACE",
    "Judgement",
    "Reason",
    "Verdict",
    "VerdictRow",
    "by_ids",
    "center",
    "line_of",
    "perform",
    "perform_alone",
    "sweep",
    "take_alone",
]
