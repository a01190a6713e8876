"""The client graphql-ws, against a running Pacemark."""

from __future__ import annotations

import signal
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from tests.app.running import staying
from tests.clients import expected
from tests.clients.driving import Driven, driven, told
from tests.clients.house import OPERATIONS, VIEWER, House
from tests.infra.engines.local_site import Site
from tests.servers import free_port

pytestmark = pytest.mark.browser

tell = partial(told, "graphql_ws.mjs")
TYPENAME = {"found": [{"data": {"__typename": "Query"}}]}


def test_a_query_a_mutation_and_two_subscriptions_run_at_once_on_one_socket(house: House) -> None:
    said = tell("operations", **house.place, key=house.key, wish=house.wish, after=house.cursor)
    (viewer,), (payload,), progress = (said[name]["found"] for name in ("viewer", "payload", "progress"))
    audit = expected.assert_answered(viewer, payload, progress, key="first key")
    assert expected.kinds(said["events"], audit) == expected.ASKED
    assert (said["opened"], said["closed"]) == (1, [])


def test_an_operation_that_fails_does_not_end_the_others(house: House) -> None:
    assert tell("failures", **house.place, key=house.key) == {
        "first": "Checkpoint",
        "invalid": {"found": [], "error": [expected.INVALID]},
        "unsound": {"found": [], "error": [expected.UNSOUND]},
        "missing": {"found": [{"errors": [expected.MISSING], "data": None}]},
        "after": TYPENAME,
        "opened": 1,
        "closed": [],
    }


def test_a_lazy_client_has_a_socket_for_as_long_as_it_has_operations(house: House) -> None:
    assert tell("lazy", url=house.url, key=house.key) == {
        "unasked": 0,
        "results": [[{"data": {name: "Query"}}] for name in "abc"],
        "opened": 2,
        "closed": [[1000, "Normal Closure"]],
    }


def test_one_that_is_not_lazy_has_its_socket_before_and_is_answered_when_it_pings(house: House) -> None:
    assert tell("eager", url=house.url, key=house.key) == {"answered": True, "asked": TYPENAME, "opened": 1, "closed": []}


def test_whoever_brings_no_key_may_ask_and_sees_nothing(house: House) -> None:
    assert tell("strangers", url=house.url) == {"found": [{"data": {"viewer": None}}]}


def test_a_key_that_is_none_closes_the_socket(house: House) -> None:
    assert tell("refused", url=house.url) == {"found": [], "error": [4403, "Forbidden"]}


def go_on(client: Driven, key: str) -> None:
    """It was told to leave: let it come back."""
    assert client.hear() == "may I?"
    client.tell("yes")
    assert client.hear() == "which key?"
    client.tell(key)


def test_a_revoked_key_closes_and_the_client_goes_on_with_another_where_it_was(house: House) -> None:
    first, second = house.make_key("first of two"), house.make_key("second of two")
    with driven("graphql_ws.mjs", "follow", **house.place, after=house.cursor) as client:
        assert client.hear() == "which key?"
        client.tell(first)
        assert [client.hear()["live"] for _ in range(2)] == [False, True]
        house.revoke(first)
        assert client.hear() == [4403, "Forbidden"]
        audit = house.audit()
        go_on(client, second)
        assert expected.kinds(client.rest(), audit) == expected.ASKED


def test_a_server_that_stops_sends_its_clients_away_and_they_come_back_to_the_next(tmp_path: Path, pages: Site) -> None:
    where = "--port", str(free_port()), "--data", "data"
    with staying(tmp_path, "up", *where) as server:
        house = House(server, tmp_path, pages)
        key = house.key
        with driven("graphql_ws.mjs", "follow", **house.place, after=house.cursor) as client:
            assert client.hear() == "which key?"
            client.tell(key)
            assert [client.hear()["live"] for _ in range(2)] == [False, True]
            assert server.stop(signal.SIGTERM) == 0
            assert client.hear() == [1012, "Service restart"]
            with staying(tmp_path, "up", *where) as again:
                audit = House(again, tmp_path, pages).audit(key)
                go_on(client, key)
                assert expected.kinds(client.rest(), audit) == expected.ASKED


def test_registered_documents_are_asked_for_by_their_ids(house: House) -> None:
    key = house.make_client("sockets")
    assert house.push(OPERATIONS, "sockets") == "4 added, 0 unchanged, 0 refused."
    audit = house.audit()
    viewer = {"found": [{"data": {"viewer": {"key": {"name": "sockets"}}}}]}
    done = {"found": [{"data": {"auditProgress": {"phase": "ENDED", "audit": {"id": audit, "state": "FINISHED"}}}}]}
    assert tell("documents", url=house.url, key=key, hash=sha256(VIEWER.encode()).hexdigest(), audit=audit) == [
        viewer,
        viewer,
        viewer,
        done,
        {"found": [], "error": [expected.NOT_IN_LIST]},
        {"found": [], "error": [expected.ID_REQUIRED]},
    ]
