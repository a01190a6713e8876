"""Workspaces in GraphQL: made, changed, deleted and brought back; and what one may do where."""

from __future__ import annotations

from dataclasses import replace

from domain.access import GRANTS, Actor, Permission, Role
from domain.ids import Kind, encode, new_id
from tests.domain.workspaces import people
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults

__all__ = ["asking"]


def signed_in(asking: Asking) -> Asking:
    return replace(asking, actor=replace(asking.actor, session_id=new_id()))


async def test_a_new_workspace_can_be_used_in_the_same_answer(asking: Asking) -> None:
    anna = replace(asking, actor=await people.person(asking.database, "anna@example.com"))
    read = "workspace { slug name viewerRole profiles { name } eventCursor }"
    made = (await change(anna, "workspaceCreate", read, slug="annas", name="Anna's"))["workspace"]
    assert (made["slug"], made["name"], made["viewerRole"]) == ("annas", "Anna's", "OWNER")
    assert made["profiles"] != []
    again = await change(anna, "workspaceCreate", slug="acme", name="x")
    assert (again["__typename"], again["code"], again["existing"]) == ("Conflict", "ALREADY_EXISTS", None)
    assert faults(await change(anna, "workspaceCreate", slug="No", name="x")) == [(["slug"], "MALFORMED")]
    refused = await change(asking.as_(None), "workspaceCreate", slug="x", name="x")
    assert (refused["__typename"], refused["code"]) == ("NotAllowed", "NOT_SIGNED_IN")


async def test_only_an_owner_changes_hands_over_and_deletes_it(asking: Asking) -> None:
    user = encode(Kind.USER, new_id())
    for mutation, given in [("workspaceUpdate", {"name": "x"}), ("workspaceTransfer", {"user": user}), ("workspaceDelete", {})]:
        answer = await change(asking.as_(Role.ADMIN), mutation, workspace=asking.workspace, **given)
        assert (answer["__typename"], answer["permission"]) == ("NotAllowed", "WORKSPACE_WRITE")
    read = "workspace { slug name }"
    answer = await change(asking, "workspaceUpdate", read, workspace=asking.workspace, slug="acme-2")
    assert answer["workspace"] == {"slug": "acme-2", "name": "Acme"}


async def test_what_was_handed_over_is_an_administrators(asking: Asking) -> None:
    owner = signed_in(asking)
    bert = await people.join(asking.database, asking.workspace_id, "bert@example.com", Role.MEMBER)
    assert bert.user_id is not None
    user = encode(Kind.USER, bert.user_id)
    read = "workspace { viewerRole }"
    answer = await change(owner, "workspaceTransfer", read, workspace=asking.workspace, user=user)
    assert answer["workspace"] == {"viewerRole": "ADMIN"}
    last = replace(asking, actor=await people.there(asking.database, bert))
    refused = await change(last, "workspaceLeave", workspace=asking.workspace)
    assert (refused["__typename"], refused["code"]) == ("Conflict", "IN_USE")
    former = replace(asking, actor=await people.there(asking.database, owner.actor))
    left = await change(former, "workspaceLeave", "workspaceId", workspace=asking.workspace)
    assert left["workspaceId"] == asking.workspace


async def test_a_deleted_workspace_is_listed_for_its_owner_and_comes_back(asking: Asking) -> None:
    owner = signed_in(asking)
    deleted = await change(owner, "workspaceDelete", "workspaceId restorableUntil", workspace=asking.workspace)
    owner = replace(owner, actor=await people.there(asking.database, owner.actor))
    listed = "{ viewer { deletedWorkspaces { workspaceId slug name restorableUntil } workspaces { nodes { slug } } } }"
    viewer = (await owner.ask(listed))["viewer"]
    shown = {"workspaceId": asking.workspace, "slug": "acme", "name": "Acme"}
    assert viewer == {
        "deletedWorkspaces": [{**shown, "restorableUntil": deleted["restorableUntil"]}],
        "workspaces": {"nodes": []},
    }
    key = replace(asking, actor=Actor(user_id=asking.actor.user_id, key_id=new_id()))
    assert (await key.ask("{ viewer { deletedWorkspaces { slug } } }"))["viewer"] == {"deletedWorkspaces": []}
    other = replace(asking, actor=await people.person(asking.database, "x@example.com"))
    assert (await change(other, "workspaceRestore", workspace=asking.workspace))["__typename"] == "NotFound"
    back = await change(owner, "workspaceRestore", "workspace { slug viewerRole }", workspace=asking.workspace)
    assert back["workspace"] == {"slug": "acme", "viewerRole": "OWNER"}


async def test_what_one_may_do_is_told_as_it_applies(asking: Asking) -> None:
    site = await people.site(asking.database, asking.workspace_id, asking.actor)
    read = "{ viewer { permissions { workspace { slug } role permissions sites { slug } } } }"
    (grant,) = (await asking.ask(read))["viewer"]["permissions"]
    whole = [str(each) for each in Permission if each in GRANTS[Role.OWNER]]
    assert grant == {"workspace": {"slug": "acme"}, "role": "OWNER", "permissions": whole, "sites": None}
    roles = {asking.workspace_id: Role.MEMBER}
    outside = Actor(roles=roles, sites={asking.workspace_id: frozenset({site})}, scopes=frozenset({Permission.SITE_WRITE}))
    (grant,) = (await replace(asking, actor=outside).ask(read))["viewer"]["permissions"]
    assert (grant["permissions"], len(grant["sites"])) == (["READ", "SITE_WRITE"], 1)
