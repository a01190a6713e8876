"""Whoever has single sites of a workspace sees and changes those, and nothing else of it: the whole schema is walked."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain.access import GRANTS, OF_SITES, SYSTEM, Actor, Role
from domain.base import Base
from domain.ids import Kind, encode, new_id
from domain.measuring import Phase
from domain.work import Event, EventKind, StoredJob
from graph.errors import MASK
from graph.marks import permission_of
from graph.schema import schema
from graph.standing import Standing
from tests.databases import everybodys
from tests.domain.workspaces import people
from tests.graph.asking import Asking, asking
from tests.graph.bounds import boundless
from tests.graph.changing import change
from tests.graph.filled import Filled, Sizes, fill
from tests.graph.visiting import Visiting, visiting
from tests.graph.walking import OF_PEOPLE, Operation, Owner, changing, paths, reading, stand, watching

__all__ = ["asking", "boundless"]

pytestmark = pytest.mark.usefixtures("boundless")

ONE_SITE = Sizes(sites=1)
WHOLE_WORKSPACES = (Kind.CLIENT, Kind.DOCUMENT, Kind.JOB, Kind.KEY)
GENERAL = {"origin": "https://new.example", "path": "/new", "version": "1", "text": "{ __typename }", "Workspace.slug": "acme"}
REFUSALS = ("NotFound", "NotAllowed")
EVENTS = """subscription ($workspace: ID!, $after: Cursor, $sites: [ID!]) {
  workspaceEvents(workspace: $workspace, after: $after, sites: $sites) {
    __typename ... on Checkpoint { live } ... on AuditEvent { audit { id } }
  }
}"""


@dataclass
class Agency:
    """A workspace with two sites, one of which is the asker's. `secrets` is what they may never see."""

    asking: Asking
    site: UUID
    own: Owner
    foreign: Owner
    mine: Filled
    theirs: Filled
    since: str
    secrets: set[str]

    def client(self, role: Role = Role.MEMBER) -> Asking:
        return replace(self.asking, actor=self.actor(role))

    def actor(self, role: Role = Role.MEMBER, key_id: UUID | None = None) -> Actor:
        workspace_id = self.asking.workspace_id
        return Actor({workspace_id: role}, key_id=key_id, sites={workspace_id: frozenset({self.site})})

    async def kept(self) -> dict[str, list[str]]:
        """Every row of the workspace that is not the site's: of jobs, those that were given up."""
        rows: dict[str, list[str]] = {}
        async with everybodys(self.asking.database) as connection:
            for name, table in Base.metadata.tables.items():
                site = table.c.id if name == "sites" else table.c.get("site_id")
                if "workspace_id" in table.c:
                    statement = select(table).where(table.c.workspace_id == self.asking.workspace_id)
                    statement = statement.where(site != self.site) if site is not None else statement
                    statement = statement.where(StoredJob.dead_at.is_not(None)) if name == "jobs" else statement
                    rows[name] = sorted(map(repr, await connection.execute(statement)))
        return rows

    def leaks(self, said: Any) -> set[str]:
        assert MASK not in str(said)
        text = json.dumps(said, default=str).lower()
        return {secret for secret in self.secrets if secret in text}


async def whole(asking: Asking, operation: Operation) -> Any:
    return await asking.whole(operation.text, **operation.variables)


def owner(asking: Asking, there: Filled, mark: str) -> Owner:
    ids = {kind: there.readable(kind)[0] if kind in there.ids else encode(kind, new_id()) for kind in Kind}
    ids[Kind.RUNNER] = encode(Kind.RUNNER, asking.runner_id)
    texts = {"Site.slug": f"{mark}-0", "Page.path": f"/{mark}/000", "search": mark, "tags": mark}
    return Owner(ids, defaultdict(lambda: "new", texts | GENERAL))


