"""What the database is asked of a page's history: it counts and sorts, and an interval's audits leave it as one point."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
    Float,
    Integer,
    Select,
    Text,
    bindparam,
    column,
    func,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeDecorator, TypeEngine

from .. import sites
from ..base import Query, UtcDateTime, one_of, within
from ..measuring import MetricName
from .model import Audit, AuditState
from .series import Statistic


class _Times(TypeDecorator[Any]):
    """All times of one parameter: an array of seconds since 1970 on PostgreSQL, a JSON text on SQLite.

    The hours of a year are 8,760: as numbers they are written and compared several times as fast as as times.
    """

    impl = Text
    cache_ok = True
    _one = UtcDateTime()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Float()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[datetime] | None, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return [each.timestamp() for each in value or ()]
        return json.dumps([self._one.process_bind_param(each, dialect) for each in value or ()])


_EDGES: BindParameter[Any] = bindparam("edges", type_=_Times())


class Values(tuple[Any, ...]):
    """Whose audits (`WHOSE`), and what of them: so many values for each metric at the end."""

    __slots__ = ()

    def __new__(cls, *values: Any) -> Values:
        return super().__new__(cls, values)


WHOSE = 3
"""The first columns: the page, or (`pooled`) the site of the pages; the profile; and the conditions."""


def _audits(pooled: bool, *columns: Any) -> Select[Any]:
    """Finished ones of the pages, by the index alone where it holds the columns: the pages say whose they are.

    Of the audits' own page it is known how few different ones there are, and so groups of them are not sorted.
    """
    subject = sites.Page.site_id if pooled else Audit.page_id
    return (
        select(subject.label("subject"), Audit.profile_id, Audit.conditions_id, *columns)
        .select_from(sites.Page)
        .join(Audit, Audit.page_id == sites.Page.id)
        .where(
            one_of(sites.Page.site_id if pooled else sites.Page.id, "subjects"),
            within(sites.Page.workspace_id, sites.Page.site_id),
            one_of(Audit.profile_id, "profiles"),
            Audit.environment == bindparam("environment", type_=Text()),
            Audit.state == AuditState.FINISHED,
            Audit.finished_at >= bindparam("since", type_=UtcDateTime()),
            Audit.finished_at < bindparam("until", type_=UtcDateTime()),
        )
    )


def _columns(metrics: Sequence[MetricName]) -> list[Any]:
    return [getattr(Audit, metric.value) for metric in metrics]


@lru_cache(64)
def extent(metrics: tuple[MetricName, ...], pooled: bool) -> Query[Values]:
    """How many audits there are; then of each metric how many have it, and when the first and the last of these ended."""
    limit = bindparam("limit", type_=Integer())
    audits = _audits(pooled, Audit.finished_at, *_columns(metrics)).limit(limit).subquery()
    subject, profile, conditions, at, *values = audits.c
    whose = (conditions, subject, profile)
    of_each = (
        each
        for value in values
        for measured in [value.is_not(None)]
        for each in (func.count(value), func.min(at).filter(measured), func.max(at).filter(measured))
    )
    return Query(Values, select(subject, profile, conditions, func.count(), *of_each).group_by(*whose))


@lru_cache(64)
def samples(metrics: tuple[MetricName, ...], pooled: bool) -> Query[Values]:
    """Audit by audit when it ended, its id, and its metrics."""
    values = _columns(metrics)
    measured = or_(*(value.is_not(None) for value in values))
    audits = _audits(pooled, Audit.finished_at, Audit.id, *values).where(measured)
    return Query(Values, audits.order_by(Audit.finished_at, Audit.id))


def _placed(metrics: Sequence[MetricName], pooled: bool) -> Any:
    """The columns of audits; before the metrics, when it ended and the number of the interval it is in: the first's is 1."""
    interval = func.width_bucket(func.date_part("epoch", Audit.finished_at), _EDGES)
    return _audits(pooled, Audit.finished_at, interval.label("interval"), *_columns(metrics)).subquery("placed").c


