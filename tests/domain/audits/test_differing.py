"""What changed between two audits: what is a difference, and what each load brings about by itself."""

from __future__ import annotations

import time
from typing import Any

import pytest

from domain.audits import DifferenceKind
from domain.audits.differing import CUT_OFF, MOST_KEPT, FindingDifference, RequestSize, findings, requests
from domain.audits.matching import address, alike, subject_alike
from domain.audits.model import FindingRow
from domain.ids import new_id
from domain.measuring import ResourceType, Severity
from infra.engines.lhr import evidence as lhr
from infra.engines.probe.rules import rule as probe

AUDIT = new_id()
GROWN, SHRUNK, ADDED, REMOVED, CHANGED = (
    DifferenceKind.GROWN,
    DifferenceKind.SHRUNK,
    DifferenceKind.ADDED,
    DifferenceKind.REMOVED,
    DifferenceKind.CHANGED,
)


def got(url: str, bytes: float | None = 1_000, method: str = "GET") -> RequestSize:
    return RequestSize(AUDIT, url, method, ResourceType.SCRIPT, bytes, False)


def told(before: list[RequestSize], after: list[RequestSize], *own: tuple[str, ...]) -> list[tuple[DifferenceKind, str]]:
    return [(each.kind, each.url) for each in requests(before, after, *own).kept]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://x.example/app.1a2b3c4d.js", "https://x.example/app.9f8e7d6c.js"),
        ("https://x.example/app-BqD3x_9k.js", "https://x.example/app-D_9kx-Qz.js"),
        (
            "https://x.example/_next/static/Wp6Xq_9dKs0vTnZ1yBaQe/a.js",
            "https://x.example/_next/static/b7Lq3_0KsdFvTnW5yCaQx/a.js",
        ),
        ("https://x.example/app.js?v=1", "https://x.example/app.js?v=2"),
        ("https://x.example/1e4b28ba-2fa1-11d2-883f-0016d3cca427", "https://x.example/a2f0c1de-0000-11d2-883f-0016d3cca427"),
        ("http://localhost:3412/app.js", "http://localhost:40001/app.js"),
        ("https://x.example/app.js#a", "https://x.example/app.js#b"),
        ("data:image/png;base64,AAAA", "data:image/png;base64,BBBB"),
    ],
    ids=[
        "a hash",
        "a bundler's hash",
        "a build's folder",
        "a query",
        "a UUID",
        "a port",
        "a fragment",
        "what the address itself is",
    ],
)
def test_a_request_is_the_same_whatever_changes_in_its_address_from_build_to_build(before: str, after: str) -> None:
    assert told([got(before)], [got(after)]) == []
    (found,) = requests([got(before)], [got(after, 2_000)]).kept
    assert (found.kind, found.url, found.change_bytes) == (GROWN, after, 1_000)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://x.example/jquery-3.6.0.min.js", "https://x.example/jquery-3.7.1.min.js"),
        ("https://x.example/main-carousel.js", "https://x.example/main-calendar.js"),
        ("https://x.example/someLongFileName.js", "https://x.example/someLongFileKind.js"),
        ("https://x.example/hero-1200x630.jpg", "https://x.example/hero-2400x630.jpg"),
        ("https://x.example/a.js", "https://y.example/a.js"),
        ("https://x.example/a.js", "http://x.example/a.js"),
    ],
    ids=["another version", "another word", "great letters inside", "a size", "another host", "another scheme"],
)
def test_what_only_looks_alike_is_another_request(before: str, after: str) -> None:
    assert told([got(before)], [got(after)]) == [(ADDED, after), (REMOVED, before)]
    assert told([got(before)], [got(before, method="POST")]) == [(ADDED, before), (REMOVED, before)]


def test_a_previews_requests_are_known_by_their_paths_whatever_its_host() -> None:
    before = [got("https://pr-1.example/"), got("https://pr-1.example/app.js"), got("https://cdn.example/x.js")]
    after = [got("https://pr-2.example/"), got("https://pr-2.example/app.js"), got("https://cdn.example/x.js")]
    assert told(before, after, ("https://pr-1.example",), ("https://pr-2.example",)) == []
    assert len(told(before, after)) == 4


def test_the_very_same_address_comes_before_one_that_is_alike() -> None:
    """Else the third picture would be taken for another one that was there already."""
    before = [got("https://x.example/img?id=1", 10_000), got("https://x.example/img?id=2", 20_000)]
    after = [got("https://x.example/img?id=3", 30_000), *reversed(before)]
    assert told(before, after) == [(ADDED, "https://x.example/img?id=3")]


def test_what_every_load_asks_for_under_another_address_is_no_difference_while_it_is_as_much() -> None:
    before = [got(f"https://x.example/beacon?at={place}", 300) for place in range(3)]
    after = [got(f"https://x.example/beacon?at={place}", 300) for place in range(7, 10)]
    assert told(before, after) == []
    (more,) = requests(before, [*after, got("https://x.example/beacon?at=77", 300)]).kept
    assert (more.kind, more.requests_before, more.requests_after, more.bytes_before, more.bytes_after) == (
        GROWN,
        3,
        4,
        900,
        1200,
    )
    (fewer,) = requests(after, before[:1]).kept
    assert (fewer.kind, fewer.requests_before, fewer.requests_after) == (SHRUNK, 3, 1)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (1_000, 1_255, None),
        (1_000, 1_256, GROWN),
        (1_000_000, 1_009_999, None),
        (1_000_000, 1_010_000, GROWN),
        (1_000_000, 990_000, SHRUNK),
        (None, 1_000, None),
        (1_000, None, None),
    ],
)
def test_another_cookie_does_not_make_a_request_larger(
    before: float | None, after: float | None, kind: DifferenceKind | None
) -> None:
    assert [each.kind for each in requests([got("/a", before)], [got("/a", after)]).kept] == ([] if kind is None else [kind])


