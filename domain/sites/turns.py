"""One after the other: who judges a site, and who deletes it or a page of it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from ..access import Reach
from ..work import Work
from .model import Site


async def in_turn(work: Work, reach: Reach, site_ids: Collection[UUID]) -> None:
    """Wait until nobody else has these sites, and have them to the end of the work: before anything else that it locks."""
    await work.db.execute(
        select(Site.id)
        .where(Site.id.in_(site_ids), Site.workspace_id.in_(reach.workspaces))
        .order_by(Site.id)
        .with_for_update(key_share=True)
    )
