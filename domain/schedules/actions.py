"""What is done to schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy import delete as remove
from sqlalchemy import update as change

from .. import audits, sites, snapshots
from ..access import Permission, Reach
from ..base import Query, count, query, within
from ..errors import Conflict, Fault, InvalidInput, LimitReached, NotFound, ProblemCode
from ..idempotency import Promise, promise
from ..ids import Kind, encode
from ..work import Work
from ..workspaces import Workspace
from . import firing, rules, silence
from .model import Schedule, ScheduleRow
from .rules import Settings

_NUMBER = count(Schedule, Schedule.workspace_id == bindparam("workspace_id"))
_BY_NAME = query(ScheduleRow, Schedule).where(
    Schedule.workspace_id == bindparam("workspace_id"),
    Schedule.site_id == bindparam("site_id"),
    Schedule.name == bindparam("name"),
)
_IN_TURN = Query(
    ScheduleRow,
    query(ScheduleRow, Schedule)
    .where(Schedule.id == bindparam("id"), within(Schedule.workspace_id, Schedule.site_id))
    .statement.with_for_update(key_share=True),
)


async def create(
    work: Work,
    *,
    site_id: UUID,
    name: str,
    page_id: UUID | None = None,
    profile_id: UUID | None = None,
    environment: str | None = None,
    runs: int | None = None,
    cron: str | None = None,
    every_minutes: int | None = None,
    time_zone: str = "UTC",
    jitter_seconds: int = 0,
    idempotency_key: str | None = None,
) -> Promise:
    """Audit a site's pages, or one of them, regularly: at the times of a cron expression or every so many minutes."""
    site = (await sites.by_ids(work.db, work.actor.reach, [site_id])).get(site_id)
    if site is None:
        raise work.actor.absent(Permission.SCHEDULE_WRITE, Kind.SITE, site_id)
    work.actor.require(Permission.SCHEDULE_WRITE, site.workspace_id, site_id)
    await _require_page(work, site, page_id)
    await _require_profile(work, site.workspace_id, profile_id)
    settings = Settings(
        name, profile_id, environment or audits.PRODUCTION, runs, cron, every_minutes, time_zone, jitter_seconds
    )
    settings = _checked(work, settings)
    given = {"site": site_id, "page": page_id, **settings._asdict()}
    promised = await promise(work, idempotency_key, "scheduleCreate", given)
    if promised.replayed:
        return promised
    await work.db.execute(select(Workspace.id).where(Workspace.id == site.workspace_id).with_for_update(key_share=True))
    await _refuse_name(work, site.workspace_id, site_id, settings.name)
    there = await work.db.first(_NUMBER, workspace_id=site.workspace_id)
    if there is not None and there.number >= rules.MAX_SCHEDULES:
        raise LimitReached(f"A workspace has at most {rules.MAX_SCHEDULES:,} schedules.", rules.MAX_SCHEDULES)
    schedule = Schedule(
        id=promised.id,
        workspace_id=site.workspace_id,
        site_id=site_id,
        page_id=page_id,
        **settings._asdict(),
        created_at=work.now,
        created_by=work.actor.name,
        asked=0,
        skipped=0,
        failures=0,
    )
    schedule.next_at = rules.next_after(schedule, work.now)
    schedule.quiet_at = rules.silent_from(schedule, work.now)
    work.db.add(schedule)
    await work.db.flush()
    return promised


async def update(work: Work, *, schedule_id: UUID, changes: Mapping[str, Any]) -> UUID:
    """`changes` are fields of Settings. A cron expression takes the place of the minutes, and they take its place."""
    row = await _schedule(work, schedule_id, Permission.SCHEDULE_WRITE)
    work.actor.require(Permission.SCHEDULE_WRITE, row.workspace_id, row.site_id)
    await _require_profile(work, row.workspace_id, changes.get("profile_id"))
    before = settings_of(row)
    settings = before._replace(**{**_instead(changes), **changes})
    settings = _checked(work, settings)
    if settings.name != before.name:
        await _refuse_name(work, row.workspace_id, row.site_id, settings.name)
    values = settings._asdict()
    timed = row._replace(**values)
    if _timing(timed) != _timing(row) and row.paused_at is None:
        values["quiet_at"] = rules.silent_from(timed, work.now)
        if row.firing_at is None:
            values["next_at"] = rules.next_after(timed, work.now)
    await work.db.execute(change(Schedule).where(Schedule.id == schedule_id).values(**values))
    return schedule_id


async def pause(work: Work, *, schedule_id: UUID) -> UUID:
    """Let it rest until it is resumed; what it has asked for already is measured."""
    row = await _schedule(work, schedule_id, Permission.SCHEDULE_WRITE)
    work.actor.require(Permission.SCHEDULE_WRITE, row.workspace_id, row.site_id)
    if row.paused_at is not None:
        return schedule_id
    if row.firing_at is not None:
        await firing.end(work, row._replace(paused_at=work.now), reason=rules.Reason.PAUSED)
    else:
        resting = {"paused_at": work.now, "next_at": None, "quiet_at": None}
        await work.db.execute(change(Schedule).where(Schedule.id == schedule_id).values(**resting))
    await silence.end(work, row)
    return schedule_id


