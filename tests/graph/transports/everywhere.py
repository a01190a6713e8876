"""One operation by every transport, and what came of it in one form."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
from websockets.exceptions import ConnectionClosed

from .serving import Served, events

Parts = Mapping[str, Any] | Sequence[tuple[str, Any]]
"""Of a request, by their names; pairs, where one stands twice."""

MULTIPART = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
DEFERRED = "multipart/mixed;deferSpec=20220824"


class Raw(str):
    """A part whose JSON is this very text."""

    __slots__ = ()


class Answer(NamedTuple):
    """`results` are all that came; `errors` those of the last or of the refusal. `status` is HTTP's, or a socket's close."""

    status: int
    results: Sequence[Any] = ()
    errors: Sequence[Any] = ()

    @property
    def codes(self) -> Sequence[str]:
        return [error.get("extensions", {}).get("code", "") for error in self.errors]

    @property
    def data(self) -> Any:
        return self.results[-1].get("data") if self.results else None


async def post(served: Served, parts: Parts) -> Answer:
    return _whole(await _post(served, "/graphql", parts))


async def get(served: Served, parts: Parts) -> Answer:
    return _whole(await served.http.get("/graphql", headers=served.signed_in, extensions={"target": target(parts)}))


async def websocket(served: Served, parts: Parts) -> Answer:
    async with served.socket() as socket:
        await socket.hear()
        results: list[Any] = []
        try:
            await socket.connection.send('{"id":"1","type":"subscribe","payload":' + body(parts) + "}")
            while (said := await socket.hear())["type"] == "next":
                results.append(said["payload"])
        except ConnectionClosed as closed:
            return Answer(closed.rcvd.code if closed.rcvd else 1006, results)
        assert said["id"] == "1"
        if said["type"] == "error":
            return Answer(0, results, said["payload"])
        assert said["type"] == "complete"
        return _of(0, results)


async def sse(served: Served, parts: Parts) -> Answer:
    return _streamed(await _post(served, "/graphql", parts, Accept="text/event-stream"))


async def sse_by_get(served: Served, parts: Parts) -> Answer:
    headers = {**served.signed_in, "Accept": "text/event-stream"}
    return _streamed(await served.http.get("/graphql", headers=headers, extensions={"target": target(parts)}))


async def single(served: Served, parts: Parts) -> Answer:
    """Server-sent events, all operations of a client over one connection."""
    token = (await served.http.put("/graphql/stream", headers=served.signed_in)).text
    headers = {**served.signed_in, "X-GraphQL-Event-Stream-Token": token, "Accept": "text/event-stream"}
    async with served.http.stream("GET", "/graphql/stream", headers=headers) as stream:
        named = [(name, value) for name, value in _pairs(parts) if name != "extensions"]
        extensions = {**dict(_pairs(parts)).get("extensions", {}), "operationId": "1"}
        asked = [*named, ("extensions", extensions)]
        accepted = await _post(served, f"/graphql/stream?token={token}", asked)
        if accepted.status_code != 202:
            return _whole(accepted)
        results: list[Any] = []
        async for name, data in events(stream):
            said = json.loads(data)
            assert said.pop("id") == "1"
            if name == "complete":
                return _of(202, results)
            results.append(said["payload"])
    raise AssertionError("the stream ended before the operation")


async def multipart(served: Served, parts: Parts) -> Answer:
    answer = await _post(served, "/graphql", parts, Accept=f"{MULTIPART},{DEFERRED},application/json")
    if not answer.headers["content-type"].startswith("multipart/mixed"):
        return _whole(answer)
    return _of(answer.status_code, [each.get("payload") or each for each in parts_of(answer.content) if each])


Transport = Callable[[Served, Parts], Awaitable[Answer]]
CHANGING: Sequence[Transport] = (post, websocket, sse, single, multipart)
EVERYWHERE: Sequence[Transport] = (*CHANGING, get, sse_by_get)
STREAMING: Sequence[Transport] = (websocket, sse, sse_by_get, single, multipart)


def body(parts: Parts) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{_json(value)}" for name, value in _pairs(parts)) + "}"


def parts_of(content: bytes) -> Sequence[Any]:
    """A whole multipart answer's, strictly as RFC 2046 (5.1.1) and Apollo's clients read them."""
    preamble, *parts, epilogue = content.split(b"\r\n--graphql")
    assert (preamble, epilogue) == (b"", b"--\r\n")
    found = []
    for part in parts:
        head, _, said = part.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/json; charset=utf-8"
        found.append(json.loads(said))
    return found


def _pairs(parts: Parts) -> Sequence[tuple[str, Any]]:
    return list(parts.items()) if isinstance(parts, Mapping) else parts


def _json(value: Any) -> str:
    return value if isinstance(value, Raw) else json.dumps(value)


def target(parts: Parts) -> bytes:
    """The path of a GET with all of them, however long."""
    given = [
        (name, value if isinstance(value, str) and not isinstance(value, Raw) else _json(value))
        for name, value in _pairs(parts)
        if value is not None
    ]
    return f"/graphql?{urlencode(given)}".encode()


async def _post(served: Served, path: str, parts: Parts, **headers: str) -> httpx.Response:
    given = {**served.signed_in, "Content-Type": "application/json", **headers}
    return await served.http.post(path, content=body(parts), headers=given)


def _whole(answer: httpx.Response) -> Answer:
    if "json" not in answer.headers["content-type"]:
        return Answer(answer.status_code)
    said = answer.json()
    return Answer(answer.status_code, [said] if "data" in said else [], said.get("errors", ()))


def _of(status: int, results: Sequence[Any]) -> Answer:
    return Answer(status, results, results[-1].get("errors", ()) if results else ())


def _streamed(response: httpx.Response) -> Answer:
    if not response.headers["content-type"].startswith("text/event-stream"):
        return _whole(response)
    *said, last = response.text.removeprefix(":\n\n").removesuffix("\n\n").split("\n\n")
    assert last == "event: complete\ndata:"
    assert all(each.split("\n")[-2] == "event: next" for each in said)
    return _of(response.status_code, [json.loads(each.rpartition("\ndata: ")[2]) for each in said])
