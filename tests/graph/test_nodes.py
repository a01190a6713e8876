"""Anything with an id is found by it, alone or with others."""

from __future__ import annotations

from typing import Any

from domain.access import NOBODY
from domain.ids import Kind, encode, new_id
from graph.schema import schema
from tests.databases import new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.changing import change
from tests.graph.filled import fill

__all__ = ["asking"]

TYPES = {
    Kind.WORKSPACE: "Workspace",
    Kind.KEY: "ApiKey",
    Kind.CLIENT: "ApiClient",
    Kind.DOCUMENT: "Document",
    Kind.RUNNER: "Runner",
    Kind.PROFILE: "Profile",
    Kind.SITE: "Site",
    Kind.PAGE: "Page",
    Kind.SCHEDULE: "Schedule",
    Kind.SNAPSHOT: "Snapshot",
    Kind.VERDICT: "Verdict",
    Kind.ALERT: "Alert",
    Kind.CHANNEL: "Channel",
    Kind.ROUTE: "Route",
    Kind.DELIVERY: "Delivery",
    Kind.BUDGET: "Budget",
    Kind.BREACH: "Breach",
    Kind.DEPLOY: "Deploy",
    Kind.ANNOTATION: "Annotation",
    Kind.AUDIT: "Audit",
    Kind.FINDING: "Finding",
    Kind.FILE: "Artifact",
    Kind.JOB: "DeadJob",
    Kind.INVITATION: "Invitation",
}
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


async def one_of_each(asking: Asking) -> dict[Kind, str]:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id)
    given = {"workspace": asking.workspace, "email": "new@example.com"}
    sent = await change(asking, "invitationCreate", "invitation { id }", **given)
    others = {Kind.RUNNER: encode(Kind.RUNNER, asking.runner_id), Kind.INVITATION: sent["invitation"]["id"]}
    return {kind: there.readable(kind)[0] for kind in there.ids} | others


def test_every_type_with_an_id_is_tried_here() -> None:
    node: Any = schema._schema.type_map["Node"]
    assert {each.name for each in schema._schema.get_possible_types(node)} == set(TYPES.values())


async def test_every_kind_of_thing_is_found_by_its_id(asking: Asking) -> None:
    ids = await one_of_each(asking)
    assert set(ids) == set(TYPES)
    for kind, id in ids.items():
        assert (await asking.ask(NODE, id=id))["node"] == {"__typename": TYPES[kind], "id": id}
    together = (await asking.ask(NODES, ids=list(ids.values())))["nodes"]
    assert together == [{"__typename": TYPES[kind], "id": id} for kind, id in ids.items()]


async def test_nodes_come_in_the_order_asked_for_and_null_where_there_is_nothing(asking: Asking) -> None:
    ids = await one_of_each(asking)
    foreign, _ = await new_workspace(asking.database, "other")
    unknown = [encode(kind, new_id()) for kind in Kind]
    asked = [*reversed(ids.values()), encode(Kind.WORKSPACE, foreign), *unknown, ids[Kind.SITE], ids[Kind.SITE]]
    found = (await asking.ask(NODES, ids=asked))["nodes"]
    nothing = {encode(Kind.WORKSPACE, foreign), *unknown}
    assert [node and node["id"] for node in found] == [None if id in nothing else id for id in asked]
    for id in nothing:
        assert (await asking.ask(NODE, id=id))["node"] is None
    assert (await asking.ask(NODES, ids=[]))["nodes"] == []


async def test_a_person_is_no_node(asking: Asking) -> None:
    assert asking.actor.user_id is not None
    assert (await asking.ask(NODE, id=encode(Kind.USER, asking.actor.user_id)))["node"] is None


async def test_an_id_of_another_kind_finds_nothing(asking: Asking) -> None:
    hex = (await one_of_each(asking))[Kind.SITE].partition("_")[2]
    for kind in set(Kind) - {Kind.SITE}:
        assert (await asking.ask(NODE, id=f"{kind}_{hex}"))["node"] is None


async def test_what_is_no_id_is_refused_with_all_its_places(asking: Asking) -> None:
    good = encode(Kind.SITE, new_id())
    bad = ["", "5", "nonsense", f"{good}0", f" {good}", good.upper(), f"team_{good[5:]}", "__proto__", "𝟙" * 40]
    for id in bad:
        said = await asking.whole(NODE, id=id)
        assert said["data"] == {"node": None}
        assert [(error["path"], error["extensions"]["code"]) for error in said["errors"]] == [(["node"], "ID_MALFORMED")]
    said = await asking.whole(NODES, ids=[good, *bad])
    assert said["data"] is None
    (error,) = said["errors"]
    places = [["ids", str(place)] for place in range(1, len(bad) + 1)]
    assert [fault["path"] for fault in error["extensions"]["fields"]] == places
    for field in ("site", "page", "audit"):
        said = await asking.whole(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=asking.workspace)
        assert said["errors"][0]["extensions"]["code"] == "ID_WRONG_KIND"


async def test_at_most_a_hundred_nodes_at_once(asking: Asking) -> None:
    ids = [encode(Kind.SITE, new_id()) for _ in range(101)]
    assert (await asking.ask(NODES, ids=ids[:100]))["nodes"] == [None] * 100
    said = await asking.whole(NODES, ids=ids)
    assert (said["data"], said["errors"][0]["extensions"]["code"]) == (None, "TOO_MANY")


async def test_nobody_finds_nothing(asking: Asking) -> None:
    ids = await one_of_each(asking)
    asking.actor = NOBODY
    assert (await asking.ask(NODES, ids=list(ids.values())))["nodes"] == [None] * len(ids)
