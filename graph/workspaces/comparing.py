"""What a workspace compares: the arguments of `Workspace.comparison`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import audits, workspaces
from domain.audits import PRODUCTION, Interval, Statistic
from domain.ids import Kind, decode
from domain.measuring import MetricName

from ..scalars import TimeZone

UTC = TimeZone("UTC")


def _many(kind: Kind, ids: list[strawberry.ID] | None, path: str) -> tuple[UUID, ...]:
    return tuple(decode(kind, id, path) for id in ids or ())


def comparison_key(
    row: workspaces.WorkspaceRow,
    pages: Annotated[list[strawberry.ID], strawberry.argument(description="Pages, of any of its sites; none for sites alone.")],
    metric: Annotated[MetricName, strawberry.argument(description="Which metric.")],
    sites: Annotated[
        list[strawberry.ID] | None,
        strawberry.argument(description="Sites, each with the audits of all of its pages."),
    ] = None,
    profiles: Annotated[
        list[strawberry.ID] | None,
        strawberry.argument(description="Each measured with these profiles; else with its site's default one."),
    ] = None,
    environment: Annotated[str, strawberry.argument(description="In this environment.")] = PRODUCTION,
    from_: Annotated[datetime | None, strawberry.argument(name="from", description="Not before this moment.")] = None,
    to: Annotated[datetime | None, strawberry.argument(description="Before this moment.")] = None,
    interval: Annotated[
        Interval, strawberry.argument(description="How much time one point stands for; AUTO: as much in all of them.")
    ] = Interval.AUTO,
    statistic: Annotated[
        Statistic, strawberry.argument(description="Which number stands for an interval's audits.")
    ] = Statistic.P50,
    time_zone: Annotated[TimeZone, strawberry.argument(description="Whose days and weeks are meant.")] = UTC,
) -> audits.Comparison:
    what = (
        _many(Kind.PAGE, pages, "pages"),
        _many(Kind.SITE, sites, "sites"),
        _many(Kind.PROFILE, profiles, "profiles") or None,
    )
    return audits.Comparison(row.id, metric, *what, environment, from_, to, interval, statistic, time_zone)
