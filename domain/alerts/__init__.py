"""Alerts: what people are told when something is wrong, once when it begins and once when it ends."""

from ..notifications import AlertKind, AlertSeverity
from .actions import acknowledge, resolve, snooze
from .ending import end_with
from .failing import failure_key, judge_failures
from .holding import MOST_REMINDED, Condition, Held, dismissed_at, end, end_all, hold, hold_all, open_of_pages, remind
from .model import Alert, AlertRow
from .queries import ALERTS, OF_PAGE, OF_SITE, by_ids, open_by_keys
from .rules import AlertState, Resolution

__all__ = [
    "ALERTS",
    "MOST_REMINDED",
    "OF_PAGE",
    "OF_SITE",
    "Alert",
    "AlertKind",
    "AlertRow",
    "AlertSeverity",
    "AlertState",
    "Condition",
    "Held",
    "Resolution",
    "acknowledge",
    "by_ids",
    "dismissed_at",
    "end",
    "end_all",
    "end_with",
    "failure_key",
    "hold",
    "hold_all",
    "judge_failures",
    "open_by_keys",
    "open_of_pages",
    "remind",
    "resolve",
    "snooze",
]
