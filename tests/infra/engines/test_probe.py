"""The probe on pages that load well."""

from __future__ import annotations

import asyncio
import gzip
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import orjson
import pytest

from domain.measuring import (
    EngineName,
    FormFactor,
    Measured,
    MetricName,
    Order,
    Phase,
    Reached,
    ResourceType,
    Throttling,
    ThrottlingMethod,
)
from infra.engines.probe import ProbeEngine
from tests.infra.engines.hostile import (
    Answer,
    Raw,
    Request,
    Site,
    gzipped,
    raw,
)

from .probing import OPEN, PNG, SCRIPT, STYLE, by_path, measure, measured, order, page, rules

# A page that loads well.


async def test_a_page_is_measured_with_everything_its_html_asks_for_to_the_byte() -> None:
    document = page(
        '<img src="/a.png" width=1 height=1><img srcset="/s.png 400w, /m.png 800w, /l.png 1600w" src="/old.png">',
        '<picture><source type="image/webp" srcset="/p.webp"><img src="/p.jpg"></picture>',
        '<img src="/far.png" loading=lazy><video src="/v.mp4" poster="/poster.png"></video>',
        '<video preload=none src="/never.mp4"></video><script type=module src=/m.js></script>',
        '<script type="application/json" src="/data.json"></script><a href="/link">x</a>',
        head=[
            '<link rel=stylesheet href="style.css"><script src="a.js" defer></script><link rel=icon href=/i.png>',
            '<link rel=preload as=font href=/f.woff2 crossorigin><script src="a.js"></script>',
            '<img src="data:image/png;base64,AAAA">',
        ],
    )
    answers = {
        "/": document,
        "/style.css": Answer(b"b{}", STYLE),
        "/a.js": Answer(b"1;" * 40, SCRIPT),
        "/m.js": Answer(b"2", SCRIPT),
        "/i.png": Answer(b"i" * 10, PNG),
        "/f.woff2": Answer(b"f" * 20, "font/woff2"),
        "/a.png": Answer(b"a" * 30, PNG),
        "/m.png": Answer(b"m" * 40, PNG),
        "/p.webp": Answer(b"p" * 50, "image/webp"),
        "/v.mp4": Answer(b"v" * 60, "video/mp4"),
        "/poster.png": Answer(b"o" * 70, PNG),
    }
    async with Site(answers) as site:
        result = await measure(site.url)
    assert {request.path for request in site.requests} == set(answers)
    weights = {path: answer.wire_bytes for path, answer in answers.items()}
    metrics = result.metrics
    assert metrics[MetricName.REQUEST_COUNT] == 11
    assert metrics[MetricName.TRANSFER_BYTES] == sum(weights.values())
    assert metrics[MetricName.DECODED_BYTES] == sum(len(answer.body) for answer in answers.values())
    assert metrics[MetricName.DOCUMENT_BYTES] == weights["/"]
    assert metrics[MetricName.SCRIPT_BYTES] == weights["/a.js"] + weights["/m.js"]
    assert metrics[MetricName.STYLESHEET_BYTES] == weights["/style.css"]
    assert metrics[MetricName.FONT_BYTES] == weights["/f.woff2"]
    assert metrics[MetricName.MEDIA_BYTES] == weights["/v.mp4"]
    assert metrics[MetricName.OTHER_BYTES] == 0
    assert metrics[MetricName.THIRD_PARTY_COUNT] == metrics[MetricName.THIRD_PARTY_BYTES] == 0
    assert result.warnings == ("1 images load lazily and were not fetched.",)
    assert result.final_url == site.url
    assert result.engine_version == "1.0"
    seen = by_path(site, result)
    assert seen["/m.png"].resource_type is ResourceType.IMAGE
    assert (seen["/"].status, seen["/"].protocol, seen["/"].mime_type) == (200, "http/1.1", "text/html")
    assert all(request.failure is None and not request.third_party for request in result.requests)


