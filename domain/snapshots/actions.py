"""What is done to snapshots: asked for, filled with audits, stopped."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, update

from .. import audits, jobs, sites
from ..access import Permission, Reach
from ..base import Query, query
from ..errors import Conflict, Fault, InvalidInput, LimitReached, NotFound, ProblemCode
from ..idempotency import Promise, promise
from ..ids import Kind, encode, new_id
from ..work import Job, Work
from . import events, queries, rules
from .model import Cause, Snapshot, SnapshotRow, SnapshotState
from .rules import Commit


class _PageRow(NamedTuple):
    id: UUID


_PAGES = Query(
    _PageRow,
    query(_PageRow, sites.Page)
    .where(sites.Page.site_id == bindparam("site_id"), sites.Page.workspace_id == bindparam("workspace_id"))
    .statement.order_by(sites.Page.id)
    .limit(rules.MAX_AUDITS + 1),
)


async def request(
    work: Work,
    *,
    site_id: UUID,
    page_ids: Sequence[UUID] | None = None,
    profile_ids: Sequence[UUID] | None = None,
    environment: str | None = None,
    base_url: str | None = None,
    runs: int | None = None,
    cause: Cause = Cause.PERSON,
    name: str | None = None,
    commit: Commit | None = None,
    build_url: str | None = None,
    idempotency_key: str | None = None,
) -> Promise:
    """Measure a site's pages (or those given) under its profiles (or those given) together.

    The same commit may be measured as often as one likes: each time is a snapshot of its own.
    """
    site = (await sites.by_ids(work.db, work.actor.reach, [site_id])).get(site_id)
    if site is None:
        raise work.actor.absent(Permission.AUDIT_REQUEST, Kind.SITE, site_id)
    work.actor.require(Permission.AUDIT_REQUEST, site.workspace_id, site_id)
    faults: list[Fault] = []
    environment = environment or audits.PRODUCTION
    audits.check_request(environment, runs, faults)
    base = sites.check_origin(base_url, faults, "baseUrl") if base_url is not None else None
    name = rules.check_name(name, faults)
    build_url = rules.check_link(build_url, faults, "buildUrl")
    commit = rules.check_commit(commit, faults) if commit is not None else None
    if cause in (Cause.SCHEDULE, Cause.CONFIRMATION):
        message = "A person, a build or a deploy asks for a snapshot; schedules start theirs by themselves."
        faults.append(Fault(("cause",), message, ProblemCode.OUT_OF_RANGE))
    for path, ids in (("pages", page_ids), ("profiles", profile_ids)):
        if ids is not None and not ids:
            faults.append(Fault((path,), f"Name at least one, or leave {path} out for all of them.", ProblemCode.REQUIRED))
    if faults:
        raise InvalidInput(faults)
    given = {
        "site": site_id,
        "pages": page_ids,
        "profiles": profile_ids,
        "environment": environment,
        "base": base,
        "runs": runs,
        "cause": cause,
        "name": name,
        "commit": commit,
        "build": build_url,
    }
    promised = await promise(work, idempotency_key, "snapshotRequest", given)
    if promised.replayed:
        return promised
    pages = await _pages(work, site, page_ids)
    profiles = await _profiles(work, site, profile_ids)
    if (number := len(pages) * len(profiles)) > rules.MAX_AUDITS:
        has = "more" if len(pages) > rules.MAX_AUDITS else f"{number:,}"
        message = (
            f"A snapshot that is asked for has at most {rules.MAX_AUDITS:,} audits, and this one has {has}: "
            "name fewer pages or profiles, or let a schedule do it."
        )
        raise LimitReached(message, rules.MAX_AUDITS)
    snapshot = Snapshot(
        id=promised.id,
        workspace_id=site.workspace_id,
        site_id=site_id,
        cause=cause,
        name=name,
        environment=environment,
        base_url=base,
        runs=runs,
        build_url=build_url,
        filled_at=work.now,
        **_columns(commit),
    )
    await _add(work, snapshot)
    await audits.request_all(
        work,
        workspace_id=site.workspace_id,
        site_id=site_id,
        targets=list(product(pages, profiles)),
        environment=environment,
        base_url=base,
        runs=runs,
        priority=jobs.PERSON_WAITS,
        snapshot_id=promised.id,
    )
    return promised


async def begin(
    work: Work,
    id: UUID,
    *,
    workspace_id: UUID,
    site_id: UUID,
    environment: str,
    runs: int | None,
    schedule_id: UUID,
    name: str,
) -> None:
    """A schedule's: its audits are asked for piece by piece, until `fill` says that these were all."""
    work.actor.require(Permission.AUDIT_REQUEST, workspace_id, site_id)
    snapshot = Snapshot(
        id=id,
        workspace_id=workspace_id,
        site_id=site_id,
        cause=Cause.SCHEDULE,
        name=name,
        environment=environment,
        runs=runs,
        schedule_id=schedule_id,
    )
    await _add(work, snapshot)