@pytest.fixture
async def agency(asking: Asking) -> Agency:
    since = (await asking.ask('{ workspace(slug: "acme") { eventCursor } }'))["workspace"]["eventCursor"]
    filled = [fill(asking.database, asking.workspace_id, asking.runner_id, ONE_SITE, mark) for mark in ("zebras", "walled")]
    mine, theirs = [await each for each in filled]
    shared = set(theirs.ids[Kind.PROFILE]) | {asking.workspace_id}
    hidden = [id for ids in theirs.ids.values() for id in ids if id not in shared]
    hidden += [id for kind in WHOLE_WORKSPACES for id in mine.ids[kind]]
    for there, mark in ((mine, "zebras"), (theirs, "walled")):
        headers = [{"name": f"{mark}-header", "value": f"{mark} secret"}]
        await change(asking, "siteAccessSet", site=there.readable(Kind.SITE)[0], headers=headers)
    return Agency(
        asking,
        mine.ids[Kind.SITE][0],
        owner(asking, mine, "zebras"),
        owner(asking, theirs, "walled"),
        mine,
        theirs,
        since,
        {"walled", *(id.hex for id in hidden)},
    )


Enter = Callable[[Role], Awaitable[Asking]]


@pytest.fixture(params=["an actor", pytest.param("a person over HTTP", marks=pytest.mark.slow)])
async def enter(request: pytest.FixtureRequest, agency: Agency) -> AsyncGenerator[Enter, None]:
    """Gives the client who has the one site: a crafted actor, or a member who has signed in and brings a token."""

    async def crafted(role: Role) -> Asking:
        return agency.client(role)

    async def signed_in(role: Role) -> Asking:
        asking = agency.asking
        member = await people.join(asking.database, asking.workspace_id, "client@example.com", role, agency.site)
        assert member.user_id is not None
        return await visits.enter_async_context(visiting(asking, member.user_id))

    async with AsyncExitStack() as visits:
        yield crafted if request.param == "an actor" else signed_in


@pytest.mark.slow
async def test_nothing_of_another_site_can_be_read(agency: Agency, enter: Enter) -> None:
    client, before = await enter(Role.MEMBER), await agency.kept()
    cursors: dict[str, str] = {}
    for operation in reading(agency.foreign, agency.foreign, {}):
        said = json.dumps(await whole(agency.asking, operation))
        for part in said.split('_endCursor": "')[1:]:
            cursors.setdefault(operation.what, part.partition('"')[0])
    assert len(cursors) > 5
    walked: set[str] = set()
    for operation in reading(agency.own, agency.foreign, cursors):
        assert agency.leaks(await whole(client, operation)) == set(), operation
        walked.add(operation.what)
    assert walked == {
        f"{name}.{field}"
        for name in ("Query", *paths())
        for field in schema._schema.type_map[name].fields  # type: ignore[attr-defined]
    }
    assert await agency.kept() == before


