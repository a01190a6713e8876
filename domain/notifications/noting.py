"""What is done to channels and their routes is kept in the security log: it decides who is told of what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from .. import security
from ..ids import Kind, encode
from ..security import SecurityKind
from ..work import Work


def log(work: Work, workspace_id: UUID, channel_id: UUID, **details: Any) -> None:
    subject = encode(Kind.CHANNEL, channel_id)
    security.log(work, SecurityKind.CHANNEL_CHANGED, workspace_id=workspace_id, subject=subject, **details)
