"""Things with an id: what they share, and how any of them is found."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo

from domain import (
    alerts,
    audits,
    budgets,
    documents,
    files,
    jobs,
    keys,
    marks,
    notifications,
    runners,
    schedules,
    sites,
    snapshots,
    verdicts,
    workspaces,
)
from domain.access import Permission
from domain.base import whole
from domain.errors import Fault, InvalidInput, NotFound, ProblemCode
from domain.ids import Kind, encode, parse

from .context import Info
from .loading import Loader

KINDS: Mapping[type, Kind] = {
    workspaces.WorkspaceRow: Kind.WORKSPACE,
    workspaces.InvitationRow: Kind.INVITATION,
    keys.ApiKeyRow: Kind.KEY,
    documents.ClientRow: Kind.CLIENT,
    documents.DocumentRow: Kind.DOCUMENT,
    documents.ClientDocumentRow: Kind.DOCUMENT,
    runners.RunnerRow: Kind.RUNNER,
    sites.ProfileRow: Kind.PROFILE,
    sites.SiteRow: Kind.SITE,
    sites.PageRow: Kind.PAGE,
    schedules.ScheduleRow: Kind.SCHEDULE,
    snapshots.SnapshotRow: Kind.SNAPSHOT,
    verdicts.VerdictRow: Kind.VERDICT,
    alerts.AlertRow: Kind.ALERT,
    notifications.ChannelRow: Kind.CHANNEL,
    notifications.RouteRow: Kind.ROUTE,
    notifications.DeliveryRow: Kind.DELIVERY,
    budgets.BudgetRow: Kind.BUDGET,
    budgets.BreachRow: Kind.BREACH,
    marks.DeployRow: Kind.DEPLOY,
    marks.AnnotationRow: Kind.ANNOTATION,
    audits.AuditRow: Kind.AUDIT,
    audits.FindingRow: Kind.FINDING,
    files.FileRow: Kind.FILE,
    jobs.JobRow: Kind.JOB,
}

NEEDED: Mapping[Kind, Permission] = {
    Kind.CHANNEL: Permission.CHANNEL_WRITE,
    Kind.ROUTE: Permission.CHANNEL_WRITE,
    Kind.DELIVERY: Permission.CHANNEL_WRITE,
    Kind.KEY: Permission.KEY_WRITE,
    Kind.INVITATION: Permission.MEMBER_WRITE,
}
"""What may be seen by those alone who may also see the list of it."""

MAX_NODES = 100
NO_ID = "This is not an id."


@strawberry.interface(description="A thing with an id, by which it can be found again.")
class Node:
    @strawberry.field(description="Opaque to clients; no two things share one.")
    @staticmethod
    def id(row: strawberry.Parent[Any]) -> strawberry.ID:
        return strawberry.ID(encode(KINDS[whole(type(row))], row.id))


def of(*rows: type) -> Any:
    """The `is_type_of` of a GraphQL type that reads straight from rows of these classes."""

    def is_type_of(_cls: type, value: object, _info: GraphQLResolveInfo[Any]) -> bool:
        return whole(type(value)) in rows

    # By which plans know it without asking for each.
    setattr(is_type_of, "rows", frozenset(rows))  # noqa: B010 - mypy knows no attributes of functions
    return classmethod(is_type_of)


def prefix_of(field: GraphQLField, parent: GraphQLObjectType) -> str | None:
    """What the ids of things of this type begin with, where this is the field of their ids."""
    definition = field.extensions.get("strawberry-definition")
    if definition is None or definition.base_resolver is None or definition.base_resolver.wrapped_func is not _ID:
        return None
    kinds = {KINDS[row] for row in getattr(parent.is_type_of, "rows", ())}
    return f"{kinds.pop()}_" if len(kinds) == 1 else None


_ID = Node.__strawberry_definition__.get_field("id").base_resolver.wrapped_func  # type: ignore[attr-defined]


async def find(info: Info, id: str) -> Any:
    """The row behind an id; None when it is not there or not yours. Raises InvalidInput when it is no id."""
    parsed = parse(id)
    if parsed is None:
        raise InvalidInput.at("id", NO_ID, ProblemCode.ID_MALFORMED)
    kind, uuid = parsed
    loaders = info.context.loaders
    known: Mapping[Kind, Loader[Any, Any]] = {
        Kind.WORKSPACE: loaders.workspace,
        Kind.INVITATION: loaders.invitation,
        Kind.KEY: loaders.key,
        Kind.CLIENT: loaders.client,
        Kind.DOCUMENT: loaders.document,
        Kind.PROFILE: loaders.profile,
        Kind.SITE: loaders.site,
        Kind.PAGE: loaders.page,
        Kind.SCHEDULE: loaders.schedule,
        Kind.SNAPSHOT: loaders.snapshot,
        Kind.VERDICT: loaders.verdict,
        Kind.ALERT: loaders.alert,
        Kind.CHANNEL: loaders.channel,
        Kind.ROUTE: loaders.route,
        Kind.DELIVERY: loaders.delivery,
        Kind.BUDGET: loaders.budget,
        Kind.BREACH: loaders.breach,
        Kind.DEPLOY: loaders.deploy,
        Kind.ANNOTATION: loaders.annotation,
        Kind.AUDIT: loaders.audit,
        Kind.FINDING: loaders.finding,
        Kind.FILE: loaders.file,
        Kind.JOB: loaders.dead_job,
    }
    if kind is Kind.RUNNER and info.context.actor.is_somebody:
        return await loaders.runner.load(uuid)
    row = await known[kind].load(uuid) if kind in known else None
    return row if may_be_seen(info, row) else None


def may_be_seen(info: Info, row: Any) -> bool:
    """By whoever asks. For what is read in another way than by its list or by its id."""
    needed = NEEDED.get(KINDS[whole(type(row))]) if row is not None else None
    return needed is None or info.context.actor.may(needed, row.workspace_id)


async def find_all(info: Info, ids: Sequence[str]) -> list[Any]:
    """The rows behind the ids, in their order: one statement a kind. Raises InvalidInput with all that are none."""
    faults = [Fault(("ids", str(place)), NO_ID, ProblemCode.ID_MALFORMED) for place, id in enumerate(ids) if parse(id) is None]
    if faults:
        raise InvalidInput(faults)
    return list(await asyncio.gather(*(find(info, id) for id in ids)))


async def made(info: Info, kind: Kind, id: UUID) -> Any:
    """What a mutation made or changed. Raises NotFound when it is gone: an idempotency key may remember what was deleted."""
    row = await find(info, encode(kind, id))
    if row is None:
        raise NotFound(f"This {kind} was there, and has been deleted since.", encode(kind, id))
    return row
