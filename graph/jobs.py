"""Work that was given up: looked at, replayed, dropped."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from domain import audits, jobs, notifications, reactions
from domain.access import Permission
from domain.ids import Kind, decode

from .context import Info
from .errors import InvalidInput, NotAllowed, NotFound, mutation
from .node import Node, may_be_seen, of


async def _subject(info: Info, row: jobs.JobRow) -> Node | None:
    if row.kind == notifications.KIND:
        delivery = await info.context.loaders.delivery.load(row.subject)
        return delivery if may_be_seen(info, delivery) else None
    return await info.context.loaders.audit.load(row.subject) if row.kind in audits.KINDS.values() else None


@strawberry.type(description="Work that was given up: each worker that took it was lost over it.")
class DeadJob(Node):
    is_type_of = of(jobs.JobRow)

    kind: str = strawberry.field(description="What kind of work, such as audits.probe; new ones may come.")
    deliveries: int = strawberry.field(description="How many workers took it.")
    error: str | None = strawberry.field(description="Why it was given up.")

    @strawberry.field(description="What it is about; null when that is gone, has no id of its own, or is not yours to see.")
    @staticmethod
    async def subject(row: strawberry.Parent[jobs.JobRow], info: Info) -> Node | None:
        return await _subject(info, row)

    @strawberry.field(description="When it was asked for.")
    @staticmethod
    def requested_at(row: strawberry.Parent[jobs.JobRow]) -> datetime:
        return row.at

    @strawberry.field(description="When it was given up.")
    @staticmethod
    def dead_at(row: strawberry.Parent[jobs.JobRow]) -> datetime:
        assert row.dead_at is not None  # only those are found
        return row.dead_at


@strawberry.input(description="Work to try again.")
class JobReplayInput:
    job: strawberry.ID = strawberry.field(description="The dead job's id.")


@strawberry.type(description="It waits for a worker again, and may be taken as often as new work.")
class JobReplayPayload:
    job_id: strawberry.ID = strawberry.field(description="The id, by which it is found again should it be given up again.")
    subject: Node | None = strawberry.field(description="What it is about, as it stands now; null when that is gone.")


JobReplayResult = Annotated[
    JobReplayPayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("JobReplayResult", description="What becomes of `jobReplay`."),
]


@strawberry.input(description="Work to forget.")
class JobDropInput:
    job: strawberry.ID = strawberry.field(description="The dead job's id.")


@strawberry.type(description="The work is forgotten; what it was about stays as it is.")
class JobDropPayload:
    job_id: strawberry.ID = strawberry.field(description="The id that it had.")
    subject: Node | None = strawberry.field(description="What it was about; null when that is gone.")


JobDropResult = Annotated[
    JobDropPayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("JobDropResult", description="What becomes of `jobDrop`."),
]


@strawberry.type
class Mutation:
    @mutation("Let work that was given up be tried again, with what it is about.", Permission.JOB_WRITE)
    async def job_replay(self, info: Info, input: JobReplayInput) -> JobReplayResult:
        async with info.context.work() as work:
            row = await reactions.replay(work, job_id=decode(Kind.JOB, input.job, "job"))
        return JobReplayPayload(job_id=input.job, subject=await _subject(info, row))

    @mutation("Forget work that was given up.", Permission.JOB_WRITE)
    async def job_drop(self, info: Info, input: JobDropInput) -> JobDropResult:
        async with info.context.work() as work:
            row = await reactions.drop(work, job_id=decode(Kind.JOB, input.job, "job"))
        return JobDropPayload(job_id=input.job, subject=await _subject(info, row))
