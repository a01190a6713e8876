"""How a metric changed, and how sure that is: what verdicts and comparisons of two snapshots have in common."""

from __future__ import annotations

from typing import Any

import strawberry

from domain import metrics
from domain.measuring import MetricName
from domain.verdicts import Judgement, Reason

from ..metrics import Metric
from ..rows import reads


@strawberry.interface(description="How one metric of a page changed, how sure that is, and why it is said.")
class JudgedMetric:
    judgement: Judgement = strawberry.field(description="What it says.")
    reason: Reason = strawberry.field(description="Why it says so.")
    before: float | None = strawberry.field(description="The middle of the snapshots before; null without any.")
    after: float | None = strawberry.field(description="The middle of the snapshot, and of those that confirm it.")
    change_low: float | None = strawberry.field(
        description="The change is with a probability of 95 % not below this; null where nothing is estimated."
    )
    change_high: float | None = strawberry.field(description="And with the same not above this.")
    detectable: float | None = strawberry.field(
        description="The smallest change that would have been suspected, and measured again, four times out of five; null for "
        "what does not vary by itself, and where there is nothing to compare."
    )
    p: float | None = strawberry.field(
        description="How probable such a change is by chance, in its direction, by all snapshots together; null where nothing "
        "is estimated. It is the comparison's own: CONFIRMED takes the correction over everything that was compared at once."
    )
    delta: float | None = strawberry.field(
        description="Cliff's delta, -1 to 1: how much more often a run lies above than below one before."
    )
    spread_ratio: float | None = strawberry.field(
        description="How many times as far apart the runs lie as before: 2 and more, or a half and less; null else. It is "
        "a hint and no verdict: snapshots differ in that by chance, too."
    )
    snapshots_before: int = strawberry.field(description="How many snapshots before it is compared with.")
    snapshots_after: int = strawberry.field(description="How many snapshots since: itself, and those that confirm it.")

    @strawberry.field(description="Which metric.", metadata=reads("metric"))
    @staticmethod
    def metric(row: strawberry.Parent[Any]) -> Metric:
        return metrics.CATALOGUE[MetricName(row.metric)]  # type: ignore[return-value]  # read by the type's fields

    @strawberry.field(description="`after` minus `before`.", metadata=reads("before", "after"))
    @staticmethod
    def change(row: strawberry.Parent[Any]) -> float | None:
        return row.after - row.before if row.before is not None and row.after is not None else None

    @strawberry.field(description="The change as a share of `before`; null where that is 0.", metadata=reads("before", "after"))
    @staticmethod
    def relative_change(row: strawberry.Parent[Any]) -> float | None:
        return (row.after - row.before) / row.before if row.before and row.after is not None else None
