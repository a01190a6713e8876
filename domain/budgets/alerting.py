"""How alerts name what breaks budgets, and what ends them when a budget is not what it was."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from .. import alerts
from ..work import Work
from .model import Breach


def breach_key(breach_id: UUID) -> str:
    """What is wrong, as alerts name it."""
    return f"breach:{breach_id.hex}"


async def end_alerts(work: Work, workspace_id: UUID, budget_ids: Collection[UUID]) -> None:
    """Of budgets that are changed, paused or go: nobody is to wait for their breaches to end by themselves."""
    open_ones = select(Breach.id).where(
        Breach.workspace_id == workspace_id, Breach.budget_id.in_(budget_ids), Breach.ended_at.is_(None)
    )
    keys = [breach_key(id) for id in (await work.db.execute(open_ones)).scalars()]
    await alerts.end_all(work, workspace_id, keys, alerts.Resolution.DISABLED)
