"""Budgets: limits, what came of them, and what broke them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import budgets
from domain.budgets import (
    Aggregation,
    BudgetReason,
    BudgetResource,
    BudgetSeverity,
    BudgetSource,
    BudgetState,
    LimitKind,
    SubjectKind,
)
from domain.measuring import MetricName
from domain.metrics import CATALOGUE, Direction, Unit

from ..audits.types import Audit
from ..batched import by_key
from ..loaders import Loaders
from ..metrics import Metric
from ..node import Node, of
from ..rows import itself, reads
from ..sites.types import Page, Profile, Site

if TYPE_CHECKING:
    from ..workspaces.types import Workspace

_SUBJECT = reads("subject_kind", "subject")


@strawberry.type(description="What a budget limits.")
class BudgetSubject:
    @strawberry.field(description="What kind of thing it is.", metadata=reads("subject_kind"))
    @staticmethod
    def kind(row: strawberry.Parent[budgets.BudgetRow]) -> SubjectKind:
        return row.subject_kind

    @strawberry.field(description="What it is, for people.", metadata=_SUBJECT)
    @staticmethod
    def title(row: strawberry.Parent[budgets.BudgetRow]) -> str:
        return budgets.title(row)

    @strawberry.field(
        description="The finding's rule, the category or the timing; null for metrics and resources.", metadata=_SUBJECT
    )
    @staticmethod
    def name(row: strawberry.Parent[budgets.BudgetRow]) -> str | None:
        named = (SubjectKind.FINDING, SubjectKind.CATEGORY, SubjectKind.USER_TIMING)
        return row.subject if row.subject_kind in named else None

    @strawberry.field(description="The metric, or that of the score; null for anything else.", metadata=_SUBJECT)
    @staticmethod
    def metric(row: strawberry.Parent[budgets.BudgetRow]) -> Metric | None:
        if row.subject_kind not in (SubjectKind.METRIC, SubjectKind.METRIC_SCORE):
            return None
        return CATALOGUE[MetricName(row.subject)]  # type: ignore[return-value]  # read by the type's fields

    @strawberry.field(description="The type of the resources; null for anything else.", metadata=_SUBJECT)
    @staticmethod
    def resource(row: strawberry.Parent[budgets.BudgetRow]) -> BudgetResource | None:
        of_resources = row.subject_kind in (SubjectKind.RESOURCE_SIZE, SubjectKind.RESOURCE_COUNT)
        return BudgetResource(row.subject) if of_resources else None

    @strawberry.field(description="In what its values are counted, and an absolute limit.", metadata=_SUBJECT)
    @staticmethod
    def unit(row: strawberry.Parent[budgets.BudgetRow]) -> Unit:
        return budgets.unit(row)

    @strawberry.field(
        description="Which way is better: where less is, the limit is a maximum; where more is, a minimum.", metadata=_SUBJECT
    )
    @staticmethod
    def direction(row: strawberry.Parent[budgets.BudgetRow]) -> Direction:
        return Direction.LOWER_IS_BETTER if budgets.lower_is_better(row) else Direction.HIGHER_IS_BETTER


@strawberry.type(description="To what a budget can be tightened, and why.")
class BudgetRatchet:
    limit: float = strawberry.field(description="The tighter limit: the worst value, with something to spare.")
    worst: float = strawberry.field(description="The worst value since.")
    audits: int = strawberry.field(description="How many audits were judged since.")

    @strawberry.field(description="The day of the first of them.")
    @staticmethod
    def since(row: strawberry.Parent[budgets.Ratchet]) -> datetime:
        return datetime.combine(row.since, time(), UTC)


@strawberry.type(description="A limit for what pages may be.")
class Budget(Node):
    is_type_of = of(budgets.BudgetRow)

    name: str = strawberry.field(description="Its name for people.")
    path: str | None = strawberry.field(
        description="For which paths, with their query, as in robots.txt: `*` for anything, `$` for the end, else a beginning."
    )
    url_pattern: str | None = strawberry.field(
        description="For which final addresses: a regular expression that matches somewhere in them."
    )
    environment: str = strawberry.field(description="For audits in this environment.")
    limit_kind: LimitKind = strawberry.field(description="What the limit is compared with.")
    tolerance: float = strawberry.field(description="So far beyond the limit is no breach; in the subject's unit.")
    aggregation: Aggregation = strawberry.field(description="Which value of an audit's runs counts.")
    severity: BudgetSeverity = strawberry.field(description="How much a breach matters.")
    consecutive: int = strawberry.field(description="A breach begins with so many breaching audits in a row.")
    paused_at: datetime | None = strawberry.field(description="Since when it is paused; null when it is not.")
    source: BudgetSource = strawberry.field(description="Where it came from.")
    created_at: datetime = strawberry.field(description="When it was made.")

    subject: BudgetSubject = itself("What it limits.")
    workspace: Annotated[Workspace, strawberry.lazy("graph.workspaces.types")] = by_key(
        Loaders.workspace, "workspace_id", "Whose it is."
    )
    site: Site | None = by_key(Loaders.site, "site_id", "For this site; null for all of the workspace's.")
    profile: Profile | None = by_key(Loaders.profile, "profile_id", "For audits with this profile; null for any.")
    ratchet: BudgetRatchet | None = by_key(
        Loaders.ratchet_of_budget,
        "id",
        "To what it can be tightened now: an absolute limit that held for at least ten audits on days at least seven days "
        "apart, of the last four weeks. Null where there is nothing to gain, or not enough to say so.",
    )

    @strawberry.field(
        description="The limit: in the subject's unit, or in percent where it is relative.", metadata=reads("limit_value")
    )
    @staticmethod
    def limit(row: strawberry.Parent[budgets.BudgetRow]) -> float:
        return row.limit_value

    @strawberry.field(description="Whether it is paused.", metadata=reads("paused_at"))
    @staticmethod
    def paused(row: strawberry.Parent[budgets.BudgetRow]) -> bool:
        return row.paused_at is not None


@strawberry.type(description="What came of holding an audit against a budget.")
class BudgetResult:
    budget: Budget = strawberry.field(description="The budget as it is now.")
    state: BudgetState = strawberry.field(description="What came of it.")
    value: float | None = strawberry.field(
        description="The audit's value, by the budget's aggregation; null when there is none."
    )
    limit: float | None = strawberry.field(
        description="Where the limit lies for this audit, in the value's unit; null where nobody knows."
    )
    baseline: float | None = strawberry.field(description="What the page was before; null for an absolute limit.")
    over: float | None = strawberry.field(description="How far beyond the limit the value is; null when it is not.")
    reason: BudgetReason | None = strawberry.field(description="Why it could not be judged, where that is so.")


@strawberry.type(description="A budget that is broken, or was: from one crossing of its limit to the crossing back.")
class Breach(Node):
    is_type_of = of(budgets.BreachRow)

    environment: str = strawberry.field(description="Where the page stood.")
    severity: BudgetSeverity = strawberry.field(description="How much it mattered when it began.")
    value: float | None = strawberry.field(description="The value of the audit with which it began.")
    baseline: float | None = strawberry.field(description="What the page was before; null for an absolute limit.")
    over: float | None = strawberry.field(description="How far beyond the limit that value was; null where some run had none.")
    began_at: datetime = strawberry.field(description="When the audit with which it began had finished.")
    ended_at: datetime | None = strawberry.field(
        description="When it ended: with the first audit within the limit, or when the budget was changed. Null: it goes on."
    )

    budget: Budget = by_key(Loaders.budget, "budget_id", "What is broken.")
    site: Site = by_key(Loaders.site, "site_id", "Whose page it is.")
    page: Page = by_key(Loaders.page, "page_id", "Which page broke it.")
    profile: Profile = by_key(Loaders.profile, "profile_id", "How it was measured.")
    audit: Audit | None = by_key(Loaders.audit, "audit_id", "With which audit it began; null once that is forgotten.")

    @strawberry.field(description="Where the limit lay when it began.", metadata=reads("limit_value"))
    @staticmethod
    def limit(row: strawberry.Parent[budgets.BreachRow]) -> float:
        return row.limit_value

    @strawberry.field(description="Whether it goes on.", metadata=reads("ended_at"))
    @staticmethod
    def open(row: strawberry.Parent[budgets.BreachRow]) -> bool:
        return row.ended_at is None
