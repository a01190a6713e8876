"""No workspace sees or changes another's: the whole schema is walked with foreign ids, whatever is added to it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from domain import audits
from domain.access import NOBODY, Actor, Role
from domain.base import Base
from domain.ids import Kind, encode, new_id
from domain.measuring import FailureKind, ThrottlingMethod
from domain.workspaces import Member
from graph.errors import MASK
from graph.schema import schema
from tests.databases import everybodys, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.bounds import boundless
from tests.graph.changing import change, profiles
from tests.graph.filled import Sizes, fill
from tests.graph.visiting import Visiting, sign_in, visiting
from tests.graph.walking import OF_PEOPLE, Operation, Owner, changing, paths, reading, stand, watching

__all__ = ["asking", "boundless"]

pytestmark = pytest.mark.usefixtures("boundless")

GENERAL = {
    "origin": "https://new.example",
    "name": "new",
    "path": "/new",
    "version": "1",
    "id": "new",
    "text": "{ __typename }",
    "email": "new@example.com",
}


@dataclass
class Tenant:
    """A workspace with one of everything, its own ids and words, and what nobody else may ever see of it."""

    asking: Asking
    owner: Owner
    secrets: set[str]

    async def whole(self, operation: Operation) -> Any:
        return await self.asking.whole(operation.text, **operation.variables)

    async def kept(self) -> dict[str, list[Any]]:
        """Every row that belongs to it."""
        rows: dict[str, list[Any]] = {}
        async with everybodys(self.asking.database) as connection:
            for name, table in Base.metadata.tables.items():
                tenant = table.c.id if name == "workspaces" else table.c.get("workspace_id")
                if tenant is not None:
                    found = await connection.execute(select(table).where(tenant == self.asking.workspace_id))
                    rows[name] = sorted(map(repr, found))
        return rows


async def tenant(asking: Asking, slug: str, workspace_id: UUID, actor: Actor, mark: str) -> Tenant:
    asking = replace(asking, workspace_id=workspace_id, actor=actor)
    there = await fill(asking.database, workspace_id, asking.runner_id, Sizes(earlier=1), mark)
    asking = replace(asking, actor=replace(actor, key_id=there.ids[Kind.KEY][0]))
    slow = {"method": ThrottlingMethod.DEVTOOLS, "rttMs": 1, "throughputKbps": 1, "cpuSlowdown": 1}
    given = {"name": f"{mark} profile", "engine": "LIGHTHOUSE", "formFactor": "MOBILE", "throttling": slow}
    made = await change(asking, "profileCreate", "profile { id }", workspace=asking.workspace, **given)
    site = there.readable(Kind.SITE)[0]
    invited = f"{mark}@example.com"
    sent = await change(asking, "invitationCreate", "invitation { id }", workspace=asking.workspace, email=invited)
    await change(asking, "siteAccessSet", site=site, headers=[{"name": f"{mark}-header", "value": f"{mark} secret"}])
    async with everybodys(asking.database) as connection:
        ill = {"failure_kind": FailureKind.PAGE, "failure_code": f"{mark} code", "failure_message": f"{mark} message"}
        slow_columns = {"throttling_method": ThrottlingMethod.DEVTOOLS, "rtt_ms": 1.0}
        of = audits.Audit.id == there.ids[Kind.AUDIT][0]
        await connection.execute(update(audits.Audit).where(of).values(**ill, **slow_columns))
    ids = {kind: there.readable(kind)[0] for kind in there.ids} | {
        Kind.RUNNER: encode(Kind.RUNNER, asking.runner_id),
        Kind.SESSION: encode(Kind.SESSION, new_id()),
        Kind.INVITATION: sent["invitation"]["id"],
        Kind.USER: encode(Kind.USER, actor.user_id or new_id()),
    }
    texts = {"Workspace.slug": slug, "Site.slug": f"{mark}-0", "Page.path": f"/{mark}/000", "search": mark, "tags": mark}
    hex = {id.hex for ids in there.ids.values() for id in ids} | {made["profile"]["id"].partition("_")[2]}
    if actor.user_id is not None:
        hex.add(actor.user_id.hex)
    return Tenant(asking, Owner(ids, {**texts, **GENERAL}), {mark, *hex})


@pytest.fixture
async def tenants(asking: Asking) -> tuple[Tenant, Tenant]:
    """The one who asks, and the one behind the wall."""
    other, actor = await new_workspace(asking.database, "zebra")
    behind = await tenant(asking, "acme", asking.workspace_id, asking.actor, "walled")
    return await tenant(asking, "zebra", other, actor, "zebras"), behind


ACTOR, PERSON = "an actor", "a person over HTTP"


@pytest.fixture(params=[ACTOR, PERSON])
async def either(request: pytest.FixtureRequest, tenants: tuple[Tenant, Tenant]) -> AsyncGenerator[tuple[Tenant, Tenant], None]:
    """The same two; whoever asks is known as a crafted actor, or has signed in and brings a token."""
    asker, behind = tenants
    if request.param == ACTOR:
        yield tenants
        return
    assert asker.asking.actor.user_id is not None
    async with visiting(asker.asking, asker.asking.actor.user_id) as visitor:
        yield replace(asker, asking=visitor), behind


async def become(tenant: Tenant, role: Role | None) -> Tenant:
    """The same who asks with another role; None for nobody, or for a person who is in no workspace."""
    asking = tenant.asking
    if not isinstance(asking, Visiting):
        return replace(tenant, asking=asking if role is Role.OWNER else asking.as_(role))
    user_id = asking.actor.user_id
    assert user_id is not None
    async with everybodys(asking.database) as connection:
        own = Member.user_id == user_id
        await connection.execute(update(Member).where(own).values(role=role) if role else delete(Member).where(own))
    return replace(tenant, asking=replace(asking, token=await sign_in(asking, user_id)))


async def cursors_of(tenant: Tenant) -> dict[str, str]:
    """One cursor of each list that the tenant can read."""
    found: dict[str, str] = {}
    for operation in reading(tenant.owner, tenant.owner, {}):
        said = json.dumps(await tenant.whole(operation))
        for part in said.split('_endCursor": "')[1:]:
            found.setdefault(operation.what, part.partition('"')[0])
    return found


def leaks(said: Any, tenant: Tenant) -> set[str]:
    """The tenant's ids and words in an answer, which is not to be a masked bug either: that could hide them."""
    assert MASK not in str(said)
    text = json.dumps(said, default=str).lower()
    return {secret for secret in tenant.secrets if secret in text}


