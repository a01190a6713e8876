"""The catalogue of metrics, Lighthouse's scoring, and how runs become an audit's numbers: decisions only."""

from .catalogue import CATALOGUE, Direction, Metric, Rating, Thresholds, Unit, rating
from .formatting import format_change, format_share, format_value
from .scoring import LATEST_MAJOR, WEIGHTS, Curve, curve, metric_score, performance_score, representative_run
from .summary import Spread, audit_metrics, median, relative_change, spread

__all__ = [
    "CATALOGUE",
    "LATEST_MAJOR",
    "WEIGHTS",
    "Curve",
    "Direction",
    "Metric",
    "Rating",
    "Spread",
    "Thresholds",
    "Unit",
    "audit_metrics",
    "curve",
    "format_change",
    "format_share",
    "format_value",
    "median",
    "metric_score",
    "performance_score",
    "rating",
    "relative_change",
    "representative_run",
    "spread",
]
