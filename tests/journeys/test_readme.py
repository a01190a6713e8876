"""The README's first screen is true: its commands run, and its query gives its answer, numbers of the moment aside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

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


def test_the_first_screen_is_true(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with staying(tmp_path, "up", "--data", data) as up:
        assert up.lines[-1] == f"ready {up.url}"
        audited = pacemark(tmp_path, "audit", up.url, "--data", data)
        assert audited.returncode == 0, audited.stderr
        told = {"data": up.query(block("graphql"))}
    assert settled(told, up.base) == settled(json.loads(block("json")), "http://127.0.0.1:8000")


def test_every_file_that_it_names_is_there() -> None:
    root = Path(__file__).parents[2]
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (root / name).exists(), name
