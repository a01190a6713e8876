"""Pushing documents: what is new, what is there, what is refused, and that nothing ever changes or goes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain import documents
from domain.access import NOBODY, Actor, Role
from domain.documents import Checked, pushing, rules
from domain.errors import InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode
from domain.ids import new_id
from domain.paging import Window
from tests.domain.documents.benches import NOON, Bench, bench, checked, digest, new_bench, refused

__all__ = ["bench"]

ANOTHER = "This id has another text already, and an id never changes: give the new text an id of its own."


async def test_what_is_pushed_is_there_with_all_that_is_known_of_it(bench: Bench) -> None:
    web = await bench.client()
    given = checked("Get", "query A { a } mutation B { b }", names=["A", "B"], operation="query", cost=12.5)
    assert await bench.push(web, given, version="2.1") == (["Get"], [], [])
    (row,) = await bench.all()
    assert (row.workspace_id, row.hash, row.text) == (bench.workspace_id, digest(given.text), given.text)
    assert (row.name, row.names, row.operation, row.cost, row.created_at) == ("A", ["A", "B"], "query", 12.5, NOON)
    (alias,) = await bench.aliases(given.text)
    by = bench.actor.name
    assert alias[1:] == (bench.workspace_id, row.id, web, "Get", "2.1", NOON, by, NOON)
    assert await documents.by_ids(bench.database.reader, bench.actor.reach, [row.id, new_id()]) == {row.id: row}


async def test_an_operation_may_have_no_name(bench: Bench) -> None:
    await bench.push(None, checked("a", "{ a }", names=[]))
    (row,) = await bench.all()
    assert (row.name, row.names) == (None, [])


async def test_what_is_there_already_is_left_as_it_is(bench: Bench) -> None:
    web = await bench.client()
    await bench.push(web, ("A", "{ a }"), ("B", "{ b }"), version="1")
    before = await bench.all()
    bench.clock.now += timedelta(days=1)
    assert await bench.push(web, ("B", "{ b }"), ("C", "{ c }"), ("A", "{ a }"), version="2") == (["C"], ["B", "A"], [])
    assert [*await bench.all()][1:] == before
    (alias,) = await bench.aliases("{ a }")
    assert (alias.version, alias.created_at, alias.pushed_at) == ("1", NOON, bench.clock.now)
    (alias,) = await bench.aliases("{ c }")
    assert (alias.version, alias.created_at, alias.pushed_at) == ("2", bench.clock.now, bench.clock.now)


async def test_an_id_never_gets_another_text(bench: Bench) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(web, ("A", "{ a }"))
    assert await bench.push(web, ("A", "{ other }"), ("B", "{ b }")) == (["B"], [], [("A", ANOTHER)])
    assert await bench.resolve(web, "A") == "{ a }"
    assert [row.text for row in await bench.all()] == ["{ b }", "{ a }"], "what was refused is stored nowhere"
    assert await bench.push(ios, ("A", "{ other }")) == (["A"], [], []), "each client's ids are its own"
    assert await bench.push(None, ("A", "{ third }")) == (["A"], [], []), "and so are the workspace's"
    assert await bench.push(None, ("A", "{ a }")) == ([], [], [("A", ANOTHER)])


async def test_an_id_that_comes_twice_in_a_push_is_one(bench: Bench) -> None:
    given = [("A", "{ a }"), ("A", "{ a }"), ("A", "{ b }"), ("B", "{ a }")]
    assert await bench.push(None, *given) == (["A", "B"], ["A"], [("A", ANOTHER)])
    assert [row.text for row in await bench.all()] == ["{ a }"]
    assert [alias.alias for alias in await bench.aliases("{ a }")] == ["B", "A"]


async def test_the_refused_are_told_and_the_others_stored(bench: Bench) -> None:
    pushed = await bench.push(
        None,
        ("good", "{ a }"),
        Checked("bad", "{ nothing }", problem="There is no field nothing."),
        ("no id", "{ a }"),
        ("empty", ""),
        ("\x00", "{ a }"),
        (f"sha256:{'0' * 64}", "{ a }"),
        ("surrogate", "{ \ud800 }"),
    )
    assert (pushed.added, pushed.unchanged) == (["good"], [])
    assert pushed.refused == [
        ("bad", "There is no field nothing."),
        ("no id", "An id is 1 to 200 letters, digits and . _ ~ : / -"),
        ("empty", "A document's text is 1 to 65,536 bytes of UTF-8."),
        ("\x00", "An id is 1 to 200 letters, digits and . _ ~ : / -"),
        (
            f"sha256:{'0' * 64}",
            "An id that begins with sha256: is the SHA-256 of the text, in 64 hex digits; this one is not.",
        ),
        ("surrogate", "The text holds a character that no document may hold."),
    ]
    assert [row.text for row in await bench.all()] == ["{ a }"]


async def test_a_push_of_nothing_and_one_of_refused_ones_alone_store_nothing(bench: Bench) -> None:
    assert await bench.push(None) == ([], [], [])
    assert await bench.push(None, ("a b", "{ a }")) == ([], [], [("a b", "An id is 1 to 200 letters, digits and . _ ~ : / -")])
    assert await bench.all() == []


async def test_a_push_that_breaks_stores_nothing(bench: Bench) -> None:
    async def breaking(work: Any) -> None:
        given = [checked("A", "{ a }")]
        await documents.push(work, workspace_id=bench.workspace_id, client_id=None, version="1", documents=given)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await bench.do(breaking)
    assert await bench.all() == []
    assert await bench.resolve(None, "A") is None


async def test_pushes_at_once_are_one_after_the_other(bench: Bench) -> None:
    web = await bench.client()
    texts = [(f"{number}", f"{{ a{number} }}") for number in range(20)]
    pushed = await asyncio.gather(*(bench.push(web, *texts[start : start + 10]) for start in (0, 5, 10, 0)))
    assert sorted(alias for each in pushed for alias in each.added) == sorted(alias for alias, _ in texts)
    assert sum(len(each.unchanged) for each in pushed) == 20
    assert len(await bench.all()) == 20
    clash = await asyncio.gather(*(bench.push(web, ("X", f"{{ x{number} }}")) for number in range(4)))
    assert sorted(len(each.refused) for each in clash) == [0, 1, 1, 1]


async def test_a_thousand_at_once_is_the_most(bench: Bench) -> None:
    given = [(f"id{number}", f"query Q{number} {{ a }}") for number in range(1_001)]
    refusal = await refused(bench.push(None, *given))
    assert isinstance(refusal, InvalidInput)
    assert (refusal.code, refusal.message) == (ProblemCode.TOO_MANY, "At most 1,000 documents are pushed at once.")
    assert await bench.push(None, *given[:1_000]) == ([alias for alias, _ in given[:1_000]], [], [])
    assert await bench.push(None, *given[:1_000]) == ([], [alias for alias, _ in given[:1_000]], [])
    assert await bench.resolve(None, "id999") == "query Q999 { a }"


async def test_a_workspace_has_so_many_ids(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_ALIASES", 3)
    await bench.push(None, ("A", "{ a }"), ("B", "{ a }"))
    refusal = await refused(bench.push(None, ("C", "{ c }"), ("D", "{ d }")))
    assert isinstance(refusal, LimitReached)
    assert refusal.limit == 3
    assert len(await bench.all()) == 1
    assert await bench.push(None, ("A", "{ a }"), ("C", "{ c }")) == (["C"], ["A"], [])
    await (await new_bench(bench.database, bench.clock, "other")).push(None, ("A", "{ a }"))


@pytest.mark.parametrize("version", ["", "x" * 51, "1 0", "ä", "\x00"])
async def test_a_version_has_to_be_said(bench: Bench, version: str) -> None:
    refusal = await refused(bench.push(None, ("A", "{ a }"), version=version))
    assert isinstance(refusal, InvalidInput)
    assert [(fault.path, fault.message) for fault in refusal.faults] == [
        (("version",), "A version is 1 to 50 letters, digits and . _ + -")
    ]


async def test_the_client_has_to_be_one_of_the_workspace(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    for client in (await other.client(), new_id()):
        refusal = await refused(bench.push(client, ("A", "{ a }")))
        assert (type(refusal), refusal.message) == (NotFound, "There is no such client in this workspace.")


async def test_only_who_may_write_documents_pushes_and_prunes(bench: Bench) -> None:
    here: dict[str, Any] = {"workspace_id": bench.workspace_id, "client_id": None}
    for actor, refusal in [
        (Actor(roles={bench.workspace_id: Role.MEMBER}), NotAllowed),
        (Actor(roles={new_id(): Role.OWNER}), NotFound),
        (NOBODY, NotAllowed),
    ]:
        with pytest.raises(refusal):
            async with bench.database.work(actor) as work:
                await documents.push(work, **here, version="1", documents=[checked("A", "{ a }")])
        with pytest.raises(refusal):
            async with bench.database.work(actor) as work:
                await documents.prune(work, **here, unused_since=NOON)
    async with bench.database.work(Actor(roles={bench.workspace_id: Role.ADMIN})) as work:
        assert (await documents.push(work, **here, version="1", documents=[checked("A", "{ a }")])).added == ["A"]


async def test_a_clients_documents_are_listed_once_each_the_newest_first(bench: Bench) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(ios, ("I", "{ i }"), ("A", "{ a }"))
    await bench.push(web, ("A", "{ a }"), ("A2", "{ a }"), ("B", "{ b }"))
    await bench.push(None, ("C", "{ c }"))
    await bench.push(web, ("A3", "{ a }"))
    assert await bench.of_client(web) == ["{ b }", "{ a }"]
    assert await bench.of_client(ios) == ["{ a }", "{ i }"]
    reader, reach = bench.database.reader, bench.actor.reach
    first = await documents.OF_CLIENT.under(reader, reach, [web, ios], Window(1))
    assert {
        client: [row.text for row in found.rows] for client, found in first.items() if not isinstance(found, Exception)
    } == {
        web: ["{ b }"],
        ios: ["{ a }"],
    }
    page = await documents.OF_CLIENT.of(reader, reach, web, Window(1))
    after = await documents.OF_CLIENT.of(reader, reach, web, Window(1, page.cursors[-1]))
    assert ([row.text for row in after.rows], after.has_next) == (["{ a }"], False)
    assert after.rows[0][:9] == await bench.document("{ a }")


async def test_the_newest_hundred_ids_of_a_document_are_told(bench: Bench) -> None:
    for start in range(0, 130, 65):
        await bench.push(None, *((f"id{number}", "{ a }") for number in range(start, start + 65)))
    await bench.push(None, ("b", "{ b }"))
    one, other = await bench.document("{ a }"), await bench.document("{ b }")
    found = await documents.aliases_by_documents(bench.database.reader, bench.actor.reach, [one.id, other.id])
    assert [row.alias for row in found[one.id]] == [f"id{number}" for number in range(129, 29, -1)]
    assert [row.alias for row in found[other.id]] == ["b"]


async def test_another_workspaces_documents_are_not_seen(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    await other.push(await other.client(), ("A", "{ a }"))
    await bench.push(None, ("A", "{ a }"))
    (theirs,), (mine,) = await other.all(), await bench.all()
    assert theirs.id != mine.id
    await other.use("{ a }")
    reader, reach = bench.database.reader, bench.actor.reach
    assert list(await documents.by_ids(reader, reach, [theirs.id, mine.id])) == [mine.id]
    aliases = await documents.aliases_by_documents(reader, reach, [theirs.id, mine.id])
    assert (aliases[theirs.id], len(aliases[mine.id])) == ([], 1)
    assert await documents.usage_by_documents(reader, reach, [theirs.id]) == {theirs.id: []}


def test_the_reason_names_no_text() -> None:
    assert pushing.ANOTHER == ANOTHER
