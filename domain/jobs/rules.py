"""Decisions about jobs; nothing here reads or writes."""

from __future__ import annotations

from datetime import timedelta

CLAIM = timedelta(seconds=30)
"""A claim not renewed for so long is another worker's to take."""

MAX_DELIVERIES = 3
"""A job that so many workers took and did not come back from is given up: it may be what kills them."""

PERSON_WAITS = 0
SCHEDULED = 10
"""Priorities; smaller goes first."""

RESEND = timedelta(seconds=5)
"""A call not known to be on the bus after so long is sent again: its process is gone, or the bus was away."""


def pause(deliveries: int) -> timedelta:
    """How long a job rests after a worker was lost over it."""
    return timedelta(seconds=5 * (deliveries - 1))
