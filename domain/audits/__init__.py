"""Audits: asked for, claimed by one worker, measured, recorded, read."""

from .actions import cancel, request
from .claims import Claim, ClaimLost, sweep, take
from .events import JOBS, topic
from .jobs import perform
from .model import ENDED, Audit, AuditRow, AuditState, Finding, FindingRow, RequestRow, Run, RunRow
from .queries import (
    AUDITS,
    FINDINGS,
    MAX_POINTS,
    REQUESTS,
    LatestKey,
    PointRow,
    by_ids,
    findings_by_ids,
    history,
    latest,
    runs_by_audits,
)
from .rules import PRODUCTION

__all__ = [
    "AUDITS",
    "ENDED",
    "FINDINGS",
    "JOBS",
    "MAX_POINTS",
    "PRODUCTION",
    "REQUESTS",
    "Audit",
    "AuditRow",
    "AuditState",
    "Claim",
    "ClaimLost",
    "Finding",
    "FindingRow",
    "LatestKey",
    "PointRow",
    "RequestRow",
    "Run",
    "RunRow",
    "by_ids",
    "cancel",
    "findings_by_ids",
    "history",
    "latest",
    "perform",
    "request",
    "runs_by_audits",
    "sweep",
    "take",
    "topic",
]
