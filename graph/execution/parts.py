"""Deferred parts of an answer, in the two shapes that clients read.

`incrementalSpec=v0.2` is what graphql-core says; `deferSpec=20220824` is what came before it, which Apollo's clients, urql
and Relay read: there a part names its path and label itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from enum import StrEnum
from typing import Any, NamedTuple

from graphql import (
    ExecutionResult,
    GraphQLError,
    InitialIncrementalExecutionResult,
    SubsequentIncrementalExecutionResult,
)
from graphql.execution import ExperimentalIncrementalExecutionResults

from ..errors import shown


class Shape(StrEnum):
    """The parameter of `multipart/mixed` by which it is asked for."""

    LEGACY = "deferSpec=20220824"
    CURRENT = "incrementalSpec=v0.2"


class Frame(NamedTuple):
    """One part as it is sent, the data in it, and its errors as the client sees them."""

    said: dict[str, Any]
    data: list[Any]
    errors: list[GraphQLError]


async def frames(said: ExecutionResult | ExperimentalIncrementalExecutionResults) -> AsyncGenerator[Frame, None]:
    """All parts of an answer, the first of them alone where nothing was deferred after all."""
    if isinstance(said, ExecutionResult):
        said.errors = [shown(error) for error in said.errors or ()] or None
        yield Frame({**said.formatted, "hasNext": False}, [said.data], said.errors or [])
        return
    yield _frame(said.initial_result)
    async with aclosing(said.subsequent_results) as following:
        async for part in following:
            yield _frame(part)


def _frame(part: InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult) -> Frame:
    errors: list[GraphQLError] = []
    for each in _with_errors(part):
        each.errors = [shown(error) for error in each.errors]
        errors += each.errors
    said: dict[str, Any] = dict(part.formatted)
    return Frame(said, [said.get("data"), *(each.get("data") for each in said.get("incremental", ()))], errors)


def _with_errors(part: InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult) -> Iterator[Any]:
    inner = (
        [part] if isinstance(part, InitialIncrementalExecutionResult) else [*(part.incremental or ()), *(part.completed or ())]
    )
    return (each for each in inner if each.errors)


class Legacy:
    """Frames of one answer in the older shape: what is pending is remembered by its id."""

    def __init__(self) -> None:
        self._pending: dict[str, Mapping[str, Any]] = {}

    def frame(self, said: Mapping[str, Any]) -> dict[str, Any]:
        self._pending.update({each["id"]: each for each in said.get("pending", ())})
        parts = [self._part(each) for each in said.get("incremental", ())]
        parts += [
            {"data": None, "errors": each["errors"], **self._place(each["id"])}
            for each in said.get("completed", ())
            if each.get("errors")
        ]
        frame = {name: value for name, value in said.items() if name in ("data", "errors", "extensions", "hasNext")}
        return {**frame, "incremental": parts} if parts else frame

    def _part(self, said: Mapping[str, Any]) -> dict[str, Any]:
        place = self._place(said["id"])
        place["path"] = [*place["path"], *said.get("subPath", ())]
        return {**{name: value for name, value in said.items() if name in ("data", "errors")}, **place}

    def _place(self, id: str) -> dict[str, Any]:
        pending = self._pending[id]
        return {"path": list(pending["path"]), **({"label": pending["label"]} if "label" in pending else {})}
