"""Budgets: limits for what pages may be, and what happens when one is crossed."""

from .actions import create, delete, settings_of, tighten, update
from .alerting import breach_key
from .deciding import Outcome
from .drafts import Skipped
from .evaluation import Prepared, prepare
from .importing import Imported, Target, import_file
from .judgement import Change, Turn, judge
from .model import Breach, Budget, Standing
from .queries import (
    BREACHES,
    BREACHES_OF_PAGE,
    BUDGETS,
    OF_SITE,
    breaches_by_ids,
    by_ids,
    ratchets,
    results,
)
from .ratchet import Ratchet
from .rows import BreachRow, BudgetRow
from .rules import Settings
from .subjects import lower_is_better, metric_of, shown, title, unit
from .words import (
    Aggregation,
    BudgetFormat,
    BudgetReason,
    BudgetResource,
    BudgetSeverity,
    BudgetSource,
    BudgetState,
    LimitKind,
    SubjectKind,
)

__all__ = [
    "BREACHES",
    "BREACHES_OF_PAGE",
    "BUDGETS",
    "OF_SITE",
    "Aggregation",
    "Breach",
    "BreachRow",
    "Budget",
    "BudgetFormat",
    "BudgetReason",
    "BudgetResource",
    "BudgetRow",
    "BudgetSeverity",
    "BudgetSource",
    "BudgetState",
    "Change",
    "Imported",
    "LimitKind",
    "Outcome",
    "Prepared",
    "Ratchet",
    "Settings",
    "Skipped",
    "Standing",
    "SubjectKind",
    "Target",
    "Turn",
    "breach_key",
    "breaches_by_ids",
    "by_ids",
    "create",
    "delete",
    "import_file",
    "judge",
    "lower_is_better",
    "metric_of",
    "prepare",
    "ratchets",
    "results",
    "settings_of",
    "shown",
    "tighten",
    "title",
    "unit",
    "update",
]
