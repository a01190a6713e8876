"""Another Pacemark asked over GraphQL: whatever stands in the way is a sentence, and no sentence holds the key."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from app import remote
from app.errors import Unusable
from tests.infra.engines.hostile import Answer, Route, Site, raw, redirect, tls_contexts
from tests.servers import free_port

KEY = "pmk_12345678_secret"
JSON = "application/json; charset=utf-8"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


async def refusal(url: str, key: str | None = KEY) -> str:
    with pytest.raises(Unusable) as refused:
        async with remote.opened(url, key) as there:
            await there.ask("{ __typename }")
    assert KEY not in str(refused.value)
    assert "secret" not in str(refused.value)
    return str(refused.value)


def said(content: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(content).encode(), JSON, status)


async def test_an_operation_is_sent_with_the_key_and_its_data_come_back() -> None:
    routes = {"/graphql": said({"data": {"__typename": "Query"}})}
    async with Site(routes) as site, remote.opened(site.at("/graphql"), f" {KEY}\n") as there:
        assert await there.ask("{ __typename }") == {"__typename": "Query"}
    (request,) = site.requests
    assert (request.method, request.headers["authorization"]) == ("POST", f"Bearer {KEY}")
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            said({"errors": [{"message": "no"}]}, 401),
            "The key in PACEMARK_KEY opens nothing at URL: it is not one of that server's, or no longer.",
        ),
        (Answer(b"not here", "text/plain", 404), "There is no GraphQL at URL: its address ends in /graphql."),
        (Answer(b"", "text/plain", 405), "There is no GraphQL at URL: its address ends in /graphql."),
        (
            redirect("https://elsewhere.example/graphql"),
            "URL leads on to 'https://elsewhere.example/graphql', where no key is sent. If that is right, name it yourself.",
        ),
        (
            Answer(b"<!doctype html>"),
            "URL does not speak GraphQL: its answer is text/html; charset=utf-8, status 200.",
        ),
        (Answer(b"down", "text/plain", 502), "URL does not speak GraphQL: its answer is text/plain, status 502."),
        (said({"ok": True}), f"URL does not speak GraphQL: its answer is {JSON}, status 200."),
        (said([]), f"URL does not speak GraphQL: its answer is {JSON}, status 200."),
        (said({"data": None}), "URL answers with no data."),
        (
            said({"data": None, "errors": [{"message": "Slow\n\x1bdown."}]}, 429),
            "URL refuses: Slow \N{REPLACEMENT CHARACTER}down.",
        ),
        (said({"errors": "everything"}), "URL refuses: it does not say why."),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), "URL cannot be reached: "),
        (raw(reset=True), "URL cannot be reached: "),
    ],
)
async def test_what_is_not_the_answer_of_a_pacemark_is_a_sentence(answer: Route, sentence: str) -> None:
    async with Site({"/graphql": answer}) as site:
        url = site.at("/graphql")
        told = await refusal(url)
    assert told.startswith(sentence.replace("URL", f"'{url}'"))
    assert sentence.endswith(": ") or len(told) == len(sentence.replace("URL", f"'{url}'"))
    assert told.isprintable()


async def test_nobody_there_is_a_sentence() -> None:
    url = f"http://127.0.0.1:{free_port()}/graphql"
    assert await refusal(url) == f"'{url}' cannot be reached: All connection attempts failed."


async def test_who_does_not_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "TIMEOUT", 0.2)
    async with Site({"/graphql": Answer(delay=30)}) as site:
        assert await refusal(site.at("/graphql")) == f"'{site.at('/graphql')}' does not answer in time."


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted() -> None:
    server, _ = tls_contexts("localhost")
    async with Site({"/graphql": said({"data": {}})}, tls=server, name="localhost") as site:
        told = await refusal(site.at("/graphql"))
    assert told.startswith(f"'{site.at('/graphql')}' cannot be reached: its certificate is not to be trusted (")
    assert site.requests == []


async def test_who_speaks_no_tls_is_told_from_who_is_not_trusted() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
        assert await refusal(url) == f"'{url}' cannot be reached: it does not speak TLS as we do."


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pacemark.example",
        "ftp://pacemark.example/",
        "http://",
        "http://host:99999/",
        "http://[::1/",
        "/graphql",
        "http://a\x00b/",
    ],
)
async def test_what_is_no_address_is_told_before_anything_is_sent(url: str) -> None:
    assert await refusal(url) == "--url is the address of GraphQL, such as https://pacemark.example.com/graphql"


async def test_an_address_holds_no_password() -> None:
    told = await refusal("https://user:secret@pacemark.example/graphql")
    assert told == "--url holds no names and no passwords: the key is read from PACEMARK_KEY."


@pytest.mark.parametrize("key", [None, "", " "])
async def test_without_a_key_it_is_said_how_to_get_one(key: str | None) -> None:
    told = await refusal("https://pacemark.example/graphql", key)
    assert told == "Set PACEMARK_KEY to an API key of that server: pacemark keys create NAME --role admin"


@pytest.mark.parametrize("key", [f"{KEY}\r\nX: y", f"{KEY} {KEY}", f"{KEY}ü", f"{KEY}\x00"])
async def test_what_can_be_no_key_is_not_sent_and_not_repeated(key: str) -> None:
    told = await refusal("https://pacemark.example/graphql", key)
    assert told == "PACEMARK_KEY holds no API key: one looks like pmk_… and has no spaces."
