"""Who may do what: roles, permissions, the one table of grants, and the actor who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from .errors import NotAllowed, NotFound, ProblemCode


class Role(StrEnum):
    """What a member or a key is in a workspace."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    VIEWER = "VIEWER"


class Permission(StrEnum):
    """One thing that may be done in a workspace."""

    READ = "READ"
    AUDIT_REQUEST = "AUDIT_REQUEST"
    AUDIT_CANCEL = "AUDIT_CANCEL"
    SITE_WRITE = "SITE_WRITE"
    SCHEDULE_WRITE = "SCHEDULE_WRITE"
    PROFILE_WRITE = "PROFILE_WRITE"
    ACCESS_WRITE = "ACCESS_WRITE"
    KEY_WRITE = "KEY_WRITE"
    JOB_WRITE = "JOB_WRITE"
    DOCUMENT_WRITE = "DOCUMENT_WRITE"
    WORKSPACE_WRITE = "WORKSPACE_WRITE"


_VIEWER = frozenset({Permission.READ})
_MEMBER = _VIEWER | {
    Permission.AUDIT_REQUEST,
    Permission.AUDIT_CANCEL,
    Permission.SITE_WRITE,
    Permission.SCHEDULE_WRITE,
}
_ADMIN = _MEMBER | {
    Permission.PROFILE_WRITE,
    Permission.ACCESS_WRITE,
    Permission.KEY_WRITE,
    Permission.JOB_WRITE,
    Permission.DOCUMENT_WRITE,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN | {Permission.WORKSPACE_WRITE},
}

Reach = tuple[UUID, ...]
"""The workspaces that a query may look into: it goes into every statement."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks, with a role in each workspace that they may see. Nobody in particular has no roles.

    `client_id`: the API client that the key is one of, if any.
    """

    roles: Mapping[UUID, Role] = field(default_factory=dict)
    user_id: UUID | None = None
    key_id: UUID | None = None
    client_id: UUID | None = None
    name: str = field(init=False, compare=False)
    """A stable one for what is kept per actor."""
    reach: Reach = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self._name())
        object.__setattr__(self, "reach", tuple(self.roles))

    def _name(self) -> str:
        if self.key_id is not None:
            return f"key:{self.key_id.hex}"
        return f"user:{self.user_id.hex}" if self.user_id is not None else "nobody"

    def may(self, permission: Permission, workspace_id: UUID) -> bool:
        role = self.roles.get(workspace_id)
        return role is not None and permission in GRANTS[role]

    def require(self, permission: Permission, workspace_id: UUID) -> None:
        """Raise NotFound where the actor may not even see the workspace, NotAllowed where the permission is missing."""
        if workspace_id not in self.roles:
            if not self.roles:
                raise NotAllowed("Sign in with an API key: Authorization: Bearer pmk_…", permission, ProblemCode.NOT_SIGNED_IN)
            raise NotFound("There is no such workspace, or it is not yours.", f"workspace_{workspace_id.hex}")
        if not self.may(permission, workspace_id):
            role = self.roles[workspace_id]
            raise NotAllowed(f"{role.capitalize()}s of this workspace lack the permission {permission}.", permission)


NOBODY = Actor()
