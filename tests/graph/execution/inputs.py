"""Arguments and variables of operations: values that are valid for their types, written into the document or sent with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_required_argument,
    is_required_input_field,
    parse_value,
)
from graphql.utilities.coerce_input_value import coerce_input_literal, coerce_input_value
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
Values = Mapping[str, st.SearchStrategy[Any]]

NESTED_INPUT = 2


@lru_cache
def _below(limit: int) -> st.SearchStrategy[int]:
    return st.integers(0, limit - 1)


class Chooser:
    """Draws choices; the first of them is the simplest, which is where examples shrink to."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self._waiting: list[Callable[[], Any]] = []
        self._whole = st.builds(lambda: self._waiting.pop()())

    def below(self, limit: int) -> int:
        return int(self.draw(_below(limit)))

    def pick(self, options: Sequence[Any]) -> Any:
        return options[self.below(len(options))] if len(options) > 1 else options[0]

    def one_of(self, options: Sequence[Any]) -> Any:
        """Where there are sometimes more options and sometimes fewer."""
        return options[self.below(12) % len(options)]

    def rarely(self, among: int) -> bool:
        """Once among so many times."""
        return self.below(among) == among - 1

    def mostly(self, among: int) -> bool:
        """Always, but once among so many times."""
        return self.below(among) > 0

    def together(self, choose: Callable[[], Any]) -> Any:
        """Choices that make a whole: examples shrink by leaving it out."""
        self._waiting.append(choose)
        return self.draw(self._whole)


class _Reference(str):
    """A variable, where there may be a value."""


class Variable:
    def __init__(self, name: str, type_: Any, default: str | None) -> None:
        self.name, self.type, self.default = name, type_, default
        self.default_node = parse_value(default) if default is not None else None
        self.value: Any = Undefined
        self.guarded = False
        """Null would reach a position that takes none."""

    @property
    def declaration(self) -> str:
        return f"${self.name}: {self.type}" + ("" if self.default is None else f" = {self.default}")


class Part(NamedTuple):
    """What a directive or an argument list is: its text, and the variables in it."""

    text: str = ""
    uses: tuple[str, ...] = ()


def has_default(it: GraphQLArgument | GraphQLInputField) -> bool:
    return it.default is not None or it.default_value is not Undefined


