"""What may be said of a budget."""

from __future__ import annotations

from enum import StrEnum


class SubjectKind(StrEnum):
    """What kind of thing a budget limits."""

    METRIC = "METRIC"
    METRIC_SCORE = "METRIC_SCORE"
    RESOURCE_SIZE = "RESOURCE_SIZE"
    RESOURCE_COUNT = "RESOURCE_COUNT"
    FINDING = "FINDING"
    CATEGORY = "CATEGORY"
    USER_TIMING = "USER_TIMING"


class BudgetResource(StrEnum):
    """Which requests of a page are weighed or counted, in the words of budget.json."""

    DOCUMENT = "document"
    SCRIPT = "script"
    STYLESHEET = "stylesheet"
    IMAGE = "image"
    FONT = "font"
    MEDIA = "media"
    OTHER = "other"
    THIRD_PARTY = "third-party"
    TOTAL = "total"


class LimitKind(StrEnum):
    """ABSOLUTE: a value. RELATIVE: so many percent worse than the page was."""

    ABSOLUTE = "ABSOLUTE"
    RELATIVE = "RELATIVE"


class Aggregation(StrEnum):
    """Which value of several runs is held against the limit; the names are those of Lighthouse CI."""

    MEDIAN = "MEDIAN"
    OPTIMISTIC = "OPTIMISTIC"
    PESSIMISTIC = "PESSIMISTIC"
    MEDIAN_RUN = "MEDIAN_RUN"


class BudgetSeverity(StrEnum):
    """How much a breach matters: an ERROR fails a build, a WARN is told."""

    WARN = "WARN"
    ERROR = "ERROR"


class BudgetSource(StrEnum):
    """Where a budget came from, which decides what happens where several of one file match."""

    MANUAL = "MANUAL"
    BUDGET_JSON = "BUDGET_JSON"
    LHCI = "LHCI"


class BudgetFormat(StrEnum):
    """What a text with budgets is."""

    BUDGET_JSON = "BUDGET_JSON"
    LHCI = "LHCI"


class BudgetState(StrEnum):
    """What came of holding an audit against a budget."""

    PASSED = "PASSED"
    BREACHED = "BREACHED"
    NOT_JUDGED = "NOT_JUDGED"


class BudgetReason(StrEnum):
    """Why an audit was not judged, or why it was without a worse value."""

    NOT_MEASURED = "NOT_MEASURED"
    RUN_WITHOUT_VALUE = "RUN_WITHOUT_VALUE"
    TOO_FEW_BEFORE = "TOO_FEW_BEFORE"
    OTHER_ENGINE = "OTHER_ENGINE"
