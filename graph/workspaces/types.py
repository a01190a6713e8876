"""Workspaces in GraphQL."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import following, history, workspaces
from domain.access import Permission, Role
from domain.paging import DEFAULT_FIRST, Window
from domain.sites import PageOrder
from domain.work import EventKind

from ..context import Info
from ..loaders import HISTORY, PageKey
from ..marks import NeedsPermission
from ..node import Node, of
from ..paging import After, Connection, First, connection
from ..runners import Runner
from ..scalars import Cursor

if TYPE_CHECKING:
    from ..documents.types import ApiClient, Document
    from ..events import EventConnection
    from ..jobs import DeadJob
    from ..keys import ApiKey
    from ..schedules.types import Schedule
    from ..security import SecurityEntry
    from ..sites.types import Page, PageFilter, Profile, Site
    from .members import Invitation, Member


@strawberry.type(description="A tenant: an agency or a team.")
class Workspace(Node):
    is_type_of = of(workspaces.WorkspaceRow)

    slug: str = strawberry.field(description="Its short name in addresses.")
    name: str = strawberry.field(description="Its name for people.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(description="What you are in it.")
    @staticmethod
    def viewer_role(row: strawberry.Parent[workspaces.WorkspaceRow], info: Info) -> Role | None:
        return info.context.actor.roles.get(row.id)

    @strawberry.field(description="What you may do in it.")
    @staticmethod
    def viewer_permissions(row: strawberry.Parent[workspaces.WorkspaceRow], info: Info) -> list[Permission]:
        had = info.context.actor.permissions(row.id)
        return [permission for permission in Permission if permission in had]

    @strawberry.field(description="A site by its slug; null when there is none.")
    @staticmethod
    async def site(
        row: strawberry.Parent[workspaces.WorkspaceRow],
        info: Info,
        slug: Annotated[str, strawberry.argument(description="The site's slug.")],
    ) -> Annotated[Site, strawberry.lazy("graph.sites.types")] | None:
        return await info.context.loaders.site_by_slug.load((row.id, slug))

    @strawberry.field(description="Its sites, by name.")
    @staticmethod
    async def sites(
        row: strawberry.Parent[workspaces.WorkspaceRow],
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        search: Annotated[str | None, strawberry.argument(description="A part of the name or the origin.")] = None,
        tags: Annotated[list[str] | None, strawberry.argument(description="Sites that have all of these tags.")] = None,
    ) -> Connection[Annotated[Site, strawberry.lazy("graph.sites.types")]]:
        given = (("search", search), ("tags", tuple(tags or ())))
        return connection(await info.context.loaders.sites_of_workspace.load(PageKey(row.id, Window.of(first, after), given)))

    @strawberry.field(description="Its pages, of all sites.")
    @staticmethod
    async def pages(
        row: strawberry.Parent[workspaces.WorkspaceRow],
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Annotated[
            Annotated[PageFilter, strawberry.lazy("graph.sites.types")] | None, strawberry.argument(description="Which pages.")
        ] = None,
        order_by: Annotated[PageOrder, strawberry.argument(description="In which order.")] = PageOrder.NAME,
    ) -> Connection[Annotated[Page, strawberry.lazy("graph.sites.types")]]:
        given = (("search", filter.search if filter else None), ("tags", tuple((filter.tags if filter else None) or ())))
        newest = order_by is PageOrder.NEWEST
        loaders = info.context.loaders
        pages = loaders.newest_pages_of_workspace if newest else loaders.pages_of_workspace
        return connection(await pages.load(PageKey(row.id, Window.of(first, after), given)))

    @strawberry.field(description="How its pages can be measured, oldest profile first.")
    @staticmethod
    async def profiles(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info
    ) -> list[Annotated[Profile, strawberry.lazy("graph.sites.types")]]:
        return await info.context.loaders.profiles_of_workspace.load(row.id)

    @strawberry.field(description="Its schedules, of all sites, by name.")
    @staticmethod
    async def schedules(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[Schedule, strawberry.lazy("graph.schedules.types")]]:
        return connection(await info.context.loaders.schedules_of_workspace.load(PageKey(row.id, Window.of(first, after))))

    @strawberry.field(description="The workers that measure for it, by name.")
    @staticmethod
    async def runners(row: strawberry.Parent[workspaces.WorkspaceRow], info: Info) -> list[Runner]:
        return await info.context.loaders.runners_of_workspace.load(row.id)

    @strawberry.field(
        description="Who is in it, who came first before. Null for whoever may not know.",
        directives=[NeedsPermission(permission=Permission.MEMBER_READ)],
    )
    @staticmethod
    async def members(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[Member, strawberry.lazy("graph.workspaces.members")]] | None:
        info.context.actor.require(Permission.MEMBER_READ, row.id)
        return connection(await info.context.loaders.members_of_workspace.load(PageKey(row.id, Window.of(first, after))))

    @strawberry.field(
        description="Whom it invited and who did not come yet, newest first. Null for whoever may not know.",
        directives=[NeedsPermission(permission=Permission.MEMBER_WRITE)],
    )
    @staticmethod
    async def invitations(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[Invitation, strawberry.lazy("graph.workspaces.members")]] | None:
        info.context.actor.require(Permission.MEMBER_WRITE, row.id)
        return connection(await info.context.loaders.invitations_of_workspace.load(PageKey(row.id, Window.of(first, after))))

    @strawberry.field(
        description="Its API keys but for the revoked ones, oldest first. Null for whoever may not know.",
        directives=[NeedsPermission(permission=Permission.KEY_WRITE)],
    )
    @staticmethod
    async def api_keys(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[ApiKey, strawberry.lazy("graph.keys")]] | None:
        info.context.actor.require(Permission.KEY_WRITE, row.id)
        return connection(await info.context.loaders.keys_of_workspace.load(PageKey(row.id, Window.of(first, after))))

    @strawberry.field(description="The programs that ask with keys of their own, by name.")
    @staticmethod
    async def clients(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[ApiClient, strawberry.lazy("graph.documents.types")]]:
        return connection(await info.context.loaders.clients_of_workspace.load(PageKey(row.id, Window.of(first, after))))

    @strawberry.field(description="The documents that were registered, newest first.")
    @staticmethod
    async def documents(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[Document, strawberry.lazy("graph.documents.types")]]:
        return connection(await info.context.loaders.documents_of_workspace.load(PageKey(row.id, Window.of(first, after))))

    @strawberry.field(
        description="The present end of its history, read before all else in the same query: give it to `workspaceEvents` as "
        "`after`, and nothing is lost between what was read here and what is said there."
    )
    @staticmethod
    async def event_cursor(row: strawberry.Parent[workspaces.WorkspaceRow], info: Info) -> Cursor:
        state = await info.context.loaders.history.load(HISTORY)
        return Cursor(history.cursor(state.id, row.id, state.last))

    @strawberry.field(description="What happened in it, oldest first; kept for 24 hours. `workspaceEvents` tells it live.")
    @staticmethod
    async def events(
        row: strawberry.Parent[workspaces.WorkspaceRow],
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        kinds: Annotated[
            list[EventKind] | None,
            strawberry.argument(description="Which kinds; left out, all of them. An empty list is refused."),
        ] = None,
    ) -> Annotated[EventConnection, strawberry.lazy("graph.events")]:
        given = (("kinds", tuple(sorted(following.check_kinds(kinds)))),) if kinds is not None else ()
        return connection(await info.context.loaders.events_of_workspace.load(PageKey(row.id, Window.of(first, after), given)))

    @strawberry.field(description="Work that was given up after too many workers were lost over it, newest first.")
    @staticmethod
    async def dead_jobs(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[DeadJob, strawberry.lazy("graph.jobs")]]:
        return connection(await info.context.loaders.dead_jobs_of_workspace.load(PageKey(row.id, Window.of(first, after))))

    @strawberry.field(
        description="Who did what to what, from where, newest first; only ever added to. Null for whoever may not know.",
        directives=[NeedsPermission(permission=Permission.SECURITY_READ)],
    )
    @staticmethod
    async def security_log(
        row: strawberry.Parent[workspaces.WorkspaceRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[SecurityEntry, strawberry.lazy("graph.security")]] | None:
        info.context.actor.require(Permission.SECURITY_READ, row.id)
        return connection(await info.context.loaders.security_log_of_workspace.load(PageKey(row.id, Window.of(first, after))))
