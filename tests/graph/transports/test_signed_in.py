"""Who is signed in asks with an access token, in a header or in a cookie, until it ends or their session does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, update

from domain.access import Role
from domain.accounts import Signing, SignInMethod, signing, tokens
from domain.base import Base
from domain.ids import new_id
from domain.workspaces import Member
from tests.databases import everybodys
from tests.graph.asking import Asking, asking

from .serving import PROGRESS, WORKSPACE, Served, served, serving

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SESSIONS = Base.metadata.tables["sessions"]
ROLES = "{ viewer { key { name } workspaces { nodes { slug viewerRole } } } }"
OWNER = {"viewer": {"key": None, "workspaces": {"nodes": [{"slug": "acme", "viewerRole": "OWNER"}]}}}
EVIL = "https://evil.example"


@dataclass
class Person:
    """The owner of the workspace, signed in."""

    served: Served
    user_id: UUID
    session_id: UUID
    token: str

    async def run(self, statement: Any) -> None:
        async with everybodys(self.served.asking.database) as connection:
            await connection.execute(statement)

    async def sign_out(self) -> None:
        await self.run(update(SESSIONS).where(SESSIONS.c.id == self.session_id).values(revoked_at=datetime.now(UTC)))


async def signed_in(served: Served) -> Person:
    asking, session = served.asking, new_id()
    assert asking.actor.user_id is not None
    now = datetime.now(UTC)
    values = {"method": SignInMethod.PASSWORD, "address": "192.0.2.1", "agent": "", "created_at": now, "seen_at": now}
    async with everybodys(asking.database) as connection:
        row = {"id": session, "user_id": asking.actor.user_id, "expires_at": now + timedelta(days=1), **values}
        await connection.execute(insert(SESSIONS).values(row))
    issued = await asking.services.signing.issue(asking.actor.user_id, session)
    return Person(replace(served, key=issued.text), asking.actor.user_id, session, issued.text)


@pytest.fixture
async def person(served: Served) -> Person:
    return await signed_in(served)


async def test_a_token_asks_with_the_roles_that_its_person_has_now(person: Person) -> None:
    assert (await person.served.post(ROLES)).json()["data"] == OWNER
    async with asyncio.timeout(5):
        await person.run(update(Member).where(Member.user_id == person.user_id).values(role=Role.VIEWER))
        while (await person.served.post(ROLES)).json()["data"] == OWNER:
            await asyncio.sleep(0.05)
    said = (await person.served.post(ROLES)).json()["data"]
    assert said["viewer"]["workspaces"]["nodes"] == [{"slug": "acme", "viewerRole": "VIEWER"}]


async def test_who_becomes_more_is_so_in_their_next_request(person: Person) -> None:
    for number in range(5):
        made = f'mutation {{ workspaceCreate(input: {{slug: "next-{number}", name: "Next"}}) {{ __typename ...made }} }} '
        fragment = "fragment made on WorkspaceCreatePayload { workspace { id } }"
        created = (await person.served.post(made + fragment)).json()["data"]["workspaceCreate"]
        changed = (
            f'mutation {{ workspaceUpdate(input: {{workspace: "{created["workspace"]["id"]}", name: "N"}}) {{ __typename }} }}'
        )
        said = (await person.served.post(changed)).json()["data"]
        assert said == {"workspaceUpdate": {"__typename": "WorkspaceUpdatePayload"}}


async def test_a_person_in_no_workspace_is_signed_in_all_the_same(person: Person) -> None:
    await person.run(delete(Member).where(Member.user_id == person.user_id))
    said = (await person.served.post("{ viewer { user { name } workspaces { nodes { slug } } } }")).json()["data"]
    assert said == {"viewer": {"user": {"name": "Owner"}, "workspaces": {"nodes": []}}}


@pytest.mark.parametrize("change", ["cut", "foreign", "another's session", "signed out"])
async def test_what_is_no_good_token_opens_nothing(person: Person, change: str) -> None:
    asking, token = person.served.asking, person.token
    if change == "cut":
        token = token[:-4]
    elif change == "foreign":
        other = Signing(asking.database, asking.services.keyring, "http://elsewhere.test")
        token = (await other.issue(person.user_id, person.session_id)).text
    elif change == "another's session":
        token = (await asking.services.signing.issue(new_id(), person.session_id)).text
    else:
        await person.sign_out()
    answer = await person.served.post(ROLES, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_signing_out_closes_sockets_and_streams_within_a_second(person: Person) -> None:
    served = person.served
    async with served.socket() as socket, served.stream("text/event-stream", WORKSPACE, id=served.asking.workspace) as stream:
        assert (await socket.hear())["type"] == "connection_ack"
        await socket.subscribe("1", PROGRESS, id=await served.new_audit())
        assert (await socket.hear())["type"] == "next"
        began = asyncio.get_running_loop().time()
        await person.sign_out()
        assert await socket.closed() == (4403, "Forbidden")
        lines = [line async for line in stream.aiter_lines()]
        assert asyncio.get_running_loop().time() - began < 1.5
        assert any("UNAUTHENTICATED" in line for line in lines)


async def test_a_socket_is_closed_when_its_token_ends(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LIFETIME", timedelta(seconds=2))
    monkeypatch.setattr(signing, "LIFETIME", timedelta(seconds=2))
    person = await signed_in(served)
    async with person.served.socket() as socket:
        assert (await socket.hear())["type"] == "connection_ack"
        async with asyncio.timeout(5):
            assert await socket.closed() == (4403, "Forbidden")


async def test_a_browser_carries_the_token_in_a_cookie(person: Person) -> None:
    stranger = person.served.stranger
    cookie = {"Cookie": f"theme=dark; pacemark-access={person.token}"}
    assert (await stranger.post(ROLES, headers=cookie)).json()["data"] == OWNER
    assert (await stranger.post(ROLES, headers={"Cookie": "theme=dark"})).json()["data"] == {"viewer": None}
    twice = {"Cookie": f"pacemark-access={person.token}; pacemark-access=other"}
    assert (await stranger.post(ROLES, headers=twice)).json()["data"] == {"viewer": None}
    async with stranger.socket({}, headers=cookie) as socket:
        assert (await socket.hear())["type"] == "connection_ack"
        assert (await socket.ask("1", ROLES))["data"] == OWNER


@pytest.mark.parametrize("headers", [{"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}])
async def test_no_other_sites_page_asks_with_a_cookie(person: Person, headers: dict[str, str]) -> None:
    cookie = {"Cookie": f"pacemark-access={person.token}"}
    answer = await person.served.stranger.post(ROLES, headers={**cookie, **headers})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "CSRF_PREVENTED")


async def test_a_header_goes_before_a_cookie(person: Person) -> None:
    bad = {"Authorization": "Bearer nonsense", "Cookie": f"pacemark-access={person.token}"}
    assert (await person.served.post(ROLES, headers=bad)).status_code == 401


async def test_pages_of_the_settings_may_carry_cookies(asking: Asking) -> None:
    app = "https://app.example.com"
    async with serving(asking, origins=frozenset({app})) as served:
        person = await signed_in(served)
        cookie = {"Cookie": f"pacemark-access={person.token}", "Origin": app}
        answer = await served.stranger.post(ROLES, headers=cookie)
        assert answer.json()["data"] == OWNER
        assert (answer.headers["access-control-allow-origin"], answer.headers["access-control-allow-credentials"]) == (
            app,
            "true",
        )