async def test_the_same_walk_shows_the_own_site(agency: Agency, enter: Enter) -> None:
    """Without this, a walk that reaches nothing would prove nothing."""
    client, seen = await enter(Role.VIEWER), set[str]()
    for operation in reading(agency.own, agency.own, {}):
        said = await whole(client, operation)
        assert agency.leaks(said) == set(), operation
        if "zebras" in json.dumps(said):
            seen.add(operation.what)
    assert {"Query.node", "Query.nodes", "Site.access", "Audit.findings", "Run.requests", "Workspace.schedules"} <= seen
    assert {"Workspace.sites", "Workspace.pages", "Workspace.events", "Page.audits", "Page.latestAudit"} <= seen
    reached = set()
    for name, path in paths().items():
        body, text = stand(path, agency.own, "{ __typename }")
        said = await whole(client, Operation(name, text.operation("query", body), text.variables))
        if f'"__typename": "{name}"' in json.dumps(said):
            reached.add(name)
    assert {
        "Site",
        "Page",
        "Audit",
        "Run",
        "Finding",
        "Artifact",
        "Schedule",
        "Budget",
        "Breach",
        "BudgetResult",
        "Series",
        "Profile",
        "Workspace",
    } <= reached
    assert {"ApiClient", "Document", "DeadJob", "ApiKey"} & reached == set()


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ADMIN, Role.OWNER])
async def test_nothing_of_another_site_or_of_the_whole_workspace_can_be_changed(
    agency: Agency, enter: Enter, role: Role
) -> None:
    client, before = await enter(role), await agency.kept()
    assert schema._schema.mutation_type is not None
    walked: set[str] = set()
    for operation in changing(agency.own, agency.foreign):
        walked.add(operation.what)
        if operation.what == "workspaceLeave" and isinstance(client, Visiting):  # they may, and were nobody afterwards
            continue
        said = await whole(client, operation)
        assert agency.leaks(said) == set(), operation
        (answer,) = said["data"].values()
        permission, foreign = (
            permission_of(schema._schema.mutation_type.fields[operation.what]),
            agency.leaks(operation.variables),
        )
        if permission in GRANTS[role] & OF_SITES:
            # An audit of a page that they do not see is refused as one of an address that is on no site of theirs.
            if foreign:
                assert answer["__typename"] == ("NotAllowed" if operation.what == "auditRequest" else "NotFound"), operation
        elif permission or foreign:
            assert answer["__typename"] in REFUSALS, (operation, answer)
        assert await agency.kept() == before, operation
    assert walked == set(schema._schema.mutation_type.fields) - OF_PEOPLE


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.ADMIN])
async def test_the_own_site_is_changed_by_whoever_may(agency: Agency, enter: Enter, role: Role) -> None:
    client, may = await enter(role), set[str]()
    last = ("budgetDelete", "scheduleDelete", "pageDelete", "siteDelete", "workspaceLeave")
    for operation in sorted(
        changing(agency.own, agency.own), key=lambda each: last.index(each.what) if each.what in last else -1
    ):
        (answer,) = (await whole(client, operation))["data"].values()
        ours = ("audit", "budget", "page", "schedule", "site")
        if operation.what.startswith(ours) and answer["__typename"] not in REFUSALS:
            may.add(operation.what)
    of_site = {"siteUpdate", "siteDelete", "pageCreate", "pageUpdate", "pageDelete", "auditRequest"}
    of_site |= {
        "scheduleCreate",
        "scheduleUpdate",
        "schedulePause",
        "scheduleResume",
        "scheduleDelete",
        "scheduleRun",
        "auditCancel",
        "budgetCreate",
        "budgetUpdate",
        "budgetTighten",
        "budgetDelete",
        "budgetsImport",
    }
    of_access = {"siteAccessSet", "siteAccessClear"}
    assert may == {Role.VIEWER: set(), Role.MEMBER: of_site, Role.ADMIN: of_site | of_access}[role]


async def test_an_address_may_be_a_new_page_of_the_own_site_and_no_other(agency: Agency) -> None:
    client, before = agency.client(), await agency.kept()

    async def request(url: str) -> Any:
        return await change(client, "auditRequest", "audit { page { path site { id } } }", target={"url": url})

    made = await request("https://zebras-0.example/not/yet/there")
    assert made["audit"]["page"] == {"path": "/not/yet/there", "site": {"id": agency.own.ids[Kind.SITE]}}
    elsewhere = [await request(url) for url in ("https://walled-0.example/walled/000", "https://new.example/")]
    assert [answer["__typename"] for answer in elsewhere] == ["NotAllowed", "NotAllowed"]
    assert elsewhere[0] == elsewhere[1]
    assert await agency.kept() == before


async def test_nothing_of_another_site_can_be_watched(agency: Agency, enter: Enter) -> None:
    client = await enter(Role.MEMBER)
    for operation in watching(agency.own, agency.foreign):
        if agency.leaks(operation.variables):
            said = [event async for event in client.events(operation.text, **operation.variables)]
            assert [each["data"] for each in said] == [None], operation
            assert said[0]["errors"][0]["extensions"]["code"] == "NOT_FOUND"
            assert agency.leaks(said) == set()


async def say(agency: Agency, there: Filled) -> str:
    """Something happens to an audit, whose id this is."""
    audit_id, site_id = there.ids[Kind.AUDIT][0], there.ids[Kind.SITE][0]
    payload = {"state": "FINISHED", "phase": Phase.ENDED, "run": None}
    async with agency.asking.database.work(SYSTEM) as work:
        work.say(Event(EventKind.AUDIT_FINISHED, agency.asking.workspace_id, audit_id, site_id, payload))
    await agency.asking.settle()
    return encode(Kind.AUDIT, audit_id)


