"""Relay connections over the domain's keysets, with the nodes beside the edges."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from domain.paging import Slice

from .scalars import Cursor

T = TypeVar("T")

First = Annotated[int, strawberry.argument(description="How many, from the beginning or from `after`; 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Only what comes after this cursor.")]


@strawberry.type(description="Where a connection's page lies in the whole list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows; ask with `after: endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before.")
    start_cursor: Cursor | None = strawberry.field(description="The first edge's cursor; null when the page is empty.")
    end_cursor: Cursor | None = strawberry.field(description="The last edge's cursor; null when the page is empty.")


@strawberry.type(description="One node of a list, and its place there.")
class Edge(Generic[T]):
    cursor: Cursor = strawberry.field(description="The place: what comes after or before it can be asked for.")
    node: T = strawberry.field(description="What stands there.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The nodes with their cursors.")
    nodes: list[T] = strawberry.field(description="The nodes alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")


def connection(slice: Slice[Any] | None) -> Any:
    """A slice of rows as a connection of their type. None, for a parent that is gone, is an empty one."""
    rows, cursors = (slice.rows, slice.cursors) if slice else ((), ())
    return Connection(
        edges=[Edge(cursor=Cursor(cursor), node=row) for cursor, row in zip(cursors, rows, strict=True)],
        nodes=list(rows),
        page_info=PageInfo(
            has_next_page=slice.has_next if slice else False,
            has_previous_page=slice.has_previous if slice else False,
            start_cursor=Cursor(cursors[0]) if cursors else None,
            end_cursor=Cursor(cursors[-1]) if cursors else None,
        ),
    )
