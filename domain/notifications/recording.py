"""What came of a try is kept with the delivery, and told of its channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, update

from .. import jobs
from ..base import UtcDateTime
from ..work import Event, EventKind, Work
from . import rules
from .model import Attempt, Channel, Delivery
from .rules import DeliveryState, Moment, PauseReason

if TYPE_CHECKING:
    from .jobs import DeliveryToDo


@dataclass(slots=True)
class Tried:
    """One try. `error`: why it is not sent; `asked`: the pause that the server wants; `gone`: nobody is there any more.

    `final`: trying again would change nothing; `ours`: no fault of whoever was to take it. `reached` and `refused`: as of the
    delivery.
    """

    at: datetime
    duration: timedelta = timedelta()
    error: str | None = None
    status: int | None = None
    answer: str | None = None
    asked: timedelta | None = None
    gone: bool = False
    final: bool = False
    ours: bool = False
    reached: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


async def record(work: Work, claim: jobs.Claim, row: DeliveryToDo, tried: Tried) -> DeliveryState:
    """How the delivery stands now. Raises ClaimLost."""
    number = row.tries + 1
    rest = None
    if tried.error is not None and not (tried.final or tried.gone) and row.moment is not Moment.TEST:
        rest = rules.pause(number - row.before, row.id, tried.asked)
    if rest is None:
        await jobs.finish(work, claim)
        state = DeliveryState.SENT if tried.error is None else DeliveryState.FAILED
    else:
        await jobs.postpone(work, claim, rest)
        state = DeliveryState.WAITING
    values: dict[str, Any] = {"state": state, "tries": number, "reached": tried.reached, "refused": tried.refused}
    values["next_at"] = work.now + rest if rest is not None else None
    values["ended_at"] = work.now if rest is None else None
    there = await work.db.execute(update(Delivery).where(Delivery.id == row.id).values(**values).returning(Delivery.id))
    if there.first() is None:  # deleted meanwhile, with its channel
        return state
    work.db.add(
        Attempt(
            delivery_id=row.id,
            number=number,
            workspace_id=row.workspace_id,
            at=tried.at,
            duration_ms=round(tried.duration.total_seconds() * 1_000, 1),
            status=tried.status,
            error=tried.error,
            answer=tried.answer,
        )
    )
    if not tried.ours:
        await _judge(work, row, tried)
    return state


async def _judge(work: Work, row: DeliveryToDo, tried: Tried) -> None:
    """A channel that takes nothing for days is paused, and one that says that nobody is there at once.

    Where one address takes it, the channel is well.
    """
    channel = update(Channel).where(Channel.id == row.channel_id)
    if tried.error is None or tried.reached:
        await work.db.execute(channel.where(Channel.failures > 0).values(failures=0, failing_since=None))
        return
    failing = {
        "failures": Channel.failures + 1,
        "failing_since": func.coalesce(Channel.failing_since, literal(tried.at, UtcDateTime())),
    }
    found = (await work.db.execute(channel.values(**failing).returning(Channel.failing_since, Channel.failures))).first()
    if tried.gone:
        await pause(work, row, PauseReason.GONE)
    elif found is not None and rules.is_dead(found.failing_since, found.failures, work.now):
        await pause(work, row, PauseReason.FAILING)


async def pause(work: Work, row: DeliveryToDo, reason: PauseReason) -> None:
    paused = (
        update(Channel)
        .where(Channel.id == row.channel_id, Channel.paused_at.is_(None))
        .values(paused_at=work.now, paused_reason=reason)
        .returning(Channel.id)
    )
    if (await work.db.execute(paused)).first() is not None:
        work.say(Event(EventKind.CHANNEL_PAUSED, row.workspace_id, row.channel_id, payload={"reason": reason.value}))
