"""Verdicts: what changed, by how much, how sure that is, and why it is said."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import metrics, verdicts
from domain.measuring import MetricName
from domain.verdicts import Judgement, Reason

from ..audits.types import Audit
from ..batched import by_key
from ..loaders import Loaders
from ..metrics import Metric
from ..node import Node, of
from ..rows import reads
from ..sites.types import Page, Profile
from ..snapshots.types import Snapshot


@strawberry.type(
    description="One metric of a page in a snapshot, compared with the snapshots before it that were measured under the same "
    "conditions. `docs/verdicts.md` says how."
)
class Verdict(Node):
    is_type_of = of(verdicts.VerdictRow)

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
    delta: float | None = strawberry.field(
        description="Cliff's delta, -1 to 1: how much more often a run lies above than below one before."
    )
    spread_ratio: float | None = strawberry.field(
        description="How many times as far apart the runs lie as before, where that changed; null where it did not."
    )
    snapshots_before: int = strawberry.field(description="How many snapshots before it is compared with.")
    snapshots_after: int = strawberry.field(description="How many snapshots since: itself, and those that confirm it.")
    judged_at: datetime = strawberry.field(description="When this was said.")

    snapshot: Snapshot | None = by_key(Loaders.snapshot, "snapshot_id", "The snapshot that it is about.")
    page: Page | None = by_key(Loaders.page, "page_id", "The page.")
    profile: Profile | None = by_key(Loaders.profile, "profile_id", "How it was measured; null once the profile is deleted.")
    audit: Audit | None = by_key(Loaders.audit, "audit_id", "The audit in the snapshot; null once it is deleted.")

    @strawberry.field(description="Which metric.", metadata=reads("metric"))
    @staticmethod
    def metric(row: strawberry.Parent[verdicts.VerdictRow]) -> Metric:
        return metrics.CATALOGUE[MetricName(row.metric)]  # type: ignore[return-value]  # read by the type's fields

    @strawberry.field(description="`after` minus `before`.", metadata=reads("before", "after"))
    @staticmethod
    def change(row: strawberry.Parent[verdicts.VerdictRow]) -> float | None:
        return row.after - row.before if row.before is not None and row.after is not None else None

    @strawberry.field(description="The change as a share of `before`; null where that is 0.", metadata=reads("before", "after"))
    @staticmethod
    def relative_change(row: strawberry.Parent[verdicts.VerdictRow]) -> float | None:
        return (row.after - row.before) / row.before if row.before and row.after is not None else None
