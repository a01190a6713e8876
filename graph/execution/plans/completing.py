"""From what resolvers gave to what stands in the answer, for all values of a level at once.

https://spec.graphql.org/September2025/#sec-Value-Completion, with graphql-core's words for what goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLAbstractType,
    GraphQLLeafType,
    GraphQLObjectType,
    Undefined,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import inspect
from strawberry.execution import optimized_is_awaitable

from domain.base import whole

from .fields import Completer, Field
from .places import Places, Some
from .run import Late, Run, Waiting, together

if TYPE_CHECKING:
    from .selecting import Selection


MOST_TYPES = 20
"""What a plan remembers of the types of its objects, which are few at a time; those of rows are made again now and then."""


class Leaves:
    """Scalars and enums."""

    columns: frozenset[str] | None = frozenset()

    def __init__(self, type: GraphQLLeafType, *, nullable: bool) -> None:
        self._type = type
        self._nullable = nullable

    def complete(
        self, run: Run, field: Field, values: Sequence[Any], places: Places, waits: list[Waiting], lates: list[Late]
    ) -> list[Any]:
        done = []
        for index, value in enumerate(values):
            found, fault = None, _fault(value, field, nullable=self._nullable)
            if fault is None and value is not None and value is not Undefined:
                try:
                    found = coerced(self._type, value)
                except Exception as error:
                    fault = error
            if fault is not None:
                run.failed(fault, field, places, index, nullable=self._nullable)
            done.append(found)
        return done


class Objects:
    """Objects of one type."""

    def __init__(self, type: GraphQLObjectType, selecting: Selection, *, nullable: bool) -> None:
        self._type = type
        self.selecting = selecting
        self._nullable = nullable
        self._good: set[Any] = set()
        """Classes of which every value is one of them, and whole."""

    @property
    def columns(self) -> frozenset[str] | None:
        return self.selecting.columns

    @property
    def is_sure(self) -> bool:
        """Whether whatever is there is one, and none may be missing."""
        return self._type.is_type_of is None and not self._nullable

    def complete(
        self, run: Run, field: Field, values: Sequence[Any], places: Places, waits: list[Waiting], lates: list[Late]
    ) -> list[Any]:
        classes = set(map(type, values))
        if classes <= self._good:
            return self.selecting.select(run, values, places, waits)
        chosen = those_present(run, field, values, places, nullable=self._nullable)
        if self._type.is_type_of is not None:
            chosen = self._of_the_type(run, field, values, chosen, places, lates)
        if len(chosen) == len(values):
            if self._type.is_type_of is None:
                self._remember(classes)
            return self.selecting.select(run, values, places, waits)
        done: list[Any] = [None] * len(values)
        if chosen:
            found = self.selecting.select(run, [values[index] for index in chosen], Some(places, chosen), waits)
            for index, out in zip(chosen, found, strict=True):
                done[index] = out
        return done

    def _remember(self, classes: set[type]) -> None:
        if len(self._good) >= MOST_TYPES:
            self._good.clear()
        self._good |= classes

    def _of_the_type(
        self, run: Run, field: Field, values: Sequence[Any], chosen: Sequence[int], places: Places, lates: list[Late]
    ) -> Sequence[int]:
        is_type_of: Any = self._type.is_type_of
        rows = getattr(is_type_of, "rows", None)
        if rows is not None:
            classes = {type(values[index]) for index in chosen}
            if all(whole(each) in rows for each in classes):
                self._remember(classes)
                return chosen
        good = []
        for index in chosen:
            try:
                found = is_type_of(values[index], run.info(field, places, index))
                if optimized_is_awaitable(found):
                    run.hold([found])
                    lates.append(Late(index, partial(self._later, run, field, found, values[index], Some(places, [index]))))
                elif found:
                    good.append(index)
                else:
                    raise invalid_return_type_error(self._type, values[index], _details(field))
            except Exception as error:
                run.failed(error, field, places, index, nullable=self._nullable)
        return good

    async def _later(self, run: Run, field: Field, found: Any, value: Any, places: Places) -> Any:
        try:
            if not await found:
                raise invalid_return_type_error(self._type, value, _details(field))
        except Exception as error:
            run.failed(error, field, places, 0, nullable=self._nullable)
            return None
        waits: list[Waiting] = []
        (done,) = self.selecting.select(run, [value], places, waits)
        await together(waits)
        return done


class Abstracts:
    """Objects of several types: each type's together."""

    columns: frozenset[str] | None = None

    def __init__(
        self,
        type: GraphQLAbstractType,
        objects: Callable[[GraphQLObjectType], Completer],
        *,
        nullable: bool,
    ) -> None:
        self.type = type
        self._objects = objects
        self._known: dict[GraphQLObjectType, Completer] = {}
        self._nullable = nullable

    def complete(
        self, run: Run, field: Field, values: Sequence[Any], places: Places, waits: list[Waiting], lates: list[Late]
    ) -> list[Any]:
        groups: dict[GraphQLObjectType, list[int]] = {}
        resolve = self.type.resolve_type or run.executor.type_resolver
        for index in those_present(run, field, values, places, nullable=self._nullable):
            try:
                info = run.info(field, places, index)
                found: Any = resolve(values[index], info, self.type)
                if optimized_is_awaitable(found):
                    run.hold([found])
                    later = partial(self._later, run, field, found, values[index], Some(places, [index]))
                    lates.append(Late(index, later))
                else:
                    groups.setdefault(self._valid(run, field, found, info, values[index]), []).append(index)
            except Exception as error:
                run.failed(error, field, places, index, nullable=self._nullable)
        done: list[Any] = [None] * len(values)
        for type, chosen in groups.items():
            inner: list[Late] = []
            several = [values[index] for index in chosen]
            found = self.of(type).complete(run, field, several, Some(places, chosen), waits, inner)
            for index, out in zip(chosen, found, strict=True):
                done[index] = out
            lates += [Late(chosen[late.place], late.complete) for late in inner]
        return done

    async def _later(self, run: Run, field: Field, found: Any, value: Any, places: Places) -> Any:
        try:
            type = self._valid(run, field, await found, run.info(field, places, 0), value)
        except Exception as error:
            run.failed(error, field, places, 0, nullable=self._nullable)
            return None
        return await completed(self.of(type), run, field, value, places)

    def of(self, type: GraphQLObjectType) -> Completer:
        """Those of one of the possible types."""
        known = self._known.get(type)
        if known is None:
            known = self._known[type] = self._objects(type)
        return known

    def _valid(self, run: Run, field: Field, name: Any, info: Any, value: Any) -> GraphQLObjectType:
        return run.executor.ensure_valid_runtime_type(name, self.type, _details(field), info, value)


