"""What the torture schema's resolvers give: values, nulls and failures follow from a seed, in whatever order they are read.

With no trouble nothing is ever wrong. With trouble any value may be: there is an error, nothing where something must be,
or nonsense.
"""

from __future__ import annotations

import asyncio
import enum
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple, TypeAlias, cast
from uuid import UUID
from zlib import crc32

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    Source,
    Undefined,
    get_named_type,
    is_leaf_type,
)

Info: TypeAlias = GraphQLResolveInfo[Any]


@dataclass
class Context:
    """What decides about all values: `trouble` is how probable it is that one is wrong, from 0 to 1."""

    seed: int = 0
    trouble: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    """How often each 'Type.field' was resolved."""

    def random(self, *what: object) -> Random:
        """The same for the same seed and `what`."""
        return Random("|".join([str(self.seed), *map(str, what)]))


class World(NamedTuple):
    """Whatever a value depends on, but for what it is the value of."""

    schema: GraphQLSchema
    context: Context


class Shade(enum.Enum):
    DARK = "dark"
    PALE = "pale"


class Urgency(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Bounds(NamedTuple):
    """What an input object becomes."""

    low: int
    upper: int | None = None


class Row(NamedTuple):
    """An object that is a tuple, too."""

    key: str
    kind: str
    text: Any
    number: Any
    ratio: Any
    color: Any


class Slug(str):
    """A text of a type of its own."""


class Word:
    """Something of no built-in type, which is written as text."""

    def __str__(self) -> str:
        return "word"


class RefusedError(Exception):
    """Has a message other than its text, and extensions."""

    def __init__(self, key: str) -> None:
        super().__init__("not what is told")
        self.message = f"refused: {key}"
        self.extensions = {"code": "REFUSED", "key": key}


class Later:
    """An awaitable that is no coroutine: nobody minds when it is not awaited."""

    def __init__(self, value: Any, pauses: int, *, fails: bool = False) -> None:
        self._value, self._pauses, self._fails = value, pauses, fails

    def __await__(self) -> Generator[None, None, Any]:
        for _ in range(self._pauses):
            yield
        if self._fails:
            raise self._value
        return self._value


def _late(value: Any, pauses: int) -> Later:
    return value if isinstance(value, Later) else Later(value, pauses)


class Stream:
    """An asynchronous iterable that cannot be closed."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Any:
        for item in self._items:
            return item
        raise StopAsyncIteration


class Thing:
    """An object whose attributes are those fields of its type that have no resolver: values, or methods that give them."""

    def __init__(self, world: World, kind: str, key: str, typename: str | None) -> None:
        self.world, self.kind, self.key = world, kind, key
        self.__typename = typename

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in _unresolved(self.world, self.kind):
            raise AttributeError(name)
        return _attribute(self.world, self.kind, self.key, name)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.key}>"


# What is wrong


def _errors(key: str) -> list[Exception]:
    return [
        ValueError(f"{key} is wrong"),
        KeyError(key),
        RuntimeError(),
        RefusedError(key),
        GraphQLError(f"{key} is forbidden", extensions={"code": "FORBIDDEN", "key": key}),
        GraphQLError(f"{key} is elsewhere", path=["else", 1]),
        GraphQLError(f"{key} is in another text", source=Source("{ other\n text }"), positions=[8]),
    ]


_WRONG: dict[str, list[Any]] = {
    "Int": ["abc", "", 1.5, 2**31, -(2**31) - 1, float("nan"), [1], {"a": 1}, Decimal("1.5")],
    "Float": ["x", float("inf"), float("-inf"), float("nan"), 10**400, 2**53 + 1, "nan", [1.5]],
    "String": [[1], {"a": 1}, b"bytes", float("inf")],
    "Boolean": ["true", float("nan"), [], b""],
    "ID": [1.5, True, [1], {"a": 1}],
    "Color": ["PALE", 2, [3], {"a": 1}, "RED"],
    "Level": ["LOW", 3, [1]],
    "Doubled": ["x", [1], {}],
    "Stamp": ["not a time", 5],
    "Fragile": [-1, -2, -3, -4],
    "Json": [],
}
_NO_LISTS: list[Any] = ["text", 5, {"a": 1}, b"bytes", Word()]
_BAD_NAMES: list[Any] = ["Nobody", "Color", "Node", "Query", "Leaf", None, 17]


def _broken(items: list[Any], error: Exception) -> Iterator[Any]:
    yield from items
    raise error


async def _broken_stream(items: list[Any], error: Exception) -> AsyncIterator[Any]:
    for item in items:
        yield item
    raise error


# What is right

_GOOD: dict[str, list[Any]] = {
    "Int": [0, 1, -7, True, False, 1.0, "12", "-3", 2**31 - 1, -(2**31), Decimal("3"), Fraction(4), Urgency.HIGH],
    "Float": [0.5, 1, 0, True, -0.0, "1.5", 1e300, Decimal("2.5"), Fraction(1, 2), 2**53, Urgency.LOW],
    "String": ["text", "", "é\n\"'\\😀", 5, 1.5, True, Word(), Slug("slug"), Decimal("1.50"), UUID(int=1)],
    "Boolean": [True, False, 1, 0, 0.0, 2.5, Decimal(0)],
    "ID": ["one", "", 7, 7.0, -1, 2**40, UUID(int=2), Word(), Slug("id")],
    "Color": [1, "green", Shade.DARK, True, 1.0, [1, 2]],
    "Level": [Urgency.LOW, Urgency.HIGH, 1, 2.0],
    "Doubled": [1, 2.5, -3, "ab", True],
    "Stamp": [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)],
    "Fragile": [0, 1, 2],
    "Json": [0, "", False, [], {}, [1, {"a": None}], {"b": [1.5], "a": "x"}],
}


async def _stream(items: list[Any], pauses: int) -> AsyncIterator[Any]:
    for item in items:
        for _ in range(pauses):
            await asyncio.sleep(0)
        yield item


def _containers(items: list[Any], random: Random) -> Any:
    ways: list[Callable[[], Any]] = [
        lambda: items,
        lambda: items,
        lambda: tuple(items),
        lambda: (item for item in items),
        lambda: deque(items),
        lambda: dict(enumerate(items)).values(),
        lambda: _stream(items, random.randrange(2)),
        lambda: Stream(items),
        lambda: frozenset(items) if all(type(item) is int for item in items) else items,
    ]
    return random.choice(ways)()


class _Maker:
    """Makes what one resolver gives."""

    def __init__(self, world: World, *what: object) -> None:
        self.world, self.random, self.trouble = world, world.context.random(*what), world.context.trouble

    def value(self, type_: Any, key: str) -> Any:
        """May raise, where there is trouble."""
        if self.random.random() < self.trouble:
            return self._wrong(type_, key)
        if isinstance(type_, GraphQLNonNull):
            return self._right(type_.of_type, key)
        if self.random.random() < 0.12:
            return self.random.choice([None, None, Undefined])
        return self._right(type_, key)

    def _right(self, type_: Any, key: str) -> Any:
        if isinstance(type_, GraphQLList):
            return _containers(self._items(type_, key), self.random)
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_.name, key)
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return self._object(self.random.choice(self.world.schema.get_possible_types(type_)).name, key)
        known = {"String": key, "ID": key, "Int": self.random.randrange(1000), "Float": self.random.random()}
        if type_.name in known and self.random.random() < 0.6:  # which tells one object from another
            return known[type_.name]
        return self.random.choice(_GOOD[type_.name])

    def _items(self, type_: GraphQLList[Any], key: str) -> list[Any]:
        items = [self.value(type_.of_type, f"{key}[{place}]") for place in range(self.random.choice([0, 1, 2, 2, 3]))]
        late = self.random.choice([0, 0, 0, 0.4, 1])
        return [_late(item, self.random.randrange(3)) if self.random.random() < late else item for item in items]

    def _object(self, kind: str, key: str) -> Any:
        typename = kind if kind == "Leaf" or self.random.random() < 0.3 else None
        if self.random.random() < self.trouble:
            typename = self.random.choice(["Nobody", "Color", "Row", ""])
        if kind == "Row" and self.random.random() < 0.5:
            return Row(key, kind, *(_attribute(self.world, kind, key, name, safely=True) for name in Row._fields[2:]))
        if self.random.random() < 0.7:
            return Thing(self.world, kind, key, typename)
        said = {"__typename": typename} if typename is not None else {}
        plain = {name: _attribute(self.world, kind, key, name, safely=True) for name in _unresolved(self.world, kind)}
        return {"key": key, "kind": kind, **said, **plain}

    def _wrong(self, type_: Any, key: str) -> Any:
        error = self.random.choice(_errors(key))
        way = self.random.randrange(6)
        if way == 0:
            raise error
        if way == 1:
            return error
        if way == 2:
            return None
        if way == 3:
            return Later(error, self.random.randrange(3), fails=True)
        return self._nonsense(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, key, error)

    def _nonsense(self, type_: Any, key: str, error: Exception) -> Any:
        if isinstance(type_, GraphQLList):
            items = self._items(type_, key)
            return self.random.choice([*_NO_LISTS, _broken(items, error), _broken_stream(items, error)])
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return self.random.choice([17, 2.5, self._object("Leaf", key), self._object("Person", key)])
        return self.random.choice([*_WRONG[type_.name], Undefined])


def _unresolved(world: World, kind: str) -> list[str]:
    type_ = world.schema.type_map.get(kind)
    return [name for name, each in type_.fields.items() if not each.resolve] if isinstance(type_, GraphQLObjectType) else []


def _attribute(world: World, kind: str, key: str, name: str, *, safely: bool = False) -> Any:
    """The value, or a method that gives it. `safely`: nothing is raised here, but where the field is resolved."""
    field = cast(GraphQLObjectType, world.schema.type_map[kind]).fields[name]
    random = world.context.random(key, kind, name)

    def method(info: Info, **args: Any) -> Any:
        world.context.calls[f"{kind}.{name}"] += 1
        return _made(world, key, f"{kind}.{name}", field.type, args)

    async def late_method(info: Info, **args: Any) -> Any:
        await asyncio.sleep(0)
        value = method(info, **args)
        return await value if isinstance(value, Later) else value

    # Objects are made when they are asked for: with the one that has them, they would be made without an end.
    if field.args or not is_leaf_type(get_named_type(field.type)) or random.random() < 0.3:
        return late_method if random.random() < 0.3 else method
    try:
        return _made(world, key, f"{kind}.{name}", field.type, {})
    except Exception:
        if safely:
            return method
        raise


def _made(world: World, key: str, name: str, type_: Any, args: Mapping[str, Any]) -> Any:
    asked = f"({crc32(repr(args).encode()):x})" if args else ""
    return _Maker(world, key, name, asked).value(type_, f"{key}/{name.partition('.')[2]}{asked}")


# Resolvers: at once, later, or now the one and now the other


def _key(source: Any) -> str:
    if isinstance(source, Mapping):
        return str(source.get("key"))
    return "" if source is None else str(getattr(source, "key", source))


def _resolved(source: Any, info: Info, args: Mapping[str, Any]) -> Any:
    name = f"{info.parent_type.name}.{info.field_name}"
    info.context.calls[name] += 1
    return _made(World(info.schema, info.context), _key(source), name, info.return_type, args)


def _pauses(source: Any, info: Info) -> int:
    return cast(int, info.context.random(_key(source), info.parent_type.name, info.field_name, "pauses").randrange(4))


def at_once(source: Any, info: Info, **args: Any) -> Any:
    return _resolved(source, info, args)


async def later(source: Any, info: Info, **args: Any) -> Any:
    for _ in range(_pauses(source, info)):
        await asyncio.sleep(0)
    value = _resolved(source, info, args)
    return await value if isinstance(value, Later) else value


def either(source: Any, info: Info, **args: Any) -> Any:
    pauses = _pauses(source, info)
    if pauses == 1:
        return later(source, info, **args)
    value = _resolved(source, info, args)
    if pauses == 0 or isinstance(value, Later):
        return value
    if pauses == 2:
        return _late(value, 1)
    future = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future


def echo(source: Any, info: Info, **args: Any) -> Any:
    """What it was asked with, in the order that it came."""
    value = _resolved(source, info, args)
    return repr(args) if isinstance(value, str | int | Decimal | UUID | Word) else value


def _kind(value: Any, context: Context, what: str) -> Any:
    random = context.random(_key(value), what)
    if random.random() < context.trouble:
        if random.random() < 0.4:
            raise random.choice(_errors(_key(value)))
        return random.choice(_BAD_NAMES)
    return value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)


def kind_at_once(value: Any, info: Info, type_: Any) -> Any:
    return _kind(value, info.context, type_.name)


async def kind_later(value: Any, info: Info, type_: Any) -> Any:
    await asyncio.sleep(0)
    return _kind(value, info.context, type_.name)


def kind_either(value: Any, info: Info, type_: Any) -> Any:
    early = info.context.random(_key(value), "early").random() < 0.5
    return (kind_at_once if early else kind_later)(value, info, type_)


def is_a(name: str, *, early: bool | None) -> Callable[[Any, Info], Any]:
    async def is_later(value: Any, info: Info) -> bool:
        await asyncio.sleep(0)
        return bool(_kind(value, info.context, f"is {name}") == name)

    def is_at_once(value: Any, info: Info) -> Any:
        if early is None and info.context.random(_key(value), name).random() < 0.5:
            return is_later(value, info)
        return int(_kind(value, info.context, f"is {name}") == name)

    return is_later if early is False else is_at_once
