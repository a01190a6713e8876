"""Audits: asked for, claimed by one worker, measured, recorded, read."""

from ..jobs import ClaimLost
from .actions import cancel, request, request_all
from .claims import Claim, cancel_all, revive, sweep, sweep_files, take
from .comparing import MAX_COMPARED, Compared, Comparison, compare, comparisons
from .conditions import conditions_of, engine_major
from .differences import Pair, Two, finding_differences, pairs, request_differences
from .differing import DifferenceKind, Differences, FindingDifference, RequestDifference
from .events import JUDGE, KINDS
from .facts import before, counts, evidence, overtaken
from .jobs import perform
from .keeping import FORGET, forget
from .model import ENDED, Audit, AuditRow, AuditState, Conditions, ConditionsRow, Finding, FindingRow, RequestRow, Run, RunRow
from .newest import WATCHED, LatestAudit, settle
from .queries import (
    AUDITS,
    FINDINGS,
    REQUESTS,
    Latest,
    at_ends,
    by_ids,
    conditions_by_ids,
    findings_by_ids,
    ids_at_ends,
    latest,
    runs_by_audits,
)
from .ranking import ChangeRow, PageOrderBy, RankedPageRow, Ranking, changes, check_watched, ranked
from .ration import ASSUMED, MAX_GIVEN, MAX_SAMPLES, Ration
from .reading import MAX_POINTS, Summary
from .rules import PRODUCTION, check_request
from .series import AuditAt, Interval, Point, Series, SeriesKey, Statistic
from .timeline import histories

__all__ = [
    "ASSUMED",
    "AUDITS",
    "ENDED",
    "FINDINGS",
    "FORGET",
    "JUDGE",
    "KINDS",
    "MAX_COMPARED",
    "MAX_GIVEN",
    "MAX_POINTS",
    "MAX_SAMPLES",
    "PRODUCTION",
    "REQUESTS",
    "WATCHED",
    "Audit",
    "AuditAt",
    "AuditRow",
    "AuditState",
    "ChangeRow",
    "Claim",
    "ClaimLost",
    "Compared",
    "Comparison",
    "Conditions",
    "ConditionsRow",
    "DifferenceKind",
    "Differences",
    "Finding",
    "FindingDifference",
    "FindingRow",
    "Interval",
    "Latest",
    "LatestAudit",
    "PageOrderBy",
    "Pair",
    "Point",
    "RankedPageRow",
    "Ranking",
    "Ration",
    "RequestDifference",
    "RequestRow",
    "Run",
    "RunRow",
    "Series",
    "SeriesKey",
    "Statistic",
    "Summary",
    "Two",
    "at_ends",
    "before",
    "by_ids",
    "cancel",
    "cancel_all",
    "changes",
    "check_request",
    "check_watched",
    "compare",
    "comparisons",
    "conditions_by_ids",
    "conditions_of",
    "counts",
    "engine_major",
    "evidence",
    "finding_differences",
    "findings_by_ids",
    "forget",
    "histories",
    "ids_at_ends",
    "latest",
    "overtaken",
    "pairs",
    "perform",
    "ranked",
    "request",
    "request_all",
    "request_differences",
    "revive",
    "runs_by_audits",
    "settle",
    "sweep",
    "sweep_files",
    "take",
]
