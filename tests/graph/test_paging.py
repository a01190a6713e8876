"""Every connection is walked in both directions without losing or repeating a row, and takes no cursor but its own."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import delete, insert, update

from domain import accounts, audits, keys, security, sites
from domain.access import SYSTEM, Actor, Role
from domain.ids import Kind, encode, new_id, parse
from domain.security import SecurityKind
from domain.workspaces import Invitation, Member
from graph.schema import schema
from tests.databases import everybodys, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.filled import Filled, Sizes, fill

__all__ = ["asking"]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ROWS = 7
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@dataclass(frozen=True)
class List:
    """Where a connection is found: `text` has ARGS where it stands, `key` tells its nodes apart."""

    text: str
    key: str
    sizes: Sizes
    parent: Kind | None = None
    backward: bool = False


LISTS: Mapping[str, List] = {
    "Viewer.workspaces": List("viewer { workspaces ARGS }", "slug", Sizes()),
    "Workspace.sites": List('workspace(slug: "acme") { sites ARGS }', "id", Sizes(sites=ROWS, pages=0)),
    "Workspace.pages": List('workspace(slug: "acme") { pages ARGS }', "id", Sizes(sites=ROWS, pages=1, audits=0)),
    "Workspace.pages, newest first": List(
        'workspace(slug: "acme") { pages(orderBy: { by: NEWEST }) ARGS }', "id", Sizes(sites=ROWS, pages=1, audits=0)
    ),
    "Workspace.pages, worst first": List(
        'workspace(slug: "acme") { pages(orderBy: { by: VALUE, metric: TTFB }) ARGS }', "id", Sizes(sites=ROWS, pages=1)
    ),
    "Workspace.pages, what changed first": List(
        'workspace(slug: "acme") { pages(orderBy: { by: CHANGE, metric: TTFB }) ARGS }', "id", Sizes(sites=ROWS, pages=1)
    ),
    "Workspace.pages, not measured": List(
        'workspace(slug: "acme") { pages(orderBy: { by: CHANGE, metric: LCP }) ARGS }', "id", Sizes(sites=ROWS, pages=1)
    ),
    "Site.pages": List("node(id: $parent) { ... on Site { pages ARGS } }", "id", Sizes(1, ROWS, 0), Kind.SITE),
    "Page.audits": List("node(id: $parent) { ... on Page { audits ARGS } }", "id", Sizes(1, 1, ROWS, 0), Kind.PAGE, True),
    "Workspace.schedules": List('workspace(slug: "acme") { schedules ARGS }', "id", Sizes(sites=ROWS, pages=1, audits=0)),
    "Site.schedules": List("node(id: $parent) { ... on Site { schedules ARGS } }", "id", Sizes(1, ROWS, 0), Kind.SITE),
    "Page.schedules": List(
        "node(id: $parent) { ... on Page { schedules ARGS } }", "id", Sizes(1, 1, 0, schedules=ROWS), Kind.PAGE
    ),
    "Site.deploys": List("node(id: $parent) { ... on Site { deploys ARGS } }", "id", Sizes(1, 0, marks=ROWS), Kind.SITE),
    "Site.annotations": List(
        "node(id: $parent) { ... on Site { annotations ARGS } }", "id", Sizes(1, 0, marks=ROWS), Kind.SITE
    ),
    "Workspace.snapshots": List('workspace(slug: "acme") { snapshots ARGS }', "id", Sizes(sites=ROWS, pages=0)),
    "Site.snapshots": List("node(id: $parent) { ... on Site { snapshots ARGS } }", "id", Sizes(1, snapshots=ROWS), Kind.SITE),
    "Snapshot.audits": List("node(id: $parent) { ... on Snapshot { audits ARGS } }", "id", Sizes(1, ROWS), Kind.SNAPSHOT),
    "Snapshot.pages": List(
        "node(id: $parent) { ... on Snapshot { pages ARGS } }", "page { id }", Sizes(1, ROWS, 2), Kind.SNAPSHOT
    ),
    "Workspace.verdicts": List('workspace(slug: "acme") { verdicts ARGS }', "id", Sizes(1, ROWS)),
    "Site.verdicts": List("node(id: $parent) { ... on Site { verdicts ARGS } }", "id", Sizes(1, ROWS), Kind.SITE),
    "Snapshot.verdicts": List("node(id: $parent) { ... on Snapshot { verdicts ARGS } }", "id", Sizes(1, ROWS), Kind.SNAPSHOT),
    "Page.verdicts": List("node(id: $parent) { ... on Page { verdicts ARGS } }", "id", Sizes(1, 1, verdicts=ROWS), Kind.PAGE),
    "Page.marks": List(
        "node(id: $parent) { ... on Page { marks ARGS } }", "verdict { id }", Sizes(1, 1, marks=0, verdicts=ROWS), Kind.PAGE
    ),
    "Workspace.alerts": List('workspace(slug: "acme") { alerts ARGS }', "id", Sizes(sites=ROWS, pages=1, audits=0)),
    "Workspace.alerts, open": List(
        'workspace(slug: "acme") { alerts(state: OPEN) ARGS }', "id", Sizes(sites=ROWS, pages=1, audits=0)
    ),
    "Site.alerts": List("node(id: $parent) { ... on Site { alerts ARGS } }", "id", Sizes(1, ROWS, 0), Kind.SITE),
    "Page.alerts": List("node(id: $parent) { ... on Page { alerts ARGS } }", "id", Sizes(1, 1, 0, alerts=ROWS), Kind.PAGE),
    "Channel.deliveries": List(
        "node(id: $parent) { ... on Channel { deliveries ARGS } }", "id", Sizes(1, 1, 0, deliveries=ROWS), Kind.CHANNEL
    ),
    "Workspace.budgets": List('workspace(slug: "acme") { budgets ARGS }', "id", Sizes(sites=ROWS, pages=0)),
    "Site.budgets": List("node(id: $parent) { ... on Site { budgets ARGS } }", "id", Sizes(1, 0, budgets=ROWS), Kind.SITE),
    "Workspace.breaches": List('workspace(slug: "acme") { breaches ARGS }', "id", Sizes(sites=ROWS, pages=1, runs=0)),
    "Page.breaches": List("node(id: $parent) { ... on Page { breaches ARGS } }", "id", Sizes(1, 1, budgets=ROWS), Kind.PAGE),
    "Workspace.clients": List('workspace(slug: "acme") { clients ARGS }', "id", Sizes(sites=0, clients=ROWS)),
    "Workspace.documents": List('workspace(slug: "acme") { documents ARGS }', "id", Sizes(sites=0, documents=ROWS)),
    "ApiClient.documents": List(
        "node(id: $parent) { ... on ApiClient { documents ARGS } }", "id", Sizes(sites=0, documents=ROWS), Kind.CLIENT
    ),
    "Workspace.events": List('workspace(slug: "acme") { events ARGS }', "cursor", Sizes(1, ROWS, snapshots=0)),
    "Workspace.deadJobs": List('workspace(slug: "acme") { deadJobs ARGS }', "id", Sizes(sites=1, pages=ROWS)),
    "Audit.findings": List(
        "node(id: $parent) { ... on Audit { findings ARGS } }", "id", Sizes(1, 1, 1, 0, findings=ROWS), Kind.AUDIT
    ),
    "Run.requests": List(
        "node(id: $parent) { ... on Audit { representativeRun { requests ARGS } } }",
        "url",
        Sizes(1, 1, 1, 1, requests=ROWS),
        Kind.AUDIT,
    ),
    "Workspace.members": List('workspace(slug: "acme") { members ARGS }', "userId", Sizes(sites=0)),
    "Workspace.invitations": List('workspace(slug: "acme") { invitations ARGS }', "id", Sizes(sites=0)),
    "Workspace.apiKeys": List('workspace(slug: "acme") { apiKeys ARGS }', "id", Sizes(sites=0)),
    "User.securityLog": List("viewer { user { securityLog ARGS } }", "id", Sizes(sites=0)),
    "Workspace.securityLog": List('workspace(slug: "acme") { securityLog ARGS }', "id", Sizes(sites=0)),
}

every_list = pytest.mark.parametrize("name", LISTS)


async def prepare(asking: Asking, name: str) -> tuple[Asking, str | None]:
    """Whoever asks, and the parent's id."""
    chosen = LISTS[name]
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, chosen.sizes)
    if name == "Viewer.workspaces":
        roles = dict(asking.actor.roles)
        for number in range(ROWS - 1):
            workspace_id, _ = await new_workspace(asking.database, f"other-{number}")
            roles[workspace_id] = Role.VIEWER
        asking = replace(asking, actor=Actor(roles=roles))
    if name in ("Workspace.members", "Workspace.invitations", "Workspace.apiKeys", "Workspace.securityLog"):
        await people(asking)
    if name == "User.securityLog":
        asking = await account(asking)
    return asking, there.readable(chosen.parent)[0] if chosen.parent else None


