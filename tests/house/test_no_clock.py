"""The domain is told the time (`work.now`) and never looks at a clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .code import python_files, tree

CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"},
    "func": {"now", "current_timestamp"},
}
ALLOWED = {
    Path("domain/ids.py"): "a UUIDv7 holds the time at which it was made",
    Path("domain/accounts/signing.py"): "tokens are made and read outside of any unit of work",
    Path("domain/actors/queries.py"): "whether somebody is signed in is read outside of any unit of work",
    Path("domain/keys/queries.py"): "whether a key is good is read outside of any unit of work",
}


def clocks(module: ast.Module) -> Iterator[str]:
    """Every look at a clock, ours or the database's."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).rpartition(".")[2]
            if node.attr in CLOCKS.get(owner, ()):
                yield f"{node.lineno} {owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"{node.lineno} {alias.name}" for alias in node.names if alias.name in CLOCKS["time"])


def test_nothing_in_the_domain_looks_at_a_clock() -> None:
    looking = {path for path in python_files("domain") if list(clocks(tree(path)))}
    assert looking == set(ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "time.time()",
        "from time import monotonic",
        "mapped_column(default=datetime.now)",
        "func.now()",
    ],
)
def test_a_look_at_a_clock_is_seen(line: str) -> None:
    assert len(list(clocks(ast.parse(line)))) == 1


def test_a_time_that_was_given_is_no_clock() -> None:
    assert list(clocks(ast.parse("work.now - timedelta(hours=24); datetime.fromisoformat(text)"))) == []
