"""What is good no longer opens none of the doors beside GraphQL, and no answer tells what became of it."""

from __future__ import annotations

import asyncio
import pkgutil
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app import bootstrap, doors
from app.asgi import create_app
from app.bootstrap import embedded
from app.settings import load
from domain.ids import Kind, encode
from graph import standing
from graph.transports.callers import REFUSED
from tests.app import houses
from tests.graph.credentials import Installation

BASE = "http://127.0.0.1:8123"
DOORS: Mapping[str, str] = {
    "auth": "the refresh token in a cookie: below",
    "persist": "a key: below",
    "export": "a key, or a token in a cookie: below",
    "files": "whoever has a signed link",
    "graphiql": "everybody: it asks GraphQL",
    "health": "everybody",
    "keys": "everybody",
    "metrics": "this machine, and whoever has the token of the settings",
    "pages": "everybody: they ask GraphQL",
    "bearer": "no door: who brings a key",
    "paths": "no door: where a page may lead to",
}
"""Whom each opens for; the report's stands in app/report, and is asked for below."""


@dataclass
class Doors:
    """The whole application, with what opens it no longer."""

    there: Installation
    http: httpx.AsyncClient
    texts: Mapping[str, str]
    refresh: Mapping[str, str]
    report: str

    async def refuses(self, text: str) -> bool:
        answer = await self.http.post("/graphql", json={"query": "{ viewer { __typename } }"}, headers=bearer(text))
        return answer.status_code == 401


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def told(answer: httpx.Response) -> str:
    """All that could tell one refusal from another."""
    return str((answer.status_code, sorted(each for each in answer.headers.multi_items() if each[0] != "date"), answer.text))


@pytest.fixture
async def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Doors, None]:
    monkeypatch.setattr(standing, "FRESH_SECONDS", 0.05)  # what was read is believed for so long
    async with embedded(load(data=tmp_path, port=8123), live=False) as (house, workspace_id):
        owner = await bootstrap.owner(house, workspace_id)
        report = f"/report/{encode(Kind.AUDIT, await houses.file(house, owner, 'http://127.0.0.1/'))}"
        there = Installation(house.database, house.keyring, house.signing, workspace_id, owner)
        nevers, formers = await there.nevers(), await there.formers()
        transport = httpx.ASGITransport(create_app(house), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
            texts = {name: each.text for name, each in formers.items()}
            refresh = {name: each.refresh for name, each in formers.items() if each.refresh}
            made = Doors(there, http, texts | nevers, refresh | {"never": there.never_refreshed()}, report)
            opened = set()
            for name, text in texts.items():
                assert not await made.refuses(text), name
                if (await http.get(report, headers=bearer(text))).status_code == 200:
                    opened.add(name)
                persisted = await http.post("/graphql/persist", data={"text": "{ __typename }"}, headers=bearer(text))
                assert persisted.status_code == (403 if " key" in name else 401), name  # a member's, who may not
            assert opened == {name for name in texts if " key" in name} - {"a key of a deleted workspace"}
            for each in formers.values():
                await each.end()
            async with asyncio.timeout(5):
                for text in texts.values():
                    while not await made.refuses(text):
                        await asyncio.sleep(0.01)
            yield made


def test_every_door_is_known() -> None:
    assert {each.name for each in pkgutil.iter_modules(doors.__path__)} - DOORS.keys() == set()


async def test_graphql_has_one_answer(locked: Doors) -> None:
    cookie = "pacemark-access"
    answers = set[str]()
    for text in locked.texts.values():
        for headers in (bearer(text), {"Cookie": f"{cookie}={text}"}):
            for answer in [
                await locked.http.post("/graphql", json={"query": "{ viewer { __typename } }"}, headers=headers),
                await locked.http.post("/graphql", json={"query": "mutation { x }"}, headers=headers),
                await locked.http.get("/graphql", params={"query": "{ __typename }"}, headers=headers),
                await locked.http.get("/graphql/d/anything", headers=headers),
                await locked.http.put("/graphql/stream", headers=headers),
            ]:
                error = {"message": REFUSED, "extensions": {"code": "UNAUTHENTICATED"}}
                assert (answer.status_code, answer.json()) == (401, {"errors": [error]})
                answers.add(told(answer))
    assert len(answers) == 1


async def test_no_document_is_registered(locked: Doors) -> None:
    answers = set[str]()
    for text in [*locked.texts.values(), "nonsense"]:
        answer = await locked.http.post("/graphql/persist", data={"text": "{ __typename }"}, headers=bearer(text))
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
        assert answer.headers["www-authenticate"] == "Bearer"
        answers.add(told(answer))
    assert len(answers) == 1


async def test_nothing_is_exported(locked: Doors) -> None:
    answers = set[str]()
    for text in locked.texts.values():
        for format in ("csv", "json"):
            answer = await locked.http.get(f"/export/series.{format}", params={"page": "page_0"}, headers=bearer(text))
            assert answer.status_code == 401
            answers.add(told(answer))
    assert len(answers) == 1


async def test_no_report_is_shown_nor_told_from_one_that_is_not_there(locked: Doors) -> None:
    elsewhere = f"/report/audit_{'0' * 32}"
    answers = {told(await locked.http.get(address)) for address in (locked.report, elsewhere)}
    for text in locked.texts.values():
        for address in (locked.report, elsewhere):
            answer = await locked.http.get(address, headers=bearer(text))
            assert answer.status_code == 404
            answers.add(told(answer))
    assert len(answers) == 1


async def test_no_session_that_is_over_is_refreshed(locked: Doors) -> None:
    answers = set[str]()
    for token in [*locked.refresh.values(), "nonsense"]:
        answer = await locked.http.post("/auth/refresh", headers={"Cookie": f"pacemark-refresh={token}"})
        assert (answer.status_code, answer.json()) == (401, {"error": "This session is over: sign in again."})
        answers.add(told(answer))
    assert len(answers) == 1
    assert locked.there.owner.user_id is not None
    good = await locked.there.sign_in(locked.there.owner.user_id)
    answer = await locked.http.post("/auth/refresh", headers={"Cookie": f"pacemark-refresh={good.refresh_token}"})
    assert answer.status_code == 200
