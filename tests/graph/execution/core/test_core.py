"""graphql-core's own tests pass through plans, and how each of them was executed is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .fetching import ROOT, unpack
from .left_out import LEFT_OUT

pytestmark = pytest.mark.slow

MODULES = (
    *("abstract", "directives", "lists", "mutations", "nonnull", "oneof", "parallel"),
    *("resolve", "schema", "subscribe", "union_interface", "variables"),
)
COMPILED = 186
"""How many of their tests pass with everything that they execute executed by plans, at least."""
PLUGINS = ("no:cacheprovider", "anyio.pytest_plugin", "pytest_describe.plugin", "running")


@pytest.fixture(scope="module")
def tests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What became of each of theirs, by a short name: the executions, and why it failed if it did."""
    folder = tmp_path_factory.mktemp("core")
    unpack(request.config.cache.mkdir("graphql-core"), folder)
    told = folder / "executions.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    paths = [folder, Path(__file__).parent, ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment |= {
        "EXECUTIONS": str(told),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    plugins = [part for plugin in PLUGINS for part in ("-p", plugin)]
    files = [f"tests/execution/test_{module}.py" for module in MODULES]
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-o", "addopts=", "--tb=short", *plugins, *files]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert told.exists(), ended.stdout + ended.stderr
    named = json.loads(told.read_text(encoding="utf-8"))
    found = {_short(name): test for name, test in named.items()}
    assert len(found) == len(named), "Two of their tests have the same short name."
    return found


def _short(name: str) -> str:
    """`nonnull/nulls_the_top_level/throws` for a test in the last of the blocks that it stands in."""
    file, *blocks, test = name.split("::")
    return "/".join([Path(file).stem, *blocks[-1:], test]).replace("test_", "").replace("describe_", "")


def how(test: Mapping[str, Any]) -> str:
    """`plan` where plans executed everything to its end; otherwise what kept it from that."""
    if test["failed"]:
        return "fails"
    kinds = set(test["executions"])
    return next((kind for kind in ("core", "refused", "plan") if kind in kinds), "nothing")


def test_each_of_their_tests_passes_by_plans_or_is_left_out_for_a_reason(tests: Mapping[str, Any]) -> None:
    listed = {name: group.how for group in LEFT_OUT for name in group.tests}
    assert len(listed) == sum(len(group.tests) for group in LEFT_OUT)
    found = {name: kind for name, test in tests.items() if (kind := how(test)) != "plan"}
    failures = [f"{name}\n{test['failed']}" for name, test in tests.items() if test["failed"] and listed.get(name) != "fails"]
    assert found == listed, "\n\n".join(failures)


def test_those_that_are_compiled_become_no_fewer(tests: Mapping[str, Any]) -> None:
    kinds = Counter(map(how, tests.values()))
    print(f"Of graphql-core's {len(tests)} tests, plans execute {kinds['plan']}.")
    for group in LEFT_OUT:
        print(f"{len(group.tests):4} {group.how}: {group.reason}")
    assert kinds["plan"] >= COMPILED
