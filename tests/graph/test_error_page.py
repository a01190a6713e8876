"""Each code of an operation, brought about: its status is what docs/errors.md says, by both media types."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from domain.caching import Bucket
from domain.documents import ClientMode
from domain.errors import DatabaseAway
from graph.callers import Caller
from graph.codes import Code
from graph.loaders import Loaders
from graph.operations import Limits
from graph.policy import Introspection, Policy
from graph.schema import schema
from graph.transports.negotiation import JSON, RESPONSE
from graph.transports.routing import Api, api
from tests.graph.asking import Asking, asking
from tests.graph.registering import client, key
from tests.house.error_page import rows

__all__ = ["asking"]

TYPENAME = {"query": "{ __typename }"}
WORKSPACE = {"query": '{ workspace(slug: "acme") { name } }'}
HASH = {"persistedQuery": {"version": 1, "sha256Hash": sha256(b"unknown").hexdigest()}}
SOMEBODY = Caller(address="127.0.0.1")


@dataclass
class Trial:
    """What is sent to bring a code about, and under which circumstances."""

    body: Mapping[str, Any] | bytes | None = None
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    policy: Policy = field(default_factory=Policy)
    mode: ClientMode | None = None
    reading: Callable[..., Awaitable[Any]] | None = None
    during: Callable[[Api], AbstractContextManager[None]] = lambda _: nullcontext()


async def stuck(*_: object) -> None:
    await asyncio.Event().wait()


async def away(*_: object) -> None:
    raise DatabaseAway("The database went away.")


async def broken(*_: object) -> None:
    raise RuntimeError("hunter2")


TRIALS = {
    Code.BAD_REQUEST: Trial(b"{"),
    Code.UNAUTHENTICATED: Trial(TYPENAME, headers={"Authorization": "Bearer pmk_nonsense"}),
    Code.CSRF_PREVENTED: Trial(params=TYPENAME, headers={"Origin": "https://other.example"}),
    Code.GRAPHQL_PARSE_FAILED: Trial({"query": "{"}),
    Code.GRAPHQL_VALIDATION_FAILED: Trial({"query": "{ nothing }"}),
    Code.OPERATION_RESOLUTION_FAILURE: Trial({**TYPENAME, "operationName": "Other"}),
    Code.BAD_USER_INPUT: Trial({"query": "query ($id: ID!) { site(id: $id) { id } }"}),
    Code.INTROSPECTION_DISABLED: Trial(
        {"query": "{ __schema { queryType { name } } }"}, policy=Policy(introspection=Introspection.NOBODY)
    ),
    Code.DOCUMENT_TOO_LARGE: Trial({"query": "{ __typename }".ljust(Limits().source + 1)}),
    Code.DOCUMENT_TOO_COMPLEX: Trial({"query": "{ " + "__typename " * 21 + "}"}),
    Code.COST_ESTIMATED_TOO_EXPENSIVE: Trial(
        {"query": "{ metrics { name } }"}, policy=Policy(strangers_allowance=Bucket(5, 1))
    ),
    Code.THROTTLED: Trial(
        {"query": "{ a: metrics { name } b: metrics { name } }"}, policy=Policy(strangers_allowance=Bucket(60, 0.001))
    ),
    Code.TOO_MANY_AT_ONCE: Trial(
        TYPENAME, policy=Policy(operations_at_once=1), during=lambda api: api.operations._budgets.running(SOMEBODY)
    ),
    Code.PERSISTED_QUERY_NOT_FOUND: Trial({"extensions": HASH}),
    Code.PERSISTED_QUERY_MISMATCH: Trial({**TYPENAME, "extensions": HASH}),
    Code.PERSISTED_QUERY_NOT_IN_LIST: Trial({"documentId": "unknown"}),
    Code.PERSISTED_QUERY_ID_REQUIRED: Trial(TYPENAME, mode=ClientMode.REGISTERED_ONLY),
    Code.QUERY_NOT_IN_SAFELIST: Trial(TYPENAME, mode=ClientMode.SAFELIST),
    Code.CANNOT_SEND_PQ_ID_AND_BODY: Trial({**TYPENAME, "documentId": "unknown"}),
    Code.TIMEOUT: Trial(WORKSPACE, policy=Policy(deadline_seconds=0.01), reading=stuck),
    Code.SERVICE_UNAVAILABLE: Trial(WORKSPACE, reading=away),
    Code.INTERNAL_SERVER_ERROR: Trial(WORKSPACE, reading=broken),
}


def test_every_code_is_tried() -> None:
    assert {*TRIALS} == {*Code}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("type", "column"), [(RESPONSE, 1), (JSON, 2)])
@pytest.mark.parametrize("code", TRIALS)
async def test_a_code_comes_with_the_status_of_the_page(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, code: Code, type: str, column: int
) -> None:
    trial = TRIALS[code]
    headers = {"Accept": type, **(trial.headers or {})}
    if trial.mode is not None:
        web: UUID = await client(asking, mode=trial.mode)
        headers["Authorization"] = f"Bearer {await key(asking, web)}"
    if trial.reading is not None:
        monkeypatch.setattr(Loaders.__dict__["workspace_by_slug"], "batch", trial.reading)
    made = api(schema, replace(asking.services, policy=trial.policy))
    transport = httpx.ASGITransport(Starlette(routes=made.routes))
    with capture_logs() as logs, trial.during(made):
        async with httpx.AsyncClient(transport=transport, base_url="http://pacemark.test", headers=headers) as asker:
            if code is Code.THROTTLED:
                await asker.post("/graphql", json={"query": "{ metrics { name } }"})
            answer = await send(asker, trial)
    codes = [error["extensions"]["code"] for error in answer.json()["errors"]]
    (row,) = (row for row in rows() if row.code == code)
    assert codes == [code]
    assert str(answer.status_code) in row.cells[column].split(", ")
    assert answer.headers["content-type"] == f"{type}; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    # What is wrong with a client, or with the database, is no stack trace.
    assert len([line for line in logs if "exc_info" in line]) == (code is Code.INTERNAL_SERVER_ERROR)
    assert "hunter2" not in answer.text


async def send(asker: httpx.AsyncClient, trial: Trial) -> httpx.Response:
    if trial.params is not None:
        return await asker.get("/graphql", params=trial.params)
    if isinstance(trial.body, bytes):
        return await asker.post("/graphql", content=trial.body, headers={"Content-Type": "application/json"})
    return await asker.post("/graphql", json=trial.body)
