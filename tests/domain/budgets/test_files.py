"""budget.json and the assertions of Lighthouse CI, read with their own meaning."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.budgets import Aggregation, BudgetSeverity, SubjectKind, budget_json, lhci
from domain.budgets.drafts import Drafts
from domain.errors import InvalidInput

EXAMPLE = """[
  {
    "path": "/*",
    "timings": [{"metric": "interactive", "budget": 3000}, {"metric": "first-meaningful-paint", "budget": 1000}],
    "resourceSizes": [{"resourceType": "script", "budget": 125}, {"resourceType": "third-party", "budget": 0.5}],
    "resourceCounts": [{"resourceType": "total", "budget": 100}]
  },
  {
    "path": "/blog",
    "options": {"firstPartyHostnames": ["example.com"]},
    "timings": [
      {"metric": "largest-contentful-paint", "budget": 2500, "tolerance": 200},
      {"metric": "cumulative-layout-shift", "budget": 0.1}
    ]
  },
  {"path": "/admin"}
]"""


def drafts(read: Drafts) -> list[tuple[Any, ...]]:
    return [(each.position, each.path, each.subject_kind.value, each.subject, each.limit_value) for each in read.budgets]


def skipped(read: Drafts) -> dict[str, str]:
    return {each.place: each.reason for each in read.skipped}


def test_a_budget_json_is_read_with_its_kilobytes_its_tolerances_and_its_paths() -> None:
    read = budget_json.read(EXAMPLE)
    assert drafts(read) == [
        (0, "/*", "RESOURCE_SIZE", "script", 128_000),
        (0, "/*", "RESOURCE_SIZE", "third-party", 512),
        (0, "/*", "RESOURCE_COUNT", "total", 100),
        (0, "/*", "METRIC", "tti_ms", 3000),
        (1, "/blog", "METRIC", "lcp_ms", 2500),
        (1, "/blog", "METRIC", "cls", 0.1),
    ]
    assert [each.tolerance for each in read.budgets] == [0, 0, 0, 0, 200, 0]
    assert {(each.aggregation, each.severity) for each in read.budgets} == {(Aggregation.MEDIAN, BudgetSeverity.ERROR)}
    assert list(skipped(read)) == ["[0].timings[1]", "[1].options"]
    assert skipped(read)["[0].timings[1]"].endswith("budget largest-contentful-paint instead.")
    assert read.silent == [(2, "/admin")]


def test_every_timing_and_every_resource_of_the_format_is_known() -> None:
    timings = [*budget_json.TIMINGS, "first-cpu-idle", "first-meaningful-paint"]
    assert len(timings) == 9
    kinds = ["document", "font", "image", "media", "other", "script", "stylesheet", "third-party", "total"]
    entry = {
        "timings": [{"metric": each, "budget": 1} for each in timings],
        "resourceSizes": [{"resourceType": each, "budget": 1} for each in kinds],
        "resourceCounts": [{"resourceType": each, "budget": 1} for each in kinds],
    }
    read = budget_json.read(json.dumps([entry]))
    assert (len(read.budgets), len(read.skipped), {each.path for each in read.budgets}) == (25, 2, {None})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "This is no JSON: Expecting property name enclosed in double quotes in line 1, column 2."),
        ("[NaN]", "This is no JSON that can be read."),
        ("[" * 100_000, "This is no JSON that can be read."),
        ("{}", "The file: A budget.json is a list […]."),
        ("[1]", "[0]: An entry is an object {…}."),
        ('[{}, {"paths": "/"}]', "[1].paths: there is no such field; there are options, path, "),
        ('[{"path": "blog"}]', "[0].path: A path's pattern begins with / or *"),
        ('[{"path": 5}]', "[0].path: A path is a text such as /blog/*."),
        (
            '[{}, {}, {"timings": [{"metric": "lcp", "budget": 1}]}]',
            "[2].timings[0].metric: A timing's metric is one of first-c",
        ),
        (
            '[{"timings": [{"metric": "interactive", "budget": "3 s"}]}]',
            "[0].timings[0].budget: A budget is a number, not less",
        ),
        ('[{"timings": [{"metric": "interactive", "budget": true}]}]', "[0].timings[0].budget: A budget is a number"),
        ('[{"timings": [{"metric": "interactive", "budget": 1e999}]}]', "[0].timings[0].budget: A budget is a number"),
        (
            '[{"resourceSizes": [{"resourceType": "css", "budget": 1}]}]',
            "[0].resourceSizes[0].resourceType: A type of resources is",
        ),
        ('[{"resourceCounts": {}}]', "[0].resourceCounts: resourceCounts is a list […]."),
        (
            '[{"timings": [{"metric": "interactive", "budget": 1}, {"metric": "interactive", "budget": 2}]}]',
            "[0].timings[1].metric: interactive is limited twice in this entry; keep one of them.",
        ),
        ("[" + " " * 200_000 + "]", "A file with budgets is at most 200,000 characters."),
    ],
    ids=lambda given: given[:40].strip(),
)
def test_a_bad_budget_json_is_refused_with_the_place_and_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        budget_json.read(text)
    assert refused.value.message.startswith(said)
    assert [fault.path for fault in refused.value.faults] == [("text",)]


def assertions(**given: Any) -> str:
    return json.dumps({"ci": {"assert": {"assertions": given}}})


def one(given: Any, name: str = "uses-text-compression") -> tuple[Any, ...]:
    (made,) = lhci.read(assertions(**{name: given})).budgets
    return made.subject_kind.value, made.subject, made.limit_value, made.aggregation.value, made.severity.value


def test_without_an_option_an_audit_has_to_have_a_score_of_nine_tenths_as_the_code_says_and_not_the_docs() -> None:
    assert one("warn", "categories:seo") == ("CATEGORY", "seo", 0.9, "OPTIMISTIC", "WARN")
    assert one(["error"], "categories.seo")[2] == 0.9
    assert one("error") == ("FINDING", "uses-text-compression", 0, "OPTIMISTIC", "ERROR")


def test_the_default_aggregation_is_optimistic_and_the_nearest_one_named_counts() -> None:
    entry = {
        "aggregationMethod": "pessimistic",
        "assertions": {
            "speed-index": ["warn", {"maxNumericValue": 4000}],
            "interactive": ["warn", {"maxNumericValue": 4000, "aggregationMethod": "median-run"}],
        },
    }
    read = lhci.read(json.dumps({"assert": entry}))
    assert [each.aggregation for each in read.budgets] == [Aggregation.PESSIMISTIC, Aggregation.MEDIAN_RUN]


def test_every_form_of_key_is_read() -> None:
    most = ["error", {"maxNumericValue": 7}]
    assert one(most, "resource-summary:third-party:size")[:3] == ("RESOURCE_SIZE", "third-party", 7)
    assert one(most, "resource-summary.font.count")[:3] == ("RESOURCE_COUNT", "font", 7)
    assert one(most, "user-timings:heroImage:loaded")[:3] == ("USER_TIMING", "hero-image-loaded", 7)
    assert one(most, "firstContentfulPaint")[:3] == ("METRIC", "fcp_ms", 7)
    assert one(["error", {"maxLength": 3}])[:3] == ("FINDING", "uses-text-compression", 3)
    assert one("warn", "first-contentful-paint")[:3] == ("METRIC_SCORE", "fcp_ms", 0.9)
    assert one(["warn", {"minScore": 1}])[:3] == ("FINDING", "uses-text-compression", 0)


def test_a_size_is_in_bytes_in_assertions_and_in_kilobytes_of_1024_in_a_budget_json() -> None:
    limit = {"resourceType": "script", "budget": 125}
    (kilobytes,) = budget_json.read(json.dumps([{"resourceSizes": [limit]}])).budgets
    assert kilobytes.limit_value == 128_000
    assert one(["error", {"maxNumericValue": 125}], "resource-summary:script:size")[2] == 125


def test_a_level_is_off_warn_or_error_with_its_options_or_without() -> None:
    given = {"uses-http2": ["off", {"minScore": 1}], "speed-index": "warn", "interactive": ["error", {}]}
    read = lhci.read(assertions(**given))
    assert [(each.subject, each.severity.value) for each in read.budgets] == [("speed_index_ms", "WARN"), ("tti_ms", "ERROR")]
    assert list(skipped(read).values()) == ["It is switched off."]


def test_what_cannot_be_said_with_what_is_kept_is_skipped_with_a_reason() -> None:
    read = lhci.read(
        assertions(
            **{
                "uses-http2": "off",
                "bootup-time": ["error", {"maxNumericValue": 1}],
                "image-alt": ["error", {"minScore": 0.5}],
                "network-requests": ["error", {"maxLength": 50}],
                "categories:seo": ["error", {"maxNumericValue": 5}],
                "resource-summary:font:count": ["error", {"minScore": 1}],
                "performance-budget": "error",
            }
        )
    )
    assert read.budgets == []
    assert {place.removeprefix("ci.assert.assertions."): reason[:44] for place, reason in skipped(read).items()} == {
        "uses-http2": "It is switched off.",
        "bootup-time.maxNumericValue": "The number of this audit is not kept; the me",
        "image-alt.minScore": "Of an audit only whether its score is below ",
        "network-requests.maxLength": "Of what an audit lists, 20 at most are kept,",
        "categories:seo": "A category has a score alone: assert its min",
        "resource-summary:font:count": "This has a number alone, and no score: asser",
        "performance-budget": "Lighthouse dropped this audit in version 12:",
    }


def test_what_is_taken_over_but_not_as_it_stands_is_named() -> None:
    given = {
        "unused-javascript": ["error", {"maxLength": 0}],
        "image-alt": ["error", {"minScore": 0.95, "aggregationMethod": "pessimistic"}],
        "speed-index": ["error", {"minScore": 0.95, "aggregationMethod": "pessimistic"}],
        "categories:performance": ["error", {"minScore": 1, "aggregationMethod": "pessimistic"}],
        "categories:seo": ["error", {"aggregationMethod": "optimistic"}],
        "uses-http2": "error",
    }
    read = lhci.read(json.dumps({"includePassedAssertions": True, "assertions": given}))
    assert len(read.budgets) == 6
    assert {place.removeprefix("assertions."): reason[:36] for place, reason in skipped(read).items()} == {
        "includePassedAssertions": "It is about what Lighthouse CI print",
        "unused-javascript.maxLength": "It is counted where the audit's scor",
        "image-alt.minScore": "It is held against 0.9 instead: of a",
        "image-alt.aggregationMethod": "It is of no effect here: of findings",
        "categories:seo.aggregationMethod": "It is of no effect here: of findings",
        "uses-http2": "Lighthouse 13 has no such audit, so ",
    }


def test_several_limits_of_one_audit_are_several_budgets() -> None:
    read = lhci.read(assertions(**{"total-byte-weight": ["warn", {"maxNumericValue": 9, "minScore": 0.9}]}))
    assert [(each.subject_kind, each.limit_value) for each in read.budgets] == [
        (SubjectKind.METRIC, 9),
        (SubjectKind.FINDING, 0),
    ]


def test_a_matrix_has_its_patterns() -> None:
    score = {"categories:performance": ["error", {"minScore": 0.5}]}
    matrix = [{"matchingUrlPattern": "^https://.*/blog", "assertions": score}, {"assertions": score}]
    read = lhci.read(json.dumps({"assertMatrix": matrix}))
    assert [(each.position, each.url_pattern) for each in read.budgets] == [(0, "^https://.*/blog"), (1, None)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ci": {"assert": {"preset": "lighthouse:all"}}}, "ci.assert.preset: presets are not taken: they assert some hundred"),
        ({"assertMatrix": [{"preset": "lighthouse:all"}]}, "assertMatrix[0].preset: presets are not taken"),
        (
            {"assert": {"budgetsFile": "b.json"}},
            "assert.budgetsFile: a budgetsFile is not taken here: leave it out, and import",
        ),
        ({"assertMatrix": [], "assertions": {}}, "assertions: an assertMatrix stands alone"),
        ({"assertMatrix": [], "preset": "lighthouse:all"}, "preset: an assertMatrix stands alone"),
        ({"assertMatrix": [], "aggregationMethod": "median"}, "aggregationMethod: an assertMatrix stands alone"),
        ({"assertMatrix": [], "budgetsFile": "b.json"}, "budgetsFile: a budgetsFile is not taken here"),
        ({"ci": {"collect": {}}}, "ci: there is no assert in it."),
        ({"assertMatrix": [{"matchingUrlPattern": "(a+"}]}, "assertMatrix[0].matchingUrlPattern: A ( in this regular"),
        (
            {"assertMatrix": [{"matchingUrlPattern": "a" * 301}]},
            "assertMatrix[0].matchingUrlPattern: A regular expression is at",
        ),
        ({"assertions": {"speed-index": "fatal"}}, "assertions.speed-index: A level, alone or as in"),
        ({"assertions": {"speed-index": ["warn", {"max": 1}]}}, "assertions.speed-index.max: there is no such field"),
        ({"assertions": {"seo": ["warn", {"minScore": 90}]}}, "assertions.seo.minScore: a score is from 0 to 1, such as 0.9."),
        ({"assertions": {"resource-summary:css:size": "warn"}}, "assertions.resource-summary:css:size: this names nothing"),
        ({"assertions": {"categories": "warn"}}, "assertions.categories: this names nothing that can be asserted"),
        ({"assertions": {"a b": "warn"}}, "assertions.a b: this is no audit's id"),
        ({"assertions": {"speedIndex": "off", "speed-index": "off"}}, "assertions.speed-index: this is asserted twice"),
        ({"aggregationMethod": "mean"}, "aggregationMethod: An aggregation method is one of median, optimistic"),
        ({"assertions": []}, "assertions: assertions are an object"),
        ([], "The file: What is asserted is an object {…}."),
    ],
    ids=lambda given: given[:30] if isinstance(given, str) else "",
)
def test_bad_assertions_are_refused_with_the_place_and_what_would_be_right(given: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        lhci.read(json.dumps(given))
    assert refused.value.message.startswith(said)
