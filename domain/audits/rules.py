"""Decisions about audits; nothing here reads or writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from ..errors import Fault, ProblemCode
from ..measuring import EngineName, RunResult

PRODUCTION = "production"
MAX_RUNS = 20
MAX_QUEUED = 20_000

_ENVIRONMENT = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,39})\Z")

_SECONDS_PER_RUN = {EngineName.PROBE: 120, EngineName.LIGHTHOUSE: 180, EngineName.PAGESPEED: 600}


def check_request(environment: str, runs: int | None, faults: list[Fault]) -> None:
    if not _ENVIRONMENT.match(environment):
        message = "An environment is 1 to 40 lower-case letters, digits, dots, hyphens or underscores."
        faults.append(Fault(("environment",), message, ProblemCode.MALFORMED))
    if runs is not None and not 1 <= runs <= MAX_RUNS:
        faults.append(Fault(("runs",), f"Runs are from 1 to {MAX_RUNS}.", ProblemCode.OUT_OF_RANGE))


MAX_TEXT = 8_192
_MOST = 2**53
_MOST_STATUS = 999
# PostgreSQL refuses NUL in text, no driver encodes half a character, and a line of a log must stay one.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def storable(result: RunResult) -> RunResult:
    """What a page made, fit for every database: a number that is none counts as not measured."""
    kept: RunResult = _storable(replace(result, report=None))
    return replace(
        kept,
        report=result.report,
        requests=tuple(
            each if 0 <= (each.status or 0) <= _MOST_STATUS else replace(each, status=None) for each in kept.requests
        ),
        user_timings=tuple(each for each in kept.user_timings if each.start_ms is not None),
    )


def storable_text(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text[:MAX_TEXT])


def _storable(value: Any) -> Any:
    match value:
        case Enum() | bool() | None:
            return value
        case str():
            return storable_text(value)
        case int() | float():
            return value if abs(value) <= _MOST else None  # which NaN is not
        case tuple():
            return tuple(map(_storable, value))
        case Mapping():
            kept = {key: _storable(each) for key, each in value.items()}
            return {key: each for key, each in kept.items() if each is not None}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _storable(getattr(value, each.name)) for each in fields(value)})
    return value


def deadline(engine: EngineName, runs: int) -> float:
    """Seconds after which an audit is given up, its waiting for a turn or a limit (Phase.WAITING) not counted."""
    return _SECONDS_PER_RUN[engine] * runs + 60