def test_of_five_thousand_requests_all_are_counted_and_the_largest_are_told_in_no_time() -> None:
    before = [got(f"https://x.example/a/{place}.js", place) for place in range(5_000)]
    after = [got(f"https://x.example/b/{place}.js", place) for place in range(5_000)]
    began = time.perf_counter()
    found = requests(before, after)
    assert time.perf_counter() - began < 2
    assert (found.number(ADDED), found.number(REMOVED), found.number(GROWN)) == (5_000, 5_000, 0)
    assert len(found.kept) == 2 * MOST_KEPT
    assert [each.url for each in found.some(ADDED, 2)] == ["https://x.example/b/4999.js", "https://x.example/b/4998.js"]
    assert [each.kind for each in found.some(None, 3)] == [ADDED, REMOVED, ADDED]


def test_an_address_made_to_be_looked_at_for_ever_is_not() -> None:
    began = time.perf_counter()
    for evil in ("-" * 1_000_000, "/" + "aA0-" * 200_000, "https://" + "a." * 100_000, "/a" * 500_000, "%" * 10_000 + ":1"):
        alike(address(evil))
        subject_alike(f"https://x.example/{evil}")
    assert time.perf_counter() - began < 2


def finding(rule: str = "big", *subjects: str, **given: Any) -> FindingRow:
    what: dict[str, Any] = {"severity": Severity.MEDIUM, "saving_ms": None, "saving_bytes": None, **given}
    evidence = [{"subject": subject, "detail": ""} for subject in subjects]
    words: dict[str, Any] = {"title": rule, "description": "", "category": "performance", "link": None}
    return FindingRow(
        id=new_id(), workspace_id=AUDIT, audit_id=AUDIT, position=0, rule=rule, evidence=evidence, **words, **what
    )


def compare(before: FindingRow, after: FindingRow) -> FindingDifference | None:
    found = findings([before], [after]).kept
    return found[0] if found else None


def kind_of(before: FindingRow, after: FindingRow) -> DifferenceKind | None:
    found = compare(before, after)
    return found.kind if found is not None else None


def test_findings_are_added_and_removed_by_their_rules_the_gravest_first() -> None:
    stays, gone = finding("stays"), finding("gone", "/a", severity=Severity.LOW)
    new = finding("new", "/b", severity=Severity.HIGH)
    found = findings([stays, gone], [stays, new])
    assert [(each.kind, each.before, each.after) for each in found.kept] == [(ADDED, None, new), (REMOVED, gone, None)]
    assert [each.finding.rule for each in found.kept] == ["new", "gone"]
    assert [(each.evidence_added, each.evidence_removed) for each in found.kept] == [(new.evidence, ()), ((), gone.evidence)]


def test_a_finding_that_rests_on_more_has_grown_and_says_on_what() -> None:
    old, new = "https://x.example/a.1a2b3c4d.js", "https://x.example/b.js"
    found = compare(finding("big", old), finding("big", "https://x.example/a.9f8e7d6c.js", new))
    assert found is not None
    assert (found.kind, found.evidence_added, found.evidence_removed) == (GROWN, [{"subject": new, "detail": ""}], [])
    assert kind_of(finding("big", old, new), finding("big", old)) is SHRUNK
    assert kind_of(finding("big", old), finding("big", new)) is CHANGED
    assert kind_of(finding("big", old, old), finding("big", old)) is SHRUNK


def test_of_a_full_list_nobody_knows_what_it_had_no_room_for() -> None:
    assert CUT_OFF == lhr.MAX_EVIDENCE == probe.MAX_EVIDENCE
    full, other = ([f"/{place}.js" for place in range(start, start + CUT_OFF)] for start in (0, 5))
    assert compare(finding("big", *full), finding("big", *other)) is None
    found = compare(finding("big", *full[:-1]), finding("big", *other))
    assert found is not None
    assert (found.kind, len(found.evidence_added), found.evidence_removed) == (GROWN, 6, ())


def test_an_estimate_of_milliseconds_has_grown_when_it_has_doubled() -> None:
    for before, after, kind in ((300, 590, None), (300, 600, GROWN), (600, 300, SHRUNK), (10, 100, None), (None, 100, GROWN)):
        assert kind_of(finding(saving_ms=before), finding(saving_ms=after)) is kind, (before, after)


def test_a_severity_that_an_estimate_decided_is_no_difference() -> None:
    grave, mild = {"severity": Severity.HIGH}, {"severity": Severity.MEDIUM}
    assert kind_of(finding(**mild, saving_ms=490), finding(**grave, saving_ms=510)) is None
    assert kind_of(finding(**mild), finding(**grave)) is GROWN
    assert kind_of(finding(**grave), finding(**mild)) is SHRUNK


def test_bytes_that_can_be_saved_count_when_they_move_by_a_hundredth() -> None:
    for before, after, kind in (
        (200_000, 201_000, None),
        (200_000, 202_500, GROWN),
        (500, 1_500, None),
        (9_000, 2_000, SHRUNK),
    ):
        assert kind_of(finding(saving_bytes=before), finding(saving_bytes=after)) is kind, (before, after)


def test_numbers_alone_say_nothing_of_what_is_only_information() -> None:
    info = {"severity": Severity.INFO}
    assert kind_of(finding(**info, saving_bytes=1_000), finding(**info, saving_bytes=90_000)) is None
    assert kind_of(finding("big", "/a", **info), finding("big", "/a", "/b", **info)) is GROWN
