"""Verdicts: what changed, by how much, how sure that is, and why it is said."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import audits, verdicts

from ..audits.types import Audit
from ..batched import by_key
from ..loaders import Loaders
from ..node import Node, of
from ..sites.types import Page, Profile
from ..snapshots.types import Snapshot
from .differences import Differences
from .judged import JudgedMetric


@strawberry.type(
    description="One metric of a page in a snapshot, compared with the snapshots before it that were measured under the same "
    "conditions. `docs/verdicts.md` says how."
)
class Verdict(Node, JudgedMetric):
    is_type_of = of(verdicts.VerdictRow)

    judged_at: datetime = strawberry.field(description="When this was said.")

    snapshot: Snapshot | None = by_key(Loaders.snapshot, "snapshot_id", "The snapshot that it is about.")
    page: Page | None = by_key(Loaders.page, "page_id", "The page.")
    profile: Profile | None = by_key(Loaders.profile, "profile_id", "How it was measured; null once the profile is deleted.")
    audit: Audit | None = by_key(Loaders.audit, "audit_id", "The audit in the snapshot; null once it is deleted.")

    audit_before: Audit | None = by_key(
        Loaders.audit,
        "before_audit_id",
        "The newest audit before that it is compared with; null where there is none, or it is deleted.",
    )
    differences: Differences | None = by_key(
        Loaders.pair,
        lambda row: audits.Two(row.before_audit_id, row.audit_id) if row.before_audit_id is not None else None,
        "What changed between these two audits: findings and requests. Null where there are not two.",
    )
