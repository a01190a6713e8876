"""API clients: making, changing and forgetting them, and what becomes of their keys."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain import documents, keys
from domain.access import NOBODY, Actor, Permission, Reach, Role
from domain.documents import ClientMode, ClientRow, rules
from domain.errors import Conflict, LimitReached, NotAllowed, NotFound, ProblemCode
from domain.ids import Kind, encode, new_id
from domain.keyring import Keyring
from domain.paging import Window
from tests.domain.documents.benches import NOON, Bench, bench, new_bench, refused

__all__ = ["bench"]

KEYRING = Keyring([b"secret"])


async def read(bench: Bench, client: UUID) -> ClientRow | None:
    return (await documents.clients_by_ids(bench.database.reader, bench.actor.reach, [client])).get(client)


async def issue(bench: Bench, client: UUID | None, role: Role = Role.MEMBER) -> str:
    given: dict[str, Any] = {"workspace_id": bench.workspace_id, "name": "CI", "role": role, "keyring": KEYRING}
    key: str = await bench.do(keys.issue, client_id=client, **given)
    return key


async def test_a_client_has_a_name_and_a_mode(bench: Bench) -> None:
    client = await bench.client("  web  ", ClientMode.SAFELIST)
    assert await read(bench, client) == (client, bench.workspace_id, "web", ClientMode.SAFELIST, NOON)


async def test_clients_are_listed_by_name(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    await other.client("alien")
    for name in ("web", "ios", "android"):
        await bench.client(name)
    listed = await documents.CLIENTS.of(bench.database.reader, bench.actor.reach, bench.workspace_id, Window(2))
    assert ([row.name for row in listed.rows], listed.has_next) == (["android", "ios"], True)
    window = Window(2, listed.cursors[-1])
    rest = await documents.CLIENTS.of(bench.database.reader, bench.actor.reach, bench.workspace_id, window)
    assert ([row.name for row in rest.rows], rest.has_next) == (["web"], False)


async def test_a_client_is_found_by_its_name_in_its_workspace(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    client, theirs = await bench.client("web"), await other.client("web")

    async def find(reach: Reach, workspace: UUID, name: str) -> UUID | None:
        row = await documents.client_by_name(bench.database.reader, reach, workspace, name)
        return row.id if row else None

    both = Reach.whole(bench.workspace_id, other.workspace_id)
    assert await find(both, bench.workspace_id, "web") == client
    assert await find(both, other.workspace_id, "web") == theirs
    assert await find(bench.actor.reach, other.workspace_id, "web") is None
    for name in ("Web", "", "we%", "web "):
        assert await find(both, bench.workspace_id, name) is None


async def test_two_clients_of_a_workspace_have_different_names(bench: Bench) -> None:
    client = await bench.client("web")
    refusal = await refused(bench.client(" web "))
    assert isinstance(refusal, Conflict)
    assert (refusal.code, refusal.existing) == (ProblemCode.ALREADY_EXISTS, (Kind.CLIENT, client))
    second = await bench.client("ios")
    refusal = await refused(bench.do(documents.change_client, client_id=second, name="web"))
    assert isinstance(refusal, Conflict)
    assert refusal.existing == (Kind.CLIENT, client)
    await bench.do(documents.change_client, client_id=client, name="web")
    await (await new_bench(bench.database, bench.clock, "other")).client("web")


async def test_two_at_once_of_one_name_are_one(bench: Bench) -> None:
    made = await asyncio.gather(*(bench.client("same") for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in made].count(Conflict) == 4


async def test_a_workspace_has_so_many_clients(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_CLIENTS", 2)
    made = await asyncio.gather(*(bench.client(f"{number}") for number in range(4)), return_exceptions=True)
    assert [refusal.limit for refusal in made if isinstance(refusal, LimitReached)] == [2, 2]
    await (await new_bench(bench.database, bench.clock, "other")).client()


async def test_what_is_not_given_stays(bench: Bench) -> None:
    client = await bench.client("web", ClientMode.SAFELIST)
    before = await read(bench, client)
    assert before is not None
    changes: list[tuple[dict[str, Any], ClientRow]] = [
        ({}, before),
        ({"name": " site "}, before._replace(name="site")),
        ({"mode": ClientMode.REGISTERED_ONLY}, before._replace(name="site", mode=ClientMode.REGISTERED_ONLY)),
    ]
    for given, after in changes:
        assert await bench.do(documents.change_client, client_id=client, **given) == client
        assert await read(bench, client) == after


async def test_who_holds_a_clients_key_is_that_client(bench: Bench) -> None:
    client = await bench.client()
    actor = await keys.actor_for_key(bench.database.reader, await issue(bench, client), KEYRING)
    assert actor is not None
    assert (actor.client_id, actor.roles) == (client, {bench.workspace_id: Role.MEMBER})
    assert (await keys.current(bench.database.reader, [actor]))[0] == actor
    assert actor.key_id is not None
    row = (await keys.by_ids(bench.database.reader, bench.actor.reach, [actor.key_id]))[actor.key_id]
    assert row.client_id == client
    nobodys = await keys.actor_for_key(bench.database.reader, await issue(bench, None), KEYRING)
    assert nobodys is not None
    assert nobodys.client_id is None


async def test_a_key_is_one_of_a_client_of_its_workspace(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    for client in (await other.client(), new_id()):
        refusal = await refused(issue(bench, client))
        assert isinstance(refusal, NotFound)
        assert (refusal.message, refusal.id) == ("There is no such client in this workspace.", encode(Kind.CLIENT, client))


async def test_the_keys_of_a_deleted_client_open_nothing(bench: Bench) -> None:
    client, other = await bench.client("web"), await bench.client("ios")
    key, others = await issue(bench, client), await issue(bench, other)
    actor = await keys.actor_for_key(bench.database.reader, key, KEYRING)
    assert actor is not None
    assert await bench.do(documents.delete_client, client_id=client) == client
    assert await keys.actor_for_key(bench.database.reader, key, KEYRING) is None
    assert (await keys.current(bench.database.reader, [actor]))[0].roles == {}
    assert await keys.actor_for_key(bench.database.reader, others, KEYRING) is not None
    assert await read(bench, client) is None


async def test_the_ids_and_the_usage_of_a_deleted_client_go_and_its_documents_stay(bench: Bench) -> None:
    client, other = await bench.client("web"), await bench.client("ios")
    await bench.push(client, ("A", "{ a }"), ("B", "{ b }"))
    await bench.push(other, ("A", "{ a }"))
    await bench.use("{ a }", client)
    await bench.use("{ a }", other)
    await bench.do(documents.delete_client, client_id=client)
    assert [row.text for row in await bench.all()] == ["{ b }", "{ a }"]
    assert [row.client_id for row in await bench.aliases("{ a }")] == [other]
    assert [row.client_id for row in await bench.usage("{ a }")] == [other]
    assert await bench.aliases("{ b }") == []


async def test_only_who_may_write_documents_changes_clients(bench: Bench) -> None:
    client = await bench.client()
    stranger = (await new_bench(bench.database, bench.clock, "other")).actor
    calls: list[tuple[Any, dict[str, Any]]] = [
        (documents.change_client, {"client_id": client, "name": "x"}),
        (documents.delete_client, {"client_id": client}),
        (documents.create_client, {"workspace_id": bench.workspace_id, "name": "x", "mode": ClientMode.OPEN}),
    ]
    for action, given in calls:
        for actor, refusal in [
            (Actor(roles={bench.workspace_id: Role.MEMBER}), NotAllowed),
            (Actor(roles={bench.workspace_id: Role.VIEWER}), NotAllowed),
            (stranger, NotFound),
            (NOBODY, NotAllowed),
        ]:
            with pytest.raises(refusal) as caught:
                async with bench.database.work(actor) as work:
                    await action(work, **given)
            if isinstance(caught.value, NotAllowed):
                assert caught.value.permission == Permission.DOCUMENT_WRITE
        async with bench.database.work(Actor(roles={bench.workspace_id: Role.ADMIN})) as work:
            await action(work, **given)
