"""What the probe sends to reach a site goes there alone; and stopping it closes everything."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path

import orjson
import pytest

from domain.measuring import (
    Access,
    FailureKind,
    Measured,
    Phase,
    Reached,
)
from infra.engines.probe import ProbeEngine
from tests.infra.engines.hostile import (
    Answer,
    Site,
    hung,
    redirect,
)

from .probing import OPEN, SCRIPT, failure, measure, order, page, speaking

# Secrets.

ACCESS = Access(headers={"X-Token": "s3cret-token"}, cookies={"gate": "s3cret-cookie"}, username="u", password="s3cret")


async def test_access_goes_to_the_sites_own_origin_and_to_no_other() -> None:
    async with Site({"/b.js": Answer(b"", SCRIPT)}, host="127.0.0.2") as other:
        document = page(f"<script src=/a.js></script><script src={other.at('/b.js')}></script>")
        async with Site({"/": document, "/a.js": Answer(b"", SCRIPT)}) as site:
            await measure(site.url, access=ACCESS)
    for request in site.requests:
        assert request.headers["x-token"] == "s3cret-token"
        assert request.headers["cookie"] == "gate=s3cret-cookie"
        assert request.headers["authorization"] == "Basic dTpzM2NyZXQ="
    assert len(site.requests) == 2
    [foreign] = other.requests
    assert not {"x-token", "cookie", "authorization"} & set(foreign.headers)


async def test_access_is_not_sent_after_a_redirect_to_another_origin_be_it_only_another_port() -> None:
    async with Site({"/": page("<script src=/a.js></script>")}) as other, Site({"/": redirect(other.url)}) as site:
        await measure(site.url, access=ACCESS)
    assert site.requests[0].headers["x-token"] == "s3cret-token"
    assert len(other.requests) == 2
    assert all("s3cret" not in str(request) and "dTpz" not in str(request) for request in other.requests)


async def test_a_cookie_that_one_origin_sets_is_not_sent_to_another() -> None:
    async with Site({"/": page()}) as other, Site({"/": redirect(other.url, 302, ("set-cookie", "id=1"))}) as site:
        await measure(site.url)
    assert "cookie" not in other.requests[0].headers


async def test_no_secret_is_in_the_result_even_when_the_page_sends_it_back() -> None:
    headers = [("set-cookie", "id=of-the-visitor; Secure"), ("x-echo", "you said s3cret-token"), ("x-p", "s3cret")]
    async with Site({"/": Answer(b"<p>", headers=headers)}) as site:
        result = await measure(site.url, access=ACCESS)
    assert "s3cret" not in repr(result)
    assert "s3cret" not in orjson.dumps(result.report).decode()
    assert "of-the-visitor" not in repr(result) + orjson.dumps(result.report).decode()


@pytest.mark.parametrize(
    "access",
    [
        Access(headers={"X-A": "s3cret\r\nHost: evil"}),
        Access(headers={"X A": "s3cret"}),
        Access(headers={"Host": "s3cret.example"}),
        Access(headers={"Transfer-Encoding": "chunked"}),
        Access(cookies={"a": "s3cret; b=c"}),
        Access(cookies={"a\n": "s3cret"}),
        Access(username="a:b", password="s3cret"),
    ],
)
async def test_an_access_that_cannot_be_sent_is_a_failure_of_configuration_that_does_not_show_it(access: Access) -> None:
    async with Site({"/": page()}) as site:
        told = await failure(site.url, access=access)
    assert (told.kind, told.code) == (FailureKind.CONFIGURATION, "ACCESS_INVALID")
    assert "s3cret" not in told.message
    assert site.opened == 0


# Stopping.


@pytest.mark.parametrize("where", ["document", "resources"])
async def test_cancelling_closes_every_socket(where: str) -> None:
    routes = {f"/{number}.js": hung() for number in range(6)}
    document = hung() if where == "document" else page(*(f"<script src={path}></script>" for path in routes))
    async with Site({"/": document, **routes}) as site:
        task = asyncio.create_task(measure(site.url))
        async with asyncio.timeout(5):
            while len(site.requests) < (1 if where == "document" else 7):
                await asyncio.sleep(0.01)
        assert site.live
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await site.until_closed(1)
    gc.collect()


async def test_cancelling_amid_a_tls_handshake_closes_the_socket() -> None:
    async with speaking(None) as url:
        task = asyncio.create_task(measure(url))
        await asyncio.sleep(0.2)
        others = asyncio.all_tasks() - {task, asyncio.current_task()}
        assert others
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The server's task ends when it reads the end of the stream.
        async with asyncio.timeout(1):
            await asyncio.wait(others)
    gc.collect()


def children() -> set[str]:
    """The processes that this thread started and that still run."""
    return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())


async def test_cancelling_while_html_is_read_ends_the_process_that_reads_it() -> None:
    before = children()
    async with Site({"/": Answer(b"<div>" * 1_000_000)}) as site:
        task = asyncio.create_task(measure(site.url))
        async with asyncio.timeout(5):
            while not children() - before:
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not children() - before


async def test_closing_the_generator_closes_every_socket() -> None:
    async with Site({"/": page("<script src=/a.js></script>")}) as site:
        steps = ProbeEngine(OPEN).measure(order(site.url, runs=5))
        async for step in steps:
            if step == Reached(Phase.RESOURCES, 0):
                break
        assert site.live
        await steps.aclose()
        await site.until_closed(1)
    assert len(site.requests) == 1


async def test_a_finished_measurement_leaves_no_connection_open() -> None:
    async with Site({"/": page("<script src=/a.js></script>")}) as site:
        steps = ProbeEngine(OPEN).measure(order(site.url))
        async for step in steps:
            if isinstance(step, Measured):
                await site.until_closed(1)
