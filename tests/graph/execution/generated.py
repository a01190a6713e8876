"""Operations that are valid for a schema, whichever it is: for whatever is to agree with graphql-core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    TypeNameMetaFieldDef,
    Undefined,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from .inputs import Chooser, Draw, Inputs, Part, Values, Variable, has_default

FRAGMENTS = 4
NAMES = ("a", "b", "c")


class Generated(NamedTuple):
    """An operation as it is sent."""

    text: str
    variables: dict[str, Any]
    operation_name: str | None


def operations(
    schema: GraphQLSchema,
    *,
    values: Values | None = None,
    depth: int = 4,
    size: int = 60,
    mistaken: bool = False,
    introspection: bool = False,
    kind: OperationType = OperationType.QUERY,
) -> st.SearchStrategy[Generated]:
    """Those of one kind, with some `size` fields at most, `depth` of them inside of one another.

    `values` says what to give for a named input type, or for one 'Type.field(argument)'. `mistaken`: a variable may be
    null where only its default keeps null out, which validation allows and execution does not.
    """

    @st.composite
    def operation(draw: Draw) -> Generated:
        return _Writer(draw, schema, values or {}, size, mistaken, introspection, kind).generated(depth)

    return operation()


# What is written


class _Field:
    def __init__(self, parent: Any, name: str, type_: Any, alias: str | None, arguments: Part) -> None:
        self.parent, self.name, self.type, self.alias, self.arguments = parent, name, type_, alias, arguments
        self.directives = Part()
        self.selections: list[_Selection] = []

    @property
    def key(self) -> str:
        return self.alias or self.name


class _Fragment:
    """A named one, or one that stands where it is used."""

    def __init__(self, name: str | None, condition: Any) -> None:
        self.name, self.condition = name, condition
        self.selections: list[_Selection] = []
        self.weight = self.depth = 0


class _Spread(NamedTuple):
    fragment: _Fragment
    directives: Part


_Selection = _Field | _Spread


class _Level:
    """The fields that share one object of the answer, and what is known of those below."""

    def __init__(self) -> None:
        self.fields: list[_Field] = []
        self._below: dict[str, _Level] = {}

    def below(self, key: str) -> _Level:
        return self._below.setdefault(key, _Level())


class _Writer(Chooser):
    """Draws one document."""

    def __init__(
        self,
        draw: Draw,
        schema: GraphQLSchema,
        values: Values,
        size: int,
        mistaken: bool,
        introspection: bool,
        kind: OperationType,
    ) -> None:
        super().__init__(draw)
        self.schema, self.room, self.mistaken, self.kind = schema, size, mistaken, kind
        self.known = _Known(schema, introspection)
        self.inputs = Inputs(self, schema, values)
        self.fragments: list[_Fragment] = []
        self.inside = self.begun = self.renamed = 0

    def generated(self, depth: int) -> Generated:
        type_ = self.schema.get_root_type(self.kind)
        roots: list[list[_Selection]] = [self._selections(type_, depth, _Level())]
        while len(roots) < 3 and self.rarely(6):
            self.room = max(self.room, 3)
            roots.append(self._selections(type_, depth, _Level()))
        for root in roots:
            self._settle(self._flat(root, type_, ()))
        names: list[str | None] = [f"Operation{place}" for place in range(len(roots))]
        if len(roots) == 1 and not self.rarely(3):
            names = [None]
        texts = [self._operation(name, root) for name, root in zip(names, roots, strict=True)]
        texts += [f"fragment {each.name} on {each.condition} {_block(each.selections)}" for each in self.fragments]
        chosen = self.below(len(roots))
        name = names[chosen] if len(roots) > 1 or self.rarely(2) else None
        if self.rarely(3):
            texts.reverse()
        given = [self.inputs.variables[each] for each in _uses(roots[chosen])]
        return Generated("\n\n".join(texts), {each.name: each.value for each in given if self._is_given(each)}, name)

    def _is_given(self, variable: Variable) -> bool:
        refused = variable.value is None and variable.guarded and not self.mistaken
        return variable.value is not Undefined and not refused

    def _operation(self, name: str | None, root: list[_Selection]) -> str:
        declared = ", ".join(self.inputs.variables[each].declaration for each in _uses(root))
        head = f"{self.kind.value} {name or ''}".rstrip() + (f"({declared})" if declared else "")
        return _block(root) if head == "query" else f"{head} {_block(root)}"

    def _selections(self, parent: Any, depth: int, level: _Level) -> list[_Selection]:
        chosen: list[_Selection] = []
        among = _FURTHER[min(self.inside, len(_FURTHER) - 1)]

        def further() -> bool:
            if (not self.mostly(among) or self.room < 1) and chosen:
                return False
            chosen.append(self._selection(parent, depth, level))
            return True

        kept = self.room - max(1, self.room // 3) if self.inside else 0
        self.room -= kept  # the first must not leave nothing to the others
        self.inside += 1
        while len(chosen) < 8 and self.together(further):
            pass
        self.inside -= 1
        self.room += kept
        return chosen

    def _selection(self, parent: Any, depth: int, level: _Level) -> _Selection:
        ways = _WAYS if isinstance(parent, GraphQLObjectType) else _WAYS_OF_ABSTRACT
        way = self.pick(ways)
        if self.room < 2:
            way = "field"
        self.room -= 1
        if way == "again" and (field := self._again(parent, depth, level)) is not None:
            return field
        if way == "inline":
            fragment = _Fragment(None, self.pick([None, parent, parent, *self.known.overlapping(parent)]))
            directives = self._directives()
            fragment.selections = self._selections(fragment.condition or parent, depth, level)
            return _Spread(fragment, directives)
        if way == "spread" and (spread := self._spread(parent, depth, level)) is not None:
            return spread
        return self._field(parent, depth, level, typename=way == "typename")

    def _field(self, parent: Any, depth: int, level: _Level, *, typename: bool) -> _Field:
        flat, deep = self.known.fields(parent, self.inputs)
        # Whatever becomes of it, the same is drawn: else nothing could be left out without all that follows changing.
        deeper, place = self.rarely(3), self.below(max(1, len(flat) + len(deep)))
        choices = flat
        if deep and depth > 0 and self.room > 0:
            choices = deep if not flat or deeper else [*flat, *deep]
        name, definition = "__typename", TypeNameMetaFieldDef
        if choices and not typename:
            known = [each.name for each in level.fields]
            turned = [*choices[place % len(choices) :], *choices[: place % len(choices)]]  # the next that is not there yet
            name, definition = next((each for each in turned if each[1].args or each[0] not in known), turned[0])
        alias = None
        if self.rarely(5):
            alias = self.pick([*NAMES, *(each for each, _ in flat)])
        field = _Field(parent, name, definition.type, alias, self.inputs.arguments(parent, name, definition))
        return self._finished(field, depth, level)

    def _finished(self, field: _Field, depth: int, level: _Level) -> _Field:
        level.fields.append(field)
        field.directives = self._directives()
        named = get_named_type(field.type)
        if not is_leaf_type(named):
            below = min(depth - 1, 2) if field.name in ("__schema", "__type") else depth - 1
            field.selections = self._selections(named, below, level.below(field.key))
        return field

    def _again(self, parent: Any, depth: int, level: _Level) -> _Field | None:
        """A field that this object was asked for already, by the same name and with the same arguments."""
        fields = self.known.all(parent)
        known = [
            each
            for each in level.fields
            if each.name in fields
            and (depth > 0 or is_leaf_type(get_named_type(each.type)))
            and _signature(fields[each.name]) == _signature(self.known.all(each.parent)[each.name])
        ]
        if not known:
            return None
        if self.rarely(2):
            known = [each for each in known if each.arguments.text] or known
        field = self.one_of(known)
        again = _Field(parent, field.name, fields[field.name].type, field.alias, field.arguments)
        return self._finished(again, depth, level)

    def _spread(self, parent: Any, depth: int, level: _Level) -> _Spread | None:
        if is_introspection_type(parent):
            return None
        conditions = [parent, parent, *self.known.overlapping(parent)]
        fitting: list[_Fragment | None] = [
            each for each in self.fragments if each.condition in conditions and each.depth <= depth and each.weight <= self.room
        ]
        if self.begun < FRAGMENTS:
            fitting.append(None)
        if not fitting:
            return None
        directives = self._directives()
        fragment = self.one_of(fitting)
        if fragment is None:
            fragment, before = _Fragment(None, self.pick(conditions)), self.room
            fragment.name = f"Part{self.begun}"
            self.begun += 1
            fragment.selections = self._selections(fragment.condition, depth, level)
            fragment.weight, fragment.depth = before - self.room, _deep(fragment.selections)
            self.fragments.append(fragment)
        else:
            self.room -= fragment.weight
        return _Spread(fragment, directives)

    def _directives(self) -> Part:
        if not self.rarely(8):
            return Part()
        chosen = self.pick([["include"], ["skip"], ["include", "skip"], ["skip", "include"]])
        conditions = [self.inputs.condition() for _ in chosen]
        return Part(
            "".join(f" @{name}(if: {each.text})" for name, each in zip(chosen, conditions, strict=True)),
            tuple(name for each in conditions for name in each.uses),
        )

    def _flat(self, selections: Sequence[_Selection], parent: Any, above: tuple[Any, ...]) -> list[_Placed]:
        """The fields that fall together in the answer."""
        placed: dict[tuple[int, Any], _Placed] = {}
        waiting = [(each, parent) for each in reversed(selections)]
        while waiting:
            each, type_ = waiting.pop()
            if isinstance(each, _Spread):
                inner = each.fragment.condition or type_
                waiting += [(one, inner) for one in reversed(each.fragment.selections)]
            else:
                placed.setdefault((id(each), type_), _Placed(each, (*above, type_)))
        return list(placed.values())

    def _settle(self, placed: Sequence[_Placed]) -> None:
        """Whatever cannot be merged with another field of its name gets a name of its own."""
        groups: dict[str, list[_Placed]] = {}
        for each in placed:
            if any(_clash(each, other) for other in groups.get(each.field.key, ())):
                each.field.alias = f"only{self.renamed}"
                self.renamed += 1
            groups.setdefault(each.field.key, []).append(each)
        for group in groups.values():
            below: dict[tuple[int, Any], _Placed] = {}
            for field, parents in group:
                for one in self._flat(field.selections, get_named_type(field.type), parents):
                    below.setdefault((id(one.field), one.parents), one)
            if below:
                self._settle(list(below.values()))


# One among so many selections is the last of its set, by how many sets it is in: the sets' own number would explode.
_FURTHER = (12, 5, 4, 3)

_WAYS = ("field",) * 12 + ("typename", "again", "again", "inline", "inline", "spread", "spread")
_WAYS_OF_ABSTRACT = ("field",) * 3 + ("typename", "again", "inline", "inline", "inline", "inline", "spread", "spread")


# What fields may be merged


class _Placed(NamedTuple):
    """A field with the types on the way to it: where two ways part at object types, they never meet in one answer."""

    field: _Field
    parents: tuple[Any, ...]


def _clash(one: _Placed, other: _Placed) -> bool:
    if one.field is other.field:
        return False
    if _shape(one.field.type) != _shape(other.field.type):
        return True
    apart = any(
        mine is not theirs and isinstance(mine, GraphQLObjectType) and isinstance(theirs, GraphQLObjectType)
        for mine, theirs in zip(one.parents, other.parents, strict=True)
    )
    return not apart and (one.field.name, one.field.arguments.text) != (other.field.name, other.field.arguments.text)


def _shape(type_: Any) -> str:
    named = get_named_type(type_)
    return str(type_) if is_leaf_type(named) else str(type_).replace(named.name, "")


def _signature(definition: GraphQLField) -> Any:
    arguments = {name: (str(each.type), has_default(each)) for name, each in definition.args.items()}
    return _shape(definition.type), arguments


# What the document is as text


def _uses(selections: Sequence[_Selection]) -> list[str]:
    """The variables, in the order of their first use."""
    found: dict[str, None] = {}
    waiting: list[_Selection] = list(reversed(selections))
    while waiting:
        each = waiting.pop()
        if isinstance(each, _Spread):
            found |= dict.fromkeys(each.directives.uses)
            waiting += reversed(each.fragment.selections)
        else:
            found |= dict.fromkeys([*each.arguments.uses, *each.directives.uses])
            waiting += reversed(each.selections)
    return list(found)


def _deep(selections: Sequence[_Selection]) -> int:
    depths = [0]
    for each in selections:
        if isinstance(each, _Spread):
            depths.append(_deep(each.fragment.selections))
        elif each.selections:
            depths.append(1 + _deep(each.selections))
    return max(depths)


def _block(selections: Sequence[_Selection], indent: str = "") -> str:
    inner = indent + "  "
    lines = [f"{inner}{_line(each, inner)}" for each in selections]
    return "\n".join(["{", *lines, f"{indent}}}"])


def _line(selection: _Selection, indent: str) -> str:
    if isinstance(selection, _Field):
        alias = f"{selection.alias}: " if selection.alias else ""
        line = f"{alias}{selection.name}{selection.arguments.text}{selection.directives.text}"
        return f"{line} {_block(selection.selections, indent)}" if selection.selections else line
    fragment, directives = selection
    if fragment.name is not None:
        return f"...{fragment.name}{directives.text}"
    condition = f" on {fragment.condition}" if fragment.condition else ""
    return f"...{condition}{directives.text} {_block(fragment.selections, indent)}"


# What is known of a schema


class _Known:
    """Fields and fragments' types, found once for each document."""

    def __init__(self, schema: GraphQLSchema, introspection: bool) -> None:
        self._schema, self._introspection = schema, introspection
        self._fields: dict[str, tuple[list[Any], list[Any]]] = {}
        self._overlapping: dict[str, list[Any]] = {}

    def all(self, parent: Any) -> dict[str, GraphQLField]:
        more = {}
        if parent is self._schema.query_type and self._introspection:
            more = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}
        own = {} if isinstance(parent, GraphQLUnionType) else parent.fields
        return {**own, **more, "__typename": TypeNameMetaFieldDef}

    def fields(self, parent: Any, inputs: Inputs) -> tuple[list[Any], list[Any]]:
        """Those that end here, and those that go on."""
        if parent.name not in self._fields:
            named = [
                (name, each)
                for name, each in self.all(parent).items()
                if name != "__typename" and inputs.askable(parent, name, each)
            ]
            flat = [each for each in named if is_leaf_type(get_named_type(each[1].type))]
            self._fields[parent.name] = flat, [each for each in named if each not in flat]
        return self._fields[parent.name]

    def overlapping(self, parent: Any) -> list[Any]:
        """Other types that an object of this one may have."""
        if parent.name not in self._overlapping:
            mine = self._objects(parent)
            self._overlapping[parent.name] = [
                each
                for each in self._schema.type_map.values()
                if isinstance(each, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
                and each is not parent
                and any(one in mine for one in self._objects(each))
            ]
        return self._overlapping[parent.name]

    def _objects(self, type_: Any) -> Sequence[Any]:
        return [type_] if isinstance(type_, GraphQLObjectType) else self._schema.get_possible_types(type_)
