"""The client graphql-sse, with a connection for each operation and with one for all, against a running Pacemark."""

from __future__ import annotations

import signal
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.app.running import staying
from tests.clients import expected
from tests.clients.driving import driven, told
from tests.clients.house import OPERATIONS, VIEWER, House
from tests.infra.engines.local_site import Site
from tests.servers import free_port

pytestmark = pytest.mark.browser

REFUSED = "This API key or access token is not valid, or no longer so: sign in again, or send Authorization: Bearer pmk_…"
modes = pytest.mark.parametrize("single", [False, True], ids=["distinct", "single"])
drive, tell = partial(driven, "graphql_sse.mjs"), partial(told, "graphql_sse.mjs")


@modes
def test_a_query_a_mutation_and_two_subscriptions_run_at_once(house: House, single: bool) -> None:
    said = tell("operations", **house.place, single=single, key=house.key, wish=house.wish, after=house.cursor)
    (viewer,), (payload,), progress = (said[name]["found"] for name in ("viewer", "payload", "progress"))
    audit = expected.assert_answered(viewer, payload, progress, key="first key")
    assert expected.kinds(said["events"], audit) == expected.ASKED
    assert said["connections"] == (1 if single else 4)


@modes
def test_an_operation_that_fails_does_not_end_the_others(house: House, single: bool) -> None:
    # For all at once the protocol has what is no operation answered by HTTP, and the client does not read what that says.
    status: dict[str, Any] = {"found": [], "error": ["Server responded with 400: Bad Request", None]}
    assert tell("failures", **house.place, single=single, key=house.key) == {
        "first": "Checkpoint",
        "invalid": status if single else {"found": [{"errors": [expected.INVALID]}]},
        "unsound": {"found": [{"errors": [expected.UNSOUND]}]},
        "missing": {"found": [{"errors": [expected.MISSING], "data": None}]},
        "after": {"found": [{"data": {"__typename": "Query"}}]},
    }


@modes
def test_whoever_leaves_hears_no_more_and_the_others_do(house: House, single: bool) -> None:
    with drive("leaving", **house.place, single=single, key=house.key, after=house.cursor) as client:
        assert {client.hear(), client.hear()} == {"live", "left"}
        audit = house.audit()
        said = client.hear()
    assert said["left"] == ["Checkpoint", "Checkpoint"]
    assert expected.kinds(said["stayed"], audit) == expected.ASKED


@modes
def test_a_key_that_is_none_is_refused(house: House, single: bool) -> None:
    said = {"errors": [{"message": REFUSED, "extensions": {"code": "UNAUTHENTICATED"}}]}
    error = ["Server responded with 401: Unauthorized", None if single else said]
    assert tell("refused", url=house.url, single=single) == {"found": [], "error": error}


@modes
def test_a_revoked_key_ends_what_is_followed_and_says_why(house: House, single: bool) -> None:
    key = house.make_key("soon gone")
    with drive("watch", **house.place, single=single, key=key) as client:
        assert client.hear()["data"]["workspaceEvents"]["live"]
        house.revoke(key)
        message = "This API key or session is good no longer: sign in again."
        assert client.hear() == {"errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}]}
        assert client.hear() is None


@modes
def test_a_server_that_stops_ends_the_streams_and_the_client_goes_on_where_it_was(
    tmp_path: Path, pages: Site, single: bool
) -> None:
    where = "--port", str(free_port()), "--data", "data"
    with staying(tmp_path, "up", *where) as server:
        house = House(server, tmp_path, pages)
        key = house.key
        with drive("follow", **house.place, single=single, after=house.cursor) as client:
            assert client.hear() == "which key?"
            client.tell(key)
            assert [client.hear()["live"] for _ in range(2)] == [False, True]
            assert server.stop(signal.SIGTERM) == 0
            assert client.hear() == "may I?"
            with staying(tmp_path, "up", *where) as again:
                audit = House(again, tmp_path, pages).audit(key)
                client.tell("yes")
                assert client.hear() == "which key?"
                client.tell(key)
                events = client.rest()
    assert expected.kinds(events, audit) == expected.ASKED


@modes
def test_registered_documents_are_asked_for_by_their_ids(house: House, single: bool) -> None:
    name = "one stream" if single else "streams"
    key = house.make_client(name)
    assert house.push(OPERATIONS, name) == "4 added, 0 unchanged, 0 refused."
    audit = house.audit()
    hash = sha256(VIEWER.encode()).hexdigest()
    viewer, automatic, watched, unknown = tell("documents", url=house.url, single=single, key=key, hash=hash, audit=audit)
    assert viewer == automatic == {"found": [{"data": {"viewer": {"key": {"name": name}}}}]}
    expected.assert_watched(watched["found"], audit)
    if single:
        assert unknown == {"found": [], "error": ["Server responded with 404: Not Found", None]}
    else:
        assert unknown == {"found": [{"errors": [expected.NOT_IN_LIST]}]}
