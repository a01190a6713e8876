"""What is said to make and change budgets."""

from __future__ import annotations

from typing import Any

import strawberry

from domain.audits import PRODUCTION
from domain.budgets import (
    Aggregation,
    BudgetFormat,
    BudgetResource,
    BudgetSeverity,
    LimitKind,
    Settings,
    SubjectKind,
)
from domain.measuring import MetricName

from ..sites.mutation import KEY
from ..sites.types import profile_id

PATH = "Only pages whose path, with its query, is like this: `*` for anything, `$` for the end, else a beginning; null for all."
URL = "Only pages whose final address this regular expression matches somewhere; null for all."


@strawberry.input(one_of=True, description="What to limit.")
class BudgetSubjectInput:
    metric: MetricName | None = strawberry.field(default=strawberry.UNSET, description="A metric of the catalogue.")
    metric_score: MetricName | None = strawberry.field(
        default=strawberry.UNSET, description="The score, 0 to 1, that Lighthouse gives the metric's value."
    )
    resource_size: BudgetResource | None = strawberry.field(
        default=strawberry.UNSET, description="What requests of this type weigh together, in bytes."
    )
    resource_count: BudgetResource | None = strawberry.field(
        default=strawberry.UNSET, description="How many requests of this type there are."
    )
    finding: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A finding's rule: with a limit of 0 it must not be there, else so many pieces of evidence.",
    )
    category: str | None = strawberry.field(
        default=strawberry.UNSET, description="A category's score, 0 to 1, such as `accessibility`."
    )
    user_timing: str | None = strawberry.field(
        default=strawberry.UNSET, description="What the page measures or marks itself, by its name in kebab-case."
    )


_KINDS = {
    "metric": SubjectKind.METRIC,
    "metric_score": SubjectKind.METRIC_SCORE,
    "resource_size": SubjectKind.RESOURCE_SIZE,
    "resource_count": SubjectKind.RESOURCE_COUNT,
    "finding": SubjectKind.FINDING,
    "category": SubjectKind.CATEGORY,
    "user_timing": SubjectKind.USER_TIMING,
}


def subject_of(input: BudgetSubjectInput) -> dict[str, Any]:
    """Its two fields of the settings. GraphQL has seen to it that there is exactly one."""
    name, value = next((name, value) for name in _KINDS if (value := getattr(input, name)) not in (None, strawberry.UNSET))
    return {"subject_kind": _KINDS[name], "subject": str(value)}


@strawberry.input(description="A budget to make.")
class BudgetCreateInput:
    workspace: strawberry.ID = strawberry.field(description="Whose it is.")
    subject: BudgetSubjectInput = strawberry.field(description="What to limit.")
    limit: float = strawberry.field(
        description="A maximum where less is better, else a minimum; in the subject's unit, or in percent where it is relative."
    )
    limit_kind: LimitKind = strawberry.field(default=LimitKind.ABSOLUTE, description="What the limit is compared with.")
    site: strawberry.ID | None = strawberry.field(default=None, description="For this site; else for all of the workspace's.")
    profile: strawberry.ID | None = strawberry.field(default=None, description="For audits with this profile; else for any.")
    environment: str = strawberry.field(default=PRODUCTION, description="For audits in this environment.")
    path: str | None = strawberry.field(default=None, description=PATH)
    url_pattern: str | None = strawberry.field(default=None, description=URL)
    name: str = strawberry.field(default="", description="Its name; else one is made up from what it limits.")
    tolerance: float = strawberry.field(default=0.0, description="So far beyond the limit is no breach; in the subject's unit.")
    aggregation: Aggregation = strawberry.field(
        default=Aggregation.MEDIAN, description="Which value of an audit's runs counts."
    )
    severity: BudgetSeverity = strawberry.field(default=BudgetSeverity.ERROR, description="How much a breach matters.")
    consecutive: int = strawberry.field(
        default=1, description="A breach begins with so many breaching audits in a row; 1 to 10."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


def settings_of(input: BudgetCreateInput) -> Settings:
    return Settings(
        name=input.name,
        profile_id=profile_id(input.profile),
        path=input.path,
        url_pattern=input.url_pattern,
        environment=input.environment,
        **subject_of(input.subject),
        limit_kind=input.limit_kind,
        limit_value=input.limit,
        tolerance=input.tolerance,
        aggregation=input.aggregation,
        severity=input.severity,
        consecutive=input.consecutive,
    )


@strawberry.input(
    description="What to change of a budget; what is left out stays. Unless only its name or severity changes it begins anew: "
    "its breaches end."
)
class BudgetUpdateInput:
    budget: strawberry.ID = strawberry.field(description="Its id.")
    subject: BudgetSubjectInput | None = strawberry.field(default=None, description="What it limits from now on.")
    limit: float | None = strawberry.field(default=None, description="Its new limit.")
    limit_kind: LimitKind | None = strawberry.field(default=None, description="What the limit is compared with from now on.")
    profile: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="For audits with this profile from now on; null for any."
    )
    environment: str | None = strawberry.field(default=None, description="For audits in this environment from now on.")
    path: str | None = strawberry.field(default=strawberry.UNSET, description=PATH)
    url_pattern: str | None = strawberry.field(default=strawberry.UNSET, description=URL)
    name: str | None = strawberry.field(default=None, description="Its new name; an empty one is made up.")
    tolerance: float | None = strawberry.field(default=None, description="Its new tolerance.")
    aggregation: Aggregation | None = strawberry.field(default=None, description="Which value counts from now on.")
    severity: BudgetSeverity | None = strawberry.field(default=None, description="How much a breach matters from now on.")
    consecutive: int | None = strawberry.field(default=None, description="After how many in a row a breach begins; 1 to 10.")
    paused: bool | None = strawberry.field(default=None, description="Let it rest, or go on.")


def changes_of(input: BudgetUpdateInput) -> dict[str, Any]:
    """What is given: of most fields null is nothing, of some it is a value."""
    names = ("environment", "limit_kind", "name", "tolerance", "aggregation", "severity", "consecutive", "paused")
    changes = {name: getattr(input, name) for name in names if getattr(input, name) is not None}
    if input.limit is not None:
        changes["limit_value"] = input.limit
    if input.subject is not None:
        changes |= subject_of(input.subject)
    if input.profile is not strawberry.UNSET:
        changes["profile_id"] = profile_id(input.profile)
    for name in ("path", "url_pattern"):
        if getattr(input, name) is not strawberry.UNSET:
            changes[name] = getattr(input, name)
    return changes


@strawberry.input(description="A file to make budgets of, as a whole or not at all.")
class BudgetsImportInput:
    workspace: strawberry.ID = strawberry.field(description="Whose they are.")
    format: BudgetFormat = strawberry.field(description="What the text is.")
    text: str = strawberry.field(description="The file as it is; at most 200 budgets.")
    site: strawberry.ID | None = strawberry.field(default=None, description="For this site; else for all of the workspace's.")
    profile: strawberry.ID | None = strawberry.field(default=None, description="For audits with this profile; else for any.")
    environment: str = strawberry.field(default=PRODUCTION, description="For audits in this environment.")
    replace: bool = strawberry.field(
        default=False,
        description="Forget what files of this format made before for the same site, profile and environment.",
    )
    dry_run: bool = strawberry.field(default=False, description="Only say what would be made.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)
