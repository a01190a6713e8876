"""The audit's numbers as lines of a table: values, ratings, thresholds and how far the runs lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.report import chart, words
from domain import audits, metrics
from domain.measuring import EngineName, MetricName
from domain.metrics import Rating

KEY_METRICS = {
    EngineName.PROBE: (MetricName.TTFB, MetricName.PAGE_LOAD, MetricName.TRANSFER_BYTES, MetricName.REQUEST_COUNT),
}
BROWSERS_KEY_METRICS = (
    MetricName.LCP,
    MetricName.TBT,
    MetricName.CLS,
    MetricName.FCP,
    MetricName.SPEED_INDEX,
    MetricName.TTFB,
)

_SEEN = (
    MetricName.LCP,
    MetricName.FCP,
    MetricName.SPEED_INDEX,
    MetricName.TBT,
    MetricName.CLS,
    MetricName.TTI,
    MetricName.MAX_POTENTIAL_FID,
    MetricName.PAGE_LOAD,
)
_NETWORK = (
    MetricName.TTFB,
    MetricName.REDIRECT,
    MetricName.DNS,
    MetricName.CONNECT,
    MetricName.TLS,
    MetricName.DOWNLOAD,
    MetricName.CERTIFICATE_DAYS,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One metric. `spread` says the least and the greatest of its `samples`, None where they are alike.

    `good` and `poor` say the thresholds, where there are some.
    """

    metric: metrics.Metric
    value: str
    rating: Rating | None
    good: str | None
    poor: str | None
    spread: str | None
    samples: int
    scale: chart.Scale | None


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A score of 0 to 100; None where the engine could not compute it."""

    title: str
    score: int | None
    rating: Rating | None


def read_lines(audit: audits.AuditRow, runs: Sequence[audits.RunRow]) -> dict[MetricName, Line]:
    """Every metric that was measured, in the order of the catalogue; the score is a gauge and not among them."""
    found: dict[MetricName, Line] = {}
    for name, metric in metrics.CATALOGUE.items():
        value = getattr(audit, name.value)
        if value is not None and name is not MetricName.PERFORMANCE_SCORE:
            values = [sample for run in runs if (sample := getattr(run, name.value)) is not None]
            found[name] = _line(audit, metric, value, metrics.spread(values or [value]))
    return found


def _line(audit: audits.AuditRow, metric: metrics.Metric, value: float, spread: metrics.Spread) -> Line:
    limits = metric.thresholds(audit.engine, audit.form_factor)
    show = words.showing(metric.name)
    low, high = show(spread.low), show(spread.high)
    good, poor = words.thresholds(metric, limits) if limits else (None, None)
    return Line(
        metric=metric,
        value=show(value),
        rating=metrics.rating(metric.name, value, audit.engine, audit.form_factor),
        good=good,
        poor=poor,
        spread=f"{low} – {high}" if low != high else None,
        samples=spread.samples,
        scale=chart.scale(value, spread.low, spread.high, limits) if limits else None,
    )


def key_lines(audit: audits.AuditRow, lines: dict[MetricName, Line]) -> tuple[Line, ...]:
    wanted = KEY_METRICS.get(audit.engine, BROWSERS_KEY_METRICS)
    return tuple(lines[name] for name in wanted if name in lines)


def grouped(lines: dict[MetricName, Line]) -> tuple[Group, ...]:
    others = tuple(name for name in lines if name not in _SEEN and name not in _NETWORK)
    groups = (("What visitors see", _SEEN), ("Network and server", _NETWORK), ("Weight", others))
    found = (Group(title, tuple(lines[name] for name in names if name in lines)) for title, names in groups)
    return tuple(group for group in found if group.lines)


def performance(audit: audits.AuditRow) -> Gauge | None:
    if audit.performance_score is None:
        return None
    return _gauge(audit, "Performance", audit.performance_score)


def categories(audit: audits.AuditRow) -> tuple[Gauge, ...]:
    """The engine's categories; the performance score, where there is one, has a gauge of its own."""
    shown = audit.performance_score is not None
    scores = (score for score in audit.scores if not (shown and score["category"] == "performance"))
    return tuple(_gauge(audit, score["title"], score["score"]) for score in scores)


def _gauge(audit: audits.AuditRow, title: str, score: float | None) -> Gauge:
    if score is None:
        return Gauge(title, None, None)
    # Lighthouse colours every category like performance, and other engines' scores are read the same way.
    rating = metrics.rating(MetricName.PERFORMANCE_SCORE, score, EngineName.LIGHTHOUSE, audit.form_factor)
    return Gauge(title, int(metrics.format_value(MetricName.PERFORMANCE_SCORE, score)), rating)
