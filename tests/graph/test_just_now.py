"""What is known of somebody may be a second old: what makes people more is not done by whoever has just become less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import keys, workspaces
from domain.access import Role
from domain.ids import Kind, encode
from tests.domain.workspaces import people
from tests.graph.asking import Asking, asking
from tests.graph.visiting import Visiting, visiting

__all__ = ["asking"]

ROLE = '{ workspace(slug: "acme") { viewerRole } }'


async def attempts(visitor: Visiting, user: str, friend: str) -> list[str]:
    """What comes of everything by which they could become more again, or a friend in their place."""
    there = f'workspace: "{visitor.workspace}"'
    said = []
    for text in (
        f'memberUpdate(input: {{{there}, user: "{user}", role: OWNER}})',
        f'workspaceTransfer(input: {{{there}, user: "{friend}"}})',
        f'invitationCreate(input: {{{there}, email: "again@example.com", role: VIEWER}})',
        f'apiKeyCreate(input: {{{there}, name: "Later", role: VIEWER}})',
        f"workspaceDelete(input: {{{there}}})",
    ):
        answer = await visitor.ask(f"mutation {{ change: {text} {{ __typename }} }}")
        said.append(answer["change"]["__typename"])
    return said


@pytest.mark.parametrize("removed", [False, True])
async def test_who_was_made_less_a_moment_ago_is_less(asking: Asking, removed: bool) -> None:
    other = await people.join(asking.database, asking.workspace_id, "other@example.com", Role.OWNER)
    friend = await people.join(asking.database, asking.workspace_id, "friend@example.com", Role.VIEWER)
    assert asking.actor.user_id is not None
    assert friend.user_id is not None
    user, workspace_id = asking.actor.user_id, asking.workspace_id
    async with visiting(asking, user) as visitor:
        assert (await visitor.ask(ROLE))["workspace"] == {"viewerRole": "OWNER"}
        async with asking.database.work(other) as work:
            if removed:
                await workspaces.remove_member(work, workspace_id=workspace_id, user_id=user)
            else:
                given = {"role": Role.VIEWER, "sites": None, "all_sites": False}
                await workspaces.change_member(work, workspace_id=workspace_id, user_id=user, **given)
        refused = "NotFound" if removed else "NotAllowed"
        assert await attempts(visitor, encode(Kind.USER, user), encode(Kind.USER, friend.user_id)) == [refused] * 5


async def test_a_key_that_was_revoked_a_moment_ago_makes_no_other(asking: Asking) -> None:
    async with asking.database.work(asking.actor) as work:
        given = {"workspace_id": asking.workspace_id, "name": "CI", "role": Role.ADMIN}
        text = await keys.issue(work, keyring=asking.services.keyring, **given)
    assert asking.actor.user_id is not None
    async with visiting(asking, asking.actor.user_id) as visitor:
        holder = replace(visitor, token=text)
        assert (await holder.ask(ROLE))["workspace"] == {"viewerRole": "ADMIN"}
        actor = await keys.actor_for_key(asking.database.reader, text, asking.services.keyring)
        assert actor is not None
        assert actor.key_id is not None
        async with asking.database.work(asking.actor) as work:
            await keys.revoke(work, key_id=actor.key_id)
        made = f'apiKeyCreate(input: {{workspace: "{asking.workspace}", name: "Child", role: VIEWER}}) {{ __typename }}'
        answer = await holder.whole(f"mutation {{ {made} }}")
        assert answer.get("errors") or answer["data"]["apiKeyCreate"]["__typename"] != "ApiKeyCreatePayload"
