"""The schema is shown to everybody, to whoever is signed in, or to nobody, by every transport."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import httpx
import pytest

from graph.policy import Introspection, Policy
from tests.graph.asking import PLENTY, Asking
from tests.graph.asking import asking as plenty
from tests.graph.registering import push
from tests.graph.test_transports import Served, served

__all__ = ["plenty", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TEXTS = [
    "{ __schema { queryType { name } } }",
    '{ a: __type(name: "Query") { name } }',
    '{ ...F } fragment F on Query { __typename ... { __type(name: "Query") { name } } }',
    'query ($no: Boolean = true) { __typename __type(name: "Query") @skip(if: $no) { name } }',
]
HIDDEN, SIGN_IN = "The schema is not shown here.", "Sign in to be shown the schema."


@pytest.fixture
def shown_to(request: pytest.FixtureRequest) -> Introspection:
    found: Introspection = request.param
    return found


@pytest.fixture
def asking(plenty: Asking, shown_to: Introspection) -> Asking:
    policy = Policy(allowance=PLENTY, strangers_allowance=PLENTY, introspection=shown_to)
    return replace(plenty, services=replace(plenty.services, policy=policy))


async def everywhere(served: Served, text: str, headers: dict[str, str]) -> dict[str, str]:
    """What each transport says, as it is sent."""
    said: dict[str, str] = {}
    async with httpx.AsyncClient(headers=headers, timeout=10) as asker:
        said["post"] = (await asker.post(served.url, json={"query": text})).text
        said["get"] = (await asker.get(served.url, params={"query": text})).text
        said["events"] = (await asker.post(served.url, json={"query": text}, headers={"Accept": "text/event-stream"})).text
        single = {"X-GraphQL-Event-Stream-Token": (await asker.put(f"{served.url}/stream")).text}
        given = {"query": text, "extensions": {"operationId": "1"}}
        said["single"] = (await asker.post(f"{served.url}/stream", json=given, headers=single)).text
    async with served.socket(headers) as socket:
        await socket.hear()
        await socket.subscribe("1", text)
        said["socket"] = json.dumps(await socket.hear())
    return said


CASES = [
    (Introspection.EVERYBODY, False, None),
    (Introspection.EVERYBODY, True, None),
    (Introspection.SIGNED_IN, False, SIGN_IN),
    (Introspection.SIGNED_IN, True, None),
    (Introspection.NOBODY, False, HIDDEN),
    (Introspection.NOBODY, True, HIDDEN),
]


@pytest.mark.parametrize(("shown_to", "signed_in", "refused"), CASES, indirect=["shown_to"])
async def test_the_schema_is_shown_to_whom_it_is_to_be_shown(served: Served, signed_in: bool, refused: str | None) -> None:
    headers = served.signed_in if signed_in else {}
    for text in TEXTS:
        said = await everywhere(served, text, headers)
        for transport, answer in said.items():
            assert re.findall(r"The schema is not[^\"]*|Sign in[^\"]*", answer) == ([refused] if refused else []), transport
            assert ("INTROSPECTION_DISABLED" in answer) is (refused is not None)
            assert '"name"' not in answer or refused is None
    for transport, answer in (await everywhere(served, "{ __typename metrics { __typename } }", headers)).items():
        assert "INTROSPECTION_DISABLED" not in answer, transport


@pytest.mark.parametrize(("shown_to", "refused"), [(Introspection.NOBODY, HIDDEN)], indirect=["shown_to"])
async def test_a_registered_document_shows_no_more_than_its_text_would(served: Served, refused: str) -> None:
    await push(served.asking, None, {"schema": TEXTS[0]})
    async with httpx.AsyncClient(headers=served.signed_in) as asker:
        for answer in (
            await asker.get(f"{served.url}/d/schema"),
            await asker.post(served.url, json={"documentId": "schema"}),
        ):
            (error,) = answer.json()["errors"]
            assert (error["message"], error["extensions"]) == (refused, {"code": "INTROSPECTION_DISABLED"})
