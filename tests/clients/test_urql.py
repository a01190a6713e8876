"""The client urql, over HTTP and over graphql-ws, against a running Pacemark."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.clients import expected
from tests.clients.driving import told
from tests.clients.house import OPERATIONS, House

pytestmark = pytest.mark.browser

tell = partial(told, "urql.mjs")
RESPONSE, JSON = "application/graphql-response+json", "application/json"
TEXT, HASH = "operationName query variables", "extensions operationName variables"


@pytest.mark.parametrize(
    ("accept", "type", "status", "stream"),
    [
        (None, RESPONSE, 400, "text/event-stream"),
        ("multipart/mixed;subscriptionSpec=1.0, application/json", JSON, 200, "multipart/mixed"),
    ],
    ids=["its own Accept", "multipart"],
)
def test_it_asks_and_follows_over_http(house: House, accept: str | None, type: str, status: int, stream: str) -> None:
    said = tell("http", url=house.url, key=house.key, accept=accept, wish=house.wish)
    expected.assert_answered(said["viewer"], said["payload"], said["progress"], key="first key")
    assert said["invalid"] == {"errors": [expected.REPRINTED]}
    assert said["fetches"] == [
        ["GET", status, type, "query variables"],
        ["GET", 200, type, TEXT],
        ["POST", 200, type, TEXT],
        ["POST", 200, stream, TEXT],
    ]


def test_it_asks_and_follows_over_a_socket(house: House) -> None:
    said = tell("sockets", url=house.url, key=house.key, wish=house.wish)
    expected.assert_answered(said["viewer"], said["payload"], said["progress"], key="first key")
    assert said["invalid"] == {"errors": [expected.REPRINTED]}


def test_a_text_that_was_sent_once_is_asked_for_by_its_hash(house: House) -> None:
    text = "query OnlyHere { viewer { key { role } } }"
    assert tell("automatic", url=house.url, key=house.key, text=text) == {
        "found": [{"data": {"viewer": {"key": {"role": "OWNER"}}}}] * 2,
        "fetches": [
            ["GET", 200, RESPONSE, HASH],
            ["GET", 200, RESPONSE, "extensions operationName query variables"],
            ["GET", 200, RESPONSE, HASH],
        ],
    }


def test_registered_documents_are_asked_for_by_their_ids(house: House) -> None:
    key = house.make_client("urql")
    assert house.push(OPERATIONS, "urql") == "4 added, 0 unchanged, 0 refused."
    said = tell("registered", url=house.url, key=key, wish=house.wish)
    expected.assert_answered(said["viewer"], said["payload"], said["progress"], key="urql")
    assert said["unknown"] == {"errors": [expected.NOT_IN_LIST]}
    assert said["fetches"] == [
        ["GET", 404, RESPONSE, "extensions variables"],
        ["GET", 200, RESPONSE, HASH],
        ["POST", 200, RESPONSE, HASH],
        ["POST", 200, "text/event-stream", HASH],
    ]


def test_deferred_parts_come_later(house: House) -> None:
    first: dict[str, Any] = {"key": {"name": "first key"}}
    then = {**first, "workspaces": {"nodes": [{"slug": "default"}]}}
    assert tell("deferred", url=house.url, key=house.key) == {
        "found": [{"data": {"viewer": first}}, {"data": {"viewer": then}}],
        "fetches": [["GET", 200, "multipart/mixed", TEXT]],
    }
