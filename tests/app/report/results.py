"""What the told engines measure in the report's tests, and how a test reads a page."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

from domain.measuring import (
    Evidence,
    FindingSeen,
    ImageKind,
    ImageSeen,
    MetricName,
    RequestSeen,
    ResourceType,
    RunResult,
    Score,
    Severity,
    UserTiming,
)

_GUIDE = "https://developer.mozilla.org/docs/Web/HTTP/Guides/Caching"


def probed(ttfb: float = 120, final_url: str = "http://127.0.0.1:1/pricing") -> RunResult:
    return RunResult(
        metrics={
            MetricName.TTFB: ttfb,
            MetricName.PAGE_LOAD: ttfb * 5,
            MetricName.TRANSFER_BYTES: 3_000_000,
            MetricName.CERTIFICATE_DAYS: 3,
            MetricName.REQUEST_COUNT: 2,
        },
        final_url=final_url,
        engine_version="1.0",
        requests=(
            RequestSeen(
                final_url, ResourceType.DOCUMENT, status=200, protocol="h2", start_ms=0, end_ms=100, transfer_bytes=900
            ),
            RequestSeen(
                "https://cdn.example/app.js",
                ResourceType.SCRIPT,
                status=404,
                start_ms=100,
                end_ms=400,
                third_party=True,
                failure="It answered 404.",
            ),
        ),
        findings=(
            FindingSeen("small", "Something small.", Severity.LOW, "delivery"),
            FindingSeen(
                "cache-missing",
                "Files are not cached.",
                Severity.HIGH,
                "delivery",
                "Send `Cache-Control: max-age=31536000`.",
                tuple(Evidence(f"/file-{number}.js", "no-store") for number in range(8)),
                1200,
                45_600,
                _GUIDE,
            ),
        ),
    )


def loaded(score: float = 0.84, lcp: float = 2600, version: str = "13.5.0") -> RunResult:
    """One of Lighthouse, with everything that a browser sees."""
    return RunResult(
        metrics={
            MetricName.PERFORMANCE_SCORE: score,
            MetricName.LCP: lcp,
            MetricName.FCP: lcp / 2,
            MetricName.TTI: lcp * 2,
            MetricName.TBT: 700,
            MetricName.CLS: 0.0512,
        },
        final_url="http://127.0.0.1:1/pricing",
        engine_version=version,
        scores=(Score("performance", "Performance", score), Score("seo", "SEO", 1), Score("pwa", "PWA", None)),
        user_timings=(UserTiming("hydrate", 500, 120.4), UserTiming("ready", 90, None)),
        images=(
            ImageSeen(ImageKind.SCREENSHOT, "image/jpeg", b"whole"),
            ImageSeen(ImageKind.FILMSTRIP, "image/jpeg", b"first", 300),
            ImageSeen(ImageKind.FILMSTRIP, "image/jpeg", b"second", 12_000),
        ),
        warnings=("The page was redirected.",),
    )


def crowded(result: RunResult, number: int) -> RunResult:
    """The same with so many requests and findings, and as many marks."""
    return dataclasses.replace(
        result,
        requests=tuple(
            RequestSeen(f"http://127.0.0.1:1/{index}.js", ResourceType.SCRIPT, start_ms=index, end_ms=index + 5)
            for index in range(number)
        ),
        findings=tuple(FindingSeen(f"rule-{index}", f"Finding {index}", Severity.LOW, "delivery") for index in range(number)),
        user_timings=tuple(UserTiming(f"mark-{index}", index, None) for index in range(number)),
    )


class Page(HTMLParser):
    """A page's tags with their attributes, and what it says, blanks made single."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._heard: list[str] = []
        self._skipping = False
        self.feed(html)
        self.text = re.sub(r"\s+", " ", " ".join(self._heard)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._skipping = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._skipping = False

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self._heard.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    def links(self) -> list[str | None]:
        return [link.get("href") for link in self.all("a")]
