"""A pytest plugin for graphql-core's own tests: what they execute is executed by plans, and how is written down.

It is loaded by its bare name, in a process of their own: their package has the name of ours.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Awaitable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import graphql
import graphql.execution
import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    assert_valid_schema,
)
from graphql.execution import Executor, map_source_to_response_event

from graph.execution.plans import Plan, Plans, Run

PLAN = "plan"
"""Executed by a plan."""
CORE = "core"
"""Left to graphql-core."""
REFUSED = "refused"
"""Not executed: the variables are not what the operation takes."""

_by_core = graphql.execution.execute
_by_core_at_once = graphql.execution.execute_sync
_SYNC = "GraphQL execution failed to complete synchronously."
_KNOWN = {
    *("root_value", "context_value", "variable_values", "operation_name"),
    *("field_resolver", "type_resolver", "hide_suggestions"),
}
"""Arguments of graphql-core's that plans, and the executors that they build, know too."""

_executions: list[str] = []
_tests: dict[str, dict[str, Any]] = {}


class _Execution:
    """One operation. `core` executes it as graphql-core does, at once or not."""

    def __init__(self, core: Any, schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any]) -> None:
        self._core = partial(core, schema, document, **given)
        self._schema = schema
        self._document = document
        self._given = given
        self._number = len(_executions)
        _executions.append(CORE)

    def execute(self) -> ExecutionResult | Awaitable[ExecutionResult]:
        begun = self._begun()
        if begun is None or isinstance(begun, ExecutionResult):
            return begun or self._core()
        plan, run = begun
        self._is(PLAN)
        data = plan.execute(run)
        return _awaited(run, data) if inspect.iscoroutine(data) else ExecutionResult(data, run.errors or None)

    def _begun(self) -> tuple[Plan, Run] | ExecutionResult | None:
        """None for what plans do not cover, and where there is something to complain of before anything is executed."""
        name = self._given.get("operation_name")
        operations = [each for each in self._document.definitions if isinstance(each, OperationDefinitionNode)]
        chosen = [each.operation for each in operations if name is None or (each.name and each.name.value == name)]
        if len(chosen) != 1 or OperationType.SUBSCRIPTION in chosen or self._given.keys() - _KNOWN:
            return None
        assert_valid_schema(self._schema)
        plans = Plans(self._schema, self._document, name)
        strict = self._given.get("hide_suggestions", False)
        given = self._given.get("variable_values") or {}
        variables = plans.variables.coerce(given, max_errors=None, hide_suggestions=strict)
        if isinstance(variables, list):
            self._is(REFUSED)
            return ExecutionResult(None, variables)
        plan = plans.get(variables)
        if plan is None:
            return None
        context, root = self._given.get("context_value"), self._given.get("root_value")
        return plan, Run(self._built, context, variables, root, hide_suggestions=strict)

    def _built(self) -> Executor[Any]:
        given = dict(self._given)
        built = Executor.build(self._schema, self._document, raw_variable_values=given.pop("variable_values", None), **given)
        assert isinstance(built, Executor)
        return built

    def _is(self, how: str) -> None:
        _executions[self._number] = how


async def _awaited(run: Run, data: Awaitable[dict[str, Any]]) -> ExecutionResult:
    return ExecutionResult(await data, run.errors or None)


def _execute(schema: GraphQLSchema, document: DocumentNode, *further: Any, **named: Any) -> Any:
    return _Execution(_by_core, schema, document, _named(_by_core, schema, document, *further, **named)).execute()


def _execute_sync(schema: GraphQLSchema, document: DocumentNode, *further: Any, **named: Any) -> Any:
    given = _named(_by_core_at_once, schema, document, *further, **named)
    result = _Execution(_by_core_at_once, schema, document, given).execute()
    if not isinstance(result, ExecutionResult):
        if inspect.iscoroutine(result):
            result.close()
        raise RuntimeError(_SYNC)
    return result


def _named(function: Any, *further: Any, **named: Any) -> dict[str, Any]:
    """Those after the schema and the document that say more than their defaults."""
    signature = inspect.signature(function)
    given = signature.bind(*further, **named).arguments
    return {name: value for name, value in list(given.items())[2:] if value is not signature.parameters[name].default}


def _by_harness(schema: GraphQLSchema, document: DocumentNode, *further: Any, **named: Any) -> Any:
    """As graphql_sync() calls it: told that there is nothing to await."""
    given = _named(_by_core, schema, document, *further, **named)
    return _execute_sync(schema, document, **{name: value for name, value in given.items() if not name.startswith("is_a")})


def _execute_event(executor: Executor[Any]) -> Any:
    """One event of a subscription: its value is the root's."""
    _executions.append(CORE)
    number, operation = len(_executions) - 1, executor.operation
    name = operation.name.value if operation.name else None
    document = DocumentNode(definitions=(operation, *executor.fragment_definitions.values()))
    plan = Plans(executor.schema, document, name).get(executor.variable_values)
    if plan is None:
        return executor.execute_operation(serially=False)
    _executions[number] = PLAN
    strict, context = executor.hide_suggestions, executor.context_value
    run = Run(lambda: executor, context, executor.variable_values, executor.root_value, hide_suggestions=strict)
    data = plan.execute(run)
    return _awaited(run, data) if inspect.iscoroutine(data) else ExecutionResult(data, run.errors or None)


map_source_to_response_event.__defaults__ = (_execute_event,)
graphql.execution.execute = _execute
graphql.execution.execute_sync = _execute_sync
graphql.graphql_sync = partial(graphql.graphql_sync, harness=graphql.default_harness._replace(execute=_by_harness))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    _executions.clear()
    _tests[item.nodeid] = {"failed": None}
    ended = yield
    _tests[item.nodeid]["executions"] = list(_executions)
    return ended


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome != "passed":
        _tests[report.nodeid]["failed"] = report.longreprtext


def pytest_sessionfinish() -> None:
    Path(os.environ["EXECUTIONS"]).write_text(json.dumps(_tests), encoding="utf-8")
