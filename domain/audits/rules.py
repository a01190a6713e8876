"""Decisions about audits; nothing here reads or writes."""

from __future__ import annotations

import re
from datetime import timedelta

from ..errors import Fault, InvalidInput, ProblemCode
from ..measuring import EngineName

PRODUCTION = "production"
MAX_RUNS = 20
MAX_QUEUED = 20_000
MAX_ATTEMPTS = 3

PERSON_WAITS = 0
"""The priority of what a person or their program asked for; smaller goes first."""

CLAIM = timedelta(seconds=30)
"""A claim not renewed for so long is another worker's to take."""

_ENVIRONMENT = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,39})\Z")

_SECONDS_PER_RUN = {EngineName.PROBE: 120, EngineName.LIGHTHOUSE: 180, EngineName.PAGESPEED: 600}


def check_request(environment: str, runs: int | None) -> None:
    """Raises InvalidInput with everything that is wrong."""
    faults = []
    if not _ENVIRONMENT.match(environment):
        message = "An environment is 1 to 40 lower-case letters, digits, dots, hyphens or underscores."
        faults.append(Fault(("environment",), message, ProblemCode.MALFORMED))
    if runs is not None and not 1 <= runs <= MAX_RUNS:
        faults.append(Fault(("runs",), f"Runs are from 1 to {MAX_RUNS}.", ProblemCode.OUT_OF_RANGE))
    if faults:
        raise InvalidInput(faults)


def deadline(engine: EngineName, runs: int) -> float:
    """Seconds after which an audit is given up, waiting for its turn on the machine not counted by the engines."""
    return _SECONDS_PER_RUN[engine] * runs + 60
