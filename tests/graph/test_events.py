"""What happened in a workspace, read back page by page, with the cursors that the live events have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from domain import history
from domain.access import SYSTEM, Actor, Role
from domain.ids import Kind, encode, new_id
from domain.measuring import EngineFailure, FailureKind
from domain.work import Event, EventKind, StoredEvent
from tests.databases import Counter, new_workspace
from tests.domain.audits.engines import ToldEngine
from tests.graph.asking import Asking, asking
from tests.graph.changing import change
from tests.graph.filled import Sizes, fill

__all__ = ["asking"]

EVENT = """
  __typename cursor at
  ... on AuditEvent { kind state phase run audit { id state } }
  ... on ScheduleEvent { kind dueAt audits skipped reason schedule { id } }
"""
EVENTS = f"""query ($first: Int! = 20, $after: Cursor, $kinds: [EventKind!]) {{
  workspace(slug: "acme") {{
    eventCursor
    events(first: $first, after: $after, kinds: $kinds) {{
      nodes {{ {EVENT} }} edges {{ cursor node {{ cursor }} }} pageInfo {{ hasNextPage hasPreviousPage endCursor }}
    }}
  }}
}}"""


async def events(asking: Asking, **given: Any) -> Any:
    await asking.settle()
    return (await asking.ask(EVENTS, **given))["workspace"]


async def refused(asking: Asking, **given: Any) -> tuple[Any, Any]:
    (error,) = (await asking.whole(EVENTS, **given))["errors"]
    return error["path"], error["extensions"]["code"]


async def new_audit(asking: Asking) -> str:
    made = await change(asking, "auditRequest", "audit { id }", target={"url": "http://127.0.0.1:9/"})
    id: str = made["audit"]["id"]
    return id


async def say(asking: Asking, *events: Event) -> None:
    async with asking.database.work(SYSTEM) as work:
        for event in events:
            work.say(event)
    await asking.settle()


def ours(asking: Asking, counter: Counter) -> list[str]:
    """The statements without those of the hub, which looks in too."""
    heard = str(history.AFTER.statement.compile(dialect=asking.database.reads.dialect))
    return [statement for statement in counter.statements if statement != heard]


async def test_an_audits_life_is_told_step_by_step(asking: Asking) -> None:
    id = await new_audit(asking)
    await asking.measure(ToldEngine((120, 100)))
    answer = await events(asking)
    told = [(each["kind"], each["state"], each["phase"], each["run"]) for each in answer["events"]["nodes"]]
    assert told[:2] == [
        ("AUDIT_REQUESTED", "QUEUED", "QUEUED", None),
        ("AUDIT_STARTED", "RUNNING", "STARTING", None),
    ]
    assert ("AUDIT_PROGRESSED", "RUNNING", "RECORDING", 2) in told
    assert told[-1] == ("AUDIT_FINISHED", "FINISHED", "ENDED", None)
    assert all(each["audit"] == {"id": id, "state": "FINISHED"} for each in answer["events"]["nodes"])
    assert answer["events"]["pageInfo"]["endCursor"] == answer["eventCursor"]


async def test_failing_and_stopping_are_told(asking: Asking) -> None:
    await new_audit(asking)
    await asking.measure(ToldEngine((), EngineFailure(FailureKind.PAGE, "TLS_FAILURE", "Expired.")))
    await change(asking, "auditCancel", audit=await new_audit(asking))
    answer = await events(asking, kinds=["AUDIT_FAILED", "AUDIT_CANCELLED"])
    assert [(each["kind"], each["state"]) for each in answer["events"]["nodes"]] == [
        ("AUDIT_FAILED", "FAILED"),
        ("AUDIT_CANCELLED", "CANCELLED"),
    ]


async def test_a_schedule_that_was_due_is_told_with_what_came_of_it(asking: Asking) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=1, pages=1))
    schedule, gone = there.ids[Kind.SCHEDULE][0], new_id()
    due = "2026-11-22T06:00:00+00:00"
    fired, skipped = EventKind.SCHEDULE_FIRED, EventKind.SCHEDULE_SKIPPED
    await say(
        asking,
        Event(fired, asking.workspace_id, schedule, payload={"audits": 3, "skipped": 1, "due": due}),
        Event(skipped, asking.workspace_id, gone, payload={"reason": "NO_PAGES", "due": due}),
    )
    answer = await events(asking, kinds=["SCHEDULE_FIRED", "SCHEDULE_SKIPPED"])
    told = [{name: value for name, value in each.items() if name not in ("cursor", "at")} for each in answer["events"]["nodes"]]
    assert told == [
        {
            "__typename": "ScheduleEvent",
            "kind": "SCHEDULE_FIRED",
            "dueAt": "2026-11-22T06:00:00.000Z",
            "audits": 3,
            "skipped": 1,
            "reason": None,
            "schedule": {"id": encode(Kind.SCHEDULE, schedule)},
        },
        {
            "__typename": "ScheduleEvent",
            "kind": "SCHEDULE_SKIPPED",
            "dueAt": "2026-11-22T06:00:00.000Z",
            "audits": None,
            "skipped": None,
            "reason": "NO_PAGES",
            "schedule": None,
        },
    ]


async def test_what_happened_to_a_deleted_audit_stays_told(asking: Asking) -> None:
    id = await new_audit(asking)
    site = (await asking.ask("query ($id: ID!) { audit(id: $id) { page { site { id } } } }", id=id))["audit"]["page"]["site"]
    await change(asking, "siteDelete", site=site["id"])
    (told,) = (await events(asking))["events"]["nodes"]
    assert (told["kind"], told["audit"]) == ("AUDIT_REQUESTED", None)


async def test_the_history_is_walked_page_by_page_and_a_page_may_be_one_event(asking: Asking) -> None:
    await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=1, pages=5, snapshots=0))
    whole = (await events(asking))["events"]
    assert [edge["cursor"] for edge in whole["edges"]] == [edge["node"]["cursor"] for edge in whole["edges"]]
    for first in (1, 2, 5):
        walked: list[Any] = []
        page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
        while page["hasNextPage"]:
            answer = (await events(asking, first=first, after=page["endCursor"]))["events"]
            assert answer["pageInfo"]["hasPreviousPage"] is bool(walked)
            walked += answer["nodes"]
            page = answer["pageInfo"]
        assert walked == whole["nodes"]
    assert len(whole["nodes"]) == 5


async def test_an_empty_history_has_an_end_too(asking: Asking) -> None:
    answer = await events(asking)
    assert answer["events"]["nodes"] == []
    again = (await events(asking, after=answer["eventCursor"]))["events"]
    assert (again["nodes"], again["pageInfo"]["endCursor"]) == ([], None)
    await new_audit(asking)
    (told,) = (await events(asking, after=answer["eventCursor"]))["events"]["nodes"]
    assert told["kind"] == "AUDIT_REQUESTED"


async def test_the_cursor_is_read_before_all_else_of_the_same_query(asking: Asking) -> None:
    """Else what is written between the two would be in neither the state nor the events behind the cursor."""
    await new_audit(asking)
    counter = Counter(asking.database)
    await asking.ask('{ workspace(slug: "acme") { sites { nodes { slug } } eventCursor } }')
    read = [statement.partition("FROM ")[2].split()[0] for statement in ours(asking, counter)]
    assert read == ["history", "workspaces", "sites"]


async def test_a_cursor_from_elsewhere_is_refused_and_so_is_what_is_forgotten(asking: Asking) -> None:
    path = ["workspace", "events"]
    other, _ = await new_workspace(asking.database, "zebra")
    await new_audit(asking)
    before = (await events(asking))["eventCursor"]
    state = await history.state(asking.database.reader)
    sites = (await asking.ask('{ workspace(slug: "acme") { sites { pageInfo { endCursor } } } }'))["workspace"]["sites"]
    for after in (
        "",
        "nonsense",
        sites["pageInfo"]["endCursor"],
        history.cursor(state.id, other, 1),
        history.cursor(new_id(), asking.workspace_id, 1),
        history.cursor(state.id, asking.workspace_id, state.last + 1),
    ):
        assert await refused(asking, after=after) == (path, "CURSOR_INVALID"), after
    async with asking.database.work(SYSTEM) as work:
        await history.published(work, state.last)
        await work.db.execute(update(StoredEvent).values(at=datetime.now(UTC) - history.KEPT - timedelta(minutes=1)))
    await new_audit(asking)
    async with asking.database.work(SYSTEM) as work:
        assert await history.forget(work) == 1
    assert [each["kind"] for each in (await events(asking, after=before))["events"]["nodes"]] == ["AUDIT_REQUESTED"]
    forgotten = history.cursor(state.id, asking.workspace_id, 0)
    said = await asking.whole(EVENTS, after=forgotten)
    assert said["errors"][0]["message"] == (
        "What lies behind this cursor is forgotten: read the state anew, and go on from workspace.eventCursor."
    )
    assert (await events(asking))["events"]["pageInfo"]["hasPreviousPage"] is False


async def test_one_bad_cursor_does_not_spoil_another_list_of_the_same_query(asking: Asking) -> None:
    await new_audit(asking)
    await asking.settle()
    said = await asking.whole(
        '{ workspace(slug: "acme") { good: events { nodes { at } } bad: events(after: "x") { nodes { at } } } }'
    )
    assert [error["path"] for error in said["errors"]] == [["workspace", "bad"]]


async def test_an_empty_list_of_kinds_is_refused(asking: Asking) -> None:
    assert await refused(asking, kinds=[]) == (["workspace", "events"], "REQUIRED")
    assert await refused(asking, first=101) == (["workspace", "events"], "OUT_OF_RANGE")


async def test_another_workspaces_events_are_not_seen(asking: Asking) -> None:
    other, _ = await new_workspace(asking.database, "zebra")
    await fill(asking.database, other, asking.runner_id, Sizes(sites=1, pages=1))
    assert (await events(asking))["events"]["nodes"] == []
    for role in Role:
        assert (await events(asking.as_(role)))["events"]["nodes"] == []


async def test_many_workspaces_take_as_many_statements_as_one(asking: Asking) -> None:
    roles: dict[UUID, Role] = {asking.workspace_id: Role.VIEWER}
    for number in range(3):
        workspace, _ = await new_workspace(asking.database, f"zebra-{number}")
        await fill(asking.database, workspace, asking.runner_id, Sizes(sites=1, pages=3), mark=f"mark{number}")
        roles[workspace] = Role.VIEWER
    text = f"{{ viewer {{ workspaces {{ nodes {{ eventCursor events(first: 2) {{ nodes {{ {EVENT} }} }} }} }} }} }}"
    for seen in (dict([next(iter(roles.items()))]), roles):
        asking.actor = Actor(roles=seen)
        counter = Counter(asking.database)
        answer = await asking.ask(text)
        found = [len(each["events"]["nodes"]) for each in answer["viewer"]["workspaces"]["nodes"]]
        assert found == ([0] if len(seen) == 1 else [0, 2, 2, 2])
        # The history (before all else, and for the list), the workspaces, their events, their audits.
        assert len(ours(asking, counter)) == (4 if len(seen) == 1 else 5)