async def completed(completer: Completer, run: Run, field: Field, value: Any, places: Places) -> Any:
    """One value by itself, to its end."""
    waits: list[Waiting] = []
    lates: list[Late] = []
    (done,) = completer.complete(run, field, [value], places, waits, lates)
    for late in lates:
        done = await late.complete()
    await together(waits)
    return done


def coerced(type: GraphQLLeafType, value: Any) -> Any:
    """As it stands in the answer. Raises for what is no such value."""
    found = type.coerce_output_value(value)
    if found is None or found is Undefined:
        raise TypeError(
            f"Expected `{inspect(type)}.coerce_output_value({inspect(value)})` "
            f"to return non-nullable value, returned: {inspect(found)}"
        )
    return found


def _fault(value: Any, field: Field, *, nullable: bool) -> Exception | None:
    """What the resolver raised, or that a value is missing.

    It is not raised again: a batch's error is that of all its keys, and its traceback would grow with each of them.
    """
    if isinstance(value, Exception):
        return value
    if nullable or (value is not None and value is not Undefined):
        return None
    return TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.nodes[0].name.value}.")


def those_present(run: Run, field: Field, values: Sequence[Any], places: Places, *, nullable: bool) -> Sequence[int]:
    chosen = []
    for index, value in enumerate(values):
        if value is None or value is Undefined or isinstance(value, Exception):
            fault = _fault(value, field, nullable=nullable)
            if fault is not None:
                run.failed(fault, field, places, index, nullable=nullable)
        else:
            chosen.append(index)
    return chosen


def _details(field: Field) -> Any:
    """graphql-core's list of them, of which it reads the nodes alone."""
    return [FieldDetails(node, None, None) for node in field.nodes]
