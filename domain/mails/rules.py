"""Decisions about mails; nothing here reads or writes."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

GIVEN_UP_AFTER = timedelta(days=1)
"""For so long a server that is away, or says "later", is asked again."""

SHORTEST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

KEPT_DEAD = timedelta(days=7)
"""For so long what was given up is counted among the dead."""


_SHAPE = re.compile(r"mail_([0-9a-f]{32})\Z")


def named(id: UUID) -> str:
    """How an operator names it; its Message-ID has the same digits."""
    return f"mail_{id.hex}"


def parse(text: str) -> UUID | None:
    """The id in such a name; None when it is none."""
    match = _SHAPE.match(text)
    return UUID(hex=match[1]) if match else None


def masked(address: str) -> str:
    """Enough of an address to recognise it by, and too little to write to it."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if local and domain else "***"


def pause(age: timedelta) -> timedelta | None:
    """How long a mail of this age rests before the next try; None: it is given up. It doubles, up to an hour."""
    rest = min(max(age, SHORTEST_PAUSE), LONGEST_PAUSE)
    return rest if age + rest <= GIVEN_UP_AFTER else None
