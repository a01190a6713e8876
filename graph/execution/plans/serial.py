"""The fields of a change, one after another: each is complete, with all that is below it, before the next begins.

https://spec.graphql.org/September2025/#sec-Normal-and-Serial-Execution
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .places import TOP
from .run import Run, Waiting, together
from .selecting import Selection


class Serial:
    """One execution of them. Each is called once: none is read with the others, and none again."""

    def __init__(self, root: Selection, run: Run) -> None:
        self._run = run
        self._fields = iter(root.fields)
        self._data: dict[str, Any] | None = root.blank()
        run.things += 1

    def execute(self) -> Any:
        """The data, or a coroutine of it."""
        waits = self._begun()
        return self._data if waits is None else self._further(waits)

    async def _further(self, waits: list[Waiting] | None) -> Mapping[str, Any] | None:
        run = self._run
        while waits is not None:
            try:
                await together(waits)
                await run.settle()
            except BaseException:
                run.close()
                raise
            self._judge()
            waits = self._begun()
        return self._data

    def _begun(self) -> list[Waiting] | None:
        """What is to be awaited before it goes on; None at the end, which comes early where a null takes everything with it."""
        run = self._run
        while self._data is not None and (field := next(self._fields, None)) is not None:
            waits: list[Waiting] = []
            try:
                field.fill(run, [run.root_value], [self._data], TOP, waits)
            except BaseException:
                run.close()
                raise
            run.begun()
            if waits or run.held:
                return waits
            self._judge()
        return None

    def _judge(self) -> None:
        assert self._data is not None
        self._data = self._run.judged(self._data)
