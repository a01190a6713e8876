"""The rows that reads of jobs give; their table is the kernel's, since every unit of work may write to it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class JobRow(NamedTuple):
    id: UUID
    kind: str
    workspace_id: UUID | None
    subject: UUID
    priority: int
    at: datetime
    deliveries: int
    dead_at: datetime | None
    error: str | None
    trace: str | None


class KindRow(NamedTuple):
    """How the work of one kind stands."""

    kind: str
    waiting: int
    running: int
    dead: int
    unsent: int
    redelivered: int
    oldest_at: datetime | None
