"""One execution of a plan: what it was given, the errors that it met, and what it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from graphql import GraphQLError, GraphQLResolveInfo
from graphql.error import located_error
from graphql.execution import Executor
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.execution import optimized_is_awaitable

from domain.base import whole

from .nulls import Null, spread
from .places import Place, Places

if TYPE_CHECKING:
    from .fields import Field


class Waiting(Protocol):
    """Work that goes on when something was awaited."""

    async def go_on(self) -> None: ...


class Late(NamedTuple):
    """A value that is complete only when something was awaited; which of a level's it is."""

    place: int
    complete: Callable[[], Awaitable[Any]]


class Run:
    """`build` makes graphql-core's executor of the same operation, which some resolvers are told of."""

    __slots__ = (
        "_arguments",
        "_at_once",
        "_build",
        "_executor",
        "_nulls",
        "_taken",
        "context",
        "errors",
        "held",
        "hide_suggestions",
        "root_value",
        "things",
        "variables",
    )

    def __init__(
        self,
        build: Callable[[], Executor[Any]],
        context: Any,
        variables: VariableValues,
        root_value: Any = None,
        *,
        hide_suggestions: bool = False,
    ) -> None:
        self._build = build
        self._executor: Executor[Any] | None = None
        self._arguments: dict[int, Mapping[str, Any]] = {}
        self.held: list[Any] = []
        self.context = context
        self.variables = variables
        self.root_value = root_value
        self.hide_suggestions = hide_suggestions
        self.errors: list[GraphQLError] = []
        self._at_once = 0
        self.things = -1  # the root is none
        self._nulls: list[Null] = []
        self._taken: dict[Places, set[tuple[str | int, ...]]] = {}

    @property
    def executor(self) -> Executor[Any]:
        if self._executor is None:
            self._executor = self._build()
        return self._executor

    def info(self, field: Field, places: Places, index: int) -> GraphQLResolveInfo[Any]:
        """For one of the field's values, which stand at these places."""
        place: Any = Place(places, index, field.parent.name)
        return self.executor.build_resolve_info(field.definition, field.nodes, field.parent, place)

    def arguments(self, field: Field) -> Mapping[str, Any]:
        """Raises GraphQLError where a variable is not what the argument takes."""
        if field.arguments is not None:
            return field.arguments
        known = self._arguments.get(id(field))
        if known is None:
            known = get_argument_values(field.definition, field.nodes[0], self.variables, None, self.hide_suggestions)
            self._arguments[id(field)] = known
        return known

    def failed(self, error: Exception, field: Field, places: Places, index: int, *, nullable: bool) -> None:
        """A null stands in the value's place, and in the end in that of what it takes with it where none may."""
        path = places.path(index)
        taken = path
        if not nullable:
            taken = places.null(index)
            known = self._taken.setdefault(places, set())
            if tuple(taken) in known:
                return  # the first of them is told
            known.add(tuple(taken))
        self.errors.append(located_error(error, field.nodes, path))
        self._nulls.append(Null(path, taken))

    def begun(self) -> None:
        """Everything was called that needs no waiting, and the errors that are known by now were met by that."""
        self._at_once = len(self._nulls)

    def judged(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """With nulls spread, and without the errors that graphql-core does not tell of then. What was judged before stays."""
        if not self._nulls:
            return data
        before = len(self.errors) - len(self._nulls)
        judged, self.errors[before:] = spread(data, self.errors[before:], self._nulls, self._at_once)
        self._nulls.clear()
        return judged

    def hold(self, values: Iterable[Any]) -> None:
        """What is to be awaited, if nothing comes between."""
        self.held += values

    async def settle(self) -> None:
        """What was called and then not awaited after all is awaited too: nothing is left behind half done."""
        if begun := [each for each in self.held if isinstance(each, CoroutineType) and getcoroutinestate(each) == CORO_CREATED]:
            await asyncio.gather(*begun, return_exceptions=True)
        self.held.clear()

    def close(self) -> None:
        """Nothing goes on any more, and nobody complains about coroutines that were not awaited."""
        for each in self.held:
            if isinstance(each, CoroutineType):
                each.close()


_SURE: set[type] = {type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset}
"""Types of values that nobody awaits; none of rows that have some columns alone, of which there is no end."""


def may_wait(values: Sequence[Any]) -> bool:
    """Whether one of them may have to be awaited."""
    for type_ in set(map(type, values)):
        if type_ is GeneratorType:
            if any(optimized_is_awaitable(value) for value in values if type(value) is GeneratorType):
                return True
        elif type_ not in _SURE:
            if type_ is CoroutineType or hasattr(type_, "__await__"):
                return True
            if whole(type_) is type_:
                _SURE.add(type_)
    return False


async def settled(values: Sequence[Any]) -> list[Any]:
    """The same, with what was awaited in its place; what was raised is a value too."""
    found = list(values)
    awaited = [index for index, value in enumerate(values) if optimized_is_awaitable(value)]
    if len(awaited) == 1:
        (index,) = awaited
        try:
            found[index] = await found[index]
        except Exception as error:
            found[index] = error
        return found
    for index, value in zip(awaited, await _gathered([values[index] for index in awaited]), strict=True):
        found[index] = value
    return found


class Settled:
    """The same, to be awaited when its turn comes."""

    __slots__ = ("_values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def __await__(self) -> Generator[Any, None, list[Any]]:
        return settled(self._values).__await__()


async def together(waits: Sequence[Waiting]) -> None:
    """All of them to their ends: nothing goes on behind anybody's back."""
    if not waits:
        return
    if len(waits) == 1:
        await waits[0].go_on()
        return
    for ended in await _gathered([each.go_on() for each in waits]):
        if isinstance(ended, Exception):
            raise ended


async def _gathered(awaitables: Sequence[Awaitable[Any]]) -> Sequence[Any]:
    found = await asyncio.gather(*awaitables, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, Exception):
            raise each
    return found
