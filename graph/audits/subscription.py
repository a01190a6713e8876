"""An audit, watched live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable
from typing import Annotated, Any

import strawberry

from domain import audits, history
from domain.access import Permission
from domain.errors import NotFound
from domain.ids import Kind, decode
from domain.measuring import Phase
from domain.ports import Missed
from domain.work import EventRow

from ..context import Info
from .types import Audit

LOOK_SECONDS = 10.0
"""A look at the row now and then: what is heard is a nudge, the row is the truth."""


@strawberry.type(description="How far an audit has come.")
class AuditProgress:
    audit: Audit = strawberry.field(description="The audit as it stands at this moment.")
    phase: Phase = strawberry.field(description="How far it has come.")
    run: int | None = strawberry.field(description="The run being measured, from 1; null between runs.")
    runs: int = strawberry.field(description="How many there will be.")

    @property
    def moment(self) -> Hashable:
        """The same for all who hear of this step."""
        row: Any = self.audit
        return row.id, row.state, self.phase, self.run


@strawberry.type
class Subscription:
    @strawberry.subscription(
        description="An audit's progress: the present state first, then every step; completes after the last."
    )
    async def audit_progress(
        self, info: Info, audit: Annotated[strawberry.ID, strawberry.argument(description="The audit's id.")]
    ) -> AsyncGenerator[AuditProgress, None]:
        id, context = decode(Kind.AUDIT, audit, "audit"), info.context
        standing = context.services.standings.of(context.actor)
        row = await context.loaders.audit.load(id)
        if row is None and context.actor.is_somebody:
            raise NotFound("There is no such audit, or it is not yours.", audit)
        context.actor.require(Permission.READ, row.workspace_id if row else id, row.site_id if row else None)
        now, look_at = asyncio.get_running_loop().time, 0.0
        shown: tuple[audits.AuditState, Phase, int | None] | None = None
        with context.services.feed.follow(row.workspace_id, subject=id) as follower:
            # What was said up to here is in the row that is read next: told again, it would go back a step.
            told, behind = await history.said(context.reader, id)
            heard: EventRow | Missed | None = None
            while True:
                event = heard if isinstance(heard, EventRow) else None
                context.actor = await standing.require(context.reader, row.workspace_id, event, site_id=row.site_id)
                if heard is not None or now() >= look_at:
                    context.fresh()
                    row, look_at = await context.loaders.audit.load(id), now() + LOOK_SECONDS
                    if row is None:
                        return
                    step = _step(row, heard)
                    if step != shown:
                        shown = step
                        yield _progress(row, *step[1:])
                    if row.state in audits.ENDED:
                        return
                heard = await follower.next(LOOK_SECONDS)
                match heard:
                    case EventRow() if heard.sequence <= told:
                        heard = None
                    case EventRow() if behind:
                        heard, behind = None, behind - 1
                    case Missed():
                        behind = 0


def _step(row: audits.AuditRow, heard: EventRow | Missed | None) -> tuple[audits.AuditState, Phase, int | None]:
    """Each step is told, also when the next has come already; but the end at once."""
    if isinstance(heard, EventRow) and row.state not in audits.ENDED:
        return row.state, Phase(heard.payload["phase"]), heard.payload["run"]
    return row.state, row.phase, row.run


def _progress(row: audits.AuditRow, phase: Phase, run: int | None) -> AuditProgress:
    return AuditProgress(
        audit=row,  # type: ignore[arg-type]  # a row, read by the type's fields
        phase=phase,
        run=run + 1 if run is not None else None,
        runs=row.runs,
    )
