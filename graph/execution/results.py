"""What an operation came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLError

from ..operations.budgets import Charge


class Said(NamedTuple):
    """What an operation came to; `things`: how many objects were completed for it, where that was counted.

    Of what only looks at the schema, how many values it has.
    """

    data: Mapping[str, Any] | None
    errors: Sequence[GraphQLError] | None
    things: int | None = None


class Result(NamedTuple):
    """Of an operation that ran; its errors are as the client may see them."""

    data: Mapping[str, Any] | None
    errors: Sequence[GraphQLError] = ()
    charge: Charge | None = None
    max_age: int = 0
    public: bool = False

    def body(self, *, cost: bool = True) -> dict[str, Any]:
        """As it is sent; without its cost where the answer may be kept, which is the next one's as well."""
        said: dict[str, Any] = {"errors": [error.formatted for error in self.errors]} if self.errors else {}
        said["data"] = self.data
        if cost and self.charge is not None:
            said["extensions"] = {"cost": self.charge.extension}
        return said


class Event(NamedTuple):
    """One of several results, as JSON; and the place in the stream behind which to go on, where it has one."""

    body: bytes
    id: str | None = None


def encoded(body: Mapping[str, Any]) -> bytes:
    return orjson.dumps(body)