async def account(asking: Asking) -> Asking:
    """The owner, signed in, with ROWS entries about their account."""
    asking = replace(asking, actor=replace(asking.actor, session_id=new_id()))
    async with asking.database.work(asking.actor) as work:
        for _ in range(ROWS):
            security.log(work, SecurityKind.SIGNED_IN)
    return asking


async def people(asking: Asking) -> None:
    """So many members, invitations, keys and entries of the security log that each list has ROWS."""
    async with asking.database.work(SYSTEM) as work:
        for number in range(ROWS - 1):
            user_id = await accounts.register(work, name=f"Member {number}")
            row = {"workspace_id": asking.workspace_id, "user_id": user_id, "role": Role.VIEWER, "by_site": False}
            await work.db.execute(insert(Member).values(**row, joined_at=work.now))
            entry = {"subject": f"key_{number}", "workspace_id": asking.workspace_id}
            security.log(work, SecurityKind.KEY_REVOKED, **entry)
        for number in range(ROWS):
            sent = {"id": new_id(), "workspace_id": asking.workspace_id, "email": f"{number}@example.com", "role": Role.VIEWER}
            until = work.now + timedelta(days=1)
            times = {"created_at": work.now, "expires_at": until, "digest": str(number)}
            await work.db.execute(insert(Invitation).values(**sent, **times))
        for number in range(ROWS - 1):
            values = {"id": new_id(), "workspace_id": asking.workspace_id, "name": str(number), "prefix": str(number)}
            kept = {"digest": f"d{number}", "role": Role.VIEWER, "created_at": work.now}
            await work.db.execute(insert(keys.ApiKey).values(**values, **kept))


