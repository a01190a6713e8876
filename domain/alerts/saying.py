"""What is said of an alert: to followers of the history, and to channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import notifications, sites, workspaces
from ..access import Reach
from ..ids import Kind, encode
from ..notifications import About, Moment, Notice
from ..sites import PageRow, SiteRow
from ..work import Event, EventKind, Work
from ..workspaces import WorkspaceRow
from .model import AlertRow


def say(work: Work, kind: EventKind, row: AlertRow) -> None:
    """How it stands right after that."""
    payload: dict[str, Any] = {"state": row.state, "severity": row.severity, "alertKind": row.kind, "title": row.title}
    work.say(Event(kind, row.workspace_id, row.id, row.site_id, payload))


async def tell(work: Work, rows: Sequence[AlertRow], moment: Moment) -> None:
    """Whoever has a channel for them, all of one workspace; nobody where their site is being deleted."""
    if not rows:
        return
    workspace_id = rows[0].workspace_id
    reach = Reach.whole(workspace_id)
    there = await sites.by_ids(work.db, reach, {row.site_id for row in rows})
    workspace = (await workspaces.by_ids(work.db, reach, [workspace_id])).get(workspace_id)
    if workspace is None:
        return
    page_ids = {row.page_id for row in rows if row.page_id is not None}
    pages = await sites.pages_by_ids(work.db, reach, page_ids) if page_ids else {}
    notices = []
    for row in rows:
        site = there.get(row.site_id)
        if site is not None:
            page = pages.get(row.page_id) if row.page_id is not None else None
            about = About(row.kind, row.severity, row.site_id, site.tags, row.environment)
            notices.append(Notice(workspace_id, row.id, moment, about, _data(row, workspace, site, page)))
    await notifications.tell(work, notices)


def _data(row: AlertRow, workspace: WorkspaceRow, site: SiteRow, page: PageRow | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "alert": _alert(row),
        "workspace": {"id": encode(Kind.WORKSPACE, workspace.id), "slug": workspace.slug, "name": workspace.name},
        "site": {"id": encode(Kind.SITE, site.id), "name": site.name, "origin": site.origin, "tags": list(site.tags)},
        "page": None,
    }
    if page is not None:
        named = {"id": encode(Kind.PAGE, page.id), "name": page.name, "path": page.path, "url": page.origin + page.path}
        data["page"] = named
    return data


def _alert(row: AlertRow) -> dict[str, Any]:
    return {
        "id": encode(Kind.ALERT, row.id),
        "kind": row.kind.value,
        "severity": row.severity.value,
        "state": row.state.value,
        "title": row.title,
        "details": row.details,
        "environment": row.environment,
        "auditId": encode(Kind.AUDIT, row.audit_id) if row.audit_id is not None else None,
        "openedAt": row.opened_at.isoformat(),
        "lastSeenAt": row.last_seen_at.isoformat(),
        "occurrences": row.occurrences,
        "resolvedAt": row.resolved_at.isoformat() if row.resolved_at is not None else None,
        "resolution": row.resolution.value if row.resolution is not None else None,
    }