class Inputs:
    """Arguments, variables and their values."""

    def __init__(self, chooser: Chooser, schema: GraphQLSchema, values: Values) -> None:
        self._chooser, self._schema, self._values = chooser, schema, values
        self.variables: dict[str, Variable] = {}
        self._used: list[str] = []

    def arguments(self, parent: Any, name: str, definition: GraphQLField) -> Part:
        parts: list[str] = []
        uses: list[str] = []
        for argument, each in definition.args.items():
            if not is_required_argument(each) and not (self._chooser.rarely(2) and self.possible(each.type)):
                continue
            values = self._values.get(f"{parent}.{name}({argument})")
            if name == "__type":
                values = st.sampled_from(sorted(self._schema.type_map))
            part = self.position(each.type, values, default=has_default(each))
            parts.append(f"{argument}: {part.text}")
            uses += part.uses
        if len(parts) > 1 and self._chooser.rarely(3):
            parts.reverse()
        return Part(f"({', '.join(parts)})" if parts else "", tuple(uses))

    def position(self, type_: Any, values: st.SearchStrategy[Any] | None = None, *, default: bool = False) -> Part:
        """What stands for an argument."""
        self._used = []
        text = _printed(self._placed(type_, values, default=default), type_)
        return Part(text, tuple(self._used))

    def condition(self) -> Part:
        """What stands for that of a directive: as often as not a variable, of which plans depend."""
        self._used = []
        value = self._variable(_CONDITION, None) if self._chooser.rarely(2) else self._chooser.pick([False, True])
        return Part(_printed(value), tuple(self._used))

    def askable(self, parent: Any, name: str, definition: GraphQLField) -> bool:
        """Whether a value is known for all that the field needs."""
        return all(
            f"{parent}.{name}({argument})" in self._values or self.possible(each.type)
            for argument, each in definition.args.items()
            if is_required_argument(each)
        )

    def possible(self, type_: Any, above: tuple[Any, ...] = ()) -> bool:
        """Whether a value is known for the type."""
        if not isinstance(type_, GraphQLNonNull):
            return True
        named = get_named_type(type_)
        if isinstance(named, GraphQLInputObjectType) and named.name not in self._values:
            needed = [each.type for each in named.fields.values() if is_required_input_field(each)]
            return named not in above and all(self.possible(each, (*above, named)) for each in needed)
        return not isinstance(named, GraphQLScalarType) or self._scalar(named) is not None

    def _placed(
        self,
        type_: Any,
        values: st.SearchStrategy[Any] | None = None,
        nested: int = 0,
        *,
        default: bool = False,
        one_of: bool = False,
    ) -> Any:
        if self._chooser.rarely(4):
            return self._variable(type_, values, default=default, one_of=one_of)
        return self._value(GraphQLNonNull(_nullable(type_)) if one_of else type_, values, nested, constant=False)

    def _value(self, type_: Any, values: st.SearchStrategy[Any] | None, nested: int = 0, *, constant: bool = True) -> Any:
        """As JSON has it. Unless `constant`, there may be variables in it."""
        if not isinstance(type_, GraphQLNonNull) and (self._chooser.rarely(8) or not self._known(type_, nested)):
            return None
        if values is not None:
            return self._chooser.draw(values)
        type_ = _nullable(type_)
        if isinstance(type_, GraphQLList):
            return self._list(type_.of_type, nested, constant=constant)
        if type_.name in self._values:
            value = self._chooser.draw(self._values[type_.name])
            return value if constant else self._with_variables(value, type_)
        if isinstance(type_, GraphQLEnumType):
            return self._chooser.pick(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_, nested, constant=constant)
        strategy = self._scalar(type_)
        assert strategy is not None
        return self._chooser.draw(strategy)

    def _known(self, type_: Any, nested: int) -> bool:
        deep = isinstance(get_named_type(type_), GraphQLInputObjectType) and nested > NESTED_INPUT
        return not deep and self.possible(GraphQLNonNull(type_))

    def _list(self, item: Any, nested: int, *, constant: bool) -> Any:
        if self._chooser.rarely(6):  # one value stands for a list of it, or of lists of it
            value = self._value(GraphQLNonNull(get_named_type(item)), None, nested, constant=constant)
            return [value] if isinstance(value, list) else value
        items: list[Any] = []

        def further() -> bool:
            if not self._chooser.mostly(3):
                return False
            items.append(self._value(item, None, nested) if constant else self._placed(item, None, nested))
            return True

        while len(items) < 3 and self._chooser.together(further):
            pass
        return items

    def _object(self, type_: GraphQLInputObjectType, nested: int, *, constant: bool) -> dict[str, Any]:
        fields = [each for each in type_.fields.items() if self.possible(each[1].type)]
        if type_.is_one_of:
            fields = [each for each in fields if self._known(each[1].type, nested)]
            fields = [self._chooser.pick(fields)]
        else:
            fields = [each for each in fields if is_required_input_field(each[1]) or self._chooser.rarely(2)]
        if len(fields) > 1 and self._chooser.rarely(3):
            fields.reverse()
        given = {}
        for name, each in fields:
            if constant:
                taken = GraphQLNonNull(_nullable(each.type)) if type_.is_one_of else each.type
                given[name] = self._value(taken, None, nested + 1)
            else:
                given[name] = self._placed(each.type, None, nested + 1, default=has_default(each), one_of=type_.is_one_of)
        return given

    def _with_variables(self, value: Any, type_: Any) -> Any:
        """Scalars that take objects or lists may have variables of any type within them."""
        if isinstance(type_, GraphQLScalarType) and isinstance(value, dict | list) and value and self._chooser.rarely(3):
            place = self._chooser.pick(list(value) if isinstance(value, dict) else range(len(value)))
            value = value.copy()
            value[place] = self._variable(type_, None)
        return value

    def _scalar(self, type_: GraphQLScalarType) -> st.SearchStrategy[Any] | None:
        if type_.name in self._values:
            return self._values[type_.name]
        return _SCALARS[type_.name] if type_.name in _SCALARS else _fitting(type_)

    # Variables

    def _variable(
        self, type_: Any, values: st.SearchStrategy[Any] | None, *, default: bool = False, one_of: bool = False
    ) -> _Reference:
        known = [each for each in self.variables.values() if self._fits(each, type_, default=default, one_of=one_of)]
        again = self._chooser.rarely(2)
        variable = self._chooser.one_of(known) if known and again else self._declared(type_, values, default, one_of)
        if isinstance(type_, GraphQLNonNull) and not isinstance(variable.type, GraphQLNonNull):
            variable.guarded = True
        self._used.append(variable.name)
        return _Reference(variable.name)

    def _fits(self, variable: Variable, type_: Any, *, default: bool, one_of: bool) -> bool:
        location = None if default else Undefined
        return (not one_of or isinstance(variable.type, GraphQLNonNull)) and allowed_variable_usage(
            self._schema, variable.type, variable.default_node, type_, location
        )

    def _declared(self, type_: Any, values: st.SearchStrategy[Any] | None, has_default: bool, one_of: bool) -> Variable:
        inner = _nullable(type_)
        default = None
        if one_of or self._chooser.rarely(3):
            declared: Any = GraphQLNonNull(inner)
        else:
            declared = type_
        if isinstance(inner, GraphQLList) and not isinstance(inner.of_type, GraphQLNonNull) and self._chooser.rarely(3):
            inner = GraphQLList(GraphQLNonNull(inner.of_type))
            declared = GraphQLNonNull(inner) if isinstance(declared, GraphQLNonNull) else inner
        if self._chooser.rarely(3):
            strict = isinstance(type_, GraphQLNonNull) or one_of
            default = _printed(self._value(GraphQLNonNull(inner) if strict else declared, values), declared)
        if isinstance(declared, GraphQLNonNull) and not one_of and (default not in (None, "null") or has_default):
            declared = self._chooser.pick([declared, inner])
        variable = Variable(f"v{len(self.variables)}", declared, default)
        self.variables[variable.name] = variable
        nullable = not isinstance(declared, GraphQLNonNull)
        state = self._chooser.pick(["given", "given", "null", "absent"]) if nullable or default is not None else "given"
        if state == "given":
            variable.value = self._value(declared, values)
        elif state == "null" and nullable:
            variable.value = None
        return variable


