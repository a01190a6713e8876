"""Variables and arguments, where what was sent is what is meant already: for everything else there is graphql-core's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    VariableDefinitionNode,
    VariableNode,
    get_variable_values,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

from ...operations.traits import variables_in

IMMUTABLE = (str, bytes, int, float, bool, Decimal, date, datetime, UUID, Enum, type(None))
"""What stays as it is, whoever holds it."""

_PLAIN: Mapping[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLInt: int, GraphQLBoolean: bool}
_MAX_INT, _MIN_INT = 2**31 - 1, -(2**31)


class _Plain(NamedTuple):
    name: str
    kind: type
    signature: GraphQLVariableSignature


class Variables:
    """Those of one operation."""

    def __init__(self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]) -> None:
        self._schema = schema
        self.definitions = definitions
        self._plain = [plain for each in definitions if (plain := _plain(schema, each)) is not None]

    def __bool__(self) -> bool:
        return bool(self.definitions)

    def coerce(
        self, given: Mapping[str, Any], *, max_errors: int | None, hide_suggestions: bool
    ) -> VariableValues | list[GraphQLError]:
        """As get_variable_values does it."""
        if len(self._plain) == len(self.definitions):
            coerced = {name: given[name] for name, kind, _ in self._plain if name in given and _is(given[name], kind)}
            if len(coerced) == len(self._plain):
                sources = {name: VariableValueSource(signature, coerced[name]) for name, _, signature in self._plain}
                return VariableValues(sources, coerced)
        return get_variable_values(self._schema, self.definitions, dict(given), max_errors, hide_suggestions)


def _plain(schema: GraphQLSchema, definition: VariableDefinitionNode) -> _Plain | None:
    signature = get_variable_signature(schema, definition)
    if isinstance(signature, GraphQLError):
        return None
    kind = _PLAIN.get(_named(signature.type))
    return _Plain(signature.name, kind, signature) if kind is not None else None


def _named(type: Any) -> Any:
    return type.of_type if isinstance(type, GraphQLNonNull) else type


def _is(value: Any, kind: type) -> bool:
    of_kind = value.__class__ is kind
    return of_kind and (kind is not int or _MIN_INT <= value <= _MAX_INT)


def taken_from(definition: GraphQLField, node: FieldNode) -> Mapping[str, str] | None:
    """Which arguments are variables' plain values; None where others depend on variables too."""
    found: dict[str, str] = {}
    for argument in node.arguments or ():
        if isinstance(argument.value, VariableNode) and _named(definition.args[argument.name.value].type) in _PLAIN:
            found[argument.name.value] = argument.value.name.value
        elif any(True for _ in variables_in(argument.value)):
            return None
    return found
