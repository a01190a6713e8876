"""Work that was given up: seen, replayed with what it is about, dropped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from domain import audits, jobs, reactions
from domain.access import SYSTEM, Role
from domain.errors import NotFound
from domain.ids import Kind, decode, encode, new_id
from domain.measuring import EngineName
from domain.work import StoredJob
from tests.databases import Counter, everybodys, new_workspace
from tests.domain.audits.engines import ToldEngine
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults, rows
from tests.graph.filled import Sizes, fill

__all__ = ["asking"]

JOB = "id kind requestedAt deadAt deliveries error subject { __typename id ... on Audit { state failure { code } } }"
DEAD = f"""query ($first: Int! = 20, $after: Cursor) {{ workspace(slug: "acme") {{
  deadJobs(first: $first, after: $after) {{ nodes {{ {JOB} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
AUDIT = "query ($id: ID!) { audit(id: $id) { state finishedAt failure { code } } }"


async def kill_workers(asking: Asking) -> None:
    """Worker after worker takes the waiting audit and is never seen again, until nobody wants it any more."""
    clock = asking.database._clock
    for number in range(jobs.MAX_DELIVERIES):
        moment = datetime.now(UTC) + number * timedelta(minutes=5)
        asking.database._clock = lambda moment=moment: moment  # type: ignore[misc]
        probe = [EngineName.PROBE]
        assert await audits.take(asking.database, runner_id=asking.runner_id, pool="default", engines=probe) is not None
        asking.database._clock = lambda moment=moment: moment + jobs.CLAIM + timedelta(seconds=1)  # type: ignore[misc]
        async with asking.database.work(SYSTEM) as work:
            await audits.sweep(work)
    asking.database._clock = clock


async def dead_audit(asking: Asking) -> tuple[str, Any]:
    """An audit whose workers all died, and its dead job."""
    made = await change(asking, "auditRequest", "audit { id }", target={"url": "http://127.0.0.1:9/"})
    await kill_workers(asking)
    newest, *_ = (await dead(asking))["nodes"]
    return made["audit"]["id"], newest


async def dead(asking: Asking, **given: Any) -> Any:
    return (await asking.ask(DEAD, **given))["workspace"]["deadJobs"]


async def test_what_was_given_up_is_listed_with_what_it_is_about(asking: Asking) -> None:
    assert await dead(asking) == {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    audit, job = await dead_audit(asking)
    assert job == {
        "id": job["id"],
        "kind": "audits.probe",
        "requestedAt": job["requestedAt"],
        "deadAt": job["deadAt"],
        "deliveries": 3,
        "error": "Its worker disappeared 3 times while working on it.",
        "subject": {"__typename": "Audit", "id": audit, "state": "FAILED", "failure": {"code": "WORKER_LOST"}},
    }
    assert job["deadAt"] > job["requestedAt"]
    again = await asking.ask(f"query ($id: ID!) {{ node(id: $id) {{ ... on DeadJob {{ {JOB} }} }} }}", id=job["id"])
    assert again["node"] == job


async def test_a_replayed_job_and_its_audit_wait_again_and_can_be_measured(asking: Asking) -> None:
    audit, job = await dead_audit(asking)
    answer = await change(asking, "jobReplay", "jobId subject { ... on Audit { id state } }", job=job["id"])
    assert answer == {
        "__typename": "JobReplayPayload",
        "jobId": job["id"],
        "subject": {"id": audit, "state": "QUEUED"},
    }
    assert (await dead(asking))["nodes"] == []
    assert (await asking.ask("query ($id: ID!) { node(id: $id) { id } }", id=job["id"]))["node"] is None
    assert (await asking.ask(AUDIT, id=audit))["audit"] == {"state": "QUEUED", "finishedAt": None, "failure": None}
    await asking.measure(ToldEngine((120,)))
    assert (await asking.ask(AUDIT, id=audit))["audit"]["state"] == "FINISHED"
    assert await rows(asking, "jobs") == [1], "its own is gone; another one is to look at what was measured"


async def test_a_replayed_job_may_be_taken_as_often_as_a_new_one(asking: Asking) -> None:
    _, job = await dead_audit(asking)
    await change(asking, "jobReplay", job=job["id"])
    await kill_workers(asking)
    (again,) = (await dead(asking))["nodes"]
    assert (again["id"], again["deliveries"]) == (job["id"], 3)


async def test_a_dropped_job_is_gone_and_its_audit_stays_failed(asking: Asking) -> None:
    audit, job = await dead_audit(asking)
    answer = await change(asking, "jobDrop", "jobId subject { id }", job=job["id"])
    assert answer == {"__typename": "JobDropPayload", "jobId": job["id"], "subject": {"id": audit}}
    assert (await asking.ask(AUDIT, id=audit))["audit"]["state"] == "FAILED"
    assert await rows(asking, "jobs") == [0]


async def test_what_is_not_dead_is_not_found(asking: Asking) -> None:
    _, job = await dead_audit(asking)
    await change(asking, "jobReplay", job=job["id"])
    for mutation in ("jobReplay", "jobDrop"):
        for id in (job["id"], encode(Kind.JOB, new_id())):
            answer = await change(asking, mutation, job=id)
            assert (answer["__typename"], answer["code"], answer["id"]) == ("NotFound", "NOT_FOUND", id)
        assert faults(await change(asking, mutation, job="nonsense")) == [(["job"], "ID_MALFORMED")]
        assert faults(await change(asking, mutation, job=asking.workspace)) == [(["job"], "ID_WRONG_KIND")]
    assert await rows(asking, "jobs") == [1]


async def test_only_who_may_write_jobs_replays_and_drops_them(asking: Asking) -> None:
    _, job = await dead_audit(asking)
    for mutation in ("jobReplay", "jobDrop"):
        for role in (Role.VIEWER, Role.MEMBER):
            answer = await change(asking.as_(role), mutation, job=job["id"])
            assert (answer["__typename"], answer["permission"]) == ("NotAllowed", "JOB_WRITE")
        answer = await change(asking.as_(None), mutation, job=job["id"])
        assert (answer["__typename"], answer["code"]) == ("NotAllowed", "NOT_SIGNED_IN")
    assert [each["id"] for each in (await dead(asking.as_(Role.VIEWER)))["nodes"]] == [job["id"]]
    assert (await change(asking.as_(Role.ADMIN), "jobDrop", job=job["id"]))["__typename"] == "JobDropPayload"


async def test_of_two_at_once_one_replays_or_drops(asking: Asking) -> None:
    for together in (["jobReplay"] * 3, ["jobReplay", "jobDrop"], ["jobDrop"] * 3):
        _, job = await dead_audit(asking)
        answers = await asyncio.gather(*(change(asking, mutation, job=job["id"]) for mutation in together))
        assert sorted(answer["__typename"] == "NotFound" for answer in answers) == [False] + [True] * (len(together) - 1)
        if await rows(asking, "jobs") == [1]:
            await asking.measure(ToldEngine((120,)))


async def test_a_job_of_a_deleted_audit_has_no_subject_and_is_done_with(asking: Asking) -> None:
    audit, job = await dead_audit(asking)
    query = "query ($id: ID!) { audit(id: $id) { page { site { id } } } }"
    await change(asking, "siteDelete", site=(await asking.ask(query, id=audit))["audit"]["page"]["site"]["id"])
    assert [(each["id"], each["subject"]) for each in (await dead(asking))["nodes"]] == [(job["id"], None)]
    answer = await change(asking, "jobReplay", "subject { id }", job=job["id"])
    assert answer == {"__typename": "JobReplayPayload", "subject": None}
    probe = [EngineName.PROBE]
    assert await audits.take(asking.database, runner_id=asking.runner_id, pool="default", engines=probe) is None
    assert await rows(asking, "jobs") == [0]


async def test_a_kind_that_nobody_knows_is_replayed_alone(asking: Asking) -> None:
    now = datetime.now(UTC)
    kept = {"id": new_id(), "kind": "mails", "workspace_id": asking.workspace_id, "subject": new_id(), "priority": 0}
    async with everybodys(asking.database) as connection:
        await connection.execute(insert(StoredJob), {**kept, "at": now, "ready_at": now, "deliveries": 3, "dead_at": now})
    (job,) = (await dead(asking))["nodes"]
    assert (job["kind"], job["subject"], job["error"]) == ("mails", None, None)
    assert (await change(asking, "jobReplay", job=job["id"]))["__typename"] == "JobReplayPayload"
    with pytest.raises(NotFound):
        async with asking.database.work(asking.actor) as work:
            await reactions.replay(work, job_id=decode(Kind.JOB, job["id"]))


async def test_the_newest_come_first_page_by_page(asking: Asking) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=1, pages=5))
    walked: list[str] = []
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        answer = await dead(asking, first=2, after=page["endCursor"])
        walked += [each["id"] for each in answer["nodes"]]
        page = answer["pageInfo"]
    assert walked == there.readable(Kind.JOB)[::-1]
    other, actor = await new_workspace(asking.database, "zebra")
    asking.actor, asking.workspace_id = actor, other
    text = '{ workspace(slug: "zebra") { deadJobs { nodes { id } } } }'
    assert (await asking.ask(text))["workspace"]["deadJobs"]["nodes"] == []


@pytest.mark.parametrize("pages", [1, 9])
async def test_many_take_as_many_statements_as_one(asking: Asking, pages: int) -> None:
    await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=1, pages=pages))
    counter = Counter(asking.database)
    assert len((await dead(asking))["nodes"]) == pages
    assert len([each for each in counter.statements if "FROM events" not in each]) == 3
