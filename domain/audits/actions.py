"""What is asked of audits: to be made, and to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, update

from .. import jobs, sites
from ..access import Permission, Reach
from ..base import count, one_of, query
from ..errors import Conflict, Fault, InvalidInput, LimitReached, NotFound, ProblemCode
from ..idempotency import Promise, promise
from ..ids import Kind, encode, new_id
from ..measuring import Phase
from ..work import Job, Work
from . import events, queries, rules
from .model import ENDED, Audit, AuditState

_QUEUED = count(Audit, Audit.workspace_id == bindparam("workspace_id"), Audit.state == AuditState.QUEUED)


class _OpenRow(NamedTuple):
    page_id: UUID
    profile_id: UUID
    environment: str


_OPEN = query(_OpenRow, Audit).where(
    Audit.workspace_id == bindparam("workspace_id"),
    Audit.state.in_([AuditState.QUEUED, AuditState.RUNNING]),
    one_of(Audit.page_id, "pages"),
)


async def request(
    work: Work,
    *,
    workspace_id: UUID | None = None,
    page_id: UUID | None = None,
    url: str | None = None,
    profile_id: UUID | None = None,
    environment: str | None = None,
    base_url: str | None = None,
    runs: int | None = None,
    idempotency_key: str | None = None,
) -> Promise:
    """Measure a page, known by its id or by its address (then its site and page are made where they are new)."""
    environment = environment or rules.PRODUCTION
    faults: list[Fault] = []
    rules.check_request(environment, runs, faults)
    base = sites.check_origin(base_url, faults, "baseUrl") if base_url is not None else None
    if url is not None:
        sites.check_url(url, faults, "target.url")
    if faults:
        raise InvalidInput(faults)
    workspace_id = await _workspace(work, workspace_id, page_id)
    work.actor.require(Permission.AUDIT_REQUEST, workspace_id, await _site(work, workspace_id, page_id, url))
    given = {
        "workspace": workspace_id,
        "page": page_id,
        "url": url,
        "profile": profile_id,
        "environment": environment,
        "base": base_url,
        "runs": runs,
    }
    promised = await promise(work, idempotency_key, "auditRequest", given)
    if promised.replayed:
        return promised
    await _room_for(work, workspace_id, 1)
    page = await _page(work, workspace_id, page_id, url)
    profile = await _profile(work, workspace_id, page.site_id, profile_id)
    await _ask(
        work,
        promised.id,
        page,
        profile,
        environment=environment,
        requested_url=(base or page.origin) + page.path,
        runs=runs,
        priority=jobs.PERSON_WAITS,
    )
    return promised


async def request_all(
    work: Work,
    *,
    workspace_id: UUID,
    site_id: UUID,
    targets: Sequence[tuple[UUID, UUID]],
    environment: str,
    runs: int | None,
    priority: int,
    snapshot_id: UUID,
    base_url: str | None = None,
    schedule_id: UUID | None = None,
    idle: bool = False,
    confirms: bool = False,
) -> Sequence[UUID]:
    """Measure these pages of the site under these profiles, for one snapshot; the ids of the new audits.

    `idle`: a page that already waits or is measured under a profile is left alone, so that a slow worker piles nothing up.
    `confirms`: they look once more at what is suspected.
    Raises LimitReached when the workspace's queue has no room for them.
    """
    work.actor.require(Permission.AUDIT_REQUEST, workspace_id, site_id)
    found = await sites.pages_by_ids(work.db, Reach.whole(workspace_id), {page for page, _ in targets})
    profiles = await sites.profiles_by_ids(work.db, Reach.whole(workspace_id), {profile for _, profile in targets})
    busy: set[tuple[UUID, UUID]] = set()
    if idle:
        open_ones = await work.db.all(_OPEN, workspace_id=workspace_id, pages=list(found))
        busy = {(row.page_id, row.profile_id) for row in open_ones if row.environment == environment}
    wanted = [
        (found[page], profiles[profile])
        for page, profile in targets
        if page in found and found[page].site_id == site_id and profile in profiles and (page, profile) not in busy
    ]
    await _room_for(work, workspace_id, len(wanted))
    ids = [new_id() for _ in wanted]
    for id, (page, profile) in zip(ids, wanted, strict=True):
        await _ask(
            work,
            id,
            page,
            profile,
            environment=environment,
            requested_url=(base_url or page.origin) + page.path,
            runs=runs,
            priority=priority,
            schedule_id=schedule_id,
            snapshot_id=snapshot_id,
            confirms=confirms,
        )
    return ids


async def _room_for(work: Work, workspace_id: UUID, number: int) -> None:
    waiting = await work.db.first(_QUEUED, workspace_id=workspace_id)
    if waiting is not None and waiting.number + number > rules.MAX_QUEUED:
        raise LimitReached(f"{rules.MAX_QUEUED:,} audits of this workspace are waiting already.", rules.MAX_QUEUED)


async def _ask(
    work: Work,
    id: UUID,
    page: sites.PageRow,
    profile: sites.ProfileRow,
    *,
    environment: str,
    requested_url: str,
    runs: int | None,
    priority: int,
    schedule_id: UUID | None = None,
    snapshot_id: UUID | None = None,
    confirms: bool = False,
) -> None:
    audit = Audit(
        id=id,
        workspace_id=page.workspace_id,
        site_id=page.site_id,
        page_id=page.id,
        profile_id=profile.id,
        profile_version=profile.version,
        environment=environment,
        engine=profile.engine,
        form_factor=profile.form_factor,
        throttling_method=profile.throttling_method,
        rtt_ms=profile.rtt_ms,
        throughput_kbps=profile.throughput_kbps,
        cpu_slowdown=profile.cpu_slowdown,
        state=AuditState.QUEUED,
        schedule_id=schedule_id,
        snapshot_id=snapshot_id,
        confirms=confirms,
        requested_by=work.actor.name,
        requested_url=requested_url,
        requested_at=work.now,
        phase=Phase.QUEUED,
        runs=runs or profile.runs,
        scores=[],
        user_timings=[],
    )
    work.db.add(audit)
    work.enqueue(Job(events.KINDS[profile.engine], page.workspace_id, id, priority))
    work.say(events.requested(audit))


async def cancel(work: Work, *, audit_id: UUID) -> UUID:
    """Stop an audit, waiting or running. One that has ended stays as it ended."""
    audit = (await queries.by_ids(work.db, work.actor.reach, [audit_id])).get(audit_id)
    if audit is None:
        raise work.actor.absent(Permission.AUDIT_CANCEL, Kind.AUDIT, audit_id)
    work.actor.require(Permission.AUDIT_CANCEL, audit.workspace_id, audit.site_id)
    # The worker that has it finds its claim gone, and stops the engine. The job first, as workers lock them.
    await jobs.withdraw(work, audit_id)
    stopped = await work.db.execute(
        update(Audit)
        .where(Audit.id == audit_id, Audit.state.not_in(ENDED))
        .values(state=AuditState.CANCELLED, finished_at=work.now, phase=Phase.ENDED, run=None)
        .returning(Audit.id)
    )
    if stopped.first() is None:
        raise Conflict(f"This audit is {audit.state.lower()} already.", ProblemCode.STATE_CHANGED, (Kind.AUDIT, audit_id))
    work.say(events.ended(audit, AuditState.CANCELLED))
    return audit_id


async def _workspace(work: Work, workspace_id: UUID | None, page_id: UUID | None) -> UUID:
    """The workspace that is meant: the one given, the page's, or the only one within reach."""
    if workspace_id is not None:
        return workspace_id
    if page_id is not None:
        page = (await sites.pages_by_ids(work.db, work.actor.reach, [page_id])).get(page_id)
        if page is None and work.actor.is_somebody:
            raise NotFound("There is no such page, or it is not yours.", encode(Kind.PAGE, page_id))
        if page is not None:
            return page.workspace_id
    if not work.actor.is_somebody:
        work.actor.require(Permission.AUDIT_REQUEST, UUID(int=0))
    if len(work.actor.roles) != 1:
        message = "You are in several workspaces: say which one." if work.actor.roles else "You are in no workspace yet."
        raise InvalidInput.at("workspace", message, ProblemCode.REQUIRED)
    return next(iter(work.actor.roles))


