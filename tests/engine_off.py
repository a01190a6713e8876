"""`make test ARGS=--engine-off`: graphql-core executes everything, as where PACEMARK_COMPILE_QUERIES is false."""

from __future__ import annotations

import os
from typing import Any

import pytest

from graph.execution.engine import Engine

OF_PLANS = ("tests/graph/execution/", "tests/app/test_explain.py")
"""What is about nothing else."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine-off", action="store_true", help="execute everything by graphql-core, as PACEMARK_COMPILE_QUERIES=false has it"
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("engine_off"):
        return
    os.environ["PACEMARK_COMPILE_QUERIES"] = "false"
    made = Engine.__init__

    def never_compiling(engine: Engine, schema: Any, *, compiling: bool) -> None:
        made(engine, schema, compiling=False)

    pytest.MonkeyPatch().setattr(Engine, "__init__", never_compiling)


def without_plans(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("engine_off"):
        left_out = [item for item in items if item.nodeid.startswith(OF_PLANS)]
        items[:] = [item for item in items if item not in set(left_out)]
        config.hook.pytest_deselected(items=left_out)
