"""What a page of another site can make a browser send, and what the pages that may ask are allowed to send and to read."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.graph.asking import Asking, asking

from .serving import VIEWER, Served, served, serving
from .test_signed_in import signed_in

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

APP, EVIL = "https://app.example.com", "https://evil.example"
QUERY = {"query": "{ __typename }"}


@pytest.fixture
async def allowing(asking: Asking) -> AsyncGenerator[Served, None]:
    """One site's pages may ask."""
    async with serving(asking, origins=frozenset({APP})) as served:
        yield served


def prevented(answer: httpx.Response) -> bool:
    if answer.status_code == 200:
        assert answer.json()["data"] == {"__typename": "Query"}
        return False
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]) == (403, {"code": "CSRF_PREVENTED"})
    return True


async def test_a_get_that_another_site_made_is_refused(allowing: Served) -> None:
    own = f"http://{allowing.base}"
    asked: list[tuple[dict[str, str], bool]] = [
        ({}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "nonsense"}, True),
        ({"Sec-Fetch-Site": ""}, True),
        ({"Origin": own}, False),
        ({"Origin": own.upper().replace("HTTP", "http"), "Host": allowing.base.upper()}, False),
        ({"Origin": APP, "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": EVIL}, True),
        ({"Origin": EVIL, "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": ""}, True),
        ({"Origin": f"https://{allowing.base}"}, True),
        ({"Origin": f"ftp://{allowing.base}"}, True),
        ({"Origin": f"://{allowing.base}"}, True),
        ({"Origin": allowing.base}, True),
        ({"Origin": "http://["}, True),
        ({"Origin": f"{own}.evil.example"}, True),
        ({"Origin": f"http://evil.example#{allowing.base}"}, True),
    ]
    for path in ("/graphql", "/graphql/stream"):
        for headers, expected in asked:
            got = await allowing.http.get(path, params=QUERY, headers=headers)
            assert prevented(got) is expected, headers


OWN = "https://pacemark.example.com"


async def test_where_our_own_address_is_known_its_pages_alone_are_ours(asking: Asking) -> None:
    """A page of the same host that came by http may be anybody's who is on the way."""
    async with serving(asking, own_origin=OWN, origins=frozenset({APP})) as served:
        person = await signed_in(served)
        cookie = {"Cookie": f"pacemark-access={person.token}"}
        for host in ("pacemark.example.com", served.base):
            for origin, ours in (
                (OWN, True),
                (OWN.upper(), True),
                (APP, True),
                ("http://pacemark.example.com", False),
                ("ftp://pacemark.example.com", False),
                (f"{OWN}:8443", False),
                (f"{OWN}.evil.example", False),
                (f"http://{served.base}", False),
                (f"https://{served.base}", False),
                ("null", False),
            ):
                headers = {"Host": host, "Origin": origin}
                for path in ("/graphql", "/graphql/stream"):
                    assert prevented(await served.http.get(path, params=QUERY, headers=headers)) is not ours, headers
                assert prevented(await served.http.post("/graphql", json=QUERY, headers={**headers, **cookie})) is not ours
                given: dict[str, Any] = {"additional_headers": {"Host": host}, "origin": origin}
                if ours:
                    async with served.connection(**given):
                        pass
                else:
                    with pytest.raises(InvalidStatus) as refused:
                        async with served.connection(**given):
                            pass
                    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "header", ["Authorization", "GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name"]
)
async def test_a_header_that_no_page_sends_unasked_is_proof_enough(served: Served, header: str) -> None:
    value = served.signed_in.get(header, "1")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": EVIL}):
        assert prevented(await served.http.get("/graphql", params=QUERY, headers=headers))
        assert not prevented(await served.http.get("/graphql", params=QUERY, headers={**headers, header: value}))


async def test_a_form_of_another_site_is_not_read(served: Served) -> None:
    """What a browser sends to another site without asking first has one of three types, or none."""
    body = json.dumps({"query": VIEWER})
    form = "query=%7B__typename%7D"
    types = [
        "text/plain",
        "text/plain;application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ]
    for path in ("/graphql", "/graphql/stream", "/graphql/d/x"):
        for type in types:
            for content in (body, form, f'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{body}\r\n--x--'):
                sent = await served.http.post(
                    path, content=content, headers={"Content-Type": type, "Origin": f"http://{served.base}"}
                )
                assert sent.status_code == 415, (path, type)
                assert sent.headers["accept-post"] == "application/json"
        blob = await served.http.post(path, content=body)  # as navigator.sendBeacon and fetch send what has no type
        assert blob.status_code == 415


async def test_other_charsets_are_not_read(served: Served) -> None:
    for charset in ("utf-16", "utf-7", "latin-1", "UTF-8-SIG", "utf8mb4", "'utf-8'"):
        headers = {"Content-Type": f"application/json; charset={charset}"}
        for content in ('{"query": "{ __typename }"}', '{"query": "{ __typename }"}'.encode("utf-16")):
            assert (await served.http.post("/graphql", content=content, headers=headers)).status_code == 415
    for content in (
        '{"query": "{ __typename }"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"query": "{ __typename }"}',
        b'{"query": "\xff"}',
    ):
        refused = await served.http.post("/graphql", content=content, headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_a_page_that_may_ask_is_told_what_it_may_send_and_read(allowing: Served) -> None:
    for path in ("/graphql", "/graphql/stream", "/graphql/d/x"):
        asked = {"Origin": APP, "Access-Control-Request-Headers": "authorization, content-type, last-event-id"}
        for method in ("GET", "POST", "PUT", "DELETE"):
            told = await allowing.http.options(path, headers={**asked, "Access-Control-Request-Method": method})
            assert (told.status_code, told.headers["access-control-allow-origin"]) == (200, APP)
            assert told.headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE"
            assert told.headers["access-control-max-age"] == "3600"
            assert told.headers["access-control-allow-credentials"] == "true", "so that it may carry cookies"
            allowed = {name.strip().lower() for name in told.headers["access-control-allow-headers"].split(",")}
            assert {"authorization", "content-type", "last-event-id", "x-graphql-event-stream-token"} <= allowed
            assert {"graphql-require-preflight", "graphql-client-version", "apollographql-client-version"} <= allowed
            assert "*" not in allowed
        for wrong in ({"Access-Control-Request-Method": "PATCH"}, {"Access-Control-Request-Headers": "x-other"}):
            refused = await allowing.http.options(path, headers={**asked, "Access-Control-Request-Method": "POST", **wrong})
            assert refused.status_code == 400
    answer = await allowing.http.post("/graphql", json=QUERY, headers={"Origin": APP})
    assert answer.headers["access-control-allow-origin"] == APP
    assert "Origin" in answer.headers["vary"]
    read = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"etag", "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"} <= read


async def test_other_pages_are_told_nothing(allowing: Served) -> None:
    for origin in (EVIL, "null", "http://app.example.com", f"{APP}.evil.example", APP.upper(), f"{APP}/", f"{APP}:8443"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        for path in ("/graphql", "/graphql/stream"):
            refused = await allowing.http.options(path, headers=asked)
            assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (400, False)
        answer = await allowing.http.post("/graphql", json=QUERY, headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


async def test_without_such_pages_nothing_is_said_of_them(served: Served) -> None:
    asked = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    assert (await served.http.options("/graphql", headers=asked)).status_code == 405
    answer = await served.http.post("/graphql", json=QUERY, headers={"Origin": APP})
    assert not [name for name in answer.headers if name.startswith("access-control")]