def _placed_on_sqlite(metrics: Sequence[MetricName], pooled: bool) -> Any:
    """The same: of all that have begun by then, the last. Also rows of nobody, which are where intervals begin."""
    begun = func.json_each(_EDGES).table_valued(column("key", Integer()), column("value", UtcDateTime()), name="begun")
    nothing = [null() for _ in range(WHOSE)]
    times = union_all(
        _audits(pooled, Audit.finished_at.label("at"), null().label("begun"), *_columns(metrics)),
        select(*nothing, begun.c.value, begun.c.key + 1, *(null() for _ in metrics)),
    ).subquery("times")
    subject, profile, conditions, at, number, *values = times.c
    interval = func.max(number, type_=Integer()).over(order_by=at).label("interval")
    return select(subject, profile, conditions, at, interval, *values).subquery("placed").c


@lru_cache(64)
def thinned(metrics: tuple[MetricName, ...], statistics: tuple[Statistic, ...], pooled: bool) -> Query[Values]:
    """The interval; then of each metric what stands for it, the least, the greatest, of how many, and when the last ended."""

    def over(
        whose: Sequence[Any], at: Any, interval: Any, numbers: Sequence[Sequence[Any]], values: Sequence[Any]
    ) -> Select[Any]:
        each = (
            each
            for of_value, value in zip(numbers, values, strict=True)
            for least, greatest in [(func.min(value), func.max(value))]
            for each in (*of_value, least, greatest, func.count(value), func.max(at).filter(value.is_not(None)))
        )
        subject, profile, conditions = whose
        # What tells most of them apart is compared first.
        groups = (interval, conditions, subject, profile)
        return select(*whose, interval, *each).where(subject.is_not(None)).group_by(*groups).order_by(interval)

    subject, profile, conditions, at, interval, *values = _placed(metrics, pooled)
    whose = (subject, profile, conditions)
    statement = over(whose, at, interval, [[_number(value, each) for each in statistics] for value in values], values)
    subject, profile, conditions, at, interval, *values = _placed_on_sqlite(metrics, pooled)
    whose = (subject, profile, conditions)
    if not _PERCENTILES.keys().isdisjoint(statistics):
        shares = [_share((*whose, interval), value) for value in values]
        subject, profile, conditions, at, interval, *both = select(*whose, at, interval, *values, *shares).subquery("ranked").c
        whose = (subject, profile, conditions)
        values, ranks = both[: len(metrics)], both[len(metrics) :]
        numbers = [
            [_number_on_sqlite(value, share, each) for each in statistics] for value, share in zip(values, ranks, strict=True)
        ]
    else:
        numbers = [[_number(value, each) for each in statistics] for value in values]
    return Query(Values, statement, "", over(whose, at, interval, numbers, values))


def _share(group: Sequence[Any], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """How much of what the group's audits have is at most this value."""
    by = (*group, value.is_(None))
    return func.cume_dist().over(partition_by=by, order_by=value).label(f"share_{value.key}")


_PERCENTILES = {Statistic.P50: 0.5, Statistic.P75: 0.75, Statistic.P95: 0.95}


def _number(value: ColumnElement[Any], statistic: Statistic) -> ColumnElement[Any]:
    """Percentiles by the nearest rank, but the median, which is the mean of the two middle values."""
    match statistic:
        case Statistic.MEAN:
            return func.avg(value)
        case Statistic.MIN:
            return func.min(value)
        case Statistic.MAX:
            return func.max(value)
        case Statistic.P50:
            return func.percentile_cont(0.5).within_group(value)
    return func.percentile_disc(_PERCENTILES[statistic]).within_group(value)


def _number_on_sqlite(value: ColumnElement[Any], share: ColumnElement[Any], statistic: Statistic) -> ColumnElement[Any]:
    """The same percentiles, of a database that has none."""
    if statistic not in _PERCENTILES:
        return _number(value, statistic)
    if statistic is Statistic.P50:
        return (func.min(value).filter(share >= 0.5) + func.min(value).filter(share > 0.5)) / 2.0
    return func.min(value).filter(share >= _PERCENTILES[statistic])
