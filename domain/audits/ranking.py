"""Pages by how they stand: what is worst, and what changed most, by their newest audits.

A change is a part of what the same page was under the same conditions, so that changes of all pages stand in one order. A
value is not: without a profile each site's own counts, and a profile has had several versions. The order by value says what to
look at first, not which page is slower; `conditions_id` says what may be set beside one another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    literal,
    or_,
    select,
)

from .. import metrics, sites
from ..access import Reach
from ..base import Query, one_of, within
from ..errors import InvalidInput, ProblemCode
from ..measuring import EngineName, FormFactor, MetricName
from ..metrics import Direction, Rating
from ..paging import Keyset
from ..ports import Reader
from .newest import WATCHED, LatestAudit, baseline_of, change_of
from .rules import PRODUCTION


class PageOrderBy(StrEnum):
    """In which order pages come."""

    NAME = "NAME"
    NEWEST = "NEWEST"
    VALUE = "VALUE"
    CHANGE = "CHANGE"


class Ranking(NamedTuple):
    """Which metric of the newest audits is looked at; without a profile, of those with each site's default one."""

    metric: MetricName
    profile_id: UUID | None = None
    environment: str = PRODUCTION


class RankedPageRow(NamedTuple):
    """A page, and how bad it is by what it is ranked by."""

    id: UUID
    workspace_id: UUID
    site_id: UUID
    name: str
    path: str
    created_at: datetime
    origin: str
    badness: float

    whole = sites.PageRow  # type: ignore[misc]  # no field: what reads pages takes it for one


class ChangeRow(NamedTuple):
    """A metric of a page's newest audit, beside the middle of `audits` before it under the same conditions."""

    value: float
    baseline: float | None
    change: float | None
    audits: int
    rating: Rating | None
    finished_at: datetime
    conditions_id: UUID | None


class _Stored(NamedTuple):
    page_id: UUID
    engine: EngineName
    form_factor: FormFactor
    finished_at: datetime
    conditions_id: UUID | None
    compared: int
    value: float
    baseline: float | None
    change: float | None


UNKNOWN = -1.7e308
"""As bad is what is not known: less than all that is."""

_PROFILE = bindparam("profile", type_=Uuid())
_ENVIRONMENT = bindparam("environment", type_=Text())
_WORSE_THAN = bindparam("worse_than", type_=Float())

# No foreign key leads from the page to its newest audit, and each is held to the reach by itself.
_NEWEST = and_(
    LatestAudit.page_id == sites.Page.id,
    LatestAudit.profile_id == case((_PROFILE.is_(None), sites.Site.default_profile_id), else_=_PROFILE),
    LatestAudit.environment == _ENVIRONMENT,
    within(LatestAudit.workspace_id, LatestAudit.site_id),
)


def check_watched(metric: MetricName, path: str = "metric") -> MetricName:
    """Raises InvalidInput for one that pages are not compared by."""
    if metric not in WATCHED:
        names = ", ".join(each.name for each in WATCHED)
        raise InvalidInput.at(path, f"Pages are compared by {names}; not by {metric.name}.", ProblemCode.INVALID)
    return metric


@lru_cache
def ranked(by: PageOrderBy, metric: MetricName) -> Keyset[Any]:
    """A workspace's pages, the worst first and those of which nothing is known last, or by name or age as everywhere.

    Takes what `sites.WANTED_PAGES` does; `profile` (or None for each site's default one) and `environment`, whose audits
    count; `ratings` of the value unless `any_rating` is true; and `worse_than`, a part by which it got worse, or None.
    """
    value, change = _column(metric.value), _column(change_of(metric))
    worse = -1 if metrics.CATALOGUE[metric].direction is Direction.HIGHER_IS_BETTER else 1
    found = value if by is PageOrderBy.VALUE else change
    badness = case((found.is_(None), literal(UNKNOWN, Float())), else_=worse * found).label("badness")
    columns = [getattr(sites.Page, name) for name in sites.PageRow._fields[:-1]]
    statement = (
        select(*columns, sites.Site.origin, badness)
        .select_from(sites.Page)
        .join(sites.Site, sites.Site.id == sites.Page.site_id)
        .outerjoin(LatestAudit, _NEWEST)
        .where(
            *sites.WANTED_PAGES,
            or_(bindparam("any_rating", type_=Boolean()), one_of(_rating(metric, value), "ratings")),
            or_(_WORSE_THAN.is_(None), worse * change > _WORSE_THAN),
        )
    )
    plain = {PageOrderBy.NAME: sites.WORKSPACE_PAGES, PageOrderBy.NEWEST: sites.PAGES_BY_AGE}.get(by)
    if plain is not None:
        name, keys, descending = plain.name, plain.keys, plain.descending
    else:
        name, keys, descending = f"pagesBy{by.capitalize()}:{metric.name}", [badness, sites.Page.id], True
    return Keyset(
        name,
        Query(RankedPageRow, statement),
        parent=sites.Page.workspace_id,
        tenant=sites.Page.workspace_id,
        site=sites.Page.site_id,
        keys=keys,
        descending=descending,
    )


def _column(name: str) -> ColumnElement[Any]:
    found: ColumnElement[Any] = getattr(LatestAudit, name)
    return found


def _rating(metric: MetricName, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """As `metrics.rating` tells it."""
    sign = -1 if metrics.CATALOGUE[metric].direction is Direction.HIGHER_IS_BETTER else 1
    whens = []
    for engine in EngineName:
        for form_factor in FormFactor:
            limits = metrics.CATALOGUE[metric].thresholds(engine, form_factor)
            if limits is None:
                continue
            measured = and_(LatestAudit.engine == engine, LatestAudit.form_factor == form_factor)
            whens += [
                (and_(measured, sign * value <= sign * limits.good), _said(Rating.GOOD)),
                (and_(measured, sign * value > sign * limits.poor), _said(Rating.POOR)),
                (and_(measured, value.is_not(None)), _said(Rating.NEEDS_IMPROVEMENT)),
            ]
    return case(*whens) if whens else literal(None, Text())


def _said(rating: Rating) -> ColumnElement[Any]:
    return literal(rating.value, Text())


@lru_cache
def _changes(metric: MetricName) -> Query[_Stored]:
    columns = [_column(name) for name in (metric.value, baseline_of(metric), change_of(metric))]
    stored = [getattr(LatestAudit, name) for name in _Stored._fields[: -len(columns)]]
    return Query(
        _Stored,
        select(*stored, *columns)
        .select_from(sites.Page)
        .join(sites.Site, sites.Site.id == sites.Page.site_id)
        .join(LatestAudit, _NEWEST)
        .where(
            one_of(sites.Page.id, "pages"),
            columns[0].is_not(None),
            within(sites.Page.workspace_id, sites.Page.site_id),
            within(sites.Site.workspace_id, sites.Site.id),
        ),
    )


async def changes(reader: Reader, reach: Reach, pages: Collection[UUID], which: Ranking) -> Mapping[UUID, ChangeRow]:
    """One statement, however many pages. Of pages whose newest audit does not have the metric there is nothing."""
    given = {"profile": which.profile_id, "environment": which.environment}
    found = await reader.all(_changes(which.metric), pages=pages, reach=reach.held, **given)
    return {row.page_id: _told(row, which.metric) for row in found}


def _told(row: _Stored, metric: MetricName) -> ChangeRow:
    rating = metrics.rating(metric, row.value, row.engine, row.form_factor)
    return ChangeRow(row.value, row.baseline, row.change, row.compared, rating, row.finished_at, row.conditions_id)
