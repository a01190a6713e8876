"""Asking for snapshots, and stopping them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import snapshots
from domain.access import Permission
from domain.ids import Kind, decode
from domain.snapshots import Cause

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..sites.mutation import KEY, REPLAYED
from .types import Snapshot


@strawberry.input(description="What Git knows of the code that is measured.")
class CommitInput:
    hash: str = strawberry.field(description="Its hash, 7 to 64 hex digits.")
    branch: str | None = strawberry.field(default=None, description="The branch that it is on.")
    ancestor: str | None = strawberry.field(
        default=None,
        description="The hash of the commit to compare it with, such as where the branch began; its first 7 digits or more are "
        "enough, also where the whole hash was given when it was measured, and the other way round. Of several that begin so "
        "the newest is taken.",
    )
    author: str | None = strawberry.field(default=None, description="Who wrote it.")
    message: str | None = strawberry.field(default=None, description="What they said of it; cut off after 1,000 characters.")
    committed_at: datetime | None = strawberry.field(default=None, description="When it was committed.")

    def read(self) -> snapshots.Commit:
        return snapshots.Commit(self.hash, self.branch, self.ancestor, self.author, self.message, self.committed_at)


@strawberry.input(description="Pages of a site to be measured together.")
class SnapshotRequestInput:
    site: strawberry.ID = strawberry.field(description="Whose pages.")
    pages: list[strawberry.ID] | None = strawberry.field(default=None, description="Which of them; else all.")
    profiles: list[strawberry.ID] | None = strawberry.field(
        default=None, description="How each is measured; else with each of the site's profiles."
    )
    environment: str | None = strawberry.field(default=None, description="Where the pages stand; else `production`.")
    base_url: str | None = strawberry.field(
        default=None, description="The origin to measure instead of the site's own, such as a preview's."
    )
    runs: int | None = strawberry.field(default=None, description="How many runs, 1 to 20; else as each profile says.")
    cause: Cause = strawberry.field(default=Cause.PERSON, description="Who asks: PERSON or BUILD.")
    name: str | None = strawberry.field(default=None, description="What to call it; at most 200 characters.")
    commit: CommitInput | None = strawberry.field(default=None, description="What Git knows of the code.")
    build_url: str | None = strawberry.field(default=None, description="Where the build can be looked at.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The snapshot was asked for.")
class SnapshotRequestPayload:
    snapshot: Snapshot = strawberry.field(description="The snapshot; its audits wait.")
    replayed: bool = strawberry.field(description=REPLAYED)


SnapshotRequestResult = Annotated[
    SnapshotRequestPayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("SnapshotRequestResult", description="What becomes of `snapshotRequest`."),
]


@strawberry.input(description="A snapshot to stop.")
class SnapshotCancelInput:
    snapshot: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The snapshot was stopped; what of it was measured stays.")
class SnapshotCancelPayload:
    snapshot: Snapshot = strawberry.field(description="The snapshot, cancelled.")


SnapshotCancelResult = Annotated[
    SnapshotCancelPayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("SnapshotCancelResult", description="What becomes of `snapshotCancel`."),
]


def ids_of(kind: Kind, ids: list[strawberry.ID] | None, path: str) -> list[UUID] | None:
    return [decode(kind, id, f"{path}.{place}") for place, id in enumerate(ids)] if ids is not None else None


@strawberry.type
class Mutation:
    @mutation(
        "Measure a site's pages together. The same commit may be measured again: it is another snapshot.",
        Permission.AUDIT_REQUEST,
    )
    async def snapshot_request(self, info: Info, input: SnapshotRequestInput) -> SnapshotRequestResult:
        async with info.context.work() as work:
            promised = await snapshots.request(
                work,
                site_id=decode(Kind.SITE, input.site, "site"),
                page_ids=ids_of(Kind.PAGE, input.pages, "pages"),
                profile_ids=ids_of(Kind.PROFILE, input.profiles, "profiles"),
                environment=input.environment,
                base_url=input.base_url,
                runs=input.runs,
                cause=input.cause,
                name=input.name,
                commit=input.commit.read() if input.commit is not None else None,
                build_url=input.build_url,
                idempotency_key=input.idempotency_key,
            )
        snapshot = await made(info, Kind.SNAPSHOT, promised.id)
        return SnapshotRequestPayload(snapshot=snapshot, replayed=promised.replayed)

    @mutation("Stop a snapshot's audits, waiting or running.", Permission.AUDIT_CANCEL)
    async def snapshot_cancel(self, info: Info, input: SnapshotCancelInput) -> SnapshotCancelResult:
        async with info.context.work() as work:
            id = await snapshots.cancel(work, snapshot_id=decode(Kind.SNAPSHOT, input.snapshot, "snapshot"))
        return SnapshotCancelPayload(snapshot=await made(info, Kind.SNAPSHOT, id))
