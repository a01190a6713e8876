"""Operations as spans, through a schema of the tests' own and over real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import strawberry
import uvicorn
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from app.tracing import ServerSpans
from domain import tracing
from domain.errors import NotFound
from graph import tracing as graph_tracing
from graph.callers import Caller
from graph.context import Services
from graph.execution import Operations
from graph.operations import Asked, Rejected
from graph.transports.routing import api
from infra.cache.memory import MemoryCache
from infra.telemetry import Telemetry
from tests.telemetry import Samples, Spans, scrape, spans, telemetry

__all__ = ["spans", "telemetry"]

SECRET = "hunter2"


@strawberry.type
class Query:
    @strawberry.field
    async def step(self, given: str = "") -> int:
        with tracing.span("resolver"):
            return 1

    @strawberry.field
    async def items(self) -> list[int]:
        return list(range(1_000))

    @strawberry.field
    async def refused(self) -> int | None:
        raise NotFound(SECRET)

    @strawberry.field
    async def broken(self) -> int | None:
        raise ValueError(SECRET)


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self) -> int:
        return 1


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, count: int = 2) -> AsyncGenerator[int, None]:
        for number in range(count):
            with tracing.span("event"):
                pass
            yield number

    @strawberry.subscription
    async def broken(self) -> AsyncGenerator[int, None]:
        raise ValueError(SECRET)
        yield 1


schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)


def services() -> Services:
    """Nothing of all that is asked for here."""
    return Services(
        **dict.fromkeys(NEEDED, cast(Any, None)),
        database=cast(Any, SimpleNamespace(reader=None)),
        cache=MemoryCache(),
        texts=MemoryCache(),
    )


NEEDED = ("feed", "storage", "keyring", "base_url", "signing", "passwords")
operations = Operations(schema, services())


@asynccontextmanager
async def served() -> AsyncGenerator[str, None]:
    routes = list(api(schema, services()).routes)
    config = uvicorn.Config(
        ServerSpans(Starlette(routes=routes)), port=0, log_config=None, ws="websockets-sansio", lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/graphql"
    server.should_exit = True
    await serving


async def ask(spans: Spans, query: str, name: str | None = None, **variables: Any) -> Any:
    with spans.root():
        return await answer(query, name, **variables)


async def answer(query: str, name: str | None = None, **variables: Any) -> Any:
    try:
        prepared = await operations.prepare(Asked(query, operation_name=name, variables=variables), Caller())
        return (await operations.result(prepared)).body(cost=False)
    except Rejected as refused:
        return refused.body


async def events(query: str) -> AsyncGenerator[Any, None]:
    prepared = await operations.prepare(Asked(query), Caller())
    async with aclosing(operations.results(prepared)) as heard:
        async for event in heard:
            yield json.loads(event.body)


async def test_an_operation_is_a_span_under_its_request_and_around_its_resolvers(spans: Spans) -> None:
    text = 'query Named($given: String!) { step(given: $given) other: step(given: "hunter2") }'
    assert await ask(spans, text, given=SECRET) == {"data": {"step": 1, "other": 1}}
    made = spans.one("query Named")
    assert made.parent == spans.one("root").context
    assert made.kind is SpanKind.SERVER
    assert made.attributes == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Named",
        "graphql.document.id": hashlib.sha256(text.encode()).hexdigest(),
    }
    assert [span.parent for span in spans.ended if span.name == "resolver"] == [made.context, made.context]
    assert made.status.status_code is StatusCode.UNSET
    assert SECRET not in spans.text()


async def test_there_is_no_span_for_a_field(spans: Spans) -> None:
    await ask(spans, "{ items }")
    assert spans.names == ["query", "root"]


async def test_a_mutation_and_an_operation_without_a_name_are_called_by_their_type(spans: Spans) -> None:
    await ask(spans, "mutation { change }")
    assert spans.names == ["mutation", "root"]
    assert "graphql.operation.name" not in (spans.one("mutation").attributes or {})


async def test_an_unsampled_operation_makes_no_span(spans: Spans) -> None:
    spans.sampling(on=False)
    assert await ask(spans, "{ step }") == {"data": {"step": 1}}
    assert await answer("{ step }") == {"data": {"step": 1}}
    assert spans.ended == ()


async def test_of_many_names_the_first_are_in_the_spans_names_and_all_in_their_attributes(
    spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_tracing, "_names", set())
    monkeypatch.setattr(graph_tracing, "MAX_NAMES", 2)
    for name in ("A", "B", "C", "A"):
        await ask(spans, f"query {name} {{ step }}")
    found = [span for span in spans.ended if span.kind is SpanKind.SERVER]
    assert [span.name for span in found] == ["query A", "query B", "query", "query A"]
    assert [(span.attributes or {})["graphql.operation.name"] for span in found] == ["A", "B", "C", "A"]


async def test_a_name_that_is_too_long_is_not_told(spans: Spans) -> None:
    await ask(spans, f"query {'N' * 101} {{ step }}")
    assert "graphql.operation.name" not in (spans.one("query").attributes or {})


@pytest.mark.parametrize("name", [SECRET, "no name: " + SECRET, "\udcff"])
async def test_a_name_that_the_document_does_not_have_is_not_told(spans: Spans, name: str) -> None:
    await ask(spans, "query A { step }", name)
    made = spans.one("GraphQL Operation")
    assert (made.attributes or {})["error.type"] == "OPERATION_RESOLUTION_FAILURE"
    assert name not in spans.text()


@pytest.mark.parametrize("text", ["{ nonsense", f'{{ step(given: "{SECRET}" }}', "{ step(\udcff) }"])
async def test_a_text_that_cannot_be_read_is_told_by_its_hash(spans: Spans, text: str) -> None:
    assert (await ask(spans, text))["errors"]
    made = spans.one("GraphQL Operation")
    expected = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    assert made.attributes == {"graphql.document.id": expected, "error.type": "GRAPHQL_PARSE_FAILED"}
    assert made.status.status_code is StatusCode.UNSET
    assert SECRET not in spans.text()


async def test_a_refusal_is_told_by_its_code_and_is_no_error_of_ours(spans: Spans) -> None:
    assert (await ask(spans, "{ refused }"))["errors"]
    assert spans.one("query").status.status_code is StatusCode.UNSET
    assert (spans.one("query").attributes or {})["error.type"] == "NOT_FOUND"
    assert SECRET not in spans.text()


async def test_a_bug_is_an_error_and_its_answer_and_log_carry_the_trace(spans: Spans) -> None:
    with capture_logs() as logs:
        said = await ask(spans, "{ refused broken }")
    made = spans.one("query")
    assert made.status.status_code is StatusCode.ERROR
    assert (made.attributes or {})["error.type"] == "INTERNAL_SERVER_ERROR"
    trace_id = f"{made.context.trace_id:032x}"
    assert [error["extensions"].get("traceId") for error in said["errors"]] == [None, trace_id]
    assert [entry["trace_id"] for entry in logs] == [trace_id]
    assert SECRET not in spans.text()


async def test_a_subscription_is_a_span_until_it_stands_and_none_for_its_life(spans: Spans) -> None:
    with spans.root() as root:
        heard = events("subscription Ticks { ticks(count: 3) }")
        first = await anext(heard)
        assert spans.names == ["subscription Ticks", "event"]
        assert trace.get_current_span() is root
        assert [event["data"] for event in (first, *[event async for event in heard])] == [
            {"ticks": 0},
            {"ticks": 1},
            {"ticks": 2},
        ]
    assert spans.one("subscription Ticks").parent == root.get_span_context()
    assert spans.names == ["subscription Ticks", "event", "event", "event", "root"]


async def test_operations_over_http_are_children_of_their_requests(spans: Spans) -> None:
    async with served() as base, httpx.AsyncClient() as client:
        await client.post(f"http://{base}", json={"query": "query Named { step }"})
        await client.get(f"http://{base}", params={"query": "{ step }"})
    assert spans.names == ["resolver", "query Named", "POST /graphql", "resolver", "query", "GET /graphql"]
    assert spans.one("query Named").parent == spans.one("POST /graphql").context
    assert spans.one("query").parent == spans.one("GET /graphql").context


async def test_over_server_sent_events_too(spans: Spans) -> None:
    async with served() as base, httpx.AsyncClient() as client:
        for query in ("subscription { ticks }", "query Named { step }"):
            heard = await client.post(
                f"http://{base}", json={"query": query}, headers={"Accept": "text/event-stream"}, timeout=10
            )
            assert "event: complete" in heard.text
    assert sorted(spans.names) == sorted(["subscription", "POST /graphql", "query Named", "resolver", "POST /graphql"])
    requests = {span.context.span_id: span for span in spans.ended if span.name == "POST /graphql"}
    for name in ("subscription", "query Named"):
        made = spans.one(name)
        assert made.parent is not None
        assert made.parent.span_id in requests


async def test_over_a_websocket_each_operation_is_a_trace_of_its_own(spans: Spans) -> None:
    protocols = cast(Any, ["graphql-transport-ws"])
    async with served() as base, connect(f"ws://{base}", subprotocols=protocols, proxy=None) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        for id, query in (("1", "query Named { step }"), ("2", "subscription { ticks }")):
            await socket.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": query}}))
            async for message in messages(socket):
                if message["type"] == "complete":
                    break
    handshake = spans.one("GET /graphql")
    for name in ("query Named", "subscription"):
        made = spans.one(name)
        assert made.parent is None
        assert made.context.trace_id != handshake.context.trace_id
        assert [link.context for link in made.links] == [handshake.context]
    assert spans.names == ["GET /graphql", "resolver", "query Named", "subscription"]


async def messages(socket: Any) -> AsyncIterator[Any]:
    async with asyncio.timeout(10):
        while True:
            yield json.loads(await socket.recv())


async def test_operations_are_counted_by_type_and_outcome_and_by_nothing_from_outside(
    spans: Spans, telemetry: Telemetry
) -> None:
    spans.sampling(on=False)
    before = scrape(telemetry)
    for query in ("query A { step }", "query B { step }", "{ refused }", "mutation { change }", "{ nonsense"):
        await ask(spans, query)
    async for _ in events("subscription Named { ticks }"):
        pass
    after = scrape(telemetry)

    def grown(kind: str, outcome: str, name: str = "graphql_operations_total") -> float:
        def of(samples: Samples) -> float:
            return samples.value(name, graphql_operation_type=kind, outcome=outcome)

        return of(after) - of(before)

    assert grown("query", "ok") == 2
    assert grown("query", "errors") == 1
    assert grown("mutation", "ok") == 1
    assert grown("subscription", "ok") == 1
    assert grown("", "errors") == 1
    assert grown("query", "ok", "graphql_operation_duration_seconds_count") == 2
    labels = {name for labels in after.labels("graphql_operations_total") for name in labels}
    assert labels == {"graphql_operation_type", "outcome"}
