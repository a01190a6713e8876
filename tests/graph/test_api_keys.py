"""API keys in GraphQL: issued, listed, rotated and revoked; their secret is shown once."""

from __future__ import annotations

from domain import keys
from domain.access import Role
from domain.ids import Kind, encode
from tests.domain.workspaces import people
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults

__all__ = ["asking"]

LISTED = '{ workspace(slug: "acme") { apiKeys { nodes { id name role scopes sites { id } expiresAt lastUsedAt } } } }'


async def test_a_key_is_issued_rotated_and_revoked(asking: Asking) -> None:
    site = encode(Kind.SITE, await people.site(asking.database, asking.workspace_id, asking.actor))
    given = {"workspace": asking.workspace, "name": "CI", "scopes": ["AUDIT_REQUEST"], "sites": [site]}
    made = await change(asking, "apiKeyCreate", "secret key { id prefix }", **given)
    keyring, reader = asking.services.keyring, asking.database.reader
    actor = await keys.actor_for_key(reader, made["secret"], keyring)
    assert actor is not None
    assert (encode(Kind.KEY, actor.key_id), actor.user_id) == (made["key"]["id"], asking.actor.user_id)  # type: ignore[arg-type]
    limits = {"scopes": ["AUDIT_REQUEST"], "sites": [{"id": site}], "expiresAt": None, "lastUsedAt": None}
    listed = (await asking.ask(LISTED))["workspace"]["apiKeys"]["nodes"]
    assert listed == [{"id": made["key"]["id"], "name": "CI", "role": "MEMBER", **limits}]
    read = "secret formerUntil key { id name }"
    rotated = await change(asking, "apiKeyRotate", read, key=made["key"]["id"], overlapHours=0)
    assert rotated["key"]["name"] == "CI"
    assert await keys.actor_for_key(reader, made["secret"], keyring) is None
    assert await keys.actor_for_key(reader, rotated["secret"], keyring) is not None
    id = rotated["key"]["id"]
    assert (await change(asking, "apiKeyRevoke", "keyId", key=id))["keyId"] == id
    for mutation in ("apiKeyRevoke", "apiKeyRotate"):
        assert (await change(asking, mutation, key=id))["__typename"] == "NotFound"
    assert await keys.actor_for_key(reader, rotated["secret"], keyring) is None


async def test_who_may_not_write_keys_neither_sees_nor_makes_them(asking: Asking) -> None:
    given = {"workspace": asking.workspace, "name": "CI"}
    id = (await change(asking, "apiKeyCreate", "key { id }", **given))["key"]["id"]
    member = asking.as_(Role.MEMBER)
    assert (await member.whole(LISTED))["data"]["workspace"]["apiKeys"] is None
    for mutation, input in [("apiKeyCreate", given), ("apiKeyRevoke", {"key": id}), ("apiKeyRotate", {"key": id})]:
        refused = await change(member, mutation, **input)
        assert (refused["__typename"], refused["permission"]) == ("NotAllowed", "KEY_WRITE")
    above = await change(asking.as_(Role.ADMIN), "apiKeyCreate", **given, role="OWNER")
    assert above["__typename"] == "NotAllowed"
    soon = await change(asking, "apiKeyCreate", **given, expiresAt="2020-01-01T00:00:00Z")
    assert faults(soon) == [(["expiresAt"], "OUT_OF_RANGE")]
    wide = await change(asking, "apiKeyCreate", **given, scopes=["KEY_WRITE"])
    assert faults(wide) == [(["scopes"], "OUT_OF_RANGE")]
