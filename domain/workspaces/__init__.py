"""Tenants, and who is what in them."""

from .actions import create, delete_workspace, rename, restore, transfer
from .invitations import accept, invite, revoke_invitation
from .jobs import Purged, forget_invitations, purge
from .limits import pay_for_invitation
from .members import change_member, leave, remove_member
from .memberships import Memberships, memberships_of
from .model import DeletedRow, Invitation, InvitationRow, Member, MemberRow, Workspace, WorkspaceRow
from .queries import (
    INVITATIONS,
    MEMBERS,
    by_ids,
    by_slugs,
    deleted_of,
    find,
    first_owner,
    invitation_by_token,
    invitations_by_ids,
    is_invited,
    members_by_ids,
    sites_of_members,
    within,
)
from .rules import KEPT, check_sites
from .turns import require_sites
from .turns import take as take_turn

__all__ = [
    "INVITATIONS",
    "KEPT",
    "MEMBERS",
    "DeletedRow",
    "Invitation",
    "InvitationRow",
    "Member",
    "MemberRow",
    "Memberships",
    "Purged",
    "Workspace",
    "WorkspaceRow",
    "accept",
    "by_ids",
    "by_slugs",
    "change_member",
    "check_sites",
    "create",
    "delete_workspace",
    "deleted_of",
    "find",
    "first_owner",
    "forget_invitations",
    "invitation_by_token",
    "invitations_by_ids",
    "invite",
    "is_invited",
    "leave",
    "members_by_ids",
    "memberships_of",
    "pay_for_invitation",
    "purge",
    "remove_member",
    "rename",
    "require_sites",
    "restore",
    "revoke_invitation",
    "sites_of_members",
    "take_turn",
    "transfer",
    "within",
]
