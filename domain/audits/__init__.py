"""Audits: asked for, claimed by one worker, measured, recorded, read."""

from .actions import cancel, request
from .claims import Claim, ClaimLost, sweep, sweep_files, take
from .events import JOBS, topic
from .jobs import perform
from .model import ENDED, Audit, AuditRow, AuditState, Finding, FindingRow, RequestRow, Run, RunRow
from .queries import (
    AUDITS,
    FINDINGS,
    REQUESTS,
    LatestKey,
    by_ids,
    findings_by_ids,
    histories,
    latest,
    runs_by_audits,
)
from .rules import PRODUCTION
from .series import MAX_POINTS, Interval, Point, Sample, Series, SeriesKey, Statistic, thin

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
    "Interval",
    "LatestKey",
    "Point",
    "RequestRow",
    "Run",
    "RunRow",
    "Sample",
    "Series",
    "SeriesKey",
    "Statistic",
    "by_ids",
    "cancel",
    "findings_by_ids",
    "histories",
    "latest",
    "perform",
    "request",
    "runs_by_audits",
    "sweep",
    "sweep_files",
    "take",
    "thin",
    "topic",
]
