"""Snapshots: what was measured together, of which code, and how far it has come."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain import snapshots, verdicts
from domain.ids import Kind, decode
from domain.snapshots import Cause, SnapshotState

from ..audits.types import Audit
from ..batched import by_key, paged
from ..costs import Cost, ListSize
from ..given import of_verdicts
from ..loaders import Loaders
from ..node import Node, of
from ..paging import Connection
from ..rows import reads
from ..scalars import Url
from ..schedules.types import Schedule
from ..sites.types import Page, Site

if TYPE_CHECKING:
    from ..verdicts.comparison import SnapshotComparison
    from ..verdicts.types import Verdict


@strawberry.type(description="What Git knows of the code that was measured.")
class Commit:
    branch: str | None = strawberry.field(description="The branch that it was on.")
    author: str | None = strawberry.field(description="Who wrote it.")
    message: str | None = strawberry.field(description="What they said of it.")
    committed_at: datetime | None = strawberry.field(description="When it was committed.")

    @strawberry.field(description="Its hash.", metadata=reads("commit_hash"))
    @staticmethod
    def hash(row: strawberry.Parent[snapshots.SnapshotRow]) -> str:
        assert row.commit_hash is not None
        return row.commit_hash

    @strawberry.field(description="The hash of the commit that it is to be compared with.", metadata=reads("ancestor_hash"))
    @staticmethod
    def ancestor(row: strawberry.Parent[snapshots.SnapshotRow]) -> str | None:
        return row.ancestor_hash


@strawberry.type(description="How many of a snapshot's audits stand how.")
class SnapshotProgress:
    total: int = strawberry.field(description="All that were asked for so far.")
    queued: int = strawberry.field(description="Those that wait for a runner.")
    running: int = strawberry.field(description="Those that are being measured.")
    finished: int = strawberry.field(description="Those that are measured.")
    failed: int = strawberry.field(description="Those that could not be measured.")
    cancelled: int = strawberry.field(description="Those that somebody stopped.")


@strawberry.type(description="How many verdicts say what.")
class Judgements:
    regressed: int = strawberry.field(description="Those that changed for the worse.")
    improved: int = strawberry.field(description="Those that changed for the better.")
    no_evidence: int = strawberry.field(description="Those of which nothing shows that they changed.")
    incomparable: int = strawberry.field(description="Those that were measured under other conditions than before.")


@strawberry.type(description="A page in a snapshot, with its audits side by side.")
class SnapshotPage:
    page: Page | None = by_key(Loaders.page, "page_id", "The page; null once it is deleted.")
    audits: list[Audit] = by_key(
        Loaders.audits_of_snapshot_page,
        lambda row: (row.snapshot_id, row.page_id),
        "Its audits in this snapshot, one for each profile.",
    )


def _comparison_key(
    row: snapshots.SnapshotRow,
    before: Annotated[strawberry.ID, strawberry.argument(description="The snapshot to compare it with, of the same site.")],
    pooled: Annotated[
        bool,
        strawberry.argument(
            description="Together with the snapshots before that one, four in all, as a snapshot is judged; else with it alone."
        ),
    ] = False,
    pages: Annotated[
        list[strawberry.ID] | None,
        strawberry.argument(description="These of its pages only, at most 50; all where a snapshot has at most 200 audits."),
    ] = None,
) -> verdicts.Asked:
    chosen = frozenset(decode(Kind.PAGE, id, "pages") for id in pages) if pages is not None else None
    return verdicts.Asked(decode(Kind.SNAPSHOT, before, "before"), row.id, pooled, chosen)


@strawberry.type(description="The audits that were started together: by a person, a schedule, a deploy or a build.")
class Snapshot(Node):
    is_type_of = of(snapshots.SnapshotRow)

    cause: Cause = strawberry.field(description="Who or what started it.")
    state: SnapshotState = strawberry.field(description="How it stands.")
    name: str | None = strawberry.field(description="What somebody called it; a schedule's has the schedule's name.")
    environment: str = strawberry.field(description="Where the pages stood.")
    base_url: Url | None = strawberry.field(description="The origin that was measured instead of the site's own.")
    build_url: Url | None = strawberry.field(description="Where the build can be looked at that started it.")
    runs: int | None = strawberry.field(description="How many runs each audit has; null for as many as each profile says.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When the last of its audits had ended; null before.")

    judged_at: datetime | None = strawberry.field(
        description="When its verdicts were final; null before: what is suspected may still be looked into."
    )

    site: Site = by_key(Loaders.site, "site_id", "Whose pages it measured.")
    schedule: Schedule | None = by_key(
        Loaders.schedule, "schedule_id", "The schedule that started it; null where none did, or it is deleted."
    )
    confirms: Annotated[Snapshot, strawberry.lazy("graph.snapshots.types")] | None = by_key(
        Loaders.snapshot, "confirms_id", "The snapshot whose suspicions it looks into; null for one that looks into none."
    )
    confirmations: list[Annotated[Snapshot, strawberry.lazy("graph.snapshots.types")]] = by_key(
        Loaders.confirmations_of_snapshot,
        "id",
        "Those that look into what it made suspect, in their order; four at most.",
        directives=[ListSize(assumed_size=4, slicing_arguments=[])],
    )
    judgements: Judgements = by_key(Loaders.judgements_of_snapshot, "id", "How many of its verdicts say what.")
    verdicts: Connection[Annotated[Verdict, strawberry.lazy("graph.verdicts.types")]] = paged(
        Loaders.verdicts_of_snapshot,
        "How it compares with what was measured before; none before it is judged.",
        given=of_verdicts,
    )
    comparison: Annotated[SnapshotComparison, strawberry.lazy("graph.verdicts.comparison")] | None = by_key(
        Loaders.comparison_of_snapshots,
        _comparison_key,
        "This snapshot compared with another one of the site, by the statistics of verdicts; null where that is not there or "
        "not yours.",
        directives=[Cost(weight="10000")],
    )
    progress: SnapshotProgress = by_key(Loaders.progress_of_snapshot, "id", "How many of its audits stand how.")
    audits: Connection[Audit] = paged(
        Loaders.audits_of_snapshot, "Its audits: page by page, and of each page profile by profile."
    )
    pages: Connection[SnapshotPage] = paged(
        Loaders.pages_of_snapshot, "Its pages, each with its audits side by side: mobile beside desktop."
    )

    @strawberry.field(
        description="What Git knows of the code; null where nobody told.",
        metadata=reads("commit_hash", "branch", "ancestor_hash", "author", "message", "committed_at"),
    )
    @staticmethod
    def commit(row: strawberry.Parent[snapshots.SnapshotRow]) -> Commit | None:
        return row if row.commit_hash is not None else None  # type: ignore[return-value]  # read by the type's fields


def _snapshot_key(_root: None, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]) -> UUID:
    return decode(Kind.SNAPSHOT, id)


@strawberry.type
class Query:
    snapshot: Snapshot | None = by_key(Loaders.snapshot, _snapshot_key, "A snapshot; null when it is not there or not yours.")
