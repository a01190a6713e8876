"""What happens in a workspace: told live without a seam, and read back for a day."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from domain import following
from domain.access import Permission
from domain.errors import InvalidInput, LimitReached, NotFound, ProblemCode
from domain.following import SILENCE_SECONDS, Happened, Wanted
from domain.ids import Kind, decode, encode
from domain.work import EventKind

from .context import Context, Info
from .happenings import WorkspaceEvent
from .scalars import Cursor

MAX_SITES = 100

Kinds = Annotated[
    list[EventKind] | None,
    strawberry.argument(description="Which kinds; left out, all of them. An empty list is refused: it could give nothing."),
]


async def _wanted(context: Context, workspace: str, kinds: list[EventKind] | None, sites: list[strawberry.ID] | None) -> Wanted:
    """Raises what refuses it: NotFound also for a site of another workspace."""
    workspace_id = decode(Kind.WORKSPACE, workspace, "workspace")
    context.actor.require(Permission.READ, workspace_id)
    chosen = following.check_kinds(kinds)
    if sites is not None and not sites:
        raise InvalidInput.at("sites", "Name a site at least, or leave sites out for all of them.", ProblemCode.REQUIRED)
    if sites is not None and len(sites) > MAX_SITES:
        raise LimitReached(f"At most {MAX_SITES} sites at once; leave sites out for all of them.", MAX_SITES)
    ids = [decode(Kind.SITE, id, f"sites.{place}") for place, id in enumerate(sites or ())]
    for id, row in zip(ids, await context.loaders.site.load_many(ids), strict=True):
        if row is None or row.workspace_id != workspace_id:
            raise NotFound("There is no such site in this workspace.", encode(Kind.SITE, id))
    return Wanted(workspace_id, chosen, frozenset(ids) if sites is not None else context.actor.sites.get(workspace_id))


@strawberry.type
class Subscription:
    @strawberry.subscription(
        description="What happens in a workspace, in order and without a gap: first what was missed since `after`, then what "
        "comes. Each event is said once to whoever goes on from the last cursor that they saw."
    )
    async def workspace_events(
        self,
        info: Info,
        workspace: Annotated[strawberry.ID, strawberry.argument(description="The workspace's id.")],
        after: Annotated[
            Cursor | None,
            strawberry.argument(
                description="The last cursor that was seen here or read as `Workspace.eventCursor`; left out, from now on."
            ),
        ] = None,
        kinds: Kinds = None,
        sites: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(
                description="Of which sites, at most 100; left out, of the whole workspace. An empty list is refused."
            ),
        ] = None,
    ) -> AsyncGenerator[WorkspaceEvent, None]:
        context = info.context
        standing = context.services.standings.of(context.actor)
        wanted = await _wanted(context, workspace, kinds, sites)
        live = False
        # What a client saw before it came back goes before what it asked for at first.
        after = Cursor(context.resumed) if context.resumed else after
        told = following.follow(context.reader, context.services.feed, wanted, after, silence=SILENCE_SECONDS)
        async with aclosing(told) as heard:
            async for each in heard:
                event = each.event if live and isinstance(each, Happened) else None
                site_id = each.event.site_id if isinstance(each, Happened) else None
                context.actor = await standing.require(context.reader, wanted.workspace_id, event, site_id=site_id)
                if isinstance(each, following.Checkpoint):
                    live = each.live
                yield each  # type: ignore[misc]  # read by the types' fields