def _nullable(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


_CONDITION = GraphQLNonNull(GraphQLBoolean)

_CANDIDATES: list[Any] = [
    "", "a", "2026-01-02T03:04:05Z", "2026-01-02", "https://example.com/", "UTC",
    "00000000-0000-0000-0000-000000000001", 0, 1, 1.5, True, {"a": 1}, [1],
]  # fmt: skip
"""For scalars of which nothing is said: what they take of these."""

_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Int": st.integers(-3, 3) | st.sampled_from([2**31 - 1, -(2**31)]),
    "Float": st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False),
    "String": st.text(max_size=4) | st.sampled_from(['"""', "$v0", "\\u0041", "# no"]),
    "Boolean": st.booleans(),
    "ID": st.integers(0, 3) | st.text(max_size=4),
}


@lru_cache
def _fitting(type_: GraphQLScalarType) -> st.SearchStrategy[Any] | None:
    fitting = [each for each in _CANDIDATES if _fits(each, type_)]
    return st.sampled_from(fitting) if fitting else None


def _fits(value: Any, type_: GraphQLScalarType) -> bool:
    literal = parse_value(_printed(value, type_))
    return coerce_input_value(value, type_) is not Undefined and coerce_input_literal(literal, type_) is not Undefined


def _printed(value: Any, type_: Any = None) -> str:
    """As GraphQL writes it. Without a type it is what it is in JSON."""
    type_ = _nullable(type_)
    if isinstance(value, _Reference):
        return f"${value}"
    if isinstance(value, list):
        item = type_.of_type if isinstance(type_, GraphQLList) else None
        return f"[{', '.join(_printed(each, item) for each in value)}]"
    while isinstance(type_, GraphQLList | GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLEnumType) and value is not None:
        return str(value)
    if isinstance(value, dict):
        fields = type_.fields if isinstance(type_, GraphQLInputObjectType) else {}
        parts = [f"{name}: {_printed(each, fields[name].type if name in fields else None)}" for name, each in value.items()]
        return "{" + ", ".join(parts) + "}"
    return json.dumps(value)
