"""What people do with alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import alerts
from domain.access import Permission
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, NotAllowed, NotFound, mutation
from ..node import made
from .types import Alert


@strawberry.input(description="An alert that you know of.")
class AlertAcknowledgeInput:
    alert: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Nothing is told of the alert any more but its end.")
class AlertAcknowledgePayload:
    alert: Alert = strawberry.field(description="The alert.")


AlertAcknowledgeResult = Annotated[
    AlertAcknowledgePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("AlertAcknowledgeResult", description="What becomes of `alertAcknowledge`."),
]


@strawberry.input(description="An alert to put off.")
class AlertSnoozeInput:
    alert: strawberry.ID = strawberry.field(description="Its id.")
    until: datetime | None = strawberry.field(
        default=None, description="Until when, within 30 days; left out, it is put off no longer."
    )


@strawberry.type(description="Nothing is told of the alert but its end until then; if it is so still, it is told again.")
class AlertSnoozePayload:
    alert: Alert = strawberry.field(description="The alert.")


AlertSnoozeResult = Annotated[
    AlertSnoozePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("AlertSnoozeResult", description="What becomes of `alertSnooze`."),
]


@strawberry.input(description="An alert to end by hand.")
class AlertResolveInput:
    alert: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The alert is ended; where it is so still, the next time that it is seen opens another one.")
class AlertResolvePayload:
    alert: Alert = strawberry.field(description="The alert.")


AlertResolveResult = Annotated[
    AlertResolvePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("AlertResolveResult", description="What becomes of `alertResolve`."),
]


def _id(id: strawberry.ID) -> UUID:
    return decode(Kind.ALERT, id, "alert")


@strawberry.type
class Mutation:
    @mutation("Say that you know of an alert.", Permission.ALERT_WRITE)
    async def alert_acknowledge(self, info: Info, input: AlertAcknowledgeInput) -> AlertAcknowledgeResult:
        async with info.context.work() as work:
            id = await alerts.acknowledge(work, alert_id=_id(input.alert))
        return AlertAcknowledgePayload(alert=await made(info, Kind.ALERT, id))

    @mutation("Put an alert off, or no longer.", Permission.ALERT_WRITE)
    async def alert_snooze(self, info: Info, input: AlertSnoozeInput) -> AlertSnoozeResult:
        async with info.context.work() as work:
            id = await alerts.snooze(work, alert_id=_id(input.alert), until=input.until)
        return AlertSnoozePayload(alert=await made(info, Kind.ALERT, id))

    @mutation("End an alert by hand.", Permission.ALERT_WRITE)
    async def alert_resolve(self, info: Info, input: AlertResolveInput) -> AlertResolveResult:
        async with info.context.work() as work:
            id = await alerts.resolve(work, alert_id=_id(input.alert))
        return AlertResolvePayload(alert=await made(info, Kind.ALERT, id))
