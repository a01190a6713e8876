"""How the values of a field come from the objects of a level: an attribute, a function, or whatever resolver there is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import strawberry
from graphql import GraphQLField
from strawberry.types.field import StrawberryField

from .fields import Field, Reader
from .places import Places, Under
from .run import Run


class OfSource:
    """What a function of the object gives; `inline`: which takes nothing else and is no coroutine."""

    def __init__(self, function: Callable[[Any], Any], *, inline: bool) -> None:
        self.function = function
        self.inline = inline

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any]:
        return _each(sources, lambda _, source: self.function(source))


class Attribute(OfSource):
    """Of the object, whose type is read straight from a row."""

    def __init__(self, name: str) -> None:
        super().__init__(lambda source: getattr(source, name), inline=True)
        self.name = name


class OfSourceAndInfo:
    """What a function of the object and of Strawberry's Info gives."""

    def __init__(self, function: Callable[..., Any], definition: StrawberryField) -> None:
        self._function = function
        self._definition = definition

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any]:
        within = Under(places, field.key)
        return _each(sources, lambda index, source: self._function(source, _Info(run, field, within, index, self._definition)))


class Resolved:
    """What graphql-core's resolver gives, with arguments."""

    def __init__(self, definition: GraphQLField) -> None:
        self._resolve = definition.resolve

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any]:
        try:
            arguments = run.arguments(field)
        except Exception as error:
            return [error] * len(sources)
        resolve = self._resolve or run.executor.field_resolver
        within = Under(places, field.key)
        return _each(sources, lambda index, source: resolve(source, run.info(field, within, index), **arguments))


def _each(sources: Sequence[Any], read: Callable[[int, Any], Any]) -> list[Any]:
    """What was raised is a value like any other: it is completed to an error."""
    values = []
    for index, source in enumerate(sources):
        try:
            values.append(read(index, source))
        except Exception as error:
            values.append(error)
    return values


def reader(definition: GraphQLField) -> Reader:
    """The shortest way that gives what the resolver gives."""
    declared = definition.extensions.get("strawberry-definition")
    if not isinstance(declared, StrawberryField) or declared.extensions or declared.default_resolver is not getattr:
        return Resolved(definition)
    if declared.is_basic_field:
        return Attribute(declared.python_name)
    resolver = declared.base_resolver
    if resolver is None or declared.arguments:
        return Resolved(definition)
    function: Any = resolver.wrapped_func
    function = getattr(function, "__func__", function)
    names = list(inspect.signature(function).parameters)
    source = resolver.self_parameter or resolver.parent_parameter or resolver.root_parameter
    if source is not None and names == [source.name]:
        return OfSource(function, inline=not resolver.is_async)
    info = resolver.info_parameter
    if source is not None and info is not None and names == [source.name, info.name]:
        return OfSourceAndInfo(function, declared)
    return Resolved(definition)


class _Info(strawberry.Info[Any, Any]):
    """Strawberry's, behind which graphql-core's is made when it is looked at."""

    def __init__(self, run: Run, field: Field, places: Places, index: int, definition: StrawberryField) -> None:
        self._of = run, field, places, index
        self._field = definition

    @property
    def context(self) -> Any:
        return self._of[0].context

    @property
    def _raw_info(self) -> Any:  # type: ignore[override]
        run, field, places, index = self._of
        return run.info(field, places, index)
