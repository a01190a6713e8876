"""Nulls that take with them what they stand in, and which errors are then told.

https://spec.graphql.org/September2025/#sec-Handling-Execution-Errors
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from graphql import GraphQLError


class Null(NamedTuple):
    """Where an error was met, and the path of what is null for it: the same, or the next above that may be."""

    path: Sequence[str | int]
    taken: Sequence[str | int]

    @property
    def distance(self) -> int:
        return len(self.path) - len(self.taken)


def spread(
    data: dict[str, Any], errors: Sequence[GraphQLError], nulls: Sequence[Null], at_once: int
) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
    """The data with its nulls, and the errors that are told: one for each null, and none of what was null before it.

    The first `at_once` were met before anything was waited for. graphql-core goes depth first, so they are told in that
    order; of the others, those that spread are told after those that do not, for they have a way to go.
    """
    numbers = sorted(range(at_once), key=lambda number: _order(data, nulls[number].path))
    numbers += sorted(range(at_once, len(errors)), key=lambda number: nulls[number].distance)
    taken: set[tuple[str | int, ...]] = set()
    told: list[GraphQLError] = []
    for number in numbers:
        place = tuple(nulls[number].taken)
        if not any(place[:length] in taken for length in range(len(place) + 1)):
            taken.add(place)
            told.append(errors[number])
    if () in taken:
        return None, told
    for *above, last in sorted(taken, key=len, reverse=True):
        inner: Any = data
        for key in above:
            inner = inner[key]
        inner[last] = None
    return data, told


def _order(data: Any, path: Sequence[str | int]) -> list[int]:
    """The number of each key on the way."""
    numbers = []
    for key in path:
        numbers.append(key if isinstance(key, int) else list(data).index(key))
        data = data[key]
    return numbers
