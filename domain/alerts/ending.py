"""What ends with the thing that it is about."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, or_

from .. import sites
from ..base import query, within
from ..work import Work
from . import holding
from .model import Alert
from .rules import Resolution


class _OpenRow(NamedTuple):
    workspace_id: UUID
    subject: str


_PAGE = bindparam("page", type_=Uuid())
_OPEN = query(_OpenRow, Alert).where(
    Alert.site_id == bindparam("site"),
    or_(_PAGE.is_(None), Alert.page_id == _PAGE),
    Alert.resolved_at.is_(None),
    within(Alert.workspace_id, Alert.site_id),
)


async def end_with(work: Work, *, site_id: UUID, page_id: UUID | None = None) -> None:
    """The site, or one page of it, is about to be deleted, and its alerts with it: whoever was told of them is told so.

    Of those alone that are within the actor's reach; whether they may delete it is for others to ask.
    """
    # Whoever judges what was measured there locks the site first, and then alerts.
    await sites.in_turn(work, work.actor.reach, [site_id])
    rows = await work.db.all(_OPEN, site=site_id, page=page_id, reach=work.actor.reach.held)
    if rows:
        await holding.end_all(work, rows[0].workspace_id, [row.subject for row in rows], Resolution.DISABLED)
