"""Whoever asks: their person, their key, their workspaces, and what they may do there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import keys
from domain.access import GRANTS, Actor, Permission, Role
from domain.ids import Kind, encode
from tests.databases import new_workspace
from tests.graph.asking import Asking, asking

__all__ = ["asking"]

VIEWER = """{ viewer {
  user { id name } key { id name prefix role }
  workspaces { nodes { id slug name viewerRole viewerPermissions } }
} }"""


async def test_a_key_says_who_asks(asking: Asking) -> None:
    async with asking.database.work(asking.actor) as work:
        key = await keys.issue(
            work,
            workspace_id=asking.workspace_id,
            name="ci",
            role=Role.MEMBER,
            keyring=asking.services.keyring,
            user_id=asking.actor.user_id,
        )
    actor = await keys.actor_for_key(asking.database.reader, key, asking.services.keyring)
    assert actor is not None
    assert actor.key_id is not None
    assert asking.actor.user_id is not None
    viewer = (await replace(asking, actor=actor).ask(VIEWER))["viewer"]
    assert viewer == {
        "user": {"id": encode(Kind.USER, asking.actor.user_id), "name": "Owner"},
        "key": {"id": encode(Kind.KEY, actor.key_id), "name": "ci", "prefix": key[:12], "role": "MEMBER"},
        "workspaces": {
            "nodes": [
                {
                    "id": asking.workspace,
                    "slug": "acme",
                    "name": "Acme",
                    "viewerRole": "MEMBER",
                    "viewerPermissions": [
                        "READ",
                        "AUDIT_REQUEST",
                        "AUDIT_CANCEL",
                        "SITE_WRITE",
                        "SCHEDULE_WRITE",
                        "ALERT_WRITE",
                        "MARK_WRITE",
                        "BUDGET_WRITE",
                        "MEMBER_READ",
                    ],
                }
            ]
        },
    }
    assert key[13:] not in str(viewer)


async def test_nobody_in_particular_is_no_viewer(asking: Asking) -> None:
    nobody = asking.as_(None)
    assert await nobody.ask('{ viewer { user { name } } workspace(slug: "acme") { id } metrics { name } }') == {
        "viewer": None,
        "workspace": None,
        "metrics": (await asking.ask("{ metrics { name } }"))["metrics"],
    }


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_grants_what_the_table_of_grants_says(asking: Asking, role: Role) -> None:
    answer = await asking.as_(role).ask('{ workspace(slug: "acme") { viewerRole viewerPermissions } }')
    granted = [permission.value for permission in Permission if permission in GRANTS[role]]
    assert answer["workspace"] == {"viewerRole": role.value, "viewerPermissions": granted}


async def test_whoever_is_in_several_workspaces_sees_them_by_slug(asking: Asking) -> None:
    roles = {asking.workspace_id: Role.OWNER}
    for slug in ("zoo", "aa"):
        roles[(await new_workspace(asking.database, slug))[0]] = Role.VIEWER
    await new_workspace(asking.database, "foreign")
    viewer = (await replace(asking, actor=Actor(roles=roles)).ask(VIEWER))["viewer"]
    assert (viewer["user"], viewer["key"]) == (None, None)
    seen = [(workspace["slug"], workspace["viewerRole"]) for workspace in viewer["workspaces"]["nodes"]]
    assert seen == [("aa", "VIEWER"), ("acme", "OWNER"), ("zoo", "VIEWER")]
