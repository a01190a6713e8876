"""What changed from one audit to another: findings, and requests."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from domain import audits
from domain.audits import DifferenceKind
from domain.errors import InvalidInput, ProblemCode
from domain.measuring import ResourceType, Severity
from domain.paging import DEFAULT_FIRST, MAX_FIRST

from ..audits.types import Audit, Evidence, Finding
from ..batched import by_key
from ..costs import Cost
from ..loaders import Loaders
from ..rows import itself


def _number(kind: DifferenceKind, description: str) -> Any:
    def resolver(root: audits.Differences[Any]) -> int:
        return root.number(kind)

    return strawberry.field(resolver=resolver, description=description)


def _size(first: int) -> int:
    if not 1 <= first <= MAX_FIRST:
        message = f"first must be from 1 to {MAX_FIRST}; {first} was asked for."
        raise InvalidInput.at("first", message, ProblemCode.OUT_OF_RANGE)
    return first


_Kind = Annotated[DifferenceKind | None, strawberry.argument(description="Those of this kind only.")]
_First = Annotated[int, strawberry.argument(description="How many, the weightiest; 1 to 100.")]


@strawberry.type(description="A finding that is not what it was.")
class FindingDifference:
    kind: DifferenceKind = strawberry.field(description="How it differs.")
    before: Finding | None = strawberry.field(description="What it was; null for one that was added.")
    after: Finding | None = strawberry.field(description="What it is; null for one that was removed.")

    @strawberry.field(description="The rule's name; stable.")
    @staticmethod
    def rule(row: strawberry.Parent[audits.FindingDifference]) -> str:
        return row.finding.rule

    @strawberry.field(description="What is wrong, or was, in a sentence.")
    @staticmethod
    def title(row: strawberry.Parent[audits.FindingDifference]) -> str:
        return row.finding.title

    @strawberry.field(description="How much it matters, or did.")
    @staticmethod
    def severity(row: strawberry.Parent[audits.FindingDifference]) -> Severity:
        return row.finding.severity

    @strawberry.field(
        description="What it did not rest on before; addresses are matched as those of requests are. All of one that was added."
    )
    @staticmethod
    def evidence_added(row: strawberry.Parent[audits.FindingDifference]) -> list[Evidence]:
        return [Evidence(**piece) for piece in row.evidence_added]

    @strawberry.field(description="What it rests on no more. All of one that was removed.")
    @staticmethod
    def evidence_removed(row: strawberry.Parent[audits.FindingDifference]) -> list[Evidence]:
        return [Evidence(**piece) for piece in row.evidence_removed]


@strawberry.type(
    description="A request that is not what it was; or several that differ in nothing but queries, hashes, UUIDs and ports."
)
class RequestDifference:
    kind: DifferenceKind = strawberry.field(description="How it differs; never CHANGED.")
    url: str = strawberry.field(description="What is asked for, or was; of several the first.")
    resource_type: ResourceType = strawberry.field(description="What it fetches.")
    third_party: bool = strawberry.field(description="Whether it goes to somebody else's site.")
    requests_before: int = strawberry.field(description="How many there were.")
    requests_after: int = strawberry.field(description="How many there are.")
    bytes_before: float | None = strawberry.field(description="What came over the wire for them; null where nobody knows.")
    bytes_after: float | None = strawberry.field(description="What comes over the wire for them; null where nobody knows.")
    change_bytes: float = strawberry.field(description="By how many bytes it grew, or shrank (below 0).")


@strawberry.type(description="How many things differ, by how.")
class DifferenceCounts:
    added: int = _number(DifferenceKind.ADDED, "How many are there that were not.")
    removed: int = _number(DifferenceKind.REMOVED, "How many were there and are not.")
    grown: int = _number(DifferenceKind.GROWN, "How many are more than they were.")
    shrunk: int = _number(DifferenceKind.SHRUNK, "How many are less than they were.")
    changed: int = _number(DifferenceKind.CHANGED, "How many are as much as they were, and rest on other things.")


@strawberry.type(description="The findings that differ.")
class FindingDifferences:
    counts: DifferenceCounts = itself("How many there are.")

    @strawberry.field(description="The gravest first; of each kind at most 100.")
    @staticmethod
    def nodes(
        row: strawberry.Parent[audits.Differences[audits.FindingDifference]], kind: _Kind = None, first: _First = DEFAULT_FIRST
    ) -> list[FindingDifference]:
        return list(row.some(kind, _size(first)))  # type: ignore[arg-type]  # read by the type's fields


@strawberry.type(description="The requests that differ.")
class RequestDifferences:
    counts: DifferenceCounts = itself("How many there are.")

    @strawberry.field(description="Those of the most bytes first; of each kind at most 100.")
    @staticmethod
    def nodes(
        row: strawberry.Parent[audits.Differences[audits.RequestDifference]], kind: _Kind = None, first: _First = DEFAULT_FIRST
    ) -> list[RequestDifference]:
        return list(row.some(kind, _size(first)))  # type: ignore[arg-type]  # read by the type's fields


def _pair(row: audits.Pair) -> audits.Pair:
    return row


@strawberry.type(
    description="What changed from one audit of a page to another, by the representative run of each. Addresses are matched "
    "as Lighthouse CI matches them: but for queries, hashes, UUIDs and ports."
)
class Differences:
    before: Audit | None = by_key(Loaders.audit, "before_id", "What it was.")
    after: Audit | None = by_key(Loaders.audit, "after_id", "What it is.")
    findings: FindingDifferences = by_key(
        Loaders.finding_differences, _pair, "The findings that differ.", directives=[Cost(weight="20")]
    )
    requests: RequestDifferences = by_key(
        Loaders.request_differences, _pair, "The requests that differ.", directives=[Cost(weight="100")]
    )
