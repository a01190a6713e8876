"""Schedules: a site or one page audited regularly."""

from .actions import create, delete, pause, resume, run_now, update
from .model import Schedule, ScheduleRow
from .queries import OF_PAGE, OF_SITE, SCHEDULES, by_ids
from .rules import Reason, next_after, upcoming
from .scheduler import Broken, Fired, due, fire_due
from .silence import LIMIT, watch

__all__ = [
    "LIMIT",
    "OF_PAGE",
    "OF_SITE",
    "SCHEDULES",
    "Broken",
    "Fired",
    "Reason",
    "Schedule",
    "ScheduleRow",
    "by_ids",
    "create",
    "delete",
    "due",
    "fire_due",
    "next_after",
    "pause",
    "resume",
    "run_now",
    "upcoming",
    "update",
    "watch",
]
