"""A page with finished audits at given times, inserted directly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from domain import audits, sites
from domain.access import Actor
from domain.audits import Audit, AuditState
from domain.ids import new_id
from domain.measuring import EngineName, FormFactor, Phase
from infra.db.database import SqlDatabase
from tests import conditions
from tests.databases import everybodys, new_page, new_workspace


class Line:
    """One page of one workspace, and the default profile."""

    def __init__(self, database: SqlDatabase, actor: Actor, page: sites.PageRow, profile: UUID) -> None:
        self.database, self.actor, self.page, self.profile = database, actor, page, profile

    async def add(self, *measured: tuple[datetime, float | None], **values: Any) -> list[UUID]:
        """Finished audits, each with its TTFB."""
        rows = [self._row(at, {"ttfb_ms": ttfb, **values}) for at, ttfb in measured]
        async with everybodys(self.database) as connection:
            if rows:
                await connection.execute(conditions.insertion([conditions.named(row) for row in rows]))
            for first in range(0, len(rows), 500):
                await connection.execute(insert(Audit), rows[first : first + 500])
        return [row["id"] for row in rows]

    def _row(self, at: datetime, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": new_id(),
            "workspace_id": self.page.workspace_id,
            "site_id": self.page.site_id,
            "page_id": self.page.id,
            "profile_id": self.profile,
            "profile_version": 1,
            "environment": audits.PRODUCTION,
            "engine": EngineName.PROBE,
            "engine_version": "1.0",
            "form_factor": FormFactor.DESKTOP,
            "runner_pool": "default",
            "state": AuditState.FINISHED,
            "requested_by": "somebody",
            "requested_url": "https://acme.example/",
            "requested_at": at,
            "started_at": at,
            "finished_at": at,
            "phase": Phase.ENDED,
            "runs": 1,
            "scores": [],
            "user_timings": [],
            **values,
        }

    async def kept(self, ids: Sequence[UUID]) -> list[int]:
        """The places of those that are there still."""
        found = await audits.by_ids(self.database.reader, self.actor.reach, ids)
        return [place for place, id in enumerate(ids) if id in found]


async def line(database: SqlDatabase, slug: str = "acme") -> Line:
    id, actor = await new_workspace(database, slug)
    async with database.work(actor) as work:
        page = await new_page(work, id, f"https://{slug}.example/")
    profiles = await sites.default_profiles(database.reader, actor.reach, [page.site_id])
    return Line(database, actor, page, profiles[page.site_id].id)
