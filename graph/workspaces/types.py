"""Workspaces in GraphQL."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain import following, history, workspaces
from domain.access import Permission, Role
from domain.audits import MAX_COMPARED
from domain.paging import DEFAULT_FIRST, Window
from domain.work import EventKind

from ..alerting import alerts_given
from ..batched import by_key, paged
from ..breaches import breaches_given
from ..context import Info
from ..costs import COMPARISON, ListSize
from ..given import of_snapshots, of_verdicts
from ..loaders import HISTORY, Loaders, PageOf
from ..node import Node, of
from ..paging import After, Connection, First
from ..runners import Runner
from ..scalars import Cursor
from ..sites.morning import pages_given

if TYPE_CHECKING:
    from ..alerts.types import Alert
    from ..budgets.types import Breach, Budget
    from ..channels.types import Channel
from .comparing import comparison_key

if TYPE_CHECKING:
    from ..audits.comparison import ComparedSeries
    from ..documents.types import ApiClient, Document
    from ..happenings import EventConnection
    from ..jobs import DeadJob
    from ..keys import ApiKey
    from ..schedules.types import Schedule
    from ..security import SecurityEntry
    from ..sites.types import Page, Profile, Site
    from ..snapshots.types import Snapshot
    from ..verdicts.types import Verdict
    from .members import Invitation, Member


def _slug_key(
    row: workspaces.WorkspaceRow, slug: Annotated[str, strawberry.argument(description="The site's slug.")]
) -> tuple[UUID, str]:
    return row.id, slug


def _sites_given(
    first: First = DEFAULT_FIRST,
    after: After = None,
    search: Annotated[str | None, strawberry.argument(description="A part of the name or the origin.")] = None,
    tags: Annotated[list[str] | None, strawberry.argument(description="Sites that have all of these tags.")] = None,
) -> PageOf:
    return PageOf(Window.of(first, after), (("search", search), ("tags", tuple(tags or ()))))


def _events_given(
    first: First = DEFAULT_FIRST,
    after: After = None,
    kinds: Annotated[
        list[EventKind] | None,
        strawberry.argument(description="Which kinds; left out, all of them. An empty list is refused."),
    ] = None,
) -> PageOf:
    values = (("kinds", tuple(sorted(following.check_kinds(kinds)))),) if kinds is not None else ()
    return PageOf(Window.of(first, after), values)


@strawberry.type(description="A tenant: an agency or a team.")
class Workspace(Node):
    is_type_of = of(workspaces.WorkspaceRow)

    slug: str = strawberry.field(description="Its short name in addresses.")
    name: str = strawberry.field(description="Its name for people.")
    created_at: datetime = strawberry.field(description="When it was made.")

    site: Annotated[Site, strawberry.lazy("graph.sites.types")] | None = by_key(
        Loaders.site_by_slug, _slug_key, "A site by its slug; null when there is none."
    )
    sites: Connection[Annotated[Site, strawberry.lazy("graph.sites.types")]] = paged(
        Loaders.sites_of_workspace, "Its sites, by name.", given=_sites_given
    )
    pages: Connection[Annotated[Page, strawberry.lazy("graph.sites.types")]] = paged(
        Loaders.pages_of_workspace,
        "Its pages, of all sites: by name, or what is worst and what got worse first.",
        given=pages_given,
    )
    profiles: list[Annotated[Profile, strawberry.lazy("graph.sites.types")]] = by_key(
        Loaders.profiles_of_workspace, "id", "How its pages can be measured, oldest profile first."
    )
    schedules: Connection[Annotated[Schedule, strawberry.lazy("graph.schedules.types")]] = paged(
        Loaders.schedules_of_workspace, "Its schedules, of all sites, by name."
    )
    snapshots: Connection[Annotated[Snapshot, strawberry.lazy("graph.snapshots.types")]] = paged(
        Loaders.snapshots_of_workspace, "What was measured together, of all sites, the newest first.", given=of_snapshots
    )
    verdicts: Connection[Annotated[Verdict, strawberry.lazy("graph.verdicts.types")]] = paged(
        Loaders.verdicts_of_workspace, "What was said of its pages, of all sites, the newest first.", given=of_verdicts
    )
    alerts: Connection[Annotated[Alert, strawberry.lazy("graph.alerts.types")]] = paged(
        Loaders.alerts_of_workspace, "Its alerts, of all sites, newest first.", given=alerts_given
    )
    channels: list[Annotated[Channel, strawberry.lazy("graph.channels.types")]] | None = by_key(
        Loaders.channels_of_workspace,
        "id",
        "Where its alerts are told, by name. Null for whoever may not know.",
        permission=Permission.CHANNEL_WRITE,
    )
    budgets: Connection[Annotated[Budget, strawberry.lazy("graph.budgets.types")]] = paged(
        Loaders.budgets_of_workspace, "Its budgets, those of single sites too, by name."
    )
    breaches: Connection[Annotated[Breach, strawberry.lazy("graph.budgets.types")]] = paged(
        Loaders.breaches_of_workspace, "What broke its budgets, of all sites, the newest first.", given=breaches_given
    )
    runners: list[Runner] = by_key(Loaders.runners_of_workspace, "id", "The workers that measure for it, by name.")
    members: Connection[Annotated[Member, strawberry.lazy("graph.workspaces.members")]] | None = paged(
        Loaders.members_of_workspace,
        "Who is in it, who came first before. Null for whoever may not know.",
        permission=Permission.MEMBER_READ,
    )
    invitations: Connection[Annotated[Invitation, strawberry.lazy("graph.workspaces.members")]] | None = paged(
        Loaders.invitations_of_workspace,
        "Whom it invited and who did not come yet, newest first. Null for whoever may not know.",
        permission=Permission.MEMBER_WRITE,
    )
    api_keys: Connection[Annotated[ApiKey, strawberry.lazy("graph.keys")]] | None = paged(
        Loaders.keys_of_workspace,
        "Its API keys but for the revoked ones, oldest first. Null for whoever may not know.",
        permission=Permission.KEY_WRITE,
    )
    clients: Connection[Annotated[ApiClient, strawberry.lazy("graph.documents.types")]] = paged(
        Loaders.clients_of_workspace, "The programs that ask with keys of their own, by name."
    )
    documents: Connection[Annotated[Document, strawberry.lazy("graph.documents.types")]] = paged(
        Loaders.documents_of_workspace, "The documents that were registered, newest first."
    )
    comparison: list[Annotated[ComparedSeries, strawberry.lazy("graph.audits.comparison")]] = by_key(
        Loaders.comparison,
        comparison_key,
        "One metric of pages, or of whole sites, beside one another, on the same intervals: at most 20 series, in the order "
        "asked for. What was measured under several conditions has a series for each.",
        directives=[COMPARISON, ListSize(assumed_size=MAX_COMPARED, slicing_arguments=[])],
    )
    events: Annotated[EventConnection, strawberry.lazy("graph.happenings")] = paged(
        Loaders.events_of_workspace,
        "What happened in it, oldest first; kept for 24 hours. `workspaceEvents` tells it live.",
        given=_events_given,
    )
    dead_jobs: Connection[Annotated[DeadJob, strawberry.lazy("graph.jobs")]] = paged(
        Loaders.dead_jobs_of_workspace,
        "Work that was given up after too many workers were lost over it, newest first.",
    )
    security_log: Connection[Annotated[SecurityEntry, strawberry.lazy("graph.security")]] | None = paged(
        Loaders.security_log_of_workspace,
        "Who did what to what, from where, newest first; only ever added to. Null for whoever may not know.",
        permission=Permission.SECURITY_READ,
    )

    @strawberry.field(description="What you are in it.")
    @staticmethod
    def viewer_role(row: strawberry.Parent[workspaces.WorkspaceRow], info: Info) -> Role | None:
        return info.context.actor.roles.get(row.id)

    @strawberry.field(description="What you may do in it.")
    @staticmethod
    def viewer_permissions(row: strawberry.Parent[workspaces.WorkspaceRow], info: Info) -> list[Permission]:
        had = info.context.actor.permissions(row.id)
        return [permission for permission in Permission if permission in had]

    @strawberry.field(
        description="The present end of its history, read before all else in the same query: give it to `workspaceEvents` as "
        "`after`, and nothing is lost between what was read here and what is said there."
    )
    @staticmethod
    async def event_cursor(row: strawberry.Parent[workspaces.WorkspaceRow], info: Info) -> Cursor:
        state = await info.context.loaders.history.load(HISTORY)
        return Cursor(history.cursor(state.id, row.id, state.last))
