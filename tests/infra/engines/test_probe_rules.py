"""The probe's rules: each hits what it is about, says so exactly, and is silent about a page without fault."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from domain.measuring import Evidence, FindingSeen, MetricName, ResourceType, Severity
from infra.engines.probe.bodies import Oversized, Undecodable, undo
from infra.engines.probe.connection import Connection
from infra.engines.probe.failures import page_failure
from infra.engines.probe.metrics import metrics_of
from infra.engines.probe.observation import Exchange, Observation, Page, Reference, Resource, site_of
from infra.engines.probe.rules import CATALOGUE, findings_of
from infra.engines.probe.rules.caching import lifetime
from infra.engines.probe.text import shown

SITE = "https://www.example.com/"
DAY = 86_400.0
GOOD_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-encoding": "gzip",
    "vary": "Accept-Encoding",
    "cache-control": "no-cache",
    "strict-transport-security": "max-age=31536000",
    "content-security-policy": "default-src 'self'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "server": "nginx",
}
GOOD_PAGE = Page(elements=100, title="T", description="D", lang="en", viewport="width=device-width", charset="utf-8")
STATIC_HEADERS = {"cache-control": "public, max-age=31536000, immutable", "etag": '"1"'}


def document(headers: dict[str, str] | list[tuple[str, str]] | None = None, **more: Any) -> Exchange:
    given = {
        "status": 200,
        "protocol": "h2",
        "header_bytes": 500,
        "body_bytes": 5_000,
        "decoded_bytes": 20_000,
        "first_byte_ms": 100.0,
        "end_ms": 150.0,
        "connection": Connection("192.0.2.1", 1, 2, 3, "TLSv1.3", certificate_expires=60 * DAY),
        **more,
    }
    sent = GOOD_HEADERS if headers is None else headers
    return Exchange(given.pop("url", SITE), given.pop("start_ms", 0.0), headers=httpx.Headers(sent), **given)


def resource(
    url: str = f"{SITE}a.js",
    kind: ResourceType = ResourceType.SCRIPT,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Resource:
    given = {"status": 200, "header_bytes": 100, "body_bytes": 1_000, "decoded_bytes": 1_000, "end_ms": 200.0, **more}
    sent = httpx.Headers(STATIC_HEADERS if headers is None else headers)
    return Resource(Reference(url, kind), (Exchange(url, 150.0, headers=sent, **given),))


def seen(*resources: Resource, page: Page | None = GOOD_PAGE, hops: tuple[Exchange, ...] = (), **more: Any) -> Observation:
    return Observation(hops, document(**more), page, resources, now=0.0)


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in GOOD_HEADERS.items() if key != name}


def found(observation: Observation) -> dict[str, FindingSeen]:
    return {finding.rule: finding for finding in findings_of(observation)}


def only(observation: Observation, rule: str) -> FindingSeen:
    """The one finding that a single fault causes."""
    findings = found(observation)
    assert set(findings) == {rule}
    return findings[rule]


def subjects(finding: FindingSeen) -> list[str]:
    return [one.subject for one in finding.evidence]


def test_a_page_without_fault_has_no_findings() -> None:
    image = resource(f"{SITE}a.avif", ResourceType.IMAGE, {**STATIC_HEADERS, "content-type": "image/avif"})
    assert findings_of(seen(resource(), image)) == ()


def test_the_catalogue_has_distinct_rules_that_say_what_is_wrong_what_to_do_and_where_to_read_on() -> None:
    ids = [rule.id for rule in CATALOGUE]
    assert len(ids) == len(set(ids)) >= 20
    for rule in CATALOGUE:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
        assert rule.title.endswith(".")
        assert rule.title[0].isupper()
        assert rule.advice.endswith(".")
        assert rule.link.startswith("https://")
        assert rule.category in {"delivery", "caching", "security", "html", "third-party"}


def test_findings_come_the_gravest_first() -> None:
    observation = seen(headers={"content-type": "text/html"}, page=Page(), url="http://example.com/", connection=None)
    severities = [finding.severity for finding in findings_of(observation)]
    order = [Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO]
    assert severities == sorted(severities, key=order.index)
    assert set(severities) == set(order)


def test_evidence_is_bounded_in_number_and_length_and_free_of_control_characters() -> None:
    scripts = tuple(f"{SITE}{number}\x1b[31m{'x' * 5000}" for number in range(100))
    finding = only(seen(page=replace(GOOD_PAGE, blocking_scripts=scripts)), "render-blocking-script")
    assert len(finding.evidence) == 20
    assert all(len(subject) == 300 and "\x1b" not in subject for subject in subjects(finding))


# One fault, one finding.

HEADER_FAULTS = [
    ("cache-control", "cache-control-missing", "https://www.example.com/"),
    ("strict-transport-security", "hsts-missing", "Strict-Transport-Security"),
    ("x-content-type-options", "content-type-options-missing", "X-Content-Type-Options"),
    ("referrer-policy", "referrer-policy-missing", "Referrer-Policy"),
    ("vary", "compression-vary-missing", "https://www.example.com/"),
]


@pytest.mark.parametrize(("header", "rule", "subject"), HEADER_FAULTS)
def test_each_missing_header_is_found_and_named(header: str, rule: str, subject: str) -> None:
    assert subjects(only(seen(headers=without(header)), rule)) == [subject]


def test_without_a_content_security_policy_frames_are_open_too_unless_x_frame_options_is_sent() -> None:
    bare = without("content-security-policy")
    assert set(found(seen(headers=bare))) == {"csp-missing", "frame-protection-missing"}
    assert set(found(seen(headers={**bare, "x-frame-options": "DENY"}))) == {"csp-missing"}


@pytest.mark.parametrize(
    ("field", "rule", "severity"),
    [
        ("title", "title-missing", Severity.MEDIUM),
        ("description", "description-missing", Severity.INFO),
        ("lang", "lang-missing", Severity.LOW),
        ("viewport", "viewport-missing", Severity.HIGH),
    ],
)
def test_each_thing_that_the_html_leaves_unsaid_is_found(field: str, rule: str, severity: Severity) -> None:
    unsaid: dict[str, Any] = {field: None}
    assert only(seen(page=replace(GOOD_PAGE, **unsaid)), rule).severity is severity


def test_a_charset_may_stand_in_the_html_or_in_the_header() -> None:
    silent = replace(GOOD_PAGE, charset=None)
    assert found(seen(page=silent)) == {}
    only(seen(page=silent, headers={**GOOD_HEADERS, "content-type": "text/html"}), "charset-missing")


def test_a_page_without_encryption_is_graver_than_all_that_only_encrypted_pages_can_miss() -> None:
    plain = seen(url="http://www.example.com/", connection=None, headers=without("strict-transport-security"))
    assert only(plain, "https-missing").severity is Severity.HIGH


def test_a_redirect_costs_its_time_and_two_are_graver_than_one() -> None:
    hop = Exchange("http://example.com/", 0.0, status=301, headers=httpx.Headers({"location": SITE}), end_ms=80.0)
    one = only(seen(hops=(hop,), start_ms=80.0), "redirect-chain")
    assert (one.severity, one.saving_ms) == (Severity.LOW, 80.0)
    assert one.evidence == (Evidence("http://example.com/", "301 to https://www.example.com/"),)
    assert only(seen(hops=(hop, hop), start_ms=80.0), "redirect-chain").severity is Severity.MEDIUM


@pytest.mark.parametrize(("ttfb", "severity"), [(801.0, Severity.MEDIUM), (1801.0, Severity.HIGH)])
def test_a_slow_server_could_save_what_it_takes_over_800_ms(ttfb: float, severity: Severity) -> None:
    finding = only(seen(first_byte_ms=ttfb), "ttfb-slow")
    assert (finding.severity, finding.saving_ms) == (severity, ttfb - 800)
    assert found(seen(first_byte_ms=800.0)) == {}


def test_html_without_compression_could_save_what_gzip_saved_unless_it_is_next_to_nothing() -> None:
    plain = {key: value for key, value in GOOD_HEADERS.items() if key not in ("content-encoding", "vary")}
    finding = only(seen(headers=plain, body_bytes=20_000, gzip_bytes=4_000), "compression-missing")
    assert finding.saving_bytes == 16_000
    assert finding.evidence == (Evidence(SITE, "20.0 kB, 16.0 kB less with gzip"),)
    assert found(seen(headers=plain, body_bytes=20_000, gzip_bytes=18_500)) == {}


def test_resources_without_compression_are_named_the_most_wasteful_first() -> None:
    small = resource(f"{SITE}small.js", body_bytes=2_000, gzip_bytes=1_000)
    large = resource(f"{SITE}large.css", ResourceType.STYLESHEET, body_bytes=9_000, gzip_bytes=2_000)
    finding = only(seen(small, large), "resource-compression-missing")
    assert subjects(finding) == [f"{SITE}large.css", f"{SITE}small.js"]
    assert finding.saving_bytes == 8_000


def test_http_1_is_found_only_where_http_2_could_be_spoken() -> None:
    assert only(seen(protocol="http/1.1"), "http-1-only").evidence == (Evidence("www.example.com", "http/1.1"),)
    plain = seen(protocol="http/1.1", url="http://www.example.com/", connection=None)
    assert "http-1-only" not in found(plain)


def test_large_headers_and_large_cookies_are_found_without_the_cookies_values() -> None:
    assert subjects(only(seen(header_bytes=4_001), "headers-large")) == [SITE]
    cookie = ("set-cookie", f"id={'v' * 1_000}; Secure; HttpOnly; SameSite=Lax")
    finding = only(seen(headers=[*GOOD_HEADERS.items(), cookie]), "cookies-large")
    assert (finding.evidence, finding.saving_bytes) == ((Evidence("id", "1.0 kB"),), 1_003)


def test_a_heavy_page_names_its_heaviest_requests() -> None:
    heavy = resource(f"{SITE}v.mp4", ResourceType.MEDIA, body_bytes=2_600_000)
    assert subjects(only(seen(resource(), heavy), "page-heavy"))[0] == f"{SITE}v.mp4"


def test_what_cannot_be_loaded_is_found_with_its_reason() -> None:
    refused = resource(f"{SITE}b.js", status=None, failure=page_failure("ADDRESS_REFUSED", "It may not be measured."))
    finding = only(seen(resource(status=404), refused), "resource-failed")
    assert finding.evidence == (
        Evidence(f"{SITE}a.js", "It answered 404."),
        Evidence(f"{SITE}b.js", "It may not be measured."),
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": 'PUBLIC,MAX-AGE="60"'}, 60),
        ({"cache-control": "s-maxage=9, max-age = 60"}, 60),
        ({"cache-control": "s-maxage=9"}, None),
        ({"cache-control": "max-age=60, no-store"}, 0),
        ({"cache-control": "no-cache"}, 0),
        ({"cache-control": "max-age=x"}, None),
        ({}, None),
        ({"expires": "0", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}, 0),
        ({"expires": "Thu, 01 Jan 2026 01:00:00 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}, 3600),
        ({"expires": "Thu, 01 Jan 2026 01:00:00 GMT"}, None),
        ({"cache-control": "max-age=5", "expires": "Thu, 01 Jan 2026 01:00:00 GMT"}, 5),
    ],
)
def test_a_cache_lifetime_is_read_as_browsers_read_it(headers: dict[str, str], seconds: float | None) -> None:
    assert lifetime(Exchange(SITE, 0.0, headers=httpx.Headers(headers))) == seconds


def test_static_resources_that_are_kept_shortly_cost_their_bytes_again() -> None:
    short = resource(headers={"cache-control": "max-age=604799", "etag": "1"})
    unsaid = resource(f"{SITE}b.png", ResourceType.IMAGE, {"etag": "1"}, body_bytes=5_000)
    week = resource(f"{SITE}c.js", headers={"cache-control": "max-age=604800", "etag": "1"})
    finding = only(seen(short, unsaid, week), "cache-lifetime-short")
    assert finding.evidence == (
        Evidence(f"{SITE}b.png", "no lifetime given"),
        Evidence(f"{SITE}a.js", "kept for 604,799 s"),
    )
    assert finding.saving_bytes == 5_100 + 1_100


def test_a_static_resource_needs_one_validator() -> None:
    control = {"cache-control": STATIC_HEADERS["cache-control"]}
    assert subjects(only(seen(resource(headers=control)), "validator-missing")) == [f"{SITE}a.js"]
    assert found(seen(resource(headers={**control, "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}))) == {}


def test_mixed_content_is_found_in_sub_resources_and_frames_of_an_encrypted_page() -> None:
    wanted = (Reference("http://a.test/a.js", ResourceType.SCRIPT), Reference(f"{SITE}b.js", ResourceType.SCRIPT))
    page = replace(GOOD_PAGE, references=wanted, frames=("http://b.test/",))
    assert subjects(only(seen(page=page), "mixed-content")) == ["http://a.test/a.js", "http://b.test/"]
    assert "mixed-content" not in found(seen(page=page, url="http://www.example.com/"))


@pytest.mark.parametrize(("days", "severity"), [(20.9, Severity.MEDIUM), (6.9, Severity.HIGH)])
def test_a_certificate_is_told_of_before_it_expires(days: float, severity: Severity) -> None:
    connection = Connection("192.0.2.1", 1, 2, 3, "TLSv1.3", certificate_expires=days * DAY)
    finding = only(seen(connection=connection), "certificate-expiring")
    assert (finding.severity, finding.evidence[0].detail) == (severity, f"valid for {days:.0f} more days")


def test_strict_transport_security_must_hold_for_half_a_year() -> None:
    short = {**GOOD_HEADERS, "strict-transport-security": "max-age=300"}
    assert only(seen(headers=short), "hsts-missing").evidence[0].detail == "max-age=300"


def test_a_servers_version_is_found_and_its_name_alone_is_not() -> None:
    told = {**GOOD_HEADERS, "server": "nginx/1.18.0", "x-powered-by": "PHP/7.4.3"}
    finding = only(seen(headers=told), "server-version-disclosed")
    assert finding.evidence == (Evidence("server", "nginx/1.18.0"), Evidence("x-powered-by", "PHP/7.4.3"))


def test_a_cookie_is_named_with_the_attributes_that_it_lacks_and_never_with_its_value() -> None:
    cookies = [("set-cookie", "a=hidden; secure; httponly; samesite=lax"), ("set-cookie", "b=hidden; HttpOnly")]
    finding = only(seen(headers=[*GOOD_HEADERS.items(), *cookies]), "cookie-unprotected")
    assert finding.evidence == (Evidence("b", "without Secure, SameSite"),)


def test_four_blocking_stylesheets_are_many_and_three_are_not() -> None:
    sheets = tuple(f"{SITE}{number}.css" for number in range(4))
    assert subjects(only(seen(page=replace(GOOD_PAGE, blocking_stylesheets=sheets)), "render-blocking-stylesheets")) == [
        *sheets
    ]
    assert found(seen(page=replace(GOOD_PAGE, blocking_stylesheets=sheets[:3]))) == {}


@pytest.mark.parametrize(("elements", "severity"), [(1_401, Severity.MEDIUM), (5_001, Severity.HIGH)])
def test_a_large_dom_is_found(elements: int, severity: Severity) -> None:
    assert only(seen(page=replace(GOOD_PAGE, elements=elements)), "dom-large").severity is severity
    assert found(seen(page=replace(GOOD_PAGE, elements=1_400))) == {}


def test_large_html_is_found() -> None:
    assert only(seen(decoded_bytes=500_001), "html-large").evidence == (Evidence(SITE, "500.0 kB decoded"),)


def test_images_are_found_for_their_size_their_format_and_what_their_elements_lack() -> None:
    png = {**STATIC_HEADERS, "content-type": "image/png"}
    large = resource(f"{SITE}a.png", ResourceType.IMAGE, png, body_bytes=200_001)
    findings = found(seen(large, page=replace(GOOD_PAGE, images=10, unsized_images=(f"{SITE}a.png",))))
    assert set(findings) == {"image-large", "image-format-old", "image-lazy-missing", "image-size-missing"}
    assert findings["image-format-old"].evidence == (Evidence(f"{SITE}a.png", "image/png, 200.0 kB"),)
    assert found(seen(page=replace(GOOD_PAGE, images=10, lazy_images=1))) == {}


def test_a_meta_refresh_is_found() -> None:
    page = replace(GOOD_PAGE, refreshes_to="0; url=/next")
    assert only(seen(page=page), "meta-refresh").evidence[0].detail == "0; url=/next"


def test_many_and_heavy_third_parties_are_found() -> None:
    foreign = [resource(f"https://t{number}.other{number}.test/a.js") for number in range(5)]
    assert len(only(seen(*foreign), "third-party-many").evidence) == 5
    assert found(seen(*foreign[:4])) == {}
    heavy = resource("https://cdn.other.test/a.js", body_bytes=600_000)
    finding = only(seen(heavy), "third-party-heavy")
    assert (subjects(finding), finding.saving_bytes) == (["cdn.other.test"], 600_100)


def test_a_blocking_script_of_a_third_party_is_a_single_point_of_failure() -> None:
    scripts = (f"{SITE}own.js", "https://cdn.other.test/a.js")
    findings = found(seen(page=replace(GOOD_PAGE, blocking_scripts=scripts)))
    assert set(findings) == {"render-blocking-script", "third-party-blocking"}
    assert subjects(findings["third-party-blocking"]) == ["https://cdn.other.test/a.js"]


def test_rules_of_html_are_silent_about_what_is_not_html() -> None:
    findings = found(seen(page=None, headers={**GOOD_HEADERS, "content-type": "application/pdf"}))
    assert findings == {}


# What rules and metrics rest on.


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("example.com", "cdn.example.com", True),
        ("www.example.com", "example.com.", True),
        ("a.example.co.uk", "b.example.co.uk", True),
        ("example.co.uk", "other.co.uk", False),
        ("example.com", "example.org", False),
        ("localhost", "localhost", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("::1", "::2", False),
    ],
)
def test_hosts_belong_together_by_their_last_labels(one: str, other: str, together: bool) -> None:
    assert (site_of(one) == site_of(other)) is together


def test_third_parties_are_counted_with_their_bytes() -> None:
    metrics = metrics_of(seen(resource(), resource("https://cdn.other.test/a.js", body_bytes=7_000)))
    assert metrics[MetricName.THIRD_PARTY_COUNT] == 1
    assert metrics[MetricName.THIRD_PARTY_BYTES] == 7_100
    assert metrics[MetricName.PAGE_LOAD] == 200
    assert metrics[MetricName.CERTIFICATE_DAYS] == 60


def test_what_was_not_measured_is_absent_and_not_zero() -> None:
    metrics = metrics_of(seen(page=None, connection=None, decoded_bytes=None))
    assert not {
        MetricName.DNS,
        MetricName.TLS,
        MetricName.DECODED_BYTES,
        MetricName.SCRIPT_BYTES,
        MetricName.DOM_SIZE,
        MetricName.THIRD_PARTY_COUNT,
        MetricName.CERTIFICATE_DAYS,
        MetricName.FCP,
    } & set(metrics)


DEFLATED = bytes.fromhex("789c4b4c4a0600024d0127")  # zlib.compress(b"abc")


@pytest.mark.parametrize(
    ("body", "coding", "decoded"),
    [
        (b"abc", "", b"abc"),
        (b"abc", "identity", b"abc"),
        (DEFLATED, "deflate", b"abc"),
        (DEFLATED[2:-4], "deflate", b"abc"),
        (b"", "gzip", b""),
    ],
)
def test_content_codings_are_undone(body: bytes, coding: str, decoded: bytes) -> None:
    assert undo(body, coding, 3) == decoded


def test_a_body_that_is_not_what_its_coding_says_or_too_large_is_told_apart() -> None:
    with pytest.raises(Oversized):
        undo(b"abcd", "", 3)
    with pytest.raises(Oversized):
        undo(DEFLATED, "deflate", 2)
    for body, coding in ((b"plain", "gzip"), (b"abc", "br"), (DEFLATED, "deflate, gzip")):
        with pytest.raises(Undecodable) as caught:
            undo(body, coding, 1000)
        assert not isinstance(caught.value, Oversized)


def test_text_of_a_page_is_shown_on_one_line_and_not_for_ever() -> None:
    assert shown("a\r\nb\x1b[0m\u202ec") == "a b [0m c"
    assert shown("x" * 1000, 10) == "xxxxxxxxx…"
