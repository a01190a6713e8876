"""Making budgets, importing, changing, tightening and forgetting them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry

from domain import budgets
from domain.access import Permission
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..sites.mutation import REPLAYED
from ..sites.types import profile_id
from .inputs import BudgetCreateInput, BudgetsImportInput, BudgetUpdateInput, changes_of, settings_of
from .types import Budget


@strawberry.type(description="The budget was made.")
class BudgetCreatePayload:
    budget: Budget = strawberry.field(description="The budget.")
    replayed: bool = strawberry.field(description=REPLAYED)


BudgetCreateResult = Annotated[
    BudgetCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("BudgetCreateResult", description="What becomes of `budgetCreate`."),
]


@strawberry.type(description="The budget was changed.")
class BudgetUpdatePayload:
    budget: Budget = strawberry.field(description="The budget as it is now.")


BudgetUpdateResult = Annotated[
    BudgetUpdatePayload | InvalidInput | NotFound | NotAllowed | LimitReached,
    strawberry.union("BudgetUpdateResult", description="What becomes of `budgetUpdate`."),
]


@strawberry.input(description="A budget to tighten.")
class BudgetTightenInput:
    budget: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The budget is as tight as its ratchet says.")
class BudgetTightenPayload:
    budget: Budget = strawberry.field(description="The budget as it is now.")
    tightened: bool = strawberry.field(description="Whether there was something to tighten; if not, it stays as it was.")


BudgetTightenResult = Annotated[
    BudgetTightenPayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("BudgetTightenResult", description="What becomes of `budgetTighten`."),
]


@strawberry.input(description="A budget to forget.")
class BudgetDeleteInput:
    budget: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The budget is forgotten, with its breaches.")
class BudgetDeletePayload:
    budget_id: strawberry.ID = strawberry.field(description="The id that it had.")


BudgetDeleteResult = Annotated[
    BudgetDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("BudgetDeleteResult", description="What becomes of `budgetDelete`."),
]


@strawberry.type(description="Something in a file that was not taken over, or not as it stands.")
class BudgetSkipped:
    place: str = strawberry.field(description="Where it stands, such as `[2].timings[0]`.")
    reason: str = strawberry.field(description="Why, and what would be taken.")


@strawberry.type(description="The file's budgets were made.")
class BudgetsImportPayload:
    budgets: list[Budget] = strawberry.field(
        description="What was made, in the file's order. In a dry run what would be: their ids lead nowhere."
    )
    skipped: list[BudgetSkipped] = strawberry.field(description="What was not taken over, or not as it stands.")
    replayed: bool = strawberry.field(description=REPLAYED)


BudgetsImportResult = Annotated[
    BudgetsImportPayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("BudgetsImportResult", description="What becomes of `budgetsImport`."),
]


def _id(id: strawberry.ID) -> UUID:
    return decode(Kind.BUDGET, id, "budget")


def _site(id: strawberry.ID | None) -> UUID | None:
    return decode(Kind.SITE, id, "site") if id is not None else None


@strawberry.type
class Mutation:
    @mutation("Limit something.", Permission.BUDGET_WRITE)
    async def budget_create(self, info: Info, input: BudgetCreateInput) -> BudgetCreateResult:
        async with info.context.work() as work:
            promised = await budgets.create(
                work,
                workspace_id=decode(Kind.WORKSPACE, input.workspace, "workspace"),
                site_id=_site(input.site),
                settings=settings_of(input),
                idempotency_key=input.idempotency_key,
            )
        budget = await made(info, Kind.BUDGET, promised.id)
        return BudgetCreatePayload(budget=budget, replayed=promised.replayed)

    @mutation("Change a budget.", Permission.BUDGET_WRITE)
    async def budget_update(self, info: Info, input: BudgetUpdateInput) -> BudgetUpdateResult:
        async with info.context.work() as work:
            id = await budgets.update(work, budget_id=_id(input.budget), changes=changes_of(input))
        return BudgetUpdatePayload(budget=await made(info, Kind.BUDGET, id))

    @mutation("Set a budget's limit to what its ratchet says.", Permission.BUDGET_WRITE)
    async def budget_tighten(self, info: Info, input: BudgetTightenInput) -> BudgetTightenResult:
        id = _id(input.budget)
        async with info.context.work() as work:
            tightened = await budgets.tighten(work, budget_id=id)
        return BudgetTightenPayload(budget=await made(info, Kind.BUDGET, id), tightened=tightened)

    @mutation("Forget a budget.", Permission.BUDGET_WRITE)
    async def budget_delete(self, info: Info, input: BudgetDeleteInput) -> BudgetDeleteResult:
        async with info.context.work() as work:
            await budgets.delete(work, budget_id=_id(input.budget))
        return BudgetDeletePayload(budget_id=input.budget)

    @mutation("Make budgets of a budget.json, or of assertions of Lighthouse CI.", Permission.BUDGET_WRITE)
    async def budgets_import(self, info: Info, input: BudgetsImportInput) -> BudgetsImportResult:
        workspace_id = decode(Kind.WORKSPACE, input.workspace, "workspace")
        target = budgets.Target(workspace_id, _site(input.site), profile_id(input.profile), input.environment)
        async with info.context.work() as work:
            imported = await budgets.import_file(
                work,
                target=target,
                format=input.format,
                text=input.text,
                replace=input.replace,
                dry_run=input.dry_run,
                idempotency_key=input.idempotency_key,
            )
        skipped = [BudgetSkipped(place=each.place, reason=each.reason) for each in imported.skipped]
        return BudgetsImportPayload(budgets=list(imported.budgets), skipped=skipped, replayed=imported.replayed)  # type: ignore[arg-type]
