"""Gathers what the report shows of an audit, through the domain's doors, into plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.report import findings, history, judged, marked, measured, pictures, requests, words
from domain import audits, files, runners, sites
from domain.access import Reach
from domain.measuring import EngineName
from domain.paging import Window
from domain.ports import Reader

MOST_TIMINGS = 50
ALL_FINDINGS, ALL_REQUESTS = Window(200), Window(2_000)
"""As many as an audit keeps."""


class Fact(NamedTuple):
    """`time` is there where the text tells one."""

    term: str
    text: str
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """`link` only where the text is an address of the web."""

    text: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    kind: str
    code: str
    message: str
    advice: str
    retryable: bool


class Timing(NamedTuple):
    name: str
    start: str
    duration: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished audit has to show. `basis` says of which run, or of how many, the numbers are."""

    basis: str
    runs: int
    performance: measured.Gauge | None
    categories: tuple[measured.Gauge, ...]
    key_lines: tuple[measured.Line, ...]
    groups: tuple[measured.Group, ...]
    verdicts: judged.Judged
    history: tuple[history.History, ...]
    gravities: tuple[findings.Gravity, ...]
    pictures: pictures.Pictures
    waterfall: requests.Waterfall
    timings: tuple[Timing, ...]
    more_timings: int
    warnings: tuple[str, ...]

    @property
    def findings(self) -> int:
        return sum(len(gravity.findings) for gravity in self.gravities)


@dataclass(frozen=True, slots=True)
class View:
    """`progress` is there while the audit is not over, then one of `failure` and `result`, or neither: cancelled."""

    page: str
    site: str
    requested: Address
    final: Address | None
    state: str
    facts: tuple[Fact, ...]
    progress: str | None
    failure: Failure | None
    result: Result | None


async def gather(reader: Reader, audit: audits.AuditRow, sign: pictures.Sign) -> View:
    """A fixed number of statements, however much the audit has to show."""
    reach = Reach.whole(audit.workspace_id)
    page = (await sites.pages_by_ids(reader, reach, [audit.page_id]))[audit.page_id]
    site = (await sites.by_ids(reader, reach, [audit.site_id]))[audit.site_id]
    profile = (await sites.profiles_by_ids(reader, reach, [audit.profile_id]))[audit.profile_id]
    runner = None
    if audit.runner_id is not None:
        runner = (await runners.by_ids(reader, [audit.runner_id])).get(audit.runner_id)
    finished = audit.state is audits.AuditState.FINISHED
    final = audit.final_url if audit.final_url != audit.requested_url else None
    return View(
        page=page.name,
        site=site.name,
        requested=_address(audit.requested_url),
        final=_address(final) if final else None,
        state=words.STATES[audit.state],
        facts=tuple(_facts(audit, profile, runner)),
        progress=None if audit.state in audits.ENDED else _progress(audit),
        failure=_failure(audit) if audit.state is audits.AuditState.FAILED else None,
        result=await _result(reader, audit, sign) if finished else None,
    )


async def _result(reader: Reader, audit: audits.AuditRow, sign: pictures.Sign) -> Result:
    reach = Reach.whole(audit.workspace_id)
    runs = (await audits.runs_by_audits(reader, reach, [audit.id]))[audit.id]
    chosen = next(run for run in runs if run.index == audit.representative_run)
    found = (await audits.FINDINGS.of(reader, reach, audit.id, ALL_FINDINGS)).rows
    asked = (await audits.REQUESTS.of(reader, reach, chosen.id, ALL_REQUESTS)).rows
    kept = (await files.by_audits(reader, reach, [audit.id]))[audit.id]
    neighbours = await history.around(reader, reach, audit)
    lines = measured.read_lines(audit, runs)
    return Result(
        basis=_basis(audit, runs),
        runs=len(runs),
        performance=measured.performance(audit),
        categories=measured.categories(audit),
        key_lines=measured.key_lines(audit, lines),
        groups=measured.grouped(lines),
        verdicts=await judged.judged(reader, audit, neighbours),
        history=history.charted(audit, neighbours, await marked.among(reader, reach, audit, neighbours)),
        gravities=findings.by_severity(found, {score["category"]: score["title"] for score in audit.scores}),
        pictures=pictures.pictures(kept, chosen.index, sign),
        waterfall=requests.waterfall(asked, audit.final_url or audit.requested_url),
        timings=tuple(_timings(audit)),
        more_timings=max(0, len(audit.user_timings) - MOST_TIMINGS),
        warnings=tuple(chosen.warnings),
    )


def _facts(audit: audits.AuditRow, profile: sites.ProfileRow, runner: runners.RunnerRow | None) -> list[Fact]:
    when = audit.finished_at or audit.requested_at
    did = words.STATES[audit.state] if audit.finished_at else "Requested"
    return [
        Fact(did, words.when(when), when),
        Fact("Environment", audit.environment),
        Fact("Profile", f"{profile.name}, version {audit.profile_version}"),
        Fact("Engine", words.engine(audit)),
        Fact("Form factor", words.FORM_FACTORS[audit.form_factor]),
        Fact("Throttling", words.throttling(audit)),
        Fact("Runs", f"{audit.runs:,}"),
        Fact("Runner", f"{runner.name}, {runner.location}" if runner else "None yet"),
    ]


def _progress(audit: audits.AuditRow) -> str:
    phase = words.PHASES[audit.phase]
    return phase if audit.run is None else f"run {audit.run + 1} of {audit.runs}, {phase}"


def _failure(audit: audits.AuditRow) -> Failure:
    kind = audit.failure_kind
    return Failure(
        kind=kind.capitalize() if kind else "Unknown",
        code=audit.failure_code or "UNKNOWN",
        message=audit.failure_message or "No reason was recorded.",
        advice=words.ADVICE[kind] if kind else "Ask for another audit.",
        retryable=bool(audit.failure_retryable),
    )


def _basis(audit: audits.AuditRow, runs: Sequence[audits.RunRow]) -> str:
    number = f"{(audit.representative_run or 0) + 1} of {len(runs)}"
    if len(runs) == 1:
        return "Everything here is of one run."
    if audit.engine is EngineName.PROBE:
        return f"Numbers are medians of {len(runs)} runs; findings and requests are of run {number}, the one nearest to them."
    return f"Everything here is of run {number}, the one nearest to the median; spreads are over all runs."


def _timings(audit: audits.AuditRow) -> list[Timing]:
    ordered = sorted(audit.user_timings, key=lambda timing: timing["start_ms"])[:MOST_TIMINGS]
    return [
        Timing(
            timing["name"],
            words.milliseconds(timing["start_ms"]),
            words.milliseconds(timing["duration_ms"]) if timing["duration_ms"] is not None else None,
        )
        for timing in ordered
    ]


def _address(text: str) -> Address:
    return Address(text, words.web_link(text))
