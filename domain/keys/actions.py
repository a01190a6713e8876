"""What is done to API keys."""

from __future__ import annotations

from uuid import UUID

from ..access import Permission, Role
from ..errors import InvalidInput, ProblemCode
from ..ids import new_id
from ..work import Work
from . import rules
from .model import ApiKey


async def issue(work: Work, *, workspace_id: UUID, name: str, role: Role, pepper: bytes, user_id: UUID | None = None) -> str:
    """A new key; its text is returned here once and can never be read again."""
    work.actor.require(Permission.KEY_WRITE, workspace_id)
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput.at("name", "A key's name is 1 to 100 printable characters.", ProblemCode.OUT_OF_RANGE)
    key = rules.mint()
    work.db.add(
        ApiKey(
            id=new_id(),
            workspace_id=workspace_id,
            user_id=user_id,
            name=name,
            prefix=rules.prefix(key),
            digest=rules.digest(key, pepper),
            role=role,
            created_at=work.now,
        )
    )
    await work.db.flush()
    return key