@pytest.mark.slow
async def test_nothing_of_another_workspace_can_be_read(either: tuple[Tenant, Tenant]) -> None:
    asker, behind = either
    before = await behind.kept()
    cursors = await cursors_of(behind)
    assert len(cursors) > 5
    walked: set[str] = set()
    for operation in reading(asker.owner, behind.owner, cursors):
        assert leaks(await asker.whole(operation), behind) == set(), operation
        walked.add(operation.what)
    assert walked == {
        f"{name}.{field}"
        for name in ("Query", *paths())
        for field in schema._schema.type_map[name].fields  # type: ignore[attr-defined]
    }
    assert await behind.kept() == before


@pytest.mark.slow
async def test_the_same_walk_shows_a_workspace_its_own(either: tuple[Tenant, Tenant]) -> None:
    """Without this, a walk that reaches nothing would prove nothing."""
    asker, _ = either
    own, others = ("user", "key") if isinstance(asker.asking, Visiting) else ("key", "sessions")
    seen = {operation.what for operation in reading(asker.owner, asker.owner, {}) if leaks(await asker.whole(operation), asker)}
    assert len(seen) > 60
    assert {"Query.node", "Query.nodes", "Page.timeSeries", "Audit.findings", "Run.requests", f"Viewer.{own}"} <= seen
    for name, path in paths().items():
        # Of who is signed in, or has a key: tests/graph/test_{accounts,workspaces}.py
        if name == "DeletedWorkspace" or others in dict(path):
            continue
        body, text = stand(path, asker.owner, "{ __typename }")
        said = await asker.asking.ask(text.operation("query", body), **text.variables)
        assert f'"__typename": "{name}"' in json.dumps(said), f"nothing of the type {name} was reached"


async def test_nobody_in_particular_reads_nothing(tenants: tuple[Tenant, Tenant]) -> None:
    _, behind = tenants
    nobody = Tenant(replace(behind.asking, actor=NOBODY), behind.owner, set())
    for operation in reading(behind.owner, behind.owner, {}):
        assert leaks(await nobody.whole(operation), behind) == set(), operation


