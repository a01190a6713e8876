"""What a command says of itself is shown whole: nothing of it is taken for markup, as words in square brackets are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from app import cli

WIDE = {"COLUMNS": "300", "TERMINAL_WIDTH": "300"}
_FRAMES = re.compile("[│╭╮╰╯─]")


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    if isinstance(command, TyperGroup):
        for name, found in command.commands.items():
            yield from commands(found, *path, name)


def flat(text: str) -> str:
    return " ".join(_FRAMES.sub(" ", text).split())


def test_every_help_text_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WIDE.items():
        monkeypatch.setenv(name, value)
    runner, lost, seen = CliRunner(), [], 0
    for path, command in commands(typer.main.get_command(cli.app)):
        shown = flat(runner.invoke(cli.app, [*path, "--help"], color=False).output)
        helps = [(each.name, getattr(each, "help", None)) for each in command.params if not getattr(each, "hidden", False)]
        seen += len(helps)
        lost += [f"{' '.join(path)}: {name}: {help}" for name, help in helps if help and flat(help) not in shown]
    assert seen > 100
    assert lost == []
