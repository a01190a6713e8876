"""Who may do what: roles, permissions, the one table of grants, and the actor who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from .errors import NotAllowed, NotFound, ProblemCode
from .ids import Kind, encode


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
    ALERT_WRITE = "ALERT_WRITE"
    MARK_WRITE = "MARK_WRITE"
    BUDGET_WRITE = "BUDGET_WRITE"
    PROFILE_WRITE = "PROFILE_WRITE"
    ACCESS_WRITE = "ACCESS_WRITE"
    KEY_WRITE = "KEY_WRITE"
    JOB_WRITE = "JOB_WRITE"
    CHANNEL_WRITE = "CHANNEL_WRITE"
    DOCUMENT_WRITE = "DOCUMENT_WRITE"
    MEMBER_READ = "MEMBER_READ"
    MEMBER_WRITE = "MEMBER_WRITE"
    SECURITY_READ = "SECURITY_READ"
    WORKSPACE_WRITE = "WORKSPACE_WRITE"


_VIEWER = frozenset({Permission.READ, Permission.MEMBER_READ})
_MEMBER = _VIEWER | {
    Permission.AUDIT_REQUEST,
    Permission.AUDIT_CANCEL,
    Permission.SITE_WRITE,
    Permission.SCHEDULE_WRITE,
    Permission.ALERT_WRITE,
    Permission.MARK_WRITE,
    Permission.BUDGET_WRITE,
}
_ADMIN = _MEMBER | {
    Permission.PROFILE_WRITE,
    Permission.ACCESS_WRITE,
    Permission.KEY_WRITE,
    Permission.JOB_WRITE,
    Permission.CHANNEL_WRITE,
    Permission.DOCUMENT_WRITE,
    Permission.MEMBER_WRITE,
    Permission.SECURITY_READ,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN | {Permission.WORKSPACE_WRITE},
}

OF_SITES = frozenset(
    {
        Permission.READ,
        Permission.AUDIT_REQUEST,
        Permission.AUDIT_CANCEL,
        Permission.SITE_WRITE,
        Permission.SCHEDULE_WRITE,
        Permission.ALERT_WRITE,
        Permission.MARK_WRITE,
        Permission.BUDGET_WRITE,
        Permission.ACCESS_WRITE,
    }
)
"""What whoever has single sites of a workspace may do, where their role grants it: with those sites, and nothing else."""


class Reach(NamedTuple):
    """What a query may look into; it goes into every statement.

    `workspaces` are those that the actor is in: what all who are in one may see of it. `held` are those of which they see
    everything, and the single sites that they have of others.
    """

    workspaces: tuple[UUID, ...] = ()
    held: tuple[UUID, ...] = ()

    @classmethod
    def whole(cls, *workspaces: UUID) -> Reach:
        return cls(workspaces, workspaces)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks, with a role in each workspace that they may see. Nobody in particular has no roles.

    `sites`: of which workspaces they have single sites only, and which. `scopes`: what a key may do at most (None: all that
    its role may). `client_id`: the API client that the key is one of, if any. `everything`: this installation itself.
    """

    roles: Mapping[UUID, Role] = field(default_factory=dict)
    user_id: UUID | None = None
    key_id: UUID | None = None
    client_id: UUID | None = None
    session_id: UUID | None = None
    sites: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    scopes: frozenset[Permission] | None = None
    everything: bool = False
    name: str = field(init=False, compare=False)
    """A stable one for what is kept per actor."""
    reach: Reach = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        whole = tuple(each for each in self.roles if each not in self.sites)
        single = tuple(site for sites in self.sites.values() for site in sorted(sites))
        object.__setattr__(self, "name", self._name())
        object.__setattr__(self, "reach", Reach(tuple(self.roles), (*whole, *single)))

    def _name(self) -> str:
        if self.key_id is not None:
            return f"key:{self.key_id.hex}"
        return f"user:{self.user_id.hex}" if self.user_id is not None else "nobody"

    @property
    def is_somebody(self) -> bool:
        """Whether they are known: a person may be in no workspace yet."""
        return bool(self.roles) or self.user_id is not None or self.key_id is not None

    @property
    def is_signed_in(self) -> bool:
        """Whether this is a person, by a session. A key is none: it does not act on the account of its person."""
        return self.user_id is not None and self.session_id is not None and self.key_id is None

    @property
    def view(self) -> tuple[object, ...]:
        """Equal for actors who see the same. Hashable."""
        return frozenset(self.roles.items()), frozenset(self.sites.items()), self.scopes

    def permissions(self, workspace_id: UUID) -> frozenset[Permission]:
        """What they may do in the workspace; where they have single sites of it, with those."""
        role = self.roles.get(workspace_id)
        if role is None:
            return frozenset()
        granted = GRANTS[role] & OF_SITES if workspace_id in self.sites else GRANTS[role]
        return granted if self.scopes is None else granted & (self.scopes | {Permission.READ})

    def may(self, permission: Permission, workspace_id: UUID, site_id: UUID | None = None) -> bool:
        """`site_id`: of what belongs to a site. To read, whoever has single sites needs none: what they see is theirs."""
        if permission not in self.permissions(workspace_id):
            return False
        sites = self.sites.get(workspace_id)
        return sites is None or site_id in sites or (site_id is None and permission is Permission.READ)

    def absent(self, permission: Permission, kind: Kind, id: UUID, what: str | None = None) -> NotAllowed | NotFound:
        """What refuses somebody who asks for a thing that they do not see: nobody in particular is to sign in first."""
        if not self.is_somebody:
            return NotAllowed(SIGN_IN, permission, ProblemCode.NOT_SIGNED_IN)
        return NotFound(f"There is no such {what or kind}, or it is not yours.", encode(kind, id))

    def require(self, permission: Permission, workspace_id: UUID, site_id: UUID | None = None) -> None:
        """Raise NotFound where the actor may not even see the workspace, NotAllowed where the permission is missing."""
        if workspace_id not in self.roles:
            raise self.absent(permission, Kind.WORKSPACE, workspace_id)
        if self.may(permission, workspace_id, site_id):
            return
        if permission not in GRANTS[self.roles[workspace_id]]:
            message = f"{self.roles[workspace_id].capitalize()}s of this workspace lack the permission {permission}."
        elif self.scopes is not None and permission not in self.scopes:
            message = f"This key was issued without the scope {permission}."
        else:
            message = f"You have single sites of this workspace: that takes {permission} for all of it."
        raise NotAllowed(message, permission)


SIGN_IN = "Sign in, or send an API key: Authorization: Bearer pmk_…"

NOBODY = Actor()

SYSTEM = Actor(everything=True)
"""This installation itself, in work that nobody in particular asked for."""
