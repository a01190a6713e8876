"""What is done to API keys."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from .. import documents
from ..access import Permission, Reach, Role
from ..errors import InvalidInput, NotFound, ProblemCode
from ..ids import Kind, encode, new_id
from ..keyring import Keyring
from ..work import Work
from . import queries, rules
from .model import ApiKey, ApiKeyRow


async def issue(
    work: Work,
    *,
    workspace_id: UUID,
    name: str,
    role: Role,
    keyring: Keyring,
    user_id: UUID | None = None,
    client_id: UUID | None = None,
) -> str:
    """A new key, of an API client or of none; its text is returned here once and can never be read again."""
    work.actor.require(Permission.KEY_WRITE, workspace_id)
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput.at("name", "A key's name is 1 to 100 printable characters.", ProblemCode.OUT_OF_RANGE)
    if client_id is not None and client_id not in await documents.clients_by_ids(
        work.db, Reach.whole(workspace_id), [client_id]
    ):
        raise NotFound("There is no such client in this workspace.", encode(Kind.CLIENT, client_id))
    key = rules.mint()
    work.db.add(
        ApiKey(
            id=new_id(),
            workspace_id=workspace_id,
            user_id=user_id,
            client_id=client_id,
            name=name,
            prefix=rules.prefix(key),
            digest=keyring.digest(key),
            role=role,
            created_at=work.now,
        )
    )
    await work.db.flush()
    return key


async def revoke(work: Work, *, key_id: UUID) -> ApiKeyRow:
    """From now on it opens nothing, and what is open with it ends. Raises NotFound for one that was revoked already."""
    row = (await queries.by_ids(work.db, work.actor.reach, [key_id])).get(key_id)
    if row is None:
        raise NotFound("There is no such key, or it is not yours.", encode(Kind.KEY, key_id))
    work.actor.require(Permission.KEY_WRITE, row.workspace_id)
    await work.db.execute(update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=work.now))
    return row
