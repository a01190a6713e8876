"""The probe over TLS and HTTP/2, along redirects, and to which addresses it talks."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from domain.measuring import (
    EngineFailure,
    FailureKind,
    Measured,
    MetricName,
    Phase,
    Reached,
)
from infra.engines.guard import Guard
from infra.engines.probe import Limits, ProbeEngine
from tests.infra.engines.hostile import (
    Answer,
    Request,
    Route,
    Site,
    endless,
    hung,
    raw,
    redirect,
    server_context,
    tls_contexts,
)

from .probing import SCRIPT, failure, measure, order, page, rules, speaking

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