async def page(asking: Asking, name: str, parent: str | None, **arguments: Any) -> Any:
    """The connection of one request, or its errors."""
    chosen = LISTS[name]
    types = {"first": "Int!", "last": "Int!", "after": "Cursor", "before": "Cursor"}
    given = ", ".join(f"{argument}: ${argument}" for argument in arguments)
    fields = f"{{ nodes {{ {chosen.key} }} edges {{ cursor node {{ {chosen.key} }} }} {PAGE} }}"
    body = chosen.text.replace(") ARGS", f", {given}) {fields}").replace("ARGS", f"({given}) {fields}")
    variables = ", ".join(f"${argument}: {types[argument]}" for argument in arguments)
    declared = f"$parent: ID!, {variables}" if parent else variables
    said = await asking.whole(f"query ({declared}) {{ {body} }}", **({"parent": parent} if parent else {}), **arguments)
    if "errors" in said:
        return said
    found: Any = said["data"]
    while "pageInfo" not in found:
        (found,) = found.values()
    assert [edge["node"] for edge in found["edges"]] == found["nodes"]
    cursors = [edge["cursor"] for edge in found["edges"]]
    assert found["pageInfo"]["startCursor"] == (cursors[0] if cursors else None)
    assert found["pageInfo"]["endCursor"] == (cursors[-1] if cursors else None)
    return found


def names(found: Any, name: str) -> list[str]:
    return [str(node[LISTS[name].key.split()[0]]) for node in found["nodes"]]


async def forward(asking: Asking, name: str, parent: str | None, size: int) -> list[str]:
    """All of the list, `size` at a time."""
    seen: list[str] = []
    after = None
    while True:
        found = await page(asking, name, parent, first=size, after=after)
        assert found["pageInfo"]["hasPreviousPage"] == bool(seen)
        seen += names(found, name)
        if not found["pageInfo"]["hasNextPage"]:
            return seen
        assert len(found["nodes"]) == size
        after = found["pageInfo"]["endCursor"]


async def backward(asking: Asking, name: str, parent: str | None, size: int) -> list[str]:
    seen: list[str] = []
    before = None
    while True:
        found = await page(asking, name, parent, last=size, before=before)
        assert found["pageInfo"]["hasNextPage"] == bool(seen)
        seen = names(found, name) + seen
        if not found["pageInfo"]["hasPreviousPage"]:
            return seen
        assert len(found["nodes"]) == size
        before = found["pageInfo"]["startCursor"]


