"""What the pipeline says of a document before it is registered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from graphql import GraphQLError

from domain.documents import Checked

from ..operations import Documents

SHOWN = 3
"""So many of a document's faults are told."""


async def check_all(pipeline: Documents, pairs: Iterable[tuple[str, str]]) -> list[Checked]:
    """Of each id and text. A thousand of them take seconds, in which others have their turns."""
    found = []
    for id, text in pairs:
        found.append(check(pipeline, id, text))
        await asyncio.sleep(0)
    return found


def check(pipeline: Documents, id: str, text: str) -> Checked:
    """As when it will be asked for, with the defaults of its variables."""
    document = pipeline.prepare(text, stranger=False, keep=False)
    if document.errors:
        return Checked(id, text, problem=told(document.errors))
    cost = max(operation.priced({}) for operation in document.operations)
    try:
        pipeline.limits.afford(cost)
    except GraphQLError as refused:
        return Checked(id, text, problem=refused.message)
    names = [operation.name for operation in document.operations if operation.name is not None]
    return Checked(id, text, names=names, operation=document.operations[0].kind.value, cost=cost)


def told(errors: Sequence[GraphQLError]) -> str:
    """Each with its line and column, as compilers write them."""
    told = [
        f"{error.locations[0].line}:{error.locations[0].column} {error.message}" if error.locations else error.message
        for error in errors[:SHOWN]
    ]
    more = len(errors) - SHOWN
    return " ".join([*told, f"And {more} more."] if more > 0 else told)