async def test_a_desktop_loads_the_picture_for_its_own_width() -> None:
    async with Site({"/": page('<img srcset="/s.png 400w, /m.png 800w, /l.png 1600w" src="/old.png">')}) as site:
        engine = ProbeEngine(OPEN)
        await measured(engine, Order(site.url, FormFactor.DESKTOP, 1))
    assert [request.path for request in site.requests] == ["/", "/l.png"]
    assert "Mobile" not in site.requests[0].headers["user-agent"]


async def test_relative_addresses_follow_the_base_element() -> None:
    async with Site({"/deep/page": page(head=["<base href='/assets/'><script src=a.js></script>"])}) as site:
        await measure(site.at("/deep/page"))
    assert [request.path for request in site.requests] == ["/deep/page", "/assets/a.js"]


async def test_the_phases_of_every_run_are_told_in_order() -> None:
    async with Site({"/": page()}) as site:
        steps = [step async for step in ProbeEngine(OPEN).measure(order(site.url, runs=2))]
    told = [(step.phase, step.run) if isinstance(step, Reached) else step.run for step in steps]
    assert told == [(phase, 0) for phase in (Phase.LOADING, Phase.RESOURCES, Phase.ANALYSING)] + [0] + [
        (phase, 1) for phase in (Phase.LOADING, Phase.RESOURCES, Phase.ANALYSING)
    ] + [1]
    assert ProbeEngine.name is EngineName.PROBE


async def test_the_elements_of_the_page_are_counted() -> None:
    async with Site({"/": page("<p>a<p>b<ul><li>c</ul>")}) as site:
        result = await measure(site.url)
    assert result.metrics[MetricName.DOM_SIZE] == len(["html", "head", "title", "body", "p", "p", "ul", "li"])


async def test_times_add_up_and_tls_is_absent_without_tls() -> None:
    async with Site({"/": Answer(b"<p>", delay=0.1), "/slow.js": Answer(b"", SCRIPT, delay=0.2)}) as site:
        metrics = (await measure(site.url)).metrics
    assert 100 <= metrics[MetricName.TTFB] < 1000
    assert metrics[MetricName.PAGE_LOAD] == pytest.approx(metrics[MetricName.TTFB] + metrics[MetricName.DOWNLOAD])
    assert metrics[MetricName.DNS] + metrics[MetricName.CONNECT] < metrics[MetricName.TTFB]
    assert metrics[MetricName.REDIRECT] == metrics[MetricName.REDIRECT_COUNT] == 0
    assert MetricName.TLS not in metrics
    assert MetricName.CERTIFICATE_DAYS not in metrics
    assert MetricName.LCP not in metrics


async def test_a_slow_follower_does_not_make_the_page_slow() -> None:
    async with Site({"/": page("<script src=/a.js></script>"), "/a.js": Answer(b"", SCRIPT)}) as site:
        async for step in ProbeEngine(OPEN).measure(order(site.url)):
            await asyncio.sleep(0.3)
            if isinstance(step, Measured):
                assert step.result.metrics[MetricName.PAGE_LOAD] < 300


async def test_nothing_is_imported_while_the_first_run_of_a_process_is_timed() -> None:
    script = """
import asyncio, sys
from tests.infra.engines.test_probe import OPEN, Answer, Measured, ProbeEngine, Site, order
async def main():
    async with Site({"/": Answer(b"<p>")}) as site:
        steps = ProbeEngine(OPEN).measure(order(site.url))
        await anext(steps)
        before = set(sys.modules)
        await anext(steps)
        print(*sorted(set(sys.modules) - before))
asyncio.run(main())
"""
    command = (sys.executable, "-W", "error", "-c", script)
    child = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=Path(__file__).parents[3])
    output, _ = await child.communicate()
    assert child.returncode == 0
    assert set(output.decode().split()) <= {"concurrent.futures.thread"}


