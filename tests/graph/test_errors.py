"""What a client sees of an error: refusals with their codes, its own mistakes as they are, and nothing of our bugs."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.ids import Kind, encode, new_id
from graph.errors import MASK
from graph.loaders import Loaders
from tests.graph.asking import Asking, asking
from tests.graph.changing import asked, change

__all__ = ["asking"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SECRET = "password=hunter2 at 10.0.0.1"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a workspace is a bug."""
    break_loader(monkeypatch, "workspace_by_slug")


def break_loader(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Loaders.__dict__[name], "batch", fail)


def masked(said: Any, logs: Any, path: list[Any] | None) -> None:
    """One masked error at this path, one line in the log, and one trace id for both."""
    (error,) = said["errors"]
    assert error["message"] == MASK
    assert error.get("path") == path
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "traceId": error["extensions"]["traceId"]}
    assert len(error["extensions"]["traceId"]) == 32
    assert "hunter2" not in str(said)
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert (line["trace_id"], line["path"]) == (error["extensions"]["traceId"], path)
    assert SECRET in str(line["exc_info"])


@pytest.mark.usefixtures("broken")
async def test_a_bug_in_a_query_is_masked_and_logged_once(asking: Asking) -> None:
    with capture_logs() as logs:
        said = await asking.whole('{ metrics { name } there: workspace(slug: "acme") { id } }')
    assert said["data"]["there"] is None
    assert len(said["data"]["metrics"]) > 20
    masked(said, logs, ["there"])


async def test_a_bug_in_a_mutation_is_masked_and_logged_once(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("domain.sites.actions.rules.check_tags", fail)
    with capture_logs() as logs:
        said = await asking.whole(asked("siteCreate"), input={"workspace": asking.workspace, "origin": "https://x.example"})
    assert said["data"] is None
    masked(said, logs, ["siteCreate"])
    monkeypatch.undo()
    answer = await change(asking, "siteCreate", workspace=asking.workspace, origin="https://x.example")
    assert answer["__typename"] == "SiteCreatePayload"


async def test_a_bug_is_masked_in_each_event_and_in_the_source_of_a_subscription(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await change(asking, "auditRequest", "audit { id }", target={"url": "http://127.0.0.1:9/"})
    text = "subscription ($id: ID!) { auditProgress(audit: $id) { phase audit { page { path } } } }"

    async def first() -> Any:
        async with aclosing(asking.events(text, id=made["audit"]["id"])) as events:
            return await anext(events)

    for loader, path in (("page", ["auditProgress", "audit", "page"]), ("audit", None)):
        break_loader(monkeypatch, loader)
        with capture_logs() as logs:
            said = await first()
        assert said["data"] is None
        masked(said, logs, path)  # none leads to the source


@pytest.mark.usefixtures("broken")
async def test_two_bugs_have_two_traces(asking: Asking) -> None:
    with capture_logs() as logs:
        said = await asking.whole('{ a: workspace(slug: "a") { id } b: workspace(slug: "b") { id } }')
    traces = {error["extensions"]["traceId"] for error in said["errors"]}
    assert len(traces) == 2
    assert {line["trace_id"] for line in logs} == traces


async def test_a_refusal_in_a_query_has_its_code_and_is_not_logged(asking: Asking) -> None:
    unknown = encode(Kind.AUDIT, new_id())
    with capture_logs() as logs:
        for query, code in [
            ('{ site(id: "x") { id } }', "ID_MALFORMED"),
            (f'{{ site(id: "{unknown}") {{ id }} }}', "ID_WRONG_KIND"),
            ('{ workspace(slug: "acme") { sites(first: 0) { nodes { id } } } }', "OUT_OF_RANGE"),
            ('{ workspace(slug: "acme") { sites(after: "x") { nodes { id } } } }', "CURSOR_INVALID"),
        ]:
            (error,) = (await asking.whole(query))["errors"]
            assert error["extensions"]["code"] == code
            assert error["extensions"]["fields"][0]["code"] == code
    assert logs == []


WRONG = "A DateTime is written as RFC 3339 says, such as 2026-11-22T08:00:00Z."
MISTAKES = [
    ("{", "Syntax Error: Expected Name, found <EOF>."),
    ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
    (
        "query ($id: ID!) { site(id: $id) { id } }",
        "Variable '$id' has invalid value: Expected a value of non-null type 'ID!' to be provided.",
    ),
    (
        "{ metrics { thresholds(engine: MAGIC, formFactor: MOBILE) { good } } }",
        "Value does not exist in 'EngineName' enum.",
    ),
    ('{ page(id: "x") { audits(from: "yesterday") { nodes { id } } } }', WRONG),
    ('{ page(id: "x") { audits(to: "0001-01-01T00:00:00+14:00") { nodes { id } } } }', WRONG),
    (
        '{ page(id: "x") { audits(from: "2026-01-01T00:00:00") { nodes { id } } } }',
        "A DateTime needs a zone: end it in Z, or in an offset such as +01:00.",
    ),
]


async def test_a_clients_own_mistakes_are_told_as_they_are_and_not_logged(asking: Asking) -> None:
    with capture_logs() as logs:
        for query, message in MISTAKES:
            said = await asking.whole(query)
            assert list(said) == ["errors"]
            assert [error["message"] for error in said["errors"]] == [message]
    assert logs == []
