"""Who may do what."""

from __future__ import annotations

from itertools import pairwise

import pytest

from domain.access import GRANTS, NOBODY, Actor, Permission, Reach, Role
from domain.errors import NotAllowed, NotFound, ProblemCode
from domain.ids import new_id

HERE, ELSEWHERE = new_id(), new_id()

ALLOWED = {
    Role.VIEWER: {"READ", "MEMBER_READ"},
    Role.MEMBER: {
        "READ",
        "MEMBER_READ",
        "AUDIT_REQUEST",
        "AUDIT_CANCEL",
        "SITE_WRITE",
        "SCHEDULE_WRITE",
        "ALERT_WRITE",
        "MARK_WRITE",
        "BUDGET_WRITE",
    },
    Role.ADMIN: {
        "READ",
        "MEMBER_READ",
        "AUDIT_REQUEST",
        "AUDIT_CANCEL",
        "SITE_WRITE",
        "SCHEDULE_WRITE",
        "ALERT_WRITE",
        "MARK_WRITE",
        "CHANNEL_WRITE",
        "BUDGET_WRITE",
        "PROFILE_WRITE",
        "ACCESS_WRITE",
        "KEY_WRITE",
        "JOB_WRITE",
        "DOCUMENT_WRITE",
        "MEMBER_WRITE",
        "SECURITY_READ",
    },
    Role.OWNER: {*Permission},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_allows_exactly_what_the_table_says(role: Role, permission: Permission) -> None:
    actor = Actor(roles={HERE: role})
    assert actor.may(permission, HERE) is (permission in ALLOWED[role])
    if permission in ALLOWED[role]:
        actor.require(permission, HERE)
    else:
        with pytest.raises(NotAllowed) as refused:
            actor.require(permission, HERE)
        assert (refused.value.code, refused.value.permission) == (ProblemCode.PERMISSION_MISSING, permission)


def test_each_role_may_all_that_the_one_below_it_may() -> None:
    ladder = [GRANTS[role] for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER)]
    assert all(lower < higher for lower, higher in pairwise(ladder))


def test_a_role_in_one_workspace_is_none_in_another() -> None:
    owner = Actor(roles={HERE: Role.OWNER})
    assert not owner.may(Permission.READ, ELSEWHERE)
    with pytest.raises(NotFound, match="no such workspace, or it is not yours"):
        owner.require(Permission.READ, ELSEWHERE)


def test_nobody_is_told_to_sign_in() -> None:
    with pytest.raises(NotAllowed) as refused:
        NOBODY.require(Permission.READ, HERE)
    assert refused.value.code is ProblemCode.NOT_SIGNED_IN
    assert NOBODY.reach == Reach()


def test_an_actor_is_named_by_key_then_by_user_then_nobody() -> None:
    assert Actor(user_id=HERE, key_id=ELSEWHERE).name == f"key:{ELSEWHERE.hex}"
    assert Actor(user_id=HERE).name == f"user:{HERE.hex}"
    assert Actor().name == "nobody"
