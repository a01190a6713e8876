"""Apollo Client over HTTP and over graphql-ws, with Apollo's persisted queries, against a running Pacemark."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.clients import expected
from tests.clients.driving import build, driven, told
from tests.clients.house import OPERATIONS, House

pytestmark = pytest.mark.browser

tell = partial(told, "apollo.mjs")
RESPONSE, PARTS = "application/graphql-response+json", "multipart/mixed"
TEXT, HASH = "extensions operationName query variables", "extensions operationName variables"


def test_it_asks_and_follows_over_http(house: House) -> None:
    said = tell("http", url=house.url, key=house.key, wish=house.wish)
    expected.assert_answered(said["viewer"], said["payload"], said["progress"], key="first key")
    assert said["invalid"] == {"errors": [expected.REPRINTED]}
    assert said["fetches"] == [
        ["POST", 400, RESPONSE, "extensions query variables"],
        ["POST", 200, RESPONSE, TEXT],
        ["POST", 200, RESPONSE, TEXT],
        ["POST", 200, PARTS, TEXT],
    ]


def test_it_follows_over_a_socket(house: House) -> None:
    said = tell("sockets", url=house.url, key=house.key, wish=house.wish)
    expected.assert_answered(said["viewer"], said["payload"], said["progress"], key="first key")


def test_a_revoked_key_ends_what_is_followed_and_says_why(house: House) -> None:
    key = house.make_key("soon gone from Apollo")
    with driven("apollo.mjs", "follow", **house.place, key=key) as client:
        assert client.hear()["workspaceEvents"]["live"]
        house.revoke(key)
        message = "This API key or session is good no longer: sign in again."
        error = {"message": message, "extensions": {"code": "UNAUTHENTICATED"}}
        assert client.rest() == [["CombinedProtocolErrors", [error]]]


@pytest.mark.parametrize(("get", "method"), [(False, "POST"), (True, "GET")])
def test_a_text_that_was_sent_once_is_asked_for_by_its_hash(house: House, get: bool, method: str) -> None:
    text = f"query OnlyBy{method} {{ viewer {{ key {{ role }} }} }}"
    assert tell("automatic", url=house.url, key=house.key, text=text, get=get) == {
        "found": [{"data": {"viewer": {"key": {"role": "OWNER"}}}}] * 2,
        "fetches": [[method, 200, RESPONSE, HASH], ["POST", 200, RESPONSE, TEXT], [method, 200, RESPONSE, HASH]],
    }


def test_a_manifest_that_was_pushed_is_asked_for_by_its_ids_alone(house: House, tmp_path: Path) -> None:
    key = house.make_client("apollo")
    config = {"documents": f"{OPERATIONS}/*.graphql", "output": "manifest.json"}
    (tmp_path / "persisted-query-manifest.config.json").write_text(json.dumps(config))
    build("generate-persisted-query-manifest", at=tmp_path)
    manifest = tmp_path / "manifest.json"
    assert house.push(manifest, "apollo") == "4 added, 0 unchanged, 0 refused."
    said = tell("registered", url=house.url, key=key, manifest=str(manifest), wish=house.wish)
    expected.assert_answered(said["viewer"], said["payload"], said["progress"], key="apollo")
    assert said["fetches"] == [["POST", 200, RESPONSE, HASH], ["POST", 200, RESPONSE, HASH], ["POST", 200, PARTS, HASH]]
    assert tell("unregistered", url=house.url, key=key) == {"errors": [expected.ID_REQUIRED]}


@pytest.mark.parametrize("current", [False, True], ids=["2022", "current"])
def test_deferred_parts_come_later_in_the_shape_that_it_reads(house: House, current: bool) -> None:
    first: dict[str, Any] = {"key": {"name": "first key"}}
    then = {**first, "workspaces": {"nodes": [{"slug": "default"}]}}
    assert tell("deferred", url=house.url, key=house.key, current=current) == {
        "found": [["empty", None], ["streaming", {"viewer": first}], ["complete", {"viewer": then}]],
        "fetches": [["POST", 200, PARTS, TEXT]],
    }
