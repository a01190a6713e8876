"""What whoever asks may still ask for, as the headers of each answer say it too."""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry

from .context import Info
from .marks import PERSONAL


@strawberry.type(
    description="The allowance of whoever asks, in cost: about one for each thing of an answer. Numbers are whole."
)
class RateLimit:
    limit: float = strawberry.field(description="How much there ever is at once.")
    remaining: float = strawberry.field(description="What is left once this operation has paid the most that it may cost.")
    used: float = strawberry.field(description="What is not there at the moment.")
    reset_at: datetime = strawberry.field(description="When all of it is there again, if nothing more is asked for.")
    cost: float = strawberry.field(description="The most that this operation may cost; what it does not need is given back.")


@strawberry.type
class Query:
    @strawberry.field(description="The allowance of whoever asks; null where nothing is paid.", metadata=PERSONAL)
    @staticmethod
    def rate_limit(info: Info) -> RateLimit | None:
        charge = info.context.charge
        if charge is None:
            return None
        limit, remaining = int(charge.bucket.capacity), int(charge.remaining)
        return RateLimit(
            limit=limit,
            remaining=remaining,
            used=limit - remaining,
            reset_at=datetime.fromtimestamp(charge.reset_at, UTC),
            cost=charge.requested,
        )
