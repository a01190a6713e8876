"""How the values of a field come from the objects of a level: an attribute, a function, or whatever resolver there is."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from ...batched import Read, read_of
from ...loading import Columns
from ...node import prefix_of
from ...rows import ITSELF, columns_of
from .completing import Objects
from .fields import Field, Reader
from .places import Places, Under
from .run import Run
from .values import IMMUTABLE, taken_from


class OfSource:
    """What a function of the object gives; `inline`: which takes nothing else and is no coroutine."""

    passes = True

    def __init__(self, function: Callable[[Any], Any], *, inline: bool, columns: frozenset[str] | None = None) -> None:
        self.function = function
        self.inline = inline
        self.columns_read = columns

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any]:
        return _each(sources, lambda _, source: self.function(source))


class Attribute(OfSource):
    """Of the object, whose type is read straight from a row."""

    def __init__(self, name: str) -> None:
        super().__init__(lambda source: getattr(source, name), inline=True, columns=frozenset({name}))
        self.name = name


class Identity(OfSource):
    """The id of a thing, whose kind is known by its type."""

    def __init__(self, prefix: str) -> None:
        super().__init__(lambda source: prefix + source.id.hex, inline=True, columns=frozenset({"id"}))
        self.prefix = prefix


class Itself(OfSource):
    """The object, as one of another type."""

    def __init__(self) -> None:
        super().__init__(lambda source: source, inline=True, columns=frozenset())

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any]:
        return list(sources)


class OfSourceAndInfo:
    """What a function of the object and of Strawberry's Info gives."""

    passes = True

    def __init__(self, function: Callable[..., Any], definition: StrawberryField, columns: frozenset[str] | None) -> None:
        self.columns_read = columns
        self.function = function
        self._definition = definition

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any]:
        within = Under(places, field.key)
        return _each(sources, lambda index, source: self.function(source, _Info(run, field, within, index, self._definition)))


class Resolved:
    """What graphql-core's resolver gives, with arguments."""

    passes = True
    columns_read: frozenset[str] | None = None

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


