"""What a request's id means, to whom: one statement, one order of preference."""

from __future__ import annotations

import pytest

from domain import documents
from domain.ids import new_id
from tests.databases import Counter
from tests.domain.documents.benches import Bench, bench, digest, new_bench

__all__ = ["bench"]


async def test_a_clients_own_id_comes_before_the_workspaces(bench: Bench) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(None, ("Get", "{ everybodys }"), ("Other", "{ other }"))
    await bench.push(web, ("Get", "{ webs }"), ("Own", "{ own }"))
    assert await bench.resolve(web, "Get") == "{ webs }"
    assert await bench.resolve(ios, "Get") == "{ everybodys }"
    assert await bench.resolve(None, "Get") == "{ everybodys }"
    assert await bench.resolve(web, "Other") == "{ other }"
    assert await bench.resolve(ios, "Own") is None
    assert await bench.resolve(None, "Own") is None


@pytest.mark.parametrize("prefix", ["", "sha256:"])
async def test_a_hash_finds_what_the_client_or_the_whole_workspace_registered(bench: Bench, prefix: str) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(None, ("Common", "{ common }"))
    await bench.push(web, ("Own", "{ own }"))
    for client, text, found in [
        (web, "{ own }", True),
        (ios, "{ own }", False),
        (None, "{ own }", True),
        (web, "{ common }", True),
        (ios, "{ common }", True),
        (None, "{ common }", True),
        (new_id(), "{ own }", False),
        (web, "{ unknown }", False),
        (None, "{ unknown }", False),
    ]:
        assert await bench.resolve(client, prefix + digest(text)) == (text if found else None), (client, text)


async def test_an_id_comes_before_a_hash(bench: Bench) -> None:
    web = await bench.client("web")
    bare = digest("{ hashed }")
    await bench.push(web, ("Hashed", "{ hashed }"))
    await bench.push(None, (bare, "{ everybodys }"))
    assert await bench.resolve(web, bare) == "{ everybodys }"
    await bench.push(web, (bare, "{ named }"))
    assert await bench.resolve(web, bare) == "{ named }"
    assert await bench.resolve(web, f"sha256:{bare}") == "{ hashed }", "which nothing else can be named"


async def test_one_text_has_many_ids_and_is_one_document(bench: Bench) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(web, ("A", "{ a }"), ("B", "{ a }"))
    await bench.push(ios, ("A", "{ a }"), (f"sha256:{digest('{ a }')}", "{ a }"))
    (row,) = await bench.all()
    for client, id in [(web, "A"), (web, "B"), (ios, "A"), (ios, f"sha256:{row.hash}"), (web, row.hash)]:
        assert await documents.resolve(bench.database.reader, bench.workspace_id, client, id) == row


async def test_another_workspaces_documents_are_not_there(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    theirs = await other.client("web")
    await other.push(None, ("Common", "{ common }"))
    await other.push(theirs, ("Own", "{ own }"))
    mine = await bench.client("web")
    for id in ("Common", "Own", digest("{ common }"), f"sha256:{digest('{ own }')}"):
        for client in (mine, theirs, None):
            assert await bench.resolve(client, id) is None
        assert await other.resolve(theirs, id) is not None


async def test_it_takes_one_statement(bench: Bench) -> None:
    web = await bench.client("web")
    await bench.push(web, ("A", "{ a }"))
    counter = Counter(bench.database)
    for id in ("A", digest("{ a }"), "nothing"):
        await bench.resolve(web, id)
    assert len(counter) == 3


@pytest.mark.parametrize("id", ["", "\x00", "\ud800", "a b", "A\n", "' OR 1=1 --", "x" * 201, "ä", "%", "A%"])
async def test_what_can_be_no_id_is_not_asked_for(bench: Bench, id: str) -> None:
    await bench.push(None, ("A", "{ a }"))
    counter = Counter(bench.database)
    assert await bench.resolve(None, id) is None
    assert len(counter) == 0


async def test_upper_and_lower_case_are_different(bench: Bench) -> None:
    await bench.push(None, ("get", "{ a }"))
    assert await bench.resolve(None, "Get") is None
    assert await bench.resolve(None, digest("{ a }").upper()) is None
    assert await bench.resolve(None, f"SHA256:{digest('{ a }')}") is None
