"""What a budget limits: its title, its unit, which way is better, and which metric it is, where it is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .. import metrics
from ..measuring import MetricName, ResourceType
from ..metrics import CATALOGUE, Direction, Unit
from .words import BudgetResource, SubjectKind


class Limiting(Protocol):
    """A budget, as far as what it limits goes."""

    @property
    def subject_kind(self) -> SubjectKind: ...
    @property
    def subject(self) -> str: ...


SIZES: Mapping[BudgetResource, MetricName] = {
    BudgetResource.DOCUMENT: MetricName.DOCUMENT_BYTES,
    BudgetResource.SCRIPT: MetricName.SCRIPT_BYTES,
    BudgetResource.STYLESHEET: MetricName.STYLESHEET_BYTES,
    BudgetResource.IMAGE: MetricName.IMAGE_BYTES,
    BudgetResource.FONT: MetricName.FONT_BYTES,
    BudgetResource.MEDIA: MetricName.MEDIA_BYTES,
    BudgetResource.OTHER: MetricName.OTHER_BYTES,
    BudgetResource.THIRD_PARTY: MetricName.THIRD_PARTY_BYTES,
    BudgetResource.TOTAL: MetricName.TRANSFER_BYTES,
}
_COUNTS = {
    BudgetResource.THIRD_PARTY: MetricName.THIRD_PARTY_COUNT,
    BudgetResource.TOTAL: MetricName.REQUEST_COUNT,
}
TYPES: Mapping[BudgetResource, ResourceType] = {
    resource: ResourceType[resource.name]
    for resource in BudgetResource
    if resource not in (BudgetResource.THIRD_PARTY, BudgetResource.TOTAL)
}
PERFORMANCE = "performance"


def metric_of(budget: Limiting) -> MetricName | None:
    """The metric whose values, run by run, are those of the subject."""
    match budget.subject_kind:
        case SubjectKind.METRIC | SubjectKind.METRIC_SCORE:
            return MetricName(budget.subject)
        case SubjectKind.RESOURCE_SIZE:
            return SIZES[BudgetResource(budget.subject)]
        case SubjectKind.RESOURCE_COUNT:
            return _COUNTS.get(BudgetResource(budget.subject))
        case SubjectKind.CATEGORY if budget.subject == PERFORMANCE:
            return MetricName.PERFORMANCE_SCORE
    return None


def lower_is_better(budget: Limiting) -> bool:
    """Whether the limit is a maximum; else it is a minimum."""
    if budget.subject_kind is SubjectKind.METRIC:
        return CATALOGUE[MetricName(budget.subject)].direction is Direction.LOWER_IS_BETTER
    return budget.subject_kind not in (SubjectKind.CATEGORY, SubjectKind.METRIC_SCORE)


def unit(budget: Limiting) -> Unit:
    match budget.subject_kind:
        case SubjectKind.METRIC:
            return CATALOGUE[MetricName(budget.subject)].unit
        case SubjectKind.RESOURCE_SIZE:
            return Unit.BYTE
        case SubjectKind.CATEGORY | SubjectKind.METRIC_SCORE:
            return Unit.SCORE
        case SubjectKind.USER_TIMING:
            return Unit.MILLISECOND
    return Unit.COUNT


def title(budget: Limiting) -> str:
    match budget.subject_kind:
        case SubjectKind.METRIC:
            return CATALOGUE[MetricName(budget.subject)].title
        case SubjectKind.METRIC_SCORE:
            return f"Score of {CATALOGUE[MetricName(budget.subject)].title}"
        case SubjectKind.RESOURCE_SIZE:
            return f"Size of {budget.subject}"
        case SubjectKind.RESOURCE_COUNT:
            return f"Requests of {budget.subject}"
        case SubjectKind.CATEGORY:
            return f"Score of {budget.subject}"
        case SubjectKind.USER_TIMING:
            return f"Timing {budget.subject}"
    return f"Finding {budget.subject}"


_LIKE = {
    Unit.MILLISECOND: MetricName.LCP,
    Unit.BYTE: MetricName.TRANSFER_BYTES,
    Unit.COUNT: MetricName.REQUEST_COUNT,
    Unit.SCORE: MetricName.PERFORMANCE_SCORE,
    Unit.DAY: MetricName.CERTIFICATE_DAYS,
    Unit.UNITLESS: MetricName.CLS,
}


def shown(budget: Limiting, value: float) -> str:
    """A value of the subject for people."""
    return metrics.format_value(_LIKE[unit(budget)], value)
