"""What actions write to the security log: what was done to what, and never what is secret about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from domain import accounts, documents, keys, security, sites, workspaces
from domain.access import NOBODY, Actor, Role
from domain.accounts import Person, Registration
from domain.documents import ClientMode
from domain.errors import NotAllowed
from domain.ids import Kind, encode, new_id
from domain.keyring import Keyring
from domain.measuring import Access
from domain.paging import Window
from domain.work import Origin
from infra.db.database import SqlDatabase
from tests.databases import new_page, new_workspace

KEYRING = Keyring([b"secret"])
HOME = Origin("203.0.113.7", "Firefox/130.0")
FULL = Access({"X-Token": "hunter2", "X-Other": "hunter2"}, {"session": "hunter2"}, "hunter2", "hunter2")


@dataclass
class Log:
    """A workspace with a site, and what is written of it."""

    database: SqlDatabase
    workspace_id: UUID
    actor: Actor
    site: UUID

    async def do(self, action: Any, **given: Any) -> Any:
        async with self.database.work(self.actor, HOME) as work:
            return await action(work, **given)

    async def rows(self) -> Sequence[security.SecurityRow]:
        """The newest first, without that the workspace was made."""
        page = await security.LOG.of(self.database.reader, self.actor.reach, self.workspace_id, Window())
        return page.rows[:-1]

    async def told(self) -> list[tuple[str, str | None, dict[str, Any]]]:
        return [(str(row.kind), row.subject, row.details) for row in await self.rows()]


@pytest.fixture
async def log(database: SqlDatabase) -> Log:
    workspace_id, actor = await new_workspace(database)
    async with database.work(actor) as work:
        site = (await new_page(work, workspace_id, "https://own.example/")).site_id
    return Log(database, workspace_id, actor, site)


async def test_access_that_is_set_and_cleared_is_told_by_kinds_alone(log: Log) -> None:
    await log.do(sites.set_access, site_id=log.site, access=FULL, keyring=KEYRING)
    await log.do(sites.set_access, site_id=log.site, access=Access({"X-Token": "hunter2"}), keyring=KEYRING)
    for _ in range(2):  # the second finds nothing to clear
        await log.do(sites.clear_access, site_id=log.site)
    subject = encode(Kind.SITE, log.site)
    assert await log.told() == [
        ("ACCESS_CLEARED", subject, {"name": "own.example"}),
        ("ACCESS_SET", subject, {"name": "own.example", "headers": 1, "cookies": 0, "password": False}),
        ("ACCESS_SET", subject, {"name": "own.example", "headers": 2, "cookies": 1, "password": True}),
    ]
    rows = await log.rows()
    assert {(row.user_id, row.address, row.agent) for row in rows} == {(log.actor.user_id, *HOME)}
    for secret in ("hunter2", "X-Token", "session="):
        assert secret not in repr(rows)


@pytest.mark.parametrize("had", [True, False])
async def test_with_a_site_its_access_goes_and_that_is_told(log: Log, had: bool) -> None:
    if had:
        await log.do(sites.set_access, site_id=log.site, access=FULL, keyring=KEYRING)
    await log.do(sites.delete, site_id=log.site)
    cleared = ("ACCESS_CLEARED", encode(Kind.SITE, log.site), {"name": "own.example", "siteDeleted": True})
    assert (await log.told())[:1] == [cleared] * had


async def test_what_is_refused_is_not_told(log: Log) -> None:
    member = Actor(roles={log.workspace_id: Role.MEMBER}, user_id=new_id())
    with pytest.raises(NotAllowed):
        async with log.database.work(member) as work:
            await sites.set_access(work, site_id=log.site, access=FULL, keyring=KEYRING)
    assert await log.told() == []


async def test_access_that_a_key_of_this_one_site_sets_is_told_in_the_workspace(log: Log) -> None:
    """On PostgreSQL whoever has single sites writes to the log of a workspace of which they read nothing else."""
    single = {log.workspace_id: frozenset({log.site})}
    owner, log.actor = log.actor, Actor({log.workspace_id: Role.ADMIN}, key_id=new_id(), sites=single)
    await log.do(sites.set_access, site_id=log.site, access=FULL, keyring=KEYRING)
    key, log.actor = log.actor, owner
    assert [(row.kind, row.key_id) for row in await log.rows()] == [("ACCESS_SET", key.key_id)]


async def test_clients_are_told_with_what_they_may_send(log: Log) -> None:
    made = {"workspace_id": log.workspace_id, "name": " web ", "mode": ClientMode.SAFELIST}
    client = await log.do(documents.create_client, **made)
    await log.do(documents.change_client, client_id=client)
    await log.do(documents.change_client, client_id=client, name="web", mode=ClientMode.SAFELIST)
    await log.do(documents.change_client, client_id=client, mode=ClientMode.OPEN)
    await log.do(documents.change_client, client_id=client, name="ios")
    await log.do(documents.delete_client, client_id=client)
    former = {"formerName": "web", "formerMode": "SAFELIST"}
    assert await log.told() == [
        ("CLIENT_CHANGED", encode(Kind.CLIENT, client), details)
        for details in (
            {"change": "deleted", "name": "ios", "mode": "OPEN"},
            {"change": "changed", "name": "ios", "mode": "OPEN", "formerName": "web", "formerMode": "OPEN"},
            {"change": "changed", "name": "web", "mode": "OPEN", **former},
            {"change": "created", "name": "web", "mode": "SAFELIST"},
        )
    ]


async def test_a_key_that_is_rotated_is_told_with_its_successor_and_one_that_is_revoked(log: Log) -> None:
    given: dict[str, Any] = {"workspace_id": log.workspace_id, "name": "CI", "role": Role.MEMBER, "keyring": KEYRING}
    await log.do(keys.issue, **given)
    [key] = (await keys.KEYS.of(log.database.reader, log.actor.reach, log.workspace_id, Window())).rows
    rotated = await log.do(keys.rotate, key_id=key.id, keyring=KEYRING)
    await log.do(keys.revoke, key_id=rotated.id)
    assert (await log.told())[:2] == [
        ("KEY_REVOKED", encode(Kind.KEY, rotated.id), {"name": "CI"}),
        ("KEY_ROTATED", encode(Kind.KEY, key.id), {"name": "CI", "key": encode(Kind.KEY, rotated.id)}),
    ]
    assert rotated.text[12:] not in repr(await log.rows())


async def test_a_workspace_that_is_renamed_is_told(log: Log) -> None:
    await log.do(workspaces.rename, workspace_id=log.workspace_id, slug="acme-2")
    assert await log.told() == [("WORKSPACE_CHANGED", encode(Kind.WORKSPACE, log.workspace_id), {"slug": "acme-2"})]


async def of_person(database: SqlDatabase, user_id: UUID) -> list[str]:
    page = await security.OF_PERSON.of(database.reader, NOBODY.reach, user_id, Window())
    return [str(row.kind) for row in page.rows]


async def test_an_identity_that_is_linked_is_told_to_whose_account_it_is(database: SqlDatabase) -> None:
    person = Person("https://idp.example", "subject", "ada@example.com", "Ada")
    async with database.work(NOBODY, HOME) as work:
        signed_in = await accounts.sign_in_by_identity(
            work, person, registration=Registration.OPEN, invited=False, keyring=KEYRING
        )
    assert await of_person(database, signed_in.user_id) == ["SIGNED_IN", "IDENTITY_LINKED", "ACCOUNT_CREATED"]


async def test_a_persons_log_has_nothing_of_workspaces_and_nothing_of_others(log: Log) -> None:
    other = new_id()
    async with log.database.work(log.actor, HOME) as work:
        security.log(work, security.SecurityKind.SIGNED_IN)
        security.log(work, security.SecurityKind.SESSION_REVOKED, user_id=other)
        security.log(work, security.SecurityKind.PASSWORD_RESET_REQUESTED, nobodys=True)
    await log.do(sites.set_access, site_id=log.site, access=FULL, keyring=KEYRING)
    assert log.actor.user_id is not None
    assert await of_person(log.database, log.actor.user_id) == ["SIGNED_IN"]
    assert await of_person(log.database, other) == ["SESSION_REVOKED"]
    assert await of_person(log.database, new_id()) == []


async def test_who_is_signed_in_does_not_read_in_their_own_log_who_else_has_an_account(log: Log) -> None:
    async with log.database.work(NOBODY) as work:
        work.db.add(accounts.User(id=new_id(), name="Eve", email="eve@example.com", created_at=work.now))
    log.actor = Actor(user_id=log.actor.user_id, session_id=new_id())
    for email in ("eve@example.com", "nobody@example.com"):
        await log.do(accounts.request_reset, email=email, keyring=KEYRING, base_url="https://pacemark.test")
    assert log.actor.user_id is not None
    assert await of_person(log.database, log.actor.user_id) == []
