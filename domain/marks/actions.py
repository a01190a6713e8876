"""What is done to marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, update

from .. import audits, sites, snapshots
from ..access import Permission, Reach
from ..errors import Fault, InvalidInput, NotFound
from ..idempotency import Promise, promise
from ..ids import Kind, encode
from ..snapshots import Cause, Commit
from ..work import Event, EventKind, Work
from . import queries, rules
from .model import Annotation, AnnotationRow, Deploy


class Measured(NamedTuple):
    """How a deploy is to be measured, where it is: see `snapshots.request`."""

    page_ids: Sequence[UUID] | None = None
    profile_ids: Sequence[UUID] | None = None
    base_url: str | None = None
    runs: int | None = None


async def record(
    work: Work,
    *,
    site_id: UUID,
    version: str,
    environment: str | None = None,
    commit: Commit | None = None,
    url: str | None = None,
    at: datetime | None = None,
    measured: Measured | None = None,
    idempotency_key: str | None = None,
) -> Promise:
    """Another version of a site went live; with `measured`, a snapshot of it is taken."""
    site = await _site(work, site_id)
    work.actor.require(Permission.MARK_WRITE, site.workspace_id, site_id)
    faults: list[Fault] = []
    environment = environment or audits.PRODUCTION
    audits.check_request(environment, None, faults)
    version = rules.check_version(version, faults)
    moment = rules.check_moment(at, work.now, faults)
    kept = snapshots.check_commit(commit, faults) if commit is not None else None
    url = snapshots.check_link(url, faults, "url")
    if faults:
        raise InvalidInput(faults)
    given = {"site": site_id, "version": version, "environment": environment, "commit": kept, "url": url, "at": at}
    promised = await promise(work, idempotency_key, "deployRecord", given | {"measured": measured})
    if promised.replayed:
        return promised
    snapshot_id: UUID | None = None
    if measured is not None:
        asked = await snapshots.request(
            work,
            site_id=site_id,
            environment=environment,
            cause=Cause.DEPLOY,
            name=version,
            commit=kept,
            build_url=url,
            **measured._asdict(),
        )
        snapshot_id = asked.id
    deploy = Deploy(
        id=promised.id,
        workspace_id=site.workspace_id,
        site_id=site_id,
        environment=environment,
        version=version,
        commit_hash=kept.hash if kept else None,
        branch=kept.branch if kept else None,
        author=kept.author if kept else None,
        message=kept.message if kept else None,
        url=url,
        at=moment,
        recorded_at=work.now,
        recorded_by=work.actor.name,
        snapshot_id=snapshot_id,
    )
    work.db.add(deploy)
    await work.db.flush()
    work.say(Event(EventKind.DEPLOY_RECORDED, site.workspace_id, promised.id, site_id, {"version": version}))
    return promised


async def annotate(
    work: Work,
    *,
    site_id: UUID,
    text: str,
    page_id: UUID | None = None,
    at: datetime | None = None,
    idempotency_key: str | None = None,
) -> Promise:
    """Write something to a time of a site, or of one of its pages; now, unless said otherwise."""
    site = await _site(work, site_id)
    work.actor.require(Permission.MARK_WRITE, site.workspace_id, site_id)
    faults: list[Fault] = []
    text = rules.check_text(text, faults)
    moment = rules.check_moment(at, work.now, faults)
    if faults:
        raise InvalidInput(faults)
    if page_id is not None:
        page = (await sites.pages_by_ids(work.db, Reach.whole(site.workspace_id), [page_id])).get(page_id)
        if page is None or page.site_id != site_id:
            raise NotFound("There is no such page in this site.", encode(Kind.PAGE, page_id))
    given = {"site": site_id, "page": page_id, "text": text, "at": at}
    promised = await promise(work, idempotency_key, "annotationCreate", given)
    if not promised.replayed:
        annotation = Annotation(
            id=promised.id,
            workspace_id=site.workspace_id,
            site_id=site_id,
            page_id=page_id,
            at=moment,
            text=text,
            created_at=work.now,
            created_by=work.actor.name,
        )
        work.db.add(annotation)
        await work.db.flush()
    return promised


async def update_annotation(work: Work, *, annotation_id: UUID, changes: Mapping[str, Any]) -> UUID:
    """`changes`: `text`, `at`."""
    row = await _annotation(work, annotation_id)
    work.actor.require(Permission.MARK_WRITE, row.workspace_id, row.site_id)
    faults: list[Fault] = []
    values = dict(changes)
    if "text" in values:
        values["text"] = rules.check_text(values["text"], faults)
    if "at" in values:
        values["at"] = rules.check_moment(values["at"], work.now, faults)
    if faults:
        raise InvalidInput(faults)
    if values:
        await work.db.execute(update(Annotation).where(Annotation.id == annotation_id).values(**values))
    return annotation_id


async def delete_annotation(work: Work, *, annotation_id: UUID) -> UUID:
    row = await _annotation(work, annotation_id)
    work.actor.require(Permission.MARK_WRITE, row.workspace_id, row.site_id)
    await work.db.execute(delete(Annotation).where(Annotation.id == annotation_id))
    return annotation_id


async def _site(work: Work, site_id: UUID) -> sites.SiteRow:
    site = (await sites.by_ids(work.db, work.actor.reach, [site_id])).get(site_id)
    if site is None:
        raise work.actor.absent(Permission.MARK_WRITE, Kind.SITE, site_id)
    return site


async def _annotation(work: Work, annotation_id: UUID) -> AnnotationRow:
    row = (await queries.annotations_by_ids(work.db, work.actor.reach, [annotation_id])).get(annotation_id)
    if row is None:
        raise work.actor.absent(Permission.MARK_WRITE, Kind.ANNOTATION, annotation_id)
    return row
