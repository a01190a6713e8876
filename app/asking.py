"""GraphQL asked on behalf of a command: of this installation, or of another with the key in PACEMARK_KEY."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from app import remote, settings
from app.asgi import services_of
from app.auditing.plain import plain
from app.bootstrap import owner
from app.commands import opening
from app.commands.options import given
from app.errors import Unusable
from app.remote import KEY
from graph.callers import Caller
from graph.execution import Operations
from graph.operations import Asked, Rejected
from graph.schema import schema

MOST_SAID = 500
EACH = 100
"""As many of a list are asked for at once as may be."""

Ask = Callable[..., Awaitable[Mapping[str, Any]]]


class There(NamedTuple):
    """Who is asked, for which workspace. `ask` gives an operation's data and raises Unusable; `where` ends a sentence.

    `options`: what leads the next command there, too.
    """

    ask: Ask
    workspace: str
    where: str
    options: str = ""


@asynccontextmanager
async def opened(workspace: str, *, server: str | None, data: Path | None) -> AsyncGenerator[There, None]:
    """Raises Unusable."""
    options = given(workspace, server, data)
    if server is not None:
        async with remote.opened(server, os.environ.get(KEY), option="--server") as there:
            where = f"that the key in {KEY} opens. Name its own: --workspace SLUG"
            yield There(there.ask, workspace, where, options)
        return
    async with opening.house(settings.load(data=data)) as house:
        actor = await owner(house, await opening.find(house.database.reader, workspace))
        operations = Operations(schema, services_of(house))

        async def ask(text: str, **variables: Any) -> Mapping[str, Any]:
            try:
                prepared = await operations.prepare(Asked(text, variables=variables), Caller(actor, "command line"))
                result = await operations.result(prepared)
            except Rejected as refused:
                raise Unusable(plain(str(refused), MOST_SAID)) from None
            if result.errors or result.data is None:
                raise Unusable(plain(result.errors[0].message if result.errors else "There is no answer.", MOST_SAID))
            return result.data

        yield There(ask, workspace, "here.", options)


def workspace_of(said: Mapping[str, Any], there: There) -> Mapping[str, Any]:
    """Raises Unusable where it is not there."""
    found: Mapping[str, Any] | None = said["workspace"]
    if found is None:
        raise Unusable(f"There is no workspace {there.workspace!r} {there.where}")
    return found


def done(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a mutation gave. Raises Unusable, with all that it refuses."""
    if "message" not in answer:
        return answer
    sentences = [each["message"] for each in answer.get("fields", ())] or [answer["message"]]
    raise Unusable("\n".join(plain(each, MOST_SAID) for each in sentences))


async def change(there: There, field: str, gives: str, **given: Any) -> Mapping[str, Any]:
    """What the mutation `field` gives of its payload: `gives` names it. What is None is not given on. Raises Unusable."""
    name = field[0].upper() + field[1:]
    text = f"""mutation {name}($input: {name}Input!) {{
      made: {field}(input: $input) {{
        ... on {name}Payload {{ {gives} }} ... on Problem {{ message }} ... on InvalidInput {{ fields {{ message }} }}
      }}
    }}"""
    input = {key: value for key, value in given.items() if value is not None}
    return done((await there.ask(text, input=input))["made"])


async def every(
    there: There,
    text: str,
    path: Sequence[str],
    most: int,
    *,
    each: int = EACH,
    **variables: Any,
) -> tuple[list[Mapping[str, Any]], bool]:
    """Of the list at `path` the first `most` nodes, and whether there are more.

    `each`: so many at once. Nothing where there is no such list. Raises Unusable, also where there is no such workspace.
    """
    found: list[Mapping[str, Any]] = []
    after = None
    while True:
        first = min(each, most - len(found))
        said: Any = await there.ask(text, first=first, after=after, **variables)
        if path[0] == "workspace":
            workspace_of(said, there)
        for name in path:
            said = said[name] if said is not None else None
        if said is None:
            return [], False
        found += said["nodes"]
        has_next = said["pageInfo"]["hasNextPage"]
        if not has_next or len(found) >= most:
            return found, has_next
        after = said["pageInfo"]["endCursor"]
