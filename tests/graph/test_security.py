"""The security log in the graph: what an entry tells, in which order, and who may read it."""

from __future__ import annotations

from typing import Any

import pytest

from domain import security
from domain.access import SYSTEM, Actor, Role
from domain.ids import Kind, encode, new_id
from domain.security import SecurityKind
from domain.work import Origin
from tests.graph.asking import Asking, asking

__all__ = ["asking"]

ENTRY = "id at kind userId keyId subject address agent details { name value }"
LOG = f"""query ($first: Int! = 20, $after: Cursor) {{ workspace(slug: "acme") {{
  securityLog(first: $first, after: $after) {{ nodes {{ {ENTRY} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""


async def log(asking: Asking, *kinds: SecurityKind, actor: Actor = SYSTEM) -> None:
    async with asking.database.work(actor, Origin("203.0.113.7", "curl/8")) as work:
        for kind in kinds:
            security.log(work, kind, workspace_id=asking.workspace_id, subject=asking.workspace, role="ADMIN", sites=["a", "b"])


async def read(asking: Asking, **given: Any) -> Any:
    return (await asking.ask(LOG, **given))["workspace"]["securityLog"]


async def test_an_entry_says_who_did_what_to_what_from_where(asking: Asking) -> None:
    user, key = new_id(), new_id()
    await log(asking, SecurityKind.KEY_ISSUED, actor=Actor(roles=asking.actor.roles, user_id=user, key_id=key))
    entry = (await read(asking))["nodes"][0]
    assert entry.pop("id").startswith("entry_")
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "kind": "KEY_ISSUED",
        "userId": encode(Kind.USER, user),
        "keyId": encode(Kind.KEY, key),
        "subject": asking.workspace,
        "address": "203.0.113.7",
        "agent": "curl/8",
        "details": [{"name": "role", "value": "ADMIN"}, {"name": "sites", "value": "a, b"}],
    }


async def test_the_newest_comes_first_page_by_page(asking: Asking) -> None:
    await log(asking, SecurityKind.MEMBER_INVITED, SecurityKind.MEMBER_JOINED, SecurityKind.MEMBER_REMOVED)
    first = await read(asking, first=2)
    assert [entry["kind"] for entry in first["nodes"]] == ["MEMBER_REMOVED", "MEMBER_JOINED"]
    second = await read(asking, first=1, after=first["pageInfo"]["endCursor"])
    assert [entry["kind"] for entry in second["nodes"]] == ["MEMBER_INVITED"]


@pytest.mark.parametrize("role", Role)
async def test_who_lacks_the_permission_gets_an_error_in_its_place_and_all_else(asking: Asking, role: Role) -> None:
    await log(asking, SecurityKind.KEY_ISSUED)
    answer = await asking.as_(role).whole('{ workspace(slug: "acme") { name securityLog(first: 1) { nodes { kind } } } }')
    allowed = role in (Role.OWNER, Role.ADMIN)
    shown = {"nodes": [{"kind": "KEY_ISSUED"}]} if allowed else None
    assert answer["data"]["workspace"]["securityLog"] == shown
    assert answer["data"]["workspace"]["name"]
    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
    assert codes == ([] if allowed else ["PERMISSION_MISSING"])


async def test_who_has_single_sites_of_a_workspace_reads_nothing_of_its_log(asking: Asking) -> None:
    await log(asking, SecurityKind.KEY_ISSUED)
    asking.actor = Actor(roles={asking.workspace_id: Role.ADMIN}, sites={asking.workspace_id: frozenset({new_id()})})
    answer = await asking.whole('{ workspace(slug: "acme") { securityLog { nodes { kind } } } }')
    assert answer["data"]["workspace"]["securityLog"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["PERMISSION_MISSING"]
