"""What may not be asked may not be asked by any transport: attacks by text and by value, with one answer for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.caching import Bucket
from graph.policy import Introspection
from tests.graph.asking import Asking, asking
from tests.graph.operations.test_measures import bomb

from .everywhere import CHANGING, EVERYWHERE, STREAMING, Answer, Parts, Raw, Transport, get, single, websocket
from .serving import Served, served, serving

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MANY = 10_000
SITES = 'query ($n: Int) { workspace(slug: "acme") { sites(first: $n) { nodes { id } } } }'
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
DEAR = """query ($n: Int! = 100) { workspace(slug: "acme") { sites(first: $n) { nodes { pages(first: $n) { nodes {
  audits(first: $n) { nodes { id } } } } } } } }"""

LARGE, COMPLEX, PARSED, INVALID = (
    "DOCUMENT_TOO_LARGE",
    "DOCUMENT_TOO_COMPLEX",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
)


def numbered(text: str, times: int) -> str:
    return " ".join(text.replace("#", str(number)) for number in range(times))


def nested(field: str, times: int, last: str) -> str:
    return f"{{ {field} " * times + f"{{ {last} }}" + " }" * times


def overlapping(times: int) -> str:
    """Each of them is compared with each other one, and all of them agree."""
    return '{ workspace(slug: "acme") { ' + "... on Workspace { sites { nodes { id slug name } } } " * times + "} }"


def conflicting(times: int) -> str:
    return "{ viewer { " + numbered("... on Viewer { key { x: __typename } }", times) + " ... { key { x: name } } } }"


TEXTS = {
    "doubling fragments": (bomb(20), [COMPLEX, COMPLEX]),
    "more of them": (bomb(300), [COMPLEX, COMPLEX]),
    "more than there may be tokens": (bomb(600), [PARSED]),
    "a cycle": ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", [INVALID]),
    "a fragment in itself": ("{ ...A } fragment A on Query { ...A }", [INVALID]),
    "aliases": ("{ viewer { " + numbered("a#: __typename", 1_000) + " } }", [COMPLEX]),
    "a long alias": ("{ " + "a" * 6_401 + ": __typename }", [COMPLEX]),
    "10,000 aliases": ("{ " + numbered("a#: __typename", MANY) + " }", [LARGE]),
    "fields": ("{ viewer { " + "__typename " * 2_001 + " } }", [COMPLEX]),
    "10,000 fields": ("{ " + "a " * MANY + "}", [PARSED]),
    "fields at the root": ("{ " + "__typename " * 21 + "}", [COMPLEX]),
    "directives": ("{ __typename " + "@skip(if: false) " * 101 + "}", [COMPLEX]),
    "10,000 directives": ("{ __typename " + "@a " * MANY + "}", [PARSED]),
    "10,000 comments": ("{ __typename } " + "#\n" * MANY, [PARSED]),
    "10,000 variables": ("query (" + numbered("$#:A", MANY).replace("$", "$v") + ") { __typename }", [LARGE]),
    "variables": ("query (" + numbered("$v#:Int", 700) + ") { __typename }", [INVALID] * 11),
    "more than 64 KB": ("{ __typename } " + " " * 65_536, [LARGE]),
    "fields in fields": (nested("viewer", 21, "__typename"), [COMPLEX]),
    "without an end": ("{ a" * 1_900, [PARSED]),
    "the schema's circles": ("{ __schema { types " + nested("fields { type", 4, "name") + " }" * 6, [INVALID]),
    "fields that do not fit together": (conflicting(50), [INVALID] * 11),
    "what costs too much": (DEAR, ["COST_ESTIMATED_TOO_EXPENSIVE"]),
    "a number without an end": (SITES.replace("query ($n: Int)", "").replace("$n", "9" * 5_000), [LARGE]),
    "one as a default": ("query ($n: Int = " + "9" * 5_000 + ") { " + SITES.partition("{")[2], [LARGE]),
    "a lone surrogate": ('{ nodes(ids: ["\\ud800"]) { id } }', [PARSED]),
    "U+0000": ('{ nodes(ids: ["\\u0000"]) { id } }', ["MALFORMED"]),
    "@stream": ('{ workspace(slug: "acme") { profiles @stream(initialCount: 0) { id } } }', [INVALID]),
    "several operations": ("query A { __typename } query B { __typename }", ["OPERATION_RESOLUTION_FAILURE"]),
}


async def answers(served: Served, parts: Parts, by: Sequence[Transport] = EVERYWHERE) -> dict[str, Answer]:
    return {transport.__name__: await transport(served, parts) for transport in by}


def codes(found: dict[str, Answer]) -> dict[str, Sequence[str]]:
    return {name: answer.codes for name, answer in found.items()}


def alike(expected: Any, by: Sequence[Transport] = EVERYWHERE) -> dict[str, Any]:
    return {transport.__name__: expected for transport in by}


async def test_a_text_that_is_too_much_is_refused_alike_everywhere_and_in_silence(served: Served) -> None:
    for name, (text, expected) in TEXTS.items():
        by = EVERYWHERE if len(text) < 50_000 else CHANGING
        with capture_logs() as logs:
            found = await answers(served, {"query": text}, by)
        assert codes(found) == alike(expected, by), name
        assert {answer.data for answer in found.values()} == {None}, name
        assert {found["post"].status, found["single"].status, found["websocket"].status} == {200, 400, 0}, name
        assert logs == [], name


async def test_a_text_that_is_too_long_for_an_address_is_refused_by_the_server(served: Served) -> None:
    for name, (text, _) in TEXTS.items():
        if len(text) > 65_536:
            assert (await get(served, {"query": text})).status == 400, name


async def test_what_selects_too_much_of_an_event_is_refused_by_every_stream(served: Served) -> None:
    inside = bomb(20).replace("on Query", "on WorkspaceEvent")
    watch = "subscription ($id: ID!) { workspaceEvents(workspace: $id) "
    texts = {
        bomb(20).replace("{", "subscription {", 1).replace("on Query", "on Subscription"): [COMPLEX, COMPLEX],
        watch + inside.replace("}", "} }", 1): [COMPLEX],
        watch + "{ " + numbered("a#: __typename", 101) + " } }": [COMPLEX],
        watch + "{ __typename } " + " " * 65_536 + "}": [LARGE],
        watch + "{ __typename } __typename }": [INVALID] * 2,
        watch + "{ nothing } }": [INVALID],
    }
    for text, expected in texts.items():
        by = STREAMING if len(text) < 50_000 else [each for each in STREAMING if each in CHANGING]
        found = await answers(served, {"query": text, "variables": {"id": served.asking.workspace}}, by)
        assert codes(found) == alike(expected, by), text


BAD, VALUE = ["BAD_REQUEST"], ["BAD_USER_INPUT"]
VALUES: dict[str, tuple[str, Any, Sequence[str]]] = {
    "a 32nd bit": (SITES, Raw('{"n": 2147483648}'), VALUE),
    "a 64th bit": (SITES, Raw('{"n": 9223372036854775808}'), VALUE),
    "more bits": (SITES, Raw('{"n": 123456789012345678901234567890}'), VALUE),
    "a fraction": (SITES, {"n": 1.5}, VALUE),
    "a text": (SITES, {"n": "1"}, VALUE),
    "less than nothing": (SITES, {"n": -1}, ["OUT_OF_RANGE"]),
    "more than a page": (SITES, {"n": 101}, ["OUT_OF_RANGE"]),
    "lists in lists": (NODES, Raw('{"ids": ' + "[" * 500 + "]" * 500 + "}"), VALUE),
    "and deeper": (NODES, Raw('{"ids": ' + "[" * 1_000 + "]" * 1_000 + "}"), VALUE),
    "a long list": (NODES, {"ids": ["x"] * 101}, ["TOO_MANY"]),
    "many wrong ones": (NODES, {"ids": [1.5] * 1_000}, VALUE * 11),
    "a long text": (NODES, {"ids": ["x" * 60_000]}, ["ID_MALFORMED"]),
    "nothing": (NODES, None, VALUE),
    "the last of two of a name": (SITES, Raw('{"n": 1, "n": "x"}'), VALUE),
    "U+0000": (NODES, {"ids": ["\0"]}, ["MALFORMED"]),
    "U+0000 in a name": ("{ __typename }", {"\0": 1}, []),
}


async def test_a_value_that_is_none_of_ours_is_refused_alike_everywhere_and_in_silence(served: Served) -> None:
    for name, (text, variables, expected) in VALUES.items():
        with capture_logs() as logs:
            found = await answers(served, {"query": text, "variables": variables})
        assert codes(found) == alike(expected), name
        assert logs == [], name


NO_JSON = ("NaN", "Infinity", "1e400", "9" * 20_000, '"\\ud800"', "[" * 5_000 + "]" * 5_000, "{", "'x'", "01", "x", "")


async def test_what_is_no_json_is_refused_and_closes_a_socket(served: Served) -> None:
    for value in NO_JSON:
        found = await answers(served, {"query": SITES, "variables": Raw('{"n": ' + value + "}")})
        socket = found.pop("websocket")
        assert (socket.status, socket.results) == (4400, []), value[:10]
        assert {(answer.status, *answer.codes) for answer in found.values()} == {(400, "BAD_REQUEST")}, value[:10]


async def test_so_much_of_one_thing_as_a_request_may_hold_is_read_in_time(served: Served) -> None:
    for variables in ({f"v{number}": number for number in range(MANY)}, {"v": ["x"] * MANY}, {"v": "x" * 1_000_000}):
        found = await answers(served, {"query": "{ __typename }", "variables": variables}, CHANGING)
        assert {name: answer.data for name, answer in found.items()} == alike({"__typename": "Query"}, CHANGING)


WRONG: dict[str, Parts] = {
    "no document": {},
    "an empty one": {"query": " "},
    "one that is null": {"query": None},
    "variables that are a list": {"query": "{ __typename }", "variables": Raw("[]")},
    "variables that are a number": {"query": "{ __typename }", "variables": Raw("5")},
    "variables that are a text": {"query": "{ __typename }", "variables": Raw('"{}"')},
    "another version of hashes": {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}},
    "no hash": {"extensions": {"persistedQuery": {"version": 1}}},
    "a hash that is a number": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 5}}},
    "a long id": {"documentId": "x" * 257},
}
MISTYPED: dict[str, Parts] = {
    "a document that is a number": {"query": Raw("5")},
    "a document that is a list": {"query": Raw("[]")},
    "a name that is a number": {"query": "{ __typename }", "operationName": Raw("5")},
    "a name that is an object": {"query": "{ __typename }", "operationName": Raw("{}")},
    "an id that is a number": {"documentId": Raw("5")},
}


async def test_a_part_of_a_wrong_type_is_refused_alike_everywhere(served: Served) -> None:
    for name, parts in WRONG.items():
        assert codes(await answers(served, parts)) == alike(BAD), name
    for name, parts in MISTYPED.items():  # a query's parts are texts
        assert codes(await answers(served, parts, CHANGING)) == alike(BAD, CHANGING), name
    by = [each for each in EVERYWHERE if each is not single]  # there it has the operation's id
    for extensions in ("[]", "5", '"x"'):
        found = await answers(served, {"query": "{ __typename }", "extensions": Raw(extensions)}, by)
        assert codes(found) == alike(BAD, by)


async def test_of_a_part_that_stands_twice_the_last_counts_and_an_address_has_it_once(served: Served) -> None:
    found = await answers(served, [("query", "{ nothing }"), ("query", "{ __typename }")])
    assert codes(found) == {**alike([]), "get": BAD, "sse_by_get": BAD}
    assert {answer.data["__typename"] for answer in found.values() if answer.data} == {"Query"}


async def test_an_empty_name_names_no_operation(served: Served) -> None:
    one, two = "query A { __typename }", " query B { viewer { __typename } }"
    for parts in ({"query": one, "operationName": ""}, {"query": one + two, "operationName": "A", "extensions": {"x": 1}}):
        found = await answers(served, parts)
        assert {name: answer.data for name, answer in found.items()} == alike({"__typename": "Query"})
    for name in ("", "C", "__typename", "\0", "x" * 10_000):
        found = await answers(served, {"query": one + two, "operationName": name})
        assert codes(found) == alike(["OPERATION_RESOLUTION_FAILURE"])
        assert "\0" not in str(found)
        assert "xxx" not in str(found)


async def test_many_operations_in_one_request_are_refused(served: Served) -> None:
    many = "[" + ",".join(['{"query":"{ __typename }"}'] * 100) + "]"
    headers = {**served.signed_in, "Content-Type": "application/json"}
    for accept in ("application/json", "text/event-stream", "multipart/mixed;subscriptionSpec=1.0"):
        answer = await served.http.post("/graphql", content=many, headers={**headers, "Accept": accept})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    async with served.socket() as socket:
        await socket.hear()
        await socket.connection.send('{"id":"1","type":"subscribe","payload":' + many + "}")
        assert (await socket.closed())[0] == 4400


async def test_selections_that_overlap_are_merged_and_more_than_can_be_compared_in_time_are_refused(served: Served) -> None:
    found = await answers(served, {"query": overlapping(40)})
    assert {name: answer.data for name, answer in found.items()} == alike({"workspace": {"sites": {"nodes": []}}})
    found = await answers(served, {"query": overlapping(200)})
    assert codes(found) == alike([COMPLEX])
    assert {answer.errors[0]["extensions"]["limit"] for answer in found.values()} == {"validation"}


async def test_each_alias_of_a_change_is_paid_for(asking: Asking) -> None:
    """What may be tried 20 times a minute is not tried 20 times in each request."""
    aliased = numbered('a#: siteDelete(input: { site: "x" }) { __typename }', 20)
    async with serving(asking, allowance=Bucket(210, 0.001)) as served:
        for transport in CHANGING:
            await asking.services.cache.restore(f"cost:{await account(served)}", 1_000, Bucket(210, 0.001))
            paid = await transport(served, {"query": f"mutation {{ {aliased} }}"})
            assert paid.results[-1]["extensions"]["cost"]["requestedQueryCost"] == 200, transport.__name__
            again = await transport(served, {"query": f"mutation {{ {aliased} }}"})
            assert again.codes == ["THROTTLED"], transport.__name__


async def account(served: Served) -> str:
    services = served.asking.services
    standing = await services.standings.of_bearer(services.database.reader, served.key, services.keyring, services.signing)
    assert standing is not None
    return standing.known.name


@pytest.mark.parametrize("text", ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'])
async def test_the_schema_is_hidden_alike_everywhere(asking: Asking, text: str) -> None:
    hidden = alike(["INTROSPECTION_DISABLED"])
    async with serving(asking, introspection=Introspection.SIGNED_IN) as served:
        assert codes(await answers(served, {"query": text})) == alike([])
        assert codes(await answers(served.stranger, {"query": text})) == hidden
        spread = f"{{ ...A }} fragment A on Query {text}"
        assert codes(await answers(served.stranger, {"query": spread})) == hidden
    async with serving(asking, introspection=Introspection.NOBODY) as served:
        assert codes(await answers(served, {"query": text}, [websocket, single])) == alike(hidden["get"], [websocket, single])
