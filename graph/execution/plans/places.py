"""Where in the answer the values of a level stand: looked up for errors and for resolvers that ask, and not before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from graphql.pyutils import Path


class Places(Protocol):
    """Of all values of one level."""

    def path(self, index: int) -> list[str | int]:
        """That of one of them."""
        ...

    def null(self, index: int) -> list[str | int]:
        """The path of what is null where a null stands in its place: itself, or the next above that may be."""
        ...


class _Top:
    def path(self, _index: int) -> list[str | int]:
        return []

    null = path


TOP = _Top()


class Under:
    """The values of one field."""

    __slots__ = ("_above", "_key", "_nullable")

    def __init__(self, above: Places, key: str, *, nullable: bool = True) -> None:
        self._above = above
        self._key = key
        self._nullable = nullable

    def path(self, index: int) -> list[str | int]:
        return [*self._above.path(index), self._key]

    def null(self, index: int) -> list[str | int]:
        return self.path(index) if self._nullable else self._above.null(index)


class Some:
    """Some of the values of a level."""

    __slots__ = ("_chosen", "_of")

    def __init__(self, of: Places, chosen: Sequence[int]) -> None:
        self._of = of
        self._chosen = chosen

    def path(self, index: int) -> list[str | int]:
        return self._of.path(self._chosen[index])

    def null(self, index: int) -> list[str | int]:
        return self._of.null(self._chosen[index])


class Items:
    """What is in the lists of a level: each in which of them, and where in it."""

    __slots__ = ("_indices", "_lists", "_nullable", "_owners")

    def __init__(self, lists: Places, owners: Sequence[int], indices: Sequence[int], *, nullable: bool) -> None:
        self._nullable = nullable
        self._lists = lists
        self._owners = owners
        self._indices = indices

    def path(self, index: int) -> list[str | int]:
        return [*self._lists.path(self._owners[index]), self._indices[index]]

    def null(self, index: int) -> list[str | int]:
        return self.path(index) if self._nullable else self._lists.null(self._owners[index])


class Place:
    """What a resolver is given for its path: graphql-core's, made when it is looked at, and never one of an item."""

    __slots__ = ("_index", "_places", "_type")

    def __init__(self, places: Places, index: int, type: str) -> None:
        self._places = places
        self._index = index
        self._type = type

    def as_list(self) -> list[str | int]:
        path = self._places.path(self._index)
        while isinstance(path[-1], int):
            path.pop()
        return path

    def __getattr__(self, name: str) -> Any:
        path: Path | None = None
        *above, last = self.as_list()
        for key in above:
            path = Path(path, key, None)
        return getattr(Path(path, last, self._type), name)
