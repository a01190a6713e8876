"""The probe against real servers on this machine, good and hostile."""

from __future__ import annotations

import asyncio
import gc
import gzip
import ssl
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from domain.measuring import (
    Access,
    EngineFailure,
    EngineName,
    FailureKind,
    FormFactor,
    Measured,
    MetricName,
    Order,
    Phase,
    Reached,
    RequestSeen,
    ResourceType,
    RunResult,
    Throttling,
    ThrottlingMethod,
)
from infra.engines.guard import Guard
from infra.engines.probe import Limits, ProbeEngine
from tests.infra.engines.hostile import (
    Answer,
    Raw,
    Request,
    Route,
    Site,
    endless,
    gzipped,
    hung,
    raw,
    redirect,
    server_context,
    tls_contexts,
)

OPEN = Guard(allow_private=True)
DEFAULT_CONTEXT = ssl.create_default_context()
SCRIPT, STYLE, PNG = "text/javascript", "text/css", "image/png"


def order(url: str, runs: int = 1, **more: Any) -> Order:
    return Order(url, FormFactor.MOBILE, runs, **more)


async def measured(engine: ProbeEngine, wanted: Order) -> list[RunResult]:
    return [step.result async for step in engine.measure(wanted) if isinstance(step, Measured)]


async def measure(url: str, *, guard: Guard = OPEN, context: ssl.SSLContext | None = None, **more: Any) -> RunResult:
    limits = more.pop("limits", None)
    return (await measured(ProbeEngine(guard, limits=limits, ssl_context=context or DEFAULT_CONTEXT), order(url, **more)))[0]


async def failure(url: str, **more: Any) -> EngineFailure:
    with pytest.raises(EngineFailure) as caught:
        await measure(url, **more)
    return caught.value


def page(*elements: str, head: Sequence[str] = ()) -> Answer:
    return Answer(
        f"<!doctype html><html lang=en><head><title>T</title>{''.join(head)}</head>{''.join(elements)}</html>".encode()
    )


def by_path(site: Site, result: RunResult) -> dict[str, RequestSeen]:
    return {request.url.removeprefix(site.at("")): request for request in result.requests}


def rules(result: RunResult) -> set[str]:
    return {finding.rule for finding in result.findings}


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


# TLS and HTTP/2.


async def test_a_page_over_tls_has_the_time_of_its_handshake_and_the_days_of_its_certificate() -> None:
    server, client = tls_contexts("localhost", days=30)
    async with Site({"/": page()}, tls=server, name="localhost") as site:
        result = await measure(site.url, context=client)
    assert result.metrics[MetricName.TLS] > 0
    assert result.metrics[MetricName.CERTIFICATE_DAYS] == pytest.approx(30, abs=0.01)
    assert result.requests[0].protocol == "http/1.1"
    assert "http-1-only" in rules(result)
    assert "https-missing" not in rules(result)


async def test_http_2_is_spoken_where_the_server_offers_it_over_one_connection() -> None:
    server, client = tls_contexts("localhost", h2=True)
    answers = {f"/{number}.js": Answer(b"x" * 20_000, SCRIPT) for number in range(8)}
    document = page(*(f"<script src={path}></script>" for path in answers))
    async with Site({"/": document, **answers}, tls=server, name="localhost") as site:
        result = await measure(site.url, context=client)
    assert {request.protocol for request in result.requests} == {"h2"}
    assert [request.failure for request in result.requests] == [None] * 9
    assert site.opened == 1
    assert "http-1-only" not in rules(result)
    assert result.metrics[MetricName.SCRIPT_BYTES] == sum(answer.wire_bytes for answer in answers.values())


async def test_a_status_that_is_no_number_is_a_protocol_error_over_http_2_too() -> None:
    server, client = tls_contexts("localhost", h2=True)
    async with Site({"/": Answer(headers=[(":status", "nonsense")])}, tls=server, name="localhost") as site:
        assert (await failure(site.url, context=client)).code == "PROTOCOL_ERROR"


async def test_control_characters_that_http_2_lets_through_are_not_shown() -> None:
    server, client = tls_contexts("localhost", h2=True)
    answer = Answer(b"<p>", "text/html; charset=\x00", headers=[("x-split", "a\r\nset-x: b"), ("server", "x\x1b1.2")])
    async with Site({"/": answer}, tls=server, name="localhost") as site:
        result = await measure(site.url, context=client)
    assert result.report is not None
    assert ["x-split", "a set-x: b"] in result.report["requests"][0]["headers"]
    [finding] = [finding for finding in result.findings if finding.rule == "server-version-disclosed"]
    assert finding.evidence[0].detail == "x 1.2"
    assert result.requests[0].mime_type == "text/html"


