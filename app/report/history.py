"""The history around an audit: the same page, profile and environment, each key metric as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.report import chart, words
from domain import audits, metrics
from domain.access import Reach
from domain.measuring import EngineName, MetricName
from domain.paging import Window
from domain.ports import Reader

OLDER, NEWER = 60, 20

_CHARTED = {EngineName.PROBE: (MetricName.TTFB, MetricName.PAGE_LOAD)}
_BROWSERS_CHARTED = (MetricName.PERFORMANCE_SCORE, MetricName.LCP)


@dataclass(frozen=True, slots=True)
class History:
    """One metric's chart and what it shows in words; `broken`: not all of it may be compared.

    `good` and `poor` say the thresholds, where there are some.
    """

    title: str
    chart: chart.Chart
    summary: str
    good: str | None
    poor: str | None
    broken: bool


async def around(reader: Reader, reach: Reach, audit: audits.AuditRow) -> list[audits.AuditRow]:
    """This audit and its neighbours that ended with a result or a failure, the oldest first."""
    cursor = audits.AUDITS.cursor(audit)
    found = [audit]
    for window in (Window(OLDER, cursor), Window(NEWER, cursor, backward=True)):
        beside = await audits.AUDITS.of(
            reader,
            reach,
            audit.page_id,
            window,
            profile=audit.profile_id,
            environment=audit.environment,
            since=None,
            until=None,
        )
        found.extend(beside.rows)
    ended = [row for row in found if row.state in (audits.AuditState.FINISHED, audits.AuditState.FAILED)]
    return sorted(ended, key=lambda row: (row.finished_at or row.requested_at, row.id))


def charted(
    audit: audits.AuditRow, rows: Sequence[audits.AuditRow], happened: Sequence[tuple[datetime, str]] = ()
) -> tuple[History, ...]:
    found = (_history(audit, rows, metric, happened) for metric in _CHARTED.get(audit.engine, _BROWSERS_CHARTED))
    return tuple(history for history in found if history is not None)


def _history(
    audit: audits.AuditRow, rows: Sequence[audits.AuditRow], name: MetricName, happened: Sequence[tuple[datetime, str]]
) -> History | None:
    metric = metrics.CATALOGUE[name]
    points = [
        chart.Point(row.finished_at or row.requested_at, getattr(row, name.value), row.conditions_id, row.id == audit.id)
        for row in rows
    ]
    show = words.showing(name)
    limits = metric.thresholds(audit.engine, audit.form_factor)
    good, poor = words.thresholds(metric, limits) if limits else (None, None)
    drawn = chart.draw(
        points,
        show,
        thresholds=limits,
        most=1 if metric.unit is metrics.Unit.SCORE else None,
        happened=happened,
    )
    if drawn is None:
        return None
    values = [point.value for point in points if point.value is not None]
    present = getattr(audit, name.value)
    said = f"{words.count(len(values), 'audit')}: lowest {show(min(values))}, highest {show(max(values))}"
    return History(
        title=metric.title,
        chart=drawn,
        summary=f"{said}, this one {show(present)}." if present is not None else f"{said}.",
        good=good,
        poor=poor,
        broken=len(values) < len(points) or len({point.conditions for point in points}) > 1,
    )
