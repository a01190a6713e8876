"""API clients with keys of their own, and the documents that they register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from domain import documents, keys
from domain.access import Role
from domain.documents import Checked, ClientMode
from graph.callers import Caller
from graph.documents import check
from graph.operations import documents_of
from graph.schema import schema
from tests.databases import new_workspace
from tests.graph.asking import Asking


async def elsewhere(asking: Asking, slug: str = "other") -> Asking:
    """The same installation, asked by the owner of another workspace."""
    workspace_id, actor = await new_workspace(asking.database, slug)
    return replace(asking, workspace_id=workspace_id, actor=actor)


async def client(asking: Asking, name: str = "web", mode: ClientMode = ClientMode.OPEN) -> UUID:
    async with asking.database.work(asking.actor) as work:
        return await documents.create_client(work, workspace_id=asking.workspace_id, name=name, mode=mode)


async def change(asking: Asking, client_id: UUID, mode: ClientMode) -> None:
    async with asking.database.work(asking.actor) as work:
        await documents.change_client(work, client_id=client_id, mode=mode)


async def push(
    asking: Asking, client_id: UUID | None, texts: Mapping[str, str], *, version: str = "1.0", checked: bool = True
) -> None:
    """By their ids, all of which must be good; unchecked, whatever the schema says of them."""
    pipeline = documents_of(schema._schema)
    pushed = [check(pipeline, id, text) if checked else Checked(id, text, ["Any"], "query", 1.0) for id, text in texts.items()]
    async with asking.database.work(asking.actor) as work:
        done = await documents.push(
            work, workspace_id=asking.workspace_id, client_id=client_id, version=version, documents=pushed
        )
    assert done.refused == []


async def key(asking: Asking, client_id: UUID | None = None, role: Role = Role.MEMBER) -> str:
    async with asking.database.work(asking.actor) as work:
        keyring = asking.services.keyring
        return await keys.issue(
            work, workspace_id=asking.workspace_id, name="ci", role=role, keyring=keyring, client_id=client_id
        )


async def caller(asking: Asking, client_id: UUID | None = None, role: Role = Role.MEMBER) -> Caller:
    """Whoever has a key of this client."""
    actor = await keys.actor_for_key(asking.database.reader, await key(asking, client_id, role), asking.services.keyring)
    assert actor is not None
    return Caller(actor, "192.0.2.1", standing=asking.services.standings.of(actor))