def test_every_connection_of_the_schema_is_walked_here() -> None:
    connections = {
        f"{type_.name}.{name}"
        for type_ in schema._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items()
        if str(field.type).rstrip("!").endswith("Connection")
    }
    assert connections == {name.partition(",")[0] for name in LISTS}


@every_list
async def test_pages_of_any_size_make_up_the_whole_list(asking: Asking, name: str) -> None:
    asking, parent = await prepare(asking, name)
    whole = await forward(asking, name, parent, 100)
    assert len(set(whole)) == ROWS == len(whole)
    for size in range(1, ROWS + 2):
        assert await forward(asking, name, parent, size) == whole, size
        if LISTS[name].backward:
            assert await backward(asking, name, parent, size) == whole, size


@every_list
async def test_a_cursor_that_is_not_the_lists_own_is_refused(asking: Asking, name: str) -> None:
    asking, parent = await prepare(asking, name)
    own = (await page(asking, name, parent, first=2))["pageInfo"]["endCursor"]
    plain = base64.urlsafe_b64decode(own + "=" * (-len(own) % 4))
    foreign = [text for text in of_other_lists() if text.split("\x1f")[0] != plain.decode().split("\x1f")[0]]
    mutilated = ["", "=", "é", "x", own[:-3], own[::-1], f"{own} ", own + "AAAA", "A" * 100_000]
    broken = [
        b"",
        b"\x1f",
        plain.split(b"\x1f")[0],
        plain.split(b"\x1f")[0] + b"\x1f\x00",
        plain + b"\x1f1",
        plain + b"\x00",
        plain[:-1] + b"\xff",
        plain.rpartition(b"\x1f")[0] + b"\x1f" + b"9" * 5000,
        plain.rpartition(b"\x1f")[0] + b"\x1f'; --",
    ]
    for cursor in (*mutilated, *map(encoded, broken), *(encoded(text.encode()) for text in foreign)):
        said = await page(asking, name, parent, first=2, after=cursor)
        assert [error["extensions"]["code"] for error in said["errors"]] == ["CURSOR_INVALID"], cursor[:80]
        assert cursor == "" or len(cursor) < 3 or cursor not in said["errors"][0]["message"]
        if LISTS[name].backward:
            said = await page(asking, name, parent, last=2, before=cursor)
            assert said["errors"][0]["extensions"]["fields"][0]["path"] == ["before"]


def encoded(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def of_other_lists() -> set[str]:
    """What cursors of every list hold, with one key and with two."""
    hex, keys = "0" * 32, ("requests", "findings", "audits", "pages", "workspacePages", "newestPages", "sites", "workspaces")
    keys += (
        "schedules",
        "siteSchedules",
        "pageSchedules",
        "deadJobs",
        "alerts",
        "siteAlerts",
        "pageAlerts",
        "deliveries",
        f"events.{hex}",
    )
    return {f"{name}\x1f{hex}" for name in keys} | {f"{name}\x1fa\x1f{hex}" for name in keys}


@every_list
async def test_a_size_out_of_range_is_refused(asking: Asking, name: str) -> None:
    asking, parent = await prepare(asking, name)
    for size in (0, -1, 101, 100_000, -(2**31)):
        said = await page(asking, name, parent, first=size)
        fields = said["errors"][0]["extensions"]["fields"]
        assert [(fault["path"], fault["code"]) for fault in fields] == [(["first"], "OUT_OF_RANGE")], size


async def test_one_pages_in_one_direction_at_a_time(asking: Asking) -> None:
    asking, parent = await prepare(asking, "Page.audits")
    own = (await page(asking, "Page.audits", parent, first=2))["pageInfo"]["endCursor"]
    for arguments in (
        {"first": 1, "last": 1},
        {"first": 1, "before": own},
        {"last": 1, "after": own},
        {"after": own, "before": own},
    ):
        said = await page(asking, "Page.audits", parent, **arguments)
        assert [error["extensions"]["code"] for error in said["errors"]] == ["MALFORMED"], arguments
    for size in (0, -1, 101):
        said = await page(asking, "Page.audits", parent, last=size)
        assert [error["extensions"]["code"] for error in said["errors"]] == ["OUT_OF_RANGE"]
    everything = await page(asking, "Page.audits", parent, after=None)
    assert len(everything["nodes"]) == ROWS


async def test_a_cursor_stays_where_it_is_while_rows_come_and_go(asking: Asking) -> None:
    asking, _ = await prepare(asking, "Workspace.sites")
    first = await page(asking, "Workspace.sites", None, first=3)
    whole = await forward(asking, "Workspace.sites", None, 100)
    async with asking.database.work(asking.actor) as work:
        early = await sites.create(work, workspace_id=asking.workspace_id, origin="https://a.example", name="a")
        late = await sites.create(work, workspace_id=asking.workspace_id, origin="https://z.example", name="zzz")
        (third,) = ids_of(whole[2:3])
        await sites.delete(work, site_id=third)
    rest = await page(asking, "Workspace.sites", None, first=100, after=first["pageInfo"]["endCursor"])
    assert names(rest, "Workspace.sites") == [*whole[3:], encode(Kind.SITE, late.id)]
    assert (await forward(asking, "Workspace.sites", None, 2))[0] == encode(Kind.SITE, early.id)


def ids_of(readable: Sequence[str]) -> list[Any]:
    return [parsed[1] for id in readable if (parsed := parse(id)) is not None]


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_rows_of_the_same_name_and_of_strange_ones_are_not_lost(asking: Asking, size: int) -> None:
    await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=12, pages=1, audits=0))
    strange = ["same", "same", "same", "Same", "säme", "SÄME", "ß", "中", "-", "z", "'", "%_\\"]
    async with everybodys(asking.database) as connection:
        rows = (await asking.ask('{ workspace(slug: "acme") { sites { nodes { id } } pages { nodes { id } } } }'))["workspace"]
        for table, of in ((sites.Site, "sites"), (sites.Page, "pages")):
            for name, id in zip(strange, ids_of([node["id"] for node in rows[of]["nodes"]]), strict=True):
                await connection.execute(update(table).where(table.id == id).values(name=name))
    for name in ("Workspace.sites", "Workspace.pages", "Workspace.pages, newest first"):
        seen = await forward(asking, name, None, size)
        assert len(seen) == len(set(seen)) == 12
        assert seen == await forward(asking, name, None, 100)


