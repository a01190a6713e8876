"""Tenants, and who is what in them."""

from .actions import create
from .memberships import Memberships, memberships
from .model import Member, Workspace, WorkspaceRow
from .queries import by_ids, by_slugs, find, first_owner, within

__all__ = [
    "Member",
    "Memberships",
    "Workspace",
    "WorkspaceRow",
    "by_ids",
    "by_slugs",
    "create",
    "find",
    "first_owner",
    "memberships",
    "within",
]
