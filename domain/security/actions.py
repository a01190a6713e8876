"""What is written to the security log: in the same transaction as what it tells of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..ids import new_id
from ..work import Work
from .model import SecurityEntry, SecurityKind


def log(
    work: Work,
    kind: SecurityKind,
    *,
    workspace_id: UUID | None = None,
    user_id: UUID | None = None,
    nobodys: bool = False,
    subject: str | None = None,
    **details: Any,
) -> None:
    """`user_id`: whose account it is about, where that is not the actor. Nothing secret is among the details.

    `nobodys`: it is about an account that there is not. Then it is not its actor's either, who else could read in their own
    log who has an account.
    """
    actor = work.actor
    work.db.add(
        SecurityEntry(
            id=new_id(),
            at=work.now,
            kind=kind,
            workspace_id=workspace_id,
            user_id=None if nobodys else user_id or actor.user_id,
            key_id=actor.key_id,
            session_id=actor.session_id,
            subject=subject,
            address=work.origin.address,
            agent=work.origin.agent,
            details=details,
        )
    )
