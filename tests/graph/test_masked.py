"""What nobody is told, by any transport: what went wrong inside, and to strangers what would have been right."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from graph.callers import Caller
from graph.errors import MASK
from graph.execution import Shape
from graph.loaders import Loaders
from graph.operations import Asked, Rejected
from tests.graph.asking import Asking, asking
from tests.graph.registering import push
from tests.graph.test_transports import Served, served

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SECRET = "password=hunter2 at 10.0.0.1"
BROKEN = '{ workspace(slug: "acme") { id } }'
DEFERRED = '{ metrics { name } ... @defer { workspace(slug: "acme") { id } } }'


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a workspace is a bug."""

    async def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Loaders.__dict__["workspace_by_slug"], "batch", fail)


def traces(logs: Any) -> list[str]:
    """Of what was logged as ours."""
    assert all(SECRET in str(line["exc_info"]) for line in logs)
    return [line["trace_id"] for line in logs]


@pytest.mark.usefixtures("broken")
async def test_a_bug_is_masked_by_every_transport_and_logged_under_the_id_that_is_told(served: Served) -> None:
    await push(served.asking, None, {"broken": BROKEN})
    said: dict[str, str] = {}
    with capture_logs() as logs:
        async with httpx.AsyncClient(headers=served.signed_in, timeout=10) as asker:
            said["post"] = (await asker.post(served.url, json={"query": BROKEN})).text
            said["get"] = (await asker.get(served.url, params={"query": BROKEN})).text
            said["document"] = (await asker.get(f"{served.url}/d/broken")).text
            for name, accept in (("events", "text/event-stream"), ("parts", "multipart/mixed, application/json")):
                said[name] = (await asker.post(served.url, json={"query": DEFERRED}, headers={"Accept": accept})).text
        async with served.socket() as socket:
            await socket.hear()
            await socket.subscribe("1", BROKEN)
            said["socket"] = json.dumps(await socket.hear(), separators=(",", ":"))
    assert all("hunter2" not in text for text in said.values())
    assert all(text.count(MASK) == 1 for text in said.values())
    told = [re.findall(r'"code":"INTERNAL_SERVER_ERROR","traceId":"([0-9a-f]{32})"', text) for text in said.values()]
    assert told == [[id] for id in traces(logs)]
    assert len({id for (id,) in told}) == 6


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("shape", list(Shape))
async def test_a_bug_in_a_deferred_part_is_masked(asking: Asking, shape: Shape) -> None:
    prepared = await asking.operations.prepare(Asked(DEFERRED), asking.caller)
    with capture_logs() as logs:
        async with aclosing(asking.operations.results(prepared, deferring=shape)) as parts:
            bodies = [orjson.loads(part.body) async for part in parts]
    assert "errors" not in bodies[0]
    assert "hunter2" not in str(bodies)
    (trace,) = traces(logs)
    assert re.findall(r"'traceId': '([0-9a-f]{32})'", str(bodies)) == [trace]
    assert bodies[-1]["extensions"]["cost"]["actualQueryCost"] is None


GUESSES = [
    ("{ metrix { name } }", {}),
    ('{ workspace(slog: "acme") { id } }', {}),
    ('{ workspace(slug: "acme") { nam } }', {}),
    ("{ metrics { thresholds(engine: PROB, formFactor: MOBILE) { good } } }", {}),
    ("query ($id: IDD!) { node(id: $id) { id } }", {}),
    ("{ node(id: 1) { ... on Sit { id } } }", {}),
    ("mutation ($input: SiteDeleteInput!) { siteDelete(input: $input) { __typename } }", {"input": {"sit": "x"}}),
    (
        "query ($engine: EngineName!) { metrics { thresholds(engine: $engine, formFactor: MOBILE) { good } } }",
        {"engine": "PROB"},
    ),
]


async def refusal(asking: Asking, by: Caller, text: str, variables: dict[str, Any]) -> str:
    with pytest.raises(Rejected) as refused:
        await asking.operations.result(await asking.operations.prepare(Asked(text, variables=variables), by))
    return " ".join(error.message for error in refused.value.errors)


@pytest.mark.parametrize(("text", "variables"), GUESSES)
async def test_a_stranger_who_guesses_is_not_told_what_would_be_right(
    asking: Asking, text: str, variables: dict[str, Any]
) -> None:
    with capture_logs() as logs:
        assert "Did you mean" in await refusal(asking, asking.caller, text, variables)
        assert "Did you mean" not in await refusal(asking, Caller(), text, variables)
        # Nor is what was found out for somebody else.
        assert "Did you mean" not in await refusal(asking, replace(Caller(), address="192.0.2.7"), text, variables)
    assert logs == []
