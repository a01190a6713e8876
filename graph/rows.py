"""What fields say of how they read their rows, so that no more is read than is asked for."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import GraphQLField

from .marks import metadata_of

ITSELF = "itself"
_READS = "reads"


def itself(description: str) -> Any:
    """A field that is the row once more, as another type: its columns are that one's fields."""

    def resolver(root: Any) -> Any:
        return root

    return strawberry.field(resolver=resolver, description=description, metadata={ITSELF: True})


def reads(*columns: str) -> dict[Any, Any]:
    """The `metadata` of a field whose resolver reads these columns of its row, beside what is read of what it gives."""
    return {_READS: frozenset(columns)}


def columns_of(field: GraphQLField) -> frozenset[str] | None:
    """What the field's resolver reads of its row; None where it does not say so."""
    found: frozenset[str] | None = metadata_of(field).get(_READS)
    return found
