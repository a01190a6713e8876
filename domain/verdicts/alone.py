"""An audit that is part of no snapshot: what it says of its page's budgets, and of whether the page can be measured.

Nothing is compared: one audit is no evidence.
"""

from __future__ import annotations

from uuid import UUID

from .. import alerts, audits, budgets, jobs, sites
from ..access import SYSTEM, Actor, Reach, Role
from ..audits import AuditState, Latest
from ..ports import Database
from .breaking import tell_breaches


async def take(database: Database, only: UUID | None = None) -> jobs.Claim | None:
    """The next audit to be looked at, or this one. Raises DatabaseAway."""
    if only is None:
        return await jobs.take_next(database, audits.JUDGE)
    async with database.work(SYSTEM) as work:
        return await jobs.take(work, [audits.JUDGE], subject=only)


async def perform(database: Database, claim: jobs.Claim) -> None:
    """Look at it. Cancelled, it gives the job back at once. Raises ClaimLost and DatabaseAway."""
    async with jobs.giving_back(database, claim):
        await _perform(database, claim)


async def _perform(database: Database, claim: jobs.Claim) -> None:
    workspace_id = claim.job.workspace_id
    assert workspace_id is not None  # audits have one
    reader, reach = database.reader, Reach.whole(workspace_id)
    ended = list((await audits.by_ids(reader, reach, [claim.job.subject])).values())
    prepared = await budgets.prepare(reader, reach, ended)
    told = [audit for audit in ended if audit.state is AuditState.FINISHED or await _was_measured(database, reach, audit)]
    async with database.work(Actor(roles={workspace_id: Role.MEMBER})) as work:
        await sites.in_turn(work, reach, {audit.site_id for audit in ended})
        await jobs.finish(work, claim)
        await alerts.judge_failures(work, reach, told)
        await tell_breaches(work, await budgets.judge(work, reach, ended, prepared=prepared))


async def _was_measured(database: Database, reach: Reach, audit: audits.AuditRow) -> bool:
    """A page that never was is none that somebody watches: whoever tried an address sees what came of it."""
    which = Latest(audit.profile_id, audit.environment)
    return bool(await audits.latest(database.reader, reach, [audit.page_id], which, ["id", "page_id"]))
