"""The security log in the graph: what an entry tells, in which order, and who may read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain import accounts, security
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


OWN = f"""query ($first: Int! = 20, $after: Cursor) {{ viewer {{ user {{ id
  securityLog(first: $first, after: $after) {{ nodes {{ {ENTRY} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
ACCOUNT = (SecurityKind.PASSWORD_CHANGED, SecurityKind.SIGNED_IN, SecurityKind.SESSION_REVOKED)


async def signed_in(asking: Asking, *kinds: SecurityKind) -> Asking:
    """The owner by a session, with these entries about their account, and one in their workspace."""
    actor = replace(asking.actor, session_id=new_id())
    await log(asking, SecurityKind.KEY_ISSUED, actor=actor)
    async with asking.database.work(actor, Origin("203.0.113.7", "curl/8")) as work:
        for number, kind in enumerate(kinds):
            security.log(work, kind, sessions=number)
    return replace(asking, actor=actor)


async def own(asking: Asking, **given: Any) -> Any:
    return (await asking.ask(OWN, **given))["viewer"]["user"]["securityLog"]


async def test_whoever_is_signed_in_reads_what_was_done_to_their_account(asking: Asking) -> None:
    asking = await signed_in(asking, *ACCOUNT)
    assert asking.actor.user_id is not None
    async with asking.database.work(SYSTEM) as work:
        security.log(work, SecurityKind.SIGN_IN_REFUSED, user_id=asking.actor.user_id)
        security.log(work, SecurityKind.SIGN_IN_REFUSED, user_id=await accounts.register(work, name="Somebody else"))
    first = await own(asking, first=2)
    entry = first["nodes"][1]
    assert (entry.pop("id")[:6], entry.pop("at")[-1]) == ("entry_", "Z")
    assert entry == {
        "kind": "SESSION_REVOKED",
        "userId": encode(Kind.USER, asking.actor.user_id),
        "keyId": None,
        "subject": None,
        "address": "203.0.113.7",
        "agent": "curl/8",
        "details": [{"name": "sessions", "value": "2"}],
    }
    rest = await own(asking, after=first["pageInfo"]["endCursor"])
    kinds = [entry["kind"] for entry in (*first["nodes"][:1], *rest["nodes"])]
    assert kinds == ["SIGN_IN_REFUSED", "SIGNED_IN", "PASSWORD_CHANGED"]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_who_left_their_workspaces_reads_of_their_account_still_and_nothing_of_those(asking: Asking) -> None:
    asking = await signed_in(asking, *ACCOUNT)
    outside = replace(asking, actor=Actor(user_id=asking.actor.user_id, session_id=asking.actor.session_id))
    assert [entry["kind"] for entry in (await own(outside))["nodes"]] == [*reversed(ACCOUNT)]


async def test_a_key_of_theirs_reads_nothing_of_their_account(asking: Asking) -> None:
    asking = await signed_in(asking, *ACCOUNT)
    for actor in (replace(asking.actor, key_id=new_id()), replace(asking.actor, session_id=None)):
        viewer = (await replace(asking, actor=actor).ask(OWN))["viewer"]
        assert viewer["user"]["id"]
        assert viewer["user"]["securityLog"] is None


async def test_a_cursor_of_one_persons_log_opens_no_others(asking: Asking) -> None:
    asking = await signed_in(asking, *ACCOUNT)
    cursor = (await own(asking, first=1))["pageInfo"]["endCursor"]
    async with asking.database.work(SYSTEM) as work:
        other = await accounts.register(work, name="Somebody else")
    answer = await replace(asking, actor=Actor(user_id=other, session_id=new_id())).whole(OWN, after=cursor)
    assert answer["data"]["viewer"]["user"]["securityLog"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["CURSOR_INVALID"]
