"""Making routes, changing and deleting them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import notifications
from domain.access import Permission
from domain.ids import Kind, decode
from domain.notifications import AlertKind, AlertSeverity, Conditions

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..sites.mutation import KEY, REPLAYED
from .types import Route


@strawberry.input(description="Alerts that a channel is to get: those of which all is so that is named here.")
class RouteCreateInput:
    channel: strawberry.ID = strawberry.field(description="Who gets them.")
    kinds: list[AlertKind] | None = strawberry.field(default=None, description="About one of these; left out, about anything.")
    severity: AlertSeverity = strawberry.field(default=AlertSeverity.WARNING, description="As grave as this, or graver.")
    site: strawberry.ID | None = strawberry.field(default=None, description="Of this site; left out, of all.")
    tags: list[str] = strawberry.field(default_factory=list, description="Of sites that have all of these tags.")
    environment: str | None = strawberry.field(default=None, description="In this environment; left out, in whichever.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The channel gets such alerts; from its first route on nothing but what its routes say.")
class RouteCreatePayload:
    route: Route = strawberry.field(description="The route.")
    replayed: bool = strawberry.field(description=REPLAYED)


RouteCreateResult = Annotated[
    RouteCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("RouteCreateResult", description="What becomes of `routeCreate`."),
]


@strawberry.input(description="What to change of a route; what is left out stays.")
class RouteUpdateInput:
    route: strawberry.ID = strawberry.field(description="Its id.")
    kinds: list[AlertKind] | None = strawberry.field(
        default=strawberry.UNSET, description="About one of these from now on; null for anything."
    )
    severity: AlertSeverity | None = strawberry.field(default=None, description="As grave as this, or graver, from now on.")
    site: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Of this site from now on; null for all."
    )
    tags: list[str] | None = strawberry.field(default=None, description="Of sites that have all of these tags from now on.")
    environment: str | None = strawberry.field(
        default=strawberry.UNSET, description="In this environment from now on; null for whichever."
    )


@strawberry.type(description="The route was changed.")
class RouteUpdatePayload:
    route: Route = strawberry.field(description="The route as it is now.")


RouteUpdateResult = Annotated[
    RouteUpdatePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("RouteUpdateResult", description="What becomes of `routeUpdate`."),
]


@strawberry.input(description="A route to forget.")
class RouteDeleteInput:
    route: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The route is forgotten. A channel without any gets nothing, until it is to get everything.")
class RouteDeletePayload:
    route_id: strawberry.ID = strawberry.field(description="The id that it had.")


RouteDeleteResult = Annotated[
    RouteDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("RouteDeleteResult", description="What becomes of `routeDelete`."),
]


def _site(id: strawberry.ID | None) -> UUID | None:
    return decode(Kind.SITE, id, "site") if id is not None else None


def _changes(input: RouteUpdateInput) -> dict[str, Any]:
    """What is given: of some fields null is nothing, of others it is a value."""
    changes = {name: getattr(input, name) for name in ("severity", "tags") if getattr(input, name) is not None}
    for name in ("kinds", "environment"):
        if getattr(input, name) is not strawberry.UNSET:
            changes[name] = getattr(input, name)
    if input.site is not strawberry.UNSET:
        changes["site_id"] = _site(input.site)
    return changes


@strawberry.type
class RouteMutation:
    @mutation("Let a channel get alerts of some kind.", Permission.CHANNEL_WRITE)
    async def route_create(self, info: Info, input: RouteCreateInput) -> RouteCreateResult:
        conditions = Conditions(input.kinds, input.severity, _site(input.site), input.tags, input.environment)
        async with info.context.work() as work:
            promised = await notifications.create_route(
                work,
                channel_id=decode(Kind.CHANNEL, input.channel, "channel"),
                conditions=conditions,
                idempotency_key=input.idempotency_key,
            )
        return RouteCreatePayload(route=await made(info, Kind.ROUTE, promised.id), replayed=promised.replayed)

    @mutation("Change which alerts a channel gets by a route.", Permission.CHANNEL_WRITE)
    async def route_update(self, info: Info, input: RouteUpdateInput) -> RouteUpdateResult:
        async with info.context.work() as work:
            id = await notifications.update_route(
                work, route_id=decode(Kind.ROUTE, input.route, "route"), changes=_changes(input)
            )
        return RouteUpdatePayload(route=await made(info, Kind.ROUTE, id))

    @mutation("Forget a route.", Permission.CHANNEL_WRITE)
    async def route_delete(self, info: Info, input: RouteDeleteInput) -> RouteDeleteResult:
        async with info.context.work() as work:
            await notifications.delete_route(work, route_id=decode(Kind.ROUTE, input.route, "route"))
        return RouteDeletePayload(route_id=input.route)
