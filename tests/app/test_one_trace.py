"""One trace runs from the request to the event at its subscriber, on both buses."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app import bootstrap, worker
from app.asgi import create_app, services_of
from app.settings import Settings
from app.wiring import House
from domain.access import Actor
from domain.ids import Kind, encode
from domain.measuring import EngineName
from graph.callers import Caller
from graph.execution import Operations
from graph.operations import Asked
from graph.schema import schema
from tests.domain.audits.engines import ToldEngine
from tests.servers import PostgresServer
from tests.telemetry import Spans, spans

__all__ = ["spans"]

ASK = """mutation Ask { auditRequest(input: {target: {url: "http://127.0.0.1:1/"}, runs: 1}) {
  ... on AuditRequestPayload { audit { id } } } }"""
FOLLOW = "subscription ($workspace: ID!) { workspaceEvents(workspace: $workspace) { __typename ... on AuditEvent { kind } } }"


@asynccontextmanager
async def opened(bus: str, folder: Path, request: pytest.FixtureRequest) -> AsyncGenerator[tuple[House, Actor], None]:
    settings: dict[str, Any] = {"data": folder, "engines": (EngineName.PROBE,), "probes_at_once": 1}
    if bus == "nats":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        settings |= await server.create_installation(f"trace_{secrets.token_hex(6)}")
        settings |= {"nats_url": request.getfixturevalue("nats_url")}
        settings |= {"nats_prefix": f"test_{secrets.token_hex(6)}"}
    async with bootstrap.embedded(Settings(_env_file=None, **settings)) as (house, workspace_id):
        engines = {EngineName.PROBE: ToldEngine(ttfbs=(100,))}
        yield replace(house, engines=engines), await bootstrap.owner(house, workspace_id)


@pytest.mark.parametrize("bus", ["outbox", "nats"])
async def test_one_trace_runs_from_the_request_to_the_event(
    bus: str, tmp_path: Path, spans: Spans, request: pytest.FixtureRequest
) -> None:
    async with opened(bus, tmp_path, request) as (house, actor):
        (workspace_id,) = actor.roles
        key = await bootstrap.first_key(house, workspace_id)
        stop = asyncio.Event()
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        variables = {"workspace": encode(Kind.WORKSPACE, workspace_id)}
        operations = Operations(schema, services_of(house))
        events = operations.results(await operations.prepare(Asked(FOLLOW, variables=variables), Caller(actor)))
        assert b'"Checkpoint"' in (await anext(events)).body
        spans.clear()
        transport = httpx.ASGITransport(create_app(house))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            await client.post("/graphql", json={"query": ASK}, headers={"Authorization": f"Bearer {key}"})
        kinds: list[str] = []
        async with asyncio.timeout(20):
            while not kinds or kinds[-1] != "AUDIT_FINISHED":
                kinds.append(orjson.loads((await anext(events)).body)["data"]["workspaceEvents"]["kind"])
        await events.aclose()
        stop.set()
        await working
    server = spans.one("POST /graphql")
    ours = [span for span in spans.ended if span.context.trace_id == server.context.trace_id]
    names = {span.name for span in ours}
    assert {"mutation Ask", "process audits.probe", "measure PROBE", "deliver event"} <= names
    assert spans.one("process audits.probe").parent.span_id == spans.one("mutation Ask").context.span_id
    assert spans.one("measure PROBE").parent.span_id == spans.one("process audits.probe").context.span_id
    assert any(name.startswith("INSERT") and "jobs" in name for name in names), names
    assert [span.name for span in ours].count("deliver event") == len(kinds)
    published = {f"publish {kind}" for kind in (*kinds, "audits.probe")}
    assert (published <= names) == (bus == "nats"), names


async def test_a_request_that_is_not_sampled_leaves_no_span_anywhere(tmp_path: Path, spans: Spans) -> None:
    spans.sampling(on=False)
    async with bootstrap.embedded(Settings(_env_file=None, data=tmp_path)) as (house, workspace_id):
        key = await bootstrap.first_key(house, workspace_id)
        engine = ToldEngine(ttfbs=(100,))
        stop = asyncio.Event()
        working = asyncio.create_task(worker.work(replace(house, engines={EngineName.PROBE: engine}), stop, drain_seconds=5))
        transport = httpx.ASGITransport(create_app(house))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            await client.post("/graphql", json={"query": ASK}, headers={"Authorization": f"Bearer {key}"})
        async with asyncio.timeout(10):
            while not engine.orders:
                await asyncio.sleep(0.01)
        stop.set()
        await working
    assert spans.names == []
