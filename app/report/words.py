"""What the report says of codes, times and numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from domain import audits, metrics
from domain.measuring import EngineName, FailureKind, FormFactor, MetricName, Phase, ThrottlingMethod

ENGINES = {
    EngineName.PROBE: "Probe",
    EngineName.LIGHTHOUSE: "Lighthouse",
    EngineName.PAGESPEED: "PageSpeed Insights, Lighthouse",
}
FORM_FACTORS = {FormFactor.MOBILE: "Mobile", FormFactor.DESKTOP: "Desktop"}
STATES = {
    audits.AuditState.QUEUED: "Waiting",
    audits.AuditState.RUNNING: "Running",
    audits.AuditState.FINISHED: "Finished",
    audits.AuditState.FAILED: "Failed",
    audits.AuditState.CANCELLED: "Cancelled",
}
PHASES = {
    Phase.QUEUED: "waiting for a runner",
    Phase.STARTING: "starting the engine",
    Phase.LOADING: "loading the page",
    Phase.RESOURCES: "loading what the page refers to",
    Phase.ANALYSING: "analysing what was seen",
    Phase.WAITING: "waiting for its turn",
    Phase.RECORDING: "recording the result",
    Phase.ENDED: "done",
}
RATINGS = {
    metrics.Rating.GOOD: "Good",
    metrics.Rating.NEEDS_IMPROVEMENT: "Needs improvement",
    metrics.Rating.POOR: "Poor",
}
ADVICE = {
    FailureKind.PAGE: "The page itself could not be measured. See that it opens at this address from where the runner "
    "stands, then ask for another audit.",
    FailureKind.CONFIGURATION: "Nothing is wrong with the page. Whoever looks after this installation has to put its "
    "settings right (an API key, or a program that is missing); then ask for another audit.",
    FailureKind.ENGINE: "Nothing is wrong with the page: the measurement itself broke off. Ask for another audit; if it "
    "fails again, whoever looks after this installation finds the cause in the log.",
}
METHODS = {ThrottlingMethod.SIMULATE: "simulated", ThrottlingMethod.DEVTOOLS: "applied by the browser"}


Show = Callable[[float], str]


def engine(audit: audits.AuditRow) -> str:
    return f"{ENGINES[audit.engine]} {audit.engine_version or ''}".strip()


def throttling(audit: audits.AuditRow) -> str:
    """`simulated: 150 ms round trip, 1,638 kbit/s, processor 4× slower`."""
    method = audit.throttling_method
    if method is None:
        return "None" if audit.engine is EngineName.PROBE else "The form factor’s preset"
    if method is ThrottlingMethod.PROVIDED:
        return "None"
    parts = []
    if audit.rtt_ms:
        parts.append(f"{audit.rtt_ms:,.0f} ms round trip")
    if audit.throughput_kbps:
        parts.append(f"{audit.throughput_kbps:,.0f} kbit/s")
    if audit.cpu_slowdown and audit.cpu_slowdown != 1:
        parts.append(f"processor {audit.cpu_slowdown:g}× slower")
    return f"{METHODS[method].capitalize()}: {', '.join(parts)}"


def thresholds(metric: metrics.Metric, limits: metrics.Thresholds) -> tuple[str, str]:
    """From when on a value is good, and from when on it is poor."""
    good, poor = showing(metric.name)(limits.good), showing(metric.name)(limits.poor)
    if metric.direction is metrics.Direction.HIGHER_IS_BETTER:
        return f"≥ {good}", f"< {poor}"
    return f"≤ {good}", f"> {poor}"


def showing(metric: MetricName) -> Show:
    return lambda value: metrics.format_value(metric, value)


def milliseconds(value: float) -> str:
    return metrics.format_value(MetricName.PAGE_LOAD, value)


def size(value: float) -> str:
    return metrics.format_value(MetricName.TRANSFER_BYTES, value)


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 run`, `2 runs`, `1,000 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def when(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def web_link(address: str | None) -> str | None:
    """The address where it is one of the web: what a page made must not become a `javascript:` link."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.netloc else None


def with_code(text: str) -> Markup:
    """Escaped text; what stands between backticks becomes code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )
