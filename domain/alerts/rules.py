"""Decisions about alerts; nothing here reads or writes."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from ..errors import InvalidInput, ProblemCode

MAX_SNOOZE = timedelta(days=30)
MAX_TITLE = 300


class AlertState(StrEnum):
    """How an alert stands."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SNOOZED = "SNOOZED"
    RESOLVED = "RESOLVED"


class Resolution(StrEnum):
    """Why an alert is no more."""

    RECOVERED = "RECOVERED"
    BY_PERSON = "BY_PERSON"
    DISABLED = "DISABLED"


def check_snooze(until: datetime, now: datetime) -> datetime:
    """Raises InvalidInput."""
    if not now < until <= now + MAX_SNOOZE:
        message = f"An alert is put off until some time within the next {MAX_SNOOZE.days} days."
        raise InvalidInput.at("until", message, ProblemCode.OUT_OF_RANGE)
    return until
