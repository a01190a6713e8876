"""Two snapshots that somebody chose, side by side: page by page, and of each page profile by profile."""

from __future__ import annotations

import strawberry

from domain import audits, verdicts

from ..audits.types import Audit
from ..batched import by_key
from ..costs import ListSize
from ..loaders import Loaders
from ..node import of
from ..sites.types import Page, Profile
from ..snapshots.types import Judgements, Snapshot
from .differences import Differences
from .judged import JudgedMetric


@strawberry.type(
    description="One metric of a page in a snapshot, compared with another snapshot that somebody chose. What does not vary by "
    "itself is there where it changed."
)
class ComparedMetric(JudgedMetric):
    is_type_of = of(verdicts.Said)


@strawberry.type(description="A page as one profile measured it, in both snapshots.")
class ComparedProfile:
    profile: Profile | None = by_key(Loaders.profile, "profile_id", "The profile; null once it is deleted.")
    before: Audit | None = by_key(Loaders.audit, "before_id", "Its audit in the one; null where it has none that is finished.")
    after: Audit | None = by_key(Loaders.audit, "after_id", "Its audit in the other; null where it has none that is finished.")
    metrics: list[ComparedMetric] = strawberry.field(description="What is said of each metric; none where an audit is missing.")
    differences: Differences | None = by_key(
        Loaders.pair,
        lambda row: audits.Two(row.before_id, row.after_id) if row.before_id and row.after_id else None,
        "What changed: findings and requests. Null where there are not two audits of one major version of one engine.",
    )


@strawberry.type(description="A page in both snapshots, mobile beside desktop.")
class ComparedPage:
    page: Page | None = by_key(Loaders.page, "page_id", "The page; null once it is deleted.")
    profiles: list[ComparedProfile] = strawberry.field(
        description="As each profile measured it, in the order in which they were asked for.",
        directives=[ListSize(assumed_size=2, slicing_arguments=[])],
    )


@strawberry.type(
    description="Two snapshots that somebody chose, compared. Nothing is kept of it, and nobody is alerted. "
    "`docs/comparing.md` says what can be told of two snapshots."
)
class SnapshotComparison:
    before: Snapshot | None = by_key(Loaders.snapshot, "before_id", "The one.")
    after: Snapshot | None = by_key(Loaders.snapshot, "after_id", "The other.")
    judgements: Judgements = strawberry.field(description="How many metrics are said to be what.")
    pages: list[ComparedPage] = strawberry.field(
        description="All pages of either, in the order in which they were asked for; at most 400.",
        directives=[ListSize(assumed_size=50, slicing_arguments=[])],
    )
