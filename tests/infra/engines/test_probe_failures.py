"""Pages and sub-resources that the probe cannot have, and the bounds of what it fetches."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from domain.measuring import (
    FailureKind,
    MetricName,
)
from infra.engines.probe import Limits
from tests.infra.engines.hostile import (
    Answer,
    Route,
    Site,
    endless,
    hung,
    raw,
    redirect,
)

from .probing import PNG, SCRIPT, failure, measure, page

# Pages that cannot be had.


@pytest.mark.parametrize(
    ("status", "message", "retryable"),
    [
        (404, "The page answered 404 Not Found.", False),
        (403, "The page answered 403 Forbidden.", False),
        (429, "The page answered 429 Too Many Requests.", True),
        (500, "The page answered 500 Internal Server Error.", True),
        (503, "The page answered 503 Service Unavailable.", True),
        (599, "The page answered 599.", True),
        (304, "The page answered 304 Not Modified.", False),
    ],
)
async def test_a_page_that_answers_with_an_error_is_a_failure_with_its_status(
    status: int, message: str, retryable: bool
) -> None:
    body = b"" if status == 304 else b"<p>sorry"
    async with Site({"/": Answer(body, status=status)}) as site:
        told = await failure(site.url)
    assert (told.kind, told.code, told.message, told.retryable) == (FailureKind.PAGE, "HTTP_ERROR", message, retryable)


async def test_a_refused_connection_is_a_page_failure() -> None:
    async with Site({}) as site:
        gone = site.url
    told = await failure(gone)
    assert (told.kind, told.code, told.retryable) == (FailureKind.PAGE, "CONNECTION_REFUSED", True)
    assert told.message == "127.0.0.1 refused the connection."


async def test_an_unknown_host_is_a_page_failure() -> None:
    told = await failure("http://nope.invalid/")
    assert (told.kind, told.code) == (FailureKind.PAGE, "DNS_FAILURE")


@pytest.mark.parametrize("url", ["nonsense", "ftp://x/", "http://", "http://a b/"])
async def test_what_is_not_a_url_is_a_page_failure(url: str) -> None:
    assert (await failure(url)).code == "URL_INVALID"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"


@pytest.mark.parametrize(
    ("pieces", "reset", "code"),
    [
        ((), False, "CONNECTION_RESET"),
        ((), True, "CONNECTION_RESET"),
        ((HEAD,), False, "CONNECTION_RESET"),
        ((HEAD + b"content-length: 1000\r\n\r\n<p>",), False, "CONNECTION_RESET"),
        ((HEAD + b"content-length: 1000\r\n\r\n<p>",), True, "CONNECTION_RESET"),
        ((HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab",), False, "CONNECTION_RESET"),
        ((HEAD + b"transfer-encoding: chunked\r\n\r\nXYZ\r\nab\r\n",), False, "PROTOCOL_ERROR"),
        ((HEAD + b"content-length: nonsense\r\n\r\n",), False, "PROTOCOL_ERROR"),
        ((HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\n",), False, "PROTOCOL_ERROR"),
        ((HEAD + b"bad header line\r\n\r\n",), False, "PROTOCOL_ERROR"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n\r\n",), False, "PROTOCOL_ERROR"),
        ((b"\x00\xff" * 100 + b"\r\n\r\n",), False, "PROTOCOL_ERROR"),
    ],
)
async def test_an_answer_that_breaks_off_or_is_not_http_is_a_page_failure(
    pieces: tuple[bytes, ...], reset: bool, code: str
) -> None:
    async with Site({"/": raw(*pieces, pause=0.02, reset=reset)}) as site:
        told = await failure(site.url)
    assert (told.kind, told.code) == (FailureKind.PAGE, code)


async def test_giant_headers_are_a_protocol_error_and_not_read_to_their_end() -> None:
    async with Site({"/": endless(b"x-more: " + b"y" * 8000 + b"\r\n", head=HEAD)}) as site:
        told = await failure(site.url)
    assert told.code == "PROTOCOL_ERROR"


async def test_headers_that_drip_end_at_the_deadline() -> None:
    async with Site({"/": endless(b"x", pause=0.02, head=HEAD + b"x-slow: ")}) as site:
        started = time.monotonic()
        told = await failure(site.url, limits=Limits(document_seconds=0.4))
    assert (told.code, told.retryable) == ("TIMEOUT", True)
    assert time.monotonic() - started < 3


async def test_a_body_that_drips_for_ever_ends_at_the_deadline() -> None:
    async with Site({"/": endless(b"<p>", pause=0.02)}) as site:
        assert (await failure(site.url, limits=Limits(document_seconds=0.4))).code == "TIMEOUT"
        await site.until_closed()


async def test_a_server_that_says_nothing_ends_at_the_limit_of_silence() -> None:
    async with Site({"/": hung()}) as site:
        told = await failure(site.url, limits=Limits(silence_seconds=0.2))
    assert (told.code, told.message) == ("TIMEOUT", "127.0.0.1 did not answer in time.")


async def test_an_endless_body_ends_by_its_bytes() -> None:
    async with Site({"/": endless(b"x" * 100_000)}) as site:
        told = await failure(site.url)
        await site.until_closed()
    assert (told.kind, told.code, told.retryable) == (FailureKind.PAGE, "TOO_LARGE", False)
    assert told.message == "The answer is larger than 10 MB, the most that is read."


async def test_a_page_of_50_mb_is_refused_by_its_length_before_it_is_read() -> None:
    async with Site({"/": raw(HEAD + b"content-length: 50000000\r\n\r\n", pause=30)}) as site:
        started = time.monotonic()
        assert (await failure(site.url)).code == "TOO_LARGE"
    assert time.monotonic() - started < 5


async def test_a_gzip_bomb_ends_by_its_decoded_bytes() -> None:
    bomb = gzip.compress(gzip.compress(bytes(300_000_000), 9), 9)
    twice = Answer(bomb, headers=[("content-encoding", "gzip, gzip")])
    once = Answer(gzip.compress(bytes(60_000_000), 9), headers=[("content-encoding", "gzip")])
    async with Site({"/": twice, "/once": once}) as site:
        for path in ("/", "/once"):
            told = await failure(site.at(path))
            assert (told.code, told.message) == ("TOO_LARGE", "The answer is larger than 20 MB when decompressed.")


@pytest.mark.slow
async def test_html_made_to_hurt_its_reader_costs_neither_the_audit_nor_the_event_loop() -> None:
    hurtful = b"".join(b"<b id=%d><p>" % number for number in range(60_000))
    async with Site({"/": Answer(hurtful)}) as site:
        measuring = asyncio.create_task(measure(site.url))
        longest, last = 0.0, time.monotonic()
        while not measuring.done():
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        result = await measuring
    assert result.warnings == ("The HTML is too large or nested too deeply to be read; its sub-resources were not measured.",)
    assert longest < 5  # seconds: read in this process, it would be minutes


# Sub-resources that cannot be had, and the bounds of what is fetched.


async def test_sub_resources_that_fail_are_requests_with_a_failure_and_the_page_is_measured() -> None:
    routes: dict[str, Route] = {
        "/": page(*(f"<script src={path}></script>" for path in ("/404", "/500", "/cut", "/loop", "/ok"))),
        "/500": Answer(b"", status=500),
        "/cut": raw(HEAD + b"content-length: 1000\r\n\r\n<p>", pause=0.02),
        "/loop": redirect("/loop"),
        "/ok": Answer(b"ok", SCRIPT),
    }
    async with Site(routes) as site:
        result = await measure(site.url)
    told = {request.url.removeprefix(site.at("")): request.failure for request in result.requests if request.failure}
    assert told == {
        "/404": "It answered 404.",
        "/500": "It answered 500.",
        "/cut": "127.0.0.1 closed the connection before its answer ended.",
        "/loop": "The address redirects in a loop, back to where it was before.",
    }
    [finding] = [finding for finding in result.findings if finding.rule == "resource-failed"]
    assert [one.subject for one in finding.evidence] == [site.at(path) for path in ("/404", "/500", "/cut", "/loop")]


async def test_a_connection_that_died_between_two_requests_is_opened_again() -> None:
    closing = raw(Answer(page("<script src=/a.js></script>").body).head() + page("<script src=/a.js></script>").body)
    async with Site({"/": closing, "/a.js": Answer(b"", SCRIPT)}) as site:
        result = await measure(site.url)
    assert [request.failure for request in result.requests] == [None, None]
    assert site.opened == 2


async def test_no_more_than_the_bound_of_sub_resources_is_fetched_and_the_rest_is_said() -> None:
    async with Site({"/": page(*(f"<script src=/{number}.js></script>" for number in range(75)))}) as site:
        result = await measure(site.url)
    assert result.metrics[MetricName.REQUEST_COUNT] == 61
    assert result.warnings == ("The page has 75 sub-resources; the first 60 were looked at.",)


async def test_a_sub_resource_over_its_bound_is_cut_and_counted() -> None:
    async with Site({"/": page("<img src=/big.png>"), "/big.png": endless(b"x" * 10_000)}) as site:
        result = await measure(site.url, limits=Limits(resource_bytes=50_000))
        await site.until_closed()
    big = result.requests[1]
    assert big.failure == "The answer is larger than 0.05 MB, the most that is read."
    assert big.transfer_bytes is not None
    assert 50_000 < big.transfer_bytes < 200_000


async def test_when_the_bytes_of_a_run_are_used_up_the_rest_is_left_out_and_said() -> None:
    routes = {f"/{number}.png": Answer(b"x" * 40_000, PNG) for number in range(5)}
    document = page(*(f"<img src={path}>" for path in routes))
    async with Site({"/": document, **routes}) as site:
        result = await measure(site.url, limits=Limits(resources_bytes=100_000, parallel=1))
    assert [request.failure for request in result.requests[1:]] == [
        None,
        None,
        "The answer is larger than 0.02 MB, the most that is read.",
        "The answer is larger than 0.02 MB, the most that is read.",
        "The answer is larger than 0.02 MB, the most that is read.",
    ]


async def test_sub_resources_that_hang_end_at_the_deadline_and_are_said() -> None:
    routes = {f"/{number}.js": hung() for number in range(8)}
    document = page(*(f"<script src={path}></script>" for path in routes))
    async with Site({"/": document, **routes}) as site:
        result = await measure(site.url, limits=Limits(resources_seconds=0.3))
        await site.until_closed()
    assert [request.failure for request in result.requests[1:]] == [
        "It was not loaded in the time that sub-resources have."
    ] * 6
    assert result.warnings == ("2 sub-resources were not fetched: a run may load 20 MB of them and take 0.3 s.",)
