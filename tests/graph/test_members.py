"""Members in GraphQL: shown to those in the workspace, changed by those who may."""

from __future__ import annotations

from dataclasses import replace

from domain.access import Actor, Role
from domain.ids import Kind, encode
from tests.domain.workspaces import people
from tests.graph.asking import Asking, asking
from tests.graph.changing import change

__all__ = ["asking"]

MEMBERS = '{ workspace(slug: "acme") { members { nodes { userId name email role sites { id } } } } }'


async def test_members_are_shown_changed_and_removed(asking: Asking) -> None:
    site = await people.site(asking.database, asking.workspace_id, asking.actor)
    bert = await people.join(asking.database, asking.workspace_id, "bert@example.com", Role.VIEWER, site)
    assert bert.user_id is not None
    user = encode(Kind.USER, bert.user_id)
    nodes = (await asking.as_(Role.VIEWER).ask(MEMBERS))["workspace"]["members"]["nodes"]
    shown = {"userId": user, "name": "bert", "email": "bert@example.com", "role": "VIEWER"}
    assert nodes[1] == {**shown, "sites": [{"id": encode(Kind.SITE, site)}]}
    given = {"workspace": asking.workspace, "user": user}
    read = "member { role sites { id } }"
    answer = await change(asking, "memberUpdate", read, **given, role="MEMBER")
    assert answer["member"] == {"role": "MEMBER", "sites": [{"id": encode(Kind.SITE, site)}]}
    answer = await change(asking, "memberUpdate", read, **given, sites=None)
    assert answer["member"] == {"role": "MEMBER", "sites": None}
    refused = await change(asking.as_(Role.ADMIN), "memberUpdate", **given, role="OWNER")
    assert (refused["__typename"], refused["permission"]) == ("NotAllowed", "WORKSPACE_WRITE")
    for mutation in ("memberUpdate", "memberRemove"):
        refused = await change(asking.as_(Role.MEMBER), mutation, **given)
        assert (refused["__typename"], refused["permission"]) == ("NotAllowed", "MEMBER_WRITE")
    assert (await change(asking, "memberRemove", "userId", **given))["userId"] == user
    assert (await change(asking, "memberRemove", **given))["__typename"] == "NotFound"


async def test_who_has_single_sites_is_not_told_who_else_is_there(asking: Asking) -> None:
    site = await people.site(asking.database, asking.workspace_id, asking.actor)
    roles = {asking.workspace_id: Role.MEMBER}
    outside = replace(asking, actor=Actor(roles=roles, sites={asking.workspace_id: frozenset({site})}))
    for field in ("members", "invitations", "apiKeys"):
        said = await outside.whole(f'{{ workspace(slug: "acme") {{ slug {field} {{ nodes {{ __typename }} }} }} }}')
        assert said["data"]["workspace"] == {"slug": "acme", field: None}
        assert said["errors"][0]["extensions"]["code"] == "PERMISSION_MISSING"


async def test_who_makes_themselves_less_is_that_from_there_on(asking: Asking) -> None:
    bert = await people.join(asking.database, asking.workspace_id, "bert@example.com", Role.OWNER)
    rename = f'workspaceUpdate(input: {{workspace: "{asking.workspace}", name: "Mine"}}) {{ __typename }}'

    def own(actor: Actor) -> str:
        assert actor.user_id is not None
        return f'workspace: "{asking.workspace}", user: "{encode(Kind.USER, actor.user_id)}"'

    less = f"memberUpdate(input: {{{own(asking.actor)}, role: VIEWER}}) {{ __typename }}"
    said = await asking.ask(f"mutation {{ {less} {rename} }}")
    assert [each["__typename"] for each in said.values()] == ["MemberUpdatePayload", "NotAllowed"]
    await people.join(asking.database, asking.workspace_id, "cleo@example.com", Role.OWNER)
    gone = f"memberRemove(input: {{{own(bert)}}}) {{ __typename }}"
    said = await replace(asking, actor=bert).ask(f"mutation {{ {gone} {rename} }}")
    assert [each["__typename"] for each in said.values()] == ["MemberRemovePayload", "NotFound"]
