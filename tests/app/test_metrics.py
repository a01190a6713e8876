"""The door for Prometheus: what it shows, and to whom."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from app.doors import metrics
from app.metering import BacklogMeter
from app.tracing import NATIVE
from domain.metering import Backlog, QueueRow
from infra.telemetry import Telemetry
from tests.telemetry import Samples, telemetry

__all__ = ["telemetry"]


async def queues() -> Backlog:
    return Backlog([QueueRow("doors", 7, 0, 0, None, 0, 0)], 3)


async def away() -> Backlog:
    raise OSError


async def fetch(
    telemetry: Telemetry,
    *,
    address: str = "127.0.0.1",
    token: str | None = None,
    behind_proxy: bool = False,
    meter: BacklogMeter | None = None,
    **headers: str | bytes,
) -> httpx.Response:
    app = FastAPI(telemetry=NATIVE)
    meter = meter or BacklogMeter(queues)
    app.include_router(metrics.routes(telemetry, meter, token=token, behind_proxy=behind_proxy))
    transport = httpx.ASGITransport(app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://pacemark.test") as client:
        sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return await client.get("/metrics", headers=sent)


async def test_it_shows_all_metrics_as_prometheus_reads_them(telemetry: Telemetry) -> None:
    with BacklogMeter(queues) as meter:
        answer = await fetch(telemetry, meter=meter)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    samples = Samples(answer.content)
    assert samples.value("pacemark_jobs_waiting", kind="doors") == 7
    assert samples.value("pacemark_events_unpublished") == 3
    assert samples.labels("target_info")[0]["service_name"] == "pacemark-test"
    assert b"otel_scope" not in answer.content


async def test_a_database_that_is_away_takes_only_its_own_metrics_with_it(telemetry: Telemetry) -> None:
    with BacklogMeter(away) as meter:
        answer = await fetch(telemetry, meter=meter)
    assert answer.status_code == 200
    assert b"pacemark_jobs_waiting" not in answer.content
    assert b"pacemark_events_delivered_total" in answer.content


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_may_look(telemetry: Telemetry, address: str) -> None:
    assert (await fetch(telemetry, address=address)).status_code == 200


@pytest.mark.parametrize("address", ["10.0.0.1", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1", "0.0.0.0", "testclient", ""])
async def test_strangers_find_no_such_page(telemetry: Telemetry, address: str) -> None:
    answer = await fetch(telemetry, address=address)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_behind_a_proxy_this_machine_is_everybody(telemetry: Telemetry) -> None:
    assert (await fetch(telemetry, behind_proxy=True)).status_code == 404


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
async def test_what_a_proxy_hands_on_is_not_this_machines_own(telemetry: Telemetry, header: str) -> None:
    assert (await fetch(telemetry, **{header: "127.0.0.1"})).status_code == 404


@pytest.mark.parametrize("behind_proxy", [True, False])
async def test_a_bearer_of_the_token_may_look_from_anywhere(telemetry: Telemetry, behind_proxy: bool) -> None:
    answer = await fetch(
        telemetry, address="192.0.2.1", behind_proxy=behind_proxy, token="a-token", Authorization="bearer a-token"
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("token", "sent"),
    [
        ("a-token", "Bearer another"),
        ("a-token", "Bearer a-toke"),
        ("a-token", "Bearer"),
        ("a-token", "Basic a-token"),
        ("a-token", "a-token"),
        ("a-token", "Bearer ünknown"),
        (None, "Bearer None"),
        (None, "Bearer "),
        ("", "Bearer "),
    ],
)
async def test_whoever_bears_anything_else_may_not(telemetry: Telemetry, token: str | None, sent: str) -> None:
    answer = await fetch(telemetry, address="192.0.2.1", token=token, Authorization=sent.encode("latin-1"))
    assert answer.status_code == 404
