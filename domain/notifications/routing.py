"""What is done to routes: which alerts go to a channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import delete as remove
from sqlalchemy import update as change

from .. import audits, sites
from ..access import Permission, Reach
from ..base import Query, count, query, within
from ..errors import Fault, InvalidInput, LimitReached, NotFound, ProblemCode
from ..idempotency import Promise, promise
from ..ids import Kind, encode
from ..work import Work
from . import noting, rules
from .model import Channel, Route, RouteRow
from .rules import AlertKind, AlertSeverity
from .turns import channel_in_turn, in_turn

_NUMBER = count(Route, Route.workspace_id == bindparam("workspace_id"))
_IN_TURN = Query(
    RouteRow,
    query(RouteRow, Route)
    .where(Route.id == bindparam("id"), within(Route.workspace_id))
    .statement.with_for_update(key_share=True),
)


class Conditions(NamedTuple):
    """What a route names; what it does not name does not matter. `tags`: all of them, of the site."""

    kinds: Collection[AlertKind] | None = None
    severity: AlertSeverity = AlertSeverity.WARNING
    site_id: UUID | None = None
    tags: Collection[str] = ()
    environment: str | None = None


async def create_route(work: Work, *, channel_id: UUID, conditions: Conditions, idempotency_key: str | None = None) -> Promise:
    """Send alerts like these to the channel. From its first route on it gets what its routes say, and nothing else."""
    channel = await channel_in_turn(work, channel_id)
    work.actor.require(Permission.CHANNEL_WRITE, channel.workspace_id)
    values = await _checked(work, channel.workspace_id, conditions)
    promised = await promise(work, idempotency_key, "routeCreate", {"channel": channel_id, **values})
    if promised.replayed:
        return promised
    await in_turn(work, channel.workspace_id)
    there = await work.db.first(_NUMBER, workspace_id=channel.workspace_id)
    if there is not None and there.number >= rules.MAX_ROUTES:
        raise LimitReached(f"A workspace has at most {rules.MAX_ROUTES} routes.", rules.MAX_ROUTES)
    here = {"workspace_id": channel.workspace_id, "channel_id": channel_id, "created_at": work.now}
    work.db.add(Route(id=promised.id, **here, **values))
    await work.db.execute(change(Channel).where(Channel.id == channel_id).values(everything=False))
    await work.db.flush()
    noting.log(work, channel.workspace_id, channel_id, change="route added", name=channel.name, **_told(values))
    return promised


async def update_route(work: Work, *, route_id: UUID, changes: Mapping[str, Any]) -> UUID:
    """`changes` are fields of Conditions."""
    row = await _route(work, route_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    values = await _checked(work, row.workspace_id, conditions_of(row)._replace(**changes))
    await work.db.execute(change(Route).where(Route.id == route_id).values(**values))
    noting.log(work, row.workspace_id, row.channel_id, change="route changed", **_told(values))
    return route_id


async def delete_route(work: Work, *, route_id: UUID) -> UUID:
    """Forget it. A channel whose last route is gone gets nothing, until it is said to get everything."""
    row = await _route(work, route_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    await work.db.execute(remove(Route).where(Route.id == route_id))
    noting.log(work, row.workspace_id, row.channel_id, change="route deleted", **_told(conditions_of(row)._asdict()))
    return route_id


def conditions_of(row: RouteRow) -> Conditions:
    kinds = [AlertKind(kind) for kind in row.kinds] if row.kinds is not None else None
    return Conditions(kinds, row.severity, row.site_id, row.tags, row.environment)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a route names, for the log."""
    site = values["site_id"]
    return {
        "kinds": ", ".join(values["kinds"] or ["all"]),
        "severity": str(values["severity"]),
        "site": encode(Kind.SITE, site) if site is not None else "all",
        "tags": ", ".join(values["tags"]) or "any",
        "environment": values["environment"] or "any",
    }


async def _checked(work: Work, workspace_id: UUID, conditions: Conditions) -> dict[str, Any]:
    """The conditions as they are stored. Raises InvalidInput and NotFound."""
    faults: list[Fault] = []
    tags = sites.check_tags(list(conditions.tags), faults)
    if conditions.kinds is not None and not conditions.kinds:
        message = "Name a kind at least, or leave kinds out for all of them."
        faults.append(Fault(("kinds",), message, ProblemCode.REQUIRED))
    if conditions.environment is not None:
        audits.check_request(conditions.environment, None, faults)
    if faults:
        raise InvalidInput(faults)
    if conditions.site_id is not None:
        found = await sites.by_ids(work.db, Reach.whole(workspace_id), [conditions.site_id])
        if conditions.site_id not in found:
            raise NotFound("There is no such site in this workspace.", encode(Kind.SITE, conditions.site_id))
    kinds = sorted(set(conditions.kinds)) if conditions.kinds is not None else None
    return {**conditions._asdict(), "kinds": kinds, "tags": tags}


async def _route(work: Work, route_id: UUID) -> RouteRow:
    row = await work.db.first(_IN_TURN, id=route_id, reach=work.actor.reach.held)
    if row is None:
        raise work.actor.absent(Permission.CHANNEL_WRITE, Kind.ROUTE, route_id)
    return row
