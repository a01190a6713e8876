"""One field of a selection set: read from all objects of a level, then completed for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from graphql import FieldNode, GraphQLField, GraphQLNonNull, GraphQLObjectType

from .places import Places, Under
from .run import Late, Run, Settled, Waiting, may_wait, together


class Completer(Protocol):
    """Makes of values what stands in the answer."""

    @property
    def columns(self) -> frozenset[str] | None:
        """All that it reads of the values, where they are rows; None where it does not know."""
        ...

    def complete(
        self, run: Run, field: Field, values: Sequence[Any], places: Places, waits: list[Waiting], lates: list[Late]
    ) -> list[Any]:
        """One for each, an exception among them for what was raised.

        What must be awaited before there is anything to stand there is added to `lates`, and what is to be written into
        it later to `waits`.
        """
        ...


class Reader(Protocol):
    """How a field's values come from its objects."""

    columns_read: frozenset[str] | None
    """All that it reads of the objects itself, where they are rows; None where it does not know."""

    passes: bool
    """Whether its values may be rows of the same columns: the object itself, or what stands in it."""

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any] | Awaitable[list[Any]]:
        """One for each object: what may have to be awaited, and exceptions, among them; or what gives all of them."""
        ...


class Field:
    """`arguments` are None where they depend on the variables."""

    __slots__ = ("arguments", "completer", "definition", "key", "nodes", "nullable", "parent", "read")

    def __init__(
        self,
        key: str,
        nodes: list[FieldNode],
        definition: GraphQLField,
        parent: GraphQLObjectType,
        read: Reader,
        completer: Completer,
        arguments: Mapping[str, Any] | None,
    ) -> None:
        self.key = key
        self.nodes = nodes
        self.definition = definition
        self.nullable = not isinstance(definition.type, GraphQLNonNull)
        self.parent = parent
        self.read = read
        self.completer = completer
        self.arguments = arguments

    @property
    def columns(self) -> frozenset[str] | None:
        """All that is read of the objects for it, where they are rows; None where that is not known."""
        own, below = self.read.columns_read, self.completer.columns if self.read.passes else frozenset()
        return own | below if own is not None and below is not None else None

    def fill(
        self, run: Run, sources: Sequence[Any], outs: Sequence[dict[str, Any]], places: Places, waits: list[Waiting]
    ) -> None:
        """Write it into what stands for each of the objects, now or later."""
        values = self.read(run, self, sources, places)
        if not isinstance(values, list):
            run.hold([values])
            waits.append(_Awaited(self, run, values, outs, places))
        elif may_wait(values):
            run.hold(values)
            waits.append(_Awaited(self, run, Settled(values), outs, places))
        else:
            self.complete(run, values, outs, places, waits)

    def complete(
        self, run: Run, values: Sequence[Any], outs: Sequence[dict[str, Any]], places: Places, waits: list[Waiting]
    ) -> None:
        lates: list[Late] = []
        key = self.key
        within = Under(places, key, nullable=self.nullable)
        for out, value in zip(outs, self.completer.complete(run, self, values, within, waits, lates), strict=True):
            out[key] = value
        waits += [Filling(late.complete, outs[late.place], key) for late in lates]


class _Awaited:
    """A field whose values are still to come."""

    __slots__ = ("_coming", "_field", "_outs", "_places", "_run")

    def __init__(
        self, field: Field, run: Run, coming: Awaitable[list[Any]], outs: Sequence[dict[str, Any]], places: Places
    ) -> None:
        self._field = field
        self._run = run
        self._coming = coming
        self._outs = outs
        self._places = places

    async def go_on(self) -> None:
        values = await self._coming
        waits: list[Waiting] = []
        self._field.complete(self._run, values, self._outs, self._places, waits)
        await together(waits)


class Filling:
    """A value that is complete later, and where it is then to stand."""

    __slots__ = ("_complete", "_key", "_out")

    def __init__(self, complete: Callable[[], Any], out: Any, key: str | int) -> None:
        self._complete = complete
        self._out = out
        self._key = key

    async def go_on(self) -> None:
        self._out[self._key] = await self._complete()
