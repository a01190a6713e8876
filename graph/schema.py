"""The schema put together from its rooms."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from graphql import GraphQLDeferDirective
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from domain.errors import LimitReached

from . import (
    accounts,
    alerts,
    audits,
    budgets,
    channels,
    costs,
    documents,
    events,
    happenings,
    jobs,
    keys,
    marking,
    metrics,
    rate_limit,
    schedules,
    sites,
    snapshots,
    verdicts,
    workspaces,
)
from .context import Info
from .files import Artifact
from .node import MAX_NODES, Node, find, find_all
from .scalars import SCALARS


@strawberry.type
class _Nodes:
    @strawberry.field(description="Anything by its id; null means not there, or not yours.")
    @staticmethod
    async def node(info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]) -> Node | None:
        return await find(info, id)

    @strawberry.field(description="Several things by their ids, in the order asked for; null means not there, or not yours.")
    @staticmethod
    async def nodes(
        info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids; at most 100.")]
    ) -> list[Node | None]:
        if len(ids) > MAX_NODES:
            raise LimitReached(f"At most {MAX_NODES} things at once.", MAX_NODES)
        return await find_all(info, ids)


def _root(name: str, description: str, *parts: type) -> Any:
    root: Any = merge_types(name, parts)
    root.__strawberry_definition__.description = description
    return root


schema = strawberry.Schema(
    query=_root(
        "Query",
        "What can be read.",
        _Nodes,
        metrics.Query,
        rate_limit.Query,
        workspaces.Query,
        sites.Query,
        audits.Query,
        snapshots.Query,
    ),
    mutation=_root(
        "Mutation",
        "What can be done.",
        accounts.Mutation,
        accounts.PasswordMutation,
        accounts.SessionMutation,
        workspaces.Mutation,
        workspaces.MembershipMutation,
        keys.Mutation,
        sites.Mutation,
        sites.ProfileMutation,
        schedules.Mutation,
        snapshots.Mutation,
        marking.Mutation,
        alerts.Mutation,
        channels.Mutation,
        channels.RouteMutation,
        channels.DeliveryMutation,
        budgets.Mutation,
        audits.Mutation,
        jobs.Mutation,
        documents.Mutation,
    ),
    subscription=_root("Subscription", "What can be watched.", audits.Subscription, events.Subscription),
    types=[
        verdicts.Verdict,
        keys.ApiKey,
        workspaces.Invitation,
        Artifact,
        *happenings.TYPES,
        channels.Route,
        channels.Delivery,
    ],
    config=StrawberryConfig(scalar_map=SCALARS, relay_max_results=100),
)
costs.declare(schema._schema)
# @defer alone: a @stream of a list that is here already would give many small parts of it and nothing sooner.
schema._schema.directives = (*schema._schema.directives, GraphQLDeferDirective)
