"""What is done to tenants."""

from __future__ import annotations

import re
from uuid import UUID

from ..access import Role
from ..errors import InvalidInput
from ..ids import new_id
from ..work import Work
from .model import Member, Workspace

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


async def create(work: Work, *, slug: str, name: str, owner_id: UUID) -> UUID:
    """A new tenant with its first owner. Nobody's permission is asked: there is nobody in it yet."""
    if not _SLUG.match(slug):
        raise InvalidInput.at("slug", "A slug is 1 to 63 lower-case letters, digits and inner hyphens.")
    id = new_id()
    work.db.add(Workspace(id=id, slug=slug, name=name, created_at=work.now))
    await work.db.flush()
    work.db.add(Member(workspace_id=id, user_id=owner_id, role=Role.OWNER, joined_at=work.now))
    await work.db.flush()
    return id
