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
    Uuid,
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
    """Of which page, and what: a value for each metric at the end."""

    __slots__ = ()

    def __new__(cls, *values: Any) -> Values:
        return super().__new__(cls, values)


def _audits(*columns: Any) -> Select[Any]:
    """Finished ones of the pages, by the index alone where it holds the columns: the pages say whose they are."""
    return (
        select(Audit.page_id, *columns)
        .select_from(sites.Page)
        .join(Audit, Audit.page_id == sites.Page.id)
        .where(
            one_of(sites.Page.id, "pages"),
            within(sites.Page.workspace_id, sites.Page.site_id),
            Audit.profile_id == bindparam("profile", type_=Uuid()),
            Audit.environment == bindparam("environment", type_=Text()),
            Audit.state == AuditState.FINISHED,
            Audit.finished_at >= bindparam("since", type_=UtcDateTime()),
            Audit.finished_at < bindparam("until", type_=UtcDateTime()),
        )
    )


def _columns(metrics: Sequence[MetricName]) -> list[Any]:
    return [getattr(Audit, metric.value) for metric in metrics]


@lru_cache(64)
def extent(metrics: tuple[MetricName, ...]) -> Query[Values]:
    """Page by page when its audits began and ended, how many there are, and how many have each metric."""
    audits = _audits(Audit.finished_at, *_columns(metrics)).limit(bindparam("limit", type_=Integer())).subquery()
    page_id, at, *values = audits.c
    counts = (func.count(each) for each in values)
    return Query(Values, select(page_id, func.min(at), func.max(at), func.count(), *counts).group_by(page_id))


@lru_cache(64)
def samples(metrics: tuple[MetricName, ...]) -> Query[Values]:
    values = _columns(metrics)
    measured = or_(*(value.is_not(None) for value in values))
    audits = _audits(Audit.finished_at, Audit.id, *values).where(measured).order_by(Audit.finished_at, Audit.id)
    return Query(Values, audits)


def _placed(metrics: Sequence[MetricName]) -> Any:
    """The columns of audits, after the page's the number of the interval that each is in: the first one's is 1."""
    interval = func.width_bucket(func.date_part("epoch", Audit.finished_at), _EDGES)
    return _audits(interval.label("interval"), *_columns(metrics)).subquery("placed").c


def _placed_on_sqlite(metrics: Sequence[MetricName]) -> Any:
    """The same: of all that have begun by then, the last. Also rows of no page, which are where intervals begin."""
    begun = func.json_each(_EDGES).table_valued(column("key", Integer()), column("value", UtcDateTime()), name="begun")
    nothing = (null() for _ in metrics)
    times = union_all(
        _audits(Audit.finished_at.label("at"), null().label("begun"), *_columns(metrics)),
        select(null(), begun.c.value, begun.c.key + 1, *nothing),
    ).subquery("times")
    page_id, at, number, *values = times.c
    interval = func.max(number, type_=Integer()).over(order_by=at).label("interval")
    return select(page_id, interval, *values).subquery("placed").c


@lru_cache(64)
def counted(metrics: tuple[MetricName, ...]) -> Query[Values]:
    """Page by page how many intervals have each metric."""

    def over(page_id: Any, interval: Any, *values: Any) -> Select[Any]:
        counts = [func.count(value).label(value.key) for value in values]
        groups = select(page_id, *counts).where(page_id.is_not(None)).group_by(page_id, interval).subquery("groups")
        page_id, *numbers = groups.c
        return select(page_id, *(func.count(func.nullif(each, 0)) for each in numbers)).group_by(page_id)

    return Query(Values, over(*_placed(metrics)), "", over(*_placed_on_sqlite(metrics)))


@lru_cache(64)
def thinned(metrics: tuple[MetricName, ...], statistic: Statistic) -> Query[Values]:
    """Page and interval; then of each metric the number that stands for it, the least, the greatest, and of how many."""

    def over(page_id: Any, interval: Any, numbers: Sequence[Any], values: Sequence[Any]) -> Select[Any]:
        pairs = zip(numbers, values, strict=True)
        each = (each for number, value in pairs for each in (number, func.min(value), func.max(value), func.count(value)))
        return select(page_id, interval, *each).where(page_id.is_not(None)).group_by(page_id, interval).order_by(interval)

    page_id, interval, *values = _placed(metrics)
    statement = over(page_id, interval, [_number(value, statistic) for value in values], values)
    page_id, interval, *values = _placed_on_sqlite(metrics)
    numbers = [_number(value, statistic) for value in values]
    if statistic in _PERCENTILES:
        shares = [_share(page_id, interval, value) for value in values]
        page_id, interval, *both = select(page_id, interval, *values, *shares).subquery("ranked").c
        values, ranks = both[: len(metrics)], both[len(metrics) :]
        numbers = [_number_on_sqlite(value, share, statistic) for value, share in zip(values, ranks, strict=True)]
    return Query(Values, statement, "", over(page_id, interval, numbers, values))


def _share(page_id: Any, interval: Any, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """How much of what the interval's audits have is at most this value."""
    group = (page_id, interval, value.is_(None))
    return func.cume_dist().over(partition_by=group, order_by=value).label(f"share_{value.key}")


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
    if statistic is Statistic.P50:
        return (func.min(value).filter(share >= 0.5) + func.min(value).filter(share > 0.5)) / 2.0
    return func.min(value).filter(share >= _PERCENTILES[statistic])
