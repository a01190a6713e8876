"""Relay's compiler registers documents one by one, and shows what is wrong with one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import pytest
from fastapi import FastAPI

from app import bootstrap
from app.doors import persist
from app.tracing import NATIVE
from app.usage import counted
from app.wiring import House
from domain import documents, keys
from domain.access import Actor, Role
from domain.documents import ClientMode
from domain.paging import Window
from infra.db.database import SqlDatabase
from tests.app.houses import opened

NAMES = "query Names {\n  viewer {\n    workspaces {\n      nodes {\n        name\n      }\n    }\n  }\n}\n"
ID = f"sha256:{documents.hash_of(NAMES)}"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Compiler:
    house: House
    owner: Actor
    key: str
    http: httpx.AsyncClient

    async def send(self, body: bytes | str, key: str | None = None, content_type: str = FORM) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.key}", "Content-Type": content_type}
        return await self.http.post("/graphql/persist", content=body, headers=headers)

    async def persist(self, key: str | None = None, **fields: str) -> httpx.Response:
        return await self.send("&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()), key)

    async def client(self, name: str, role: Role = Role.ADMIN) -> str:
        """A new client's key."""
        (workspace_id,) = self.owner.roles
        async with self.house.database.work(self.owner) as work:
            id = await documents.create_client(work, workspace_id=workspace_id, name=name, mode=ClientMode.OPEN)
        return await bootstrap.issue_key(self.house, workspace_id, name=name, role=role, client_id=id)

    async def ids(self) -> list[tuple[str | None, str, str]]:
        """The ids that were registered, by client, alias and version."""
        reader, (workspace_id,) = self.house.database.reader, self.owner.roles
        page = await documents.DOCUMENTS.of(reader, self.owner.reach, workspace_id, Window())
        aliases = await documents.aliases_by_documents(reader, self.owner.reach, [row.id for row in page.rows])
        of = {each.client_id for found in aliases.values() for each in found if each.client_id}
        names = await documents.clients_by_ids(reader, self.owner.reach, of)
        return [
            (names[each.client_id].name if each.client_id else None, each.alias, each.version)
            for found in aliases.values()
            for each in found
        ]


@pytest.fixture
async def compiler(tmp_path: Path) -> AsyncGenerator[Compiler, None]:
    async with opened(tmp_path) as (house, owner):
        (workspace_id,) = owner.roles
        key = await bootstrap.issue_key(house, workspace_id, name="compiler", role=Role.ADMIN)
        app = FastAPI(telemetry=NATIVE)
        app.include_router(persist.routes(house))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pacemark.test") as http:
            yield Compiler(house, owner, key, http)


def told(answer: httpx.Response) -> tuple[int, str]:
    """The status, and the message where the compiler looks for it."""
    return answer.status_code, answer.json()["error"]["message"]


async def test_a_document_goes_in_and_its_id_comes_out(compiler: Compiler) -> None:
    answer = await compiler.persist(text=NAMES)
    assert (answer.status_code, answer.json()) == (200, {"id": ID})
    assert answer.headers["cache-control"] == "no-store"
    assert await compiler.ids() == [(None, ID, "relay")]
    assert (await compiler.persist(text=NAMES)).json() == {"id": ID}
    assert await compiler.ids() == [(None, ID, "relay")]


async def test_it_is_the_clients_that_is_named_or_else_that_of_the_key(compiler: Compiler) -> None:
    web = await compiler.client("web")
    await compiler.client("ios & co")
    assert (await compiler.persist(text=NAMES, client="ios & co", version="1.0+ü".replace("ü", "7"))).json() == {"id": ID}
    assert (await compiler.persist(web, text=NAMES, version="2.0")).json() == {"id": ID}
    assert sorted(await compiler.ids(), key=str) == [("ios & co", ID, "1.0+7"), ("web", ID, "2.0")]
    answer = await compiler.persist(text=NAMES, client="nobody")
    assert told(answer) == (404, "This workspace has no client of the name that `client` gives.")


