"""Reads of people and of where they are signed in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam

from ..base import UtcDateTime, one_of, query
from ..ports import Reader
from .model import Session, SessionRow, User, UserRow

_BY_ID = query(UserRow, User).where(User.id == bindparam("id"))
_LIVE = query(SessionRow, Session).where(
    one_of(Session.id, "ids"), Session.revoked_at.is_(None), Session.expires_at > bindparam("now", type_=UtcDateTime())
)


async def get(reader: Reader, user_id: UUID) -> UserRow | None:
    """One person; only for those who hold the id by right (the actor's own)."""
    return await reader.first(_BY_ID, id=user_id)


async def live_sessions(reader: Reader, ids: Collection[UUID], now: datetime) -> Mapping[UUID, SessionRow]:
    """Those of the sessions that are neither revoked nor over; only for those who hold the ids by right."""
    return {row.id: row for row in await reader.all(_LIVE, ids=ids, now=now)}
