"""The catalogue of metrics, and the flat object of an audit's or a run's numbers."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from domain import metrics
from domain.measuring import EngineName, FormFactor, MetricName
from domain.metrics import Direction, Unit

from .costs import ListSize
from .marks import CacheControl
from .scalars import Url

FOR_A_DAY = CacheControl(max_age=86_400, public=True)
"""The catalogue is everybody's, and changes with our releases alone."""

ALL = ListSize(assumed_size=len(metrics.CATALOGUE), slicing_arguments=[])


@strawberry.type(description="Where good ends and where poor begins.")
class Thresholds:
    good: float = strawberry.field(description="Good up to here (down to here, where more is better).")
    poor: float = strawberry.field(description="Poor beyond here.")


@strawberry.type(description="One metric of the catalogue.")
class Metric:
    name: MetricName = strawberry.field(description="Its name in this API.")
    title: str = strawberry.field(description="Its name for people.")
    description: str = strawberry.field(description="What it says.")
    unit: Unit = strawberry.field(description="What it is counted in.")
    direction: Direction = strawberry.field(description="Which way is better.")
    link: Url | None = strawberry.field(description="Where it is explained.")

    @strawberry.field(
        description="The published thresholds for an engine and form factor; null where there are none.", directives=[FOR_A_DAY]
    )
    @staticmethod
    def thresholds(
        row: strawberry.Parent[metrics.Metric],
        engine: Annotated[EngineName, strawberry.argument(description="What measured.")],
        form_factor: Annotated[FormFactor, strawberry.argument(description="The device.")],
    ) -> Thresholds | None:
        found = row.thresholds(engine, form_factor)
        return Thresholds(good=found.good, poor=found.poor) if found else None


def _metric(name: MetricName) -> Any:
    metric = metrics.CATALOGUE[name]
    units = {Unit.MILLISECOND: " in milliseconds", Unit.BYTE: " in bytes", Unit.DAY: " in days", Unit.SCORE: ", 0 to 1"}
    return strawberry.field(description=f"{metric.title}{units.get(metric.unit, '')}; null: not measured.")


@strawberry.type(description="Numbers, flat, for speed; null means not measured, never zero.")
class AuditMetrics:
    performance_score: float | None = _metric(MetricName.PERFORMANCE_SCORE)
    lcp_ms: float | None = _metric(MetricName.LCP)
    fcp_ms: float | None = _metric(MetricName.FCP)
    tbt_ms: float | None = _metric(MetricName.TBT)
    cls: float | None = _metric(MetricName.CLS)
    speed_index_ms: float | None = _metric(MetricName.SPEED_INDEX)
    tti_ms: float | None = _metric(MetricName.TTI)
    max_potential_fid_ms: float | None = _metric(MetricName.MAX_POTENTIAL_FID)
    ttfb_ms: float | None = _metric(MetricName.TTFB)
    redirect_ms: float | None = _metric(MetricName.REDIRECT)
    dns_ms: float | None = _metric(MetricName.DNS)
    connect_ms: float | None = _metric(MetricName.CONNECT)
    tls_ms: float | None = _metric(MetricName.TLS)
    download_ms: float | None = _metric(MetricName.DOWNLOAD)
    page_load_ms: float | None = _metric(MetricName.PAGE_LOAD)
    redirect_count: int | None = _metric(MetricName.REDIRECT_COUNT)
    request_count: int | None = _metric(MetricName.REQUEST_COUNT)
    transfer_bytes: float | None = _metric(MetricName.TRANSFER_BYTES)
    decoded_bytes: float | None = _metric(MetricName.DECODED_BYTES)
    document_bytes: float | None = _metric(MetricName.DOCUMENT_BYTES)
    script_bytes: float | None = _metric(MetricName.SCRIPT_BYTES)
    stylesheet_bytes: float | None = _metric(MetricName.STYLESHEET_BYTES)
    image_bytes: float | None = _metric(MetricName.IMAGE_BYTES)
    font_bytes: float | None = _metric(MetricName.FONT_BYTES)
    media_bytes: float | None = _metric(MetricName.MEDIA_BYTES)
    other_bytes: float | None = _metric(MetricName.OTHER_BYTES)
    third_party_bytes: float | None = _metric(MetricName.THIRD_PARTY_BYTES)
    third_party_count: int | None = _metric(MetricName.THIRD_PARTY_COUNT)
    certificate_days: float | None = _metric(MetricName.CERTIFICATE_DAYS)
    dom_size: int | None = _metric(MetricName.DOM_SIZE)


@strawberry.type
class Query:
    @strawberry.field(description="The catalogue of metrics.", directives=[FOR_A_DAY, ALL])
    def metrics(self) -> list[Metric]:
        return list(metrics.CATALOGUE.values())  # type: ignore[arg-type]  # rows of the type, as everywhere
