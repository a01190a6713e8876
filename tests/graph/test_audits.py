"""An audit, asked for, watched and read in GraphQL."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from domain import history
from domain.access import SYSTEM, Role
from domain.measuring import EngineFailure, FailureKind
from tests.domain.audits.engines import ToldEngine
from tests.graph.asking import Asking, asking
from tests.graph.changing import change

__all__ = ["asking"]

REQUEST = """
mutation Request($input: AuditRequestInput!) {
  auditRequest(input: $input) {
    __typename
    ... on AuditRequestPayload { replayed audit { id state requestedUrl page { path url site { origin slug } } } }
    ... on Problem { message code }
    ... on InvalidInput { fields { path code } }
    ... on NotAllowed { permission }
    ... on NotFound { id }
  }
}
"""
URL = "http://127.0.0.1:9/shop?item=1"


async def request(asking: Asking, **input: Any) -> Any:
    return (await asking.ask(REQUEST, input={"target": {"url": URL}, **input}))["auditRequest"]


async def test_an_address_is_audited_and_its_site_and_page_are_made(asking: Asking) -> None:
    first = await request(asking)
    assert first["__typename"] == "AuditRequestPayload"
    assert first["audit"]["state"] == "QUEUED"
    assert first["audit"]["requestedUrl"] == URL
    assert first["audit"]["page"] == {
        "path": "/shop?item=1",
        "url": URL,
        "site": {"origin": "http://127.0.0.1:9", "slug": "127-0-0-1-9"},
    }
    second = await request(asking)
    assert second["audit"]["page"] == first["audit"]["page"]
    assert second["audit"]["id"] != first["audit"]["id"]


async def test_a_finished_audit_is_read_with_everything_that_was_measured(asking: Asking) -> None:
    id = (await request(asking))["audit"]["id"]
    await asking.measure(ToldEngine((120, 100, 110)))
    audit = (
        await asking.ask(
            """
            query ($id: ID!) {
              audit(id: $id) {
                state finalUrl engineVersion failure { code }
                conditions { environment profileVersion engine engineMajor formFactor throttling { rttMs } runnerPool }
                runner { name engines }
                metrics { ttfbMs requestCount lcpMs }
                measurement(metric: TTFB) { value low high samples rating metric { name title unit } }
                measurements { metric { name } value }
                missing: measurement(metric: LCP) { value }
                scores { category title score }
                userTimings { name startMs durationMs }
                representativeRun { index }
                runs {
                  index metrics { ttfbMs } report { kind contentType } screenshot { url } filmstrip { atMs }
                  requests(first: 1) { nodes { url status } pageInfo { hasNextPage } }
                }
                findings { nodes { id rule severity evidence { subject detail } savingMs } }
                reportUrl
              }
            }
            """,
            id=id,
        )
    )["audit"]
    assert audit["state"] == "FINISHED"
    assert audit["failure"] is None
    assert audit["conditions"] == {
        "environment": "production",
        "profileVersion": 1,
        "engine": "PROBE",
        "engineMajor": 1,
        "formFactor": "DESKTOP",
        "throttling": None,
        "runnerPool": "default",
    }
    assert audit["runner"] == {"name": "here", "engines": ["PROBE"]}
    assert audit["metrics"] == {"ttfbMs": 110, "requestCount": 2, "lcpMs": None}
    assert audit["measurement"] == {
        "value": 110,
        "low": 100,
        "high": 120,
        "samples": 3,
        "rating": "GOOD",
        "metric": {"name": "TTFB", "title": "Time to First Byte", "unit": "MILLISECOND"},
    }
    assert [measured["metric"]["name"] for measured in audit["measurements"]] == ["TTFB", "PAGE_LOAD", "REQUEST_COUNT"]
    assert audit["missing"] is None
    assert audit["scores"] == [{"category": "delivery", "title": "Delivery", "score": 0.5}]
    assert audit["userTimings"] == [{"name": "ready", "startMs": 12, "durationMs": None}]
    assert audit["representativeRun"] == {"index": 2}
    assert [run["metrics"]["ttfbMs"] for run in audit["runs"]] == [120, 100, 110]
    assert audit["runs"][0]["report"] == {"kind": "REPORT", "contentType": "application/json"}
    assert audit["runs"][0]["screenshot"] is None
    assert audit["runs"][0]["filmstrip"] == [{"atMs": 300}]
    assert audit["runs"][0]["requests"] == {
        "nodes": [{"url": "http://127.0.0.1/final", "status": 200}],
        "pageInfo": {"hasNextPage": True},
    }
    assert [finding["rule"] for finding in audit["findings"]["nodes"]] == ["grave", "small"]
    assert audit["findings"]["nodes"][0]["evidence"] == [{"subject": "a", "detail": "b"}]
    assert audit["reportUrl"].startswith(f"http://pacemark.test/report/{id}?token=")


async def test_progress_begins_with_the_present_state_and_ends_after_the_last(asking: Asking) -> None:
    id = (await request(asking))["audit"]["id"]
    text = "subscription ($id: ID!) { auditProgress(audit: $id) { phase run runs audit { state metrics { ttfbMs } } } }"
    seen: list[Any] = []

    async def watch() -> None:
        async for event in asking.follow(text, id=id):
            seen.append(event["auditProgress"])  # noqa: PERF401 - each is to be seen as it comes

    watching = asyncio.create_task(watch())
    while not seen:
        await asyncio.sleep(0.01)
    await asking.measure(ToldEngine((120, 100)))
    await asyncio.wait_for(watching, 10)
    assert seen[0] == {"phase": "QUEUED", "run": None, "runs": 5, "audit": {"state": "QUEUED", "metrics": {"ttfbMs": None}}}
    assert seen[-1] == {"phase": "ENDED", "run": None, "runs": 5, "audit": {"state": "FINISHED", "metrics": {"ttfbMs": 110}}}
    assert len([event for event in seen if event["phase"] == "ENDED"]) == 1
    late = [event["auditProgress"]["phase"] async for event in asking.follow(text, id=id)]
    assert late == ["ENDED"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_progress_never_goes_back_over_steps_that_have_no_place_in_the_history_yet(asking: Asking) -> None:
    id = (await request(asking, runs=1))["audit"]["id"]
    await asking.settle()
    text = "subscription ($id: ID!) { auditProgress(audit: $id) { phase run } }"
    seen: list[Any] = []

    async def watch() -> None:
        async for event in asking.follow(text, id=id):
            seen.append(event["auditProgress"])  # noqa: PERF401 - each is to be seen as it comes

    engine = ToldEngine((120,), forever=True)
    async with asyncio.timeout(20):
        async with asking.database.work(SYSTEM) as work:
            await work.db.execute(select(history.History.id).with_for_update())  # nobody gives places meanwhile
            measuring = asyncio.create_task(asking.measure(engine))
            await engine.waits.wait()
            watching = asyncio.create_task(watch())
            while not seen:
                await asyncio.sleep(0.01)
        await asking.settle()
        while asking.hub.position < (await history.state(asking.database.reader)).last:
            await asyncio.sleep(0.01)
        await change(asking, "auditCancel", "audit { id }", audit=id)
        await watching
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)
    assert [step["phase"] for step in seen] == ["RECORDING", "ENDED"]


async def test_a_failure_says_who_has_to_act(asking: Asking) -> None:
    id = (await request(asking))["audit"]["id"]
    await asking.measure(ToldEngine((), EngineFailure(FailureKind.PAGE, "TLS_FAILURE", "The certificate has expired.")))
    text = "query ($id: ID!) { audit(id: $id) { state failure { kind code message retryable } page { latestAudit { id } } } }"
    assert (await asking.ask(text, id=id))["audit"] == {
        "state": "FAILED",
        "failure": {
            "kind": "PAGE",
            "code": "TLS_FAILURE",
            "message": "The certificate has expired.",
            "retryable": False,
        },
        "page": {"latestAudit": None},
    }


async def test_an_idempotency_key_gives_the_first_audit_again_and_refuses_other_input(asking: Asking) -> None:
    first = await request(asking, idempotencyKey="one")
    again = await request(asking, idempotencyKey="one")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["audit"]["id"] == first["audit"]["id"]
    other = await request(asking, idempotencyKey="one", runs=2)
    assert (other["__typename"], other["code"]) == ("Conflict", "KEY_REUSED")


async def test_two_requests_at_once_with_one_key_make_one_audit(asking: Asking) -> None:
    both = await asyncio.gather(*(request(asking, idempotencyKey="same") for _ in range(5)))
    assert len({answer["audit"]["id"] for answer in both}) == 1
    assert sorted(answer["replayed"] for answer in both) == [False, True, True, True, True]


async def test_bad_input_is_answered_with_all_its_faults_and_makes_nothing(asking: Asking) -> None:
    answer = await request(asking, environment="NO SPACES", runs=99)
    assert answer["__typename"] == "InvalidInput"
    assert [(fault["path"], fault["code"]) for fault in answer["fields"]] == [
        (["environment"], "MALFORMED"),
        (["runs"], "OUT_OF_RANGE"),
    ]
    for url, code in [
        ("not a url", "URL_INVALID"),
        ("ftp://example.com/", "URL_INVALID"),
        ("http://", "URL_INVALID"),
        ("http://user:pass@example.com/", "URL_INVALID"),
        ("http://exa mple.com/", "URL_INVALID"),
        ("http://example.com:99999/", "URL_INVALID"),
        ("http://example.com/" + "a" * 3000, "TOO_LONG"),
        ("", "REQUIRED"),
    ]:
        answer = await request(asking, target={"url": url})
        assert (answer["__typename"], answer["code"]) == ("InvalidInput", code), url
    listed = await asking.ask('{ workspace(slug: "acme") { sites { nodes { slug } } } }')
    assert listed["workspace"]["sites"]["nodes"] == []


async def test_a_viewer_may_not_request_and_nobody_is_told_to_sign_in(asking: Asking) -> None:
    answer = await request(asking.as_(Role.VIEWER))
    assert (answer["__typename"], answer["code"], answer["permission"]) == (
        "NotAllowed",
        "PERMISSION_MISSING",
        "AUDIT_REQUEST",
    )
    answer = await request(asking.as_(None))
    assert (answer["__typename"], answer["code"]) == ("NotAllowed", "NOT_SIGNED_IN")


async def test_ids_of_the_wrong_kind_and_unknown_ones_are_told_apart(asking: Asking) -> None:
    page = await request(asking, target={"page": asking.workspace})
    assert (page["__typename"], page["fields"]) == (
        "InvalidInput",
        [{"path": ["target", "page"], "code": "ID_WRONG_KIND"}],
    )
    unknown = "page_" + "0" * 32
    answer = await request(asking, target={"page": unknown})
    assert (answer["__typename"], answer["id"]) == ("NotFound", unknown)
    answer = await request(asking, target={"page": "nonsense"})
    assert answer["fields"][0]["code"] == "ID_MALFORMED"


async def test_a_cancelled_audit_cannot_be_cancelled_again(asking: Asking) -> None:
    id = (await request(asking))["audit"]["id"]
    text = """mutation ($id: ID!) { auditCancel(input: {audit: $id}) { __typename
      ... on AuditCancelPayload { audit { state finishedAt } }
      ... on Conflict { code existing { id __typename } } } }"""
    first = (await asking.ask(text, id=id))["auditCancel"]
    assert first["audit"]["state"] == "CANCELLED"
    second = (await asking.ask(text, id=id))["auditCancel"]
    assert second == {"__typename": "Conflict", "code": "STATE_CHANGED", "existing": {"id": id, "__typename": "Audit"}}


async def test_a_series_has_a_point_an_audit_or_one_an_interval(asking: Asking) -> None:
    for ttfb in (100, 300, 200):
        id = (await request(asking))["audit"]["id"]
        await asking.measure(ToldEngine((ttfb,)))
    profile = (await asking.ask("query ($id: ID!) { audit(id: $id) { profile { id } } }", id=id))["audit"]["profile"]["id"]
    text = """
    query ($id: ID!, $profile: ID!) { audit(id: $id) { page {
      all: timeSeries(metrics: [TTFB, LCP], profile: $profile) { metric { name } interval points { value audit { id } } }
      days: timeSeries(metrics: [TTFB], profile: $profile, interval: MONTH) { interval points { value low high samples } }
    } } }"""
    page = (await asking.ask(text, id=id, profile=profile))["audit"]["page"]
    assert [(series["metric"]["name"], series["interval"]) for series in page["all"]] == [("TTFB", "NONE"), ("LCP", "NONE")]
    assert [point["value"] for point in page["all"][0]["points"]] == [100, 300, 200]
    assert page["all"][0]["points"][-1]["audit"]["id"] == id
    assert page["all"][1]["points"] == []
    assert page["days"] == [{"interval": "MONTH", "points": [{"value": 200, "low": 100, "high": 300, "samples": 3}]}]
