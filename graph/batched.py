"""Fields that read by key: they say with which loader and by which key, and plans read those of a whole level at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import strawberry
from graphql import GraphQLField

from domain.access import Permission
from domain.paging import DEFAULT_FIRST, Window

from .context import Info
from .loaders import PageKey
from .loading import Loading
from .marks import NeedsPermission, metadata_of
from .paging import After, First


class Read(NamedTuple):
    """`key` makes a key of the row and the field's arguments: None where there is nothing to read. It may raise a refusal.

    `attribute` is the row's, where the key is one; `permission` is needed in the workspace that the row is; `columns` are
    all that is read of the row, where that is known.
    """

    loading: Loading
    key: Callable[..., Any]
    attribute: str | None = None
    permission: Permission | None = None
    columns: frozenset[str] | None = None


def by_key(
    loading: Loading,
    key: str | Callable[..., Any],
    description: str,
    *,
    permission: Permission | None = None,
    directives: Sequence[object] = (),
) -> Any:
    """A field whose values are the loader's. The key is an attribute of the row, or a function of it and of the arguments."""
    if isinstance(key, str):
        read = Read(loading, attrgetter(key), key, permission, frozenset({key, "id"}))
    else:
        read = Read(loading, key, None, permission, frozenset({"id"}) if key is page_key else None)
    said = [NeedsPermission(permission=permission)] if permission is not None else []
    return strawberry.field(
        resolver=_resolver(read), description=description, directives=[*said, *directives], metadata={"read": read}
    )


def page_key(row: Any, first: First = DEFAULT_FIRST, after: After = None) -> PageKey:
    return PageKey(row.id, Window.of(first, after))


def read_of(field: GraphQLField) -> Read | None:
    found: Read | None = metadata_of(field).get("read")
    return found


def _resolver(read: Read) -> Callable[..., Any]:
    """For those that resolve one by one."""

    async def resolver(root: Any, info: Info, **arguments: Any) -> Any:
        if read.permission is not None:
            info.context.actor.require(read.permission, root.id)
        key = read.key(root, **arguments)
        return await info.context.loaders.of(read.loading).load(key) if key is not None else None

    given = list(inspect.signature(read.key).parameters.values())[1:] if read.attribute is None else []
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [inspect.Parameter("root", positional), inspect.Parameter("info", positional, annotation=strawberry.Info)]
    signed: Any = resolver
    signed.__signature__ = inspect.Signature([*own, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in given)])
    signed.__annotations__ = {"info": strawberry.Info, **{each.name: each.annotation for each in given}}
    signed.__module__ = read.key.__module__ if read.attribute is None else __name__
    return resolver
