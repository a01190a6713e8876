"""Audits, their runs, and what they found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from domain import audits, files, metrics, sites
from domain.ids import Kind, decode
from domain.measuring import EngineName, FailureKind, FormFactor, MetricName, ResourceType, Severity
from domain.metrics import Rating
from domain.paging import Window

from ..batched import by_key, paged
from ..context import Info
from ..files import Artifact
from ..loaders import Loaders, PageOf
from ..metrics import AuditMetrics, Metric
from ..node import Node, of
from ..paging import After, Connection
from ..rows import itself, reads
from ..runners import Runner
from ..scalars import Url
from ..sites.types import Page, Profile, Throttling

if TYPE_CHECKING:
    from ..budgets.types import BudgetResult
    from ..snapshots.types import Snapshot


@strawberry.type(description="What must be equal for two results to be compared.")
class Conditions:
    environment: str = strawberry.field(description="Where the page stood.")
    profile_version: int = strawberry.field(description="The profile's version at the time.")
    engine: EngineName = strawberry.field(description="What measured.")
    form_factor: FormFactor = strawberry.field(description="The device.")
    runner_pool: str | None = strawberry.field(description="The pool of the runner; null before one has it.")

    @strawberry.field(description="The engine's major version; null before it has measured.", metadata=reads("engine_version"))
    @staticmethod
    def engine_major(row: strawberry.Parent[audits.AuditRow | audits.ConditionsRow]) -> int | None:
        return row.engine_major if isinstance(row, audits.ConditionsRow) else audits.engine_major(row.engine_version)

    @strawberry.field(description="The slowness; null for the form factor's preset.")
    @staticmethod
    def throttling(row: strawberry.Parent[audits.AuditRow | audits.ConditionsRow]) -> Throttling | None:
        return sites.throttling_of(row)  # type: ignore[return-value]  # read by the type's fields


@strawberry.type(description="Why an audit could not be made.")
class AuditFailure:
    kind: FailureKind = strawberry.field(description="Who has to act.")
    code: str = strawberry.field(description="The reason, for programs; new ones may come.")
    message: str = strawberry.field(description="The reason, for people.")
    retryable: bool = strawberry.field(description="Whether trying again may help.")


@strawberry.type(description="One value of one metric, with its rating and its spread over the runs.")
class Measurement:
    value: float = strawberry.field(description="The audit's value.")
    low: float = strawberry.field(description="The least value of a run.")
    high: float = strawberry.field(description="The greatest value of a run.")
    samples: int = strawberry.field(description="How many runs measured it.")
    rating: Rating | None = strawberry.field(description="By the published thresholds; null where there are none.")
    metric: Metric = strawberry.field(description="Which metric.")


@strawberry.type(description="A category's score; whatever categories the engine has.")
class CategoryScore:
    category: str = strawberry.field(description="Its name for programs.")
    title: str = strawberry.field(description="Its name for people.")
    score: float | None = strawberry.field(description="0 to 1; null when it could not be computed.")


@strawberry.type(description="A mark or a measure that the page itself set (performance.mark, performance.measure).")
class UserTiming:
    name: str = strawberry.field(description="What the page called it.")
    start_ms: float = strawberry.field(description="Milliseconds after the navigation began.")
    duration_ms: float | None = strawberry.field(description="How long; null for a mark.")


@strawberry.type(description="One request of a page.")
class Request:
    url: str = strawberry.field(description="What was asked for.")
    resource_type: ResourceType = strawberry.field(description="What it fetched.")
    method: str = strawberry.field(description="How it was asked for.")
    status: int | None = strawberry.field(description="The status; null when nothing was answered.")
    protocol: str | None = strawberry.field(description="Such as http/1.1 or h2.")
    mime_type: str | None = strawberry.field(description="The media type.")
    start_ms: float | None = strawberry.field(description="Milliseconds after the run began.")
    end_ms: float | None = strawberry.field(description="Milliseconds after the run began.")
    transfer_bytes: float | None = strawberry.field(description="What came over the wire.")
    decoded_bytes: float | None = strawberry.field(description="What it was when decoded.")
    third_party: bool = strawberry.field(description="Whether it went to somebody else's site.")
    failure: str | None = strawberry.field(description="Why it failed; null when it did not.")


@strawberry.type(description="What a finding rests on.")
class Evidence:
    subject: str = strawberry.field(description="An address, a header's name, an element.")
    detail: str = strawberry.field(description="What was seen there.")


@strawberry.type(description="Something that could be better.")
class Finding(Node):
    is_type_of = of(audits.FindingRow)

    rule: str = strawberry.field(description="The rule's name; stable.")
    title: str = strawberry.field(description="What is wrong, in a sentence.")
    description: str = strawberry.field(description="What can be done.")
    severity: Severity = strawberry.field(description="How much it matters.")
    category: str = strawberry.field(description="What it is about.")
    saving_ms: float | None = strawberry.field(description="Milliseconds that could be saved; an estimate.")
    saving_bytes: float | None = strawberry.field(description="Bytes that could be saved; an estimate.")
    link: Url | None = strawberry.field(description="Where it is explained.")

    @strawberry.field(description="What it rests on.")
    @staticmethod
    def evidence(row: strawberry.Parent[audits.FindingRow]) -> list[Evidence]:
        return [Evidence(**piece) for piece in row.evidence]


async def _artifacts(row: audits.RunRow, info: Info, kind: files.FileKind) -> list[Any]:
    kept = await info.context.loaders.files_of_audit.load(row.audit_id)
    return [file for file in kept if (file.run, file.kind) == (row.index, kind)]


def _requests_given(
    first: Annotated[int, strawberry.argument(description="How many; 1 to 100.")] = 50,
    after: After = None,
) -> PageOf:
    return PageOf(Window.of(first, after))


@strawberry.type(description="One measurement inside an audit.")
class Run:
    index: int = strawberry.field(description="Its place in the audit, from 0.")
    measured_at: datetime = strawberry.field(description="When it was recorded.")
    benchmark_index: float | None = strawberry.field(description="How fast the machine was, where the engine tells.")
    warnings: list[str] = strawberry.field(description="What the engine remarked.")

    metrics: AuditMetrics = itself("Its numbers.")
    requests: Connection[Request] = paged(
        Loaders.requests_of_run, "Its requests, in the order in which they were seen.", given=_requests_given
    )

    @strawberry.field(description="The engine's whole report; null when it has none.")
    @staticmethod
    async def report(row: strawberry.Parent[audits.RunRow], info: Info) -> Artifact | None:
        return next(iter(await _artifacts(row, info, files.FileKind.REPORT)), None)

    @strawberry.field(description="The page as it ended; null where the engine sees none.")
    @staticmethod
    async def screenshot(row: strawberry.Parent[audits.RunRow], info: Info) -> Artifact | None:
        return next(iter(await _artifacts(row, info, files.FileKind.SCREENSHOT)), None)

    @strawberry.field(description="Pictures of its loading, in order.")
    @staticmethod
    async def filmstrip(row: strawberry.Parent[audits.RunRow], info: Info) -> list[Artifact]:
        return await _artifacts(row, info, files.FileKind.FILMSTRIP)


@strawberry.type(description="One page measured under one profile at one time.")
class Audit(Node):
    is_type_of = of(audits.AuditRow)

    state: audits.AuditState = strawberry.field(description="How it stands.")
    requested_url: str = strawberry.field(description="The address that was asked for.")
    final_url: str | None = strawberry.field(description="The address that answered, after redirects.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a runner first had it.")
    finished_at: datetime | None = strawberry.field(description="When it ended, one way or another.")
    engine_version: str | None = strawberry.field(description="The engine's version; null before it has measured.")

    page: Page = by_key(Loaders.page, "page_id", "The page.")
    profile: Profile = by_key(Loaders.profile, "profile_id", "The profile.")
    snapshot: Annotated[Snapshot, strawberry.lazy("graph.snapshots.types")] | None = by_key(
        Loaders.snapshot, "snapshot_id", "The snapshot that it belongs to; null for one that was asked for by itself."
    )
    runner: Runner | None = by_key(Loaders.runner, "runner_id", "The runner that has it, or had it last.")
    metrics: AuditMetrics = itself("Its numbers.")
    runs: list[Run] = by_key(Loaders.runs_of_audit, "id", "Its runs so far, in order.")
    budget_results: list[Annotated[BudgetResult, strawberry.lazy("graph.budgets.types")]] = by_key(
        Loaders.budget_results_of_audit,
        "id",
        "What came of each budget that is for it, as the budgets are now, by their names; none before it is finished.",
    )
    findings: Connection[Finding] = paged(
        Loaders.findings_of_audit, "What could be better, the gravest first, by the representative run."
    )

    @strawberry.field(
        description="What must be equal for it to be compared; null before a runner has it.", metadata=reads("runner_pool")
    )
    @staticmethod
    def conditions(row: strawberry.Parent[audits.AuditRow]) -> Conditions | None:
        return row if row.runner_pool is not None else None  # type: ignore[return-value]

    @strawberry.field(
        description="Why it failed; null unless it did.",
        metadata=reads("failure_kind", "failure_code", "failure_message", "failure_retryable"),
    )
    @staticmethod
    def failure(row: strawberry.Parent[audits.AuditRow]) -> AuditFailure | None:
        if row.failure_kind is None:
            return None
        return AuditFailure(
            kind=row.failure_kind,
            code=row.failure_code or "",
            message=row.failure_message or "",
            retryable=bool(row.failure_retryable),
        )

    @strawberry.field(description="One metric with its rating and spread; null when it was not measured.")
    @staticmethod
    async def measurement(
        row: strawberry.Parent[audits.AuditRow],
        info: Info,
        metric: Annotated[MetricName, strawberry.argument(description="Which metric.")],
    ) -> Measurement | None:
        return _measurement(row, await info.context.loaders.runs_of_audit.load(row.id), metric)

    @strawberry.field(description="Every metric that was measured, in the catalogue's order.")
    @staticmethod
    async def measurements(row: strawberry.Parent[audits.AuditRow], info: Info) -> list[Measurement]:
        runs = await info.context.loaders.runs_of_audit.load(row.id)
        found = (_measurement(row, runs, metric) for metric in MetricName)
        return [measurement for measurement in found if measurement is not None]

    @strawberry.field(
        description="What the page marked and measured itself, in the representative run.", metadata=reads("user_timings")
    )
    @staticmethod
    def user_timings(row: strawberry.Parent[audits.AuditRow]) -> list[UserTiming]:
        return [UserTiming(**timing) for timing in row.user_timings]

    @strawberry.field(description="The categories' scores, of the representative run.", metadata=reads("scores"))
    @staticmethod
    def scores(row: strawberry.Parent[audits.AuditRow]) -> list[CategoryScore]:
        return [CategoryScore(**score) for score in row.scores]

    @strawberry.field(description="The run that stands for all, chosen as Lighthouse chooses it; null before the end.")
    @staticmethod
    async def representative_run(row: strawberry.Parent[audits.AuditRow], info: Info) -> Run | None:
        runs = await info.context.loaders.runs_of_audit.load(row.id)
        return next((run for run in runs if run.index == row.representative_run), None)

    @strawberry.field(description="A page to look at and to print, for anyone who has the link, for 24 hours.")
    @staticmethod
    def report_url(row: strawberry.Parent[audits.AuditRow], info: Info) -> Url:
        return Url(info.context.report_link(row.id))


def _measurement(row: audits.AuditRow, runs: list[audits.RunRow], name: MetricName) -> Measurement | None:
    value = getattr(row, name.value)
    samples = [number for run in runs if (number := getattr(run, name.value)) is not None]
    if value is None or not samples:
        return None
    seen = metrics.spread(samples)
    return Measurement(
        value=value,
        low=seen.low,
        high=seen.high,
        samples=seen.samples,
        rating=metrics.rating(name, value, row.engine, row.form_factor),
        metric=metrics.CATALOGUE[name],  # type: ignore[arg-type]  # read by the type's fields
    )


def _audit_key(_root: None, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]) -> UUID:
    return decode(Kind.AUDIT, id)


@strawberry.type
class Query:
    audit: Audit | None = by_key(Loaders.audit, _audit_key, "An audit; null when it is not there or not yours.")