class OfLoader:
    """What a loader gives for the keys of all objects of the level: its field says which."""

    passes = False

    def __init__(self, read: Read, declared: StrawberryField, schema: GraphQLSchema) -> None:
        self.columns: Columns | None = None
        """Of the rows that it gives."""
        self.columns_read = read.columns
        self.read = read
        self._declared = declared
        self._converter = schema._strawberry_schema.schema_converter  # type: ignore[attr-defined]
        self._given: Hashable = None
        """What all keys share, where that depends on nothing that is asked."""
        self._constant: Mapping[str, Any] | None = None
        self._variables: Mapping[str, str] = {}
        self._with: Sequence[tuple[Field, OfLoader]] | None = None
        """What is read at the same time."""

    def __call__(self, run: Run, field: Field, sources: Sequence[Any], places: Places) -> list[Any] | Awaitable[list[Any]]:
        read, given, fault = self.read, self._given, None
        arguments: Mapping[str, Any] = {}
        if given is None:
            try:
                arguments = self._arguments(run, field)
            except Exception as error:
                return [error] * len(sources)
            if read.given is not None:
                try:
                    given, arguments = self._shared(read.given, arguments), {}
                except Exception as error:
                    fault = error  # whoever may not ask is told that, and nothing of what they ask for
        keys = self._keys(run, sources, arguments, fault)
        looked: list[Any] | Awaitable[list[Any]] = run.context.loaders.of(read.loading, given, self.columns).look(keys)
        if self._with is None:
            self._with = read_with(field)
        if not isinstance(looked, list):
            for below, loader in self._with:
                loader._begin(run, below, keys)
        return looked

    def _begin(self, run: Run, field: Field, keys: Sequence[Any]) -> None:
        """Read what is under things with these ids, while they themselves are read."""
        given = self._given
        if given is None and self.read.given is not None:
            try:
                given = self._shared(self.read.given, self._arguments(run, field))
            except Exception:
                return  # it is told when there is something to read it of
        run.context.loaders.of(self.read.loading, given, self.columns).look_ahead(keys)

    def _shared(self, given: Callable[..., Hashable], arguments: Mapping[str, Any]) -> Hashable:
        found = given(**arguments)
        if self._constant is not None and not self._variables:
            self._given = found
        return found

    def _keys(self, run: Run, sources: Sequence[Any], arguments: Mapping[str, Any], fault: Exception | None) -> list[Any]:
        read = self.read
        if read.permission is None and fault is None and read.attribute is not None:
            return list(map(read.key, sources))
        keys: list[Any] = []
        for source in sources:
            try:
                if read.permission is not None:
                    run.context.actor.require(read.permission, source.id)
                keys.append(fault or read.key(source, **arguments))
            except Exception as error:
                keys.append(error)
        return keys

    def _arguments(self, run: Run, field: Field) -> Mapping[str, Any]:
        """As its key takes them: the same for all objects, and made once as far as they do not depend on variables."""
        if not self._declared.arguments:
            return {}
        if self._constant is None or (taken := self._taken(run)) is None:
            return self._converted(run, field)
        return {**self._constant, **taken}

    def _taken(self, run: Run) -> Mapping[str, Any] | None:
        coerced = run.variables.coerced
        taken = {name: coerced.get(variable) for name, variable in self._variables.items()}
        return None if None in taken.values() else taken

    def _converted(self, run: Run, field: Field) -> Mapping[str, Any]:
        converter = self._converter
        given = dict(run.arguments(field))
        made = convert_arguments(given, self._declared.arguments, converter.scalar_registry, converter.config)
        variables = taken_from(field.definition, field.nodes[0])
        if variables is not None:
            names = {converter.config.name_converter.from_argument(each): each.python_name for each in self._declared.arguments}
            self._variables = {names[name]: variable for name, variable in variables.items()}
            constant = {name: value for name, value in made.items() if name not in self._variables}
            if all(isinstance(value, IMMUTABLE) for value in constant.values()):
                self._constant = constant
        return made


def read_with(field: Field) -> Sequence[tuple[Field, OfLoader]]:
    """What is read by the ids of things that are themselves found by their ids: nothing of it waits for them."""
    if not isinstance(field.read, OfLoader) or not field.read.read.loading.by_id or not isinstance(field.completer, Objects):
        return ()
    return [
        (each, each.read)
        for each in field.completer.selecting.others
        if isinstance(each.read, OfLoader) and each.read.read.attribute == "id" and each.read.read.permission is None
    ]


def _each(sources: Sequence[Any], read: Callable[[int, Any], Any]) -> list[Any]:
    """What was raised is a value like any other: it is completed to an error."""
    values = []
    for index, source in enumerate(sources):
        try:
            values.append(read(index, source))
        except Exception as error:
            values.append(error)
    return values


def reader(definition: GraphQLField, parent: GraphQLObjectType, schema: GraphQLSchema) -> Reader:
    """The shortest way that gives what the resolver gives."""
    declared = definition.extensions.get("strawberry-definition")
    if isinstance(declared, StrawberryField) and declared.is_subscription:
        return OfSource(lambda event: event, inline=False)
    if not isinstance(declared, StrawberryField) or declared.extensions or declared.default_resolver is not getattr:
        return Resolved(definition)
    read = read_of(definition)
    if read is not None:
        return OfLoader(read, declared, schema)
    prefix = prefix_of(definition, parent)
    if prefix is not None:
        return Identity(prefix)
    if declared.metadata.get(ITSELF):
        return Itself()
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
        return OfSource(function, inline=not resolver.is_async, columns=columns_of(definition))
    info = resolver.info_parameter
    if source is not None and info is not None and names == [source.name, info.name]:
        return OfSourceAndInfo(function, declared, columns_of(definition))
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
