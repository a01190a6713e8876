"""The README's first screen is true: its commands run, and its query gives its answer, numbers of the moment aside."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.app.running import pacemark, staying

README = (Path(__file__).parents[2] / "README.md").read_text()
MOMENTARY = {"ttfbMs", "pageLoadMs", "transferBytes"}


def block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)[0]


def settled(value: Any, origin: str) -> Any:
    """The answer without what differs from machine to machine."""
    if isinstance(value, dict):
        return {name: "a number" if name in MOMENTARY and each > 0 else settled(each, origin) for name, each in value.items()}
    if isinstance(value, list):
        return [settled(each, origin) for each in value]
    return "the origin" if value == origin else value


@pytest.mark.slow
def test_the_first_screen_is_true(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with staying(tmp_path, "up", "--data", data) as up:
        assert up.lines[-1] == f"ready {up.url}"
        audited = pacemark(tmp_path, "audit", up.url, "--data", data)
        assert audited.returncode == 0, audited.stderr
        told = {"data": up.query(block("graphql"))}
    assert settled(told, up.base) == settled(json.loads(block("json")), "http://127.0.0.1:8000")


@pytest.mark.slow
def test_the_commands_for_production_work_as_written(tmp_path: Path) -> None:
    """In the README's order, with a port of its own in the place of 8000."""
    production = README[README.index("## In production") :]
    _, start, use = re.findall(r"```sh\n(.*?)```", production, re.DOTALL)
    with services(tmp_path / "data") as env:
        settings = {line.partition("=")[0]: shlex.split(line.partition("=")[2])[0] for line in env}
        named = {name.removeprefix("export PACEMARK_").lower(): value for name, value in settings.items()}
        refused = pacemark(tmp_path, "serve", "--port", "0", **named)
        assert refused.stderr.endswith("Run: pacemark migrate\n")
        words = [line.replace(" &", "").split()[1:] for line in start.splitlines() if "pacemark" in line]
        assert words == [["migrate"], ["worker"], ["scheduler"], ["serve"]]
        migrated = pacemark(tmp_path, "migrate", **named)
        assert migrated.returncode == 0, migrated.stderr
        with (
            staying(tmp_path, "worker", answers=False, **named),
            staying(tmp_path, "scheduler", answers=False, **named),
            staying(tmp_path, "serve", **named) as api,
        ):
            create, audit, status = (line.split()[1:] for line in use.splitlines() if "pacemark" in line)
            key = pacemark(tmp_path, *create, **named)
            assert key.returncode == 0, key.stderr
            audited = pacemark(tmp_path, *(word.replace(":8000", f":{api.base.rpartition(':')[2]}") for word in audit), **named)
            assert audited.returncode == 0, audited.stderr
            told = api.query(block("graphql"), key=key.stdout.strip())
            assert settled(told, api.base) == settled(json.loads(block("json")), "http://127.0.0.1:8000")["data"]
            shown = pacemark(tmp_path, *status, **named)
            assert shown.returncode == 0, shown.stderr


@contextmanager
def services(data: Path) -> Iterator[list[str]]:
    """`make services`; gives the lines of the settings that it wrote."""
    command = [sys.executable, "-m", "tests.services", "--data", str(data)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        last = [process.stdout.readline() for _ in range(2)][-1]
        assert last == f"ready . {data / 'services.env'}\n"
        yield (data / "services.env").read_text().splitlines()
    finally:
        process.terminate()
        assert process.wait(40) == 0
        process.stdout.close()


def test_every_file_that_it_names_is_there() -> None:
    root = Path(__file__).parents[2]
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (root / name).exists(), name
