"""Runs `pacemark` as a user does: a program of its own, in an empty folder, with no settings but those given."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PACEMARK = Path(sysconfig.get_path("scripts")) / "pacemark"
PATIENCE_SECONDS = 40.0


def environment(home: Path, **settings: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home), **{f"PACEMARK_{name.upper()}": value for name, value in settings.items()}}


def pacemark(
    home: Path, *words: str, program: Path = PACEMARK, patience: float = PATIENCE_SECONDS, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, in the folder `home`."""
    return subprocess.run(
        [program, *words],
        cwd=home,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


@dataclass
class Server:
    """A `pacemark` that stays. `lines` are what it printed until it was ready."""

    process: subprocess.Popen[str]
    lines: list[str]
    errors: Path

    @property
    def url(self) -> str:
        """The address of GraphQL."""
        return self.lines[-1].removeprefix("ready ")

    @property
    def base(self) -> str:
        return self.url.removesuffix("/graphql")

    @property
    def key(self) -> str:
        return next(line.split()[-1] for line in self.lines if "API key" in line)

    def query(self, text: str, key: str | None = None, **variables: Any) -> Any:
        """The data of an operation that has no errors."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        answer = httpx.post(self.url, json={"query": text, "variables": variables}, headers=headers, timeout=20).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 10.0) -> int:
        """Its exit status. Raises TimeoutExpired when it takes longer."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def staying(
    home: Path, command: str, *words: str, program: Path = PACEMARK, answers: bool = True, **settings: str
) -> Iterator[Server]:
    """`pacemark up`, `serve` (on a free port) or `worker` (which does not answer), stopped in the end."""
    errors = home / f"{command}-{time.monotonic_ns()}.log"
    port = ("--port", "0") if answers else ()
    with errors.open("w") as log:
        process = subprocess.Popen(
            [program, command, *port, *words],
            cwd=home,
            env=environment(home, **settings),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        while answers and not (lines and lines[-1].startswith("ready ")):
            line = process.stdout.readline()
            assert line, f"pacemark {command} ended: {errors.read_text()}"
            lines.append(line.rstrip("\n"))
        yield Server(process, lines, errors)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()


def until(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """What the condition gave when it was first true. Raises AssertionError when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("this did not come about in time")
