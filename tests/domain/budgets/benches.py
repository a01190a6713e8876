"""A site with pages, its budgets, and audits with the numbers that a test wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from domain import audits, budgets, runners, sites
from domain.access import SYSTEM, Actor, Reach
from domain.base import Base
from domain.budgets import Turn
from domain.ids import new_id
from domain.measuring import EngineName, FormFactor, Phase, ResourceType, Severity
from infra.db.database import SqlDatabase
from tests import conditions
from tests.databases import everybodys, new_workspace

NOON = datetime(2026, 5, 13, 12, tzinfo=UTC)
REQUEST = next(each.class_ for each in Base.registry.mappers if each.class_.__name__ == "Request")

METRIC = budgets.Settings(
    name="",
    profile_id=None,
    path=None,
    url_pattern=None,
    environment="production",
    subject_kind=budgets.SubjectKind.METRIC,
    subject="lcp_ms",
    limit_kind=budgets.LimitKind.ABSOLUTE,
    limit_value=2500.0,
    tolerance=0.0,
    aggregation=budgets.Aggregation.MEDIAN,
    severity=budgets.BudgetSeverity.ERROR,
    consecutive=1,
)


@dataclass
class Bench:
    """A workspace with one site and one page, `/`, seen by its owner."""

    database: SqlDatabase
    workspace_id: UUID
    actor: Actor
    site_id: UUID
    page_id: UUID
    profile_id: UUID
    runner_id: UUID
    at: datetime = NOON

    @property
    def reach(self) -> Reach:
        return Reach.whole(self.workspace_id)

    async def page(self, path: str) -> UUID:
        async with self.database.work(self.actor) as work:
            return (await sites.create_page(work, site_id=self.site_id, path=path)).id

    async def budget(self, *, everywhere: bool = False, **settings: Any) -> UUID:
        site_id = None if everywhere else self.site_id
        async with self.database.work(self.actor) as work:
            wanted = METRIC._replace(**settings)
            return (await budgets.create(work, workspace_id=self.workspace_id, site_id=site_id, settings=wanted)).id

    async def audit(
        self,
        *lcp_ms: float | None,
        page_id: UUID | None = None,
        findings: Mapping[str, int] | None = None,
        requests: Sequence[ResourceType] = (),
        runs: Sequence[Mapping[str, Any]] | None = None,
        **columns: Any,
    ) -> UUID:
        """A finished one, an hour after the one before, whose runs have these values; the first stands for all."""
        id, self.at = new_id(), self.at + timedelta(hours=1)
        whose = {"workspace_id": self.workspace_id, "site_id": self.site_id}
        values: dict[str, Any] = {
            "page_id": page_id or self.page_id,
            "profile_id": self.profile_id,
            "profile_version": 1,
            "environment": "production",
            "engine": EngineName.LIGHTHOUSE,
            "engine_version": "13.4.1",
            "form_factor": FormFactor.MOBILE,
            "runner_id": self.runner_id,
            "runner_pool": "default",
            "state": audits.AuditState.FINISHED,
            "requested_by": "test",
            "requested_url": "https://acme.example/",
            "requested_at": self.at,
            "finished_at": self.at,
            "phase": Phase.ENDED,
            "runs": len(lcp_ms),
            "representative_run": 0,
            "scores": [],
            "user_timings": [],
        }
        each = runs if runs is not None else [{"lcp_ms": value} for value in lcp_ms]
        async with everybodys(self.database) as connection:
            row = {"id": id, **whose, **values, **columns}
            await connection.execute(conditions.insertion([conditions.named(row)]))
            await connection.execute(insert(audits.Audit).values(row))
            for index, numbers in enumerate(each):
                run_id = new_id()
                run = {"id": run_id, "audit_id": id, "index": index, "measured_at": self.at, "warnings": [], **whose}
                await connection.execute(insert(audits.Run).values(**run, **numbers))
                for position, type in enumerate(requests):
                    request = {"url": "https://acme.example/x", "method": "GET", "third_party": False, "resource_type": type}
                    await connection.execute(insert(REQUEST).values(run_id=run_id, position=position, **whose, **request))
            for position, (rule, number) in enumerate((findings or {}).items()):
                found = {"title": rule, "description": "", "severity": Severity.LOW, "category": "performance"}
                evidence = [{"subject": "x", "detail": ""}] * number
                below = {"id": new_id(), "audit_id": id, "position": position, "rule": rule, "evidence": evidence}
                await connection.execute(insert(audits.Finding).values(**below, **whose, **found))
        return id

    async def results(self, *ids: UUID) -> list[list[budgets.Outcome]]:
        found = await budgets.results(self.database.reader, self.reach, ids)
        return [list(found[id]) for id in ids]

    async def outcome(self, id: UUID) -> budgets.Outcome:
        """Of the only budget that is for it."""
        ((one,),) = await self.results(id)
        return one

    async def judge(self, *ids: UUID, snapshot_id: UUID | None = None) -> list[tuple[bool, UUID]]:
        """Crossings: the audits with which a breach began (True) or ended."""
        rows = (await audits.by_ids(self.database.reader, self.reach, ids)).values()
        async with self.database.work(SYSTEM) as work:
            changes = await budgets.judge(work, self.reach, rows, snapshot_id)
        return [(each.turn is Turn.BEGAN, each.audit.id) for each in changes if each.turn is not Turn.GOES_ON]

    async def breaches(self) -> list[Any]:
        async with everybodys(self.database) as connection:
            return list(await connection.execute(select(budgets.Breach.__table__).order_by(budgets.Breach.id)))


async def new_bench(database: SqlDatabase, slug: str = "acme") -> Bench:
    workspace_id, actor = await new_workspace(database, slug)
    async with database.work(actor) as work:
        site = await sites.create(work, workspace_id=workspace_id, origin=f"https://{slug}.example")
    async with database.work(actor) as work:
        page = await sites.create_page(work, site_id=site.id, path="/")
    async with database.work(SYSTEM) as work:
        runner = await runners.appear(work, name=slug, location="local", pool="default", engines=[EngineName.LIGHTHOUSE])
    profiles = await sites.profiles_by_workspace(database.reader, actor.reach, [workspace_id])
    profile = next(each for each in profiles[workspace_id] if each.name == "Lighthouse mobile")
    return Bench(database, workspace_id, actor, site.id, page.id, profile.id, runner)


@pytest.fixture
async def bench(database: SqlDatabase) -> Bench:
    return await new_bench(database)