@pytest.mark.parametrize(
    ("either", "role"),
    [
        *((ACTOR, role) for role in (Role.OWNER, Role.VIEWER, None)),
        (PERSON, Role.OWNER),
        *(pytest.param(PERSON, role, marks=pytest.mark.slow) for role in (Role.VIEWER, None)),
    ],
    indirect=["either"],
)
async def test_nothing_of_another_workspace_can_be_changed(either: tuple[Tenant, Tenant], role: Role | None) -> None:
    asker, behind = either
    asker = await become(asker, role)
    before = await behind.kept()
    walked: set[str] = set()
    for operation in changing(asker.owner, behind.owner):
        said = await asker.whole(operation)
        assert leaks(said, behind) == set(), operation
        (answer,) = said["data"].values()
        # The role that an owner cannot have by site is said before whose site it is.
        said_first = "InvalidInput" if operation.what == "memberUpdate" else "NotFound"
        assert answer["__typename"] in ("NotFound", "NotAllowed", said_first), (operation, answer)
        assert await behind.kept() == before, operation
        walked.add(operation.what)
    assert schema._schema.mutation_type is not None
    assert walked == set(schema._schema.mutation_type.fields) - OF_PEOPLE


async def test_the_same_changes_can_be_made_to_ones_own(either: tuple[Tenant, Tenant]) -> None:
    asker, _ = either
    done = set()
    for operation in changing(asker.owner, asker.owner):
        (answer,) = (await asker.whole(operation))["data"].values()
        if answer["__typename"].endswith("Payload"):
            done.add(operation.what)
    assert {"siteCreate", "siteUpdate", "siteDelete", "pageCreate", "profileCreate", "auditRequest"} <= done
    assert {"apiClientCreate", "apiClientUpdate", "apiClientDelete", "documentsPush", "documentsPrune"} <= done


async def test_nothing_of_another_workspace_can_be_watched(either: tuple[Tenant, Tenant]) -> None:
    asker, behind = either
    for role in (Role.OWNER, None):
        watcher = (await become(asker, role)).asking
        code = "NOT_SIGNED_IN" if watcher.actor is NOBODY else "NOT_FOUND"
        for operation in watching(asker.owner, behind.owner):
            said = [event async for event in watcher.events(operation.text, **operation.variables)]
            assert [each["data"] for each in said] == [None], operation
            assert leaks(said, behind) == set()
            assert said[0]["errors"][0]["extensions"]["code"] == code


@pytest.mark.parametrize("either", [ACTOR, pytest.param(PERSON, marks=pytest.mark.slow)], indirect=True)
async def test_a_foreign_id_and_an_unknown_one_get_the_same_answer(either: tuple[Tenant, Tenant]) -> None:
    asker, behind = either
    for operation in changing(asker.owner, behind.owner):
        unknown = json.loads(json.dumps(operation.variables))
        for secret in behind.secrets:
            unknown = json.loads(json.dumps(unknown).replace(secret, "0" * 32))
        foreign = await asker.whole(operation)
        assert await asker.whole(replace(operation, variables=unknown)) == foreign, operation


async def test_a_workspace_of_several_keeps_to_the_one_that_is_meant(tenants: tuple[Tenant, Tenant]) -> None:
    """Whoever is in two workspaces cannot mix them: a site of one with a profile of the other."""
    asker, behind = tenants
    roles = {**asker.asking.actor.roles, **behind.asking.actor.roles}
    both = replace(asker.asking, actor=Actor(roles=roles))
    (theirs, *_) = await profiles(behind.asking)
    site, page = asker.owner.ids[Kind.SITE], asker.owner.ids[Kind.PAGE]
    for mutation, input in [
        ("siteUpdate", {"site": site, "profiles": [theirs["id"]]}),
        ("siteCreate", {"workspace": asker.asking.workspace, "origin": "https://n.example", "profiles": [theirs["id"]]}),
        ("auditRequest", {"target": {"page": page}, "profile": theirs["id"]}),
        ("auditRequest", {"target": {"page": page}, "workspace": behind.asking.workspace}),
    ]:
        assert (await change(both, mutation, **input))["__typename"] == "NotFound", mutation
    alone = await change(both, "auditRequest", target={"url": "https://n.example/"})
    assert (alone["__typename"], alone["fields"][0]["path"]) == ("InvalidInput", ["workspace"])
