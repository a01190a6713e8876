"""Stand-ins for what only a request brings, so that a plan's batches can be asked what they would ask of a database.

Nothing is read: the reader keeps the questions, and knows no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    VariableDefinitionNode,
    get_named_type,
    is_required_input_field,
    type_from_ast,
)
from graphql.execution.values import VariableValues

from domain.access import Reach
from domain.base import Query, R
from domain.ids import Kind, encode

from ..batches import Batches
from ..loaders import Loaders
from .plans import Run
from .plans.fields import Field
from .plans.places import TOP
from .plans.values import Variables

_PLAIN: Mapping[str, Any] = {
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": "2026-01-01T00:00:00Z",
    "TimeZone": "UTC",
    "URL": "https://example.com/",
}


class Asked(NamedTuple):
    """The queries of one batch, in their order; why there are none, where its keys were refused.

    `goes_on`: there are more, which depend on what these find.
    """

    queries: Sequence[Query[Any]]
    refused: str | None = None
    goes_on: bool = False


class Samples:
    """Of one operation. `missing` are the variables that it needs and was not given, for which others stand in."""

    def __init__(self, schema: GraphQLSchema, variables: Variables, given: Mapping[str, Any]) -> None:
        self._variables = variables
        self._given = given
        types = {each.variable.name.value: type_from_ast(schema, each.type) for each in variables.definitions}
        needed = {each.variable.name.value for each in variables.definitions if _is_needed(each)}
        self._types = {name: type for name, type in types.items() if name in needed and name not in given}
        self.unknown: Sequence[str] = [name for name in given if name not in types]
        self.missing: Sequence[str] = list(self._types)

    def values(self, kind: Kind = Kind.PAGE) -> VariableValues | list[GraphQLError]:
        """Ids are of this kind, of which a variable's type says nothing."""
        stand_ins = {name: _sample(type, kind) for name, type in self._types.items()}
        return self._variables.coerce({**stand_ins, **self._given}, max_errors=None, hide_suggestions=False)

    async def asked(self, field: Field, *, several: bool) -> Asked:
        """What the field's loader asks of the database, for one object or for several of them."""
        refused: Exception | None = None
        for variables in self._variants():
            recorder = _Recorder()
            context = SimpleNamespace(actor=_Anybody(), loaders=Loaders(recorder, Reach.whole(UUID(int=0)), Batches()))
            run = Run(_never, context, variables)
            looked = field.read(run, field, [_Row(1), _Row(2)] if several else [_Row(1)], TOP)
            found = looked if isinstance(looked, list) else await looked
            failed = next((each for each in found if isinstance(each, Exception)), None)
            if recorder.asked:
                return Asked(recorder.asked, goes_on=failed is not None)
            refused = failed or refused
        return Asked((), str(refused) if refused is not None else None)

    def _variants(self) -> Iterator[VariableValues]:
        """With ids of each kind in turn, where some stand in."""
        kinds = list(Kind) if any(get_named_type(type) is GraphQLID for type in self._types.values()) else [Kind.PAGE]
        for kind in kinds:
            values = self.values(kind)
            if isinstance(values, VariableValues):
                yield values


def _is_needed(definition: VariableDefinitionNode) -> bool:
    return definition.default_value is None and definition.type.kind == "non_null_type"


def _sample(type: Any, kind: Kind) -> Any:
    """A value of the type, as it is sent."""
    match type:
        case GraphQLNonNull():
            return _sample(type.of_type, kind)
        case GraphQLList():
            return [_sample(type.of_type, kind)]
        case GraphQLEnumType():
            return next(iter(type.values))
        case GraphQLInputObjectType():
            needed = {name for name, field in type.fields.items() if is_required_input_field(field)}
            if type.is_one_of:
                needed = {next(iter(type.fields))}
            return {name: _sample(type.fields[name].type, kind) for name in needed}
    return encode(kind, UUID(int=1)) if type is GraphQLID else _PLAIN.get(type.name, "/")


def _never() -> NoReturn:
    raise AssertionError("Nothing is executed here.")


class _Recorder:
    """A reader of an empty database, which keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Query[Any]] = []

    async def all(self, query: Query[R], **_values: Any) -> Sequence[R]:
        self.asked.append(query)
        return []

    async def first(self, query: Query[R], **_values: Any) -> R | None:
        self.asked.append(query)
        return None


class _Anybody:
    """Who may do everything: what is asked does not depend on who asks."""

    def require(self, *_: object) -> None:
        pass


class _Row:
    """An object of which keys are made: it has whatever is asked of it."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __getattr__(self, name: str) -> Any:
        return UUID(int=self._number) if name == "id" or name.endswith("_id") else f"{name}{self._number}"
