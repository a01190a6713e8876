"""What is left of tenants is cleared away when nobody can bring them back any more."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import CursorResult, Result, Uuid, bindparam, column, delete, exists, select, table

from ..work import Work
from . import rules
from .model import SITES, Invitation, Workspace

# Files stand above workspaces.
_files = table("files", column("workspace_id", Uuid()))

_doomed = select(Workspace.id).where(Workspace.deleted_at < bindparam("before", type_=Workspace.deleted_at.type))
_OF_DOOMED = delete(SITES).where(
    SITES.c.id.in_(select(SITES.c.id).where(SITES.c.workspace_id.in_(_doomed)).limit(bindparam("limit")))
)
_EMPTY = delete(Workspace).where(
    Workspace.id.in_(
        _doomed.where(
            ~exists().where(SITES.c.workspace_id == Workspace.id), ~exists().where(_files.c.workspace_id == Workspace.id)
        ).limit(bindparam("limit"))
    )
)


class Purged(NamedTuple):
    sites: int
    workspaces: int


async def purge(work: Work, limit: int = 10) -> Purged:
    """Delete at most so many sites of workspaces that were deleted long ago, and so many of the workspaces left empty.

    A workspace stays until the sweep of files has deleted the bytes that its audits left: their rows say where those are.
    """
    given = {"before": work.now - rules.KEPT, "limit": limit}
    sites = _number(await work.db.execute(_OF_DOOMED, given))
    return Purged(sites, _number(await work.db.execute(_EMPTY, given)))


async def forget_invitations(work: Work) -> None:
    """Delete those that expired."""
    await work.db.execute(delete(Invitation).where(Invitation.expires_at < work.now))


def _number(result: Result[Any]) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