async def test_sub_resources_are_loaded_six_at_a_time() -> None:
    at_once, most = 0, 0

    async def write(_: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        writer.write(Answer(b"", SCRIPT).head())
        await writer.drain()

    routes = {f"/{number}.js": Raw(write) for number in range(14)}
    async with Site({"/": page(*(f"<script src={path}></script>" for path in routes)), **routes}) as site:
        await measure(site.url)
    assert most == 6
    assert len(site.requests) == 15


async def test_every_run_is_measured_on_fresh_connections_so_that_runs_spread() -> None:
    delays = iter([0.05, 0.25, 0.15])
    async with Site({"/": lambda _: Answer(b"<p>", delay=next(delays))}) as site:
        results = await measured(ProbeEngine(OPEN), order(site.url, runs=3))
    assert site.opened == 3
    ttfbs = [result.metrics[MetricName.TTFB] for result in results]
    assert ttfbs[0] < ttfbs[2] < ttfbs[1]
    assert ttfbs[1] - ttfbs[0] > 100


async def test_a_compressed_page_counts_its_compressed_bytes_and_its_decoded_ones() -> None:
    html = b"<p>" + b"again and again " * 1000
    answer = gzipped(html, "text/html", ("vary", "Accept-Encoding"))
    async with Site({"/": answer}) as site:
        result = await measure(site.url)
    assert site.requests[0].headers["accept-encoding"] == "gzip, deflate"
    assert result.metrics[MetricName.TRANSFER_BYTES] == answer.wire_bytes < 1000
    assert result.metrics[MetricName.DECODED_BYTES] == len(html)
    assert not {"compression-missing", "compression-vary-missing"} & rules(result)


async def test_what_compression_would_save_is_found_by_compressing() -> None:
    html = b"<p>" + b"again and again " * 1000
    async with Site({"/": Answer(html)}) as site:
        result = await measure(site.url)
    [finding] = [finding for finding in result.findings if finding.rule == "compression-missing"]
    assert finding.saving_bytes == len(html) - len(gzip.compress(html, 6))


async def test_chunked_bodies_are_read_to_their_end() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n"
    async with Site({"/": raw(head, b"3\r\n<p>\r\n", b"5\r\nhello\r\n0\r\n\r\n", pause=0.02)}) as site:
        result = await measure(site.url)
    assert result.metrics[MetricName.DECODED_BYTES] == len("<p>hello")


async def test_a_document_that_is_not_html_is_measured_without_sub_resources() -> None:
    async with Site({"/": Answer(b"%PDF <img src=/a.png>", "application/pdf")}) as site:
        result = await measure(site.url)
    assert result.metrics[MetricName.REQUEST_COUNT] == 1
    assert MetricName.DOM_SIZE not in result.metrics
    assert result.warnings == ("The document is not HTML: it has no sub-resources that could be measured.",)


async def test_a_coding_that_was_not_asked_for_leaves_the_decoded_size_unknown() -> None:
    answer = Answer(b"\x8b\x01\x80", headers=[("content-encoding", "br")])
    async with Site({"/": answer}) as site:
        result = await measure(site.url)
    assert MetricName.DECODED_BYTES not in result.metrics
    assert result.metrics[MetricName.TRANSFER_BYTES] == answer.wire_bytes
    assert "not asked for" in result.warnings[0]


async def test_an_empty_page_and_one_of_random_bytes_are_pages_too() -> None:
    async with Site({"/empty": Answer(b""), "/noise": Answer(bytes(range(256)) * 50)}) as site:
        assert (await measure(site.at("/empty"))).metrics[MetricName.DECODED_BYTES] == 0
        assert (await measure(site.at("/noise"))).metrics[MetricName.DECODED_BYTES] == 12_800


async def test_a_throttled_order_is_measured_unthrottled_and_says_so() -> None:
    async with Site({"/": page()}) as site:
        result = await measure(site.url, throttling=Throttling(ThrottlingMethod.SIMULATE, 150, 1600, 4))
    assert result.warnings == ("The probe does not throttle: it measures the network as it is.",)


async def test_the_report_is_json_and_has_every_request() -> None:
    answers = {"/": page("<script src=/a.js></script>"), "/a.js": Answer(b"", SCRIPT, headers=[("x-odd", "caf\xe9")])}
    async with Site(answers) as site:
        result = await measure(site.url)
    report = orjson.loads(orjson.dumps(result.report))
    assert [request["url"] for request in report["requests"]] == [site.url, site.at("/a.js")]
    assert ["x-odd", "café"] in report["requests"][1]["headers"]
    assert report["requests"][0]["connection"]["address"] == "127.0.0.1"
