"""Making schedules, changing, pausing and running them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import schedules
from domain.access import Permission
from domain.audits import PRODUCTION
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..scalars import TimeZone
from ..sites.mutation import KEY, REPLAYED
from ..sites.types import UTC, profile_id
from .types import Schedule

CRON = (
    "Five fields: minute, hour, day of the month, month, day of the week, such as `0 6 * * MON-FRI`; "
    "or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`."
)


@strawberry.input(description="A schedule to make: say either `cron` or `everyMinutes`.")
class ScheduleCreateInput:
    site: strawberry.ID = strawberry.field(description="The site to audit.")
    page: strawberry.ID | None = strawberry.field(default=None, description="One page of the site; else all its pages.")
    profile: strawberry.ID | None = strawberry.field(default=None, description="How; else with each of the site's profiles.")
    name: str = strawberry.field(description="Its name; no other schedule of the site has it.")
    environment: str = strawberry.field(default=PRODUCTION, description="Where the pages stand.")
    runs: int | None = strawberry.field(default=None, description="How many runs, 1 to 20; else as the profile says.")
    cron: str | None = strawberry.field(default=None, description=CRON)
    every_minutes: int | None = strawberry.field(default=None, description="1 to 10,080 (a week).")
    time_zone: TimeZone = strawberry.field(default=UTC, description="Whose clocks the cron expression means.")
    jitter_seconds: int = strawberry.field(default=0, description="At most so many seconds later, to 3,600.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The schedule was made.")
class ScheduleCreatePayload:
    schedule: Schedule = strawberry.field(description="The schedule.")
    replayed: bool = strawberry.field(description=REPLAYED)


ScheduleCreateResult = Annotated[
    ScheduleCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("ScheduleCreateResult", description="What becomes of `scheduleCreate`."),
]


@strawberry.input(
    description="What to change of a schedule; what is left out stays. `cron` and `everyMinutes` take each other's place."
)
class ScheduleUpdateInput:
    schedule: strawberry.ID = strawberry.field(description="Its id.")
    name: str | None = strawberry.field(default=None, description="Its new name.")
    profile: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="How from now on; null for each of the site's profiles."
    )
    environment: str | None = strawberry.field(default=None, description="Where the pages stand from now on.")
    runs: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many runs from now on; null for as many as the profile says."
    )
    cron: str | None = strawberry.field(default=None, description=CRON)
    every_minutes: int | None = strawberry.field(default=None, description="1 to 10,080 (a week).")
    time_zone: TimeZone | None = strawberry.field(default=None, description="Whose clocks the cron expression means.")
    jitter_seconds: int | None = strawberry.field(default=None, description="At most so many seconds later, to 3,600.")


@strawberry.type(description="The schedule was changed.")
class ScheduleUpdatePayload:
    schedule: Schedule = strawberry.field(description="The schedule as it is now.")


ScheduleUpdateResult = Annotated[
    ScheduleUpdatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("ScheduleUpdateResult", description="What becomes of `scheduleUpdate`."),
]


@strawberry.input(description="A schedule to pause.")
class SchedulePauseInput:
    schedule: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The schedule is paused.")
class SchedulePausePayload:
    schedule: Schedule = strawberry.field(description="The schedule.")


SchedulePauseResult = Annotated[
    SchedulePausePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("SchedulePauseResult", description="What becomes of `schedulePause`."),
]


@strawberry.input(description="A paused schedule that is to go on.")
class ScheduleResumeInput:
    schedule: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The schedule goes on.")
class ScheduleResumePayload:
    schedule: Schedule = strawberry.field(description="The schedule.")


ScheduleResumeResult = Annotated[
    ScheduleResumePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("ScheduleResumeResult", description="What becomes of `scheduleResume`."),
]


@strawberry.input(description="A schedule to forget.")
class ScheduleDeleteInput:
    schedule: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The schedule is forgotten; its audits stay.")
class ScheduleDeletePayload:
    schedule_id: strawberry.ID = strawberry.field(description="The id that it had.")


ScheduleDeleteResult = Annotated[
    ScheduleDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("ScheduleDeleteResult", description="What becomes of `scheduleDelete`."),
]


@strawberry.input(description="A schedule to fire now, once, paused or not.")
class ScheduleRunInput:
    schedule: strawberry.ID = strawberry.field(description="Its id.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="Its audits were asked for; of a large site the first ones, and the others follow.")
class ScheduleRunPayload:
    schedule: Schedule = strawberry.field(description="The schedule; its regular times stay.")
    replayed: bool = strawberry.field(description="Whether the same idempotency key fired it before, and this one did not.")


ScheduleRunResult = Annotated[
    ScheduleRunPayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("ScheduleRunResult", description="What becomes of `scheduleRun`."),
]


def _id(id: strawberry.ID) -> UUID:
    return decode(Kind.SCHEDULE, id, "schedule")


def _changes(input: ScheduleUpdateInput) -> dict[str, Any]:
    """What is given: of most fields null is nothing, of some it is a value."""
    names = ("name", "environment", "cron", "every_minutes", "time_zone", "jitter_seconds")
    changes = {name: getattr(input, name) for name in names if getattr(input, name) is not None}
    if input.profile is not strawberry.UNSET:
        changes["profile_id"] = profile_id(input.profile)
    if input.runs is not strawberry.UNSET:
        changes["runs"] = input.runs
    return changes


@strawberry.type
class Mutation:
    @mutation("Audit a site, or one page of it, regularly.", Permission.SCHEDULE_WRITE)
    async def schedule_create(self, info: Info, input: ScheduleCreateInput) -> ScheduleCreateResult:
        async with info.context.work() as work:
            promised = await schedules.create(
                work,
                site_id=decode(Kind.SITE, input.site, "site"),
                page_id=decode(Kind.PAGE, input.page, "page") if input.page is not None else None,
                profile_id=profile_id(input.profile),
                name=input.name,
                environment=input.environment,
                runs=input.runs,
                cron=input.cron,
                every_minutes=input.every_minutes,
                time_zone=input.time_zone,
                jitter_seconds=input.jitter_seconds,
                idempotency_key=input.idempotency_key,
            )
        schedule = await made(info, Kind.SCHEDULE, promised.id)
        return ScheduleCreatePayload(schedule=schedule, replayed=promised.replayed)

    @mutation("Change a schedule.", Permission.SCHEDULE_WRITE)
    async def schedule_update(self, info: Info, input: ScheduleUpdateInput) -> ScheduleUpdateResult:
        async with info.context.work() as work:
            id = await schedules.update(work, schedule_id=_id(input.schedule), changes=_changes(input))
        return ScheduleUpdatePayload(schedule=await made(info, Kind.SCHEDULE, id))

    @mutation("Let a schedule rest.", Permission.SCHEDULE_WRITE)
    async def schedule_pause(self, info: Info, input: SchedulePauseInput) -> SchedulePauseResult:
        async with info.context.work() as work:
            id = await schedules.pause(work, schedule_id=_id(input.schedule))
        return SchedulePausePayload(schedule=await made(info, Kind.SCHEDULE, id))

    @mutation("Let a paused schedule go on: the next time when its timing says so.", Permission.SCHEDULE_WRITE)
    async def schedule_resume(self, info: Info, input: ScheduleResumeInput) -> ScheduleResumeResult:
        async with info.context.work() as work:
            id = await schedules.resume(work, schedule_id=_id(input.schedule))
        return ScheduleResumePayload(schedule=await made(info, Kind.SCHEDULE, id))

    @mutation("Forget a schedule.", Permission.SCHEDULE_WRITE)
    async def schedule_delete(self, info: Info, input: ScheduleDeleteInput) -> ScheduleDeleteResult:
        async with info.context.work() as work:
            await schedules.delete(work, schedule_id=_id(input.schedule))
        return ScheduleDeletePayload(schedule_id=input.schedule)

    @mutation("Fire a schedule now.", Permission.AUDIT_REQUEST)
    async def schedule_run(self, info: Info, input: ScheduleRunInput) -> ScheduleRunResult:
        async with info.context.work() as work:
            promised = await schedules.run_now(work, schedule_id=_id(input.schedule), idempotency_key=input.idempotency_key)
        schedule = await made(info, Kind.SCHEDULE, promised.id)
        return ScheduleRunPayload(schedule=schedule, replayed=promised.replayed)
