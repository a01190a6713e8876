"""Reads of people."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam

from ..base import query
from ..ports import Reader
from .model import User, UserRow

_BY_ID = query(UserRow, User).where(User.id == bindparam("id"))


async def get(reader: Reader, user_id: UUID) -> UserRow | None:
    """One person; only for those who hold the id by right (the actor's own)."""
    return await reader.first(_BY_ID, id=user_id)
