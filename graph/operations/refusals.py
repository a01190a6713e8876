"""An operation that is not executed: what its answer says, whatever it came by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from domain.errors import DatabaseAway

from ..codes import Code
from ..errors import AWAY, shown


class Rejected(Exception):  # noqa: N818 - an answer, not an error of ours
    """`status` is what HTTP says of it. `in_json` is what it says to clients that know `application/json` only.

    Those take every other status than 200 for a failure of the network and do not read what went wrong.
    """

    def __init__(
        self,
        errors: Sequence[GraphQLError],
        status: int = 400,
        *,
        in_json: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(errors[0].message)
        self.errors = errors
        self.status = status
        self.in_json = status if in_json is None else in_json
        self.headers = headers or {}

    @property
    def code(self) -> str:
        return str((self.errors[0].extensions or {}).get("code"))

    @property
    def body(self) -> Mapping[str, Any]:
        return {"errors": [error.formatted for error in self.errors]}

    @classmethod
    def of(
        cls, message: str, code: Code, status: int = 400, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> Rejected:
        error = GraphQLError(message, extensions={"code": str(code), **extensions})
        return cls([error], status, headers=headers)


def rejection(error: Exception) -> Rejected:
    """What is said of whatever was raised outside of all resolvers: a bug is logged, and masked like theirs."""
    if isinstance(error, Rejected):
        return error
    if isinstance(error, DatabaseAway):
        return away()
    return Rejected([shown(GraphQLError(str(error), original_error=error))], 500)


def away() -> Rejected:
    """The database cannot be asked."""
    return Rejected.of(AWAY, Code.SERVICE_UNAVAILABLE, 503, {"retry-after": "1"})
