"""Reading Lighthouse results: a real one of 13.5.0 (trimmed), the shapes of older ones, and spoiled ones."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.measuring import (
    EngineFailure,
    Evidence,
    FailureKind,
    ImageKind,
    MetricName,
    ResourceType,
    Score,
    Severity,
    UserTiming,
)
from infra.engines.lhr import parse_object, read_lhr

REAL = (Path(__file__).parent / "fixtures" / "lighthouse-13.5.0.json").read_bytes()


@pytest.fixture
def lhr() -> dict[str, Any]:
    real: dict[str, Any] = json.loads(REAL)
    return real


def test_every_metric_of_the_result_is_read(lhr: dict[str, Any]) -> None:
    assert read_lhr(lhr).metrics == {
        MetricName.PERFORMANCE_SCORE: 0.96,
        MetricName.LCP: 1364.456,
        MetricName.FCP: 1364.456,
        MetricName.TBT: 208,
        MetricName.CLS: 0,
        MetricName.SPEED_INDEX: 1364.456,
        MetricName.TTI: 1679.056,
        MetricName.MAX_POTENTIAL_FID: 334,
        MetricName.TTFB: 457,
        MetricName.REDIRECT: 0,
        MetricName.REDIRECT_COUNT: 0,
        MetricName.REQUEST_COUNT: 4,
        MetricName.TRANSFER_BYTES: 61435,
        MetricName.DECODED_BYTES: 61021,
        MetricName.DOCUMENT_BYTES: 566,
        MetricName.SCRIPT_BYTES: 266,
        MetricName.STYLESHEET_BYTES: 232,
        MetricName.IMAGE_BYTES: 60371,
        MetricName.FONT_BYTES: 0,
        MetricName.MEDIA_BYTES: 0,
        MetricName.OTHER_BYTES: 0,
        MetricName.THIRD_PARTY_BYTES: 0,
        MetricName.THIRD_PARTY_COUNT: 0,
        MetricName.DOM_SIZE: 6,
    }


def test_a_metric_that_was_not_measured_is_absent(lhr: dict[str, Any]) -> None:
    lhr["audits"]["largest-contentful-paint"] = {"score": None, "scoreDisplayMode": "error"}
    lhr["categories"]["performance"]["score"] = None
    del lhr["audits"]["resource-summary"]
    missing = {MetricName.LCP, MetricName.PERFORMANCE_SCORE, MetricName.TRANSFER_BYTES, MetricName.REQUEST_COUNT}
    assert not missing & read_lhr(lhr).metrics.keys()


def test_the_load_event_counts_only_where_the_network_was_really_slow(lhr: dict[str, Any]) -> None:
    assert MetricName.PAGE_LOAD not in read_lhr(lhr).metrics
    lhr["configSettings"]["throttlingMethod"] = "devtools"
    lhr["audits"]["metrics"]["details"]["items"][0]["observedLoad"] = 354
    assert read_lhr(lhr).metrics[MetricName.PAGE_LOAD] == 354


def test_the_server_time_stands_in_where_the_first_byte_is_not_told(lhr: dict[str, Any]) -> None:
    del lhr["audits"]["metrics"]["details"]["items"][0]["timeToFirstByte"]
    lhr["audits"]["server-response-time"]["numericValue"] = 31
    assert read_lhr(lhr).metrics[MetricName.TTFB] == 31


def test_redirects_are_the_hops_before_the_document(lhr: dict[str, Any]) -> None:
    hops = [{"url": "http://shop.example/"}, {"url": "https://shop.example/"}, {"url": "https://shop.example/en"}]
    lhr["audits"]["redirects"] = {"numericValue": 630, "details": {"type": "opportunity", "items": hops}}
    metrics = read_lhr(lhr).metrics
    assert (metrics[MetricName.REDIRECT_COUNT], metrics[MetricName.REDIRECT]) == (2, 630)


def test_every_category_is_a_score_whatever_it_is_called(lhr: dict[str, Any]) -> None:
    lhr["categories"]["carbon"] = {"title": "Carbon", "score": None, "auditRefs": []}
    assert read_lhr(lhr).scores == (
        Score("performance", "Performance", 0.96),
        Score("accessibility", "Accessibility", 0.43),
        Score("best-practices", "Best Practices", 0.88),
        Score("seo", "SEO", 0.82),
        Score("agentic-browsing", "Agentic Browsing", 1.0),
        Score("carbon", "Carbon", None),
    )


def test_marks_have_no_duration_and_measures_have_one(lhr: dict[str, Any]) -> None:
    assert read_lhr(lhr).user_timings == (
        UserTiming("between", 309.071, 0.214),
        UserTiming("first", 309.071, None),
        UserTiming("second", 309.285, None),
    )


def test_requests_come_with_type_times_and_sizes(lhr: dict[str, Any]) -> None:
    document, *others = read_lhr(lhr).requests
    assert (document.url, document.resource_type, document.status) == ("https://shop.example/", ResourceType.DOCUMENT, 200)
    assert (document.protocol, document.mime_type, document.transfer_bytes) == ("http/1.0", "text/html", 566)
    assert document.start_ms is not None
    assert document.end_ms is not None
    assert 0 < document.start_ms < document.end_ms
    assert [request.resource_type for request in others] == [
        ResourceType.STYLESHEET,
        ResourceType.SCRIPT,
        ResourceType.IMAGE,
        ResourceType.OTHER,
    ]
    assert others[-1].status == 404


def test_third_parties_are_who_lighthouse_says(lhr: dict[str, Any]) -> None:
    rows = lhr["audits"]["network-requests"]["details"]["items"]
    rows[1] |= {"url": "https://fonts.example/a.css", "entity": "Fonts"}
    rows[2] |= {"url": "https://cdn.shop.example/a.js", "entity": "shop.example"}
    assert [request.third_party for request in read_lhr(lhr).requests] == [False, True, False, False, False]


def test_before_entities_another_host_is_a_third_party(lhr: dict[str, Any]) -> None:
    del lhr["entities"]
    rows = lhr["audits"]["network-requests"]["details"]["items"]
    for row, url in zip(
        rows, ("https://shop.example/", "https://fonts.example/a.css", "https://cdn.shop.example/a.js"), strict=False
    ):
        row["url"] = url
        del row["entity"]
    assert [request.third_party for request in read_lhr(lhr).requests[:3]] == [False, True, False]


def test_times_of_version_9_requests_are_read_too(lhr: dict[str, Any]) -> None:
    row = lhr["audits"]["network-requests"]["details"]["items"][0]
    row |= {"startTime": 1, "endTime": 20.5}
    del row["networkRequestTime"], row["networkEndTime"]
    first = read_lhr(lhr).requests[0]
    assert (first.start_ms, first.end_ms) == (1, 20.5)


def test_pictures_are_split_out_of_the_report(lhr: dict[str, Any]) -> None:
    seen = read_lhr(lhr)
    assert [(image.kind, image.content_type, image.at_ms) for image in seen.images] == [
        (ImageKind.SCREENSHOT, "image/png", 965),
        (ImageKind.FILMSTRIP, "image/png", 375),
        (ImageKind.FILMSTRIP, "image/png", 750),
    ]
    assert all(image.data.startswith(b"\x89PNG") for image in seen.images)
    assert "data:image" not in json.dumps(seen.report)


def test_what_is_no_picture_is_left_out(lhr: dict[str, Any]) -> None:
    lhr["audits"]["final-screenshot"]["details"]["data"] = "data:text/html;base64,PHNjcmlwdD4="
    lhr["audits"]["screenshot-thumbnails"]["details"]["items"][0]["data"] = "data:image/png;base64,no picture"
    lhr["audits"]["screenshot-thumbnails"]["details"]["items"][1]["data"] = None
    assert read_lhr(lhr).images == ()


def test_the_report_is_kept_without_what_nobody_reads(lhr: dict[str, Any]) -> None:
    before = copy.deepcopy(lhr)
    report = read_lhr(lhr).report
    assert report is not None
    assert not {"i18n", "fullPageScreenshot"} & report.keys()
    assert report["timing"] == {"total": lhr["timing"]["total"]}
    assert "errorStack" not in json.dumps(report)
    assert report["audits"]["color-contrast"] == lhr["audits"]["color-contrast"]
    assert lhr == before


def test_warnings_name_the_audits_that_could_not_be_computed(lhr: dict[str, Any]) -> None:
    lhr["runWarnings"] = ["The page loaded\ntoo slowly."]
    assert read_lhr(lhr).warnings == (
        "The page loaded too slowly.",
        "Lighthouse could not compute: third-parties-insight.",
    )


def test_findings_are_the_audits_that_failed(lhr: dict[str, Any]) -> None:
    assert [(f.rule, f.category, f.severity) for f in read_lhr(lhr).findings] == [
        ("cache-insight", "performance", Severity.LOW),
        ("image-delivery-insight", "performance", Severity.LOW),
        ("lcp-discovery-insight", "performance", Severity.LOW),
        ("network-dependency-tree-insight", "performance", Severity.LOW),
        ("render-blocking-insight", "performance", Severity.HIGH),
        ("color-contrast", "accessibility", Severity.MEDIUM),
        ("image-alt", "accessibility", Severity.HIGH),
        ("charset", "best-practices", Severity.LOW),
        ("errors-in-console", "best-practices", Severity.LOW),
        ("meta-description", "seo", Severity.MEDIUM),
    ]


def finding(lhr: dict[str, Any], rule: str) -> Any:
    return next(found for found in read_lhr(lhr).findings if found.rule == rule)


@pytest.mark.parametrize(
    ("mode", "score", "found"),
    [
        ("binary", 0, True),
        ("numeric", 0.89, True),
        ("numeric", 0.9, False),
        ("notApplicable", None, False),
        ("informative", 0, False),
        ("manual", None, False),
        ("error", None, False),
    ],
)
def test_an_audit_below_nine_tenths_failed_and_one_that_was_not_applicable_or_only_informs_did_not(
    lhr: dict[str, Any], mode: str, score: float | None, found: bool
) -> None:
    """To the assertions of Lighthouse CI what was not applicable has a score of 1, and what only informs one of 0: there an
    assertion of the latter always fails, here it never does (docs/budgets.md).
    """
    lhr["audits"]["image-alt"] |= {"scoreDisplayMode": mode, "score": score}
    assert ("image-alt" in {each.rule for each in read_lhr(lhr).findings}) is found


def test_sizes_are_those_that_came_over_the_wire_and_not_what_they_were_unpacked(lhr: dict[str, Any]) -> None:
    """So budget.json says of its sizes."""
    for row in lhr["audits"]["resource-summary"]["details"]["items"]:
        row["resourceSize"] = 9_999_999
    assert read_lhr(lhr).metrics[MetricName.SCRIPT_BYTES] == 266


def test_a_finding_has_its_savings_link_and_evidence(lhr: dict[str, Any]) -> None:
    blocking = finding(lhr, "render-blocking-insight")
    assert (blocking.saving_ms, blocking.saving_bytes) == (650, None)
    assert blocking.link == "https://developer.chrome.com/docs/performance/insights/render-blocking"
    assert blocking.description == (
        "Requests are blocking the page's initial render, which may delay LCP. "
        "Deferring or inlining can move these network requests out of the critical path."
    )
    assert blocking.evidence == (
        Evidence("https://shop.example/style.css", "Transfer Size 232 bytes; Duration 157 ms"),
        Evidence("https://shop.example/app.js", "Transfer Size 266 bytes; Duration 307 ms"),
    )
    assert finding(lhr, "cache-insight").saving_bytes == 60869


def test_an_element_is_shown_with_what_is_wrong_with_it(lhr: dict[str, Any]) -> None:
    (evidence,) = finding(lhr, "color-contrast").evidence
    assert evidence.subject == "body > p"
    assert evidence.detail.startswith('<p style="color:#ccc">; Fix any of the following: Element has insufficient color')


def test_a_place_in_a_file_is_shown_with_its_line(lhr: dict[str, Any]) -> None:
    (evidence,) = finding(lhr, "errors-in-console").evidence
    assert evidence.subject == "https://shop.example/favicon.ico"
    assert evidence.detail.startswith("line 1; ")


def test_a_failed_check_of_a_list_is_evidence(lhr: dict[str, Any]) -> None:
    audit = lhr["audits"]["document-latency-insight"]
    audit |= {"score": 0, "metricSavings": {"FCP": 100, "LCP": 900, "CLS": 5000}}
    audit["details"]["items"]["usesCompression"] |= {"label": "No compression applied", "value": False}
    slow = finding(lhr, "document-latency-insight")
    assert (slow.evidence, slow.saving_ms) == ((Evidence("No compression applied"),), 900)


def test_older_savings_are_read(lhr: dict[str, Any]) -> None:
    """Version 10 and 11 say opportunities, before the insights."""
    lhr["categories"]["performance"]["auditRefs"].append({"id": "unused-javascript", "weight": 0, "group": "diagnostics"})
    lhr["audits"]["unused-javascript"] = {
        "id": "unused-javascript",
        "title": "Reduce unused JavaScript",
        "score": 0.2,
        "scoreDisplayMode": "numeric",
        "details": {
            "type": "opportunity",
            "headings": [
                {"key": "url", "valueType": "url", "label": "URL"},
                {"key": "wastedBytes", "valueType": "bytes", "label": "Potential Savings"},
            ],
            "items": [{"url": "https://shop.example/app.js", "wastedBytes": 700_000}],
            "overallSavingsMs": 1200,
            "overallSavingsBytes": 700_000,
        },
    }
    unused = finding(lhr, "unused-javascript")
    assert (unused.saving_ms, unused.saving_bytes, unused.severity) == (1200, 700_000, Severity.HIGH)
    assert unused.evidence == (Evidence("https://shop.example/app.js", "Potential Savings 700,000 bytes"),)


def test_an_audit_that_a_failed_insight_replaces_is_not_told_twice(lhr: dict[str, Any]) -> None:
    lhr["categories"]["performance"]["auditRefs"].append({"id": "uses-long-cache-ttl", "weight": 0})
    lhr["audits"]["uses-long-cache-ttl"] = {"title": "Long cache", "score": 0.1, "scoreDisplayMode": "numeric"}
    lhr["audits"]["cache-insight"]["replacesAudits"] = ["uses-long-cache-ttl"]
    rules = [found.rule for found in read_lhr(lhr).findings]
    assert "cache-insight" in rules
    assert "uses-long-cache-ttl" not in rules
    lhr["audits"]["cache-insight"]["score"] = 1
    assert "uses-long-cache-ttl" in [found.rule for found in read_lhr(lhr).findings]


def test_evidence_is_bounded(lhr: dict[str, Any]) -> None:
    rows = lhr["audits"]["cache-insight"]["details"]["items"]
    rows[:] = [{"url": f"https://shop.example/{n}.png", "totalBytes": n} for n in range(500)]
    assert len(finding(lhr, "cache-insight").evidence) == 20


@pytest.mark.parametrize(
    ("code", "kind", "told", "retryable"),
    [
        ("NO_FCP", FailureKind.PAGE, "NO_FCP", False),
        ("ERRORED_DOCUMENT_REQUEST", FailureKind.PAGE, "ERRORED_DOCUMENT_REQUEST", False),
        ("DNS_FAILURE", FailureKind.PAGE, "DNS_FAILURE", False),
        ("PAGE_HUNG", FailureKind.PAGE, "PAGE_HUNG", False),
        ("PROTOCOL_TIMEOUT", FailureKind.ENGINE, "PROTOCOL_TIMEOUT", True),
        ("CRI_TIMEOUT", FailureKind.ENGINE, "CRI_TIMEOUT", True),
        ("TARGET_CRASHED", FailureKind.ENGINE, "TARGET_CRASHED", True),
        ("NO_TRACING_STARTED", FailureKind.ENGINE, "NO_TRACING_STARTED", True),
        ("NEVER_HEARD_OF", FailureKind.ENGINE, "UNKNOWN_ERROR", True),
    ],
)
def test_a_runtime_error_is_a_failure_and_not_a_result(
    lhr: dict[str, Any], code: str, kind: FailureKind, told: str, retryable: bool
) -> None:
    lhr["runtimeError"] = {"code": code, "message": "It went\x00 wrong."}
    with pytest.raises(EngineFailure, match=r"^It went wrong\.") as failed:
        read_lhr(lhr)
    assert (failed.value.kind, failed.value.code, failed.value.retryable) == (kind, told, retryable)


def test_the_mark_of_no_error_is_none(lhr: dict[str, Any]) -> None:
    lhr["runtimeError"] = {"code": "NO_ERROR", "message": ""}
    assert read_lhr(lhr).engine_version == "13.5.0"


def test_text_cut_inside_an_emoji_can_still_be_stored() -> None:
    document = parse_object(b'{"title": "cut \\ud83d"}')
    assert document == {"title": "cut ?"}
    assert json.dumps(document, ensure_ascii=False).encode()


@pytest.mark.parametrize("data", [b"", b"[1]", b"null", b'"x"', b"<html>", b"[" * 100_000])
def test_what_is_no_object_is_none(data: bytes) -> None:
    assert parse_object(data) is None


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(database=None)
@given(data=st.data())
def test_a_value_of_any_other_type_anywhere_is_passed_over(data: st.DataObject) -> None:
    spoiled: Any = json.loads(REAL)
    part = spoiled
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = data.draw(st.sampled_from(keys))
        deeper = part[key]
        if not isinstance(deeper, dict | list) or not deeper or data.draw(st.integers(0, 4)) == 0:
            break
        part = deeper
    part[key] = data.draw(_ANYTHING)
    with suppress(EngineFailure):
        read_lhr(spoiled)


def test_a_group_that_is_no_text_is_none() -> None:
    spoiled: Any = json.loads(REAL)
    before = read_lhr(spoiled).findings
    for reference in spoiled["categories"]["performance"]["auditRefs"]:
        if reference.get("group") not in ("metrics", "hidden"):
            reference["group"] = []
    assert read_lhr(spoiled).findings == before