async def confirm(work: Work, row: SnapshotRow, targets: Sequence[tuple[UUID, UUID]]) -> UUID:
    """Measure these pages under these profiles once more, to see whether what the snapshot showed is there still.

    As often as the first time. Raises LimitReached, having asked for nothing.
    """
    work.actor.require(Permission.AUDIT_REQUEST, row.workspace_id, row.site_id)
    snapshot = Snapshot(
        id=new_id(),
        workspace_id=row.workspace_id,
        site_id=row.site_id,
        cause=Cause.CONFIRMATION,
        name=row.name,
        environment=row.environment,
        base_url=row.base_url,
        confirms_id=row.id,
        commit_hash=row.commit_hash,
        branch=row.branch,
        ancestor_hash=row.ancestor_hash,
        filled_at=work.now,
    )
    await audits.request_all(
        work,
        workspace_id=row.workspace_id,
        site_id=row.site_id,
        targets=targets,
        environment=row.environment,
        base_url=row.base_url,
        runs=row.runs,
        priority=jobs.SCHEDULED,
        snapshot_id=snapshot.id,
        confirms=True,
    )
    await _add(work, snapshot)
    return snapshot.id


async def cancel(work: Work, *, snapshot_id: UUID) -> UUID:
    """Stop what of it waits or runs; what is measured stays."""
    row = (await queries.by_ids(work.db, work.actor.reach, [snapshot_id])).get(snapshot_id)
    if row is None:
        raise work.actor.absent(Permission.AUDIT_CANCEL, Kind.SNAPSHOT, snapshot_id)
    work.actor.require(Permission.AUDIT_CANCEL, row.workspace_id, row.site_id)
    stopped = await work.db.execute(
        update(Snapshot)
        .where(Snapshot.id == snapshot_id, Snapshot.state == SnapshotState.RUNNING)
        .values(state=SnapshotState.CANCELLED, filled_at=work.now, finished_at=work.now)
        .returning(Snapshot.id)
    )
    if stopped.first() is None:
        message = f"This snapshot is {row.state.lower()} already."
        raise Conflict(message, ProblemCode.STATE_CHANGED, (Kind.SNAPSHOT, snapshot_id))
    await audits.cancel_all(work, snapshot_id)
    if row.confirms_id is not None:  # what it was to confirm waits for it
        work.enqueue(Job(events.JUDGE, row.workspace_id, snapshot_id, jobs.SCHEDULED))
    work.say(events.became(row, SnapshotState.CANCELLED))
    return snapshot_id


async def _add(work: Work, snapshot: Snapshot) -> None:
    snapshot.state = SnapshotState.RUNNING
    snapshot.requested_by = work.actor.name
    snapshot.requested_at = work.now
    work.db.add(snapshot)
    await work.db.flush()
    work.say(events.became(snapshot, SnapshotState.RUNNING))


def _columns(commit: Commit | None) -> dict[str, object]:
    if commit is None:
        return {}
    return {
        "commit_hash": commit.hash,
        "branch": commit.branch,
        "ancestor_hash": commit.ancestor,
        "author": commit.author,
        "message": commit.message,
        "committed_at": commit.committed_at,
    }


async def _pages(work: Work, site: sites.SiteRow, ids: Sequence[UUID] | None) -> list[UUID]:
    if ids is None:
        found = [row.id for row in await work.db.all(_PAGES, site_id=site.id, workspace_id=site.workspace_id)]
        if not found:
            raise InvalidInput.at("site", "This site has no pages yet: add one first.", ProblemCode.REQUIRED)
        return found
    there = await sites.pages_by_ids(work.db, Reach.whole(site.workspace_id), ids)
    for id in ids:
        if id not in there or there[id].site_id != site.id:
            raise NotFound("There is no such page in this site.", encode(Kind.PAGE, id))
    return list(dict.fromkeys(ids))


async def _profiles(work: Work, site: sites.SiteRow, ids: Sequence[UUID] | None) -> list[UUID]:
    if ids is None:
        chosen = await sites.profiles_by_site(work.db, Reach.whole(site.workspace_id), [site.id])
        return [profile.id for profile in chosen[site.id]]
    there = await sites.profiles_by_ids(work.db, Reach.whole(site.workspace_id), ids)
    for id in ids:
        if id not in there:
            raise NotFound("There is no such profile in this workspace.", encode(Kind.PROFILE, id))
    return list(dict.fromkeys(ids))
