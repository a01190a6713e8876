"""What is done to people's accounts."""

from __future__ import annotations

from uuid import UUID

from ..ids import new_id
from ..work import Work
from .model import User


async def register(work: Work, *, name: str) -> UUID:
    """A new person. Nobody's permission is asked: an account alone opens nothing."""
    user = User(id=new_id(), name=name, created_at=work.now)
    work.db.add(user)
    await work.db.flush()
    return user.id