def nested(arguments: str, audits: str) -> str:
    inner = f"nodes {{ id }} edges {{ cursor }} {PAGE}"
    return f"id pages({arguments}) {{ {inner} }} all: pages {{ nodes {{ id audits({audits}) {{ {inner} }} }} }}"


@on_sqlite
@pytest.mark.parametrize("seed", range(6))
async def test_a_list_under_many_parents_is_the_list_under_each(asking: Asking, seed: int) -> None:
    dice = random.Random(seed)
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(6, 5, 4, 0, 0, 0))
    await thin_out(asking, there, dice)
    for _ in range(8):
        fields = nested(f"first: {dice.randint(1, 5)}", f"{dice.choice(['first', 'last'])}: {dice.randint(1, 5)}")
        together = await asking.ask(f'{{ workspace(slug: "acme") {{ sites(first: 100) {{ nodes {{ {fields} }} }} }} }}')
        for site in together["workspace"]["sites"]["nodes"]:
            alone = await asking.ask(f"query ($id: ID!) {{ site(id: $id) {{ {fields} }} }}", id=site["id"])
            assert alone["site"] == site, fields


async def thin_out(asking: Asking, there: Filled, dice: random.Random) -> None:
    """Parents of different sizes, some without anything."""
    async with everybodys(asking.database) as connection:
        for id in dice.sample(there.ids[Kind.PAGE], 12):
            await connection.execute(delete(sites.Page).where(sites.Page.id == id))
        for id in dice.sample(there.ids[Kind.AUDIT], 50):
            await connection.execute(delete(audits.Audit).where(audits.Audit.id == id))


async def test_a_cursor_is_good_for_its_own_parent_and_no_other(asking: Asking) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(1, 2, 3, 0, 0, 0))
    audits = "audits(first: 1, after: $after) { nodes { id } pageInfo { endCursor } }"
    text = f"query ($id: ID!, $after: Cursor) {{ page(id: $id) {{ {audits} }} }}"
    one, other = there.readable(Kind.PAGE)[:2]
    first = (await asking.ask(text, id=one))["page"]["audits"]
    cursor = first["pageInfo"]["endCursor"]
    following = (await asking.ask(text, id=one, after=cursor))["page"]["audits"]["nodes"]
    assert len(following) == 1
    assert following != first["nodes"]
    refused = await asking.whole(text, id=other, after=cursor)
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["CURSOR_INVALID"]
