"""A workspace, watched: nothing is missed or told twice, and nobody watches longer than they may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain import history, keys
from domain.access import SYSTEM, Role
from domain.audits import Audit, AuditState
from domain.ids import Kind, decode, encode, new_id
from domain.measuring import Phase
from domain.work import StoredEvent
from graph import events as following
from graph import standing
from graph.audits import subscription
from infra.bus import hub as hubs
from infra.db.database import SqlDatabase
from tests.databases import Counter, new_workspace
from tests.domain.audits.engines import ToldEngine
from tests.feeding import feeding
from tests.graph.asking import Asking, asking
from tests.graph.changing import change
from tests.graph.test_events import EVENT, new_audit

__all__ = ["asking"]

WATCH = f"""subscription ($workspace: ID!, $after: Cursor, $kinds: [EventKind!], $sites: [ID!]) {{
  workspaceEvents(workspace: $workspace, after: $after, kinds: $kinds, sites: $sites) {{
    {EVENT}
    ... on Checkpoint {{ live }}
    ... on Lagged {{ missed since }}
    ... on HistoryLost {{ oldest }}
  }}
}}"""
PROGRESS = "subscription ($id: ID!) { auditProgress(audit: $id) { phase run audit { state } } }"


class Watcher:
    """Takes what is delivered one by one, and fails when nothing comes."""

    def __init__(self, results: AsyncGenerator[Any, None]) -> None:
        self._results = results

    async def result(self) -> Any:
        async with asyncio.timeout(20):
            return await anext(self._results)

    async def next(self) -> Any:
        result = await self.result()
        assert "errors" not in result, result
        (said,) = result["data"].values()
        return said

    async def events(self, number: int) -> list[Any]:
        """The next events; checkpoints are passed over."""
        found: list[Any] = []
        while len(found) < number:
            said = await self.next()
            assert said["__typename"] in ("AuditEvent", "Checkpoint"), said
            found += [said] if said["__typename"] == "AuditEvent" else []
        return found

    async def end(self) -> str:
        """The code of the error with which it ends; what still comes before is passed over."""
        while "errors" not in (result := await self.result()):
            pass
        with pytest.raises(StopAsyncIteration):
            await self.result()
        assert result["data"] is None
        (error,) = result["errors"]
        code: str = error["extensions"]["code"]
        return code


@asynccontextmanager
async def watching(asking: Asking, text: str = WATCH, **given: Any) -> AsyncGenerator[Watcher, None]:
    variables = {"workspace": asking.workspace, **given} if text is WATCH else given
    async with aclosing(asking.events(text, **variables)) as results:
        yield Watcher(results)


async def with_key(asking: Asking, role: Role = Role.MEMBER) -> Asking:
    """The same, asked with a key of its own."""
    async with asking.database.work(asking.actor) as work:
        keyring = asking.services.keyring
        text = await keys.issue(work, workspace_id=asking.workspace_id, name="ci", role=role, keyring=keyring)
    actor = await keys.actor_for_key(asking.database.reader, text, keyring)
    assert actor is not None
    return replace(asking, actor=actor)


async def revoke(owner: Asking, asking: Asking) -> None:
    assert asking.actor.key_id is not None
    async with owner.database.work(owner.actor) as work:
        await keys.revoke(work, key_id=asking.actor.key_id)


async def cursor(asking: Asking, sequence: int | None = None) -> str:
    await asking.settle()
    state = await history.state(asking.database.reader)
    return history.cursor(state.id, asking.workspace_id, state.last if sequence is None else sequence)


async def test_an_audit_is_seen_from_its_request_to_its_end(asking: Asking) -> None:
    async with watching(asking) as watcher:
        first = await watcher.next()
        assert first == {"__typename": "Checkpoint", "cursor": await cursor(asking), "at": first["at"], "live": True}
        id = await new_audit(asking)
        (requested,) = await watcher.events(1)
        assert (requested["kind"], requested["audit"]) == ("AUDIT_REQUESTED", {"id": id, "state": "QUEUED"})
        assert requested["cursor"] == await cursor(asking)
        await asking.measure(ToldEngine((120,)))
        told = []
        while not told or told[-1]["kind"] != "AUDIT_FINISHED":
            told += await watcher.events(1)
        # Each is told with the audit as it is when it is told, and not as the event before found it.
        assert told[-1]["audit"] == {"id": id, "state": "FINISHED"}
        assert [each["state"] for each in told] == ["RUNNING"] * (len(told) - 1) + ["FINISHED"]
    assert asking.hub._followers == {}


async def test_who_comes_back_with_the_last_cursor_sees_each_event_once_in_order(asking: Asking) -> None:
    number = 25

    async def write() -> None:
        for _ in range(number):
            await new_audit(asking)

    after = await cursor(asking)
    writing = asyncio.create_task(write())
    told: list[Any] = []
    takes = 0
    while len(told) < number:
        takes = takes % 5 + 1
        async with watching(asking, after=after) as watcher:
            for _ in range(takes + 1):  # the first says where it begins
                said = await watcher.next()
                after = said["cursor"]
                told += [said] if said["__typename"] == "AuditEvent" else []
                if len(told) == number:
                    break
    await writing
    read = '{ workspace(slug: "acme") { events(first: 100) { nodes { cursor ... on AuditEvent { audit { id } } } } } }'
    nodes = (await asking.ask(read))["workspace"]["events"]["nodes"]
    assert [{"cursor": each["cursor"], "audit": {"id": each["audit"]["id"]}} for each in told] == nodes


async def test_a_list_and_the_subscription_meet_without_a_seam(asking: Asking) -> None:
    await new_audit(asking)
    await asking.settle()
    read = (await asking.ask('{ workspace(slug: "acme") { eventCursor } }'))["workspace"]
    missed = await new_audit(asking)
    async with watching(asking, after=read["eventCursor"]) as watcher:
        first = await watcher.next()
        assert (first["__typename"], first["live"], first["cursor"]) == ("Checkpoint", False, read["eventCursor"])
        assert [each["audit"]["id"] for each in await watcher.events(1)] == [missed]


async def test_what_two_processes_write_is_told_in_both(asking: Asking) -> None:
    other = SqlDatabase(asking.database.url)
    async with feeding(other) as hub:
        there = replace(asking, database=other, hub=hub, services=replace(asking.services, database=other, feed=hub))
        async with watching(asking) as near, watching(there) as far:
            for watcher in (near, far):
                await watcher.next()
            ids = [await new_audit(asking), await new_audit(there)]
            for watcher in (near, far):
                assert [each["audit"]["id"] for each in await watcher.events(2)] == ids
    await other.close()


async def test_kinds_and_sites_are_chosen(asking: Asking) -> None:
    made = await change(asking, "siteCreate", "site { id }", workspace=asking.workspace, origin="http://127.0.0.1:9")
    after = await cursor(asking)
    async with watching(asking, after=after, kinds=["AUDIT_FINISHED"], sites=[made["site"]["id"]]) as watcher:
        id = await new_audit(asking)
        await change(asking, "auditRequest", target={"url": "http://elsewhere.example/"})
        await asking.measure(ToldEngine((120,)))
        await asking.measure(ToldEngine((120,)))
        (finished,) = await watcher.events(1)
        assert (finished["kind"], finished["audit"]["id"]) == ("AUDIT_FINISHED", id)


async def test_silence_is_broken_by_a_checkpoint_whose_cursor_moves(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SILENCE_SECONDS", 0.5)
    async with watching(asking, kinds=["AUDIT_FINISHED"]) as watcher:
        began = asyncio.get_running_loop().time()
        first = await watcher.next()
        await new_audit(asking)
        end = await cursor(asking)
        said = await watcher.next()
        assert asyncio.get_running_loop().time() - began >= 0.5
        while said["cursor"] != end:
            assert (said["__typename"], said["live"], said["cursor"]) == ("Checkpoint", True, first["cursor"])
            said = await watcher.next()


async def test_who_is_too_slow_is_told_so(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "QUEUE", 2)
    async with watching(asking) as watcher:
        since = (await watcher.next())["cursor"]
        for _ in range(5):
            await new_audit(asking)
        end = await cursor(asking)
        async with asyncio.timeout(10):
            while asking.hub.position < 5:
                await asyncio.sleep(0.01)
        lagged = await watcher.next()
        assert lagged == {
            "__typename": "Lagged",
            "cursor": await cursor(asking, 4),
            "at": lagged["at"],
            "missed": 4,
            "since": since,
        }
        assert [each["cursor"] for each in await watcher.events(1)] == [end]
    async with watching(asking, after=since) as watcher:
        assert len(await watcher.events(5)) == 5


async def test_a_forgotten_place_is_told_before_what_comes(asking: Asking) -> None:
    after = await cursor(asking)
    await new_audit(asking)
    oldest = await cursor(asking)
    async with asking.database.work(SYSTEM) as work:
        await history.published(work, 1)
        await work.db.execute(update(StoredEvent).values(at=datetime.now(UTC) - history.KEPT - timedelta(minutes=1)))
    async with asking.database.work(SYSTEM) as work:
        await history.forget(work)
    async with watching(asking, after=after) as watcher:
        lost, live = await watcher.next(), await watcher.next()
        assert (lost["__typename"], lost["cursor"], lost["oldest"]) == ("HistoryLost", oldest, oldest)
        assert (live["__typename"], live["live"]) == ("Checkpoint", True)
        id = await new_audit(asking)
        assert [each["audit"]["id"] for each in await watcher.events(1)] == [id]
    async with watching(asking, after=history.cursor(new_id(), asking.workspace_id, 1)) as watcher:
        assert (await watcher.next())["__typename"] == "HistoryLost"


async def test_what_cannot_be_watched_is_refused_with_its_code(asking: Asking) -> None:
    other, actor = await new_workspace(asking.database, "zebra")
    theirs = replace(asking, actor=actor, workspace_id=other)
    site = (await change(theirs, "siteCreate", "site { id }", workspace=theirs.workspace, origin="https://x.test"))["site"]
    state = await history.state(asking.database.reader)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"workspace": theirs.workspace}, "NOT_FOUND"),
        ({"workspace": encode(Kind.WORKSPACE, new_id())}, "NOT_FOUND"),
        ({"workspace": "nonsense"}, "ID_MALFORMED"),
        ({"workspace": site["id"]}, "ID_WRONG_KIND"),
        ({"sites": [site["id"]]}, "NOT_FOUND"),
        ({"sites": [encode(Kind.SITE, new_id())]}, "NOT_FOUND"),
        ({"sites": [asking.workspace]}, "ID_WRONG_KIND"),
        ({"sites": []}, "REQUIRED"),
        ({"sites": [encode(Kind.SITE, new_id())] * 101}, "TOO_MANY"),
        ({"kinds": []}, "REQUIRED"),
        ({"after": ""}, "CURSOR_INVALID"),
        ({"after": "nonsense"}, "CURSOR_INVALID"),
        ({"after": history.cursor(state.id, other, 0)}, "CURSOR_INVALID"),
    ]
    for given, code in cases:
        async with watching(asking, **given) as watcher:
            assert await watcher.end() == code, given
    both = replace(asking, actor=replace(actor, roles={**asking.actor.roles, **actor.roles}))
    async with watching(both, sites=[site["id"]]) as watcher:
        assert await watcher.end() == "NOT_FOUND"
    for text, given in ((WATCH, {}), (PROGRESS, {"id": await new_audit(asking)})):
        async with watching(asking.as_(None), text, **given) as watcher:
            assert await watcher.end() == "NOT_SIGNED_IN"
    assert asking.hub._followers == {}


@pytest.mark.parametrize("text", [WATCH, PROGRESS], ids=["workspaceEvents", "auditProgress"])
async def test_nothing_is_watched_with_a_revoked_key(asking: Asking, text: str) -> None:
    """Those who watch already are told by their transports."""
    given = {} if text is WATCH else {"id": await new_audit(asking)}
    bearer = await with_key(asking)
    await revoke(asking, bearer)
    async with watching(bearer, text, **given) as watcher:
        assert await watcher.end() == "NOT_SIGNED_IN"
    assert asking.hub._followers == {}


async def test_nothing_is_delivered_to_a_revoked_key(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "FRESH_SECONDS", 0.0)
    bearer = await with_key(asking)
    async with watching(bearer) as watcher:
        await watcher.next()
        await new_audit(asking)
        assert len(await watcher.events(1)) == 1
        await revoke(asking, bearer)
        await new_audit(asking)
        result = await watcher.result()
        assert (result["data"], result["errors"][0]["extensions"]["code"]) == (None, "NOT_SIGNED_IN")


async def test_a_key_is_read_once_however_many_watch_with_it(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "FRESH_SECONDS", 30.0)
    bearer = await with_key(asking)
    counter = Counter(asking.database)
    async with watching(bearer) as one, watching(bearer) as other:
        await asyncio.gather(one.next(), other.next())
        for _ in range(3):
            await new_audit(asking)
        await asyncio.gather(one.events(3), other.events(3))
    assert len([statement for statement in counter.statements if "FROM api_keys" in statement]) == 1


async def test_progress_never_goes_back_and_ends_after_the_last_step(asking: Asking) -> None:
    id = await new_audit(asking)
    async with watching(asking, PROGRESS, id=id) as watcher:
        steps = [await watcher.next()]
        await asking.measure(ToldEngine((120, 100)))
        while steps[-1]["phase"] != "ENDED":
            steps.append(await watcher.next())
        with pytest.raises(StopAsyncIteration):
            await watcher.result()
    order = [phase.name for phase in Phase]
    places = [(each["run"] or (0 if each["phase"] != "ENDED" else 9), order.index(each["phase"])) for each in steps]
    assert steps[0] == {"phase": "QUEUED", "run": None, "audit": {"state": "QUEUED"}}
    assert places == sorted(places)
    assert asking.hub._followers == {}


async def test_progress_looks_at_the_audit_itself_now_and_then(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a word ever be lost, nobody waits for ever."""
    monkeypatch.setattr(subscription, "LOOK_SECONDS", 0.2)
    id = await new_audit(asking)
    async with watching(asking, PROGRESS, id=id) as watcher:
        await watcher.next()
        async with asking.database.work(SYSTEM) as work:  # without a word
            of = update(Audit).where(Audit.id == decode(Kind.AUDIT, id))
            await work.db.execute(of.values(state=AuditState.CANCELLED, phase=Phase.ENDED))
        assert (await watcher.next())["audit"] == {"state": "CANCELLED"}
        with pytest.raises(StopAsyncIteration):
            await watcher.result()


async def test_progress_of_an_audit_that_is_deleted_completes(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "LOOK_SECONDS", 0.2)
    id = await new_audit(asking)
    async with watching(asking, PROGRESS, id=id) as watcher:
        await watcher.next()
        query = "query ($id: ID!) { audit(id: $id) { page { site { id } } } }"
        site = (await asking.ask(query, id=id))["audit"]["page"]["site"]["id"]
        await change(asking, "siteDelete", site=site)
        with pytest.raises(StopAsyncIteration):
            await watcher.result()