async def resume(work: Work, *, schedule_id: UUID) -> UUID:
    """Let it fire again, the next time when its timing says so: what was missed stays missed."""
    row = await _schedule(work, schedule_id, Permission.SCHEDULE_WRITE)
    work.actor.require(Permission.SCHEDULE_WRITE, row.workspace_id, row.site_id)
    if row.paused_at is not None:
        values: dict[str, Any] = {"paused_at": None, "quiet_at": rules.silent_from(row, work.now)}
        if row.firing_at is None:
            values["next_at"] = rules.next_after(row, work.now)
        await work.db.execute(change(Schedule).where(Schedule.id == schedule_id).values(**values))
    return schedule_id


async def delete(work: Work, *, schedule_id: UUID) -> UUID:
    """Forget a schedule; its audits stay."""
    row = await _schedule(work, schedule_id, Permission.SCHEDULE_WRITE)
    work.actor.require(Permission.SCHEDULE_WRITE, row.workspace_id, row.site_id)
    if row.snapshot_id is not None:  # it was being fired: what was asked for so far is all
        await snapshots.fill(work, row.snapshot_id)
    await work.db.execute(remove(Schedule).where(Schedule.id == schedule_id))
    await silence.end(work, row)
    return schedule_id


async def run_now(work: Work, *, schedule_id: UUID, idempotency_key: str | None = None) -> Promise:
    """Fire it once, out of turn, paused or not. The scheduler asks for what is more than one piece."""
    row = await _schedule(work, schedule_id, Permission.AUDIT_REQUEST)
    work.actor.require(Permission.AUDIT_REQUEST, row.workspace_id, row.site_id)
    promised = await promise(work, idempotency_key, "scheduleRun", {"schedule": schedule_id})
    if not promised.replayed:
        if row.firing_at is not None:
            message = "This schedule is being fired at this moment."
            raise Conflict(message, ProblemCode.STATE_CHANGED, (Kind.SCHEDULE, schedule_id))
        row = row._replace(firing_at=work.now)
        await firing.advance(work, row, await firing.ask(work, row, firing.PIECE))
    return Promise(schedule_id, promised.replayed)


def settings_of(row: ScheduleRow) -> Settings:
    return Settings(*(getattr(row, name) for name in Settings._fields))


def _timing(row: ScheduleRow) -> tuple[Any, ...]:
    return row.cron, row.every_minutes, row.time_zone, row.jitter_seconds


def _instead(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What goes when the other one of the two ways to say when comes."""
    other = {"cron": "every_minutes", "every_minutes": "cron"}
    return {other[name]: None for name in other if changes.get(name) is not None}


def _checked(work: Work, settings: Settings) -> Settings:
    """The settings, normalised. Raises InvalidInput with everything that is wrong."""
    faults: list[Fault] = []
    settings = settings._replace(name=sites.check_name(settings.name, faults))
    audits.check_request(settings.environment, settings.runs, faults)
    settings = rules.check_timing(settings, work.now, faults)
    if faults:
        raise InvalidInput(faults)
    return settings


async def _require_page(work: Work, site: sites.SiteRow, page_id: UUID | None) -> None:
    if page_id is not None:
        page = (await sites.pages_by_ids(work.db, Reach.whole(site.workspace_id), [page_id])).get(page_id)
        if page is None or page.site_id != site.id:
            raise NotFound("There is no such page in this site.", encode(Kind.PAGE, page_id))


async def _require_profile(work: Work, workspace_id: UUID, profile_id: UUID | None) -> None:
    if profile_id is not None and profile_id not in await sites.profiles_by_ids(
        work.db, Reach.whole(workspace_id), [profile_id]
    ):
        raise NotFound("There is no such profile in this workspace.", encode(Kind.PROFILE, profile_id))


async def _refuse_name(work: Work, workspace_id: UUID, site_id: UUID, name: str) -> None:
    existing = await work.db.first(_BY_NAME, workspace_id=workspace_id, site_id=site_id, name=name)
    if existing is not None:
        message = "A schedule of this site has this name already."
        raise Conflict(message, ProblemCode.ALREADY_EXISTS, (Kind.SCHEDULE, existing.id))


async def _schedule(work: Work, schedule_id: UUID, permission: Permission) -> ScheduleRow:
    """The schedule, in turn: whoever else changes or fires it waits, and then sees what was changed."""
    row = await work.db.first(_IN_TURN, id=schedule_id, reach=work.actor.reach.held)
    if row is None:
        raise work.actor.absent(permission, Kind.SCHEDULE, schedule_id)
    return row
