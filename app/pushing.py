"""Registering a client's documents, in this installation's database or in another's by its API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

from app.commands import opening
from app.errors import Unusable
from app.manifests import Entry
from app.remote import KEY, Remote
from app.settings import Settings
from domain import documents
from domain.documents import MAX_PUSHED, Pushed
from domain.errors import Refused
from graph.documents import check_all
from graph.operations import documents_of
from graph.schema import schema

MAX_BODY = 1024 * 1024 - 8 * 1024
"""Of the documents in one request, as JSON: what a server takes, less what stands around them."""

KEYS = len('{"id":,"text":},') - len("[,]")

CLIENTS = """query PushTo($workspace: String!, $after: Cursor) {
  workspace(slug: $workspace) {
    id
    clients(first: 100, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
  }
}"""
PUSH = """mutation Push($input: DocumentsPushInput!) {
  documentsPush(input: $input) {
    __typename
    ... on DocumentsPushPayload { added unchanged refused { alias reason } }
    ... on Problem { message }
    ... on InvalidInput { fields { message } }
  }
}"""


class Outcome(NamedTuple):
    """What came of a push by the documents' ids, and in how many batches: each was stored as a whole, or not at all."""

    added: list[str]
    unchanged: list[str]
    refused: list[tuple[str, str]]
    batches: int


Push = Callable[[Sequence[Entry]], Awaitable[Pushed]]


async def here(settings: Settings, workspace: str, client: str | None, version: str, entries: Sequence[Entry]) -> Outcome:
    """Into the database of this installation. Raises Unusable, InvalidInput, LimitReached."""
    pipeline = documents_of(schema._schema)
    async with opening.workspace(settings, workspace) as (database, workspace_id, owner):
        client_id = await opening.client(database.reader, workspace_id, client) if client is not None else None

        async def push(batch: Sequence[Entry]) -> Pushed:
            checked = await check_all(pipeline, [(entry.id, entry.text) for entry in batch])
            async with database.work(owner) as work:
                return await documents.push(
                    work, workspace_id=workspace_id, client_id=client_id, version=version, documents=checked
                )

        return await _each(entries, push)


async def there(remote: Remote, workspace: str, client: str | None, version: str, entries: Sequence[Entry]) -> Outcome:
    """Into another installation, by its API. Raises Unusable."""
    workspace_id, client_id = await _whose(remote, workspace, client)

    async def push(batch: Sequence[Entry]) -> Pushed:
        given = [{"id": entry.id, "text": entry.text} for entry in batch]
        input = {"workspace": workspace_id, "client": client_id, "version": version, "documents": given}
        said = (await remote.ask(PUSH, input=input))["documentsPush"]
        if said["__typename"] != "DocumentsPushPayload":
            raise Unusable(" ".join(field["message"] for field in said.get("fields", ())) or said["message"])
        refused = [(each["alias"], each["reason"]) for each in said["refused"]]
        return Pushed(said["added"], said["unchanged"], refused)

    return await _each(entries, push)


async def _whose(remote: Remote, workspace: str, client: str | None) -> tuple[str, str | None]:
    """The ids of the workspace and of the client. Raises Unusable."""
    after = None
    while True:
        found = (await remote.ask(CLIENTS, workspace=workspace, after=after))["workspace"]
        if found is None:
            raise Unusable(f"The key in {KEY} opens no workspace {workspace!r} there. Name its own: --workspace SLUG")
        page = found["clients"]
        ids = [node["id"] for node in page["nodes"] if node["name"] == client]
        if client is None or ids:
            return found["id"], ids[0] if ids else None
        if not page["pageInfo"]["hasNextPage"]:
            raise Unusable(f"There is no client {client!r} in that workspace. Make it there: pacemark clients create NAME")
        after = page["pageInfo"]["endCursor"]


async def _each(entries: Sequence[Entry], push: Push) -> Outcome:
    """Raises what `push` does, with a word of what is stored already."""
    outcome = Outcome([], [], [(entry.id, entry.refusal) for entry in entries if entry.refusal is not None], 0)
    for batch in batches([entry for entry in entries if entry.refusal is None]):
        try:
            pushed = await push(batch)
        except (Unusable, Refused) as error:
            if not outcome.batches:
                raise
            stored = sum(len(each) for each in outcome[:2])
            raise Unusable(f"{error} Before that, {stored:,} were stored, which stay: push again.") from None
        outcome.added.extend(pushed.added)
        outcome.unchanged.extend(pushed.unchanged)
        outcome.refused.extend(pushed.refused)
        outcome = outcome._replace(batches=outcome.batches + 1)
    return outcome


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """In their order, none with more than a push takes."""
    batch: list[Entry] = []
    bytes = 0
    for entry in entries:
        size = len(orjson.dumps([entry.id, entry.text])) + KEYS
        if batch and (len(batch) == MAX_PUSHED or bytes + size > MAX_BODY):
            yield batch
            batch, bytes = [], 0
        batch.append(entry)
        bytes += size
    if batch:
        yield batch
