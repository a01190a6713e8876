"""Runs a client's program in Node, and talks with it: one JSON value a line."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

HERE = Path(__file__).parent
PATIENCE_SECONDS = 60.0


class Driven:
    """A program that runs one of its scenarios."""

    def __init__(self, process: subprocess.Popen[str], errors: TextIO) -> None:
        self._process = process
        self._errors = errors

    def hear(self) -> Any:
        """What it says next. Raises AssertionError with its errors when it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"It ended: {self.errors()} {self._process.returncode}"
        return json.loads(line)

    def rest(self) -> list[Any]:
        """All that it says until it has nothing more to say."""
        return list(iter(self.hear, None))

    def tell(self, value: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def errors(self) -> str:
        self._process.wait(PATIENCE_SECONDS)
        self._errors.seek(0)
        return self._errors.read()


@contextmanager
def driven(script: str, scenario: str, **given: Any) -> Iterator[Driven]:
    """It ends well and without a word on standard error, or the test fails."""
    command = ["node", str(HERE / script), scenario, json.dumps(given)]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=HERE)
        try:
            running = Driven(process, errors)
            yield running
            assert (running.errors(), process.returncode) == ("", 0)
        finally:
            process.kill()
            process.communicate()


def told(script: str, scenario: str, **given: Any) -> Any:
    """What a scenario comes to that needs nobody to talk with."""
    with driven(script, scenario, **given) as running:
        return running.hear()


def build(tool: str, *words: str, at: Path) -> str:
    """What a build tool of the packages' printed, run in the folder `at`. Raises AssertionError with that when it fails."""
    command = [HERE / "node_modules" / ".bin" / tool, *words]
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
