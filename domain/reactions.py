"""What answers what across the rooms, which know nothing of those above them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from . import alerts, audits, jobs, sites
from .work import Work

_REVIVED: Mapping[str, Callable[[Work, UUID], Awaitable[None]]] = dict.fromkeys(audits.KINDS.values(), audits.revive)
"""What becomes of a job's subject when the job is to be tried again."""


async def delete_site(work: Work, *, site_id: UUID) -> UUID:
    """Forget a site with all that is known of it; whoever was told of what is wrong there is told that it is no more.

    Raises NotFound and NotAllowed.
    """
    await alerts.end_with(work, site_id=site_id)
    return await sites.delete(work, site_id=site_id)


async def delete_page(work: Work, *, page_id: UUID) -> UUID:
    """The same for a page."""
    page = (await sites.pages_by_ids(work.db, work.actor.reach, [page_id])).get(page_id)
    if page is not None:
        await alerts.end_with(work, site_id=page.site_id, page_id=page_id)
    return await sites.delete_page(work, page_id=page_id)


async def replay(work: Work, *, job_id: UUID) -> jobs.JobRow:
    """Let a job that was given up be tried again, with what it is about. Raises NotFound."""
    row = await jobs.revive(work, job_id=job_id)
    revived = _REVIVED.get(row.kind)
    if revived is not None:
        await revived(work, row.subject)
    return row


async def drop(work: Work, *, job_id: UUID) -> jobs.JobRow:
    """Forget a job that was given up; what it is about stays as it is. Raises NotFound."""
    return await jobs.drop(work, job_id=job_id)
