"""Fields that read by key: they say with which loader and by which key, and plans read those of a whole level at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import strawberry
from graphql import GraphQLField

from domain.access import Permission
from domain.paging import DEFAULT_FIRST, Window

from .context import Info
from .loaders import PageOf
from .loading import Loading
from .marks import NeedsPermission, metadata_of
from .paging import After, First


class Read(NamedTuple):
    """`key` makes a key of the row; `given`, of the field's arguments, what all keys share.

    Where nothing is given, `key` takes the arguments too. None of it is a key: then there is nothing to read. Either may
    raise a refusal. `attribute` is the row's, where the key is one; `permission` is needed in the workspace that the row is;
    `columns` are all that is read of the row, where that is known.
    """

    loading: Loading
    key: Callable[..., Any]
    attribute: str | None = None
    given: Callable[..., Hashable] | None = None
    permission: Permission | None = None
    columns: frozenset[str] | None = None


def by_key(
    loading: Loading,
    key: str | Callable[..., Any],
    description: str,
    *,
    given: Callable[..., Hashable] | None = None,
    permission: Permission | None = None,
    directives: Sequence[object] = (),
) -> Any:
    """A field whose values are the loader's. The key is an attribute of the row, or a function of it and of the arguments."""
    if isinstance(key, str):
        read = Read(loading, attrgetter(key), key, given, permission, frozenset({key, "id"}))
    else:
        read = Read(loading, key, None, given, permission)
    said = [NeedsPermission(permission=permission)] if permission is not None else []
    return strawberry.field(
        resolver=_resolver(read), description=description, directives=[*said, *directives], metadata={"read": read}
    )


def page_of(first: First = DEFAULT_FIRST, after: After = None) -> PageOf:
    return PageOf(Window.of(first, after))


def paged(
    loading: Loading, description: str, *, given: Callable[..., PageOf] = page_of, permission: Permission | None = None
) -> Any:
    """A field whose values are pages of a list under each row."""
    return by_key(loading, "id", description, given=given, permission=permission)


def read_of(field: GraphQLField) -> Read | None:
    found: Read | None = metadata_of(field).get("read")
    return found


def _resolver(read: Read) -> Callable[..., Any]:
    """For those that resolve one by one."""

    async def resolver(root: Any, info: Info, **arguments: Any) -> Any:
        if read.permission is not None:
            info.context.actor.require(read.permission, root.id)
        given = read.given(**arguments) if read.given is not None else None
        key = read.key(root) if read.given is not None else read.key(root, **arguments)
        return await info.context.loaders.of(read.loading, given).load(key) if key is not None else None

    asked: list[inspect.Parameter] = []
    said: Callable[..., Any] = resolver
    if read.given is not None:
        said, asked = read.given, list(inspect.signature(read.given).parameters.values())
    elif read.attribute is None:
        said, asked = read.key, list(inspect.signature(read.key).parameters.values())[1:]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [inspect.Parameter("root", positional), inspect.Parameter("info", positional, annotation=strawberry.Info)]
    signed: Any = resolver
    signed.__signature__ = inspect.Signature([*own, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in asked)])
    signed.__annotations__ = {"info": strawberry.Info, **{each.name: each.annotation for each in asked}}
    signed.__module__ = said.__module__
    return resolver
