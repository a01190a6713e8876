"""Relay connections over the domain's keysets, with the nodes beside the edges."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from domain.paging import Slice

from .rows import reads
from .scalars import Cursor

T = TypeVar("T")

First = Annotated[int, strawberry.argument(description="How many, from the beginning or from `after`; 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Only what comes after this cursor.")]


@strawberry.type(description="Where a connection's page lies in the whole list.")
class PageInfo:
    @strawberry.field(description="Whether more follows; ask with `after: endCursor`.", metadata=reads())
    @staticmethod
    def has_next_page(slice: strawberry.Parent[Slice[Any]]) -> bool:
        return slice.has_next

    @strawberry.field(description="Whether something comes before.", metadata=reads())
    @staticmethod
    def has_previous_page(slice: strawberry.Parent[Slice[Any]]) -> bool:
        return slice.has_previous

    @strawberry.field(description="The first edge's cursor; null when the page is empty.", metadata=reads())
    @staticmethod
    def start_cursor(slice: strawberry.Parent[Slice[Any]]) -> Cursor | None:
        return Cursor(slice.cursor(slice.rows[0])) if slice.rows else None

    @strawberry.field(description="The last edge's cursor; null when the page is empty.", metadata=reads())
    @staticmethod
    def end_cursor(slice: strawberry.Parent[Slice[Any]]) -> Cursor | None:
        return Cursor(slice.cursor(slice.rows[-1])) if slice.rows else None


@strawberry.type(description="One node of a list, and its place there.")
class Edge(Generic[T]):
    cursor: Cursor = strawberry.field(description="The place: what comes after or before it can be asked for.")
    node: T = strawberry.field(description="What stands there.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Read straight from a slice."""

    @strawberry.field(description="The nodes with their cursors.", metadata=reads())
    @staticmethod
    def edges(slice: strawberry.Parent[Slice[Any]]) -> list[Edge[T]]:
        return [Edge(cursor=Cursor(slice.cursor(row)), node=row) for row in slice.rows]

    @strawberry.field(description="The nodes alone.", metadata=reads())
    @staticmethod
    def nodes(slice: strawberry.Parent[Slice[Any]]) -> list[T]:
        return list(slice.rows)

    @strawberry.field(description="Where this page lies in the list.", metadata=reads())
    @staticmethod
    def page_info(slice: strawberry.Parent[Slice[Any]]) -> PageInfo:
        return slice  # type: ignore[return-value]  # read by the type's fields
