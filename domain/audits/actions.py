"""What is asked of audits: to be made, and to stop."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from .. import sites
from ..access import Permission
from ..base import Query
from ..errors import Conflict, Fault, InvalidInput, LimitReached, NotFound, ProblemCode
from ..idempotency import Promise, promise
from ..ids import Kind, encode
from ..measuring import Phase
from ..work import Work
from . import events, queries, rules
from .model import ENDED, Audit, AuditState


class _Count(NamedTuple):
    number: int


_QUEUED = Query(
    _Count,
    select(func.count().label("number")).where(
        Audit.workspace_id == bindparam("workspace_id"), Audit.state == AuditState.QUEUED
    ),
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
    work.actor.require(Permission.AUDIT_REQUEST, workspace_id)
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
    waiting = await work.db.first(_QUEUED, workspace_id=workspace_id)
    if waiting is not None and waiting.number >= rules.MAX_QUEUED:
        raise LimitReached(f"{rules.MAX_QUEUED:,} audits of this workspace are waiting already.", rules.MAX_QUEUED)
    page = await _page(work, workspace_id, page_id, url)
    profile = await _profile(work, workspace_id, page.site_id, profile_id)
    work.db.add(
        Audit(
            id=promised.id,
            workspace_id=workspace_id,
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
            priority=rules.PERSON_WAITS,
            requested_by=work.actor.name,
            requested_url=(base or page.origin) + page.path,
            requested_at=work.now,
            phase=Phase.QUEUED,
            runs=runs or profile.runs,
            attempts=0,
            scores=[],
            user_timings=[],
        )
    )
    await work.db.flush()
    work.say(events.work_waits(workspace_id))
    work.say(events.progressed(workspace_id, promised.id, AuditState.QUEUED, Phase.QUEUED))
    return promised


async def cancel(work: Work, *, audit_id: UUID) -> UUID:
    """Stop an audit, waiting or running. One that has ended stays as it ended."""
    audit = (await queries.by_ids(work.db, work.actor.reach, [audit_id])).get(audit_id)
    if audit is None:
        raise NotFound("There is no such audit, or it is not yours.", encode(Kind.AUDIT, audit_id))
    work.actor.require(Permission.AUDIT_CANCEL, audit.workspace_id)
    # The worker that has it finds its claim gone, and stops the engine.
    stopped = await work.db.execute(
        update(Audit)
        .where(Audit.id == audit_id, Audit.state.not_in(ENDED))
        .values(state=AuditState.CANCELLED, finished_at=work.now, claim=None, claim_until=None, phase=Phase.ENDED, run=None)
        .returning(Audit.id)
    )
    if stopped.first() is None:
        raise Conflict(f"This audit is {audit.state.lower()} already.", ProblemCode.STATE_CHANGED, (Kind.AUDIT, audit_id))
    work.say(events.progressed(audit.workspace_id, audit_id, AuditState.CANCELLED, Phase.ENDED))
    return audit_id


async def _workspace(work: Work, workspace_id: UUID | None, page_id: UUID | None) -> UUID:
    """The workspace that is meant: the one given, the page's, or the only one within reach."""
    if workspace_id is not None:
        return workspace_id
    if page_id is not None:
        page = (await sites.pages_by_ids(work.db, work.actor.reach, [page_id])).get(page_id)
        if page is None and work.actor.roles:
            raise NotFound("There is no such page, or it is not yours.", encode(Kind.PAGE, page_id))
        if page is not None:
            return page.workspace_id
    if not work.actor.roles:
        work.actor.require(Permission.AUDIT_REQUEST, UUID(int=0))
    if len(work.actor.roles) > 1:
        raise InvalidInput.at("workspace", "You are in several workspaces: say which one.", ProblemCode.REQUIRED)
    return next(iter(work.actor.roles))


async def _page(work: Work, workspace_id: UUID, page_id: UUID | None, url: str | None) -> sites.PageRow:
    if page_id is None:
        assert url is not None
        return await sites.find_or_create_page(work, workspace_id=workspace_id, url=url, path="target.url")
    page = (await sites.pages_by_ids(work.db, (workspace_id,), [page_id])).get(page_id)
    if page is None:
        raise NotFound("There is no such page in this workspace.", encode(Kind.PAGE, page_id))
    return page


async def _profile(work: Work, workspace_id: UUID, site_id: UUID, profile_id: UUID | None) -> sites.ProfileRow:
    if profile_id is None:
        return (await sites.default_profiles(work.db, (workspace_id,), [site_id]))[site_id]
    profile = (await sites.profiles_by_ids(work.db, (workspace_id,), [profile_id])).get(profile_id)
    if profile is None:
        raise NotFound("There is no such profile in this workspace.", encode(Kind.PROFILE, profile_id))
    return profile
