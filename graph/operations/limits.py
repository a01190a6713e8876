"""How much one operation may ask for, before anything is asked of the schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from graphql import GraphQLError

from ..codes import Code
from .measures import Measures


@dataclass(frozen=True, slots=True)
class Limits:
    """`source` is in bytes of UTF-8, `tokens` counts what the grammar does; comments are counted apart.

    The rest is counted as execution would meet it, with every fragment where it is spread. GraphiQL's introspection is
    15 deep, and the widest examples of this product ask for some hundred fields.
    """

    source: int = 64 * 1024
    tokens: int = 4_000
    comments: int = 500
    depth: int = 20
    fields: int = 2_000
    aliases: int = 100
    root_fields: int = 20
    directives: int = 100
    cost: int = 50_000
    errors: int = 10

    def check(self, measures: Measures) -> Iterator[GraphQLError]:
        """What is too much, each with its limit and what was asked for."""
        for each in _BOUNDS:
            limit, actual = getattr(self, each.limit), getattr(measures, each.limit)
            if actual > limit:
                extensions = {"code": str(Code.DOCUMENT_TOO_COMPLEX), "limit": each.limit, "maximum": limit}
                yield GraphQLError(each.message.format(limit=limit), extensions=extensions)

    def afford(self, cost: float) -> None:
        """Raises GraphQLError for an operation that may cost too much with the variables that it came with."""
        if cost > self.cost:
            message = f"This operation may cost up to {cost:,.0f}, and {self.cost:,} is the most: ask for fewer at once."
            raise GraphQLError(
                message, extensions={"code": str(Code.COST_ESTIMATED_TOO_EXPENSIVE), "cost": cost, "maximum": self.cost}
            )


class _Bound(NamedTuple):
    limit: str
    message: str


_BOUNDS = (
    _Bound("depth", "This operation is nested too deeply: at most {limit} fields may stand in one another."),
    _Bound("fields", "This operation selects too many fields: at most {limit}, with every fragment where it is spread."),
    _Bound(
        "aliases",
        "This operation has too many aliases, or long ones: at most {limit}, with every fragment where it is spread.",
    ),
    _Bound("root_fields", "This operation has too many fields at its root: at most {limit}."),
    _Bound("directives", "This operation has too many directives: at most {limit}, with every fragment where it is spread."),
)
