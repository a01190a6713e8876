"""Each change and each field asks for exactly the permission that the schema says, and each role has those of the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_required_input_field
from sqlalchemy import select, update

from domain import audits, notifications, snapshots
from domain.access import GRANTS, NOBODY, OF_SITES, Permission, Role
from domain.base import Base
from domain.ids import Kind, decode, encode, new_id
from domain.work import StoredJob
from graph.marks import permission_of
from tests.databases import everybodys, new_workspace
from tests.domain.workspaces import people
from tests.graph.asking import Asking, asking
from tests.graph.bounds import boundless
from tests.graph.changing import change
from tests.graph.filled import Sizes, fill
from tests.graph.walking import CORE, NAMED, WITHOUT_PERMISSION, Owner, fields_of, paths

__all__ = ["asking", "boundless"]

pytestmark = pytest.mark.usefixtures("boundless")

ALL = frozenset(Permission)
SMALL = Sizes(sites=1, pages=1, runs=1, requests=1, findings=1)
TEXTS = {"email": "new@example.com", "path": "/new", "origin": "https://new.example", "text": "{ __typename }"}
WORDS: Mapping[str, Mapping[str, Any]] = {
    "siteAccessSet": {"headers": [{"name": "X-Token", "value": "new"}]},
    "scheduleCreate": {"everyMinutes": 60},
    "channelCreate": {"url": "https://new.example/hook"},
    "budgetsImport": {"text": "[]"},
}
"""What an input needs beside what its type says."""

OF_ONE_SITE = {Kind.ANNOTATION, Kind.SNAPSHOT, Kind.SITE, Kind.PAGE, Kind.SCHEDULE, Kind.BUDGET, Kind.AUDIT, Kind.ALERT}
HIDDEN = {Kind.KEY, Kind.JOB, Kind.CLIENT, Kind.INVITATION, Kind.CHANNEL, Kind.ROUTE, Kind.DELIVERY}
"""What is there only for those who have all of a workspace."""

A_MEMBERS = GRANTS[Role.MEMBER] - {Permission.READ}
A_VIEWERS = GRANTS[Role.VIEWER] - {Permission.READ}
MORE: Mapping[str, tuple[frozenset[Permission], str]] = {
    "deployRecord": (frozenset({Permission.AUDIT_REQUEST}), "a deploy that is measured has audits asked for"),
    "apiKeyCreate": (A_MEMBERS, "nobody issues a key that may do more than they may: it is a MEMBER's"),
    "apiKeyRotate": (A_MEMBERS, "nobody issues a key that may do more than they may: it is a MEMBER's"),
    "invitationCreate": (A_MEMBERS, "nobody grants more than they may: a MEMBER is invited"),
    "memberUpdate": (A_VIEWERS, "nobody grants more than they may: a VIEWER is changed"),
}
"""Changes that take more than the permission that they declare, and why."""

assert CORE.mutation_type is not None
DECLARED = {name: said for name, field in CORE.mutation_type.fields.items() if (said := permission_of(field)) is not None}
FIELDS = {
    f"{type_.name}.{name}": said
    for type_ in CORE.type_map.values()
    if isinstance(type_, GraphQLObjectType) and type_ is not CORE.mutation_type
    for name, field in type_.fields.items()
    if (said := permission_of(field)) is not None
}

OF_FIELDS = {what.partition(".")[0] for what in FIELDS}
LISTED: Mapping[Kind, Permission] = {
    Kind.KEY: Permission.KEY_WRITE,
    Kind.INVITATION: Permission.MEMBER_WRITE,
    Kind.CHANNEL: Permission.CHANNEL_WRITE,
    Kind.ROUTE: Permission.CHANNEL_WRITE,
    Kind.DELIVERY: Permission.CHANNEL_WRITE,
}
"""What is listed for those alone who have this permission."""

TOLD = "query ($id: ID!) { node(id: $id) { ... on Workspace { viewerPermissions } } }"
ROLES = [(role, by_site) for by_site in (False, True) for role in Role if not (by_site and role is Role.OWNER)]

_numbers = count()


@dataclass
class World:
    """A workspace with one of everything, and somebody in it who asks."""

    asking: Asking
    owner: Owner

    def as_(self, **other: Any) -> Asking:
        """Asked by the same person with something else than all that they have."""
        return replace(self.asking, actor=replace(self.asking.actor, **other))

    def input(self, mutation: str) -> dict[str, Any]:
        type_ = input_of(mutation)
        return self.owner.object(type_, lambda field: bool(is_required_input_field(field))) | WORDS.get(mutation, {})


async def world(asking: Asking, role: Role = Role.OWNER, *, by_site: bool = False) -> World:
    """Whoever asks is a member of this role, and not its only owner."""
    mark = f"w{next(_numbers)}"
    workspace_id, owner = await new_workspace(asking.database, mark)
    there = await fill(asking.database, workspace_id, asking.runner_id, SMALL, mark)
    sites = there.ids[Kind.SITE] if by_site else []
    asker = await people.join(asking.database, workspace_id, f"{mark}@example.com", role, *sites)
    other = await people.join(asking.database, workspace_id, f"{mark}-other@example.com", Role.VIEWER)
    assert other.user_id is not None
    first = replace(asking, workspace_id=workspace_id, actor=owner)
    email = f"{mark}-invited@example.com"
    invited = await change(first, "invitationCreate", "invitation { id }", workspace=first.workspace, email=email)
    async with everybodys(asking.database) as connection:  # those that can be cancelled
        for table, state in ((audits.Audit, audits.AuditState.QUEUED), (snapshots.Snapshot, snapshots.SnapshotState.RUNNING)):
            waiting = update(table).where(table.workspace_id == workspace_id)
            await connection.execute(waiting.values(state=state, finished_at=None))
    ids = {kind: there.readable(kind)[-1] for kind in there.ids} | {  # the last profile is no site's only one
        Kind.RUNNER: encode(Kind.RUNNER, asking.runner_id),
        Kind.USER: encode(Kind.USER, other.user_id),
        Kind.INVITATION: invited["invitation"]["id"],
        Kind.SESSION: encode(Kind.SESSION, new_id()),
    }
    texts = {"Workspace.slug": mark, "Site.slug": f"{mark}-0", "Page.path": f"/{mark}/000", **TEXTS}
    return World(replace(first, actor=asker), Owner(ids, defaultdict(lambda: "new", texts)))


class Changes:
    """One after the other; what is not made in a world that others have changed is asked for again in a new one."""

    def __init__(self, asking: Asking, role: Role = Role.OWNER, *, by_site: bool = False) -> None:
        self._asking = asking
        self._who: dict[str, Any] = {"role": role, "by_site": by_site}
        self._there: World | None = None
        self._clean = False

    async def ask(self, mutation: str, **other: Any) -> Any:
        answer = await self._asked(mutation, other) if self._there else None
        if self._there is None or not (is_made(answer) or self._clean):
            self._there, self._clean = await world(self._asking, **self._who), True
            answer = await self._asked(mutation, other)
        self._clean = self._clean and not is_made(answer)
        return answer

    async def _asked(self, mutation: str, other: dict[str, Any]) -> Any:
        assert self._there is not None
        given = dict(self._there.input(mutation))
        if "email" in given:  # one address is not invited again and again
            given["email"] = f"{new_id().hex}@example.com"
        return await change(self._there.as_(**other), mutation, **given)


def is_made(answer: Any) -> bool:
    return bool(answer["__typename"].endswith("Payload"))


def input_of(mutation: str) -> Any:
    assert CORE.mutation_type is not None
    return get_named_type(CORE.mutation_type.fields[mutation].args["input"].type)


def kinds_of(type_: Any) -> set[Kind]:
    """Of which ids it takes."""
    found = set[Kind]()
    for name, each in type_.fields.items():
        named: Any = get_named_type(each.type)
        found |= kinds_of(named) if hasattr(named, "fields") else {NAMED[name]} if named.name == "ID" else set()
    return found


def needed_by(mutation: str) -> set[Kind]:
    """Of which ids it takes one in any case; of those that take none, all that it may take."""
    type_ = input_of(mutation)
    needed = {NAMED[name] for name, each in type_.fields.items() if name in NAMED and is_required_input_field(each)}
    return needed or kinds_of(type_)


def is_of_one_site(mutation: str) -> bool:
    return bool(kinds_of(input_of(mutation)) & OF_ONE_SITE)


async def kept(asking: Asking) -> list[str]:
    """Every row that there is."""
    async with everybodys(asking.database) as connection:
        tables = Base.metadata.sorted_tables
        return [f"{table.name} {row}" for table in tables for row in sorted(map(repr, await connection.execute(select(table))))]


def refusal(answer: Any) -> tuple[str, ...]:
    return (answer["__typename"], answer["permission"], answer["code"])


def missing(permission: Permission, code: str = "PERMISSION_MISSING") -> tuple[str, ...]:
    return ("NotAllowed", str(permission), code)


def test_each_change_declares_what_it_asks_for_or_is_known_to_ask_for_nothing() -> None:
    assert CORE.mutation_type is not None
    assert set(CORE.mutation_type.fields) == DECLARED.keys() | WITHOUT_PERMISSION.keys()
    assert DECLARED.keys() & WITHOUT_PERMISSION.keys() == set()
    assert MORE.keys() < DECLARED.keys()
    assert set(FIELDS) >= {"Workspace.members", "Workspace.invitations", "Workspace.apiKeys", "Workspace.securityLog"}


async def test_no_change_is_made_without_the_permission_that_it_declares(asking: Asking) -> None:
    there = await world(asking)
    before = await kept(asking)
    for mutation, permission in DECLARED.items():
        if permission is Permission.READ:  # whoever may not read in a workspace is not in it
            answer = await change(there.as_(roles={}), mutation, **there.input(mutation))
            assert answer["__typename"] == "NotFound", mutation
        else:
            answer = await change(there.as_(scopes=ALL - {permission}), mutation, **there.input(mutation))
            assert refusal(answer) == missing(permission), mutation
    assert await kept(asking) == before


async def test_whoever_is_nobody_makes_none(asking: Asking) -> None:
    there = await world(asking)
    nobody, before = replace(there.asking, actor=NOBODY), await kept(asking)
    for mutation, permission in DECLARED.items():
        answer = await change(nobody, mutation, **there.input(mutation))
        assert answer["__typename"] == "NotFound" or refusal(answer) == missing(permission, "NOT_SIGNED_IN"), mutation
    assert await kept(asking) == before


async def test_each_change_is_made_with_the_permission_that_it_declares_alone(asking: Asking) -> None:
    changes = Changes(asking)
    for mutation, permission in DECLARED.items():
        more, why = MORE.get(mutation, (frozenset[Permission](), ""))
        for lacking in more:  # each of them is needed
            answer = await changes.ask(mutation, scopes={permission, *more} - {lacking})
            assert refusal(answer) == missing(lacking), (mutation, why)
        answer = await changes.ask(mutation, scopes=frozenset({permission, *more}))
        assert is_made(answer), (mutation, answer)


@pytest.mark.parametrize(("role", "by_site"), ROLES)
async def test_each_role_makes_the_changes_that_the_table_grants_and_no_others(
    asking: Asking, role: Role, by_site: bool
) -> None:
    granted = GRANTS[role] & OF_SITES if by_site else GRANTS[role]
    changes, made, wanted = Changes(asking, role, by_site=by_site), set[str](), set[str]()
    for mutation, permission in DECLARED.items():
        if permission in granted and (not by_site or permission is Permission.READ or is_of_one_site(mutation)):
            wanted.add(mutation)
        answer = await changes.ask(mutation)
        if is_made(answer):
            made.add(mutation)
        elif by_site and needed_by(mutation) <= HIDDEN:
            assert answer["__typename"] == "NotFound", (mutation, answer)
        else:
            assert refusal(answer) == missing(permission), (mutation, answer)
    assert made == wanted


async def refused(there: World, types: Collection[str], **other: Any) -> dict[str, str]:
    """Which fields of these types are null for want of a permission, and what is said of each."""
    found: dict[str, str] = {}
    for name in types:
        for operation in fields_of(there.owner, name):
            said = await there.as_(**other).whole(operation.text, **operation.variables)
            for error in said.get("errors", ()):
                assert error["extensions"]["code"] == "PERMISSION_MISSING", (operation, error)
                found[null(said["data"], error["path"])] = error["message"]
    return found


def null(data: Any, path: Sequence[str | int]) -> str:
    """Which field it is that is null there; names are aliased as `<type>_<field>`, or are those of the way from the root."""
    type_, found = CORE.query_type, ""
    for each in path:
        data = data[each]
        if isinstance(each, str):
            of, _, name = each.rpartition("_")
            type_ = CORE.type_map[of] if of else type_
            assert isinstance(type_, GraphQLObjectType)
            found = f"{type_.name}.{name}"
            type_ = get_named_type(type_.fields[name].type)
    assert data is None, path
    return found


async def test_what_each_field_needs_beside_reading_is_declared(asking: Asking) -> None:
    found = await refused(await world(asking), ("Query", *paths()), scopes=frozenset({Permission.READ}))
    assert {what: message.rpartition(" ")[2].rstrip(".") for what, message in found.items()} == FIELDS


async def test_each_field_asks_for_the_permission_that_it_declares_alone(asking: Asking) -> None:
    there = await world(asking)
    for what, permission in FIELDS.items():
        assert (await refused(there, OF_FIELDS, scopes=ALL - {permission})).keys() == {what}
        assert (await refused(there, OF_FIELDS, scopes=frozenset({permission}))).keys() == FIELDS.keys() - {what}


async def test_each_role_reads_the_fields_that_the_table_grants_and_is_told_so(asking: Asking) -> None:
    for role, by_site in ROLES:
        granted = GRANTS[role] & OF_SITES if by_site else GRANTS[role]
        there = await world(asking, role, by_site=by_site)
        told = await there.asking.ask(TOLD, id=there.asking.workspace)
        assert told["node"]["viewerPermissions"] == [permission for permission in Permission if permission in granted]
        found = await refused(there, OF_FIELDS)
        assert found.keys() == {what for what, permission in FIELDS.items() if permission not in granted}, (role, by_site)


async def test_what_is_listed_for_some_alone_is_found_by_its_id_by_them_alone(asking: Asking) -> None:
    """Dead jobs are listed for everybody who has all of the workspace; what they are about is not everybody's to see."""
    there = await world(asking)
    ids = {kind: there.owner.ids[kind] for kind in (*LISTED, Kind.JOB)}
    async with everybodys(asking.database) as connection:
        about = {"kind": notifications.KIND, "subject": decode(Kind.DELIVERY, ids[Kind.DELIVERY], "")}
        await connection.execute(update(StoredJob).where(StoredJob.id == decode(Kind.JOB, ids[Kind.JOB], "")).values(**about))
    text = "query ($id: ID!) { node(id: $id) { id ... on DeadJob { subject { id } } } }"
    for scopes in (*({each} for each in set(LISTED.values())), ALL, {Permission.READ}):
        asker = there.as_(scopes=frozenset(scopes))
        found = {kind: (await asker.ask(text, id=id))["node"] for kind, id in ids.items()}
        assert {kind for kind, node in found.items() if node is None} == {
            kind for kind, permission in LISTED.items() if permission not in scopes
        }
        seen = found[Kind.JOB]["subject"] is not None
        assert seen == (Permission.CHANNEL_WRITE in scopes)
