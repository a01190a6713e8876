"""Requests and handshakes as server spans, as an application of the tests' own shows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.tracing import NATIVE, ServerSpans
from domain import tracing
from infra.telemetry import Telemetry
from tests.telemetry import STRANGER, Spans, scrape, spans, telemetry

__all__ = ["spans", "telemetry"]

TRACE, PARENT = STRANGER[3:35], STRANGER[36:52]
SECRET = "hunter2"


class Plain(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("good")


def application(*, trust_incoming: bool = False) -> FastAPI:
    app = FastAPI(telemetry=NATIVE)
    app.add_middleware(ServerSpans, trust_incoming=trust_incoming)

    @app.get("/plain")
    async def plain() -> dict[str, bool]:
        with tracing.span("inner"):
            return {"current": trace.get_current_span() is not trace.INVALID_SPAN}

    @app.get("/files/{token}")
    async def file(token: str) -> Response:
        return PlainTextResponse("good")

    @app.get("/fails/{token}")
    async def fails(token: str) -> Response:
        raise ValueError(token)

    @app.get("/refuses")
    async def refuses() -> Response:
        return PlainTextResponse("no", 503)

    @app.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("good")

    @app.get("/stream")
    async def stream() -> Response:
        async def events() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            with tracing.span("event"):
                yield "data: 2\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    @app.websocket("/socket/{token}")
    async def socket(websocket: WebSocket, token: str) -> None:
        if token == "refused":
            await websocket.close()
            return
        await websocket.accept()
        async for _ in websocket.iter_text():
            with tracing.entry("operation"), tracing.span("step"):
                await websocket.send_text(tracing.trace_id() or "none")

    good = PlainTextResponse("good")
    app.router.routes += [Mount("/mounted", good), Mount("/mounts/{token}", good)]
    app.router.routes += [Route("/starlette", Plain), Route("/templated/{token}", Plain)]
    return app


@asynccontextmanager
async def asking(app: Any) -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def get(path: str, *, trust_incoming: bool = False, method: str = "GET", **headers: str) -> httpx.Response:
    async with asking(application(trust_incoming=trust_incoming)) as client:
        return await client.request(method, path, headers=headers)


@asynccontextmanager
async def served(app: Any) -> AsyncGenerator[str, None]:
    config = uvicorn.Config(app, port=0, log_config=None, ws="websockets-sansio", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def test_a_request_is_a_server_span_around_what_it_does(spans: Spans) -> None:
    assert (await get("/plain?a=" + SECRET)).json() == {"current": True}
    made = spans.one("GET /plain")
    assert made.kind is SpanKind.SERVER
    assert made.parent is None
    assert made.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/plain",
        "http.route": "/plain",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
    }
    assert made.status.status_code is StatusCode.UNSET
    assert spans.one("inner").parent == made.context
    assert spans.names == ["inner", "GET /plain"]
    assert SECRET not in spans.text()


async def test_an_unsampled_request_makes_no_spans_at_all(spans: Spans) -> None:
    spans.sampling(on=False)
    assert (await get("/plain")).json() == {"current": False}
    assert spans.ended == ()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_what_machines_ask_all_day_makes_no_spans(spans: Spans, telemetry: Telemetry, path: str) -> None:
    before = scrape(telemetry).value("http_server_request_duration_seconds_count")
    await get(path)
    assert spans.ended == ()
    assert scrape(telemetry).value("http_server_request_duration_seconds_count") == before


@pytest.mark.parametrize(
    ("path", "name", "shown", "status"),
    [
        (f"/files/{SECRET}", "GET /files/{token}", "/files/{token}", 200),
        (f"/files/{SECRET}/more", "GET", "/*", 404),
        (f"/{SECRET}", "GET", "/*", 404),
        (f"/mounted/{SECRET}", "GET /mounted/{path}", "/mounted/{path}", 200),
        (f"/starlette?key={SECRET}", "GET /starlette", "/starlette", 200),
        (f"/templated/{SECRET}", "GET", "/*", 200),
        (f"/mounts/{SECRET}/x", "GET", "/*", 200),
        (f"/plain/?key={SECRET}", "GET", "/*", 307),
    ],
)
async def test_a_path_is_shown_by_its_template_or_not_at_all(
    spans: Spans, path: str, name: str, shown: str, status: int
) -> None:
    assert (await get(path)).status_code == status
    attributes = spans.one(name).attributes or {}
    assert (attributes["url.path"], attributes["http.response.status_code"]) == (shown, status)
    assert SECRET not in spans.text()


async def test_an_unknown_method_is_other_and_one_not_allowed_has_its_route(spans: Spans) -> None:
    assert (await get("/plain", method=SECRET.upper())).status_code == 405
    made = spans.one("HTTP /plain")
    assert (made.attributes or {})["http.request.method"] == "_OTHER"
    assert SECRET.upper() not in spans.text()


async def test_a_bug_is_an_error_with_its_type(spans: Spans) -> None:
    assert (await get(f"/fails/{SECRET}")).status_code == 500
    made = spans.one("GET /fails/{token}")
    assert made.status.status_code is StatusCode.ERROR
    assert (made.attributes or {})["http.response.status_code"] == 500
    assert [event.attributes for event in made.events] == [{"exception.type": "ValueError"}]
    assert SECRET not in spans.text()


async def test_an_answer_of_ours_that_says_500_and_more_is_an_error_and_a_clients_mistake_is_none(spans: Spans) -> None:
    await get("/refuses")
    await get("/nothing")
    assert spans.one("GET /refuses").status.status_code is StatusCode.ERROR
    assert (spans.one("GET /refuses").attributes or {})["error.type"] == "503"
    assert spans.one("GET").status.status_code is StatusCode.UNSET


async def test_a_strangers_sampled_trace_is_linked_and_forces_nothing(spans: Spans) -> None:
    await get("/plain", traceparent=STRANGER)
    made = spans.one("GET /plain")
    assert made.parent is None
    assert f"{made.context.trace_id:032x}" != TRACE
    assert [f"{link.context.trace_id:032x}" for link in made.links] == [TRACE]
    spans.sampling(on=False)
    spans.clear()
    await get("/plain", traceparent=STRANGER)
    assert spans.ended == ()


async def test_a_stranger_cannot_hide_from_sampling_either(spans: Spans) -> None:
    await get("/plain", traceparent=STRANGER[:-2] + "00")
    assert spans.names == ["inner", "GET /plain"]


async def test_a_trusted_callers_trace_is_followed_sampled_or_not(spans: Spans) -> None:
    spans.sampling(on=False)
    await get("/plain", trust_incoming=True, traceparent=STRANGER)
    made = spans.one("GET /plain")
    assert f"{made.context.trace_id:032x}" == TRACE
    assert made.parent is not None
    assert f"{made.parent.span_id:016x}" == PARENT
    spans.sampling(on=True)
    spans.clear()
    assert (await get("/plain", trust_incoming=True, traceparent=STRANGER[:-2] + "00")).json() == {"current": False}
    assert spans.ended == ()
    await get("/plain", trust_incoming=True, traceparent="nonsense")
    assert spans.one("GET /plain").parent is None


@pytest.mark.parametrize("trust_incoming", [True, False])
async def test_two_parents_are_none(spans: Spans, trust_incoming: bool) -> None:
    async with asking(application(trust_incoming=trust_incoming)) as client:
        await client.get("/plain", headers=[("traceparent", STRANGER), ("traceparent", STRANGER)])
    assert spans.one("GET /plain").parent is None
    assert spans.one("GET /plain").links == ()


async def test_a_stream_of_events_is_a_request_that_ends_when_it_begins(spans: Spans) -> None:
    assert (await get("/stream")).text == "data: 1\n\ndata: 2\n\n"
    assert spans.names == ["GET /stream"]


async def test_of_a_websocket_the_handshake_is_a_span_and_each_operation_is_sampled_by_itself(spans: Spans) -> None:
    async with served(application()) as base, connect(f"ws://{base}/socket/{SECRET}", proxy=None) as socket:
        await socket.send("x")
        first = await socket.recv()
        spans.sampling(on=False)
        await socket.send("x")
        assert await socket.recv() == f"{spans.one('GET /socket/{token}').context.trace_id:032x}"
    handshake, operation = spans.one("GET /socket/{token}"), spans.one("operation")
    assert (handshake.attributes or {})["http.response.status_code"] == 101
    assert (handshake.attributes or {})["url.scheme"] == "ws"
    assert operation.parent is None
    assert [link.context for link in operation.links] == [handshake.context]
    assert first == f"{operation.context.trace_id:032x}"
    assert spans.names == ["GET /socket/{token}", "step", "operation"]
    assert SECRET not in spans.text()


async def test_an_operation_of_an_unsampled_websocket_has_its_own_chance(spans: Spans) -> None:
    spans.sampling(on=False)
    async with served(application()) as base, connect(f"ws://{base}/socket/x", proxy=None) as socket:
        await socket.send("x")
        assert await socket.recv() == "none"
        spans.sampling(on=True)
        await socket.send("x")
        await socket.recv()
    assert spans.names == ["step", "operation"]
    assert spans.one("operation").links == ()


async def test_a_refused_handshake_is_a_403(spans: Spans) -> None:
    async with served(application()) as base:
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{base}/socket/refused", proxy=None)
    assert (spans.one("GET /socket/{token}").attributes or {})["http.response.status_code"] == 403


async def test_every_request_is_measured_by_template_whether_sampled_or_not(spans: Spans, telemetry: Telemetry) -> None:
    spans.sampling(on=False)
    counted = "http_server_request_duration_seconds_count"
    before = scrape(telemetry)
    for path in (f"/files/{SECRET}", f"/fails/{SECRET}", "/refuses", f"/{SECRET}"):
        await get(path)
    after = scrape(telemetry)

    def grown(**labels: str) -> float:
        return after.value(counted, **labels) - before.value(counted, **labels)

    of = {"http_request_method": "GET", "url_scheme": "http"}
    assert grown(**of, http_route="/files/{token}", http_response_status_code="200", error_type="") == 1
    assert grown(**of, http_route="/fails/{token}", http_response_status_code="500", error_type="500") == 1
    assert grown(**of, http_route="/refuses", http_response_status_code="503", error_type="503") == 1
    assert grown(**of, http_route="", http_response_status_code="404") == 1
    assert SECRET.encode() not in telemetry.render()[0]