async def _site(work: Work, workspace_id: UUID, page_id: UUID | None, url: str | None) -> UUID | None:
    """The site that is meant; None where it is not there yet. Whoever has the whole workspace is not asked for it."""
    if workspace_id not in work.actor.sites:
        return None
    if page_id is not None:
        page = (await sites.pages_by_ids(work.db, work.actor.reach, [page_id])).get(page_id)
        return page.site_id if page is not None else None
    address = sites.split_url(url or "", "target.url")
    site = await sites.by_origin(work.db, work.actor.reach, workspace_id, address.origin)
    return site.id if site is not None else None


async def _page(work: Work, workspace_id: UUID, page_id: UUID | None, url: str | None) -> sites.PageRow:
    if page_id is None:
        assert url is not None
        return await sites.find_or_create_page(work, workspace_id=workspace_id, url=url, path="target.url")
    page = (await sites.pages_by_ids(work.db, work.actor.reach, [page_id])).get(page_id)
    if page is None or page.workspace_id != workspace_id:
        raise NotFound("There is no such page in this workspace.", encode(Kind.PAGE, page_id))
    return page


async def _profile(work: Work, workspace_id: UUID, site_id: UUID, profile_id: UUID | None) -> sites.ProfileRow:
    if profile_id is None:
        default = (await sites.default_profiles(work.db, Reach.whole(workspace_id), [site_id])).get(site_id)
        if default is None:  # the site was deleted since its page was read
            raise NotFound("There is no such site in this workspace.", encode(Kind.SITE, site_id))
        return default
    profile = (await sites.profiles_by_ids(work.db, Reach.whole(workspace_id), [profile_id])).get(profile_id)
    if profile is None:
        raise NotFound("There is no such profile in this workspace.", encode(Kind.PROFILE, profile_id))
    return profile
