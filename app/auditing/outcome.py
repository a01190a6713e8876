"""What an audit came to: its row, its measurements with their ratings and spreads, its findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.wiring import House
from domain import audits, files, metrics
from domain.access import Actor
from domain.ids import Kind, encode
from domain.keyring import LINKS
from domain.measuring import MetricName
from domain.metrics import Metric, Rating, Spread, Thresholds
from domain.paging import Window

LINK_LASTS = timedelta(hours=24)
MAX_FINDINGS = 200

WORSE_THAN = {
    "poor": frozenset({Rating.POOR}),
    "needs-improvement": frozenset({Rating.POOR, Rating.NEEDS_IMPROVEMENT}),
}
"""The ratings that `--fail-on` takes for a failure."""


class Measurement(NamedTuple):
    """The audit's value of one metric; `spread` is over its runs."""

    metric: Metric
    value: float
    rating: Rating | None
    thresholds: Thresholds | None
    spread: Spread


@dataclass(frozen=True, slots=True)
class Outcome:
    """`report` is a link that opens the report while a server on this folder is up."""

    audit: audits.AuditRow
    measurements: Sequence[Measurement]
    findings: Sequence[audits.FindingRow]
    report: str

    def failing(self, level: str | None) -> list[Measurement]:
        """Those that `--fail-on` is about."""
        bad = WORSE_THAN[level] if level is not None else frozenset()
        return [each for each in self.measurements if each.rating in bad]


async def gather(house: House, actor: Actor, audit: audits.AuditRow, server: str) -> Outcome:
    reader = house.database.reader
    runs = (await audits.runs_by_audits(reader, actor.reach, [audit.id]))[audit.id]
    found = (await audits.FINDINGS.of(reader, actor.reach, audit.id, Window(MAX_FINDINGS))).rows
    token = files.sign(audit.id, datetime.now(UTC) + LINK_LASTS, house.keyring.derive(LINKS))
    report = f"{server}/report/{encode(Kind.AUDIT, audit.id)}?token={token}"
    return Outcome(audit, list(_measurements(audit, runs)), found, report)


def _measurements(audit: audits.AuditRow, runs: Sequence[audits.RunRow]) -> Iterable[Measurement]:
    for name in MetricName:
        value = getattr(audit, name.value)
        samples = [sample for run in runs if (sample := getattr(run, name.value)) is not None]
        if value is None or not samples:
            continue
        metric = metrics.CATALOGUE[name]
        thresholds = metric.thresholds(audit.engine, audit.form_factor)
        rating = metrics.rating(name, value, audit.engine, audit.form_factor)
        yield Measurement(metric, value, rating, thresholds, metrics.spread(samples))
