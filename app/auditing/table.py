"""An outcome for people: measurements, scores, findings, and where the history lies."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.auditing.outcome import Measurement, Outcome
from app.auditing.plain import plain
from domain import audits, metrics
from domain.ids import Kind, encode
from domain.measuring import MetricName, Severity
from domain.metrics import Direction, Rating

MOST_FINDINGS = 10
MOST_EVIDENCE = 2
WIDTH = 130
NARROW_TITLE = 24

RATINGS = {
    Rating.GOOD: ("good", "green"),
    Rating.NEEDS_IMPROVEMENT: ("needs improvement", "yellow"),
    Rating.POOR: ("poor", "bold red"),
}
_SEVERITIES = {Severity.HIGH: "bold red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan", Severity.INFO: "dim"}


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; where there is none, wide enough for the table."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=WIDTH)


def show(outcome: Outcome, *, data: str, is_up: bool) -> None:
    """Print it. The last lines are to be copied: they are never folded or cut."""
    out = console()
    out.print(_results(outcome, out.width >= WIDTH))
    out.print(_history(outcome, data, is_up), soft_wrap=True)


def _results(outcome: Outcome, wide: bool) -> RenderableType:
    audit = outcome.audit
    parts: list[RenderableType] = [_heading(audit)]
    if audit.failure_message is not None:
        parts.append(Text(f"{audit.failure_kind}: {plain(audit.failure_message, 500)} ({audit.failure_code})", "red"))
    if outcome.measurements:
        parts.append(_measurements(outcome.measurements, wide))
    if audit.scores:
        parts.append(_scores(audit))
    if outcome.findings:
        parts.append(_findings(outcome.findings))
    return Group(*(part for each in parts for part in (each, "")))


def _heading(audit: audits.AuditRow) -> Text:
    runs = "1 run" if audit.runs == 1 else f"{audit.runs} runs"
    heading = Text().append(plain(audit.final_url or audit.requested_url, 500), "bold")
    version = f" {plain(audit.engine_version, 20)}" if audit.engine_version else ""
    return heading.append(
        f"\n{audit.state.lower()} · {audit.engine.lower()}{version} · {audit.form_factor.lower()} · {runs}", "dim"
    )


def _measurements(measurements: Iterable[Measurement], wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1) if wide else 0)
    table.add_column("Metric")
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Rating")
    table.add_column("Thresholds")
    table.add_column("Low – high", justify="right")
    for each in measurements:
        name, (words, style) = each.metric.name, RATINGS[each.rating] if each.rating else ("", "")
        table.add_row(
            each.metric.title if wide else plain(each.metric.title, NARROW_TITLE),
            Text(_value(name, each.value), style),
            Text(words, style),
            _thresholds(each, ", " if wide else "\n"),
            _spread(each),
        )
    return table


def _value(name: MetricName, value: float) -> str:
    return metrics.format_value(name, value)


def _thresholds(each: Measurement, between: str) -> str:
    if each.thresholds is None:
        return ""
    good, poor = (_value(each.metric.name, value) for value in (each.thresholds.good, each.thresholds.poor))
    at_least = each.metric.direction is Direction.HIGHER_IS_BETTER
    return f"good ≥ {good}{between}poor < {poor}" if at_least else f"good ≤ {good}{between}poor > {poor}"


def _spread(each: Measurement) -> str:
    low, high = (_value(each.metric.name, value) for value in (each.spread.low, each.spread.high))
    return low if low == high else f"{low} – {high}"


def _scores(audit: audits.AuditRow) -> Text:
    line = Text("Scores  ")
    for score in audit.scores:
        value = "–" if score["score"] is None else f"{metrics.format_value(MetricName.PERFORMANCE_SCORE, score['score'])}"
        line.append(f"{plain(score['title'], 40)} ").append(value, "bold").append("   ")
    return line


def _findings(findings: Iterable[audits.FindingRow]) -> Text:
    rows = list(findings)
    text = Text().append(f"Findings ({len(rows)})", "bold")
    for row in rows[:MOST_FINDINGS]:
        text.append(f"\n  {row.severity.lower():<7}", _SEVERITIES[row.severity]).append(plain(row.title))
        text.append(_saving(row), "dim")
        for piece in row.evidence[:MOST_EVIDENCE]:
            detail = f": {piece['detail']}" if piece["detail"] else ""
            text.append(f"\n          {plain(piece['subject'] + detail, 110)}", "dim")
        if len(row.evidence) > MOST_EVIDENCE:
            text.append(f"\n          and {len(row.evidence) - MOST_EVIDENCE} more", "dim")
    if len(rows) > MOST_FINDINGS:
        text.append(f"\n  and {len(rows) - MOST_FINDINGS} more findings; --json and the report have them all", "dim")
    return text


def _saving(row: audits.FindingRow) -> str:
    savings = []
    if row.saving_ms:
        savings.append(metrics.format_value(MetricName.PAGE_LOAD, row.saving_ms))
    if row.saving_bytes:
        savings.append(metrics.format_value(MetricName.TRANSFER_BYTES, row.saving_bytes))
    return f"  (saves about {' and '.join(savings)})" if savings else ""


def _history(outcome: Outcome, data: str, is_up: bool) -> Text:
    audit, page = encode(Kind.AUDIT, outcome.audit.id), encode(Kind.PAGE, outcome.audit.page_id)
    start = "" if is_up else f"pacemark up --data {shlex.quote(data)}, then "
    return Text(
        f"Report   {start}{outcome.report}\n"
        f'History  in GraphQL: {{ page(id: "{page}") {{ audits(first: 20) {{ nodes {{ id metrics {{ ttfbMs }} }} }} }} }}\n'
        f"Audit    {audit}"
    )
