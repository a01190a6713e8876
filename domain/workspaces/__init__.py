"""Tenants, and who is what in them."""

from .actions import create
from .model import Member, Workspace, WorkspaceRow
from .queries import LIST, by_ids, by_slugs, find, first_owner

__all__ = ["LIST", "Member", "Workspace", "WorkspaceRow", "by_ids", "by_slugs", "create", "find", "first_owner"]
