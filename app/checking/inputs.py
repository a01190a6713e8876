"""What is compared, and the documents that may depend on it: files, standard input, this installation's database."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from graphql import GraphQLSchema

from app import manifests
from app.auditing.plain import plain
from app.commands import opening
from app.errors import Unusable
from domain import documents, workspaces
from domain.access import Reach
from domain.base import query
from domain.paging import MAX_FIRST, Window
from domain.ports import Reader
from domain.workspaces import Workspace, WorkspaceRow
from graph.broken import Registered
from graph.changes import InvalidSchema, read

if TYPE_CHECKING:
    from app.settings import Settings

STANDARD_INPUT = "-"
MAX_BYTES = 64 * 1024 * 1024

_ALL_WORKSPACES = query(WorkspaceRow, Workspace).beyond_reach("For the operator at the command line.")


def schema(source: str | None) -> GraphQLSchema:
    """Of a file in SDL, of standard input (`-`), or of this program (None). Raises Unusable."""
    if source is None:
        from graph.schema import schema

        return read(schema.as_str())
    name = named(source)
    try:
        return read(text(source))
    except InvalidSchema as error:
        place = f", line {error.place[0]}, column {error.place[1]}" if error.place else ""
        raise Unusable(f"{name}{place}: {plain(error.message)}") from None


def text(source: str) -> str:
    """Of a file, or of standard input (`-`). Raises Unusable."""
    name = named(source)
    try:
        if source == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unusable(f"{name} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise Unusable(f"{name} is larger than {MAX_BYTES // 1024 // 1024} MiB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"{name} is not in UTF-8: byte {error.start + 1} belongs to no character.") from None


def of_manifests(paths: Iterable[Path]) -> list[Registered]:
    """The documents of manifests; each is its file's, for whichever client it has them. Raises Unusable."""
    return [Registered(entry.id, entry.text, (str(path),)) for path in paths for entry in manifests.load(path, None)]


async def of_installation(settings: Settings, slug: str | None) -> list[Registered]:
    """The documents that are registered here, in one workspace or in all of them. Raises Unusable."""
    async with opening.house(settings) as house:
        reader = house.database.reader
        if slug is None:
            found: Sequence[WorkspaceRow] = await reader.all(_ALL_WORKSPACES)
        elif (row := await workspaces.find(reader, slug)) is not None:
            found = [row]
        else:
            raise Unusable(f"There is no workspace {slug!r} here.")
        return [each for workspace in found for each in await _of_workspace(reader, workspace)]


async def _of_workspace(reader: Reader, workspace: WorkspaceRow) -> list[Registered]:
    reach = Reach.whole(workspace.id)
    found: list[Registered] = []
    window = Window(MAX_FIRST)
    while True:
        page = await documents.DOCUMENTS.of(reader, reach, workspace.id, window)
        aliases = await documents.aliases_by_documents(reader, reach, [row.id for row in page.rows])
        users = {row.id: {alias.client_id for alias in aliases.get(row.id, ())} for row in page.rows}
        ids: set[UUID] = {id for each in users.values() for id in each if id is not None}
        clients = await documents.clients_by_ids(reader, reach, ids)
        # Between two reads a client may have been deleted, and is named no more.
        for row in page.rows:
            names = sorted(
                "everybody" if id is None else clients[id].name for id in users[row.id] if id is None or id in clients
            )
            found.append(Registered(f"sha256:{row.hash}", row.text, tuple(f"{workspace.slug}/{name}" for name in names)))
        if not page.has_next:
            return found
        window = Window(MAX_FIRST, page.cursors[-1])


def once(given: Iterable[Registered]) -> list[Registered]:
    """Each text once, with all whose it is."""
    found: dict[str, Registered] = {}
    for each in given:
        known = found.setdefault(each.text, each)
        found[each.text] = known._replace(clients=tuple(dict.fromkeys((*known.clients, *each.clients))))
    return list(found.values())


def named(source: str) -> str:
    """What a source is called where people are told of it."""
    return "standard input" if source == STANDARD_INPUT else plain(source, 120)
