"""Snapshots: audits that are started together, and judged together."""

from .actions import begin, cancel, confirm, request
from .events import CONFIRM, JUDGE, judged
from .keeping import FORGOTTEN, forget
from .model import Cause, Progress, Snapshot, SnapshotRow, SnapshotState
from .progress import close_ended, fill
from .queries import (
    AUDITS,
    OF_SITE,
    PAGES,
    SNAPSHOTS,
    SnapshotPageRow,
    audits_by_pages,
    by_ids,
    confirmations_by_ids,
    progress_by_ids,
)
from .rules import MAX_AUDITS, SHORTEST_HASH, Commit, check_commit, check_link

__all__ = [
    "AUDITS",
    "CONFIRM",
    "FORGOTTEN",
    "JUDGE",
    "MAX_AUDITS",
    "OF_SITE",
    "PAGES",
    "SHORTEST_HASH",
    "SNAPSHOTS",
    "Cause",
    "Commit",
    "Progress",
    "Snapshot",
    "SnapshotPageRow",
    "SnapshotRow",
    "SnapshotState",
    "audits_by_pages",
    "begin",
    "by_ids",
    "cancel",
    "check_commit",
    "check_link",
    "close_ended",
    "confirm",
    "confirmations_by_ids",
    "fill",
    "forget",
    "judged",
    "progress_by_ids",
    "request",
]
