"""For what a budget may be, and how many there may be: asked by whoever makes some, beside the permission."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from .. import sites
from ..access import Permission, Reach
from ..base import Query, count
from ..errors import LimitReached, NotFound
from ..ids import Kind, encode
from ..work import Work
from ..workspaces import Workspace
from . import rules
from .model import Budget

_NUMBER = count(Budget, Budget.workspace_id == bindparam("workspace_id"))


async def require(work: Work, workspace_id: UUID, site_id: UUID | None, profile_id: UUID | None) -> None:
    """The workspace is there, and the site and the profile are its own. Raises NotFound."""
    if workspace_id not in work.actor.roles:
        raise work.actor.absent(Permission.BUDGET_WRITE, Kind.WORKSPACE, workspace_id)
    if site_id is not None:
        site = (await sites.by_ids(work.db, work.actor.reach, [site_id])).get(site_id)
        if site is None or site.workspace_id != workspace_id:
            raise NotFound("There is no such site in this workspace, or it is not yours.", encode(Kind.SITE, site_id))
    await require_profile(work, workspace_id, profile_id)


class _PatternRow(NamedTuple):
    url_pattern: str


_PATTERNS = Query(
    _PatternRow,
    select(Budget.url_pattern)
    .distinct()
    .where(Budget.workspace_id == bindparam("workspace_id"), Budget.url_pattern.is_not(None)),
)


async def require_few_patterns(work: Work, workspace_id: UUID, given: Iterable[str | None]) -> None:
    """Each costs time wherever an audit is looked at. Raises LimitReached."""
    new = {each for each in given if each is not None}
    if new:
        there = {row.url_pattern for row in await work.db.all(_PATTERNS, workspace_id=workspace_id)}
        if len(new | there) > rules.MAX_PATTERNS and not new <= there:
            message = f"A workspace has at most {rules.MAX_PATTERNS} different regular expressions in its budgets."
            raise LimitReached(message, rules.MAX_PATTERNS)


async def make_room(work: Work, workspace_id: UUID, number: int) -> None:
    """Raises LimitReached where so many more are too many; whoever else adds some waits."""
    await work.db.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))
    there = await work.db.first(_NUMBER, workspace_id=workspace_id)
    if there is not None and there.number + number > rules.MAX_BUDGETS:
        raise LimitReached(f"A workspace has at most {rules.MAX_BUDGETS:,} budgets.", rules.MAX_BUDGETS)


async def require_profile(work: Work, workspace_id: UUID, profile_id: UUID | None) -> None:
    if profile_id is not None:
        profile = (await sites.profiles_by_ids(work.db, Reach.whole(workspace_id), [profile_id])).get(profile_id)
        if profile is None:
            raise NotFound("There is no such profile in this workspace.", encode(Kind.PROFILE, profile_id))