async def test_a_document_of_any_characters_keeps_them(compiler: Compiler) -> None:
    text = 'query { workspace(slug: "ä+& =%") { name } }'
    assert (await compiler.persist(text=text)).json() == {"id": f"sha256:{documents.hash_of(text)}"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("query {\n  nope\n}", "2:3 Cannot query field 'nope' on type 'Query'. Did you mean 'node' or 'nodes'?"),
        ("query {", "1:8 Syntax Error: Expected Name, found <EOF>."),
        ("# " + "x" * 65_536, "This document is too long: at most 65536 bytes."),
    ],
)
async def test_what_would_not_run_is_refused_with_the_reason(compiler: Compiler, text: str, reason: str) -> None:
    assert told(await compiler.persist(text=text)) == (422, reason)
    assert await compiler.ids() == []


async def test_a_key_is_needed_and_one_that_may(compiler: Compiler) -> None:
    for header in ({}, {"Authorization": "Bearer pmk_wrong"}, {"Authorization": f"Basic {compiler.key}"}):
        answer = await compiler.http.post("/graphql/persist", content="text=x", headers={"Content-Type": FORM, **header})
        sentence = 'A good API key is needed: persistConfig.headers = {"Authorization": "Bearer pmk_…"}'
        assert told(answer) == (401, sentence)
        assert answer.headers["www-authenticate"] == "Bearer"
    member = await compiler.client("web", Role.MEMBER)
    status, sentence = told(await compiler.persist(member, text=NAMES))
    assert (status, sentence) == (403, "Members of this workspace lack the permission DOCUMENT_WRITE.")
    assert await compiler.ids() == []


async def test_a_compilers_key_is_known_to_be_used(compiler: Compiler) -> None:
    (workspace_id,) = compiler.owner.roles
    member = await compiler.client("web", Role.MEMBER)

    async def used() -> dict[str, bool]:
        page = await keys.KEYS.of(compiler.house.database.reader, compiler.owner.reach, workspace_id, Window())
        return {row.name: row.last_used_at is not None for row in page.rows if row.name in ("compiler", "web")}

    async with counted(compiler.house):
        assert (await compiler.persist("pmk_wrong", text=NAMES)).status_code == 401
    assert await used() == {"compiler": False, "web": False}
    async with counted(compiler.house):
        assert (await compiler.persist(text=NAMES)).status_code == 200
    assert await used() == {"compiler": True, "web": False}
    async with counted(compiler.house):
        assert (await compiler.persist(member, text=NAMES)).status_code == 403
    assert await used() == {"compiler": True, "web": True}, "also where it may not"


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "There is no document: send one as `text`."),
        (b"text=", 400, "There is no document: send one as `text`."),
        (b"other=x", 400, "There is no document: send one as `text`."),
        (b"text=x&text=y", 400, "Each field is given once, and holds no U+0000."),
        (b"text=%00", 400, "Each field is given once, and holds no U+0000."),
        (b"text=x&client=%00", 400, "Each field is given once, and holds no U+0000."),
        (b"text=%ff", 400, "The body is no form in UTF-8."),
        (b"text=\xff", 400, "The body is no form in UTF-8."),
        (b"&".join(b"a%d=x" % number for number in range(30)), 400, "The body is no form in UTF-8."),
        (b"text=" + b"x" * persist.MAX_BODY, 413, "The form is too large: at most 524,288 bytes."),
        (b"text=%7B__typename%7D&version=a/b", 422, "A version is 1 to 50 letters, digits and . _ + -"),
    ],
)
async def test_what_is_no_form_of_a_document_is_told(compiler: Compiler, body: bytes, status: int, sentence: str) -> None:
    assert told(await compiler.send(body)) == (status, sentence)
    assert await compiler.ids() == []


async def test_only_a_form_is_taken(compiler: Compiler) -> None:
    for type in ("application/json", "", "text/plain"):
        status, sentence = told(await compiler.send(b'{"text": "{ __typename }"}', content_type=type))
        assert (status, sentence.endswith("Content-Type: application/x-www-form-urlencoded")) == (415, True)
    answer = await compiler.send(b"text=%7B__typename%7D", content_type=f"{FORM}; charset=UTF-8")
    assert answer.status_code == 200


async def test_while_the_database_is_away_the_compiler_is_told_so(compiler: Compiler) -> None:
    away = SqlDatabase("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    app = FastAPI(telemetry=NATIVE)
    app.include_router(persist.routes(replace(compiler.house, database=away)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pacemark.test") as http:
        answer = await replace(compiler, http=http).persist(text=NAMES)
    assert told(answer) == (503, "The database is away for a moment: try again.")
    await away.close()
