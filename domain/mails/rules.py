"""Decisions about mails; nothing here reads or writes."""

from __future__ import annotations

from datetime import timedelta

GIVEN_UP_AFTER = timedelta(days=1)
"""For so long a server that is away, or says "later", is asked again."""

SHORTEST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

KEPT_DEAD = timedelta(days=7)
"""For so long what was given up is counted among the dead."""


def pause(age: timedelta) -> timedelta | None:
    """How long a mail of this age rests before the next try; None: it is given up. It doubles, up to an hour."""
    rest = min(max(age, SHORTEST_PAUSE), LONGEST_PAUSE)
    return rest if age + rest <= GIVEN_UP_AFTER else None