async def test_an_expired_certificate_is_named_so() -> None:
    authority, client = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(client)
    async with Site({}, tls=server_context(authority, "localhost", days=-1), name="localhost") as site:
        told = await failure(site.url, context=client)
    assert (told.kind, told.code, told.retryable) == (FailureKind.PAGE, "TLS_FAILURE", False)
    assert told.message == "The certificate of localhost has expired."


async def test_a_certificate_for_another_host_is_named_so() -> None:
    server, client = tls_contexts("other.example")
    async with Site({}, tls=server, name="localhost") as site:
        told = await failure(site.url, context=client)
    assert (told.code, told.message) == ("TLS_FAILURE", "The certificate of localhost is for another host.")


async def test_a_certificate_of_an_unknown_authority_is_named_so() -> None:
    server, _ = tls_contexts("localhost")
    async with Site({}, tls=server, name="localhost") as site:
        told = await failure(site.url)
    assert told.code == "TLS_FAILURE"
    assert told.message.startswith("The certificate of localhost is signed by an authority that is not trusted")


@asynccontextmanager
async def speaking(words: bytes | None) -> AsyncIterator[str]:
    """The https URL of a server that answers any bytes with these words and hangs up; None: it just stays silent."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(10_000):
            if words is not None:
                writer.write(words)
                break
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS_FAILURE", "No secure connection could be agreed on with 127.0.0.1."),
        (b"", "TLS_FAILURE", "The server ended the connection during the TLS handshake."),
        (None, "TIMEOUT", "127.0.0.1 did not answer in time."),
    ],
)
async def test_a_handshake_that_fails_is_told_from_one_that_is_never_answered(
    words: bytes | None, code: str, message: str
) -> None:
    async with speaking(words) as url:
        told = await failure(url, limits=Limits(connect_seconds=0.3))
    assert (told.code, told.message) == (code, message)


@pytest.mark.parametrize(
    ("route", "code"),
    [(hung(), "TIMEOUT"), (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n<p>", pause=0.02), "CONNECTION_RESET")],
)
async def test_what_fails_after_the_handshake_is_no_failure_of_tls(route: Route, code: str) -> None:
    server, client = tls_contexts("localhost")
    async with Site({"/": route}, tls=server, name="localhost") as site:
        assert (await failure(site.url, context=client, limits=Limits(silence_seconds=0.3))).code == code


async def test_a_self_signed_certificate_is_named_so() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(pem).tempfile() as path:
        server.load_cert_chain(path)
    async with Site({}, tls=server, name="localhost") as site:
        told = await failure(site.url)
    assert (told.code, told.message) == ("TLS_FAILURE", "The certificate of localhost is self-signed.")


# Redirects.


async def test_redirects_are_followed_counted_and_timed() -> None:
    slow = Answer(status=301, headers=[("location", "/b")], delay=0.1)
    async with Site({"/": slow, "/b": redirect("c?d=e#f"), "/c": page()}) as site:
        result = await measure(site.url)
    assert result.final_url == site.at("/c?d=e")
    assert [request.status for request in result.requests] == [301, 302, 200]
    assert result.metrics[MetricName.REDIRECT_COUNT] == 2
    assert 100 < result.metrics[MetricName.REDIRECT] < result.metrics[MetricName.TTFB]
    assert site.opened == 1
    [chain] = [finding for finding in result.findings if finding.rule == "redirect-chain"]
    assert chain.saving_ms == result.metrics[MetricName.REDIRECT]
    assert [one.subject for one in chain.evidence] == [site.url, site.at("/b")]


async def test_a_redirect_loop_is_a_page_failure() -> None:
    async with Site({"/": redirect("/b"), "/b": redirect("/")}) as site:
        told = await failure(site.url)
    assert (told.kind, told.code) == (FailureKind.PAGE, "REDIRECT_LOOP")
    assert len(site.requests) == 2


async def test_ten_redirects_are_followed_and_not_eleven() -> None:
    routes = {f"/{number}": redirect(f"/{number + 1}") for number in range(11)}
    async with Site({**routes, "/11": page()}) as site:
        assert (await measure(site.at("/1"))).metrics[MetricName.REDIRECT_COUNT] == 10
        assert (await failure(site.at("/0"))).code == "TOO_MANY_REDIRECTS"


async def test_a_page_that_sets_a_cookie_and_redirects_to_itself_is_no_loop() -> None:
    def visit(request: Request) -> Answer:
        if request.headers.get("cookie") == "seen=1":
            return page()
        return redirect("/", 302, ("set-cookie", "seen=1; Path=/; HttpOnly"))

    async with Site({"/": visit}) as site:
        assert (await measure(site.url)).metrics[MetricName.REDIRECT_COUNT] == 1


@pytest.mark.parametrize(
    "to", ["ftp://example.com/", "file:///etc/passwd", "http://user:pass@127.0.0.1/", "data:,x", "http://[::1"]
)
async def test_a_redirect_to_what_may_not_be_fetched_is_a_page_failure(to: str) -> None:
    async with Site({"/": redirect(to)}) as site:
        assert (await failure(site.url)).code == "URL_INVALID"


async def test_a_redirect_whose_body_never_ends_is_followed_all_the_same() -> None:
    head = b"HTTP/1.1 302 Found\r\nlocation: /b\r\n\r\n"
    async with Site({"/": endless(b"x" * 10_000, head=head), "/b": page()}) as site:
        assert (await measure(site.url)).final_url == site.at("/b")


# Which addresses may be talked to.


class OnlyTwo(Guard):
    """Declares 127.0.0.2 the public internet, and every other address private."""

    def __init__(self, **names: str) -> None:
        super().__init__(allow_private=False)
        self.names = {f"{name}.test": address for name, address in names.items()}
        self.lookups: list[str] = []

    def permits(self, address: IPv4Address | IPv6Address) -> bool:
        return str(address) == "127.0.0.2"

    async def resolve(self, host: str, port: int) -> list[str]:
        self.lookups.append(host)
        return [self.names[host]] if host in self.names else await super().resolve(host, port)


async def test_a_private_address_is_refused_before_anything_is_sent() -> None:
    async with Site({"/": page()}) as site:
        told = await failure(site.url, guard=Guard(allow_private=False))
    assert (told.kind, told.code) == (FailureKind.PAGE, "ADDRESS_REFUSED")
    assert site.opened == 0


async def test_a_redirect_to_a_private_address_is_refused_on_its_hop() -> None:
    async with Site({"/": page()}) as private, Site({"/": redirect(private.url)}, host="127.0.0.2") as public:
        told = await failure(public.url, guard=OnlyTwo())
    assert told.code == "ADDRESS_REFUSED"
    assert (public.opened, private.opened) == (1, 0)


async def test_a_name_is_resolved_once_in_a_run_and_its_address_is_pinned() -> None:
    class Rebinding(OnlyTwo):
        async def resolve(self, host: str, port: int) -> list[str]:
            self.lookups.append(host)
            return ["127.0.0.2"] if len(self.lookups) == 1 else ["127.0.0.1"]

    guard = Rebinding()
    document = page(*(f"<script src=/{number}.js></script>" for number in range(8)))
    async with Site({"/": document}, host="127.0.0.2", name="rebinding.test") as site:
        engine = ProbeEngine(guard)
        steps = engine.measure(order(site.url, runs=2))
        first = [await anext(steps) for _ in range(4)][-1]
        assert await anext(steps) == Reached(Phase.LOADING, 1)
        with pytest.raises(EngineFailure) as caught:
            await anext(steps)
    assert isinstance(first, Measured)
    assert first.result.metrics[MetricName.REQUEST_COUNT] == 9
    assert site.requests[0].headers["host"] == f"rebinding.test:{site.port}"
    assert guard.lookups == ["rebinding.test", "rebinding.test"]
    assert caught.value.code == "ADDRESS_REFUSED"


async def test_a_sub_resource_on_a_private_address_is_refused_and_the_rest_is_measured() -> None:
    async with Site({"/a.js": Answer(b"", SCRIPT)}) as private:
        document = page(f"<script src={private.at('/a.js')}></script><script src=/b.js></script>")
        routes = {"/": document, "/b.js": Answer(b"", SCRIPT)}
        async with Site(routes, host="127.0.0.2") as public:
            result = await measure(public.url, guard=OnlyTwo())
    assert private.opened == 0
    refused, loaded = result.requests[1:]
    assert refused.failure == "127.0.0.1 leads to a private or reserved address, which may not be measured here."
    assert (refused.status, refused.transfer_bytes, refused.third_party) == (None, None, True)
    assert (loaded.status, loaded.failure) == (200, None)
    assert result.metrics[MetricName.THIRD_PARTY_COUNT] == 1


async def test_a_sub_resource_that_redirects_to_a_private_address_is_refused() -> None:
    async with Site({"/a.js": Answer(b"", SCRIPT)}) as private:
        routes = {"/": page("<script src=/c.js></script>"), "/c.js": redirect(private.at("/a.js"))}
        async with Site(routes, host="127.0.0.2") as public:
            result = await measure(public.url, guard=OnlyTwo())
    assert private.opened == 0
    assert [request.status for request in result.requests] == [200, 302, None]


async def test_a_sub_resource_that_redirects_to_what_is_no_url_is_a_request_that_failed() -> None:
    async with Site({"/": page("<script src=/a.js></script>"), "/a.js": redirect("http://[::1")}) as site:
        result = await measure(site.url)
    assert [request.failure for request in result.requests] == [None, None, "The address is not a valid URL."]


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
    assert longest < 1


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
