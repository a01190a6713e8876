"""An audit, watched live."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from domain import audits
from domain.errors import NotFound
from domain.ids import Kind, decode
from domain.measuring import Phase

from ..context import Info
from .types import Audit

LOOK_SECONDS = 2.0
"""A look at the row now and then: what a listener hears is a nudge, the row is the truth."""


@strawberry.type(description="How far an audit has come.")
class AuditProgress:
    audit: Audit = strawberry.field(description="The audit as it stands at this moment.")
    phase: Phase = strawberry.field(description="How far it has come.")
    run: int | None = strawberry.field(description="The run being measured, from 1; null between runs.")
    runs: int = strawberry.field(description="How many there will be.")


@strawberry.type
class Subscription:
    @strawberry.subscription(
        description="An audit's progress: the present state first, then every step; completes after the last."
    )
    async def audit_progress(
        self, info: Info, audit: Annotated[strawberry.ID, strawberry.argument(description="The audit's id.")]
    ) -> AsyncGenerator[AuditProgress, None]:
        id = decode(Kind.AUDIT, audit, "audit")
        async with info.context.services.bus.listen(audits.topic(id)) as messages:
            row = await info.context.loaders.audit.load(id)
            if row is None:
                raise NotFound("There is no such audit, or it is not yours.", audit)
            yield _progress(row, row.phase, row.run)
            before = (row.state, row.phase, row.run)
            while row.state not in audits.ENDED:
                message = await messages.next(LOOK_SECONDS)
                info.context.fresh()
                row = await info.context.loaders.audit.load(id)
                if row is None:
                    return
                phase, run = row.phase, row.run
                if message is not None and row.state not in audits.ENDED:
                    phase, run = Phase(message.payload["phase"]), message.payload["run"]
                if (row.state, phase, run) != before:
                    before = (row.state, phase, run)
                    yield _progress(row, phase, run)


def _progress(row: audits.AuditRow, phase: Phase, run: int | None) -> AuditProgress:
    return AuditProgress(
        audit=row,  # type: ignore[arg-type]  # a row, read by the type's fields
        phase=phase,
        run=run + 1 if run is not None else None,
        runs=row.runs,
    )
