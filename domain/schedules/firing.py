"""A firing: audits are asked for piece by piece, and what came of it is told at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, update

from .. import audits, jobs, sites, snapshots
from ..access import Reach
from ..base import Query, query
from ..ids import new_id
from ..work import Event, EventKind, Work
from . import rules
from .model import Schedule, ScheduleRow

PIECE = 200
"""About so many audits are asked for in one transaction; a larger firing goes on in the next one."""


class Asked(NamedTuple):
    """What came of a piece. `reached` is the page up to which it went; None: there are no more pages."""

    audits: int = 0
    skipped: int = 0
    reached: UUID | None = None
    snapshot_id: UUID | None = None
    profiles: Sequence[UUID] = ()


NOTHING = Asked()


class _PageRow(NamedTuple):
    id: UUID


# Locked against deletion, and what is being deleted is not waited for: two that wait for each other's rows never end.
_LOCK: Mapping[str, Any] = {"read": True, "key_share": True, "skip_locked": True, "of": [sites.Page, sites.Site]}
_PAGES = Query(_PageRow, query(_PageRow, sites.Page).statement.join(sites.Site, sites.Site.id == sites.Page.site_id)).where(
    sites.Page.workspace_id == bindparam("workspace_id")
)
_ONE = Query(_PageRow, _PAGES.where(sites.Page.id == bindparam("page_id")).statement.with_for_update(**_LOCK))
_OF_SITE = Query(
    _PageRow,
    _PAGES.where(sites.Page.site_id == bindparam("site_id"), sites.Page.id > bindparam("reached"))
    .statement.order_by(sites.Page.id)
    .limit(bindparam("limit"))
    .with_for_update(**_LOCK),
)
_FIRST = UUID(int=0)


async def ask(work: Work, row: ScheduleRow, most: int) -> Asked:
    """Ask for the audits of the next pages, about `most` of them. Raises LimitReached, having asked for none."""
    environment, runs = row.environment, row.runs
    if row.snapshot_id is not None:
        begun = (await snapshots.by_ids(work.db, Reach.whole(row.workspace_id), [row.snapshot_id])).get(row.snapshot_id)
        if begun is None or begun.state is not snapshots.SnapshotState.RUNNING:
            return NOTHING  # somebody stopped it: it ends with what was asked for so far
        environment, runs = begun.environment, begun.runs  # as it began, whatever the schedule says now
    profiles = await _profiles(work, row)
    number = max(1, most // max(1, len(profiles)))
    pages = await _pages(work, row, number)
    made: Sequence[UUID] = ()
    snapshot_id = row.snapshot_id
    if pages and profiles:
        made = await audits.request_all(
            work,
            workspace_id=row.workspace_id,
            site_id=row.site_id,
            targets=list(product(pages, profiles)),
            environment=environment,
            runs=runs,
            priority=jobs.SCHEDULED,
            schedule_id=row.id,
            snapshot_id=(wanted := snapshot_id or new_id()),
            idle=True,
        )
        if made and snapshot_id is None:
            snapshot_id = wanted
            await snapshots.begin(
                work,
                wanted,
                workspace_id=row.workspace_id,
                site_id=row.site_id,
                environment=row.environment,
                runs=row.runs,
                schedule_id=row.id,
                name=row.name,
            )
        await work.db.flush()
    more = row.page_id is None and len(pages) == number
    return Asked(len(made), len(pages) * len(profiles) - len(made), pages[-1] if more else None, snapshot_id, profiles)


async def advance(work: Work, row: ScheduleRow, asked: Asked) -> None:
    """Go on later where there are more pages, behind what else is due; else end."""
    if asked.reached is None:
        await end(work, row, asked)
        return
    await _set(
        work,
        row,
        next_at=work.now,
        firing_at=row.firing_at or row.next_at,
        snapshot_id=asked.snapshot_id,
        reached=asked.reached,
        profiles=[id.hex for id in asked.profiles],
        asked=row.asked + asked.audits,
        skipped=row.skipped + asked.skipped,
        failures=0,
    )


async def end(work: Work, row: ScheduleRow, asked: Asked = NOTHING, reason: rules.Reason | None = None) -> None:
    """Tell what came of it. However late it was, it fires once; `reason` says why it asked for less than it should."""
    number, skipped = row.asked + asked.audits, row.skipped + asked.skipped
    snapshot_id = asked.snapshot_id or row.snapshot_id
    if snapshot_id is not None:
        await snapshots.fill(work, snapshot_id)
    if not number:
        reason = reason or (rules.Reason.STILL_WAITING if skipped else rules.Reason.NO_PAGES)
    due = row.firing_at or row.next_at or work.now
    payload: dict[str, Any] = {"audits": number, "skipped": skipped} if number else {}
    payload |= {"reason": reason.value} if reason else {}
    kind = EventKind.SCHEDULE_FIRED if number else EventKind.SCHEDULE_SKIPPED
    work.say(Event(kind, row.workspace_id, row.id, row.site_id, {**payload, "due": due.isoformat()}))
    await _set(
        work,
        row,
        paused_at=row.paused_at,
        next_at=rules.next_after(row, work.now) if row.paused_at is None else None,
        **({"quiet_at": None} if row.paused_at is not None else {}),
        last_at=work.now if number else row.last_at,
        firing_at=None,
        snapshot_id=None,
        reached=None,
        profiles=None,
        asked=0,
        skipped=0,
        failures=0,
    )


async def put_off(work: Work, row: ScheduleRow) -> None:
    """Try the same again after a while, a longer one each time, so that the others have their turn."""
    failures = row.failures + 1
    due = row.firing_at or row.next_at or work.now
    payload = {"reason": rules.Reason.FAILED.value, "due": due.isoformat()}
    work.say(Event(EventKind.SCHEDULE_SKIPPED, row.workspace_id, row.id, row.site_id, payload))
    await _set(work, row, next_at=work.now + rules.rest(failures), firing_at=due, failures=failures)


async def _set(work: Work, row: ScheduleRow, **values: Any) -> None:
    """Once in a transaction: PostgreSQL looks at the keys of a row changed twice, and waits for who deletes what they name."""
    await work.db.execute(update(Schedule).where(Schedule.id == row.id).values(**values))


async def _profiles(work: Work, row: ScheduleRow) -> list[UUID]:
    """Those with which it began, else another choice would be of the later pages alone."""
    if row.profiles is not None:
        return [UUID(id) for id in row.profiles]
    if row.profile_id is not None:
        return [row.profile_id]
    chosen = await sites.profiles_by_site(work.db, Reach.whole(row.workspace_id), [row.site_id])
    return [profile.id for profile in chosen[row.site_id]]


async def _pages(work: Work, row: ScheduleRow, number: int) -> list[UUID]:
    if row.page_id is not None:
        found = await work.db.all(_ONE, workspace_id=row.workspace_id, page_id=row.page_id)
    else:
        given = {"workspace_id": row.workspace_id, "site_id": row.site_id, "reached": row.reached or _FIRST}
        found = await work.db.all(_OF_SITE, **given, limit=number)
    return [page.id for page in found]
