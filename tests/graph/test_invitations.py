"""Invitations in GraphQL: sent, listed, taken back and accepted."""

from __future__ import annotations

from dataclasses import replace

from domain.access import Role
from domain.ids import Kind, encode, new_id
from tests.domain.workspaces import people
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults

__all__ = ["asking"]

LISTED = '{ workspace(slug: "acme") { invitations { nodes { id email role sites { id } } } } }'


async def test_an_invitation_is_sent_listed_and_accepted(asking: Asking) -> None:
    made = await change(asking, "invitationCreate", "invitation { id }", workspace=asking.workspace, email="b@example.com")
    id = made["invitation"]["id"]
    nodes = (await asking.ask(LISTED))["workspace"]["invitations"]["nodes"]
    assert nodes == [{"id": id, "email": "b@example.com", "role": "MEMBER", "sites": None}]
    assert (await asking.ask("query ($id: ID!) { node(id: $id) { __typename } }", id=id))["node"] == {
        "__typename": "Invitation"
    }
    link = (await people.mailed(asking.database))[-1][1]["values"]["link"]
    assert link.startswith("http://pacemark.test/auth/invitation?token=pmi_")
    bert = replace(asking, actor=await people.person(asking.database, "b@example.com"))
    token = link.partition("token=")[2]
    other = replace(asking, actor=await people.person(asking.database, "c@example.com"))
    assert (await change(other, "invitationAccept", token=token))["__typename"] == "NotAllowed"
    joined = await change(bert, "invitationAccept", "workspace { slug viewerRole }", token=token)
    assert joined["workspace"] == {"slug": "acme", "viewerRole": "MEMBER"}
    assert (await change(bert, "invitationAccept", token=token))["__typename"] == "NotFound"


async def test_an_invitation_is_taken_back_by_those_who_may(asking: Asking) -> None:
    sent = {"workspace": asking.workspace, "email": "b@example.com"}
    refused = await change(asking.as_(Role.MEMBER), "invitationCreate", **sent)
    assert (refused["__typename"], refused["permission"]) == ("NotAllowed", "MEMBER_WRITE")
    assert faults(await change(asking, "invitationCreate", **{**sent, "email": "x"})) == [(["email"], "MALFORMED")]
    assert (await change(asking, "invitationCreate", **sent, sites=[encode(Kind.SITE, new_id())]))["__typename"] == "NotFound"
    id = (await change(asking, "invitationCreate", "invitation { id }", **sent))["invitation"]["id"]
    said = await asking.as_(Role.MEMBER).whole(LISTED)
    assert said["data"]["workspace"]["invitations"] is None
    assert (await change(asking.as_(Role.MEMBER), "invitationRevoke", invitation=id))["__typename"] == "NotAllowed"
    assert (await change(asking, "invitationRevoke", "invitationId", invitation=id))["invitationId"] == id
    assert (await change(asking, "invitationRevoke", invitation=id))["__typename"] == "NotFound"
