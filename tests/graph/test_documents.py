"""API clients and their documents: made, pushed, read with how they are used, and pruned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import documents, keys
from domain.access import Role
from domain.ids import Kind, decode, encode, new_id
from domain.paging import Window
from graph.documents import check
from graph.operations import documents_of
from graph.schema import schema
from tests.databases import Counter, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults, rows

__all__ = ["asking"]

NAMES = "query Names { viewer { workspaces { nodes { name } } } }"
ADD = 'mutation Add($site: ID!) { pageCreate(input: { site: $site, path: "/" }) { __typename } }'
BOTH = "query One { __typename } query Two { viewer { __typename } }"
PUSHED = "added unchanged refused { alias reason }"

CLIENTS = """query ($first: Int! = 20, $after: Cursor) { workspace(slug: "acme") {
  clients(first: $first, after: $after) { nodes { id name mode } pageInfo { hasNextPage endCursor } } } }"""
DOCUMENT = """hash text names operation cost
  aliases { alias version client { name } }
  usage { client { name } version calls errors p95Ms }"""
DOCUMENTS = f"""query ($first: Int! = 20, $after: Cursor) {{ workspace(slug: "acme") {{
  documents(first: $first, after: $after) {{ nodes {{ {DOCUMENT} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""


async def client(asking: Asking, name: str = "web", **given: Any) -> str:
    made = await change(asking, "apiClientCreate", "client { id }", workspace=asking.workspace, name=name, **given)
    id: str = made["client"]["id"]
    return id


async def push(asking: Asking, of: str | None, version: str = "1.0", **texts: str) -> Any:
    given = [{"id": id, "text": text} for id, text in texts.items()]
    answer = await change(
        asking, "documentsPush", PUSHED, workspace=asking.workspace, client=of, version=version, documents=given
    )
    return {name: value for name, value in answer.items() if name != "__typename"}


async def listed(asking: Asking) -> list[Any]:
    found: list[Any] = (await asking.ask(DOCUMENTS))["workspace"]["documents"]["nodes"]
    return found


async def test_a_client_is_made_changed_and_forgotten(asking: Asking) -> None:
    made = await change(
        asking, "apiClientCreate", "client { id name mode workspace { slug } }", workspace=asking.workspace, name=" web "
    )
    assert made == {
        "__typename": "ApiClientCreatePayload",
        "client": {"id": made["client"]["id"], "name": "web", "mode": "OPEN", "workspace": {"slug": "acme"}},
    }
    id = made["client"]["id"]
    changed = await change(asking, "apiClientUpdate", "client { name mode }", client=id, mode="SAFELIST")
    assert changed["client"] == {"name": "web", "mode": "SAFELIST"}
    changed = await change(asking, "apiClientUpdate", "client { name mode }", client=id, name="shop")
    assert changed["client"] == {"name": "shop", "mode": "SAFELIST"}
    again = await asking.ask("query ($id: ID!) { node(id: $id) { ... on ApiClient { id name } } }", id=id)
    assert again["node"] == {"id": id, "name": "shop"}
    assert await change(asking, "apiClientDelete", "clientId", client=id) == {
        "__typename": "ApiClientDeletePayload",
        "clientId": id,
    }
    assert (await asking.ask(CLIENTS))["workspace"]["clients"]["nodes"] == []
    assert (await change(asking, "apiClientDelete", client=id))["__typename"] == "NotFound"


async def test_clients_are_listed_by_name_page_by_page(asking: Asking) -> None:
    for name in ("web", "android", "ios"):
        await client(asking, name, mode="REGISTERED_ONLY")
    first = (await asking.ask(CLIENTS, first=2))["workspace"]["clients"]
    assert [(node["name"], node["mode"]) for node in first["nodes"]] == [
        ("android", "REGISTERED_ONLY"),
        ("ios", "REGISTERED_ONLY"),
    ]
    second = (await asking.ask(CLIENTS, first=2, after=first["pageInfo"]["endCursor"]))["workspace"]["clients"]
    assert ([node["name"] for node in second["nodes"]], second["pageInfo"]["hasNextPage"]) == (["web"], False)


async def test_a_name_is_one_clients(asking: Asking) -> None:
    one, other = await client(asking, "web"), await client(asking, "ios")
    conflict = await change(asking, "apiClientCreate", workspace=asking.workspace, name="web")
    assert (conflict["__typename"], conflict["existing"]) == ("Conflict", {"__typename": "ApiClient", "id": one})
    conflict = await change(asking, "apiClientUpdate", client=other, name="web")
    assert (conflict["__typename"], conflict["existing"]) == ("Conflict", {"__typename": "ApiClient", "id": one})
    for name in ("", " ", "x" * 101, "a\nb"):
        refused = await change(asking, "apiClientCreate", workspace=asking.workspace, name=name)
        assert faults(refused) == [(["name"], "OUT_OF_RANGE")]


async def test_a_key_knows_its_client(asking: Asking) -> None:
    id = await client(asking)
    async with asking.database.work(asking.actor) as work:
        for of in (None, decode(Kind.CLIENT, id)):
            await keys.issue(
                work,
                workspace_id=asking.workspace_id,
                name=str(of),
                role=Role.VIEWER,
                keyring=asking.services.keyring,
                client_id=of,
            )
    page = await keys.KEYS.of(asking.database.reader, asking.actor.reach, asking.workspace_id, Window())
    ids = [encode(Kind.KEY, row.id) for row in page.rows]
    found = await asking.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ApiKey { client { id name } } } }", ids=ids)
    assert found["nodes"] == [{"client": None}, {"client": {"id": id, "name": "web"}}]


async def test_documents_are_checked_stored_and_read(asking: Asking) -> None:
    web = await client(asking)
    assert await push(asking, web, names=NAMES, add=ADD, both=BOTH) == {
        "added": ["names", "add", "both"],
        "unchanged": [],
        "refused": [],
    }
    assert await listed(asking) == [
        {
            "hash": f"sha256:{documents.hash_of(text)}",
            "text": text,
            "names": names,
            "operation": operation,
            "cost": cost,
            "aliases": [{"alias": alias, "version": "1.0", "client": {"name": "web"}}],
            "usage": [],
        }
        for alias, text, names, operation, cost in [
            ("both", BOTH, ["One", "Two"], "QUERY", 1.0),
            ("add", ADD, ["Add"], "MUTATION", 10.0),
            ("names", NAMES, ["Names"], "QUERY", 22.0),
        ]
    ]
    read = "query ($id: ID!) { node(id: $id) { ... on ApiClient { documents { nodes { __typename id names } } } } }"
    of_client = (await asking.ask(read, id=web))["node"]["documents"]["nodes"]
    assert [node["names"] for node in of_client] == [["One", "Two"], ["Add"], ["Names"]]
    again = await asking.ask("query ($id: ID!) { node(id: $id) { __typename id } }", id=of_client[0]["id"])
    assert again["node"] == {"__typename": "Document", "id": of_client[0]["id"]}


async def test_what_was_pushed_before_is_unchanged_and_an_id_never_means_another_document(asking: Asking) -> None:
    web = await client(asking)
    await push(asking, web, a=NAMES)
    said = await push(asking, web, "1.1", a=NAMES, b=NAMES)
    assert said == {"added": ["b"], "unchanged": ["a"], "refused": []}
    said = await push(asking, web, "2.0", a=BOTH, c=BOTH)
    assert (said["added"], [each["alias"] for each in said["refused"]]) == (["c"], ["a"])
    assert said["refused"][0]["reason"].startswith("This id has another text already, and an id never changes")
    assert [each["names"] for each in await listed(asking)] == [["One", "Two"], ["Names"]]


async def test_ids_of_one_client_are_not_anothers_and_those_of_none_are_the_workspaces(asking: Asking) -> None:
    web, ios = await client(asking, "web"), await client(asking, "ios")
    assert (await push(asking, web, same=NAMES))["added"] == ["same"]
    assert (await push(asking, ios, same=BOTH))["added"] == ["same"]
    assert (await push(asking, None, same=ADD, mine=NAMES))["added"] == ["same", "mine"]
    (names,) = [each for each in await listed(asking) if each["names"] == ["Names"]]
    assert [(each["alias"], each["client"] and each["client"]["name"]) for each in names["aliases"]] == [
        ("mine", None),
        ("same", "web"),
    ]


BAD = "{ a b c d }"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "There is no document: send one as `query`."),
        ("query {", "1:8 Syntax Error: Expected Name, found <EOF>."),
        (
            "{\n  nope\n}",
            "2:3 Cannot query field 'nope' on type 'Query'. Did you mean 'node' or 'nodes'?",
        ),
        (
            BAD,
            "1:3 Cannot query field 'a' on type 'Query'. 1:5 Cannot query field 'b' on type 'Query'. "
            "1:7 Cannot query field 'c' on type 'Query'. And 1 more.",
        ),
        ("{ viewer { __typename } } fragment Unused on Query { __typename }", "1:27 Fragment 'Unused' is never used."),
        ("{ viewer @unknown { __typename } }", "1:10 Unknown directive '@unknown'."),
        ("# " + "x" * 70_000, "This document is too long: at most 65536 bytes."),
        (
            """{ workspace(slug: "a") { sites(first: 100) { nodes { pages(first: 100) { nodes {
              audits(first: 100) { nodes { id } } } } } } } }""",
            "This operation may cost up to ",
        ),
    ],
)
async def test_what_would_not_run_is_refused_with_the_reason_and_the_others_are_stored(
    asking: Asking, text: str, reason: str
) -> None:
    said = await push(asking, None, bad=text, good=NAMES)
    assert said["added"] == ["good"]
    (refused,) = said["refused"]
    assert refused["alias"] == "bad"
    assert refused["reason"].startswith(reason)
    assert await rows(asking, "documents", "document_aliases") == [1, 1]


async def test_an_id_is_made_of_what_may_stand_in_an_address(asking: Asking) -> None:
    hash = f"sha256:{documents.hash_of(NAMES)}"
    wrong = f"sha256:{documents.hash_of(BOTH)}"
    said = await push(
        asking, None, **{hash: NAMES, "app~1.0/a:b": NAMES, "": NAMES, "a b": NAMES, "x" * 201: NAMES, wrong: NAMES}
    )
    assert said["added"] == [hash, "app~1.0/a:b"]
    assert [each["alias"] for each in said["refused"]] == ["", "a b", "x" * 201, wrong]


async def test_a_bad_version_or_too_many_at_once_store_nothing(asking: Asking) -> None:
    given = {"workspace": asking.workspace, "client": await client(asking)}
    for version in ("", "x" * 51, "a b", "1/2"):
        answer = await change(asking, "documentsPush", **given, version=version, documents=[{"id": "a", "text": NAMES}])
        assert faults(answer) == [(["version"], "MALFORMED")]
    many = [{"id": str(number), "text": NAMES} for number in range(1_001)]
    answer = await change(asking, "documentsPush", **given, version="1", documents=many)
    assert faults(answer) == [(["documents"], "TOO_MANY")]
    assert await rows(asking, "documents", "document_aliases") == [0, 0]
    answer = await change(asking, "documentsPush", PUSHED, **given, version="1", documents=many[:1_000])
    assert (len(answer["added"]), await rows(asking, "documents", "document_aliases")) == (1_000, [1, 1_000])


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER, None])
async def test_clients_and_documents_are_seen_by_all_and_changed_by_admins(asking: Asking, role: Role | None) -> None:
    web = await client(asking)
    await push(asking, web, a=NAMES)
    other = asking.as_(role)
    workspace = {"workspace": asking.workspace}
    for mutation, input in [
        ("apiClientCreate", {**workspace, "name": "new"}),
        ("apiClientUpdate", {"client": web, "mode": "SAFELIST"}),
        ("apiClientDelete", {"client": web}),
        ("documentsPush", {**workspace, "version": "1", "documents": [{"id": "b", "text": NAMES}]}),
        ("documentsPrune", {**workspace, "unusedForDays": 1}),
    ]:
        answer = await change(other, mutation, **input)
        assert answer["__typename"] == "NotAllowed", mutation
        assert answer["permission"] == "DOCUMENT_WRITE"
        assert answer["code"] == ("PERMISSION_MISSING" if role else "NOT_SIGNED_IN")
    if role:
        assert [each["names"] for each in await listed(other)] == [["Names"]]
    assert await rows(asking, "api_clients", "documents", "document_aliases") == [1, 1, 1]
    assert (await change(asking.as_(Role.ADMIN), "apiClientDelete", client=web))["__typename"] == "ApiClientDeletePayload"


async def test_usage_is_told_by_client_and_version(asking: Asking) -> None:
    web = await client(asking)
    await push(asking, web, "2.0", a=NAMES)
    found = await documents.resolve(asking.database.reader, asking.workspace_id, None, "a")
    assert found is None  # it is the client's
    found = await documents.resolve(asking.database.reader, asking.workspace_id, decode(Kind.CLIENT, web), "a")
    assert found is not None
    usage = documents.Usage()
    for number in range(100):
        usage.record(asking.workspace_id, found.id, decode(Kind.CLIENT, web), "2.0", 0.010 if number < 90 else 1.0, number == 0)
    usage.record(asking.workspace_id, found.id, None, "unheard-of", 0.005, False)
    async with asking.database.work(asking.actor) as work:
        await documents.count(work, usage.drain())
    (document,) = await listed(asking)
    told = {each["version"]: each for each in document["usage"]}
    assert set(told) == {"2.0", None}
    assert (told["2.0"]["calls"], told["2.0"]["errors"], told["2.0"]["client"]) == (100.0, 1.0, {"name": "web"})
    assert told["2.0"]["p95Ms"] == pytest.approx(1_000, rel=0.1)
    assert (told[None]["calls"], told[None]["errors"], told[None]["client"]) == (1.0, 0.0, None)
    assert told[None]["p95Ms"] == pytest.approx(5, rel=0.1)


async def test_documents_that_nobody_needs_are_pruned_and_a_dry_run_only_says_which(asking: Asking) -> None:
    web, ios = await client(asking, "web"), await client(asking, "ios")
    old = datetime.now(UTC) - timedelta(days=100)
    clock = asking.database._clock
    asking.database._clock = lambda: old
    await push(asking, web, both=BOTH, add=ADD)
    await push(asking, ios, both=BOTH)
    asking.database._clock = clock
    await push(asking, web, names=NAMES)
    read = "documents { names aliases { alias } }"

    async def prune(**given: Any) -> list[list[str]]:
        answer = await change(asking, "documentsPrune", read, workspace=asking.workspace, **given)
        return [each["names"] for each in answer["documents"]]

    assert await prune(unusedForDays=101) == []
    assert await prune(unusedForDays=90, dryRun=True) == [["One", "Two"], ["Add"]]
    assert await rows(asking, "documents") == [3]
    assert await prune(unusedForDays=90, client=web) == [["One", "Two"], ["Add"]]
    assert [each["names"] for each in await listed(asking)] == [["Names"], ["One", "Two"]]
    assert await prune(unusedForDays=90) == [["One", "Two"]]
    assert await rows(asking, "documents", "document_aliases") == [1, 1]
    for days in (0, -1, 3_651):
        refused = await change(asking, "documentsPrune", workspace=asking.workspace, unusedForDays=days)
        assert faults(refused) == [(["unusedForDays"], "OUT_OF_RANGE")]


async def test_how_many_statements_a_list_takes_does_not_depend_on_its_length(asking: Asking) -> None:
    numbers = []
    for name in ("one", "two", "three"):
        of = await client(asking, name)
        await push(asking, of, **{f"a{each}": f"query {name}{each} {{ __typename }}" for each in range(4)})
        counter = Counter(asking.database)
        await asking.ask(DOCUMENTS)
        numbers.append(len([each for each in counter.statements if "events" not in each]))
    assert numbers == [5, 5, 5]


async def test_a_foreign_client_is_not_there(asking: Asking) -> None:
    other, actor = await new_workspace(asking.database, "other")
    async with asking.database.work(actor) as work:
        theirs = await documents.create_client(work, workspace_id=other, name="theirs", mode=documents.ClientMode.OPEN)
    for id in (theirs, new_id()):
        of = encode(Kind.CLIENT, id)
        answer = await change(
            asking, "documentsPush", workspace=asking.workspace, client=of, version="1", documents=[{"id": "a", "text": NAMES}]
        )
        assert (answer["__typename"], answer["id"]) == ("NotFound", of)


def test_the_dearest_operation_is_what_a_document_costs() -> None:
    pipeline = documents_of(schema._schema)
    assert check(pipeline, "both", BOTH).cost == 1.0
    sites = 'query ($first: Int! = 7) { workspace(slug: "a") { sites(first: $first) { nodes { id } } } }'
    assert check(pipeline, "default", sites).cost == 9.0
