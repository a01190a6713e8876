"""One run of Lighthouse: a fresh profile, a proxy, the runner (`run.mjs`) and what it says."""

from __future__ import annotations

import asyncio
import logging
import os
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import orjson

from domain.measuring import EngineFailure, FailureKind, Phase, RunResult

from ..guard import Guard
from ..lhr import failure_of, mapping, parse_object, read_lhr, text
from .flags import chrome_flags
from .installation import Installation
from .process import process_group
from .proxy import GuardedProxy, Target

MAX_RESULT_BYTES = 64 * 1024 * 1024

_RUNNER = Path(__file__).with_name("run.mjs")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """What is measured, and with what. `target` is the page's host and port, `headers` and `cookies` are secrets."""

    installation: Installation
    url: str
    target: Target
    origin: str
    headers: Mapping[str, str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any]


async def run(job: Job, guard: Guard, deadline: float) -> AsyncGenerator[Phase | RunResult, None]:
    """The phases of the run, then its result. Raises EngineFailure; leaves no process, connection or file."""
    ends = asyncio.get_running_loop().time() + deadline
    with TemporaryDirectory(prefix="pacemark-lighthouse-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        output, errors = folder / "lhr.json", folder / "stderr"
        with errors.open("wb") as stderr:
            async with (
                GuardedProxy(guard) as proxy,
                process_group([job.installation.node, _RUNNER], cwd=folder, env=_environment(folder), stderr=stderr) as process,
            ):
                await _tell(process, _as_json(job, proxy.port, folder))
                async with aclosing(_steps(process, ends)) as steps:
                    async for step in steps:
                        if "phase" in step:
                            yield Phase(step["phase"])
                        elif "failed" in step:
                            raise _failed(mapping(step["failed"]))
                        else:
                            yield await asyncio.to_thread(_read, output, job.target, proxy)
                            return
                _report_crash(errors, job)
                raise _engine_failure("LIGHTHOUSE_CRASHED", "Lighthouse ended without a result.")


def _environment(folder: Path) -> dict[str, str]:
    """No more than programs need: our own environment holds secrets, and may name another proxy."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "FONTCONFIG_FILE") if name in os.environ}
    return kept | {"HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}


def _as_json(job: Job, proxy_port: int, folder: Path) -> bytes:
    return orjson.dumps(
        {
            "lighthouse": str(job.installation.lighthouse),
            "chrome": str(job.installation.chrome),
            "chromeFlags": chrome_flags(proxy_port, folder / "profile"),
            "url": job.url,
            "origin": job.origin,
            "headers": dict(job.headers),
            "cookies": dict(job.cookies),
            "settings": dict(job.settings),
            "output": str(folder / "lhr.json"),
        }
    )


async def _tell(process: Process, job: bytes) -> None:
    """Hands the job over. Stdin stays open: the runner takes its end for our death."""
    assert process.stdin is not None
    try:
        process.stdin.write(job + b"\n")
        await process.stdin.drain()
    except OSError:
        return  # it has ended already, and the end of its output will tell


async def _steps(process: Process, ends: float) -> AsyncGenerator[Mapping[str, Any], None]:
    """What the runner says, a line a step, until its output ends. Raises EngineFailure DEADLINE_EXCEEDED."""
    assert process.stdout is not None
    while True:
        try:
            async with asyncio.timeout_at(ends):
                line = await process.stdout.readline()
        except TimeoutError as error:
            message = "Lighthouse did not finish in the time that a run is given."
            raise _engine_failure("DEADLINE_EXCEEDED", message) from error
        if not line:
            return
        step = parse_object(line)
        if step is not None:
            yield step


def _read(output: Path, target: Target, proxy: GuardedProxy) -> RunResult:
    if output.stat().st_size > MAX_RESULT_BYTES:
        raise _engine_failure("RESULT_TOO_LARGE", "Lighthouse's result is larger than 64 MB.")
    lhr = parse_object(output.read_bytes())
    if lhr is None:
        raise _engine_failure("RESULT_UNREADABLE", "Lighthouse's result is not JSON.")
    try:
        return read_lhr(lhr)
    except EngineFailure as failure:
        better = _known_better(failure, lhr, target, proxy)
        if better is None:
            raise
        raise better from failure


def _known_better(failure: EngineFailure, lhr: Mapping[str, Any], target: Target, proxy: GuardedProxy) -> EngineFailure | None:
    """The proxy's reason why the document could not be fetched, where Lighthouse only saw that it was not."""
    if failure.kind is not FailureKind.PAGE:
        return None
    for document in (target, _target(text(lhr.get("mainDocumentUrl"), 4096))):
        if document in proxy.failures:
            return proxy.failures[document]
    if failure.code == "CHROME_INTERSTITIAL_ERROR":
        # The browser's error page stands where the document should: nothing else was asked for.
        return next(iter(proxy.failures.values()), None)
    return None


def _target(url: str) -> Target | None:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        return None


def _failed(failed: Mapping[str, Any]) -> EngineFailure:
    """A failure that the runner itself tells."""
    match text(failed.get("code"), 60):
        case "CHROME_NOT_STARTED":
            message = "Chromium could not be started; check that the program found as Chromium works."
            return EngineFailure(FailureKind.CONFIGURATION, "CHROME_NOT_STARTED", message)
        case "CHROME_EXITED":
            return _engine_failure("CHROME_EXITED", "Chromium ended before the measurement was done.")
        case code:
            return failure_of(code, text(failed.get("message"), 500))


def _engine_failure(code: str, message: str) -> EngineFailure:
    return EngineFailure(FailureKind.ENGINE, code, message, retryable=True)


def _report_crash(errors: Path, job: Job) -> None:
    """Node's own words go to the log, not to a user: they name files. With an access they might hold its secrets."""
    if not job.headers and not job.cookies:
        _log.warning("lighthouse ended early: %s", text(errors.read_bytes()[-2000:].decode("utf-8", "replace"), 2000))
