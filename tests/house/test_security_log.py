"""Every kind of entry of the security log is written by some action, and some test looks for it there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from domain.security import SecurityKind

from .code import ROOT, python_files, tree

LOGS = ("security.log", "_log")


def logged(module: ast.Module) -> Iterator[str]:
    """The kinds that functions of the module log, by themselves or by a variable of their own."""
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            named = {
                target.id: node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in LOGS and len(call.args) > 1:
                    yield from _kinds(call.args[1], named)


def _kinds(value: ast.expr, named: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(value, ast.Name) and value.id in named:
        value = named[value.id]
    for node in ast.walk(value):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("SecurityKind"):
            yield node.attr


def looked_for(module: ast.Module) -> Iterator[str]:
    """The words of tests, but of those that log something themselves."""
    for test in module.body:
        nodes = list(ast.walk(test))
        if not any(isinstance(node, ast.Call) and ast.unparse(node.func) in ("security.log", "log") for node in nodes):
            yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_every_kind_is_written_by_an_action() -> None:
    paths = [path for path in python_files("domain") if path.parts[1] != "security"]
    assert {kind for path in paths for kind in logged(tree(path))} == {kind.name for kind in SecurityKind}


def test_every_kind_is_looked_for_by_a_test() -> None:
    """By its name in a suite of the domain's or the graph's."""
    files = (*python_files("tests/domain"), *python_files("tests/graph"))
    words = {word for path in files if (ROOT / path).name.startswith("test_") for word in looked_for(tree(path))}
    assert {kind.name for kind in SecurityKind} - words == set()


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("security.log(work, SecurityKind.A, user_id=id)", ["A"]),
        ("_log(work, security.SecurityKind.A, 1)", ["A"]),
        ("kind = SecurityKind.A if found else SecurityKind.B\n    _log(work, kind)", ["A", "B"]),
        ("kind = SecurityKind.A", []),
        ("other(work, SecurityKind.A)", []),
    ],
)
def test_what_is_written_is_seen(line: str, kinds: list[str]) -> None:
    assert list(logged(ast.parse(f"def act(work):\n    {line}"))) == kinds