async def next_of(events: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(20):
        told = await anext(events)
    assert "errors" not in told, told
    return told["data"]["workspaceEvents"]


async def test_the_own_sites_events_are_heard_and_no_others(agency: Agency) -> None:
    client, before = agency.client(Role.VIEWER), await say(agency, agency.theirs)
    given = {"workspace": client.workspace, "after": agency.since}
    async with aclosing(client.events(EVENTS, **given)) as events:
        assert await next_of(events) == {"__typename": "Checkpoint", "live": False}
        missed = [await next_of(events) for kind in (Kind.SNAPSHOT, Kind.AUDIT) for _ in agency.mine.ids[kind]]
        assert [event["audit"]["id"] for event in missed if "audit" in event] == agency.mine.readable(Kind.AUDIT)
        assert await next_of(events) == {"__typename": "Checkpoint", "live": True}
        assert await say(agency, agency.theirs) == before
        own = await say(agency, agency.mine)
        assert await next_of(events) == {"__typename": "AuditEvent", "audit": {"id": own}}


async def test_whoever_has_no_site_any_more_hears_nothing(agency: Agency) -> None:
    workspace_id = agency.asking.workspace_id
    client = replace(agency.asking, actor=Actor({workspace_id: Role.VIEWER}, sites={workspace_id: frozenset()}))
    async with aclosing(client.events(EVENTS, workspace=client.workspace, after=agency.since)) as events:
        assert await next_of(events) == {"__typename": "Checkpoint", "live": False}
        assert await next_of(events) == {"__typename": "Checkpoint", "live": True}


def later() -> float:
    """Nobody is asked again until then who the actor is."""
    return asyncio.get_running_loop().time() + 60


def known(agency: Agency, actor: Actor) -> Standing:
    standing = agency.asking.services.standings.of(actor)
    standing.learn(actor, later())
    return standing


@pytest.mark.parametrize("chosen", [True, False])
async def test_a_site_that_is_taken_away_is_heard_of_no_more(agency: Agency, chosen: bool) -> None:
    actor = agency.actor(key_id=new_id())
    standing = known(agency, actor)
    client = replace(agency.asking, actor=actor)
    given = {"workspace": client.workspace} | ({"sites": agency.mine.readable(Kind.SITE)} if chosen else {})
    async with aclosing(client.events(EVENTS, **given)) as events:
        assert await next_of(events) == {"__typename": "Checkpoint", "live": True}
        standing.learn(replace(actor, sites={client.workspace_id: frozenset(agency.theirs.ids[Kind.SITE])}), later())
        await say(agency, agency.mine)
        told = [event async for event in events]
    assert [(each["data"], each["errors"][0]["extensions"]["code"]) for each in told] == [(None, "PERMISSION_MISSING")]


async def test_an_audit_of_a_site_that_is_taken_away_is_followed_no_more(agency: Agency) -> None:
    actor = agency.actor(key_id=new_id())
    standing = known(agency, actor)
    client = replace(agency.asking, actor=actor)
    page = agency.mine.readable(Kind.PAGE)[0]
    made = await change(client, "auditRequest", "audit { id }", target={"page": page})
    text = "subscription ($audit: ID!) { auditProgress(audit: $audit) { phase } }"
    async with aclosing(client.events(text, audit=made["audit"]["id"])) as events:
        assert (await anext(events))["data"] == {"auditProgress": {"phase": "QUEUED"}}
        standing.learn(replace(actor, sites={client.workspace_id: frozenset()}), later())
        assert (await change(agency.asking, "auditCancel", audit=made["audit"]["id"]))["__typename"] == "AuditCancelPayload"
        told = [event async for event in events]
    assert [(each["data"], each["errors"][0]["extensions"]["code"]) for each in told] == [(None, "PERMISSION_MISSING")]
